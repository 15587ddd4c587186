"""Actions of a rule as they come in and as they are stored. Must not find rules, nor run anything.

contract/kibana.md section 3; K:…/model/rule_schema/common_attributes.schema.yaml@00c7693b.
"""

from __future__ import annotations

import copy
import re
import uuid

from tests.elastic.standins.kibana_answers import engine, platform, strict
from tests.elastic.standins.kibana_kql import Invalid, compile_kql

# What a missing frequency is stored as: inferred in the contract from the examples of the bulk schema.
DEFAULT_FREQUENCY = {"summary": True, "notifyWhen": "onActiveAlert", "throttle": None}
_NOTIFY = ("onActiveAlert", "onThrottleInterval", "onActionGroupChange")
_PERIOD = re.compile(r"([1-9][0-9]*)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_OPTIONAL = {"group": str, "frequency": dict, "alerts_filter": dict}


def seconds(period):
    """Return the seconds of a period such as "1h"."""
    match = _PERIOD.fullmatch(period)
    return int(match.group(1)) * _SECONDS[match.group(2)]


def check_full(actions, where):
    """Check the actions of a PATCH: each with its action_type_id, and its uuid or none."""
    for place, action in enumerate(actions):
        need = {"id": str, "action_type_id": str, "params": dict}
        strict(action, f"{where}.{place}", need, {**_OPTIONAL, "uuid": str})
        _check_parts(action, f"{where}.{place}")


def check_normalized(actions, where):
    """Check the actions of a bulk edit: NormalizedRuleAction, without action_type_id and uuid."""
    for place, action in enumerate(actions):
        strict(action, f"{where}.{place}", {"id": str, "params": dict}, _OPTIONAL)
        _check_parts(action, f"{where}.{place}")


def _check_parts(action, where):
    if action.get("group", "default") != "default":
        raise engine(400, f"Invalid action groups: {action['group']}")
    if "frequency" in action:
        _check_frequency(action["frequency"], where + ".frequency")
    if "alerts_filter" in action:
        _check_filter(action["alerts_filter"], where + ".alerts_filter")


def _check_frequency(frequency, where):
    strict(frequency, where, {"summary": bool, "notifyWhen": str, "throttle": (str, None)})
    if frequency["notifyWhen"] not in _NOTIFY:
        raise platform(400, f"[{where}.notifyWhen]: expected one of {', '.join(_NOTIFY)}")
    throttle = frequency["throttle"]
    if throttle is not None and not _PERIOD.fullmatch(throttle):
        raise platform(400, f"[{where}.throttle]: {throttle} does not match ^[1-9]\\d*[smhd]$")
    if frequency["notifyWhen"] == "onThrottleInterval" and throttle is None:
        raise engine(400, "Failed to validate actions due to the following error: Actions missing frequency parameters")


def _check_filter(value, where):
    strict(value, where, {}, {"query": dict, "timeframe": dict})
    if "query" in value:
        strict(value["query"], where + ".query", {"kql": str, "filters": list})
        if value["query"]["filters"]:
            raise platform(400, f"[{where}.query.filters]: the stand-in knows KQL only")
        try:
            compile_kql(value["query"]["kql"])
        except Invalid as exc:
            raise engine(400, f"Error creating DSL query: invalid KQL: {exc}") from exc
    if "timeframe" in value:
        strict(value["timeframe"], where + ".timeframe", {"days": list, "hours": dict, "timezone": str})
        strict(value["timeframe"]["hours"], where + ".timeframe.hours", {"start": str, "end": str})


def check_throttles(rule, actions):
    """Refuse a throttle that is shorter than the rule's own interval."""
    for action in actions:
        throttle = action.get("frequency", {}).get("throttle")
        if throttle and seconds(throttle) < seconds(rule["interval"]):
            raise engine(
                400,
                "Failed to validate actions due to the following error: Action throttle cannot be shorter than the "
                f"schedule interval of {rule['interval']}: {throttle}",
            )


def check_connectors(world, space, actions):
    """Refuse an action whose connector is not there."""
    for action in actions:
        if action["id"] not in space.connectors and action["id"] not in world.preconfigured:
            missing = f"Saved object [action/{action['id']}] not found"
            raise engine(400, f"Failed to load action {action['id']} (404): {missing}")


def stored(world, space, action):
    """Return the action as the rule keeps it: with a uuid, its own or a new one."""
    entry = world.preconfigured.get(action["id"]) or space.connectors[action["id"]]
    kept = {
        "id": action["id"],
        "action_type_id": entry.get("actionTypeId") or entry["connector_type_id"],
        "group": action.get("group", "default"),
        "params": copy.deepcopy(action["params"]),
        "uuid": action.get("uuid") or str(uuid.uuid4()),
        "frequency": dict(action.get("frequency", DEFAULT_FREQUENCY)),
    }
    if "alerts_filter" in action:
        kept["alerts_filter"] = copy.deepcopy(action["alerts_filter"])
    return kept
