"""status: which rules send and how, which do not, and what failed; it changes nothing."""

from __future__ import annotations

import pytest
from parapet_elastic import status
from parapet_elastic.rendering import templates

from tests.elastic.person import Person
from tests.elastic.standins.kibana import Kibana
from tests.elastic.standins.tenant import Answer

ID = "parapet-security"


def action(body='{"mine": 1}', connector_id=ID, **more):
    """An action as Kibana stores it."""
    return {
        "id": connector_id,
        "action_type_id": ".webhook",
        "group": "default",
        "params": {"body": body},
        "frequency": {"summary": False, "notifyWhen": "onActiveAlert", "throttle": None},
        "uuid": "1",
        **more,
    }


@pytest.fixture
def person(kibana, tenant):
    """Somebody who has run connect."""
    found = Person(kibana, PARAPET_TOKEN=tenant.token)
    assert found("connect", "--webhook-url", tenant.url).code == 0
    return found


def test_without_a_connector_or_a_rule_that_sends_it_ends_with_1(kibana, tenant):
    """Nothing arrives then: a script has to hear of it. What to do is said."""
    person = Person(kibana, PARAPET_TOKEN=tenant.token)
    result = person("status")
    assert result.code == 1
    assert "Sending to Parapet Security: 0 rules." in result.out
    assert "parapet-elastic connect" in result.out
    person("connect", "--webhook-url", tenant.url)
    kibana.add_rule("One")
    result = person("status")
    assert result.code == 1
    assert "parapet-elastic attach" in result.out
    kibana.set_actions(kibana.rules()[0]["id"], [action()])
    assert person("status").code == 0


def test_each_rule_that_sends_is_shown_with_how(person, kibana):
    """Frequency, template, filter, and whether it is enabled."""
    first = kibana.add_rule("First")
    kibana.set_actions(first, [action(templates.load("basic").text)])
    second = kibana.add_rule("Second", enabled=False)
    hourly = {"summary": True, "notifyWhen": "onThrottleInterval", "throttle": "1h"}
    only = {"query": {"kql": "host.name: x", "filters": []}}
    kibana.set_actions(second, [action('{"mine": 1}', frequency=hourly, alerts_filter=only)])
    kibana.add_rule("Third")
    kibana.add_rule("Fourth", enabled=False)
    result = person("status")
    assert result.code == 0
    lines = result.out.splitlines()
    assert "Sending to Parapet Security: 2 rules:" in lines
    assert next(line.split() for line in lines if line.startswith("First")) == [
        "First", first, "yes", "each", "alert", "basic",
    ]  # fmt: skip
    assert next(line.split() for line in lines if line.startswith("Second")) == [
        "Second", second, "no", "every", "1h", "own", "host.name:", "x",
    ]  # fmt: skip
    assert "Enabled, and not sending: 1 rule:" in lines
    assert any(line.startswith("Third") for line in lines)
    assert "Disabled, and not sending: 1 rule." in lines
    assert "No action failed in the last 7 days." in lines
    assert "No action failed in the last 1 day." in person("status", "--days", "1").out
    assert person("status", "--json").json["fine"] is True


def test_a_template_of_another_version_is_told_from_ours_and_from_others(person, kibana):
    """`update` brings it up to date."""
    older = templates.load("basic").text.replace("{{date}}", "{{ date }}")
    kibana.set_actions(kibana.add_rule("Older"), [action(older)])
    result = person("status")
    assert result.code == 0
    assert "basic (changed, or of another version)" in result.out
    assert "update" in result.out


def test_a_rule_that_sends_twice_needs_a_look(person, kibana):
    """Each alert arrives twice."""
    kibana.set_actions(kibana.add_rule("Twice"), [action(), action(uuid="2")])
    result = person("status")
    assert result.code == 1
    assert "Sending more than once" in result.out


