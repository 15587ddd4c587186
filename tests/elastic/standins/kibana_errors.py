"""The log of failed actions: GET /internal/alerting/rule/{id}/_action_error_log. Must not be called public.

Shapes: x-pack/plugins/alerting/server/routes/get_action_error_log.ts@0429c3fe and
lib/format_execution_log_errors.ts@16c28ed1.
"""

from __future__ import annotations

import datetime as dt
import json
import re

from tests.elastic.standins.kibana_answers import platform, strict
from tests.elastic.standins.kibana_http import Route
from tests.elastic.standins.kibana_rule_actions import seconds
from tests.elastic.standins.kibana_rules import number
from tests.elastic.standins.kibana_world import UTC, stamp

_NEWEST = [{"@timestamp": {"order": "desc"}}]
_OLDEST = [{"@timestamp": {"order": "asc"}}]


def routes():
    """Return the one route."""
    return [Route("GET", "/internal/alerting/rule/{id}/_action_error_log", _read)]


def _read(call):
    may = dict.fromkeys(["date_end", "per_page", "page", "sort", "namespace", "with_auth"], str)
    strict(call.query, "request query", {"date_start": str}, may)
    per_page, page = number(call.query, "per_page", 10, 1), number(call.query, "page", 1, 1)
    sort = _sort(call.query.get("sort"))
    call.demand("rules:read", 'Unauthorized by "siem" to getActionErrorLog "siem.queryRule" rule')
    if call.args["id"] not in call.space.rules:
        raise platform(404, f"Saved object [alert/{call.args['id']}] not found")
    now = call.world.clock.now()
    start = _moment(call.query["date_start"], "dateStart", now)
    end = _moment(call.query.get("date_end", stamp(now)), "dateEnd", now)
    found = [each for each in call.space.action_errors if each["rule"] == call.args["id"]]
    found = [each for each in found if start <= each["timestamp"] <= end]
    found.sort(key=lambda each: each["timestamp"], reverse=sort == _NEWEST)
    shown = found[(page - 1) * per_page : page * per_page]
    errors = [{name: each[name] for name in ("id", "timestamp", "type", "message")} for each in shown]
    return 200, {"totalErrors": len(found), "errors": errors}


def _sort(text):
    try:
        sort = _NEWEST if text is None else json.loads(text)
    except ValueError:
        sort = None
    if sort not in (_NEWEST, _OLDEST):
        raise platform(400, "[request query.sort]: the stand-in sorts by @timestamp only")
    return sort


def _moment(text, name, now):
    """Return the time that an ISO date, or a period such as "24h" back from now, stands for."""
    if re.fullmatch(r"[1-9][0-9]*[smhd]", text):
        return stamp(now - dt.timedelta(seconds=seconds(text)))
    try:
        moment = dt.datetime.fromisoformat(re.sub("Z$", "+00:00", text))
    except ValueError as exc:
        raise platform(400, f'Invalid date for parameter {name}: "{text}"') from exc
    return stamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
