"""The folder of the snapshots: which one a rollback takes, and what an interrupted run leaves to the next. Must not talk to Kibana.

Invariants:
 1. The file is complete on disk before the first rule is changed.
 2. An entry is never changed, and never taken out; `finished` and `taken_over_by` are all that is written later.
    A file under which nothing was changed is removed as a whole.

`<state dir>/snapshots/<UTC time>-<command>.json`, the time as in 20260128T153000.123456Z so that names sort by time.
A run that follows an unfinished one of the same command in the same place takes its entries over, so that one rollback restores
all; an entry of another command would undo that one, too.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from parapet_elastic.editing.rule_actions import alike, deduplicated, without
from parapet_elastic.editing.snapshot_file import Snapshot, load, write
from parapet_elastic.errors import Failure

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from parapet_elastic.editing.snapshot_file import Entry
    from parapet_elastic.state import Place

ATTACH = "attach"
ROLLBACK = "rollback"
_TIME = "%Y%m%dT%H%M%S.%fZ"
_NAME = re.compile(r"(\d{8}T\d{6}\.\d{6}Z)-[a-z]+\.json")


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
            write(snapshot)
            for one in older:
                write(replace(one, finished=True, taken_over_by=path.name))
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
            write(replace(snapshot, finished=True))
        except OSError as exc:
            raise Failure(
                f"it cannot be noted in {snapshot.path} that this is finished: {exc.strerror};"
                f" the next {snapshot.command} takes its rules over"
            ) from None

    def drop(self, snapshot: Snapshot) -> None:
        """Remove a file under which nothing was changed, unless it holds what earlier runs left. Raises as `finish`."""
        if snapshot.path is None or any(one.taken_over_by == snapshot.path.name for one in self._readable()):
            return
        try:
            snapshot.path.unlink(missing_ok=True)
        except OSError as exc:
            raise Failure(
                f"{snapshot.path}, under which nothing was changed, cannot be removed: {exc.strerror}"
            ) from None

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
