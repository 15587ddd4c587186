"""Bulk edits of rules' actions at the Kibana stand-in. Must do it again when asked again: the real one does.

route.ts and bulk_actions_response.ts in rule_management/api/rules/bulk_actions of elastic/kibana.
"""

from __future__ import annotations

import copy

from tests.elastic.standins import kibana_rule_actions
from tests.elastic.standins.kibana_answers import Refusal, engine, platform, strict
from tests.elastic.standins.kibana_http import Route
from tests.elastic.standins.kibana_rules import edited, matching

_PATH = "/api/detection_engine/rules/_bulk_action"
# RULES_TABLE_MAX_PAGE_SIZE, MAX_RULES_TO_BULK_EDIT, MAX_ROUTE_CONCURRENCY, MAX_ERROR_MESSAGE_LENGTH
_MAX_IDS, _MAX_RULES, _MAX_CALLS, _MAX_MESSAGE = 100, 2000, 5, 1000
_KINDS = ("add_rule_actions", "set_rule_actions")


def routes():
    """Return the one route."""
    return [Route("POST", _PATH, _bulk, most=_MAX_CALLS)]


def _bulk(call):
    strict(call.query, "request query", {}, {"dry_run": str})
    if call.query.get("dry_run", "false") not in ("true", "false"):
        raise platform(400, "[request query]: dry_run: Invalid enum value. Expected 'true' | 'false'")
    dry = call.query.get("dry_run") == "true"
    _check_body(call.body)
    call.demand("rules:write", f"API [POST {_PATH}] is unauthorized for user")
    call.demand("connectors:read", "Unauthorized to get actions")
    rules, errors = _rules(call)
    updated = []
    for rule in rules:
        problem = _edit(call, rule, dry=dry)
        if problem is None:
            updated.append(rule)
        else:
            errors.append((*problem, {"id": rule["id"], "name": rule["name"]}))
    return _answer(call.world, updated, errors, dry=dry)


def _check_body(body):
    strict(body, "request body", {"action": str}, {"ids": list, "query": str, "edit": list})
    if body["action"] != "edit" or "edit" not in body:
        raise platform(400, "[request body]: action: the stand-in knows `edit` only, and `edit` needs a list")
    if not body["edit"]:
        raise platform(400, "[request body]: edit: Array must contain at least 1 element(s)")
    for place, edit in enumerate(body["edit"]):
        where = f"request body.edit.{place}"
        strict(edit, where, {"type": str, "value": dict})
        if edit["type"] not in _KINDS:
            raise platform(400, f"[{where}.type]: the stand-in knows {' and '.join(_KINDS)}")
        strict(edit["value"], where + ".value", {"actions": list})
        kibana_rule_actions.check_normalized(edit["value"]["actions"], where + ".value.actions")
    ids = body.get("ids")
    if ids is not None and (not ids or not all(isinstance(each, str) for each in ids)):
        raise platform(400, "[request body]: ids: Array must contain at least 1 element(s)")
    if ids is not None and len(ids) > _MAX_IDS:
        raise engine(400, f"More than {_MAX_IDS} ids sent for bulk edit action.")
    if ids is not None and "query" in body:
        raise engine(400, "Both query and ids are sent. Define either ids or query in request payload.")


def _rules(call):
    """Return the rules that are meant, and the errors of those that are not there."""
    if "ids" not in call.body:
        found = matching(call.space, call.body.get("query", ""))
        if len(found) > _MAX_RULES:
            raise engine(400, f"More than {_MAX_RULES} rules matched the filter query. Try to narrow it down.")
        return found, []
    rules = [call.space.rules[each] for each in call.body["ids"] if each in call.space.rules]
    missing = [each for each in call.body["ids"] if each not in call.space.rules]
    return rules, [("Rule not found", 500, None, {"id": each}) for each in missing]


def _edit(call, rule, *, dry):
    """Edit one rule; returns (message, status, err_code) when it fails."""
    message, code = call.world.failing.get(rule["id"], (None, None))
    if message is not None and (code or not dry):
        # Only what has a code is found by the validation, which is all that a dry run does.
        return message, 500, code
    if dry:
        return None
    try:
        lists = [edit["value"]["actions"] for edit in call.body["edit"]]
        for actions in lists:
            kibana_rule_actions.check_connectors(call.world, call.space, actions)
            kibana_rule_actions.check_throttles(rule, actions)
    except Refusal as refusal:
        return refusal.body["message"], 500, None
    for edit, actions in zip(call.body["edit"], lists):
        kept = rule["actions"] if edit["type"] == "add_rule_actions" else []
        rule["actions"] = kept + [kibana_rule_actions.stored(call.world, call.space, each) for each in actions]
    edited(call.world, rule, call.caller)
    return None


def _answer(world, updated, errors, *, dry):
    shown = [] if dry else copy.deepcopy(updated)
    results = {"updated": shown, "created": [], "deleted": [], "skipped": []}
    total = len(updated) + len(errors)
    summary = {"failed": len(errors), "succeeded": len(updated), "skipped": 0, "total": total}
    if not errors:
        return 200, {"success": True, "rules_count": total, "attributes": {"results": results, "summary": summary}}
    message = "Bulk edit partially failed" if updated else "Bulk edit failed"
    attributes = {"errors": _grouped(errors), "results": results, "summary": summary}
    if world.partial_status == 200:
        # The contract: "200 may still hold success:false/errors".
        return 200, {"success": False, "rules_count": total, "attributes": attributes}
    return 500, {"message": message, "status_code": 500, "attributes": attributes}


def _grouped(errors):
    """One entry for each message, with all rules that failed with it."""
    found = {}
    for message, status, code, rule in errors:
        entry = {"message": message[:_MAX_MESSAGE], "status_code": status, **({"err_code": code} if code else {})}
        found.setdefault(message, {**entry, "rules": []})["rules"].append(rule)
    return list(found.values())
