"""Answers that are JSON and not what Kibana promises: one line and exit code 3, never a mistake of this program."""

from __future__ import annotations

import json

import pytest
from parapet_elastic import wire

from tests.elastic.person import Person

ID = "parapet-security"
URL = "https://webhook-us.parapetsecurity.com/webhook/acme"
RULE = {"id": "r", "name": "R", "enabled": True, "tags": [], "actions": []}
ACTION = {"id": ID, "params": {"body": "x"}, "group": "default"}


def page(*rules, **more):
    """A page of a list of rules."""
    return {"data": list(rules), "total": len(rules), "page": 1, "perPage": 100, **more}


@pytest.fixture
def person(kibana, tmp_path):
    """Somebody with a connector, a rule that sends, and one that does not."""
    found = Person(kibana, PARAPET_ELASTIC_STATE=str(tmp_path / "state"))
    assert found("connect", "--webhook-url", URL).code == 0
    kibana.add_rule("One")
    assert found("attach", "--all", "--yes").code == 0
    kibana.add_rule("Two")
    return found


@pytest.fixture
def says(monkeypatch):
    """Call it with the end of a path, and what comes from there instead."""
    send = wire.Wire.send

    def change(ending, body, status=200):
        def sent(self, method, path, *rest):
            if path.endswith(ending):
                return wire.Answer(status, {}, json.dumps(body).encode())
            return send(self, method, path, *rest)

        monkeypatch.setattr(wire.Wire, "send", sent)

    return change


CASES = [
    ("status", "/_find", odd)
    for odd in (
        None,
        [],
        "x",
        {},
        {"data": {}, "total": 1},
        page("x"),
        page({**RULE, "id": 7}),
        page({**RULE, "tags": "x"}),
        page({**RULE, "actions": "x"}),
        page({**RULE, "actions": [{"group": "default"}]}),
        page({**RULE, "actions": [{**ACTION, "frequency": "x"}]}),
        page({**RULE, "actions": [{**ACTION, "alerts_filter": {"query": "x"}}]}),
        page(RULE, total=None),
        page(RULE, total="x"),
    )
]
CASES += [("status", "/connector/" + ID, odd) for odd in (None, [], "x", {"config": "x"}, {"config": {"headers": []}})]
CASES += [("status", "/connectors", odd) for odd in (None, {"x": 1}, ["x"], [{}])]
CASES += [
    ("status", "/_action_error_log", odd)
    for odd in (None, [], {}, {"errors": None}, {"errors": ["x"], "totalErrors": 1})
]
CASES += [("connect --webhook-url " + URL, "/connector_types", odd) for odd in (None, {"x": 1}, ["x"])]
CASES += [
    ("preview --real", "/signals/search", odd)
    for odd in (None, [], {}, {"hits": {}}, {"hits": {"hits": "x"}}, {"hits": {"hits": [{"_id": "a"}]}})
]
CASES += [("status --rule-id 7a6ff41e-22f4-4dee-a2b5-b6a2e1b4c001", "/rules", odd) for odd in ("x", [], {"id": 1})]


@pytest.mark.parametrize(("command", "path", "odd"), CASES)
def test_an_odd_answer_is_named_by_where_it_came_from(person, says, command, path, odd):
    """Whoever looks for the cause knows where to begin."""
    says(path, odd)
    result = person(*command.split())
    assert result.code == 3, result
    assert "is not what its API promises" in result.err
    assert path.rpartition("/")[2] in result.err


@pytest.mark.parametrize(
    "odd",
    [
        {"attributes": {"results": {"updated": [{}]}}},
        {"attributes": {"results": {"updated": "x"}}},
        {"attributes": {"results": {}, "errors": ["x"]}},
        {"attributes": {"results": {}, "errors": [{"status_code": "x", "rules": [{"id": "r"}]}]}},
        {"attributes": {"results": {}, "errors": [{"status_code": 500, "rules": [{}]}]}},
    ],
)
def test_an_odd_answer_to_a_change_ends_with_the_report(person, says, odd):
    """What is done is said, whatever came in between."""
    says("/_bulk_action", odd)
    result = person("attach", "--all", "--yes")
    assert result.code in {3, 5}, result
    assert "is not what its API promises" in result.err


def test_a_list_without_end_is_left_when_a_page_brings_nothing_new(person, kibana, says):
    """Its total alone would be believed for ever."""
    says("/_find", page(RULE, total=9_999))
    result = person("status")
    assert result.code == 5
    assert "changes while it is read" in result.err


def test_more_rules_than_kibana_lists_are_to_be_narrowed(person, says):
    """Elasticsearch pages up to ten thousand."""
    says("/_find", page(RULE, total=10_001))
    result = person("status")
    assert result.code == 2
    assert "10001 rules match" in result.err
    assert "--kql" in result.err


def test_what_refuses_to_say_its_status_is_heard(person, says):
    """A gateway may say what is wrong."""
    says("/api/status", {"message": "no such route: ask the gateway team"}, 404)
    result = person("status")
    assert result.code == 3
    assert "is not Kibana: it says no such route" in result.err
