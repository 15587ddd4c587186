"""The part of KQL that can be answered here. Must not need a Kibana."""

import pytest
from parapet_elastic.backfilling.kql import Unknown, matcher

ALERT = {
    "kibana": {"alert": {"severity": "high", "risk_score": 73, "rule": {"name": "A rule"}}},
    "host": {"name": "srv-1", "ip": ["10.0.0.1", "10.0.0.2"]},
    "user": {"name": None, "admin": True},
    "tags": "a[1]?",
    "source": {"ip": "10.1.2.3", "port": 443, "bytes": 1769612400},
    "@timestamp": "2026-01-28T15:00:00.000Z",
    "file": {"name": "Cmd.exe", "hash": {"md5": "x" * 300}},
}


@pytest.mark.parametrize(
    "query",
    [
        "kibana.alert.severity: high",
        "kibana.alert.severity : (low or high)",
        "kibana.alert.severity: high and host.name: srv-*",
        "host.name: nobody OR host.name: *-1",
        "not host.name: nobody",
        "host.ip: 10.0.0.2",
        "host.ip: (10.0.0.1 and 10.0.0.2)",
        "host.name: (not nobody)",
        "kibana.alert.rule.name: A rule",
        'kibana.alert.rule.name: "A rule"',
        "not (host.name: nobody or source.port: 1)",
        "not host.ip: 10.0.0.3",
        "kibana.alert.risk_score: 73",
        "kibana.alert.risk_score >= 73 and kibana.alert.risk_score < 74.5",
        "host.name: *",
        "user.admin: true",
        "tags: a[1]*",
        "labels.missing: x or host.name: srv-1",
    ],
)
def test_these_match(query):
    """As in Kibana."""
    assert matcher(query)(ALERT)


@pytest.mark.parametrize(
    "query",
    [
        "kibana.alert.severity: low",
        "kibana.alert.severity: high and host.name: nobody",
        "host.name: (srv-1 and nobody)",
        'host.name: "srv-*"',
        "kibana.alert.risk_score > 73",
        "host.name: srv-1 and not user.admin: true",
        "not host.name: srv-1",
        "tags: b[1]*",
    ],
)
def test_these_do_not(query):
    """As in Kibana."""
    assert matcher(query)(ALERT) is False


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
        "source.ip: 10.0.0.0/8",
        'source.ip: "10.0.0.0/8"',
        "not source.ip: 10.0.0.0/8",
        'source.ip: "fe80::1"',
        "source.ip >= 10.0.0.0",
        "@timestamp >= now-1d",
        '@timestamp: "2026-01-28"',
        "@timestamp: now",
        "error.message: denied",
        "my_own.field: x",
        "winlog.event_id: 1",
        "host.*: srv-1",
        "user.name: null",
        "(" * 3000 + "host.name:b" + ")" * 3000,
        "not " * 3000 + "host.name:b",
        "host.name:" + "(" * 3000 + "b" + ")" * 3000,
    ],
)
def test_these_have_no_answer_here(query):
    """A guess would leave alerts out, or not."""
    with pytest.raises(Unknown):
        matcher(query)


@pytest.mark.parametrize(
    "query",
    [
        "labels.missing: x",
        "user.name: *",
        "host.name.keyword: srv-1",
        "host: *",
        "source.ip: 10.*",
        "source.ip < 9",
        "@timestamp: 2026",
        "@timestamp: *-01-*",
        "source.bytes: 2026",
        "source.bytes > 2026",
        "source.port: 443.0",
        "source.port: 0443",
        "source.port: abc",
        "source.port: 4*",
        "host.name > 5",
        "kibana.alert.severity: HIGH",
        "file.name: cmd.*",
        "kibana.alert.rule.name: rule",
        "file.hash.md5: " + "x" * 300,
        "user.admin: 1",
        "labels.missing: x and host.name: srv-1",
        "labels.missing: x or host.name: nobody",
        "host.name: (not nobody) and host.ip: abc",
    ],
)
@pytest.mark.parametrize("but", ["", "not "])
def test_what_only_elasticsearch_knows_is_neither_yes_nor_no(query, but):
    """It hangs on how the field is indexed; and the opposite of what is not known is not known."""
    assert matcher(f"{but}({query})")(ALERT) is None


def test_a_doubt_does_not_spoil_what_is_certain():
    """The other half decides."""
    assert matcher("labels.missing: x or host.name: srv-1")(ALERT) is True
    assert matcher("labels.missing: x and host.name: nobody")(ALERT) is False
