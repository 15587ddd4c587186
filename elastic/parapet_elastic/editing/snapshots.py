"""Files that hold what rules' actions were before a command changed them. Must not talk to Kibana, nor hold a credential.

Invariants:
 1. The file is complete on disk before the first rule is changed: a temporary file, fsync, a rename over it.
 2. An entry is never changed, and never taken out; `finished` and `taken_over_by` are all that is written later.
    A file under which nothing was changed is removed as a whole.
 3. Whoever may read a rule's actions in Kibana may read no more here; still nobody else may: 0600 in a folder of 0700.

`<state dir>/snapshots/<UTC time>-<command>.json`, the time as in 20260128T153000.123456Z so that names sort by time:
    {"format": 1, "time", "command", "version", "url", "space", "connector_id", "finished": bool, "taken_over_by": name | null,
     "rules": [{"id", "name", "actions": [... as Kibana gave them ...]}]}
`finished` is false until the command has had an answer for every rule. A run that follows an unfinished one of the same command in the
same place takes its entries over, so that one rollback restores all; an entry of another command would undo that one, too.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parapet_elastic import __version__, files
from parapet_elastic.editing.rule_actions import alike, deduplicated, without
from parapet_elastic.errors import Failure
from parapet_elastic.state import Place, private_folder

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMAT = 1
_LARGEST = 2**30
ATTACH = "attach"
ROLLBACK = "rollback"
_TIME = "%Y%m%dT%H%M%S.%fZ"
_NAME = re.compile(r"(\d{8}T\d{6}\.\d{6}Z)-[a-z]+\.json")
_KEYS = {
    "command": str,
    "version": str,
    "url": str,
    "space": str,
    "connector_id": str,
    "time": str,
    "finished": bool,
    "rules": list,
}


@dataclass(frozen=True)
class Entry:
    """One rule before the change."""

    id: str
    name: str
    actions: list[dict[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """Return it as the file has it."""
        return {"id": self.id, "name": self.name, "actions": self.actions}


@dataclass(frozen=True)
class Snapshot:
    """What one file holds.

    Attributes:
        place: Where the rules are.
        command: What was about to change them.
        entries: The rules, each once.
        time: When, in UTC, as the file's name has it.
        finished: Whether the command had an answer for every rule.
        taken_over_by: The file that holds these entries now, too.
        path: The file; None before it is written.
    """

    place: Place
    command: str
    entries: tuple[Entry, ...]
    time: str = ""
    finished: bool = False
    taken_over_by: str | None = None
    path: Path | None = field(default=None, compare=False)

    def to_json(self) -> dict[str, Any]:
        """Return it as the file has it."""
        return {
            "format": FORMAT,
            "time": self.time,
            "command": self.command,
            "version": __version__,
            "url": self.place.url,
            "space": self.place.space,
            "connector_id": self.place.connector_id,
            "finished": self.finished,
            "taken_over_by": self.taken_over_by,
            "rules": [entry.to_json() for entry in self.entries],
        }


class Snapshots:
    """The folder of the files."""

    def __init__(self, state: Path) -> None:
        """Name the folder; nothing is made before something is kept."""
        self.folder = state / "snapshots"

    def keep(self, place: Place, command: str, entries: Iterable[Entry]) -> Snapshot:
        """Write a new file, with the entries of runs of this command in the same place that were interrupted.

        Raises:
            Failure: The file cannot be written; nothing may be changed then.
        """
        now = {entry.id: entry for entry in entries}
        older = [one for one in self.unfinished(place) if one.command == command]
        if command == ATTACH:
            older += self._not_really_finished(place, now.values())
        for snapshot in reversed(older):  # the oldest last: its "before" wins
            for entry in snapshot.entries:
                if _still_true(entry, now.get(entry.id), place.connector_id):
                    now[entry.id] = entry
        time = self._next().strftime(_TIME)
        path = self.folder / f"{time}-{command}.json"
        snapshot = Snapshot(place, command, tuple(now.values()), time, path=path)
        try:
            _write(snapshot)
            for one in older:
                _write(replace(one, finished=True, taken_over_by=path.name))
        except OSError as exc:
            raise Failure(
                f"the snapshot cannot be written in {self.folder}: {exc.strerror}; nothing is changed without one",
                todo="Name another folder with --state-dir.",
            ) from None
        return snapshot

    def finish(self, snapshot: Snapshot) -> None:
        """Note that the command had an answer for every rule.

        Raises:
            Failure: The file cannot be written; what the command did stays as it is.
        """
        try:
            _write(replace(snapshot, finished=True))
        except OSError as exc:
            raise Failure(
                f"it cannot be noted in {snapshot.path} that this is finished: {exc.strerror};"
                f" the next {snapshot.command} takes its rules over"
            ) from None

    def drop(self, snapshot: Snapshot) -> None:
        """Remove a file under which nothing was changed, unless it holds what earlier runs left."""
        if snapshot.path is None or any(one.taken_over_by == snapshot.path.name for one in self._readable()):
            return
        snapshot.path.unlink(missing_ok=True)

    def older(self, snapshot: Snapshot) -> Path | None:
        """Return the next older file for the same place, those of rollbacks aside."""
        found = [one for one in self._readable() if one.place == snapshot.place and one.command != ROLLBACK]
        return next((one.path for one in reversed(found) if one.time < snapshot.time), None)

    def settle(self, place: Place, command: str, ids: Iterable[str]) -> None:
        """Finish interrupted runs of this command when nothing is left to do for any of their rules. Raises as `finish`."""
        done = set(ids)
        for snapshot in self.unfinished(place):
            if snapshot.command == command and done.issuperset(entry.id for entry in snapshot.entries):
                self.finish(snapshot)

    def newest(self, place: Place) -> Snapshot:
        """Return the newest file for this place, those of rollbacks aside.

        Raises:
            Failure: There is none, or one that may be it cannot be read; it names the newest that can.
        """
        broken: Failure | None = None
        for path in reversed(self.paths()):
            if path.stem.endswith("-" + ROLLBACK):
                continue
            try:
                snapshot = load(path)
            except Failure as failure:
                broken = broken or failure
                continue
            if snapshot.place == place and broken:
                raise Failure(str(broken), todo=f"To go back to the one before it: rollback {path}") from None
            if snapshot.place == place:
                return snapshot
        if broken:
            raise broken
        raise Failure(
            f"{self.folder} holds no snapshot of the connector {place.connector_id} in the space {place.space} of {place.url}",
            todo="Give the file's name, or the --state-dir, the --space and the --connector-id of the run.",
        )

    def unfinished(self, place: Place) -> list[Snapshot]:
        """Return what interrupted runs left, the oldest first."""
        return [one for one in self._readable() if one.place == place and not one.finished and one.command != ROLLBACK]

    def _readable(self) -> list[Snapshot]:
        """Return all, the oldest first; a file that cannot be read is no reason to stop."""
        found = []
        for path in self.paths():
            with suppress(Failure):
                found.append(load(path))
        return found

    def _not_really_finished(self, place: Place, entries: Iterable[Entry]) -> list[Snapshot]:
        """Return the newest file where rules have copies of our action: a batch was under way still when it was finished."""
        copied = {one.id for one in entries if deduplicated(one.actions, place.connector_id) != one.actions}
        try:
            newest = self.newest(place)
        except Failure:
            return []
        about = {entry.id for entry in newest.entries}
        return [newest] if newest.finished and newest.command == ATTACH and copied & about else []

    def paths(self) -> list[Path]:
        """Return all files, the oldest first."""
        return sorted(path for path in self.folder.glob("*.json") if _NAME.fullmatch(path.name))

    def _next(self) -> datetime:
        """Return now, or a moment after the newest file: a clock that was ahead must not hide what is made later."""
        now = datetime.now(timezone.utc)
        for path in self.paths():
            try:
                then = datetime.strptime(path.name.partition("-")[0], _TIME).replace(tzinfo=timezone.utc)
                now = max(now, then + timedelta(microseconds=1))
            except (ValueError, OverflowError):  # no date that we made
                continue
        return now


def _still_true(old: Entry, new: Entry | None, connector_id: str) -> bool:
    """Whether an older "before" may win: not where somebody has changed the rule's other actions since."""
    return new is None or alike(without(old.actions, connector_id), without(new.actions, connector_id))


