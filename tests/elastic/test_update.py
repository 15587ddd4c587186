"""update sets what is given on our actions, and nothing else."""

import json

import pytest
from parapet_elastic.editing.rule_actions import EACH_ALERT, EACH_RUN
from parapet_elastic.editing.rules import Selection
from parapet_elastic.errors import Exit
from parapet_elastic.rendering import templates

from tests.elastic.changing import TOKEN, US, Person, action
from tests.elastic.person import Person as Somebody
from tests.elastic.standins.kibana import Kibana

BASIC = templates.load("basic").text
BULK = templates.load("bulk").text


@pytest.fixture
def person(kibana, tmp_path):
    """Somebody with two connectors."""
    found = Person(kibana, tmp_path)
    found.connector()
    found.connector("slack")
    return found


def test_only_what_is_given_changes(person, kibana):
    """Template, frequency and filter each by itself; uuid, order and the others' actions stay."""
    filtered = {"query": {"kql": "user.name: x", "filters": []}}
    rule = kibana.add_rule("A")
    before = [action("slack", "1", TOKEN), action(US, "2", "old", alerts_filter=filtered), action("slack", "3")]
    kibana.set_actions(rule, before)

    assert person.update({"body": "new"}) is Exit.DONE
    assert person.actions(rule) == [before[0], {**before[1], "params": {"body": "new"}}, before[2]]
    assert person.update({"frequency": EACH_ALERT}) is Exit.DONE
    assert person.actions(rule)[1]["frequency"] == EACH_ALERT.to_json()
    assert person.actions(rule)[1]["alerts_filter"] == filtered
    assert person.update({"kql": ""}) is Exit.DONE
    assert "alerts_filter" not in person.actions(rule)[1]
    assert person.actions(rule)[1]["uuid"] == "2"
    assert TOKEN not in person.shown


def test_a_second_update_changes_nothing(person, kibana):
    """And asks nothing."""
    kibana.set_actions(kibana.add_rule("A"), [action(US, "1")])
    person.update({"body": "new"})
    sent = len(person.changes())

    assert person.update({"body": "new"}, yes=False) is Exit.DONE
    assert "0 changes" in person.shown
    assert len(person.changes()) == sent


def test_further_actions_of_ours_are_removed(person, kibana):
    """The first one stays, with its uuid."""
    rule = kibana.add_rule("A")
    kibana.set_actions(rule, [action("slack", "1"), action(US, "2"), action("slack", "3"), action(US, "4", "other")])

    assert person.update({"frequency": EACH_RUN}) is Exit.DONE

    assert [one["uuid"] for one in person.actions(rule)] == ["1", "2", "3"]
    assert "remove 1 more" in person.shown


def test_a_rule_that_does_not_send_is_left_alone(person, kibana):
    """Attach is what makes it send."""
    kibana.set_actions(kibana.add_rule("A"), [action("slack", "1")])

    assert person.update({"body": "new"}) is Exit.DONE
    assert "attach" in person.shown
    assert person.changes() == []


def test_a_rule_that_changed_while_the_question_was_read_is_skipped(person, kibana, monkeypatch):
    """Its list would be overwritten with an older one."""
    rule = kibana.add_rule("A")
    kibana.set_actions(rule, [action(US, "1")])
    newer = [action(US, "1"), action("slack", "2")]

    def meanwhile(_screen, _question):
        kibana.set_actions(rule, newer)
        return True

    monkeypatch.setattr("parapet_elastic.screen.Screen.ask", meanwhile)

    assert person.update({"body": "new"}) is Exit.INCOMPLETE
    assert person.actions(rule) == newer
    assert "changed since the plan" in person.shown


def test_a_refusal_is_reported_and_the_others_are_done(person, kibana):
    """Rule by rule."""
    for name in "ABC":
        kibana.set_actions(kibana.add_rule(name), [action(US, name)])
    bad = kibana.rules()[1]["id"]
    kibana.script("status:400", count=1, when=lambda one: one.method == "PATCH" and one.json["id"] == bad)

    assert person.update({"body": "new"}, json_only=True) is Exit.INCOMPLETE

    assert [one["id"] for one in person.document["failed"]] == [bad]
    assert [one["name"] for one in person.document["done"]] == ["A", "C"]


@pytest.mark.parametrize("fault", ["status:429", "status:500", "status:503", "cut-before", "cut-after"])
def test_what_passes_is_waited_for(person, kibana, fault):
    """Each rule still changes exactly once to what is wanted."""
    for name in "ABC":
        kibana.set_actions(kibana.add_rule(name), [action("slack", "s" + name), action(US, name)])
    kibana.script(fault, count=2, when=lambda one: one.method == "PATCH")

    assert person.update({"body": "new"}) is Exit.DONE

    for rule in kibana.rules():
        assert [one["params"]["body"] for one in rule["actions"]] == ["x", "new"]
    assert person.waits


