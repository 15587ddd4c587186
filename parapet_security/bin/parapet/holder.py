"""The outbox on disk, as the holder of its lock sees it: read, note, move, remove. Must not decide anything, nor talk to anybody.

Order of the two files of an entry: the `.state` is made before the first attempt, and an alert is moved or removed before its state.
A crash in between leaves a state without its alert; `sweep` puts it where its alert is, or removes it.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, NamedTuple

from . import disk, entry
from .errors import EntryGone
from .outbox import FOLDERS
from .rows import Rows

if TYPE_CHECKING:
    from typing import BinaryIO

    from .entry import Header, State
    from .outbox import Outbox

NAME = re.compile(r"([0-9]{13})-([0-9a-f]{20})\Z")
_REQUEST = re.compile(r"([0-9a-f]{20})\.(retry|drop)\Z")
_STATE_MAX_BYTES = 64 * 1024 * 1024
_STATE_REWRITE_BYTES = 256 * 1024
_TEMPORARY_AGE_S = 3600
_HOLD_MAX_BYTES = 65536


class Entry(NamedTuple):
    """One alert of the outbox, read but for its rows.

    Attributes:
        name: `<ms>-<id>`.
        header: what its header line says.
        state: how far it is; None where it was never tried.
    """

    name: str
    header: Header
    state: State | None

    @property
    def id(self) -> str:
        """The firing's id."""
        return self.name[14:]

    @property
    def fired_ms(self) -> int:
        """The trigger time; the time of capture where Splunk gave none."""
        return int(self.name[:13]) or self.header.captured_ms


