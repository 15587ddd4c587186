"""Changes the actions of rules in Kibana: one rule by PATCH, many by _bulk_action. Must not decide what to change, nor print.

_bulk_action's add_rule_actions adds each time it is called, so it is never sent again before the rules have been read: an answer that
is lost, or a 5xx, leaves the rules undecided (contract kibana.md, "Attaching").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parapet_elastic import shapes, waits
from parapet_elastic.editing import rules
from parapet_elastic.editing.rule_actions import actions_of, alike, deduplicated, for_bulk, ours
from parapet_elastic.kibana import Refused, Unclear

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from parapet_elastic.editing.plan import Report, Step
    from parapet_elastic.editing.rule_actions import Wanted
    from parapet_elastic.kibana import Kibana

BULK = rules.RULES + "/_bulk_action"
BATCH = 100
PATCH_PREBUILT_SINCE = (8, 18)
"""Before, whether PATCH takes the actions of a prebuilt rule is not confirmed; the bulk edit does."""
_TRIES = 5
_FIRST_WAIT_S = 2.0
# Somebody else edited the rule at that moment, too many at once, or Kibana was not well.
# Kibana's err_code for what no second attempt changes, whatever the status is.
_FOR_GOOD = ("(IMMUTABLE)", "(PREBUILT_CUSTOMIZATION_LICENSE)", "(MACHINE_LEARNING_AUTH)")
_PASSING = (409, 429, 500, 502, 503, 504)


class Adding:
    """Gives rules our action, each exactly once, whatever comes in between."""

    def __init__(self, kibana: Kibana, wanted: Wanted, version: tuple[int, int]) -> None:
        """Keep what to add and where."""
        self._kibana = kibana
        self._wanted = wanted
        self._version = version
        self._excuses: dict[str, str] = {}
        self._added: set[str] = set()  # Kibana says so; read once more, since another computer may add at the same time

    def refusals(self, steps: Sequence[Step]) -> dict[str, str]:
        """Ask Kibana, without any change, which rules it would refuse; return the reasons by the rules' ids."""
        found: dict[str, str] = {}
        for batch in _batches(steps):
            try:
                answer = self._kibana.post(BULK, self._request(batch), {"dry_run": "true"}, again=True)
            except Refused as refused:
                answer = _partial(refused)
            found.update({rule_id: why for rule_id, (why, _) in _errors(answer).items()})
        return found

    def reached(self, rule: dict[str, Any]) -> bool:
        """Whether the rule has our action, and none of its copies."""
        actions = actions_of(rule)
        connector = self._wanted.connector_id
        return bool(ours(rule, connector)) and deduplicated(actions, connector) == actions

    def run(self, report: Report, advance: Callable[[int], None]) -> None:
        """Go on until every rule of the plan is decided, or nothing moves any more."""
        try:
            self._rounds(report, advance)
        finally:
            for step in report.undecided():
                if step.id in self._added:
                    report.done(step.id)
        for step in report.undecided():
            if step.id in self._excuses:
                report.failed(step.id, self._excuses[step.id])

    def _left(self, report: Report) -> int:
        return sum(step.id not in self._added for step in report.undecided())

    def _rounds(self, report: Report, advance: Callable[[int], None]) -> None:
        tries = 0
        first = True
        while report.undecided() and tries < _TRIES:
            before = self._left(report)
            try:
                clear = self._round(report, first=first)
                first = False
            except Refused as refused:  # of reading; what was sent is looked at in the next round
                if refused.status not in _PASSING:
                    raise
                clear = False
            decided = max(0, before - self._left(report))
            advance(decided)
            tries = 0 if decided else tries + 1
            if not clear and report.undecided() and tries < _TRIES:
                _wait(self._kibana, tries, "not every rule has an answer")

    def _round(self, report: Report, *, first: bool) -> bool:
        """Read the rules, and do what is missing; return whether Kibana answered for each."""
        steps = report.undecided()
        now = rules.read(self._kibana, [step.id for step in steps])
        missing = []
        for step in steps:
            rule = now.get(step.id)
            if rule is None:
                report.failed(step.id, "the rule is gone")
            elif self.reached(rule):
                # In the first round it was not us: nothing has been sent.
                if first:
                    report.skipped(step.id, "somebody has attached it since the plan was made")
                else:
                    report.done(step.id)
            elif ours(rule, self._wanted.connector_id):
                self._added.discard(step.id)
                self._remove_copies(rule, report)
            elif step.id in self._added:
                report.skipped(step.id, "somebody has taken it off again")
            else:
                missing.append(step)
        clear = True
        for batch in _batches(missing):
            if not self._post(batch, report):
                clear = False
                break
        return clear

    def _remove_copies(self, rule: dict[str, Any], report: Report) -> None:
        kept = deduplicated(rule["actions"], self._wanted.connector_id)
        try:
            set_actions(self._kibana, rule["id"], kept, bulk=needs_bulk(rule, self._version))
        except Refused as refused:
            if refused.status not in _PASSING:
                report.failed(rule["id"], str(refused))
        else:
            report.done(rule["id"])

    def _post(self, batch: Sequence[Step], report: Report) -> bool:
        """Add the action to a batch; return whether each rule in it is decided."""
        try:
            answer = self._kibana.post(BULK, self._request(batch))
        except Unclear:
            return False
        except Refused as refused:
            if refused.status in _PASSING and not _has_results(refused.body):
                return False
            answer = _partial(refused)
        errors = _errors(answer)
        undecided = {step.id for step in batch}
        updated = {rule["id"] for rule in answer["attributes"]["results"].get("updated") or []}
        for rule_id in (updated & undecided) - set(errors):
            self._added.add(rule_id)
            undecided.discard(rule_id)
        for rule_id, (why, status) in errors.items():
            if rule_id in undecided and status in _PASSING and not why.endswith(_FOR_GOOD):
                self._excuses[rule_id] = why
            elif rule_id in undecided:
                report.failed(rule_id, why)
                undecided.discard(rule_id)
        return not undecided

    def look(self, report: Report) -> None:
        """Note which undecided rules are done; for the report after an interruption."""
        now = rules.read(self._kibana, [step.id for step in report.undecided()])
        for step in report.undecided():
            if step.id in now and self.reached(now[step.id]):
                report.done(step.id)

    def _request(self, batch: Sequence[Step]) -> dict[str, Any]:
        edit = {"type": "add_rule_actions", "value": {"actions": [self._wanted.to_json()]}}
        return {"action": "edit", "ids": [step.id for step in batch], "edit": [edit]}


