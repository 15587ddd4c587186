"""The detection rules of the Kibana stand-in: get, find, patch. Must not run them.

Error shapes and limits: detection_engine/rule_management/api/rules of elastic/kibana.
"""

from __future__ import annotations

import copy
import re
import uuid

from tests.elastic.standins import kibana_rule_actions
from tests.elastic.standins.kibana_answers import engine, platform, strict
from tests.elastic.standins.kibana_http import Route
from tests.elastic.standins.kibana_kql import Invalid, compile_kql

_PATH = "/api/detection_engine/rules"
# zod's uuid(), which the schemas of `id` in GET and PATCH use.
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# Elasticsearch's index.max_result_window.
_WINDOW = 10000
_SORT = {
    "created_at": "created_at",
    "createdAt": "created_at",
    "updated_at": "updated_at",
    "updatedAt": "updated_at",
    "enabled": "enabled",
    "name": "name",
    "risk_score": "risk_score",
    "riskScore": "risk_score",
    "severity": "severity",
}
_PATCHABLE = {
    "name": str,
    "description": str,
    "tags": list,
    "enabled": bool,
    "severity": str,
    "risk_score": int,
    "interval": str,
    "query": str,
    "index": list,
    "threat": list,
    "references": list,
    "note": str,
    "max_signals": int,
    "from": str,
    "to": str,
    "meta": dict,
    "version": int,
}


def routes():
    """Return the routes of single rules and of the list."""
    return [Route("GET", _PATH, _get), Route("PATCH", _PATH, _patch), Route("GET", _PATH + "/_find", _find)]


def new_rule(world, name, *, tags, immutable, enabled, fields):
    """Return a rule as the API shows it.

    Raises:
        ValueError: One of `fields` is no field of a rule.
    """
    now = world.stamp()
    rule = {
        "id": str(uuid.uuid4()),
        "rule_id": str(uuid.uuid4()),
        "name": name,
        "description": f"Finds {name}",
        "tags": list(tags),
        "enabled": enabled,
        "immutable": immutable,
        "type": "query",
        "language": "kuery",
        "index": ["logs-*"],
        "query": "process.name : *",
        "interval": "5m",
        "from": "now-360s",
        "to": "now",
        "severity": "high",
        "severity_mapping": [],
        "risk_score": 73,
        "risk_score_mapping": [],
        "max_signals": 100,
        "references": [],
        "false_positives": [],
        "author": [],
        "license": "",
        "threat": [],
        "exceptions_list": [],
        "related_integrations": [],
        "required_fields": [],
        "setup": "",
        "output_index": "",
        "meta": {},
        "note": "",
        "version": 1,
        "revision": 0,
        "actions": [],
        "created_at": now,
        "created_by": "elastic",
        "updated_at": now,
        "updated_by": "elastic",
    }
    if world.version.from_on(8, 18):
        rule["rule_source"] = {"type": "external", "is_customized": False} if immutable else {"type": "internal"}
    unknown = set(fields) - set(rule)
    if unknown:
        raise ValueError(f"a rule has no {sorted(unknown)}")
    rule.update(copy.deepcopy(fields))
    return rule


def edited(world, rule, caller):
    """Note that a caller has changed `rule`: whose identity it now runs with, its revision and time."""
    # "the user's key gets assigned to the affected rules", as the schema of the bulk action says.
    world.owners[rule["id"]] = caller.identity
    rule["revision"] += 1
    rule["updated_at"] = world.stamp()
    rule["updated_by"] = caller.user.name


def matching(space, kql):
    """Return the rules that a KQL filter finds, oldest first.

    Raises:
        Refusal: 400: no KQL, or a field that rules do not have.
    """
    try:
        test = compile_kql(kql)
        return [rule for rule in space.rules.values() if test(_reader(rule))]
    except Invalid as exc:
        raise engine(400, str(exc)) from exc


def _reader(rule):
    def get(name):
        if not name.startswith("alert.attributes."):
            raise Invalid(f"This key '{name}' need to be wrapped by a saved object type like alert")
        field = name[len("alert.attributes.") :]
        if field == "name":
            return [rule["name"]], True
        if field in ("name.keyword", "tags", "enabled"):
            value = rule[field.partition(".")[0]]
        elif field in ("createdAt", "updatedAt"):
            value = rule[{"createdAt": "created_at", "updatedAt": "updated_at"}[field]]
        elif field.startswith("params."):
            value = rule.get(_snake(field[len("params.") :]))
        else:
            raise Invalid(f"This key '{name}' does NOT exist in alert saved object index patterns")
        return (value if isinstance(value, list) else [] if value is None else [value]), False

    return get


