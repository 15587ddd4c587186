"""How splunkd runs persistent REST handlers: restmap.conf of the installed app, and real processes for them.

Must not answer HTTP.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from tests.standins.splunk_conf import is_true, read_conf
from tests.standins.splunkd_answers import Refused

if TYPE_CHECKING:
    from tests.standins.splunk_conf import Settings
    from tests.standins.splunk_home import SplunkHome

_APPSERVER = Path(__file__).parent / "splunk_python" / "appserver.py"


class Endpoint(NamedTuple):
    """One `[script:…]` stanza that splunkd has loaded."""

    name: str
    match: tuple[str, ...]
    handler: str
    settings: Settings

    def says(self, key: str, otherwise: str) -> bool:
        """A setting that is true or false."""
        return is_true(self.settings.get(key, otherwise))

    def capability(self, method: str) -> str:
        """What a caller needs for this method; empty is nothing."""
        return self.settings.get("capability." + method.lower(), self.settings.get("capability", ""))


def load_endpoints(home: SplunkHome) -> list[Endpoint]:
    """The persistent handlers of the installed app, local over default, as splunkd reads them when it starts.

    Raises:
        ValueError: a stanza that splunkd would not serve: no `match`, no `handler`, another `scripttype`.
    """
    default = read_conf(home.app / "default/restmap.conf")
    local = read_conf(home.app / "local/restmap.conf")
    endpoints = []
    for name in sorted(set(default) | set(local)):
        if not name.startswith("script:"):
            continue
        settings = {**default.get(name, {}), **local.get(name, {})}
        if (
            settings.get("scripttype") != "persist"
            or not settings.get("match")
            or "." not in settings.get("handler", "")
        ):
            raise ValueError(f"restmap.conf [{name}]: needs match, scripttype = persist and handler")
        match = tuple(part for part in settings["match"].split("/") if part)
        endpoints.append(Endpoint(name, match, settings["handler"], settings))
    return endpoints


class HandlerPool:
    """At most `size` processes of one handler, started when needed and kept alive between calls."""

    def __init__(
        self, home: SplunkHome, endpoint: Endpoint, python: str, size: int, env: Optional[dict[str, str]]
    ) -> None:
        """Start nothing yet."""
        self._home, self._endpoint, self._python, self._env = home, endpoint, python, env
        self._size = size
        self._free = threading.Condition()
        self._idle: list[subprocess.Popen[str]] = []
        self._processes: list[subprocess.Popen[str]] = []
        self._closed = False

    @property
    def pids(self) -> list[int]:
        """The processes that live now."""
        with self._free:
            return [process.pid for process in self._processes]

    def call(self, request: dict[str, Any]) -> dict[str, Any]:
        """Pass one request to a free process, wait for one where all are busy.

        Raises:
            Refused: 500 where the process ends instead of answering, or answers what is no object with a status.
        """
        process = self._take()
        try:
            process.stdin.write(json.dumps(request) + "\n")  # type: ignore[union-attr]
            process.stdin.flush()  # type: ignore[union-attr]
            answer: dict[str, Any] = {**json.loads(process.stdout.readline())}  # type: ignore[union-attr]
            answer["status"] = int(answer["status"])
        except (OSError, ValueError, TypeError, KeyError) as exc:
            self._drop(process)
            raise Refused(500, f"External handler failed: {self._endpoint.name}") from exc
        with self._free:
            self._idle.append(process)
            self._free.notify()
        return answer

    def close(self) -> None:
        """Kill every process, as splunkd's end does."""
        with self._free:
            self._closed = True
            processes = list(self._processes)
            self._free.notify_all()
        for process in processes:
            self._drop(process)

    def _take(self) -> subprocess.Popen[str]:
        with self._free:
            while not self._closed and not self._idle and len(self._processes) >= self._size:
                self._free.wait()
            if self._closed:
                raise Refused(503, "Service Unavailable")
            if self._idle:
                return self._idle.pop()
            process = self._start()
            self._processes.append(process)
            return process

    def _drop(self, process: subprocess.Popen[str]) -> None:
        # Two threads can come here for one process, and before 3.9 the later kill() fails.
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()
        with self._free:
            if process in self._processes:
                self._processes.remove(process)
                process.stdout.close()  # type: ignore[union-attr]
            if process in self._idle:
                self._idle.remove(process)
            self._free.notify()
        with contextlib.suppress(OSError):
            process.stdin.close()  # type: ignore[union-attr]

    def _start(self) -> subprocess.Popen[str]:
        command = [self._python, str(_APPSERVER), str(self._home.app / "bin"), self._endpoint.handler]
        with (self._home.log / "persistent_handlers_stderr.log").open("ab") as stderr:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=self._home.env(self._env),
                cwd="/",
                universal_newlines=True,
                encoding="utf-8",
            )
