"""What a rule's actions are, and what they should be: decides, and changes nothing. Must not talk to Kibana, nor print.

The JSON is the one of contract kibana.md, "Action JSON on a rule". Ours is every action that names our connector; all others are
somebody else's: they are handed back as they came, in their order, with their uuids.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from parapet_elastic.errors import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Action = dict[str, Any]

_SHIPPED = re.compile(r'"template"\s*:\s*"((basic|custom_fields|bulk)/\d+)"')
_PERIOD = re.compile(r"[1-9]\d*[smhd]")
# The keys that add_rule_actions and set_rule_actions take; any other is refused (NormalizedRuleAction).
_BULK_KEYS = ("id", "group", "params", "frequency", "alerts_filter")


@dataclass(frozen=True)
class Frequency:
    """How often an action runs, and for what.

    Attributes:
        summary: False for one request for each alert, True for one for all alerts of a run or a period.
        notify_when: "onActiveAlert", "onThrottleInterval" or "onActionGroupChange".
        throttle: The period, as in "1h", with "onThrottleInterval"; else None.
    """

    summary: bool
    notify_when: str = "onActiveAlert"
    throttle: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as Kibana wants it: all three keys."""
        return {"summary": self.summary, "notifyWhen": self.notify_when, "throttle": self.throttle}

    def words(self) -> str:
        """Say it as a person would."""
        if self.throttle:
            return f"every {self.throttle}" + ("" if self.summary else " for each alert")
        return "each run" if self.summary else "each alert"


EACH_ALERT = Frequency(summary=False)
EACH_RUN = Frequency(summary=True)


def parse_frequency(text: str) -> Frequency:
    """Read the word of the command line: "alert", "run", or a period such as "1h".

    Raises:
        Failure: It is none of these.
    """
    if text == "alert":
        return EACH_ALERT
    if text == "run":
        return EACH_RUN
    if _PERIOD.fullmatch(text):
        return Frequency(summary=True, notify_when="onThrottleInterval", throttle=text)
    raise Failure(
        f"--frequency {text}: there is no such frequency",
        todo="Say alert (one request for each alert), run (one for each run of the rule), or a period such as 30m, 1h, 1d.",
    )


def frequency_of(action: Mapping[str, Any]) -> Frequency:
    """Return an action's frequency; without one Kibana takes "each run"."""
    given = action.get("frequency")
    if not given:
        return EACH_RUN
    return Frequency(
        summary=bool(given.get("summary")),
        notify_when=given.get("notifyWhen") or "onActiveAlert",
        throttle=given.get("throttle"),
    )


def body_of(action: Mapping[str, Any]) -> str:
    """Return the template that an action sends, empty where it has none."""
    return str((action.get("params") or {}).get("body") or "")


def template_of(body: str) -> str:
    """Return the name that a template of ours has in it, as in "basic/1"; "own" for any other."""
    found = _SHIPPED.search(body)
    return found[1] if found else "own"


def unsuited(action: Mapping[str, Any]) -> str:
    """Say what is lost where template and frequency do not go together; empty where they do, or where it is not known."""
    name = template_of(body_of(action)).partition("/")[0]
    if name in {"basic", "custom_fields"} and frequency_of(action).summary:
        return (
            f"{name} sends one alert, so of several in a run or a period only the first; `--template bulk` sends all."
        )
    if name == "bulk" and not frequency_of(action).summary:
        return "bulk for each alert makes one request for each of them; `--frequency run` sends all of a run in one."
    return ""


def kql_of(action: Mapping[str, Any]) -> str | None:
    """Return the query that an alert has to match ("If alert matches a query"), None where there is none."""
    return _query(action).get("kql") or None


def _query(action: Mapping[str, Any]) -> dict[str, Any]:
    return dict((action.get("alerts_filter") or {}).get("query") or {})


@dataclass(frozen=True)
class Wanted:
    """Our action, as it should be on a rule.

    Attributes:
        connector_id: The connector that it runs.
        body: The template.
        frequency: How often.
        kql: Only alerts that match this query; None for all.
    """

    connector_id: str
    body: str
    frequency: Frequency
    kql: str | None = None

    def to_json(self) -> Action:
        """Return the action for _bulk_action: no action_type_id and no uuid, which are refused there."""
        action: Action = {
            "id": self.connector_id,
            "group": "default",
            "params": {"body": self.body},
            "frequency": self.frequency.to_json(),
        }
        if self.kql:
            action["alerts_filter"] = {"query": {"kql": self.kql, "filters": []}}
        return action


