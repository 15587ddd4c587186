"""Whatever an alert holds, our templates give valid JSON with the right names, ids and counts."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parapet_elastic.rendering import javascript as js
from parapet_elastic.rendering.renderer import render
from parapet_elastic.rendering.samples import PLACE, RULE
from parapet_elastic.rendering.templates import NAMES, load
from parapet_elastic.rendering.variables import Place, alert_document, per_alert, summary

_SCHEMA = jsonschema.Draft202012Validator(
    json.loads((Path(__file__).parents[1] / "contract" / "elastic.schema.json").read_text("utf-8"))
)
# Hypothesis's own characters have no lone surrogates, and the others are rare among its texts.
_HARD = [
    '"',
    "\\",
    "\n",
    "\r",
    "\x00",
    "\x1f",
    "\x7f",
    "\u2028",
    "\u2029",
    "\ud800",
    "\udc00",
    "{{tags}}",
    "{{#rule}}",
    "{{/x}}",
]
_TEXTS = st.lists(
    st.one_of(st.sampled_from([*_HARD, "'''", "}", ",", "#", "//", "é🛡", ""]), st.text(max_size=4)), max_size=5
).map("".join)
_SCALARS = st.one_of(
    _TEXTS, st.none(), st.booleans(), st.integers(), st.floats(allow_nan=True), st.just(0), st.just(""), st.just(2**63)
)
_NAMES = [
    *(
        "name",
        "hostname",
        "id",
        "ip",
        "mac",
        "os",
        "os.name",
        "domain",
        "pid",
        "executable",
        "command_line",
        "port",
        "geo",
    ),
    *("type", "version", "direction", "protocol", "country_name", "0", "tags", "rule", "x y", "ä", ""),
]
_OBJECTS = [
    *(
        "host",
        "user",
        "agent",
        "process",
        "source",
        "destination",
        "network",
        "file",
        "event",
        "rule",
        "tags",
        "context",
    ),
    *(
        "state",
        "params",
        "alerts",
        "date",
        "host.name",
        "host.os.name",
        "user.name",
        "source.ip",
        "process.pid",
        "@timestamp",
    ),
    *("FormatDate", "ParseHjson", "constructor", "valueOf", "length", "asJSON", "last"),
]


def _values(inner):
    return st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(_NAMES), inner, max_size=4))


_VALUES = st.recursive(_SCALARS, _values, max_leaves=6)
_KIBANAS = st.fixed_dictionaries(
    {},
    optional={
        "kibana.alert.reason": _TEXTS,
        "kibana.alert.url": _TEXTS,
        "kibana.alert.severity": st.sampled_from(["low", "critical"]),
        "kibana.alert.workflow_status": st.just("open"),
        "kibana.alert.original_time": st.just("2026-01-28T15:29:40.000Z"),
        "kibana.alert.risk_score": st.one_of(st.just(0), st.integers(0, 100), st.floats(0, 100), st.none()),
    },
)
_SOURCES = st.builds(
    lambda event, kibana: {**event, **kibana}, st.dictionaries(st.sampled_from(_OBJECTS), _VALUES, max_size=6), _KIBANAS
)
_ALERTS = st.builds(
    lambda identity, source: {"_id": identity, "_index": ".alerts", "_source": source}, _TEXTS.filter(bool), _SOURCES
)
_RULES = st.builds(
    lambda name, tags, score: {**RULE, "name": name, "tags": tags, "risk_score": score},
    _TEXTS,
    st.lists(_TEXTS, max_size=3),
    st.integers(0, 100),
)
_PLACES = st.sampled_from([PLACE, Place("soc", None, PLACE.date)])


def _body(name, variables):
    body = json.loads(render(load(name).text, variables))
    _SCHEMA.validate(body)
    return body


def _host(alert):
    """The host's name where it is a text, or lists of texts; None where it is something else."""
    host = js.parsed(alert_document(alert)).get("host")
    name = host.get("name") if isinstance(host, dict) else ""
    if isinstance(name, list) and all(isinstance(item, str) for item in name):
        return js.joined(",".join(name))
    return "" if name is None else name if isinstance(name, str) else None


def _same(given, found):
    return given is None or given == found


@settings(max_examples=120, deadline=None)
@given(rule=_RULES, alert=_ALERTS, place=_PLACES)
@pytest.mark.parametrize("name", ["basic", "custom_fields"])
def test_one_alert_gives_its_own_id_host_and_counts(name, rule, alert, place):
    """Whatever is in it."""
    body = _body(name, per_alert(rule, alert, place))

    assert body["rule"]["name"] == js.joined(rule["name"])
    assert body["rule"]["tags"] == [js.joined(tag) for tag in rule["tags"]]
    assert body["alert"]["id"] == body["dedup_key"] == js.joined(alert["_id"])
    assert body["alert"]["risk_score"] == (alert["_source"].get("kibana.alert.risk_score") or 0)
    assert (body["alert_count"], body["alerts_sent"]) == (1, 1)
    assert _same(_host(alert), body["host"]["name"])


@settings(max_examples=120, deadline=None)
@given(rule=_RULES, alerts=st.lists(_ALERTS, max_size=4), place=_PLACES, more=st.integers(0, 3))
def test_a_summary_gives_every_alert_and_both_counts(rule, alerts, place, more):
    """In their order, and with the documents where the template has them."""
    variables = summary(rule, alerts, place, total=len(alerts) + more)
    bulk, basic = _body("bulk", variables), _body("basic", variables)
    ids = [js.joined(alert["_id"]) for alert in alerts]

    assert [alert["id"] for alert in bulk["alerts"]] == ids == [signal["_id"] for signal in basic["signals"]]
    assert (bulk["summary"]["total_alerts"], bulk["summary"]["alerts_sent"]) == (len(alerts) + more, len(alerts))
    assert bulk["summary"]["rule_name"] == js.joined(rule["name"])
    assert all(_same(_host(alert), found["host"]) for alert, found in zip(alerts, bulk["alerts"]))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("word", ["toString", "asJSON", "toJSON", "valueOf", "constructor", "length"])
def test_a_field_with_a_name_of_javascripts_does_no_harm(name, word):
    """In the event, in its objects, and in a list's place."""
    source = {word: "x", "host": {word: "x", "name": "h"}, "user": {word: {"a": 1}}, "source": [{word: 1}]}
    alert = {"_id": "1", "_index": "i", "_source": source}

    assert _body(name, per_alert(RULE, alert, PLACE))["rule"]["name"] == RULE["name"]


@pytest.mark.parametrize("name", NAMES)
def test_only_an_object_with_a_field_tostring_in_the_place_of_a_text_breaks_a_body(name):
    """JavaScript cannot make a text of it, in any template; Kibana sends the error's text instead."""
    alert = {"_id": "1", "_index": "i", "_source": {"host": {"name": {"toString": "x"}}}}
    body = render(load(name).text, per_alert(RULE, alert, PLACE))

    assert body.startswith("error rendering mustache template")
    assert body.endswith(": Cannot convert object to primitive value")
