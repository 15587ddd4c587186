"""The variables that Kibana gives to an action of a detection rule, made of the rule and its alerts. Must not render.

Kibana builds them in x-pack/platform/plugins/shared/alerting/server/task_runner/transform_action_params.ts, and an
alert's document in Security Solution's schedule_notification_actions.ts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from parapet_elastic.rendering import javascript as js
from parapet_elastic.times import moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TYPES: Final = {
    "eql": "siem.eqlRule",
    "esql": "siem.esqlRule",
    "machine_learning": "siem.mlRule",
    "new_terms": "siem.newTermsRule",
    "query": "siem.queryRule",
    "saved_query": "siem.savedQueryRule",
    "threat_match": "siem.indicatorRule",
    "threshold": "siem.thresholdRule",
}
# What the API adds to a rule's parameters: fields of the rule itself, and what Kibana remembers about its runs.
_NO_PARAMETERS: Final = frozenset(
    {
        "actions",
        "alias_purpose",
        "alias_target_id",
        "created_at",
        "created_by",
        "enabled",
        "execution_summary",
        "id",
        "interval",
        "name",
        "outcome",
        "revision",
        "tags",
        "throttle",
        "updated_at",
        "updated_by",
    }
)
# The copies under the names of Kibana 7 that an alert has for old templates; the ones that we know of.
_LEGACY: Final = {
    ("rule", "name"): ("rule", "name"),
    ("rule", "id"): ("rule", "uuid"),
    ("rule", "severity"): ("severity",),
    ("status",): ("workflow_status",),
    ("reason",): ("reason",),
    ("original_time",): ("original_time",),
}
_UNKNOWN_UUID: Final = "00000000-0000-4000-8000-000000000000"
"""Stands for the framework's own id of an alert: Kibana makes up a new one, and it means nothing."""


@dataclass(frozen=True)
class Place:
    """Where and when a rule runs.

    Attributes:
        space: The Kibana space.
        base_url: server.publicBaseUrl, None where it is not set.
        date: When the action runs, as 2026-01-28T15:30:02.345Z.
    """

    space: str
    base_url: str | None
    date: str


