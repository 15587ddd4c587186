"""Has rules send, send otherwise, or send no more: plan, question, work, report. Must not talk to Kibana by itself.

Nothing is changed before the plan was shown, the question was answered and the snapshot is on disk. Whatever interrupts the work, the
same command goes on where it stopped: each run reads the rules anew and does what is missing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from parapet_elastic import connector_api, version
from parapet_elastic.editing import rules
from parapet_elastic.editing.edits import PATCH_PREBUILT_SINCE, Adding, change, look_again
from parapet_elastic.editing.plan import Plan, Report, Step
from parapet_elastic.editing.rule_actions import (
    actions_of,
    deduplicated,
    differences,
    ours,
    same,
    template_of,
    unsuited,
    updated,
    without,
)
from parapet_elastic.editing.snapshot_file import Entry
from parapet_elastic.editing.snapshots import ATTACH, Snapshots
from parapet_elastic.errors import Exit, Failure
from parapet_elastic.screen import counted
from parapet_elastic.state import Place, lock, state_dir

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from parapet_elastic.editing.rule_actions import Change, Wanted
    from parapet_elastic.editing.rules import Selection
    from parapet_elastic.editing.snapshot_file import Snapshot
    from parapet_elastic.kibana import Kibana
    from parapet_elastic.screen import Screen

    Work = Callable[[Report, Callable[[int], None]], None]
    Look = Callable[[Report], None]

_OWNER_KEY = (
    "you use an API key: it becomes the owner of the rules that are changed, and they stop running when it is deleted or expires."
    " Use a key that never expires, or a user of its own for this."
)
_OWNER_USER = "the rules that are changed will run with the rights of the user {}."


@dataclass(frozen=True)
class Options:
    """What all changing commands take.

    Attributes:
        dry_run: Stop after the plan.
        state_dir: The folder for snapshots and the ledger; None for the default.
    """

    dry_run: bool = False
    state_dir: str | None = None

    @property
    def state(self) -> Path:
        """The folder itself."""
        return state_dir(self.state_dir, os.environ)


def attach(kibana: Kibana, screen: Screen, selection: Selection, wanted: Wanted, *, options: Options) -> Exit:
    """Have the rules send: each of them gets our action, once.

    Raises:
        Failure: As all of `Kibana`; the connector is missing; no rule matches; the snapshot cannot be kept.
    """
    kibana_version = version.read(kibana)
    connector_api.require(kibana, wanted.connector_id)
    _warn_of_unsuited(screen, [wanted.to_json()])
    plan = Plan(ATTACH)
    for rule in rules.select(kibana, selection):
        _plan_attach(plan, rule, wanted)
    adding = Adding(kibana, wanted, kibana_version)
    if options.dry_run:
        _ask_kibana(plan, adding)
    return Changing(kibana, screen, wanted.connector_id, options).run(plan, adding.run, adding.look)


def _warn_of_unsuited(screen: Screen, actions: list[dict[str, Any]]) -> None:
    for said in sorted({unsuited(action) for action in actions} - {""}):
        screen.warn(said)


def _plan_attach(plan: Plan, rule: dict[str, Any], wanted: Wanted) -> None:
    found = ours(rule, wanted.connector_id)
    if not found:
        only = f", filter: {wanted.kql}" if wanted.kql else ""
        plan.steps.append(Step.of(rule, f"send {template_of(wanted.body)}, {wanted.frequency.words()}{only}"))
    elif deduplicated(found, wanted.connector_id) != found:
        kept = deduplicated(rule["actions"], wanted.connector_id)
        plan.steps.append(Step.of(rule, "remove copies of our action", kept))
    elif len(found) > 1:
        plan.skip(rule, f"sends already, with {len(found)} actions; `update` leaves one")
    elif all(same(action, wanted) for action in found):
        plan.skip(rule, "sends already")
    else:
        plan.skip(rule, "sends already, but differs; `update` changes it")


def _ask_kibana(plan: Plan, adding: Adding) -> None:
    """Move the rules that Kibana says it would refuse to those that stay as they are."""
    refused = adding.refusals([step for step in plan.steps if step.after is None])
    for step in plan.steps:
        if step.id in refused:
            plan.skip({"id": step.id, "name": step.name}, f"Kibana would refuse: {refused[step.id]}", fine=False)
    plan.steps = [step for step in plan.steps if step.id not in refused]


def update(
    kibana: Kibana, screen: Screen, selection: Selection, connector_id: str, wish: Change, *, options: Options
) -> Exit:
    """Bring our action on the rules that have it to what is wanted, and remove further ones of ours. Raises as `attach`."""
    kibana_version = version.read(kibana)
    plan = Plan("update")
    for rule in rules.select(kibana, selection):
        found = ours(rule, connector_id)
        after = updated(actions_of(rule), connector_id, wish)
        if not found:
            plan.skip(rule, "does not send; `attach` has it send")
        elif after == rule["actions"]:
            plan.skip(rule, "as wanted already")
        else:
            words = [differences(found[0], wish.apply(found[0]))]
            words += [f"remove {len(found) - 1} more of our actions"] if len(found) > 1 else []
            plan.steps.append(Step.of(rule, ", ".join(filter(None, words)), after))
    _warn_of_unsuited(
        screen, [action for step in plan.steps for action in step.after or () if action["id"] == connector_id]
    )
    return set_lists(Changing(kibana, screen, connector_id, options), plan, kibana_version)


def detach(kibana: Kibana, screen: Screen, selection: Selection, connector_id: str, *, options: Options) -> Exit:
    """Have the rules send no more; other actions stay. Raises as `attach`."""
    return detach_from(kibana, screen, rules.select(kibana, selection), connector_id, options=options)


def detach_from(
    kibana: Kibana, screen: Screen, found: list[dict[str, Any]], connector_id: str, *, options: Options, also: str = ""
) -> Exit:
    """As `detach`, for rules that were read already. `also` is what the caller does after it."""
    kibana_version = version.read(kibana)
    plan = Plan("detach")
    for rule in found:
        if ours(rule, connector_id):
            plan.steps.append(Step.of(rule, "send no more", without(rule["actions"], connector_id)))
        else:
            plan.skip(rule, "does not send")
    plan.also = also
    return set_lists(Changing(kibana, screen, connector_id, options), plan, kibana_version)


def set_lists(changing: Changing, plan: Plan, kibana_version: tuple[int, int]) -> Exit:
    """Carry out a plan whose steps say the whole list of each rule's actions."""
    kibana = changing.kibana

    def work(report: Report, advance: Callable[[int], None]) -> None:
        unanswered = 0
        for step in plan.steps:
            change(kibana, step, report, kibana_version)
            unanswered = unanswered + 1 if step in report.undecided() else 0
            if unanswered > 1:
                return  # not this rule's trouble but Kibana's
            advance(1)

    def look(report: Report) -> None:
        look_again(kibana, report, kibana_version)

    if any(step.immutable for step in plan.steps) and kibana_version < PATCH_PREBUILT_SINCE:
        changing.screen.note("Prebuilt rules: this Kibana gives their actions new uuids; what they do stays the same.")
    return changing.run(plan, work, look)