class Holder:
    """The holder's side of an outbox. What changes something may be called by one process only, the one that holds the lock."""

    def __init__(self, outbox: Outbox) -> None:
        """Take over an outbox whose lock is held."""
        self._path = outbox.path
        self._root = outbox.root

    def names(self, folder: str) -> list[str]:
        """Every alert of a folder, in no order."""
        found = (item[: -len(".alert")] for item in self._files(folder, ".alert"))
        return [name for name in found if NAME.match(name)]

    def has_any(self, folder: str) -> bool:
        """Whether a folder holds an alert; it costs the same however many there are."""
        with os.scandir(self._path(folder, "")) as items:
            return any(item.name.endswith(".alert") and NAME.match(item.name[: -len(".alert")]) for item in items)

    def sizes(self, folder: str) -> dict[str, int]:
        """The bytes that each alert of a folder takes there, with its state."""
        found: dict[str, int] = {}
        with os.scandir(self._path(folder, "")) as items:
            for item in items:
                name, ending = os.path.splitext(item.name)
                if ending in (".alert", ".state") and NAME.match(name):
                    found[name] = found.get(name, 0) + _size(item)
        return found

    def read(self, name: str, folder: str = "") -> Entry:
        """Read an entry of new/ or pending/ (or of `folder`).

        Raises:
            EntryGone, EntryBroken, EntryTooNew: see `errors`.
        """
        with self._open(name, folder) as stream:
            header = entry.parse_header(stream.readline(entry.HEADER_MAX_BYTES))
        try:
            state = entry.parse_state(
                disk.read(self._path("dead" if folder == "dead" else "pending", name + ".state"), _STATE_MAX_BYTES)
            )
        except FileNotFoundError:
            state = None
        return Entry(name, header, state)

    def rows(self, found: Entry) -> Rows:
        """The rows of the results file that came with an alert, or of the one that Splunk left; the caller closes them.

        Raises:
            EntryGone: the entry is not there any more.
            OSError: Splunk has removed its file.
            RowsUnreadable: it is no results file.
        """
        if not found.header.rows:
            return Rows(os.fdopen(disk.open_file(found.header.alert.results_file), "rb"))
        stream = self._open(found.name, "")
        stream.readline(entry.HEADER_MAX_BYTES)
        return Rows(stream)

    def save(self, name: str, state: State, *, first: bool = False, durable: bool = False) -> None:
        """Note how far an entry is.

        Args:
            name: the entry.
            state: all of its state.
            first: whether this fixes the head; such a state is durable.
            durable: whether this step must outlast a power cut (a lost one is repeated, under the same ids).
        """
        path = self._path("pending", name + ".state")
        fixed, progress = entry.state_lines(state)
        if first or not os.path.exists(path) or os.path.getsize(path) > _STATE_REWRITE_BYTES:
            disk.replace(path, fixed + progress, durable=True)
        else:
            disk.append(path, progress, durable=durable)

    def park(self, names: list[str]) -> None:
        """Move entries from new/ to pending/, so that new/ stays short."""
        moved = [name for name in names if self._move(name + ".alert", "new", "pending")]
        if moved:
            disk.sync_folder(self._path("pending", ""))
            disk.sync_folder(self._path("new", ""))

    def bury(self, name: str, state: State | None) -> None:
        """Make an entry a dead letter; `state` says why and when (None: it cannot be read, and stays as it is)."""
        if state is not None:
            self.save(name, state)
        for folder in ("new", "pending"):
            disk.touch(self._path(folder, name + ".alert"))  # from now on it is dead
            if self._move(name + ".alert", folder, "dead"):
                disk.sync_folder(self._path("dead", ""))
        self._move(name + ".state", "pending", "dead")

    def bury_row(self, name: str, header: Header, state: State) -> None:
        """Keep a single row as a dead letter of its own, durably."""
        target = self._path("dead", name)
        disk.replace(target + ".state", b"".join(entry.state_lines(state)), durable=False)
        disk.replace(target + ".alert", entry.header_line(header), durable=True)

    def is_dead(self, name: str) -> bool:
        """Whether there is a dead letter of this name."""
        return self._has(name + ".alert", ("dead",))

    def revive(self, name: str) -> None:
        """Move a dead letter back among those that wait."""
        self._move(name + ".state", "dead", "pending")
        self._move(name + ".alert", "dead", "pending")
        disk.sync_folder(self._path("pending", ""))

    def remove(self, name: str, folder: str = "") -> None:
        """An entry is delivered (or a dead letter of `folder` has expired): nothing of it stays."""
        for place in [folder] if folder else ["new", "pending"]:
            disk.discard(self._path(place, name + ".alert"))
        disk.discard(self._path(folder or "pending", name + ".state"))

    def hold(self, tenant: str) -> dict[str, object]:
        """What is noted about a tenant that is not to be called now; {} where nothing (readable) is. `tenant` is a valid name."""
        document = self._note(tenant)
        return document if document.get("v") == 1 else {}

    def held(self) -> list[str]:
        """The tenants about which something is noted."""
        return sorted(item[: -len(".json")] for item in self._files("holds", ".json") if not item.startswith("."))

    def newer_holds(self) -> list[str]:
        """The tenants about which a newer version of this app noted something (or so much, that it cannot be of this one).

        That holds nobody here, and stays as it is.
        """
        return [tenant for tenant in self.held() if self._is_newer(tenant)]

    def set_hold(self, tenant: str, document: dict[str, object] | None) -> None:
        """Note that a tenant is not to be called now; None takes the note away. `tenant` is a valid name."""
        path = self._path("holds", tenant + ".json")
        if self._is_newer(tenant):
            return  # this process remembers its own hold, and the newer version finds what it wrote
        if document is None:
            disk.discard(path)
        else:
            disk.replace(path, json.dumps({"v": 1, **document}).encode("ascii"), durable=True)

    def requests(self) -> list[tuple[str, str]]:
        """What an administrator asked for: (id, `retry` or `drop`). A file that is neither is left alone."""
        found = (_REQUEST.match(item) for item in self._files("requests", ""))
        return sorted((match.group(1), match.group(2)) for match in found if match)

    def answer(self, firing: str, request: str) -> None:
        """A request is done."""
        disk.discard(self._path("requests", f"{firing}.{request}"))

    def write_usage(self, held_bytes: int, most_bytes: int, role: str) -> None:
        """Tell everybody how much is held, and by whom."""
        usage = {"v": 1, "bytes": held_bytes, "max": most_bytes, "role": role}
        disk.replace(os.path.join(self._root, "usage"), json.dumps(usage).encode("ascii"), durable=False)

    def usage_s(self) -> float:
        """When the usage was last told, in seconds since the epoch; -inf where it never was."""
        at = _mtime(os.path.join(self._root, "usage"))
        return at if at != float("inf") else float("-inf")

    def died_s(self, name: str) -> float:
        """When a dead letter died, in seconds since the epoch; inf where it is not there any more."""
        return _mtime(self._path("dead", name + ".alert"))

    def sweep(self, *, now_s: float) -> None:
        """Put right what a crash left behind: files in the making that nobody makes any more, states apart from their alerts."""
        for folder in ("", *FOLDERS):
            for item in self._files(folder, ".tmp"):
                path = self._path(folder, item)
                if item.startswith(".") and now_s - _mtime(path) > _TEMPORARY_AGE_S:
                    disk.litter(path)
        for folder, other in (("pending", "dead"), ("dead", "pending")):
            for item in self._files(folder, ".state"):
                alert = item[: -len(".state")] + ".alert"
                if not self._has(alert, ("new", "pending") if folder == "pending" else ("dead",)):
                    if self._has(alert, (other,)):
                        self._move(item, folder, other)
                    else:
                        disk.litter(self._path(folder, item))

    def _note(self, tenant: str) -> dict[str, object]:
        try:
            data = disk.read(self._path("holds", tenant + ".json"), _HOLD_MAX_BYTES + 1)
            if len(data) > _HOLD_MAX_BYTES:
                return {"v": 2}  # this version never notes so much: it is not for it to throw away
            document = json.loads(data.decode("utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}

    def _is_newer(self, tenant: str) -> bool:
        version = self._note(tenant).get("v")
        return isinstance(version, int) and version > 1

    def _open(self, name: str, folder: str) -> BinaryIO:
        for place in [folder] if folder else ["new", "pending", "new"]:  # it may be parked between two looks
            try:
                return os.fdopen(disk.open_file(self._path(place, name + ".alert")), "rb")
            except FileNotFoundError:
                continue
        raise EntryGone(f"the entry {name} is not there any more")

    def _files(self, folder: str, ending: str) -> list[str]:
        try:
            return [item for item in os.listdir(self._path(folder, "")) if item.endswith(ending)]
        except FileNotFoundError:
            return []

    def _has(self, item: str, folders: tuple[str, ...]) -> bool:
        return any(os.path.exists(self._path(folder, item)) for folder in folders)

    def _move(self, item: str, source: str, target: str) -> bool:
        try:
            os.replace(self._path(source, item), self._path(target, item))
        except FileNotFoundError:
            return False
        return True


def _size(item: os.DirEntry[str]) -> int:
    try:
        return item.stat().st_size
    except FileNotFoundError:
        return 0


def _mtime(path: str) -> float:
    try:
        return os.path.getmtime(path)
    except FileNotFoundError:
        return float("inf")
