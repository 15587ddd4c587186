"""The part of KQL that can be answered here. Must not need a Kibana."""

import pytest
from parapet_elastic.backfilling.kql import Unknown, matcher

ALERT = {
    "kibana": {"alert": {"severity": "high", "risk_score": 73, "rule": {"name": "A rule"}}},
    "host": {"name": "srv-1", "ip": ["10.0.0.1", "10.0.0.2"]},
    "user": {"name": None, "admin": True},
    "odd": "a[1]?",
}


@pytest.mark.parametrize(
    "query",
    [
        "kibana.alert.severity: high",
        "kibana.alert.severity : (low or high)",
        "kibana.alert.severity: high and host.name: srv-*",
        "host.name: nobody OR host.name: *-1",
        "not host.name: nobody",
        "not (host.name: nobody or host.ip: 1)",
        "host.ip: 10.0.0.2",
        "host.ip: (10.0.0.1 and 10.0.0.2)",
        "host.name: (not nobody)",
        'kibana.alert.rule.name: "A rule"',
        "kibana.alert.rule.name: A rule",
        "kibana.alert.risk_score: 73",
        "kibana.alert.risk_score >= 73 and kibana.alert.risk_score < 74.5",
        "host.*: srv-1",
        "host.name: *",
        "user.admin: true",
        "not user.name: *",
        "odd: a[1]*",
        "@missing: x or host.name: srv-1",
    ],
)
def test_these_match(query):
    """As in Kibana."""
    assert matcher(query)(ALERT)


@pytest.mark.parametrize(
    "query",
    [
        "kibana.alert.severity: low",
        "kibana.alert.severity: HIGH",
        "kibana.alert.severity: high and host.name: nobody",
        "host.name: (srv-1 and nobody)",
        'host.name: "srv-*"',
        "kibana.alert.risk_score > 73",
        "kibana.alert.risk_score: abc",
        "user.name: *",
        "host.name: srv-1 and not user.admin: true",
        "not host.name: srv-1",
        "odd: b[1]*",
    ],
)
def test_these_do_not(query):
    """As in Kibana."""
    assert not matcher(query)(ALERT)


@pytest.mark.parametrize(
    "query",
    [
        "free text",
        "host: {name: x}",
        "message: x",
        "a.text: x",
        "a:",
        "(a: b",
        "a: b)",
        "and",
        "a: b or",
        "a: x\\*y*",
        'a: "b',
        "a < ",
    ],
)
def test_these_have_no_answer_here(query):
    """A guess would leave alerts out, or not."""
    with pytest.raises(Unknown):
        matcher(query)
