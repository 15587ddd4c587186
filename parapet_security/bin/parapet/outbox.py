"""The outbox on disk, as the action sees it: where everything is, and how an alert gets in. Must not list a folder, parse a row or deliver.

Invariants, in the order of their weight:
 1. An alert is in `new/` only when all of it is on disk: a temporary file, fsync, a link that does not replace, fsync of the folder.
 2. An entry leaves `new/` and `pending/` only by being delivered or by a rename into `dead/`.
 3. Only the holder of `lock` changes anything but by invariant 1. The lock file is never removed or replaced.
 4. A name from outside is checked before it becomes a path.
 5. The cost of a put does not depend on how many entries wait.

The tree, folders 0700 and files 0600:
    lock                       the exclusive lock
    new/<ms>-<id>.alert        one alert: a header line (`entry`), then, when all rows are wanted, the bytes of the results file
    pending/<ms>-<id>.alert    the same, once a deliverer has it and it could not go at once
    pending/<ms>-<id>.state    what is fixed and what is done (`entry`), for an alert in new/ or pending/
    dead/<ms>-<id>.alert/.state  the same files, not tried again by themselves
    holds/<tenant>.json        this tenant is not to be called before …, and why
    requests/<id>.retry|drop   what an administrator asked for
    usage                      {"v": 1, "bytes": held now, "max": the most, "role": who holds the lock}, kept by the holder
<ms> is the trigger time in 13 digits, <id> the firing's id in 20: both come from the alert, so the same firing has the same name.
A name that starts with a dot is a file in the making; the holder removes it when it is an hour old.
"""

from __future__ import annotations

import json
import os

from . import disk
from .alert import firing_id, trigger_ms
from .entry import Header, header_line
from .errors import OutboxUnavailable
from .lock import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from .alert import Alert

FOLDERS = ("new", "pending", "dead", "holds", "requests")
DEFAULT_MAX_BYTES = 1073741824
FREE_BYTES_LEAST = 64 * 1024 * 1024
_CHUNK_BYTES = 256 * 1024


def _nobody(_name: str) -> None:
    """Who need not be told of an entry."""


class Outbox:
    """The folder, and the action's side of it."""

    def __init__(self, root: str) -> None:
        """Name the folder; nothing is created before something is put."""
        self.root = root
        self.lock = Lock(os.path.join(root, "lock"))

    def path(self, folder: str, name: str) -> str:
        """The path of a file in one of FOLDERS."""
        return os.path.join(self.root, folder, name)

    def put(
        self, alert: Alert, *, results_path: str, captured_ms: int, announce: Callable[[str], None] = _nobody
    ) -> str:
        """Store an alert durably.

        Args:
            alert: the alert.
            results_path: the results file to take along, or "" for none; one that cannot be opened is left out.
            captured_ms: the wall clock.
            announce: called with the entry's name before anybody else can see it, unless it is there already.

        Returns:
            The entry's name. Where it is there already, in whatever state, that is the same firing, and nothing is written.

        Raises:
            OutboxUnavailable: nothing was stored, and why.
        """
        return self._store(alert, results_path, captured_ms, announce=announce)

    def put_dead(self, alert: Alert, *, captured_ms: int, fault: str, announce: Callable[[str], None] = _nobody) -> str:
        """Store an alert that can never be delivered as it is, as a dead letter; the same otherwise as `put`."""
        return self._store(alert, "", captured_ms, fault=fault, announce=announce)

    def _store(
        self,
        alert: Alert,
        results_path: str,
        captured_ms: int,
        *,
        fault: str = "",
        announce: Callable[[str], None],
    ) -> str:
        folder = "dead" if fault else "new"
        try:
            source = _open(results_path)
            try:
                if not (self.lock.exists() and os.path.isdir(self.path(folder, ""))):
                    # Somebody may be making them at this moment, or a power cut has left some. The lock file comes after all of them.
                    disk.make_folders(self.root, FOLDERS)
                line = header_line(Header(alert, source is not None, captured_ms, fault))
                self._check_space(len(line) + (os.fstat(source).st_size if source is not None else 0))
                return self._write(alert, line, source, folder, announce)
            finally:
                if source is not None:
                    _close(source)
        except OSError as error:
            raise OutboxUnavailable(f"the outbox {self.root} cannot be written: {error.strerror or error}") from error

    def _write(
        self, alert: Alert, line: bytes, source: int | None, folder: str, announce: Callable[[str], None]
    ) -> str:
        temporary = disk.temporary(self.path(folder, ""))
        descriptor = disk.create(temporary)
        try:
            try:
                disk.write_all(descriptor, line)
                content = "" if source is None else _copy(source, descriptor)
                name = f"{trigger_ms(alert):013d}-{firing_id(alert, content)}"
                # An entry moves from new/ to pending/ to dead/, so looking in this order cannot miss it.
                known = any(os.path.lexists(self.path(place, name + ".alert")) for place in ("new", "pending", "dead"))
                if not known:
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if not known:
                announce(name)  # a deliverer may be done with it at once
            target = self.path(folder, name + ".alert")
            published = not known and disk.publish(temporary, target)
        except OSError:
            disk.litter(temporary)
            raise
        if known:
            disk.litter(temporary)
        try:
            disk.sync_folder(self.path(folder, ""))
        except OSError:
            if published:
                disk.litter(target)  # what is refused must not be here: it is delivered from memory
            raise
        return name

    def usage(self) -> tuple[int, int, str]:
        """What the last holder told: the bytes held, the most that may be, and its role ("" where it told none)."""
        try:
            told = json.loads(disk.read(os.path.join(self.root, "usage"), 4096).decode("ascii"))
            return int(told["bytes"]), int(told["max"]), str(told.get("role", ""))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            return 0, DEFAULT_MAX_BYTES, ""  # it is told anew within a minute

    def ask(self, firing: str, request: str) -> None:
        """Ask the holder for something (invariant 3): `retry` or `drop` an entry. `firing` is an id as `holder` lists them. Raises OSError."""
        disk.replace(self.path("requests", f"{firing}.{request}"), b"", durable=False)

    def _check_space(self, size: int) -> None:
        held, most, _ = self.usage()
        if held + size > most:
            raise OutboxUnavailable(f"the outbox {self.root} is full: {held} of {most} bytes; see outbox_max_bytes")
        free = disk.free_bytes(self.root)
        if free - size < FREE_BYTES_LEAST:
            raise OutboxUnavailable(
                f"the file system of {self.root} is nearly full: {free} bytes are free, {FREE_BYTES_LEAST} must stay so"
            )


def _open(path: str) -> int | None:
    if not path:
        return None
    try:
        return disk.open_file(path)
    except (OSError, ValueError):  # ValueError: what no file can be called
        return None


def _close(source: int) -> None:
    try:
        os.close(source)
    except OSError:
        pass  # it was only read: what is stored is stored


def digest(path: str) -> str:
    """The digest of a results file that `put` would take along, as the firing's id holds it; "" where it would be left out."""
    source = _open(path)
    if source is None:
        return ""
    try:
        return _copy(source, None)
    finally:
        _close(source)


def _copy(source: int, target: int | None) -> str:
    from hashlib import sha256

    found = sha256()
    while True:
        try:
            chunk = os.read(source, _CHUNK_BYTES)
        except OSError:
            chunk = b""  # what could be read counts; the deliverer finds the break and says so
        if not chunk:
            return found.hexdigest()
        found.update(chunk)
        if target is not None:
            disk.write_all(target, chunk)
