"""Puts rules' actions back as a snapshot has them. Must not touch what somebody else has changed since, unless told to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from parapet_elastic import connector_api, version
from parapet_elastic.editing import rules
from parapet_elastic.editing.apply import Changing, set_lists
from parapet_elastic.editing.edits import is_as
from parapet_elastic.editing.plan import Plan, Step
from parapet_elastic.editing.rule_actions import actions_of, alike, without
from parapet_elastic.editing.snapshot_file import load
from parapet_elastic.editing.snapshots import ROLLBACK, Snapshots
from parapet_elastic.errors import Exit, Failure
from parapet_elastic.screen import counted

if TYPE_CHECKING:
    from parapet_elastic.editing.apply import Options
    from parapet_elastic.editing.snapshot_file import Entry, Snapshot
    from parapet_elastic.kibana import Kibana
    from parapet_elastic.screen import Screen

_CHANGED = "its other actions have changed since; --overwrite puts them back, too"


@dataclass(frozen=True)
class Back:
    """What to go back to.

    Attributes:
        file: A snapshot; None for the newest of this place.
        overwrite: Also rules whose other actions have changed since.
    """

    file: str | None = None
    overwrite: bool = False


def rollback(kibana: Kibana, screen: Screen, connector_id: str, back: Back, *, options: Options) -> Exit:
    """Put each rule's actions back, down to the uuids where Kibana lets us.

    Raises:
        Failure: As all of `Kibana`; there is no snapshot, it cannot be read, or it is of another space.
    """
    kibana_version = version.read(kibana)
    changing = Changing(kibana, screen, connector_id, options)
    snapshot = (
        load(_file(back.file, changing.snapshots.folder)) if back.file else changing.snapshots.newest(changing.place)
    )
    _check(snapshot, kibana, screen)
    changing.place = snapshot.place
    screen.line(f"Back to: {snapshot.path} (before {snapshot.command}, {snapshot.time})")
    for other in changing.snapshots.unfinished(snapshot.place):
        if other.path != snapshot.path:
            screen.note(f"An interrupted {other.command} of {other.time} can be taken back by: rollback {other.path}")
    plan = Plan(ROLLBACK)
    now = rules.read(kibana, [entry.id for entry in snapshot.entries])
    for entry in sorted(snapshot.entries, key=lambda one: (one.name.casefold(), one.id)):
        _plan(plan, entry, now.get(entry.id), snapshot.place.connector_id, kibana_version, overwrite=back.overwrite)
    _require_connector(kibana, plan, snapshot.place.connector_id)
    code = set_lists(changing, plan, kibana_version)
    if code is not Exit.DECLINED:
        _name_older(changing, snapshot, screen)
    left_out = {skip.why for skip in plan.skips if not skip.fine}
    if code is Exit.INCOMPLETE and left_out == {_CHANGED} and changing.done:
        return Exit.FOUND  # to run it again as it is would come to the same
    if code is Exit.DONE and not options.dry_run and not snapshot.finished:
        # What it was before is so again: a later run must not take these entries over.
        changing.close(lambda: changing.snapshots.finish(snapshot))
    return code


def _file(given: str, folder: Path) -> Path:
    """Return the file that is meant; a bare name, as the list shows it, is one of the folder."""
    path = Path(given)
    return folder / path if path.name == given and not path.exists() else path


def _require_connector(kibana: Kibana, plan: Plan, connector_id: str) -> None:
    """See that what is put back leads somewhere, before anything is planned in vain."""
    if any(action.get("id") == connector_id for step in plan.steps for action in step.after or ()):
        connector_api.require(kibana, connector_id)


def _name_older(changing: Changing, snapshot: Snapshot, screen: Screen) -> None:
    older = changing.snapshots.older(snapshot)
    if older is not None:
        screen.line(f"The next older one: `parapet-elastic rollback {older.name}`.")


def _check(snapshot: Snapshot, kibana: Kibana, screen: Screen) -> None:
    if snapshot.place.space != kibana.access.space:
        raise Failure(
            f"{snapshot.path} is of the space {snapshot.place.space}, not of {kibana.access.space}",
            todo=f"Give --space {snapshot.place.space}.",
        )
    if snapshot.place.url != kibana.access.url:
        screen.warn(f"the snapshot was made at {snapshot.place.url}; rules are looked for by their ids.")


def _plan(
    plan: Plan,
    entry: Entry,
    rule: dict[str, object] | None,
    connector_id: str,
    kibana_version: tuple[int, int],
    *,
    overwrite: bool,
) -> None:
    if rule is None:
        plan.skip({"id": entry.id, "name": entry.name}, "the rule is gone", fine=False)
        return
    before = actions_of(rule)
    if is_as(rule, entry.actions, kibana_version):
        plan.skip(rule, "as it was before")
    elif not overwrite and not alike(without(before, connector_id), without(entry.actions, connector_id)):
        plan.skip(rule, _CHANGED, fine=False)
    else:
        words = f"{counted(len(before), 'action')} -> {len(entry.actions)}, as before"
        plan.steps.append(Step.of(rule, words, entry.actions))


def snapshots(screen: Screen, *, options: Options) -> Exit:
    """List the snapshots that there are, the newest first."""
    rows = []
    for path in reversed(Snapshots(options.state).paths()):
        try:
            found = load(path)
        except Failure as failure:
            rows.append((path.name, "", "", str(failure)))
            continue
        state = "finished" if found.finished else "interrupted"
        rows.append((path.name, found.place.url, found.place.space, f"{counted(len(found.entries), 'rule')}, {state}"))
    screen.table(("snapshot", "kibana", "space", "what"), rows)
    if not rows:
        screen.line(f"There is none in {Snapshots(options.state).folder}.")
    screen.result({"snapshots": [{"file": row[0], "url": row[1], "space": row[2], "what": row[3]} for row in rows]})
    return Exit.DONE
