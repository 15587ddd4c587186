"""Sends alerts of a period that never arrived: plan, question, work, report. Must not send what the ledger has.

Kibana keeps no receipt of what its actions have sent, so all alerts of the period go, except those that this program has sent itself.
They have the ids of the originals (`_id` of the alert, in the templates); whether the receiver drops what it has already is not known here.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from parapet_elastic import alert_search, connector_api, version
from parapet_elastic.backfilling import backfill_plan
from parapet_elastic.backfilling.ledger import Ledger
from parapet_elastic.backfilling.sending import Sender, Verdict
from parapet_elastic.editing import rules
from parapet_elastic.editing.rule_actions import body_of, frequency_of, ours
from parapet_elastic.errors import Exit, Failure
from parapet_elastic.rendering import renderer, variables
from parapet_elastic.rendering.javascript import Unsupported, is_json
from parapet_elastic.screen import counted
from parapet_elastic.state import Place, lock

if TYPE_CHECKING:
    from datetime import datetime

    from parapet_elastic.backfilling.backfill_plan import Request, Share
    from parapet_elastic.editing.apply import Options
    from parapet_elastic.editing.rules import Selection
    from parapet_elastic.kibana import Kibana
    from parapet_elastic.screen import Progress, Screen

# So many alerts are read ahead.
_AHEAD = 50


@dataclass(frozen=True)
class Period:
    """What to send again.

    Attributes:
        start, end: Alerts made from `start` to before `end`, both with a time zone.
        rate: Requests a second at most, more than 0.
        failed_only: Only where an action of the rule failed soon after.
    """

    start: datetime
    end: datetime
    rate: float
    failed_only: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            Failure: The period is empty.
        """
        if self.start >= self.end:
            raise Failure("--from is not before --to")