@dataclass(frozen=True)
class Change:
    """What `update` sets on our actions; None leaves as it is.

    Attributes:
        body: The template.
        frequency: How often.
        kql: The query; an empty one takes the query away.
        newest: Our templates by their names ("basic"): each action of ours gets its own one as it is now, where `body` is None.
    """

    body: str | None = None
    frequency: Frequency | None = None
    kql: str | None = None
    newest: Mapping[str, str] = field(default_factory=dict)

    def apply(self, action: Action) -> Action:
        """Return the action with the change in it; keys keep their place, and what is not ours to set stays: uuid, time frame, filters."""
        changed = dict(action)
        body = self.body
        if body is None:
            body = self.newest.get(template_of(body_of(action)).partition("/")[0])
        if body is not None and body_of(action) != body:
            changed["params"] = {**(action.get("params") or {}), "body": body}
        if self.frequency is not None and frequency_of(action) != self.frequency:
            changed["frequency"] = self.frequency.to_json()
        if self.kql is not None and (kql_of(action) or "") != self.kql:
            _set_kql(changed, self.kql)
        return changed


def _set_kql(action: Action, kql: str) -> None:
    alerts_filter = dict(action.get("alerts_filter") or {})
    query = {"filters": [], **_query(action), "kql": kql}
    if kql or query["filters"]:
        alerts_filter["query"] = query
    else:
        alerts_filter.pop("query", None)
    if alerts_filter:
        action["alerts_filter"] = alerts_filter
    else:
        action.pop("alerts_filter", None)


def actions_of(rule: Mapping[str, Any]) -> list[Action]:
    """Return all of the rule's actions; a rule without any may come without the key, too."""
    return list(rule.get("actions") or [])


def ours(rule: Mapping[str, Any], connector_id: str) -> list[Action]:
    """Return the rule's actions that run our connector."""
    return [action for action in actions_of(rule) if action.get("id") == connector_id]


def same(action: Mapping[str, Any], wanted: Wanted) -> bool:
    """Whether an action of ours does what is wanted; its uuid and a time frame on it do not count."""
    return (
        action.get("id") == wanted.connector_id
        and body_of(action) == wanted.body
        and frequency_of(action) == wanted.frequency
        and kql_of(action) == (wanted.kql or None)
    )


def updated(actions: Sequence[Action], connector_id: str, change: Change) -> list[Action]:
    """Return the list with our first action changed, and further ones of ours left out; without one of ours, the list as it is."""
    found = False
    result = []
    for action in actions:
        if action.get("id") != connector_id:
            result.append(action)
        elif not found:
            found = True
            result.append(change.apply(action))
    return result


def without(actions: Sequence[Action], connector_id: str) -> list[Action]:
    """Return the list without our actions."""
    return [action for action in actions if action.get("id") != connector_id]


def deduplicated(actions: Sequence[Action], connector_id: str) -> list[Action]:
    """Return the list without those of ours that repeat an earlier one: what a batch leaves that Kibana got twice."""
    seen: list[Action] = []
    result = []
    for action in actions:
        if action.get("id") == connector_id:
            plain = without_uuid(action)
            if plain in seen:
                continue
            seen.append(plain)
        result.append(action)
    return result


def without_uuid(action: Mapping[str, Any]) -> Action:
    """Return the action without what only tells it from its copies."""
    return {key: value for key, value in action.items() if key != "uuid"}


def alike(some: Sequence[Action], others: Sequence[Action]) -> bool:
    """Whether two lists do the same, in the same order; uuids do not count: Kibana makes new ones in a bulk edit."""
    return [without_uuid(one) for one in some] == [without_uuid(one) for one in others]


def for_bulk(actions: Sequence[Action]) -> list[Action]:
    """Return the list as set_rule_actions takes it."""
    return [{key: action[key] for key in _BULK_KEYS if key in action} for action in actions]


def differences(before: Action, after: Action) -> str:
    """Say what changes between two actions of ours: "template basic/1 -> bulk/1, each run -> each alert", never what is in a template."""
    words = []
    if body_of(before) != body_of(after):
        old, new = template_of(body_of(before)), template_of(body_of(after))
        words.append(f"template {old} -> {'another ' if new == old else ''}{new}")
    if frequency_of(before) != frequency_of(after):
        words.append(f"{frequency_of(before).words()} -> {frequency_of(after).words()}")
    if kql_of(before) != kql_of(after):
        words.append(f"filter: {kql_of(after) or 'none'}")
    return ", ".join(words)