class Changing:
    """One changing command, from the plan to the report.

    Attributes:
        kibana, screen: As they were given.
        place: Where the rules are.
        snapshots: The folder of the snapshots.
        done: Whether each step of the plan was done.
    """

    def __init__(self, kibana: Kibana, screen: Screen, connector_id: str, options: Options) -> None:
        """Keep where, and for whom."""
        self.kibana = kibana
        self.screen = screen
        self._options = options
        self.place = Place.of(kibana.access, connector_id)
        self.snapshots = Snapshots(options.state)
        self.done = True
        self._seen = True

    def run(self, plan: Plan, work: Work, look: Look) -> Exit:
        """Show, ask, keep, work, report.

        Args:
            plan: What to do.
            work: Does it, and notes in the report what came of each rule.
            look: After an interruption: notes which of the undecided rules are done all the same.
        """
        plan.show(self.screen)
        document = {"command": plan.command, "dry_run": self._options.dry_run, "plan": plan.to_json()}
        report = Report(plan)
        if not plan.steps or self._options.dry_run:
            if not plan.steps:
                self.close(lambda: self.snapshots.settle(self.place, plan.command, [skip.id for skip in plan.skips]))
            return self._end(
                document, report, Exit.DONE if self._options.dry_run or report.complete else Exit.INCOMPLETE
            )
        self.screen.warn(owner(self.kibana))
        also = f", and {plan.also}" if plan.also else ""
        if not self.screen.ask(f"Change the actions of {counted(len(plan.steps), 'rule')}{also}?"):
            return self._end(document, report, Exit.DECLINED)
        entries = [Entry(step.id, step.name, step.before) for step in plan.steps]
        # A snapshot may call this Kibana by another address.
        with lock(self._options.state, Place.of(self.kibana.access, self.place.connector_id)):
            snapshot = self.snapshots.keep(self.place, plan.command, entries)
            document["snapshot"] = str(snapshot.path)
            stop = self._work(report, work, look)
            return self._finish(document, report, snapshot, stop)

    def _work(self, report: Report, work: Work, look: Look) -> BaseException | None:
        """Do it; return what stopped it."""
        try:
            with self.screen.progress(len(report.plan.steps), report.plan.command) as bar:
                work(report, bar.advance)
        except KeyboardInterrupt as interrupt:
            self.screen.note("Interrupted: looking at what is done (Ctrl-C again leaves at once).")
            try:
                look(report)
            except (KeyboardInterrupt, Failure):
                self.screen.note("It could not be seen what came of the rules that are called not done.")
            return interrupt
        except Failure as failure:
            if failure.exit is Exit.REFUSED:
                # An earlier answer may have been lost on the way: what is there now says what was done.
                try:
                    look(report)
                except Failure:
                    self._seen = False
            return failure
        return None

    def _finish(self, document: dict[str, Any], report: Report, snapshot: Snapshot, stop: BaseException | None) -> Exit:
        self.done = report.count("done") == len(report.plan.steps)
        if stop is None and not report.undecided():
            self.close(lambda: self.snapshots.finish(snapshot))
            if not report.count("done"):
                self.close(lambda: self.snapshots.drop(snapshot))
                del document["snapshot"]
        if snapshot.path is not None:
            report.show(self.screen, snapshot.path)
        if isinstance(stop, KeyboardInterrupt):
            self.screen.note("Interrupted; run the same command again to go on, or `rollback` to take it back.")
            return self._end(document, report, Exit.INTERRUPTED)
        if isinstance(stop, Failure):
            if stop.exit is Exit.REFUSED and not report.count("done"):
                if self._seen:  # the file would stand before the last change that was made
                    self.close(lambda: self.snapshots.drop(snapshot))
                self._end(document, report, stop.exit)
                raise stop
            self.screen.warn(" ".join(filter(None, (f"stopped: {stop}.", stop.todo))))
            document["error"] = str(stop)
        if report.complete and stop is None:
            return self._end(document, report, Exit.DONE)
        if report.undecided():
            self.screen.note("Run the same command again to go on, or `rollback` to take it back.")
        return self._end(document, report, Exit.INCOMPLETE)

    def close(self, note: Callable[[], None]) -> None:
        """Note in the snapshots that something is finished; where that fails, what was done is done all the same."""
        try:
            note()
        except Failure as failure:
            self.screen.warn(f"{failure}.")

    def _end(self, document: dict[str, Any], report: Report, code: Exit) -> Exit:
        self.screen.result({**document, **report.to_json()})
        return code


def owner(kibana: Kibana) -> str:
    """Say whose rights the rules that are changed will have ("the user's key gets assigned to the affected rules")."""
    return _OWNER_KEY if kibana.access.api_key is not None else _OWNER_USER.format(kibana.access.username)
