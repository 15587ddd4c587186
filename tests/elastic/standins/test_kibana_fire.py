"""The stand-in runs rules: alerts, modes, filters, throttles, retries, and what a tenant gets of it."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from tests.elastic.standins.kibana import Kibana
from tests.elastic.standins.kibana_world import UTC, Clock
from tests.elastic.standins.talk import Talk
from tests.elastic.standins.tenant import Answer, ElasticTenant, Mode

LOG = "/internal/alerting/rule/{}/_action_error_log"
EACH = {"summary": False, "notifyWhen": "onActiveAlert", "throttle": None}
RUN = {"summary": True, "notifyWhen": "onActiveAlert", "throttle": None}
HOURLY = {"summary": True, "notifyWhen": "onThrottleInterval", "throttle": "1h"}
ONE = '{"source":"elastic","id":"{{context.alerts.0._id}}","host":"{{context.alerts.0.host.name}}","alert":"{{alert.id}}"}'
ALL = '{"source":"elastic","count":{{state.signals_count}},"alerts":[{{{context.alerts}}}],"rule":"{{alert.id}}"}'


@pytest.fixture(autouse=True)
def no_schema(monkeypatch):
    """The bodies here are about Kibana, not about our templates."""
    monkeypatch.setattr("tests.elastic.standins.elastic_contract.check_schema", lambda _body: None)


def connect(kibana, tenant, **config):
    """Create the connector "p" to a tenant."""
    kibana.world.spaces["default"].connectors["p"] = {
        "name": "Parapet Security",
        "connector_type_id": ".webhook",
        "config": {
            "url": tenant.url,
            "method": "post",
            "hasAuth": False,
            "headers": {"Content-Type": "application/json"},
            **config,
        },
        "secrets": {"secretHeaders": {"Authorization": "Bearer " + tenant.token}},
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


def errors(kibana, rule):
    """The messages of failed actions, newest first."""
    status, body = Talk(kibana)("GET", LOG.format(rule), date_start="24h", per_page=100)
    assert status == 200
    assert body["totalErrors"] == len(body["errors"])
    return [each["message"] for each in body["errors"]]


def test_for_each_alert_one_request_comes(kibana, tenant):
    """With the alert's own id and fields, rendered."""
    connect(kibana, tenant)
    hits = kibana.fire(attach(kibana, ONE, EACH), events(2))
    ids = [hit["_id"] for hit in hits]
    assert [body["id"] for body in tenant.bodies] == ids
    assert [body["alert"] for body in tenant.bodies] == ids
    assert [body["host"] for body in tenant.bodies] == ["h0", "h1"]
    assert kibana.alerts() == hits


def test_a_summary_holds_all_alerts_of_the_run_and_the_rules_id(kibana, tenant):
    """alert.id of a summary is the rule's."""
    connect(kibana, tenant)
    rule = attach(kibana, ALL, RUN)
    kibana.fire(rule, events(3))
    (body,) = tenant.bodies
    assert body["count"] == 3
    assert [each["host"]["name"] for each in body["alerts"]] == ["h0", "h1", "h2"]
    assert body["alerts"][0]["kibana"]["alert"]["rule"]["uuid"] == rule
    assert body["rule"] == rule


@pytest.mark.parametrize(("version", "shown"), [("8.8.0", 100), ("8.19.0", 120), ("9.2.0", 120)])
def test_a_summary_before_8_18_holds_a_hundred_documents_and_the_full_count(tenant, version, shown):
    """The rest is lost, and only the count tells."""
    with Kibana(version) as kibana:
        connect(kibana, tenant)
        kibana.world.spaces["default"].connectors["p"]["secrets"] = {}
        kibana.world.spaces["default"].connectors["p"]["config"]["headers"]["Authorization"] = "Bearer " + tenant.token
        rule = attach(kibana, ALL, RUN)
        kibana.world.spaces["default"].rules[rule]["max_signals"] = 200
        kibana.fire(rule, events(120))
        (body,) = tenant.bodies
        assert (body["count"], len(body["alerts"])) == (120, shown)


def test_a_run_without_alerts_sends_no_summary(kibana, tenant):
    """Nothing happened, nothing is said."""
    connect(kibana, tenant)
    assert kibana.fire(attach(kibana, ALL, RUN), []) == []
    assert tenant.requests == []


