"""How Splunk starts an alert action: the payload, the process, and what splunkd.log says of it.

Must not start what Splunk would refuse, nor hand over anything that Splunk does not.
"""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any, NamedTuple, Optional
from xml.sax.saxutils import escape, quoteattr

from tests.standins.splunk_conf import is_true
from tests.standins.splunk_home import APP, SplunkHome
from tests.standins.splunk_input import ModularInput
from tests.standins.splunk_search import Search, payload_row, substitute, tokens, write_info, write_results

if TYPE_CHECKING:
    from pathlib import Path

    from tests.standins.splunk_conf import Settings
    from tests.standins.splunk_search import Row

__all__ = ["Fired", "LogLine", "ModularInput", "Refusal", "Search", "Splunk", "SplunkHome"]

_ARCH = {"Linux": "linux_x86_64", "Darwin": "darwin_x86_64", "Windows": "windows_x86_64"}
_LEVEL = re.compile(r"(DEBUG|INFO|WARN|ERROR|FATAL) ")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_MAX_PER_RESULT = 500


class Refusal(Exception):
    """Splunk does not start the action; the text is what splunkd.log says."""


class LogLine(NamedTuple):
    """One line of component sendmodalert in splunkd.log."""

    level: str
    text: str


class Fired(NamedTuple):
    """One finished run of the action. `payload` is what it was given, without the session key."""

    exit_code: int
    stdout: str
    stderr: str
    log: list[LogLine]
    payload: dict[str, Any]
    timed_out: bool


