r"""A file that remembers which alerts were sent by `backfill`. Must not know what an alert is, nor talk to anybody.

Append only, one JSON string (the alert's id) a line, one file for each connector in each space of each Kibana:
`<state dir>/ledger/<hash of the three>.jsonl`, whose first line is {"format": 1, "url", "space", "connector_id"}.
An id is in the file only after the connector has sent it. It is on disk (fsync) after every `_STEP` ids and at the end: what a crash
takes away is sent a second time with the same id, which a receiver knows; nothing is left out. A last line that is torn is no id.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import IO, TYPE_CHECKING

from parapet_elastic.errors import Failure
from parapet_elastic.state import private_folder

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from parapet_elastic.state import Place

FORMAT = 1
_STEP = 20


class Ledger:
    """The ids that were sent to one place; a context manager that keeps the file open."""

    def __init__(self, state: Path, place: Place) -> None:
        """Name the file; nothing is made before something is noted."""
        words = json.dumps([place.url, place.space, place.connector_id])
        self.path = state / "ledger" / (hashlib.sha256(words.encode()).hexdigest()[:16] + ".jsonl")
        self._place = place
        self._file: IO[bytes] | None = None
        self._unsynced = 0

    def read(self) -> set[str]:
        """Return the ids that were sent.

        Raises:
            Failure: The file cannot be read, or is of a newer version.
        """
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return set()
        except OSError as exc:
            raise Failure(f"{self.path} cannot be read: {exc.strerror}") from None
        head = _json(lines[0])
        if isinstance(head, dict) and head.get("format") not in (FORMAT, None):
            raise Failure(f"{self.path} is of a newer parapet-elastic", todo="Update parapet-elastic.")
        # What stands behind the last line end is torn, or nothing.
        return {line for line in map(_json, lines[1:-1]) if isinstance(line, str)}

    def __enter__(self) -> Self:
        """Open the file, and end a torn last line.

        Raises:
            Failure: It cannot be written.
        """
        try:
            private_folder(self.path.parent)
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)
            self._file = os.fdopen(handle, "r+b", buffering=0)
            size = self._file.seek(0, os.SEEK_END)
            if size == 0:
                self._write({"format": FORMAT, **vars(self._place)})
            else:
                self._file.seek(size - 1)
                if self._file.read(1) != b"\n":
                    self._file.write(b"\n")
        except OSError as exc:
            raise _unwritable(self.path, exc) from None
        return self

    def note(self, alert_id: str) -> None:
        """Note that the alert was sent.

        Raises:
            Failure: It cannot be written: without it, a second run would not know.
        """
        try:
            self._write(alert_id)
            self._unsynced += 1
            if self._unsynced >= _STEP:
                self._sync()
        except OSError as exc:
            raise _unwritable(self.path, exc) from None

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """See that all is on disk, and close the file."""
        if self._file is not None:
            try:
                self._sync()
            finally:
                self._file.close()
                self._file = None

    def _write(self, value: object) -> None:
        if self._file is None:
            raise ValueError("the ledger is not open")
        # One write for one line: a second process that appends cannot come between.
        self._file.write(json.dumps(value).encode() + b"\n")

    def _sync(self) -> None:
        if self._file is not None:
            os.fsync(self._file.fileno())
        self._unsynced = 0


def _json(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _unwritable(path: Path, exc: OSError) -> Failure:
    return Failure(f"{path} cannot be written: {exc.strerror}", todo="Name another folder with --state-dir.")