def per_alert(rule: Mapping[str, Any], alert: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """Return the variables of an action that runs for each alert.

    Args:
        rule: As GET /api/detection_engine/rules gives it.
        alert: As Elasticsearch gives it: `_id`, `_index`, `_source`.
        place: Where and when.
    """
    document = alert_document(alert)
    found = _common(rule, place, alert["_id"])
    found["context"] = {
        "rule": _rule_in_snake_case(rule),
        "results_link": _link_to_alert(rule, document, place),
        "alerts": [document],
    }
    found["state"] = {"signals_count": 1}
    found["alert"] = _alert(alert["_id"], _UNKNOWN_UUID, 1)
    return found


def summary(
    rule: Mapping[str, Any], alerts: Sequence[Mapping[str, Any]], place: Place, total: int | None = None
) -> dict[str, Any]:
    """Return the variables of an action that runs once for all alerts of a run or an interval.

    Args:
        rule: As for `per_alert`.
        alerts: The documents that Kibana hands over: before 8.18 never more than 100.
        place: Where and when.
        total: How many alerts there are, where that is more than it hands over.
    """
    documents = [alert_document(each) for each in alerts]
    count = len(documents) if total is None else total
    found = _common(rule, place, rule["id"])
    context: dict[str, Any] = {"alerts": documents}
    if place.base_url:
        context["results_link"] = _link(rule, place)
    context["rule"] = _rule_in_snake_case(rule)
    found["context"] = context
    found["state"] = {"signals_count": count}
    found["alert"] = _alert(rule["id"], rule["id"], 0)
    none: dict[str, Any] = {"count": 0, "data": []}
    every = {"count": count, "data": documents}
    found["alerts"] = {"new": every, "ongoing": none, "recovered": dict(none), "all": dict(every)}
    return found


def field(source: Mapping[str, Any], name: str) -> Any:
    """Return a field of a document, which may be written dotted, nested, or in between; None where there is none."""
    if name in source:
        return source[name]
    for key, value in source.items():
        if isinstance(value, dict) and name.startswith(key + "."):
            found = field(value, name[len(key) + 1 :])
            if found is not None:
                return found
    return None


def base_url(source: Mapping[str, Any], space: str) -> str | None:
    """Return server.publicBaseUrl, which Kibana's API does not tell: the address of an alert of this space begins with it."""
    url = field(source, "kibana.alert.url")
    if not isinstance(url, str):
        return None
    base = url.partition("/app/")[0]
    return base if space == "default" else base.removesuffix(f"/s/{space}")


def alert_document(alert: Mapping[str, Any]) -> dict[str, Any]:
    """Return an alert as an action sees it: dotted names as objects, `_id` and `_index`, and the old `signal` names."""
    document: dict[str, Any] = {"_id": alert["_id"], "_index": alert.get("_index", "")}
    for name, value in js.parsed(alert.get("_source", {})).items():
        js.merge(document, js.nested(name, value) if "." in name else {name: value})
    legacy: dict[str, Any] = {}
    for old, new in _LEGACY.items():
        value = _at(document, ("kibana", "alert", *new))
        if value is not None:
            js.merge(legacy, js.nested(".".join(old), value))
    return {"signal": legacy, **document} if legacy else document


def _at(value: Any, path: Sequence[str]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _common(rule: Mapping[str, Any], place: Place, instance: str) -> dict[str, Any]:
    params = {camel(name): value for name, value in rule.items() if name not in _NO_PARAMETERS}
    tags = list(rule.get("tags", []))
    about = {
        "params": params,
        "id": rule["id"],
        "name": rule["name"],
        "type": _TYPES.get(rule.get("type", ""), ""),
        "spaceId": place.space,
        "tags": tags,
    }
    found: dict[str, Any] = {
        "alertId": rule["id"],
        "alertName": rule["name"],
        "spaceId": place.space,
        "tags": tags,
        "params": params,
        "date": place.date,
        "alertInstanceId": instance,
        "alertActionGroup": "default",
        "alertActionGroupName": "Default",
        "rule": about,
    }
    if place.base_url:
        found["kibanaBaseUrl"] = place.base_url
        about["url"] = _link(rule, place)
    return found


def _alert(identity: str, uuid: str, matches: int) -> dict[str, Any]:
    return {
        "id": identity,
        "uuid": uuid,
        "actionGroup": "default",
        "actionGroupName": "Default",
        "flapping": False,
        "consecutiveMatches": matches,
    }


def _rule_in_snake_case(rule: Mapping[str, Any]) -> dict[str, Any]:
    params = {name: value for name, value in rule.items() if name not in _NO_PARAMETERS}
    return {**params, "name": rule["name"], "id": rule["id"]}


def _link(rule: Mapping[str, Any], place: Place) -> str:
    space = "" if place.space == "default" else f"/s/{place.space}"
    return f"{place.base_url}{space}/app/security/rules/id/{rule['id']}?timerange=(global:(linkTo:!(timeline)))"


def _link_to_alert(rule: Mapping[str, Any], document: Mapping[str, Any], place: Place) -> str:
    """Return the link that Kibana gives for one alert: relative, and without the space."""
    at = _milliseconds(document.get("@timestamp")) or _milliseconds(place.date)
    span = f"timerange:(from:{at},kind:absolute,to:{at})"
    return f"/app/security/rules/id/{rule['id']}?timerange=(global:(linkTo:!(timeline),{span}))"


def _milliseconds(date: Any) -> int:
    try:
        return round(moment(str(date)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return 0


def camel(name: str) -> str:
    """Return a parameter's name as `rule.params` has it: `risk_score` is `riskScore` there."""
    first, *others = name.split("_")
    return first + "".join(other[:1].upper() + other[1:] for other in others)