class Splunk:
    """The scheduler of one Splunk home, and its `| sendalert`.

    Args:
        home: with the app installed.
        server_uri: where splunkd is.
        python: the interpreter that Splunk runs scripts with.
        guid: what `$server.guid$` becomes.
        extra_env: added to the clean environment of what is started.
    """

    def __init__(
        self,
        home: SplunkHome,
        *,
        server_uri: str,
        python: str = sys.executable,
        guid: str = "00000000-0000-4000-8000-000000000000",
        extra_env: Optional[dict[str, str]] = None,
    ) -> None:
        """Start nothing yet."""
        self.home, self.server_uri, self.guid = home, server_uri, guid
        self._python, self._extra_env = python, extra_env

    def fire(self, search: Search, session_key: str) -> Fired:
        """Run the action once for all rows, to its end or to `maxtime`.

        Raises:
            Refusal: Splunk would not start it.
        """
        if not search.digest:
            raise ValueError("a per-result search runs with fire_each()")
        return self._run(search, session_key, None)

    def fire_each(self, search: Search, session_key: str) -> list[Fired]:
        """Run the action once for each row, one after another, for 500 rows at most.

        Raises:
            Refusal: Splunk would not start it.
        """
        if search.digest:
            raise ValueError("a digest search runs with fire()")
        return [self._run(search, session_key, row) for row in range(min(len(search.rows), _MAX_PER_RESULT))]

    def start(self, search: Search, session_key: str, row: Optional[int] = None) -> subprocess.Popen[bytes]:
        """Start the action, its stdin on the way to it, and leave the process to the caller (no `maxtime`).

        Raises:
            Refusal: Splunk would not start it.
        """
        process, document = self._start(search, session_key, row)
        feeder = threading.Thread(target=_feed, args=(process.stdin, document), daemon=True)
        # From here on the pipe is the thread's; communicate() must not touch it.
        process.stdin = None
        feeder.start()
        return process

    def payload(self, search: Search, session_key: str, row: Optional[int] = None) -> dict[str, Any]:
        """What the action gets on stdin, with the keys of contract section 1.2; nothing is written or started."""
        _, stanza = self._stanza(search)
        first = search.rows[row or 0] if search.rows else None
        document: dict[str, Any] = {
            "app": search.app,
            "owner": search.owner,
            "results_file": str(search.results_file(self.home, row)),
            "results_link": search.results_link(row),
            "search_uri": search.search_uri,
            "server_host": "stand-in",
            "server_uri": self.server_uri,
            "session_key": session_key,
            "sid": search.sid,
            "search_name": search.name,
            "configuration": self._configuration(search, stanza, first, row),
        }
        if row is not None:
            document["result_id"] = str(row)
        if first is not None:
            document["result"] = payload_row(first)
        elif not search.no_result_key:
            document["result"] = None
        return document

    def write_files(self, search: Search, row: Optional[int] = None) -> None:
        """Write the results file of a run, cut at `maxresults`, as `fire` and `start` do."""
        _, stanza = self._stanza(search)
        if not search.no_file:
            rows = search.rows[: int(stanza["maxresults"])] if row is None else [search.rows[row]]
            write_results(search.results_file(self.home, row), rows)
        if search.info_csv:
            write_info(search, self.home.dispatch / search.sid)

    def _run(self, search: Search, session_key: str, row: Optional[int]) -> Fired:
        _, stanza = self._stanza(search)
        process, document = self._start(search, session_key, row)
        timed_out = False
        try:
            stdout, stderr = process.communicate(document, timeout=seconds(stanza["maxtime"]))
        except subprocess.TimeoutExpired:
            timed_out = True
            process.kill()
            stdout, stderr = process.communicate()
        payload = self.payload(search, "", row)
        del payload["session_key"]
        error = stderr.decode("utf-8", "replace")
        log = _log(search, error, process.returncode)
        return Fired(process.returncode, stdout.decode("utf-8", "replace"), error, log, payload, timed_out)

    def _start(self, search: Search, session_key: str, row: Optional[int]) -> Any:
        owner, stanza = self._stanza(search)
        script = self._script(owner, stanza)
        document = self.payload(search, session_key, row)
        self.write_files(search, row)
        is_json = stanza.get("payload_format", "xml") == "json"
        text = json.dumps(document) if is_json else _xml(document)
        process = subprocess.Popen(
            [self._python, str(script), "--execute"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.home.env(self._extra_env),
            cwd="/",
        )
        return process, text.encode("utf-8")

    def _stanza(self, search: Search) -> Any:
        found = self.home.conf.stanzas("alert_actions", search.app, search.owner).get(APP)
        if found is None:
            raise Refusal(f'Unable to find alert action "{APP}" in app="{search.app}"')
        if is_true(found.settings.get("disabled", "0")):
            raise Refusal(f'Alert action "{APP}" is disabled')
        if not is_true(found.settings.get("is_custom", "0")):
            raise Refusal(f'Alert action "{APP}" is not a custom alert action')
        return found.app, found.settings

    def _script(self, owner: str, stanza: Settings) -> Path:
        name = stanza.get("alert.execute.cmd") or APP + ".py"
        folder = self.home.apps / owner
        for place in (_ARCH.get(platform.system(), "linux_x86_64") + "/bin", "bin"):
            if (folder / place / name).is_file():
                return folder / place / name
        raise Refusal(f'Unable to find alert action script for action="{APP}" in app="{owner}"')

    def _configuration(self, search: Search, stanza: Settings, first: Optional[Row], row: Optional[int]) -> Settings:
        prefix = "param."
        params = {key[len(prefix) :]: value for key, value in stanza.items() if key.startswith(prefix)}
        params.update(search.params)
        known = tokens(search, first, row, self.home, self.guid)
        # What nobody filled in is not sent at all (contract section 1.2); a token that came out empty is.
        return {name: substitute(value, known, search.unknown_tokens) for name, value in params.items() if value != ""}


def seconds(text: str) -> int:
    """`maxtime`: an integer with `s`, `m`, `h` or `d`, in seconds.

    Raises:
        ValueError: anything else.
    """
    match = re.match(r"(\d+)([smhd]?)$", text)
    if match is None:
        raise ValueError(f"maxtime = {text}")
    return int(match.group(1)) * _SECONDS[match.group(2)]


def _feed(pipe: Any, document: bytes) -> None:
    try:
        with pipe:
            pipe.write(document)
    except OSError:
        # The process was killed before it had read everything.
        pass


def _log(search: Search, stderr: str, exit_code: int) -> list[LogLine]:
    kind = "adhoc" if search.ad_hoc else "saved"
    begin = 'Invoking modular alert action={} for search="{}" sid="{}" in app="{}" owner="{}" type="{}"'
    lines = [LogLine("INFO", begin.format(APP, search.name, search.sid, search.app, search.owner, kind))]
    for line in stderr.splitlines():
        match = _LEVEL.match(line)
        level = match.group(1) if match else "ERROR"
        # log.cfg has category.sendmodalert=INFO.
        if level != "DEBUG":
            lines.append(LogLine(level, f"action={APP} STDERR - {line}"))
    lines.append(LogLine("INFO", f"Alert action script completed with exit code={exit_code}"))
    if exit_code:
        lines.append(LogLine("WARN", f"Alert action script returned error code={exit_code}"))
    return lines


def _xml(document: dict[str, Any]) -> str:
    """The same payload in Splunk's default format, which a JSON reader must refuse."""
    parts = ['<?xml version="1.0" encoding="UTF-8"?>\n<alert>']
    for key, value in document.items():
        if isinstance(value, str):
            parts.append(f"<{key}>{escape(value)}</{key}>")
    parts.append(f"<configuration><stanza name={quoteattr(APP)}>")
    for name, value in document["configuration"].items():
        parts.append(f"<param name={quoteattr(name)}>{escape(value)}</param>")
    parts.append("</stanza></configuration></alert>")
    return "".join(parts)
