"""How splunkd runs a modular input: its scheme, its start, its end, and its restarts.

Must not start what splunkd would not: an input without a spec, without an interpreter, or disabled.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Callable, NamedTuple, Optional, Sequence
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

from tests.standins.splunk_conf import is_true
from tests.standins.splunk_home import APP
from tests.standins.splunk_input_conf import SCHEME, InputRefused, input_settings, script

if TYPE_CHECKING:
    from tests.standins.splunk_home import SplunkHome


class Scheme(NamedTuple):
    """What `--scheme` printed: the simple elements by name, and the arguments' names."""

    elements: dict[str, str]
    arguments: list[str]


class Stopped(NamedTuple):
    """How a process ended; `killed`: SIGTERM was not enough."""

    exit_code: int
    killed: bool


class ModularInput:
    """The input `[parapet_forwarder://default]` of the installed app; a context manager that kills at its end.

    Args:
        home: with the app installed.
        server_uri: where splunkd is.
        session_key: the system user's, or a function that gives a new one for each start.
        python: the interpreter.
        extra_env: added to the clean environment.

    Attributes:
        process: the one that was started last.
        starts: how many there were.
    """

    def __init__(
        self,
        home: SplunkHome,
        *,
        server_uri: str,
        session_key: str | Callable[[], str],
        python: str = sys.executable,
        extra_env: Optional[dict[str, str]] = None,
    ) -> None:
        """Start nothing yet."""
        self.home, self._server_uri, self._session_key = home, server_uri, session_key
        self._python, self._env = python, home.env(extra_env)
        self._stderr = home.path / "var/run/splunk" / (SCHEME + ".stderr")
        self._stdout = home.path / "var/run/splunk" / (SCHEME + ".stdout")
        self._changed = threading.Condition()
        self._ending = threading.Event()
        self._supervisor: Optional[threading.Thread] = None
        self.process: Optional[subprocess.Popen[bytes]] = None
        self.starts = 0

    def __enter__(self) -> ModularInput:  # noqa: PYI034  # Self came with 3.11
        """Start nothing yet."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Kill what runs."""
        self.kill()

    def scheme(self) -> Scheme:
        """Run `--scheme`.

        Raises:
            InputRefused: it failed, or printed no scheme.
        """
        input_settings(self.home)
        done = self._once("--scheme", b"")
        if done.returncode:
            raise InputRefused(f"--scheme exited with {done.returncode}")
        try:
            root = ET.fromstring(done.stdout)  # noqa: S314  # the app's own output
        except ET.ParseError as exc:
            raise InputRefused("--scheme printed no XML") from exc
        if root.tag != "scheme":
            raise InputRefused(f"--scheme printed <{root.tag}>")
        elements = {child.tag: child.text or "" for child in root if len(child) == 0}
        return Scheme(elements, [arg.get("name", "") for arg in root.iter("arg")])

    def validate(self, params: dict[str, str]) -> str:
        """Run `--validate-arguments` for a stanza with these parameters; the message it refuses with, or empty."""
        inner = f'<item name="default">{_params(params)}</item>'
        done = self._once("--validate-arguments", self._document("items", inner))
        if done.returncode == 0:
            return ""
        try:
            return ET.fromstring(done.stdout).findtext("message") or "no message"  # noqa: S314  # the same
        except ET.ParseError:
            return "no message"

    def start(self, settle: float = 0.2) -> None:
        """Start it as splunkd does: no arguments, the configuration on stdin, then end of file.

        Raises:
            InputRefused: disabled, or it ended within `settle` seconds.
        """
        self._launch()
        try:
            code = self.process.wait(settle)  # type: ignore[union-attr]
        except subprocess.TimeoutExpired:
            return
        raise InputRefused(f"ended at once with {code}: {self.stderr()}")

    def supervise(self, interval: Optional[float] = None) -> None:
        """Start it, and again `interval` seconds (the stanza's, unless told) after each end, until `stop` or `kill`."""
        pause = float(input_settings(self.home)["interval"]) if interval is None else interval
        self._ending.clear()
        self._launch()
        self._supervisor = threading.Thread(target=self._watch, args=(pause,), daemon=True)
        self._supervisor.start()

    def wait_for_start(self, number: int, timeout: float = 10.0) -> None:
        """Wait until it has been started this many times.

        Raises:
            TimeoutError: not within `timeout` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self.starts >= number, timeout):
                raise TimeoutError(f"{self.starts} starts after {timeout} s")

    def wait_for_stderr(self, text: str, timeout: float = 10.0) -> None:
        """Wait until its processes have written this text to stderr.

        Raises:
            TimeoutError: not within `timeout` seconds.
        """
        end = time.monotonic() + timeout
        pause = threading.Event()
        while text not in self.stderr():
            if time.monotonic() > end:
                raise TimeoutError(f"{text!r} not on stderr after {timeout} s")
            pause.wait(0.02)

    def stop(self, grace: float = 10.0) -> Stopped:
        """End it as splunkd does: SIGTERM, and SIGKILL after `grace` seconds; no more restarts."""
        process = self._last()
        process.terminate()
        try:
            return Stopped(process.wait(grace), False)
        except subprocess.TimeoutExpired:
            process.kill()
            return Stopped(process.wait(), True)
        finally:
            self._join()

    def kill(self) -> None:
        """End it with SIGKILL; no more restarts."""
        if self.process is not None:
            process = self._last()
            process.kill()
            process.wait()
            self._join()

    def stderr(self) -> str:
        """What all its processes have written to stderr so far."""
        return self._stderr.read_text(encoding="utf-8", errors="replace")

    def stdout(self) -> str:
        """What they have written to stdout, which splunkd would index."""
        return self._stdout.read_text(encoding="utf-8", errors="replace")

    def _last(self) -> subprocess.Popen[bytes]:
        with self._changed:
            self._ending.set()
            if self.process is None:
                raise RuntimeError("not started")
            return self.process

    def _join(self) -> None:
        if self._supervisor is not None:
            self._supervisor.join()
            self._supervisor = None

    def _watch(self, pause: float) -> None:
        while True:
            self.process.wait()  # type: ignore[union-attr]
            if self._ending.wait(pause):
                return
            with self._changed:
                if self._ending.is_set():
                    return
                self._launch()

    def _launch(self) -> None:
        settings = input_settings(self.home)
        if is_true(settings.get("disabled", "0")):
            raise InputRefused(f"[{SCHEME}://default] is disabled")
        stanza = "<configuration><stanza name={} app={}>{}</stanza></configuration>"
        inner = stanza.format(quoteattr(SCHEME + "://default"), quoteattr(APP), _params(settings))
        with self._changed, self._stdout.open("ab") as out, self._stderr.open("ab") as err:
            process = subprocess.Popen(
                self._command(), stdin=subprocess.PIPE, stdout=out, stderr=err, env=self._env, cwd="/"
            )
            self.process = process
            self.starts += 1
            self._changed.notify_all()
        # A process that ended without reading is no error here: its exit code tells.
        with contextlib.suppress(BrokenPipeError), process.stdin as pipe:  # type: ignore[union-attr]
            pipe.write(self._document("input", inner))

    def _once(self, argument: str, stdin: bytes) -> subprocess.CompletedProcess[bytes]:
        with self._stderr.open("ab") as err:
            return subprocess.run(
                self._command(argument),
                input=stdin,
                stdout=subprocess.PIPE,
                stderr=err,
                env=self._env,
                cwd="/",
                timeout=60,
                check=False,
            )

    def _command(self, *arguments: str) -> Sequence[str]:
        return [self._python, str(script(self.home)), *list(arguments)]

    def _document(self, tag: str, inner: str) -> bytes:
        key = self._session_key if isinstance(self._session_key, str) else self._session_key()
        checkpoints = self.home.path / "var/lib/splunk/modinputs" / SCHEME
        checkpoints.mkdir(parents=True, exist_ok=True)
        head = "".join(
            f"<{name}>{escape(value)}</{name}>"
            for name, value in (
                ("server_host", "stand-in"),
                ("server_uri", self._server_uri),
                ("session_key", key),
                ("checkpoint_dir", str(checkpoints)),
            )
        )
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{tag}>{head}{inner}</{tag}>'
        return text.encode("utf-8")


def _params(settings: dict[str, str]) -> str:
    return "".join(f"<param name={quoteattr(k)}>{escape(v)}</param>" for k, v in settings.items())
