"""The folder for files of ours, what these are about, and who may work with them now. Must not read or write what is in them.

`snapshots/` in it is the business of `editing.snapshots`, `ledger/` that of `backfilling.ledger`. The files in `locks/` are empty and
stay: one that is removed could be locked twice.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from parapet_elastic.errors import Exit, Failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from parapet_elastic.access import Access

if sys.platform == "win32":
    import msvcrt

    def _take(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


_HELD = (errno.EACCES, errno.EDEADLK, errno.EAGAIN)


@dataclass(frozen=True)
class Place:
    """Where the rules are: one connector in one space of one Kibana."""

    url: str
    space: str
    connector_id: str

    @classmethod
    def of(cls, access: Access, connector_id: str) -> Place:
        """Return the place that these credentials and this connector lead to."""
        return cls(access.url, access.space, connector_id)


def state_dir(given: str | None, environment: Mapping[str, str]) -> Path:
    """Return the folder for files of ours: the one that is given, PARAPET_ELASTIC_STATE, or ~/.parapet-elastic."""
    chosen = given or environment.get("PARAPET_ELASTIC_STATE")
    return Path(chosen) if chosen else Path.home() / ".parapet-elastic"


def private_folder(folder: Path) -> None:
    """Make the folder, and those above it, for nobody else to look into."""
    if not folder.is_dir():
        private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def lock(state: Path, place: Place) -> Iterator[None]:
    """Keep every other run on this computer from changing, or sending, in the same place; a crash frees it.

    Raises:
        Failure: Another run is at work there, or the lock cannot be had.
    """
    folder = state / "locks"
    words = json.dumps([place.url, place.space, place.connector_id])
    path = folder / (hashlib.sha256(words.encode()).hexdigest()[:16] + ".lock")
    try:
        private_folder(folder)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as exc:
        raise _unlocked(folder, exc) from None
    try:
        try:
            _take(handle)
        except OSError as exc:
            if exc.errno not in _HELD:
                raise _unlocked(folder, exc) from None
            raise Failure(
                f"another parapet-elastic is at work with the connector {place.connector_id} in the space {place.space} of {place.url}",
                exit=Exit.INCOMPLETE,
                todo="Wait until it has ended, then run this again.",
            ) from None
        yield
    finally:
        os.close(handle)


def _unlocked(folder: Path, exc: OSError) -> Failure:
    return Failure(
        f"no lock can be had in {folder}: {exc.strerror}; nothing is changed without one",
        todo="Name another folder with --state-dir.",
    )