def test_an_action_whose_connector_is_gone_needs_a_look(person, kibana):
    """Ours and others'; Kibana's own actions are no connectors."""
    kibana.set_actions(kibana.add_rule("One"), [action(connector_id="gone")])
    assert person("status", "--json").json["dangling"][0]["connector"] == "gone"
    kibana.set_actions(kibana.rules()[0]["id"], [action(), action(connector_id="system-connector-.cases", uuid="2")])
    assert person("status").code == 0
    kibana.set_actions(kibana.rules()[0]["id"], [action()])
    del kibana.world.spaces["default"].connectors[ID]
    result = person("status")
    assert result.code == 1
    assert "Without its connector: 1 action:" in result.out


def test_failed_actions_are_shown_with_the_newest_words(person, kibana, tenant):
    """Of our connector; another one's on the same rule is somebody else's."""
    rule = kibana.add_rule("Failing")
    kibana.set_actions(rule, [action('{"a": 1}')])
    tenant.always(Answer(401, body=b'{"message": "no"}'))
    kibana.fire(rule, [{}])
    result = person("status", "--json")
    assert result.code == 1
    (failure,) = result.json["failures"]
    assert (failure["name"], failure["count"]) == ("Failing", 1)
    assert ID in failure["message"]
    shown = person("status")
    assert "Actions that failed in the last 7 days:" in shown.out
    assert "backfill" in shown.out
    kibana.world.spaces["default"].action_errors[0]["message"] = (
        "action execution failure: .webhook:another: Another - error calling webhook"
    )
    assert person("status").code == 0


def test_failures_that_cannot_be_read_are_no_failure(person, kibana):
    """It is an internal interface of Kibana's."""
    kibana.set_actions(kibana.add_rule("One"), [action()])
    kibana.script("status:403", when=lambda record: "_action_error_log" in record.path)
    result = person("status")
    assert result.code == 0
    assert "could not be read" in result.out


def test_a_selection_looks_at_those_rules_only(person, kibana):
    """As attach takes it; one that selects nothing is told."""
    kibana.add_rule("One", tags=["a"])
    kibana.add_rule("Two", tags=["b"], enabled=False)
    assert [each["name"] for each in person("status", "--tag", "a", "--json").json["silent"]] == ["One"]
    assert person("status", "--enabled-only", "--json").json["disabled"] == 0
    assert person("status", "--tag", "nothing").code == 2


def test_it_changes_nothing(person, kibana):
    """It only reads."""
    kibana.set_actions(kibana.add_rule("One"), [action()])
    before = len(kibana.requests)
    person("status")
    assert {record.method for record in kibana.requests[before:]} == {"GET"}


def test_a_name_cannot_steer_the_terminal(person, kibana):
    """Rules are written by others."""
    kibana.set_actions(kibana.add_rule("evil\x1b[2J\u202e\nname"), [action()])
    result = person("status")
    assert r"evil\x1b[2J\u202e\nname" in result.out
    assert "\x1b" not in result.out


@pytest.mark.parametrize("version", ["8.8.0", "9.1.0"])
def test_older_kibanas_are_read_too(version):
    """The same routes."""
    with Kibana(version=version) as kibana:
        kibana.set_actions(kibana.add_rule("One"), [action()])
        result = Person(kibana)("status", "--json")
    assert [each["name"] for each in result.json["sending"]] == ["One"]


def test_a_rule_whose_template_has_errors_is_named(person, kibana, monkeypatch):
    """Each distinct template is looked at once."""
    seen = []
    really = status.lint.lint
    monkeypatch.setattr(status.lint, "lint", lambda text: seen.append(text) or really(text))
    for name in ("One", "Two"):
        kibana.set_actions(kibana.add_rule(name), [action('{"a": }')])
    kibana.set_actions(kibana.add_rule("Sound"), [action(templates.load("basic").text)])

    result = person("status", "--json")

    assert result.code == 1
    assert [each["name"] for each in result.json["broken"]] == ["One", "Two"]
    assert len(seen) == 2
    assert "With errors in the template" in person("status").out
