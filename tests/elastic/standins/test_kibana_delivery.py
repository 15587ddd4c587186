"""The stand-in delivers: retries, what is dropped, and the log of failed actions."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from tests.elastic.standins.firing import EACH, ONE, attach, connect, events
from tests.elastic.standins.kibana import Kibana
from tests.elastic.standins.talk import Talk
from tests.elastic.standins.tenant import Answer, ElasticTenant, Mode

LOG = "/internal/alerting/rule/{}/_action_error_log"


@pytest.fixture(autouse=True)
def no_schema(monkeypatch):
    """The bodies here are about Kibana, not about our templates."""
    monkeypatch.setattr("tests.elastic.standins.elastic_contract.check_schema", lambda _body: None)


def errors(kibana, rule):
    """The messages of failed actions, newest first."""
    status, body = Talk(kibana)("GET", LOG.format(rule), date_start="24h", per_page=100)
    assert status == 200
    assert body["totalErrors"] == len(body["errors"])
    return [each["message"] for each in body["errors"]]


def test_a_failed_delivery_is_tried_three_times_and_then_dropped_and_logged(kibana, tenant):
    """Any refusal: what is not marked as retryable is retried too."""
    connect(kibana, tenant)
    rule = attach(kibana, ONE, EACH)
    tenant.token = "pst_other"
    kibana.fire(rule, events(1))
    assert (len(tenant.requests), kibana.waiting) == (1, 1)
    before = kibana.clock.now()
    assert kibana.execute_retries() == 2
    assert kibana.clock.now() - before > dt.timedelta(seconds=330)
    assert (len(tenant.requests), kibana.waiting) == (3, 0)
    assert (
        errors(kibana, rule)
        == [
            (
                "action execution failure: .webhook:p: Parapet Security - error calling webhook, invalid response: "
                "[401] Unauthorized: the token is not valid"
            )
        ]
        * 3
    )


def test_a_retry_that_succeeds_brings_the_same_body(kibana, tenant):
    """Rendered once."""
    connect(kibana, tenant)
    tenant.script(Answer(503))
    kibana.fire(attach(kibana, ONE, EACH), events(1))
    assert kibana.execute_retries() == 1
    assert [record.status for record in tenant.requests] == [503, 200]
    assert tenant.requests[0].body == tenant.requests[1].body


def test_retry_after_in_seconds_is_kept_and_a_date_is_not_understood(kibana, tenant):
    """ParseInt makes nothing of an HTTP date."""
    connect(kibana, tenant)
    rule = attach(kibana, ONE, EACH)
    for after, least, most in (("7200", 7199, 7230), ("Wed, 21 Oct 2099 07:28:00 GMT", 29, 60)):
        tenant.script(Answer(429, retry_after=after))
        before = kibana.clock.now()
        kibana.fire(rule, events(1))
        kibana.execute_retries()
        assert least <= (kibana.clock.now() - before).total_seconds() <= most


def test_the_number_of_attempts_is_a_setting(tenant):
    """xpack.actions.run.maxAttempts."""
    with Kibana(max_attempts=1) as kibana:
        connect(kibana, tenant)
        tenant.always(Answer(500))
        kibana.fire(attach(kibana, ONE, EACH), events(1))
        assert kibana.waiting == 0
        assert len(kibana.attempts) == 1


def test_a_connector_that_is_gone_and_a_licence_that_is_too_small_fail_the_action(kibana, tenant):
    """Nothing is sent."""
    rule = attach(kibana, ONE, EACH)
    kibana.fire(rule, events(1))
    assert errors(kibana, rule) == ["action execution failure: .webhook:p - Saved object [action/p] not found"]
    connect(kibana, tenant)
    kibana.world.license = "basic"
    kibana.fire(rule, events(1))
    assert "your basic license does not support it" in errors(kibana, rule)[0]
    assert tenant.requests == []


def test_a_template_that_gives_no_json_arrives_as_one_string_and_the_tenant_says_so(kibana, tenant):
    """Axios packs it; Kibana shows the tenant's message."""
    connect(kibana, tenant)
    rule = attach(kibana, '{"source":"elastic",{{rule.name}}}', EACH)
    kibana.fire(rule, events(1))
    assert json.loads(tenant.requests[0].body) == '{"source":"elastic",A}'
    assert "your template is broken" in errors(kibana, rule)[0]


def test_a_template_that_cannot_be_parsed_is_sent_as_an_error_text(kibana, tenant):
    """The action does not fail by itself (contract section 2)."""
    connect(kibana, tenant)
    kibana.fire(attach(kibana, '{"a": "{{rule.name"}', EACH), events(1))
    assert json.loads(tenant.requests[0].body).startswith("error rendering mustache template")


def test_a_body_that_is_no_string_fails_without_a_retry(kibana, tenant):
    """The API takes it (elastic/kibana#139614), and the connector does not."""
    connect(kibana, tenant)
    kibana.fire(attach(kibana, {"a": 1}, EACH), events(1))
    assert kibana.waiting == 0
    assert "expected value of type [string]" in kibana.attempts[0].result["message"]


def test_a_tenant_that_answers_nothing_is_a_failed_request(kibana):
    """It is retried as well."""
    with ElasticTenant(None, tls=False) as tenant:
        connect(kibana, tenant)
        tenant.script(Answer(mode=Mode.CLOSE_UNANSWERED))
        rule = attach(kibana, ONE, EACH)
        kibana.fire(rule, events(1))
        assert errors(kibana, rule) == [
            (
                "action execution failure: .webhook:p: Parapet Security - error calling webhook, request failed: "
                "[ECONNRESET] socket hang up"
            )
        ]
        kibana.execute_retries()
        assert len(tenant.bodies) == 1


def test_the_log_of_failed_actions_has_pages_and_a_period(kibana):
    """And is no public route."""
    rule = attach(kibana, ONE, EACH)
    kibana.fire(rule, events(3))
    talk, path = Talk(kibana), LOG.format(rule)
    everything = talk("GET", path, date_start="1h", per_page=10)[1]["errors"]
    assert [set(each) for each in everything] == [{"id", "timestamp", "type", "message"}] * 3
    assert [each["timestamp"] for each in everything] == sorted((e["timestamp"] for e in everything), reverse=True)
    page = talk("GET", path, date_start="1h", per_page=2, page=2)[1]
    assert (page["totalErrors"], page["errors"]) == (3, everything[2:])
    assert talk("GET", path, date_start="1h", date_end="2020-01-01T00:00:00Z")[1] == {"totalErrors": 0, "errors": []}
    assert talk("GET", path)[0] == 400
    assert talk("GET", path, date_start="yesterday")[0] == 400
    assert talk("GET", LOG.format("x"), date_start="1h")[0] == 404


def test_internal_routes_want_elastics_header_from_9_0_on():
    """Before that anybody may ask."""
    for version, wanted in (("8.19.0", 200), ("9.1.0", 400)):
        with Kibana(version) as kibana:
            rule = kibana.add_rule("A")
            talk = Talk(kibana, x_elastic_internal_origin=None)
            assert talk("GET", LOG.format(rule), date_start="1h")[0] == wanted


def test_all_alerts_of_one_run_share_its_id(kibana):
    """And those of the next have another: backfill puts summaries together by it."""
    rule = kibana.add_rule("r")
    kibana.fire(rule, [{"n": 1}, {"n": 2}])
    kibana.fire(rule, [{"n": 3}])
    runs = [hit["_source"]["kibana.alert.rule.execution.uuid"] for hit in kibana.alerts()]
    assert runs[0] == runs[1] != runs[2]
