"""test: sends one body through the connector, and says in words what came of it."""

from __future__ import annotations

import json

import pytest
from parapet_elastic.answers import explain
from parapet_elastic.rendering.renderer import render
from parapet_elastic.rendering.samples import contexts
from parapet_elastic.rendering.templates import load

from tests.elastic.person import Person
from tests.elastic.standins.kibana import Kibana
from tests.elastic.standins.tenant import Answer, ElasticTenant

ID = "parapet-security"


@pytest.fixture
def person(kibana, tenant):
    """Somebody who has run connect."""
    found = Person(kibana, PARAPET_TOKEN=tenant.token)
    assert found("connect", "--webhook-url", tenant.url).code == 0
    return found


def test_an_accepted_alert_is_reported_and_is_what_preview_shows(person, tenant):
    """The rendered body, not the template: Kibana's own test button sends that."""
    result = person("test")
    assert result.code == 0
    assert "accepted" in result.out
    assert tenant.bodies == [json.loads(render(load("basic").text, contexts()["one alert"]))]
    assert person("test", "--json", "--template", "bulk").json["status"] == "ok"
    assert len(tenant.bodies[1]["alerts"]) == 3


@pytest.mark.parametrize("version", ["8.8.0", "8.19.0", "9.1.0"])
def test_it_works_where_the_token_is_a_header_of_the_config(version, tenant):
    """As before 9.2."""
    with Kibana(version=version) as kibana:
        found = Person(kibana, PARAPET_TOKEN=tenant.token)
        assert found("connect", "--webhook-url", tenant.url, "--token-in-clear").code == 0
        assert found("test").code == 0
    assert len(tenant.bodies) == 1


def test_a_real_alert_can_be_sent(person, kibana, tenant):
    """The customer's own."""
    kibana.add_alerts(kibana.add_rule("Mine"), [{"host": {"name": "h"}}])
    assert person("test", "--real").code == 0
    assert tenant.bodies[0]["rule"]["name"] == "Mine"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "lint"),
        (401, "token"),
        (403, "tenant"),
        (404, "webhook"),
        (413, "too large"),
        (415, "Content-Type"),
        (418, "418"),
        (429, "rate limited"),
        (500, "trouble"),
        (503, "trouble"),
    ],
)
def test_a_refusal_is_explained_although_kibana_says_200(person, tenant, status, said):
    """With what to do, and Kibana's own words."""
    tenant.script(Answer(status, body=b'{"message": "words of the tenant"}'))
    result = person("test")
    assert result.code == 1
    assert said in result.out
    assert "\n-> " in result.out
    assert "Kibana's own words: error calling webhook" in result.out
    assert len(tenant.requests) == 1


def test_a_wrong_token_is_the_first_thing_to_be_told(person, tenant):
    """As after it was revoked."""
    tenant.token = "pst_" + "another"
    result = person("test", "--json")
    assert result.code == 1
    assert "token" in result.json["problem"]
    assert "connect" in result.json["todo"]


def test_nobody_there_is_told_from_a_host_without_a_name(person, tenant):
    """The network has its own words."""
    tenant.close()
    assert "nobody listens" in person("test").out


def test_a_certificate_that_kibana_does_not_trust_is_explained(certs, kibana):
    """It is Kibana's trust, not ours."""
    with ElasticTenant(certs) as tenant:
        found = Person(kibana, PARAPET_TOKEN=tenant.token)
        assert found("connect", "--webhook-url", tenant.url).code == 0
        result = found("test")
    assert result.code == 1
    assert "customHostSettings" in result.out


def test_hosts_that_were_forbidden_meanwhile_are_explained(person, kibana):
    """Somebody has changed kibana.yml since."""
    kibana.world.allowed_hosts = ("other.example.com",)
    result = person("test")
    assert result.code == 1
    assert "xpack.actions.allowedHosts" in result.out


def test_secrets_that_are_gone_are_explained(person, kibana, tenant):
    """As after an import of saved objects: the tenant sees no token."""
    kibana.world.spaces["default"].connectors[ID]["secrets"] = {}
    result = person("test")
    assert result.code == 1
    assert "token" in result.out


@pytest.mark.parametrize("body", ["{", "{{none}}", '{"a": NaN}', '{"tags": [{{#rule.tags}}"{{.}}",{{/rule.tags}}]}'])
def test_what_is_no_json_is_not_sent(person, tenant, tmp_path, body):
    """Kibana would send it as one JSON string, and Parapet would wonder."""
    path = tmp_path / "t.mustache"
    path.write_text(body)
    result = person("test", "--template", str(path))
    assert result.code == 1
    assert "Nothing was sent" in result.out
    assert tenant.requests == []


def test_without_a_connector_it_says_how_to_make_one(kibana):
    """The usual order."""
    result = Person(kibana)("test")
    assert result.code == 2
    assert "parapet-elastic connect" in result.err


def test_a_lost_answer_is_no_reason_to_send_it_twice(person, kibana, tenant):
    """Whether it was sent can be seen in Parapet only."""
    kibana.script("cut-after", when=lambda record: record.path.endswith("_execute"))
    result = person("test")
    assert result.code == 3
    assert "no answer" in result.err
    assert "look in Parapet" in result.err
    assert len(tenant.bodies) == 1


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("odd", [{}, [], "ok", {"message": "x"}])
def test_an_answer_that_says_nothing_is_no_success(person, monkeypatch, odd):
    """Whoever gave it: 200 alone means that somebody answered."""
    monkeypatch.setattr("tests.elastic.standins.kibana_connectors.executed", lambda *_: odd)
    result = person("test")
    assert result.code == 3
    assert "not what its API promises" in result.err
    assert "accepted" not in result.out


def test_a_busy_kibana_is_asked_again(person, kibana, tenant):
    """429 says that it was not done."""
    kibana.script("status:429", when=lambda record: record.path.endswith("_execute"))
    result = person("test")
    assert result.code == 0
    assert "waiting" in result.err
    assert len(tenant.bodies) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("error calling webhook, request failed [ENOTFOUND] getaddrinfo ENOTFOUND x", "resolve"),
        ("error calling webhook, request failed [EAI_AGAIN] getaddrinfo EAI_AGAIN x", "resolve"),
        ("error calling webhook, request failed [ETIMEDOUT] connect ETIMEDOUT", "in time"),
        ("error calling webhook, request failed [ECONNRESET] socket hang up", "cut"),
        ("error calling webhook, request failed [ECONNABORTED] timeout of 60000ms exceeded", "in time"),
        ("error calling webhook, request failed [DEPTH_ZERO_SELF_SIGNED_CERT] self-signed certificate", "trust"),
        ("error calling webhook, request failed [CERT_HAS_EXPIRED] certificate has expired", "trust"),
        ("error calling webhook, request failed [ERR_TLS_CERT_ALTNAME_INVALID] Hostname", "trust"),
        ("error calling webhook, request failed [ERR_FR_MAX_BODY_LENGTH_EXCEEDED] Request body", "too large"),
        ("error calling webhook, invalid response [302] Found", "elsewhere"),
        ("unable to decrypt secrets", "secrets"),
        ("something new", "could not send"),
        ("", "could not send"),
    ],
)
def test_every_word_that_kibana_may_say_has_an_explanation(words, said):
    """And something to do."""
    problem, todo = explain(words)
    assert said in problem
    assert todo