@dataclass
class Outcome:
    """What came of it: alerts, except for `refused`."""

    sent: int = 0
    filtered: int = 0
    gone: int = 0
    left: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return it for a script."""
        return {
            "sent": self.sent,
            "filtered": self.filtered,
            "gone": self.gone,
            "left": self.left,
            "failed": self.refused,
        }


def backfill(
    kibana: Kibana, screen: Screen, connector_id: str, selection: Selection, period: Period, *, options: Options
) -> Exit:
    """Send the alerts of a period through the connector.

    Raises:
        Failure: As all of `Kibana`; the connector is missing; no rule matches; Parapet does not accept token or URL.
    """
    version.read(kibana)
    connector_api.require(kibana, connector_id)
    place = Place.of(kibana.access, connector_id)
    ledger = Ledger(options.state, place)
    known = ledger.read()
    sending = [rule for rule in rules.select(kibana, selection) if ours(rule, connector_id)]
    shares = _shares(kibana, connector_id, sending, period, known)
    requests = sorted((one for share in shares for one in share.requests), key=lambda one: one.alerts[0].at)
    _show(screen, shares, len(requests), period)
    screen.result({"command": "backfill", "dry_run": options.dry_run, "plan": [_line(share) for share in shares]})
    outcome = Outcome(left=sum(len(request.alerts) for request in requests))
    screen.result(outcome.to_json())
    if not requests or options.dry_run:
        return Exit.DONE
    if not screen.ask(f"Send {counted(len(requests), 'request')} to Parapet?"):
        return Exit.DECLINED
    with lock(options.state, place):
        if ledger.read() != known:
            raise Failure(
                "another backfill has sent alerts since the plan was made",
                exit=Exit.INCOMPLETE,
                todo="Nothing was sent by this one; run it again for a new plan.",
            )
        return _Work(kibana, screen, ledger, outcome).run(requests, Sender(kibana, connector_id, period.rate))


def _shares(
    kibana: Kibana, connector_id: str, sending: list[dict[str, Any]], period: Period, known: set[str]
) -> list[Share]:
    by_rule: dict[str, list[alert_search.Found]] = {rule["id"]: [] for rule in sending}
    if by_rule:
        for found in alert_search.alerts(kibana, list(by_rule), period.start, period.end):
            by_rule[found.rule].append(found)
    shares = []
    for rule in sending:
        share = backfill_plan.plan(rule, connector_id, by_rule[rule["id"]], known)
        if period.failed_only:
            backfill_plan.failed_only(kibana, share, period.end)
        shares.append(share)
    return shares


def _show(screen: Screen, shares: list[Share], requests: int, period: Period) -> None:
    rows = [
        (
            share.rule.get("name", ""),
            share.rule["id"],
            share.alerts,
            len(share.requests),
            "; ".join([f"{share.sent} sent before"] * bool(share.sent) + share.notes),
        )
        for share in shares
        if share.requests or share.sent
    ]
    if rows:
        screen.table(("rule", "id", "alerts", "requests", ""), rows)
    alerts = sum(share.alerts for share in shares)
    minutes = requests / period.rate / 60
    about = "less than a minute" if minutes < 1 else "about " + counted(round(minutes), "minute")
    senders = counted(sum(bool(share.requests) for share in shares), "rule")
    screen.line(f"{counted(alerts, 'alert')} of {senders} in {counted(requests, 'request')}, {about}.")
    if requests:
        screen.line(
            "Kibana does not know which of them have arrived. They have the ids of the originals; whether Parapet drops those"
            " that it has already is not known here."
        )
        if not period.failed_only:
            screen.line("--failed-only sends only those after which an action failed.")


def _line(share: Share) -> dict[str, Any]:
    return {
        "id": share.rule["id"],
        "name": share.rule.get("name", ""),
        "alerts": share.alerts,
        "requests": len(share.requests),
        "sent_before": share.sent,
        "notes": share.notes,
    }


class _Work:
    """Sends, notes in the ledger what was sent, and reports."""

    def __init__(self, kibana: Kibana, screen: Screen, ledger: Ledger, outcome: Outcome) -> None:
        self._kibana = kibana
        self._screen = screen
        self._ledger = ledger
        self._outcome = outcome
        self._documents: dict[str, dict[str, Any]] = {}

    def run(self, requests: list[Request], sender: Sender) -> Exit:
        stop: Failure | None = None
        interrupted = False
        try:
            with self._ledger, self._screen.progress(self._outcome.left, "backfill") as bar:
                self._send_all(deque(requests), sender, bar)
        except KeyboardInterrupt:
            interrupted = True
        except Failure as failure:
            stop = failure
        self._report(interrupted=interrupted)
        if interrupted:
            return Exit.INTERRUPTED
        if stop is not None:
            raise stop
        return Exit.INCOMPLETE if self._outcome.refused else Exit.DONE

    def _send_all(self, queue: deque[Request], sender: Sender, bar: Progress) -> None:
        while queue:
            request = queue.popleft()
            self._read_ahead(request, queue)
            hits = backfill_plan.matching(request, self._documents)
            there = sum(found.id in self._documents for found in request.alerts)
            if hits:
                found = self._send(request, hits, sender)
                if found is Verdict.TOO_LARGE and len(request.alerts) > 1:
                    queue.extendleft(reversed(request.halves()))
                    continue
                if found is not Verdict.SENT:
                    self._refuse(request, sender.refusal)
                else:
                    self._outcome.sent += len(hits)
            self._outcome.gone += len(request.alerts) - there
            self._outcome.filtered += there - len(hits)
            self._outcome.left -= len(request.alerts)
            bar.advance(len(request.alerts))

    def _send(self, request: Request, hits: list[dict[str, Any]], sender: Sender) -> Verdict:
        try:
            body = render(self._kibana.access.space, request, hits)
        except Unsupported as exc:
            sender.refusal = str(exc)
            # In a smaller request it is that alert's only.
            return Verdict.TOO_LARGE
        if not is_json(body):
            sender.refusal = "its template gives no valid JSON for this alert; `parapet-elastic lint` says why"
            return Verdict.REFUSED
        found = sender.send(body)
        if found is Verdict.SENT:
            for hit in hits:
                self._ledger.note(hit["_id"])
        return found

    def _refuse(self, request: Request, why: str) -> None:
        rule = request.rule
        for one in request.alerts:
            self._outcome.refused.append(
                {"id": one.id, "rule": rule.get("name", ""), "rule_id": rule["id"], "why": why}
            )

    def _read_ahead(self, request: Request, queue: deque[Request]) -> None:
        """Have the documents of this request, and of some that follow; forget the older ones."""
        if all(found.id in self._documents for found in request.alerts):
            return
        wanted = [found.id for found in request.alerts]
        for following in queue:
            if len(wanted) >= _AHEAD:
                break
            wanted += [found.id for found in following.alerts]
        self._documents = alert_search.documents(self._kibana, list(dict.fromkeys(wanted)))

    def _report(self, *, interrupted: bool) -> None:
        outcome = self._outcome
        if outcome.refused:
            rows = [(one["rule"], one["id"], one["why"]) for one in outcome.refused]
            self._screen.table(("rule", "alert", "refused"), rows)
        self._screen.line(
            f"{counted(outcome.sent, 'alert')} sent, {len(outcome.refused)} refused, {outcome.filtered} left out by a filter,"
            f" {outcome.gone} gone, {outcome.left} not sent."
        )
        if interrupted:
            self._screen.note("Interrupted; run the same command again to go on.")
        self._screen.result(outcome.to_json())


def render(space: str, request: Request, hits: list[dict[str, Any]]) -> str:
    """Return the body that Kibana would send for these alerts; its date is the one of the newest alert."""
    newest = hits[-1]["_source"]
    place = variables.Place(space, variables.base_url(newest, space), str(variables.field(newest, "@timestamp")))
    if frequency_of(request.action).summary:
        found = variables.summary(request.rule, hits, place)
    else:
        found = variables.per_alert(request.rule, hits[0], place)
    return renderer.render(body_of(request.action), found)