def change(kibana: Kibana, step: Step, report: Report, version: tuple[int, int]) -> None:
    """Set one rule's actions to what the plan says, unless somebody has changed them since.

    Raises:
        Failure: Kibana cannot be reached, or does not know us any more: the next rule would fare no better.
    """
    if step.after is None:
        raise ValueError("a step without actions to set")
    for attempt in range(_TRIES):
        rule = rules.get(kibana, step.id)
        if rule is None:
            report.failed(step.id, "the rule is gone")
            return
        if is_as(rule, step.after, version):
            report.done(step.id)
            return
        if actions_of(rule) != step.before:
            report.skipped(step.id, "its actions have changed since the plan was made; run it again")
            return
        try:
            set_actions(kibana, step.id, step.after, bulk=needs_bulk(rule, version))
        except Refused as refused:
            if refused.status == 401:
                raise
            if refused.status not in _PASSING:
                report.failed(step.id, str(refused))
                return
            _wait(kibana, attempt, f"Kibana answers {refused.status}")
        else:
            report.done(step.id)
            return


def look_again(kibana: Kibana, report: Report, version: tuple[int, int]) -> None:
    """Note which undecided rules are done; for the report after an interruption."""
    now = rules.read(kibana, [step.id for step in report.undecided()])
    for step in report.undecided():
        if step.id in now and step.after is not None and is_as(now[step.id], step.after, version):
            report.done(step.id)


def is_as(rule: dict[str, Any], actions: list[dict[str, Any]], version: tuple[int, int]) -> bool:
    """Whether the rule has these actions, down to the uuids where Kibana lets us set them."""
    now = actions_of(rule)
    return alike(now, actions) if needs_bulk(rule, version) else bool(now == actions)


def needs_bulk(rule: dict[str, Any], version: tuple[int, int]) -> bool:
    """Whether the rule's actions can be set by _bulk_action only: then Kibana makes new uuids."""
    return bool(rule.get("immutable")) and version < PATCH_PREBUILT_SINCE


def set_actions(kibana: Kibana, rule_id: str, actions: list[dict[str, Any]], *, bulk: bool) -> None:
    """Replace the rule's whole list; safe to send twice.

    Raises:
        Refused: Kibana does not do it.
    """
    if not bulk:
        kibana.patch(rules.RULES, {"id": rule_id, "actions": actions})
        return
    edit = {"type": "set_rule_actions", "value": {"actions": for_bulk(actions)}}
    try:
        answer = kibana.post(BULK, {"action": "edit", "ids": [rule_id], "edit": [edit]}, again=True)
    except Refused as refused:
        answer = _partial(refused)
    for why, status in _errors(answer).values():
        raise Refused(status, why, f"POST {BULK}")


def _has_results(body: Any) -> bool:
    """Whether an answer is the one of a bulk edit: a 500 is that, too, when only some rules were refused."""
    return (
        isinstance(body, dict)
        and isinstance(body.get("attributes"), dict)
        and isinstance(body["attributes"].get("results"), dict)
    )


def _partial(refused: Refused) -> dict[str, Any]:
    """Return the bulk edit's answer that came as an error, or raise the error that it is."""
    if not _has_results(refused.body):
        raise refused
    answer: dict[str, Any] = refused.body
    return answer


def _errors(answer: Any) -> dict[str, tuple[str, int]]:
    """Return why, and the status, for each rule that Kibana refuses."""
    shapes.checked(answer, shapes.BULK, f"POST {BULK}")
    found = {}
    for error in answer["attributes"].get("errors") or []:
        why = " ".join(str(error.get("message", "")).split())
        code = error.get("err_code")
        for rule in error.get("rules") or []:
            found[rule["id"]] = (f"{why} ({code})" if code else why, int(error.get("status_code", 500)))
    return found


def _batches(steps: Sequence[Step]) -> list[Sequence[Step]]:
    return [steps[start : start + BATCH] for start in range(0, len(steps), BATCH)]


def _wait(kibana: Kibana, tries: int, why: str) -> None:
    seconds = waits.spread(tries + 1, _FIRST_WAIT_S, waits.LONGEST_S)
    kibana.on_wait(seconds, why)
    kibana.sleep(seconds)