def test_a_kibana_that_keeps_failing_ends_it_and_the_next_run_goes_on(person, kibana):
    """Two rules without an answer are enough to see that it is not the rule."""
    for name in "ABCD":
        kibana.set_actions(kibana.add_rule(name), [action(US, name)])
    kibana.script("status:500", count=1000, when=lambda one: one.method == "PATCH" and one.json["id"] != first)
    first = kibana.rules()[0]["id"]

    assert person.update({"body": "new"}, json_only=True) is Exit.INCOMPLETE
    assert len(person.document["done"]) == 1
    assert len(person.document["left"]) == 3
    person.standin._server.faults.clear()
    assert person.update({"body": "new"}) is Exit.DONE
    assert all(rule["actions"][0]["params"] == {"body": "new"} for rule in kibana.rules())


@pytest.mark.parametrize("version", ["8.8.2", "8.17.0", "8.18.1", "9.2.0"])
def test_prebuilt_rules_change_on_every_version(tmp_path, version):
    """By PATCH where that is known to work, with the uuids kept; else by set_rule_actions, and a line that says so."""
    with Kibana(version=version) as kibana:
        person = Person(kibana, tmp_path)
        person.connector()
        person.connector("slack")
        rule = kibana.add_rule("A", immutable=True)
        before = [action("slack", "1", TOKEN), action(US, "2")]
        kibana.set_actions(rule, before)

        assert person.update({"body": "new"}) is Exit.DONE
        assert [one["params"]["body"] for one in person.actions(rule)] == [TOKEN, "new"]
        kept = version in ("8.18.1", "9.2.0")
        assert ([one["uuid"] for one in person.actions(rule)] == ["1", "2"]) is kept
        assert ("new uuids" in person.shown) is not kept
        assert person.rollback() is Exit.DONE
        assert person.rollback() is Exit.DONE
        assert "0 changes" in person.shown
        after = person.actions(rule)
        assert (json.dumps(after) == json.dumps(before)) is kept
        assert [one["params"] for one in after] == [one["params"] for one in before]


def test_a_template_and_a_frequency_that_lose_alerts_are_warned_of(person, kibana):
    """In both directions, whichever of the two is set; before the question."""
    summary, single = kibana.add_rule("Summary"), kibana.add_rule("Single")
    kibana.set_actions(summary, [action(US, "1", frequency=EACH_RUN.to_json())])
    kibana.set_actions(single, [action(US, "2", frequency=EACH_ALERT.to_json())])

    person.update({"body": BASIC}, selection=Selection(ids=(summary,)), yes=False)
    assert "Warning: basic sends one alert" in person.shown
    person.update({"body": BULK}, selection=Selection(ids=(single,)), yes=False)
    assert "Warning: bulk for each alert" in person.shown
    person.update({"body": BULK}, selection=Selection(ids=(summary,)))
    assert "Warning: b" not in person.shown
    person.update({"frequency": EACH_ALERT}, selection=Selection(ids=(summary,)), yes=False)
    assert "Warning: bulk for each alert" in person.shown


def test_the_plan_says_which_template_becomes_which(person, kibana):
    """By the names that are in them."""
    kibana.set_actions(kibana.add_rule("A"), [action(US, "1", BASIC)])
    person.update({"body": BULK}, dry_run=True)
    assert "template basic/1 -> bulk/1" in person.shown
    person.update({"body": "mine"}, dry_run=True)
    assert "template basic/1 -> own" in person.shown


def test_without_a_wish_our_templates_are_refreshed_and_others_stay(kibana, tmp_path):
    """Each by its own name; of several actions of ours one stays."""
    person = Person(kibana, tmp_path)
    person.connector()
    ours, own, twice = kibana.add_rule("Ours"), kibana.add_rule("Own"), kibana.add_rule("Twice")
    older = BULK.replace("{{! ", "{{! older ")
    kibana.set_actions(ours, [action(US, "1", older)])
    kibana.set_actions(own, [action(US, "2", '{"mine": 1}')])
    kibana.set_actions(twice, [action(US, "3", BASIC), action(US, "4", '{"mine": 1}')])

    found = Somebody(kibana, PARAPET_ELASTIC_STATE=str(tmp_path))("update", "--all", "--yes")

    assert found.code == 0, found
    assert person.actions(ours) == [action(US, "1", BULK)]
    assert person.actions(own) == [action(US, "2", '{"mine": 1}')]
    assert person.actions(twice) == [action(US, "3", BASIC)]
