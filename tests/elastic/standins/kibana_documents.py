"""Alert documents of the Kibana stand-in: built as the detection engine stores them, and taken apart. Must not send any.

Field names: contract/kibana.md section 3, and K:…/rule_types/__mocks__/threshold.ts.
"""

from __future__ import annotations

import copy
import hashlib
import uuid

from tests.elastic.standins.kibana_world import stamp

RULE_TYPES = {
    "query": "siem.queryRule",
    "saved_query": "siem.savedQueryRule",
    "eql": "siem.eqlRule",
    "esql": "siem.esqlRule",
    "threshold": "siem.thresholdRule",
    "threat_match": "siem.indicatorRule",
    "machine_learning": "siem.mlRule",
    "new_terms": "siem.newTermsRule",
}
_COPIED = ("description", "risk_score", "severity", "rule_id", "type", "query", "threat")
_RULE_FIELDS = ("name", "tags", "severity", "risk_score", "threat", "rule_id", "description", "references", "type")


def built(world, space, rule, event, run):
    """Return the alert, as an Elasticsearch hit, that `rule` makes of an event.

    Args:
        world: The World.
        space: The Space.
        rule: The rule as the API shows it.
        event: The event's fields; `_id` and `_index` say where it was found, so that it is found only once.
        run: When the rule ran, and the id of that run, which all its alerts share.
    """
    event = copy.deepcopy(event)
    event_id, index = event.pop("_id", uuid.uuid4().hex), event.pop("_index", ".ds-logs-default-000001")
    alert_id = hashlib.sha256(f"{index}/{event_id}/{rule['id']}".encode()).hexdigest()
    at, run_id = run
    now = stamp(at)
    original_time = event.pop("@timestamp", now)
    own = event.get("event", {})
    fields = {f"rule.{name}": copy.deepcopy(rule[name]) for name in _RULE_FIELDS}
    fields.update(
        {
            "rule.execution.timestamp": now,
            "rule.execution.uuid": run_id,
            "rule.parameters": copy.deepcopy({name: rule[name] for name in _COPIED}),
            "rule.category": "Custom Query Rule",
            "rule.consumer": "siem",
            "rule.producer": "siem",
            "rule.revision": rule["revision"],
            "rule.rule_type_id": RULE_TYPES[rule["type"]],
            "rule.uuid": rule["id"],
            "rule.version": rule["version"],
            "start": now,
            "last_detected": now,
            "original_time": original_time,
            **{f"original_event.{name}": value for name, value in own.items()},
            "ancestors": [{"id": event_id, "type": "event", "index": index, "depth": 0}],
            "status": "active",
            "workflow_status": "open",
            "workflow_tags": [],
            "workflow_assignee_ids": [],
            "depth": 1,
            "reason": f"event created {rule['severity']} alert {rule['name']}.",
            "severity": rule["severity"],
            "risk_score": rule["risk_score"],
            "uuid": alert_id,
        }
    )
    if world.public_base_url:
        where = "" if space.id == "default" else "/s/" + space.id
        fields["url"] = (
            f"{world.public_base_url}{where}/app/security/alerts/redirect/{alert_id}"
            f"?index=.alerts-security.alerts-{space.id}&timestamp={now}"
        )
    source = {"@timestamp": now, **event, "event": {**own, "kind": "signal"}}
    source.update({"kibana.alert." + name: value for name, value in fields.items()})
    source.update({"kibana.version": world.version.text, "kibana.space_ids": [space.id]})
    return {"_index": f".internal.alerts-security.alerts-{space.id}-000001", "_id": alert_id, "_source": source}


def flat(source, head=""):
    """Return dotted field name to the list of its values, as Elasticsearch indexes a document."""
    found = {}
    for name, value in source.items():
        _flatten(value, head + name, found)
    return found


def _flatten(value, name, found):
    if isinstance(value, dict):
        for inner, more in flat(value, name + ".").items():
            found.setdefault(inner, []).extend(more)
    elif isinstance(value, list):
        for each in value:
            _flatten(each, name, found)
    elif value is not None:
        found.setdefault(name, []).append(value)


def expanded(source):
    """Return the document with every dotted key made into nested objects."""
    found = {}
    for name, value in source.items():
        place = found
        *heads, last = name.split(".")
        for head in heads:
            inner = place.setdefault(head, {})
            if not isinstance(inner, dict):
                inner = place[head] = {}
            place = inner
        _put(place, last, expanded(value) if isinstance(value, dict) else copy.deepcopy(value))
    return found


def _put(place, name, value):
    if isinstance(value, dict) and isinstance(place.get(name), dict):
        for inner, more in value.items():
            _put(place[name], inner, more)
    else:
        place[name] = value
