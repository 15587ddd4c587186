"""The shipped templates on the Kibana stand-in, whose variables are its own, to a tenant that knows their schema."""

from __future__ import annotations

import pytest
from parapet_elastic.rendering import templates

from tests.elastic.standins.firing import EACH, RUN, attach, connect
from tests.elastic.standins.kibana import Kibana

FULL = {
    "host": {"name": "h1", "ip": ["10.0.0.1", "fe80::1"], "os": {"name": "Windows 11"}},
    "user": {"name": 'j"smith', "domain": "CORP"},
    "process": {"name": "a.exe", "pid": 4711, "command_line": 'a.exe "{{rule.name}}"\r\n\u2028 \x07'},
    "source": {"ip": ["1.2.3.4", "5.6.7.8"], "port": 443, "geo": {"country_name": "Côte d'Ivoire"}},
    "destination.ip": "203.0.113.7",
    "event": {"action": "start", "category": ["process"]},
}


@pytest.mark.parametrize("base", ["https://kb.example.com", None])
@pytest.mark.parametrize("frequency", [EACH, RUN])
@pytest.mark.parametrize("name", templates.NAMES)
@pytest.mark.parametrize("version", ["8.8.0", "8.19.0", "9.1.0", "9.2.0"])
def test_every_body_is_taken(tenant, version, name, frequency, base):
    """A full alert, an empty one, and lists; for each alert and in a summary; with and without publicBaseUrl."""
    with Kibana(version, public_base_url=base) as kibana:
        connect(kibana, tenant)
        rule = attach(kibana, templates.load(name).text, frequency)
        hits = kibana.fire(rule, [FULL, {}, {"host.name": ["h2", "h3"], "user.name": None}])
        assert tenant.refusals == []
        assert len(tenant.bodies) == (3 if frequency is EACH else 1)
        assert all(hits[0]["_id"] in record.body.decode() for record in tenant.accepted[:1])
