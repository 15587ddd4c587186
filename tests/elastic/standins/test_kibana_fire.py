"""The stand-in runs rules: alerts, modes, filters, throttles, and what a tenant gets of it."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.elastic.standins.firing import EACH, ONE, RUN, attach, connect, events
from tests.elastic.standins.kibana import Kibana
from tests.elastic.standins.kibana_world import UTC, Clock
from tests.elastic.standins.talk import Talk

HOURLY = {"summary": True, "notifyWhen": "onThrottleInterval", "throttle": "1h"}
ALL = '{"source":"elastic","count":{{state.signals_count}},"alerts":[{{{context.alerts}}}],"rule":"{{alert.id}}"}'


@pytest.fixture(autouse=True)
def no_schema(monkeypatch):
    """The bodies here are about Kibana, not about our templates."""
    monkeypatch.setattr("tests.elastic.standins.elastic_contract.check_schema", lambda _body: None)


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
    """A hundred by default, and a thousand at most."""
    assert len(kibana.fire(kibana.add_rule("A"), events(101))) == 100
    assert len(kibana.fire(kibana.add_rule("B", max_signals=2000), events(1001))) == 1000


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


def test_an_alerts_filter_looks_at_a_hundred_alerts_only(kibana, tenant):
    """In any version: those beyond are not sent, whether they match or not (contract section 3)."""
    connect(kibana, tenant)
    kql = {"query": {"kql": "host.name: *", "filters": []}}
    rule = attach(kibana, ONE, EACH, alerts_filter=kql)
    kibana.world.spaces["default"].rules[rule]["max_signals"] = 102
    assert len(kibana.fire(rule, events(102))) == 102
    assert len(tenant.bodies) == 100


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
