"""Which alerts of a period are to be sent, in which requests. Must not send any."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Optional

from parapet_elastic import alert_search
from parapet_elastic.backfilling import kql
from parapet_elastic.editing.rule_actions import deduplicated, frequency_of, kql_of, ours
from parapet_elastic.rendering.javascript import Unsupported
from parapet_elastic.rendering.variables import alert_document
from parapet_elastic.times import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from parapet_elastic.alert_search import Found
    from parapet_elastic.kibana import Kibana

    Action = dict[str, Any]
    Test = Callable[[Mapping[str, Any]], Optional[bool]]

# What a summary held before 8.18; a period with more alerts is sent in several requests.
_MOST = 100
# An action is tried again for about six minutes: 30 s, then up to 5 min. The last failure may be so long after the alert.
_LATE = timedelta(minutes=15)
# A longer throttle is no shorter for it: nothing fails a year after an alert.
_LATEST = timedelta(days=366)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True)
class Request:
    """One body that is to be sent.

    Attributes:
        rule, action: Whose.
        alerts: What is in it, the oldest first; one for each alert, all of a run in a summary.
    """

    rule: dict[str, Any]
    action: Action
    alerts: tuple[Found, ...]

    @property
    def summary(self) -> bool:
        """Whether it is one for all alerts of a run."""
        return frequency_of(self.action).summary

    def halves(self) -> list[Request]:
        """Return two smaller ones, for a body that is too large."""
        middle = len(self.alerts) // 2
        parts = (slice(None, middle), slice(middle, None))
        return [Request(self.rule, self.action, self.alerts[part]) for part in parts]


@dataclass
class Share:
    """What one rule has to send.

    Attributes:
        rule: The rule.
        requests: Those that are still to be sent.
        sent: How many alerts the ledger has already.
        notes: What a person should know.
    """

    rule: dict[str, Any]
    requests: list[Request] = field(default_factory=list)
    sent: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def alerts(self) -> int:
        """How many alerts are still to be sent."""
        return len({found.id for request in self.requests for found in request.alerts})


def plan(rule: dict[str, Any], connector_id: str, found: Iterable[Found], known: set[str]) -> Share:
    """Return what a rule has to send of these alerts.

    Args:
        rule: As Kibana has it now: its actions decide about template, frequency and filter.
        connector_id: Our connector.
        found: Alerts of this rule, the oldest first.
        known: What was sent already, as the ledger has it.
    """
    share = Share(rule)
    # Kibana sends the sequence that an EQL rule found, not its parts.
    whole = [one for one in found if not one.part or rule.get("type") != "eql" or rule.get("building_block_type")]
    actions = deduplicated(ours(rule, connector_id), connector_id)
    # By alert, not by action or request: what has arrived does not go again because an action came, or a request was halved.
    missing = [one for one in whole if one.id not in known]
    share.sent = len(whole) - len(missing)
    for action in actions:
        share.requests += [Request(rule, action, tuple(group)) for group in _groups(action, missing)]
        if kql_of(action) and _matcher(action) is None:
            share.notes.append("its filter cannot be applied here: all alerts are sent")
        elif kql_of(action):
            share.notes.append("only what matches its filter, and what only Elasticsearch could tell")
    return share


def _groups(action: Action, found: list[Found]) -> list[list[Found]]:
    if not frequency_of(action).summary:
        return [[one] for one in found]
    runs: dict[str, list[Found]] = {}
    for one in found:
        runs.setdefault(one.run, []).append(one)
    return [run[start : start + _MOST] for run in runs.values() for start in range(0, len(run), _MOST)]


def matching(request: Request, documents: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the documents of a request that its filter lets through, or may; those that are gone are left out."""
    test = _matcher(request.action)
    there = [documents[one.id] for one in request.alerts if one.id in documents]
    return [hit for hit in there if test is None or not _fails(test, hit)]


def _fails(test: Test, hit: dict[str, Any]) -> bool:
    try:
        return test(alert_document(hit)) is False
    except Unsupported:
        return False  # rendering says the same, and whose it is


def _matcher(action: Action) -> Test | None:
    query = kql_of(action)
    if not query or ((action.get("alerts_filter") or {}).get("query") or {}).get("filters"):
        return None
    try:
        return kql.matcher(query)
    except kql.Unknown:
        return None


def failed_only(kibana: Kibana, share: Share, end: datetime) -> None:
    """Keep of a rule's requests those that an action failed after; all of them where the log cannot be read.

    An error at time t is of the run just before it, but also of its retries (up to about six minutes later), and with a throttle
    of all alerts of that period. So an alert counts as lost when an action of its rule failed within 15 minutes, and the
    throttle's period, after it. That is too many rather than too few: the receiver knows the ids.
    """
    if not share.requests:
        return
    first = moment(share.requests[0].alerts[0].at)
    longest = max(_late(request.action) for request in share.requests)
    until = end + min(longest, datetime.max.replace(tzinfo=timezone.utc) - end)
    times = alert_search.failures(kibana, share.rule["id"], first, until)
    if times is None:
        share.notes.append("its log of failed actions cannot be read: all alerts are sent")
        return
    share.requests = [request for request in share.requests if _failed(request, times)]


def _failed(request: Request, times: list[datetime]) -> bool:
    late = _late(request.action)
    since = [moment(found.at) for found in request.alerts]
    return any(at <= time <= at + late for time in times for at in since)


def _late(action: Action) -> timedelta:
    throttle = frequency_of(action).throttle
    if not throttle:
        return _LATE
    try:
        return min(_LATE + timedelta(**{_UNITS[throttle[-1]]: int(throttle[:-1])}), _LATEST)
    except OverflowError:
        return _LATEST
