"""attach gives each rule exactly one action of ours. Must not test what interrupts it."""

import json

import pytest
from parapet_elastic.editing.rule_actions import EACH_RUN, Wanted
from parapet_elastic.editing.rules import Selection
from parapet_elastic.errors import Exit, Failure

from tests.elastic.changing import TOKEN, US, WANTED, Person, action
from tests.elastic.standins.kibana import Kibana


@pytest.fixture
def person(kibana, tmp_path):
    """Somebody who has run connect."""
    found = Person(kibana, tmp_path / "state")
    found.connector()
    found.connector("slack")
    return found


def test_three_hundred_rules_get_it_once_and_a_rollback_takes_it_back_byte_for_byte(person, kibana):
    """The whole way: plan, batches of 100, "0 changes" the second time, every rule as it was."""
    for number in range(300):
        rule = kibana.add_rule(f"Rule {number}", immutable=number % 3 == 0)
        kibana.set_actions(rule, [action("slack", f"slack-{number}", TOKEN)] * (number % 2))
    before = person.all_actions()

    assert person.attach() is Exit.DONE
    assert person.ours() == [1] * 300
    assert "300 changes" in person.shown
    assert [len(one.json["ids"]) for one in person.changes()] == [100, 100, 100]
    assert person.attach() is Exit.DONE
    assert "0 changes, 300 rules stay as they are." in person.shown
    assert len(person.changes()) == 3
    assert person.rollback() is Exit.DONE
    assert person.all_actions() == before
    assert person.rollback() is Exit.DONE
    assert "0 changes" in person.shown
    assert TOKEN not in person.shown


def test_the_action_is_as_wanted(person, kibana):
    """Connector, template, frequency and filter."""
    rule = kibana.add_rule("A")
    wanted = Wanted(US, "{{rule.id}}", EACH_RUN, "kibana.alert.severity: high")

    person.attach(wanted)

    (found,) = person.actions(rule)
    assert found["params"] == {"body": "{{rule.id}}"}
    assert found["frequency"] == {"summary": True, "notifyWhen": "onActiveAlert", "throttle": None}
    assert found["alerts_filter"]["query"]["kql"] == "kibana.alert.severity: high"
    assert found["action_type_id"] == ".webhook"


def test_the_plan_names_each_rule_and_what_changes(person, kibana):
    """Name, id, and why a rule stays as it is; nothing of a template."""
    new = kibana.add_rule("New")
    sends = kibana.add_rule("Sends")
    differs = kibana.add_rule("Differs")
    kibana.set_actions(sends, [{**WANTED.to_json(), "action_type_id": ".webhook", "uuid": "1"}])
    kibana.set_actions(differs, [action(US, "2", TOKEN)])

    person.attach(dry_run=True)

    lines = {line.split()[0]: line for line in person.shown.splitlines() if line}
    assert new in lines["New"]
    assert "each alert" in lines["New"]
    assert "sends already" in lines["Sends"]
    assert "update" in lines["Differs"]
    assert TOKEN not in person.shown
    assert person.changes() == []


def test_a_dry_run_shows_what_kibana_would_refuse(person, kibana):
    """Kibana is asked with dry_run=true; nothing is changed, and no snapshot is kept."""
    bad = kibana.add_rule("Bad")
    kibana.add_rule("Good")
    kibana.fail_rule(bad, "mlAuth is missing", "MACHINE_LEARNING_AUTH")

    assert person.attach(dry_run=True) is Exit.DONE

    assert "Kibana would refuse: mlAuth is missing (MACHINE_LEARNING_AUTH)" in person.shown
    assert "1 change," in person.shown
    assert person.ours() == [0, 0]
    assert not person.state.exists()


def test_a_rule_that_kibana_refuses_is_reported_and_the_others_are_done(person, kibana):
    """The answer is a 500 "Bulk edit partially failed" with the results in it."""
    bad = kibana.add_rule("Bad")
    for number in range(5):
        kibana.add_rule(f"Good {number}")
    kibana.fail_rule(bad, "it is broken")

    assert person.attach(json_only=True) is Exit.INCOMPLETE

    assert person.document["failed"] == [{"id": bad, "name": "Bad", "why": "it is broken"}]
    assert len(person.document["done"]) == 5
    assert person.document["left"] == []
    assert sum(person.ours()) == 5
    kibana.heal_rule(bad)
    assert person.attach() is Exit.DONE
    assert person.ours() == [1] * 6


def test_a_missing_connector_is_found_before_anything_is_planned(kibana, tmp_path):
    """It says what to run."""
    kibana.add_rule("A")
    person = Person(kibana, tmp_path)

    with pytest.raises(Failure) as caught:
        person.attach()

    assert "connect" in caught.value.todo
    assert person.changes() == []
    assert not any(one.path.endswith("_find") for one in kibana.requests)


def test_a_no_and_no_terminal_change_nothing(person, kibana):
    """Exit code DECLINED, no snapshot."""
    kibana.add_rule("A")

    assert person.attach(yes=False) is Exit.DECLINED
    assert person.ours() == [0]
    assert not person.state.exists()


def test_an_old_kibana_is_refused_with_a_sentence(tmp_path):
    """8.7 has no actions for each alert."""
    with Kibana(version="8.7.1") as old:
        old.add_rule("A")
        with pytest.raises(Failure) as caught:
            Person(old, tmp_path).attach()

    assert caught.value.exit is Exit.REFUSED
    assert "8.8" in str(caught.value)