def test_an_event_makes_one_alert_however_often_it_is_found(kibana, tenant):
    """The alert's id comes from the event's."""
    connect(kibana, tenant)
    rule = attach(kibana, ONE, EACH)
    assert len(kibana.fire(rule, [{"_id": "e1"}, {"_id": "e1"}])) == 1
    assert kibana.fire(rule, [{"_id": "e1"}]) == []
    assert len(tenant.requests) == 1


def test_max_signals_is_the_most_that_a_run_makes(kibana):
    """A hundred by default."""
    assert len(kibana.fire(kibana.add_rule("A"), events(101))) == 100


def test_a_throttled_summary_comes_once_in_its_period_with_all_of_it(tenant):
    """The clock is the stand-in's own."""
    with Kibana() as kibana:
        connect(kibana, tenant)
        rule = attach(kibana, ALL, HOURLY)
        kibana.fire(rule, events(1))
        kibana.clock.advance(1800)
        kibana.fire(rule, events(2))
        kibana.clock.advance(1801)
        kibana.fire(rule, events(3))
        assert [body["count"] for body in tenant.bodies] == [1, 5]


def test_an_alerts_filter_lets_only_its_alerts_through(kibana, tenant):
    """For each alert and in a summary."""
    connect(kibana, tenant)
    kql = {"query": {"kql": "host.name: (h0 or h2) and kibana.alert.risk_score >= 70", "filters": []}}
    kibana.fire(attach(kibana, ONE, EACH, alerts_filter=kql), events(3))
    assert [body["host"] for body in tenant.bodies] == ["h0", "h2"]
    kibana.fire(attach(kibana, ALL, RUN, alerts_filter=kql), events(3))
    assert tenant.bodies[-1]["count"] == 2


def test_a_timeframe_lets_actions_run_in_its_hours_only(tenant):
    """In the time zone that it names: 07:30 UTC is 08:30 in Berlin in winter."""
    frame = {
        "timeframe": {
            "days": [1, 2, 3, 4, 5],
            "hours": {"start": "08:00", "end": "18:00"},
            "timezone": "Europe/Berlin",
        }
    }
    with Kibana(clock=Clock(dt.datetime(2026, 1, 28, 6, 30, tzinfo=UTC))) as kibana:
        connect(kibana, tenant)
        rule = attach(kibana, ONE, EACH, alerts_filter=frame)
        kibana.fire(rule, events(1))
        assert tenant.requests == []
        kibana.clock.advance(3600)
        kibana.fire(rule, events(1))
        assert len(tenant.bodies) == 1
        kibana.clock.advance(3 * 86400)
        kibana.fire(rule, events(1))
        assert len(tenant.bodies) == 1


def test_a_rule_that_is_off_does_not_run(kibana):
    """Nor does one whose API key was deleted."""
    assert kibana.fire(kibana.add_rule("A", enabled=False), events(1)) == []
    rule = kibana.add_rule("B")
    Talk(kibana)("PATCH", "/api/detection_engine/rules", {"id": rule, "actions": []})
    assert len(kibana.fire(rule, events(1))) == 1
    kibana.accounts.revoke_key(kibana.api_key)
    assert kibana.fire(rule, events(1)) == []


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


def test_alerts_can_be_stored_without_any_action(kibana, tenant):
    """At a time of one's choice."""
    connect(kibana, tenant)
    rule = attach(kibana, ONE, EACH)
    at = dt.datetime(2026, 1, 28, 15, 30, 1, 50000, tzinfo=UTC)
    (hit,) = kibana.add_alerts(rule, events(1), at=at)
    assert hit["_source"]["@timestamp"] == "2026-01-28T15:30:01.050Z"
    assert hit["_source"]["kibana.alert.uuid"] == hit["_id"]
    assert tenant.requests == []


def test_the_url_of_an_alert_needs_public_base_url(certs):
    """As kibana.alert.url does."""
    for base, there in (("https://kb.example.com", True), (None, False)):
        with Kibana(public_base_url=base) as kibana:
            (hit,) = kibana.fire(kibana.add_rule("A"), events(1))
            assert ("kibana.alert.url" in hit["_source"]) is there
