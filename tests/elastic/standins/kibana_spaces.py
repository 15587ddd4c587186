"""The spaces of the Kibana stand-in, as far as anybody may ask for one. Must not make any.

x-pack/platform/plugins/shared/spaces/server/routes/api/external/get.ts in elastic/kibana.
"""

from __future__ import annotations

from tests.elastic.standins.kibana_answers import platform, strict
from tests.elastic.standins.kibana_http import Route


def routes():
    """Return the one route."""
    return [Route("GET", "/api/spaces/space/{id}", _get)]


def _get(call):
    strict(call.query, "request query", {})
    if not call.caller.user.rights:
        raise platform(403, f"Unauthorized to get {call.args['id']} space")
    if call.args["id"] not in call.world.spaces:
        raise platform(404, "Not Found")
    return 200, {"id": call.args["id"], "name": call.args["id"], "disabledFeatures": []}
