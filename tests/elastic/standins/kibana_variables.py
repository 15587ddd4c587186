"""The variables that an action of a detection rule is rendered with. Must not be shared with the product: it is the check on it.

contract/kibana.md section 3; K:…/alerting/server/task_runner/transform_action_params.ts@1cc62e0d and
K:…/schedule_notification_actions.ts@2dce4c5b. Values that are undefined in Kibana are absent here.
"""

from __future__ import annotations

import copy
import datetime as dt
import uuid

from tests.elastic.standins.kibana_documents import RULE_TYPES, expanded

# What belongs to the rule as such; everything else of the API's answer is one of its parameters.
_NO_PARAMS = frozenset(
    [
        "id",
        "name",
        "tags",
        "enabled",
        "revision",
        "actions",
        "created_at",
        "created_by",
        "updated_at",
        "updated_by",
        "interval",
    ]
)
# The entries of signal_aad_mapping.json that are known: old name to the field that is copied.
_SIGNAL = {
    "rule.name": "rule.name",
    "rule.id": "rule.uuid",
    "rule.severity": "rule.severity",
    "status": "workflow_status",
    "reason": "reason",
    "original_time": "original_time",
}


def per_alert(rule, hit, *, space, base_url, date):
    """Return the variables of an action that runs for one alert.

    Args:
        rule: The rule as the API shows it.
        hit: The alert as an Elasticsearch hit.
        space: The space's id.
        base_url: server.publicBaseUrl, or None.
        date: When the action runs, as text.
    """
    found = _shared(rule, hit["_id"], space=space, base_url=base_url, date=date)
    moment = _milliseconds(hit["_source"]["@timestamp"])
    found["context"]["results_link"] = (
        f"/app/security/rules/id/{rule['id']}?timerange=(global:(linkTo:!(timeline),"
        f"timerange:(from:{moment},kind:absolute,to:{moment})))"
    )
    found["context"]["alerts"] = [document(hit)]
    found["state"] = {"signals_count": 1}
    found["alert"] = {
        "id": hit["_id"],
        "uuid": str(uuid.uuid4()),
        "actionGroup": "default",
        "actionGroupName": "Default",
        "flapping": False,
        "consecutiveMatches": 1,
    }
    return found


def summary(rule, hits, *, total, space, base_url, date):
    """Return the variables of a summary of `hits`, of `total` alerts in all; else as `per_alert`."""
    found = _shared(rule, rule["id"], space=space, base_url=base_url, date=date)
    if "url" in found["rule"]:
        found["context"]["results_link"] = found["rule"]["url"]
    found["context"]["alerts"] = [document(hit) for hit in hits]
    found["state"] = {"signals_count": total}
    found["alert"] = {
        "id": rule["id"],
        "uuid": rule["id"],
        "actionGroup": "default",
        "actionGroupName": "Default",
        "flapping": False,
        "consecutiveMatches": 0,
    }
    shown = found["context"]["alerts"]
    none = {"count": 0, "data": []}
    found["alerts"] = {
        "new": {"count": total, "data": copy.deepcopy(shown)},
        "ongoing": none,
        "recovered": copy.deepcopy(none),
        "all": {"count": total, "data": copy.deepcopy(shown)},
    }
    return found


def document(hit):
    """Return an alert as it stands in `context.alerts`: expanded, with the old names under `signal`."""
    plain = {"_id": hit["_id"], "_index": hit["_index"], **expanded(hit["_source"])}
    alert, signal = plain.get("kibana", {}).get("alert", {}), {}
    for old, new in _SIGNAL.items():
        value = alert
        for part in new.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None:
            signal[old] = value
    return {"signal": expanded(signal), **plain}


def _shared(rule, instance, *, space, base_url, date):
    snake = {name: copy.deepcopy(value) for name, value in rule.items() if name not in _NO_PARAMS}
    camel = {_camel(name): value for name, value in snake.items()}
    shown = {
        "params": camel,
        "id": rule["id"],
        "name": rule["name"],
        "type": RULE_TYPES[rule["type"]],
        "spaceId": space,
        "tags": list(rule["tags"]),
    }
    found = {
        "alertId": rule["id"],
        "alertName": rule["name"],
        "spaceId": space,
        "tags": list(rule["tags"]),
        "params": copy.deepcopy(camel),
        "date": date,
        "alertInstanceId": instance,
        "alertActionGroup": "default",
        "alertActionGroupName": "Default",
        "context": {"rule": {**snake, "name": rule["name"], "id": rule["id"]}},
        "rule": shown,
    }
    if base_url:
        where = "" if space == "default" else "/s/" + space
        found["kibanaBaseUrl"] = base_url
        shown["url"] = f"{base_url}{where}/app/security/rules/id/{rule['id']}?timerange=(global:(linkTo:!(timeline)))"
    return found


def _camel(name):
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _milliseconds(text):
    moment = dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=dt.timezone.utc)
    return round(moment.timestamp() * 1000)