def _snake(name):
    return "".join("_" + char.lower() if char.isupper() else char for char in name)


def _check_id(source, where):
    if "id" in source and not _UUID.fullmatch(source["id"]):
        raise platform(400, f"[{where}]: id: Invalid uuid")


def _wanted(call, source):
    """Return the rule that `id` or `rule_id` in `source` names."""
    if ("id" in source) == ("rule_id" in source):
        both = "id" in source
        what = 'both "id" and "rule_id" cannot exist together' if both else 'either "id" or "rule_id" must be set'
        raise engine(400, [what])
    key = "id" if "id" in source else "rule_id"
    for rule in call.space.rules.values():
        if rule[key] == source[key]:
            return rule
    raise engine(404, f'{key}: "{source[key]}" not found')


def _get(call):
    strict(call.query, "request query", {}, {"id": str, "rule_id": str})
    _check_id(call.query, "request query")
    _demand(call, "rules:read", "GET", _PATH)
    return 200, copy.deepcopy(_wanted(call, call.query))


def _demand(call, right, method, path):
    privilege = "securitySolution-" + ("readRules" if right == "rules:read" else "allRules")
    call.demand(
        right,
        f"API [{method} {path}] is unauthorized for user, this action is granted by the Kibana privileges "
        f"[{privilege}]",
    )


def number(query, name, default, least):
    """Return a whole number of the query string, `default` where it is absent; 400 when it is none or too small."""
    text = query.get(name, str(default))
    if not text.isdigit() or int(text) < least:
        raise platform(400, f"[request query]: {name}: Expected number, at least {least}, received {text}")
    return int(text)


def _find(call):
    may = dict.fromkeys(["page", "per_page", "sort_field", "sort_order", "filter", "fields"], str)
    strict(call.query, "request query", {}, may)
    _demand(call, "rules:read", "GET", _PATH + "/_find")
    page, per_page = number(call.query, "page", 1, 1), number(call.query, "per_page", 20, 0)
    if per_page > _WINDOW:
        raise platform(400, f"[request query]: per_page: Number must be less than or equal to {_WINDOW}")
    if page * per_page > _WINDOW:
        raise engine(400, "Result window is too large, from + size must be less than or equal to: [10000]")
    found = matching(call.space, call.query.get("filter", ""))
    field, order = call.query.get("sort_field"), call.query.get("sort_order")
    if (field is None) != (order is None):
        raise engine(400, ['when "sort_order" and "sort_field" must exist together or not at all'])
    if field is not None:
        if field not in _SORT or order not in ("asc", "desc"):
            raise platform(400, "[request query]: sort_field, sort_order: Invalid enum value")
        found.sort(key=lambda rule: rule[_SORT[field]], reverse=order == "desc")
    shown = found[(page - 1) * per_page : page * per_page]
    return 200, {"page": page, "perPage": per_page, "total": len(found), "data": copy.deepcopy(shown)}


def _patch(call):
    strict(call.query, "request query", {})
    strict(call.body, "request body", {}, {"id": str, "rule_id": str, "actions": list, **_PATCHABLE})
    _check_id(call.body, "request body")
    _demand(call, "rules:write", "PATCH", _PATH)
    actions = call.body.get("actions")
    if actions is not None:
        kibana_rule_actions.check_full(actions, "request body.actions")
    rule = _wanted(call, call.body)
    if rule["immutable"] and not call.world.version.prebuilt_can_be_patched:
        raise engine(400, f"rule {rule['id']} is prebuilt: that PATCH takes it before 8.18 is not confirmed")
    if rule["id"] in call.world.failing:
        raise engine(500, call.world.failing[rule["id"]][0])
    if actions is not None:
        _demand_connectors(call, actions)
        kibana_rule_actions.check_connectors(call.world, call.space, actions)
        kibana_rule_actions.check_throttles(rule, actions)
    fields = {name: value for name, value in call.body.items() if name in _PATCHABLE}
    rule.update(copy.deepcopy(fields))
    if actions is not None:
        rule["actions"] = [kibana_rule_actions.stored(call.world, call.space, each) for each in actions]
    edited(call.world, rule, call.caller)
    return 200, copy.deepcopy(rule)


def _demand_connectors(call, actions):
    """Attaching a connector to a rule takes the right to read connectors (docs 8.3, SD#1758)."""
    if actions:
        call.demand("connectors:read", "Unauthorized to get actions")