@pytest.mark.parametrize(("key", "words"), [(True, "API key"), (False, "rights of the user elastic")])
def test_whoever_changes_rules_is_told_whose_rights_they_will_have(kibana, tmp_path, key, words):
    """Rules stop with the API key that edited them last."""
    kibana.add_rule("A")
    person = Person(kibana, tmp_path, key=key)
    person.connector()

    person.attach()

    assert words in person.shown
    assert kibana.api_key not in person.shown
    assert kibana.password not in person.shown


def test_copies_that_an_interrupted_run_left_are_removed(person, kibana):
    """One stays; what somebody else, or a filter of its own, has put there stays too."""
    rule = kibana.add_rule("A")
    ours = {**WANTED.to_json(), "action_type_id": ".webhook"}
    kibana.set_actions(rule, [{**ours, "uuid": "1"}, action("slack", "2"), {**ours, "uuid": "3"}])

    assert person.attach() is Exit.DONE

    assert [one["uuid"] for one in person.actions(rule)] == ["1", "2"]


def test_a_rule_that_somebody_attaches_while_the_question_is_read_does_not_get_it_twice(person, kibana, monkeypatch):
    """The rules are read again after the question."""
    rule = kibana.add_rule("A")
    other = kibana.add_rule("B")

    def meanwhile(_screen, _question):
        kibana.set_actions(rule, [action(US, "1")])
        kibana.remove_rule(other)
        return True

    monkeypatch.setattr("parapet_elastic.screen.Screen.ask", meanwhile)

    assert person.attach() is Exit.INCOMPLETE

    assert [one["uuid"] for one in person.actions(rule)] == ["1"]
    assert "somebody has attached it" in person.shown
    assert "gone" in person.shown


def test_a_space_of_its_own(tmp_path):
    """Rules of another space stay as they are."""
    with Kibana(spaces=("default", "soc")) as kibana:
        kibana.add_rule("A")
        kibana.add_rule("B", space="soc")
        person = Person(kibana, tmp_path, space="soc")
        person.connector()

        assert person.attach() is Exit.DONE

        assert person.ours() == [1]
        assert kibana.rules()[0]["actions"] == []


def test_the_json_document_is_all_of_standard_output(person, kibana):
    """Plan, done, skipped, failed; the token in somebody's body is not in it."""
    rule = kibana.add_rule("A\x1b[31m")
    kibana.set_actions(rule, [action("slack", "1", TOKEN)])

    person.attach(json_only=True)

    assert person.document["plan"] == [{"id": rule, "name": "A\x1b[31m", "change": "send own, each alert"}]
    assert person.document["done"] == [{"id": rule, "name": "A\x1b[31m"}]
    assert person.document["exit"] == 0
    assert TOKEN not in person.shown
    assert "\x1b" not in person.shown
    assert person.document["snapshot"].endswith("-attach.json")


def test_a_snapshot_is_on_disk_before_the_first_change(person, kibana):
    """And holds what was there before."""
    rule = kibana.add_rule("A")
    kibana.set_actions(rule, [action("slack", "1", TOKEN)])

    person.attach()

    (path,) = (person.state / "snapshots").iterdir()
    document = json.loads(path.read_text())
    assert document["rules"] == [{"id": rule, "name": "A", "actions": [action("slack", "1", TOKEN)]}]
    assert document["finished"]
    assert kibana.api_key not in path.read_text()


def test_without_a_snapshot_nothing_is_changed(person, kibana):
    """The state folder is a file here."""
    kibana.add_rule("A")
    person.state.write_text("")

    with pytest.raises(Failure):
        person.attach()

    assert person.changes() == []


def test_a_selection_leaves_the_other_rules_alone(person, kibana):
    """Only what is named is changed."""
    kibana.add_rule("Suspicious A", tags=["x"])
    kibana.add_rule("Suspicious B", tags=["y"])
    kibana.add_rule("Other", tags=["x"])

    person.attach(selection=Selection(names=("suspicious *",), tags=("x",)))

    assert person.ours() == [1, 0, 0]


def test_two_different_actions_of_ours_are_left_to_update(person, kibana):
    """Somebody may have meant it so."""
    rule = kibana.add_rule("A")
    before = [action(US, "1", "one"), action(US, "2", "two")]
    kibana.set_actions(rule, before)

    assert person.attach() is Exit.DONE
    assert person.actions(rule) == before
    assert "`update` leaves one" in person.shown


def test_a_refusal_of_everything_ends_with_its_own_exit_code(person, kibana):
    """The right to change rules was taken away after the plan; nothing is done, and it says why."""
    kibana.add_rule("A")
    kibana.rights.discard("rules:write")

    with pytest.raises(Failure) as caught:
        person.attach()

    assert caught.value.exit is Exit.REFUSED
    assert "unauthorized" in str(caught.value)
    assert person.ours() == [0]


def test_a_refusal_of_everything_leaves_no_snapshot_before_that_of_the_last_change(person, kibana):
    """Or the next rollback would have nothing to undo."""
    kibana.add_rule("A")
    person.attach()
    (before,) = person.state.glob("snapshots/*.json")
    kibana.add_rule("B")
    kibana.rights.discard("rules:write")
    with pytest.raises(Failure):
        person.attach()
    assert list(person.state.glob("snapshots/*.json")) == [before]


def test_more_rules_than_a_bulk_edit_takes_are_no_problem(person, kibana):
    """Kibana's limit is 2,000 rules in one edit; batches of 100 stay below it."""
    for number in range(2050):
        kibana.add_rule(f"{number}")

    assert person.attach() is Exit.DONE
    assert person.ours() == [1] * 2050
