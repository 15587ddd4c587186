"""One run of a generating search command as a real process: the chunked protocol, version 2, from splunkd's side.

Must not be lenient: one byte on stdout that is not the protocol's ends the search, as in splunkd.

Sources: commands.conf.spec 9.0.3; recorded chunks of 8.2.1; for what becomes of messages and exit codes, notes by somebody who
measured it on Splunk Enterprise 9.4.6 and published the search.log of each case.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Union

if TYPE_CHECKING:
    from tests.standins.splunk_home import SplunkHome

Row = Dict[str, Union[str, List[str]]]

# Seconds after which a process is stuck. splunkd itself waits for ever (commands.conf.spec 9.0.3, maxwait).
TIME_LIMIT = 30.0
_HEADER = re.compile(rb"chunked 1\.0,(\d+),(\d+)\n")
_TYPES = ("streaming", "stateful", "events", "reporting")
_LEVELS = ("DEBUG", "INFO", "WARN", "ERROR", "FATAL")
_ENCODED = re.compile(r"\$((?:\$\$|[^$])*)\$(?:;|$)")
_ENCODING = re.compile(r"\$(?:\$\$|[^$])*\$(?:;\$(?:\$\$|[^$])*\$)*")


class CommandFailed(Exception):
    """The command ended the search; its text is what splunkd tells the user."""


class Said(NamedTuple):
    """What a command answered: its rows, the fields in their order, and its messages as (level, text)."""

    rows: list[Row]
    fields: list[str]
    messages: list[tuple[str, str]]


class _Chunk(NamedTuple):
    metadata: dict[str, Any]
    body: str


class ChunkedCommand:
    """One process of one command. `log` is what search.log would hold of it: its stderr, and splunkd's complaints."""

    def __init__(self, home: SplunkHome, argv: Sequence[str], name: str) -> None:
        """Start nothing yet."""
        self._home, self._argv, self._name = home, list(argv), name
        self._stopped = threading.Event()
        self.log = ""

    def stop(self) -> None:
        """End the process from another thread, now or as soon as it has started."""
        self._stopped.set()

    def run(self, searchinfo: dict[str, Any]) -> Said:
        """From getinfo to the end of the process.

        Raises:
            CommandFailed: it broke the protocol, said that it failed, or ended without having finished.
        """
        with tempfile.TemporaryFile() as stderr:
            process = subprocess.Popen(
                self._argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=self._home.env(),
                cwd=searchinfo["dispatch_dir"],
            )
            watch = threading.Thread(target=self._watch, args=(process,), daemon=True)
            watch.start()
            try:
                return self._talk(process, searchinfo)
            finally:
                self._let_go(process)
                self._stopped.set()
                watch.join()
                stderr.seek(0)
                self.log = stderr.read().decode("utf-8", "replace") + self.log

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        self._stopped.wait(TIME_LIMIT)
        # Two threads can come to the end of one process, and before 3.9 the later kill() fails.
        with contextlib.suppress(ProcessLookupError):
            process.kill()

    def _talk(self, process: subprocess.Popen[bytes], searchinfo: dict[str, Any]) -> Said:
        self._send(process, {"action": "getinfo", "preview": False, "searchinfo": searchinfo})
        self._check_setup(self._receive(process, "setup"))
        said = Said([], [], [])
        finished = False
        while not finished:
            self._send(process, {"action": "execute", "finished": True})
            chunk = self._receive(process, "search")
            said.messages.extend(self._messages(chunk.metadata))
            for row in self._rows(chunk.body, said.fields):
                said.rows.append(row)
            finished = self._is_finished(chunk.metadata)
        self._end(process)
        return said

    def _check_setup(self, chunk: _Chunk) -> None:
        # Measured on 9.4: splunkd keeps no message of this phase ("Error adding inspector message" in search.log).
        for level, text in self._messages(chunk.metadata):
            self._note(f"WARN  ChunkedExternProcessor - Error adding inspector message: {level} {text}")
        if chunk.metadata.get("type") not in _TYPES:
            raise self._invalid("setup", f"Invalid custom search command type: {chunk.metadata.get('type')}.")
        if chunk.body:
            raise self._invalid("setup", "a body in the answer to getinfo")
        if chunk.metadata.get("generating") is not True:
            raise self._failed("This command cannot be the first command of a search.")

    def _is_finished(self, metadata: dict[str, Any]) -> bool:
        if not isinstance(metadata.get("finished"), bool):
            raise self._invalid("search", "no boolean 'finished' in the answer to execute")
        return metadata["finished"] is True

    def _messages(self, metadata: dict[str, Any]) -> list[tuple[str, str]]:
        if "error" in metadata:
            raise self._failed(str(metadata["error"]))
        found = (metadata.get("inspector") or {}).get("messages", [])
        if not all(len(one) == 2 and one[0] in _LEVELS and isinstance(one[1], str) for one in found):
            raise self._invalid("search", "messages that are no [level, text]")
        return [(level, text) for level, text in found]

    def _rows(self, body: str, fields: list[str]) -> Iterator[Row]:
        # newline="": a quoted value may hold any line end, and keeps it.
        lines = csv.reader(io.StringIO(body, newline=""), strict=True)
        try:
            names = next(lines, [])
            self._check_names(names)
            fields.extend(name for name in names if not name.startswith("__mv_") and name not in fields)
            for values in lines:
                if len(values) != len(names):
                    raise self._invalid("search", "a row that is not as long as its header")
                row = dict(zip(names, values))
                if not all(_ENCODING.fullmatch(row[name]) for name in names if name.startswith("__mv_") and row[name]):
                    raise self._invalid("search", "a multivalue field that is not $value$;$value$")
                yield _row(row)
        except csv.Error as exc:
            raise self._invalid("search", f"no CSV: {exc}") from exc

    def _check_names(self, names: list[str]) -> None:
        strays = [name for name in names if name.startswith("__mv_") and name[len("__mv_") :] not in names]
        if len(set(names)) != len(names) or "" in names or strays:
            raise self._invalid("search", "a header with a name that is empty, twice there, or only multivalue")

    def _send(self, process: subprocess.Popen[bytes], metadata: dict[str, Any]) -> None:
        document = json.dumps(metadata).encode("utf-8")
        stdin: IO[bytes] = process.stdin  # type: ignore[assignment]
        try:
            stdin.write(b"chunked 1.0,%d,0\n" % len(document) + document)
            stdin.flush()
        except OSError:
            self._note("ERROR ChunkedExternProcessor - the process reads no more")

    def _receive(self, process: subprocess.Popen[bytes], phase: str) -> _Chunk:
        stdout: IO[bytes] = process.stdout  # type: ignore[assignment]
        line = stdout.readline()
        if not line:
            self._note("ERROR ChunkedExternProcessor - EOF while attempting to read transport header read_size=0")
            raise self._exited(process)
        header = _HEADER.fullmatch(line)
        if header is None:
            raise self._invalid(phase, f"Failed to parse transport header: {line!r}")
        parts = [stdout.read(int(size)) for size in header.groups()]
        if [len(part) for part in parts] != [int(size) for size in header.groups()]:
            raise self._invalid(phase, "a chunk that is shorter than its header says")
        try:
            metadata = json.loads(parts[0].decode("utf-8"))
            return _Chunk({**metadata}, parts[1].decode("utf-8"))
        except (ValueError, TypeError) as exc:
            raise self._invalid(phase, f"no JSON object in UTF-8: {exc}") from exc

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """Wait for its end; what it exits with after `finished` is nobody's concern (measured on 9.4)."""
        rest = self._let_go(process)
        if rest:
            raise self._invalid("search", f"more on stdout after the last chunk: {rest[:200]!r}")

    def _let_go(self, process: subprocess.Popen[bytes]) -> bytes:
        """Close its stdin, which tells it to end, and wait; what it still says on stdout."""
        # It may be gone already, with something for it in the buffer.
        with contextlib.suppress(OSError):
            process.stdin.close()  # type: ignore[union-attr]
        stdout: IO[bytes] = process.stdout  # type: ignore[assignment]
        rest = b"" if stdout.closed else stdout.read()
        stdout.close()
        process.wait()
        return rest

    def _exited(self, process: subprocess.Popen[bytes]) -> CommandFailed:
        code = process.wait()
        if code == 0:
            return self._failed("External search command exited unexpectedly.")
        return self._failed(f"External search command exited unexpectedly with non-zero error code {abs(code)}.")

    def _invalid(self, phase: str, what: str) -> CommandFailed:
        self._note("ERROR ChunkedExternProcessor - " + what)
        return self._failed(f"Invalid message received from external search command during {phase}, see search.log.")

    def _failed(self, text: str) -> CommandFailed:
        return CommandFailed(f"Error in '{self._name}' command: {text}")

    def _note(self, line: str) -> None:
        self.log += line + "\n"


def program(home: SplunkHome, app: str, name: str, settings: dict[str, str], python: str) -> Optional[list[str]]:
    """The argv of a command of commands.conf; None where its script is not in the app's bin/.

    Raises:
        ValueError: a stanza that is not for this protocol, or asks for a Python that Splunk does not have.
    """
    if settings.get("chunked", "").lower() not in ("true", "1"):
        raise ValueError(f"commands.conf [{name}]: the stand-in speaks the chunked protocol only")
    if settings.get("python.version", "default") not in ("default", "python", "python3", "python3.7", "python3.9"):
        raise ValueError(f"commands.conf [{name}]: no such python.version")
    filename = settings.get("filename", name + ".py")
    folder = home.apps / app / "bin"
    if Path(filename).name != filename or not (folder / filename).is_file():
        return None
    return [python, str(folder / filename)]


def _row(values: dict[str, str]) -> Row:
    row: Row = {}
    for name, value in values.items():
        if name.startswith("__mv_"):
            continue
        encoded = values.get("__mv_" + name, "")
        if encoded:
            row[name] = [item.replace("$$", "$") for item in _ENCODED.findall(encoded)]
        elif value:
            row[name] = value
    return row
