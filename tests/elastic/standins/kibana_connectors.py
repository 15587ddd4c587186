"""The connector routes of the Kibana stand-in. Must never answer with a secret."""

from __future__ import annotations

import uuid

from tests.elastic.standins import kibana_send, kibana_webhook
from tests.elastic.standins.kibana_answers import Refusal, platform, strict
from tests.elastic.standins.kibana_http import Route


def routes():
    """Return the routes under /api/actions."""
    one = "/api/actions/connector/{id}"
    return [
        Route("GET", "/api/actions/connector_types", _types),
        Route("GET", "/api/actions/connectors", _list),
        Route("POST", "/api/actions/connector", _create),
        Route("POST", one, _create),
        Route("GET", one, _get),
        Route("PUT", one, _update),
        Route("DELETE", one, _delete),
        Route("POST", one + "/_execute", _execute, locked=False),
    ]


def _types(call):
    strict(call.query, "request query", {}, {"feature_id": str})
    answer = []
    for type_id, (name, least) in kibana_webhook.TYPES.items():
        licensed, configured = kibana_webhook.enabled(call.world, type_id)
        answer.append(
            {
                "id": type_id,
                "name": name,
                "enabled": licensed and configured,
                "enabled_in_config": configured,
                "enabled_in_license": licensed,
                "minimum_license_required": least,
                "supported_feature_ids": ["alerting", "uptime", "siem"],
                "is_system_action_type": False,
            }
        )
    return 200, answer


def _list(call):
    strict(call.query, "request query", {})
    call.demand("connectors:read", "Unauthorized to get actions")
    found = [*call.world.preconfigured, *call.space.connectors]
    return 200, [{**shown(call, each), "referenced_by_count": _references(call.space, each)} for each in found]


def _references(space, connector_id):
    return sum(any(each["id"] == connector_id for each in rule["actions"]) for rule in space.rules.values())


def shown(call, connector_id):
    """Return a connector as the API shows it.

    Raises:
        Refusal: 404.
    """
    if connector_id in call.world.preconfigured:
        entry = call.world.preconfigured[connector_id]
        answer = {"id": connector_id, "name": entry["name"], "connector_type_id": entry["actionTypeId"]}
        if entry.get("exposeConfig"):
            answer["config"] = dict(entry["config"])
        return {**answer, "is_preconfigured": True, "is_deprecated": False, "is_system_action": False}
    if connector_id not in call.space.connectors:
        raise platform(404, f"Saved object [action/{connector_id}] not found")
    entry = call.space.connectors[connector_id]
    return {
        "id": connector_id,
        "name": entry["name"],
        "config": dict(entry["config"]),
        "connector_type_id": entry["connector_type_id"],
        "is_preconfigured": False,
        "is_deprecated": False,
        "is_missing_secrets": False,
        "is_system_action": False,
    }


def _create(call):
    strict(call.query, "request query", {})
    strict(call.body, "request body", {"name": str, "connector_type_id": str}, {"config": dict, "secrets": dict})
    call.demand("connectors:write", f'Unauthorized to create a "{call.body["connector_type_id"]}" action')
    connector_id, type_id = call.args.get("id", str(uuid.uuid4())), call.body["connector_type_id"]
    if "id" in call.args and not call.world.version.own_ids:
        raise platform(404, "Not Found")
    if type_id != kibana_webhook.TYPE:
        raise platform(400, f'Action type "{type_id}" is not registered.')
    if connector_id in call.world.preconfigured:
        raise platform(400, f"This {connector_id} already exists in a preconfigured action.")
    kibana_webhook.check_enabled(call.world, type_id)
    secrets = call.body.get("secrets", {})
    config = kibana_webhook.check(call.world, call.body.get("config", {}), secrets)
    if connector_id in call.space.connectors:
        raise platform(409, f"Saved object [action/{connector_id}] conflict")
    call.space.connectors[connector_id] = {
        "name": call.body["name"],
        "connector_type_id": type_id,
        "config": config,
        "secrets": secrets,
    }
    return 200, shown(call, connector_id)


def _get(call):
    strict(call.query, "request query", {})
    call.demand("connectors:read", "Unauthorized to get actions")
    return 200, shown(call, call.args["id"])


def _update(call):
    strict(call.query, "request query", {})
    strict(call.body, "request body", {"name": str}, {"config": dict, "secrets": dict})
    call.demand("connectors:write", "Unauthorized to update actions")
    if call.args["id"] in call.world.preconfigured:
        raise platform(400, f"Preconfigured action {call.args['id']} can not be updated.")
    shown(call, call.args["id"])
    entry = call.space.connectors[call.args["id"]]
    kibana_webhook.check_enabled(call.world, entry["connector_type_id"])
    # The secrets are replaced whole: what is not sent again is gone (docs 8.2, update connector API).
    secrets = call.body.get("secrets", {})
    config = kibana_webhook.check(call.world, call.body.get("config", {}), secrets)
    entry.update(name=call.body["name"], config=config, secrets=secrets)
    return 200, shown(call, call.args["id"])


def _delete(call):
    strict(call.query, "request query", {})
    call.demand("connectors:write", "Unauthorized to delete actions")
    if call.args["id"] in call.world.preconfigured:
        raise platform(400, f"Preconfigured action {call.args['id']} is not allowed to delete.")
    shown(call, call.args["id"])
    del call.space.connectors[call.args["id"]]
    return 204, None


def _execute(call):
    strict(call.query, "request query", {})
    strict(call.body, "request body", {"params": dict})
    call.demand("connectors:read", "Unauthorized to execute actions")
    with call.world.lock:
        shown(call, call.args["id"])
        kibana_webhook.check_enabled(call.world, kibana_webhook.TYPE)
    # HTTP 200 whatever came of it (execute.test.ts@46e930a5). The body is sent as it is: only rules render.
    return 200, executed(call.world, call.space, call.args["id"], call.body["params"])


def executed(world, space, connector_id, params):
    """Execute a connector that exists, and return the result as the API words it."""
    with world.lock:
        entry = world.preconfigured.get(connector_id) or space.connectors[connector_id]
        config, secrets = dict(entry["config"]), dict(entry.get("secrets", {}))
    wrong = kibana_webhook.check_params(params)
    if wrong is None:
        try:
            config = kibana_webhook.check(world, config, secrets)
        except Refusal as refusal:
            wrong = refusal.body["message"]
    if wrong is not None:
        return {"status": "error", "message": wrong, "retry": False, "connector_id": connector_id}
    return {**kibana_send.send(world, config, secrets, params.get("body", "")), "connector_id": connector_id}
