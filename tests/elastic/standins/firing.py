"""What the stand-in's tests of running rules share: a connector, a rule with one action, events. Must not hold a test."""

from __future__ import annotations

EACH = {"summary": False, "notifyWhen": "onActiveAlert", "throttle": None}
RUN = {"summary": True, "notifyWhen": "onActiveAlert", "throttle": None}
ONE = '{"source":"elastic","id":"{{context.alerts.0._id}}","host":"{{context.alerts.0.host.name}}","alert":"{{alert.id}}"}'


def connect(kibana, tenant):
    """Create the connector "p" to a tenant, with the token where this version can keep it."""
    headers, token = {"Content-Type": "application/json"}, {"Authorization": "Bearer " + tenant.token}
    hidden = kibana.world.version.secret_headers
    kibana.world.spaces["default"].connectors["p"] = {
        "name": "Parapet Security",
        "connector_type_id": ".webhook",
        "config": {
            "url": tenant.url,
            "method": "post",
            "hasAuth": False,
            "headers": headers if hidden else {**headers, **token},
        },
        "secrets": {"secretHeaders": token} if hidden else {},
    }


def attach(kibana, body, frequency, **more):
    """A rule with one action."""
    rule = kibana.add_rule("A")
    action = {"id": "p", "action_type_id": ".webhook", "group": "default", "uuid": "u", "params": {"body": body}}
    kibana.set_actions(rule, [{**action, "frequency": frequency, **more}])
    return rule


def events(count, **fields):
    """So many events of as many hosts."""
    return [{"host": {"name": f"h{place}"}, **fields} for place in range(count)]