def load(path: Path) -> Snapshot:
    """Read a file.

    Raises:
        Failure: It is not there, is broken, or is of a newer version of this program.
    """
    try:
        document = json.loads(files.read(path, _LARGEST).decode("utf-8"))
    except OSError as exc:
        raise Failure(f"{path} cannot be read: {exc.strerror}") from None
    except (ValueError, RecursionError):
        raise Failure(f"{path} is broken: it is no JSON", todo="Take another snapshot of the folder.") from None
    if files.is_deep(document):
        raise Failure(f"{path} is broken: it is too deep", todo="Take another snapshot of the folder.")
    if not isinstance(document, dict) or not isinstance(document.get("format"), int):
        raise Failure(f"{path} is no snapshot of parapet-elastic")
    if document["format"] > FORMAT:
        raise Failure(
            f"{path} is of a newer parapet-elastic (format {document['format']})", todo="Update parapet-elastic."
        )
    if not all(isinstance(document.get(key), kind) for key, kind in _KEYS.items()):
        raise Failure(f"{path} is broken: a part of it is missing", todo="Take another snapshot of the folder.")
    try:
        entries = tuple(_entry(rule) for rule in document["rules"])
    except (KeyError, TypeError):
        raise Failure(f"{path} is broken: a rule in it is not complete") from None
    return Snapshot(
        place=Place(document["url"], document["space"], document["connector_id"]),
        command=document["command"],
        entries=entries,
        time=document["time"],
        finished=document["finished"],
        taken_over_by=document.get("taken_over_by"),
        path=path,
    )


def _entry(rule: Any) -> Entry:
    actions = rule["actions"]
    if not isinstance(actions, list) or not all(isinstance(action, dict) for action in actions):
        raise TypeError
    return Entry(str(rule["id"]), str(rule["name"]), actions)


def _write(snapshot: Snapshot) -> None:
    if snapshot.path is None:
        raise ValueError("a snapshot without a file")
    folder = snapshot.path.parent
    private_folder(folder)
    handle, name = tempfile.mkstemp(dir=folder, prefix=".")  # 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(snapshot.to_json(), file, ensure_ascii=True, indent=1)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(snapshot.path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
