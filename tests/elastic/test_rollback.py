"""rollback puts back what a snapshot holds, and not the work of others."""

import json
import os

import pytest
from parapet_elastic.errors import Exit, Failure

from tests.elastic.changing import US, Person, action
from tests.elastic.standins.kibana import Kibana


@pytest.fixture
def person(kibana, tmp_path):
    """Somebody with two connectors."""
    found = Person(kibana, tmp_path)
    found.connector()
    found.connector("slack")
    return found


def _snapshots(person):
    return sorted((person.state / "snapshots").iterdir())


def test_the_newest_change_is_taken_back_and_an_older_one_by_its_file(person, kibana):
    """attach, update, rollback, rollback of the attach."""
    rule = kibana.add_rule("A")
    person.attach()
    attached = person.all_actions()
    person.update({"body": "new"})

    assert person.rollback() is Exit.DONE
    assert person.all_actions() == attached
    assert person.rollback(_snapshots(person)[0]) is Exit.DONE
    assert person.actions(rule) == []


def test_a_rollback_can_be_taken_back_by_its_file(person, kibana):
    """It keeps a snapshot, too."""
    kibana.add_rule("A")
    person.attach()
    attached = person.all_actions()
    person.rollback()

    assert person.rollback(_snapshots(person)[-1]) is Exit.DONE
    assert person.all_actions() == attached


def test_what_others_changed_since_stays_unless_it_is_to_be_overwritten(person, kibana):
    """It is named, the others are put back, and the exit code says that it is not all."""
    mine, theirs = kibana.add_rule("Mine"), kibana.add_rule("Theirs")
    person.attach()
    kibana.set_actions(theirs, [*person.actions(theirs), action("slack", "1")])

    assert person.rollback() is Exit.FOUND
    assert "changed since; --overwrite" in person.shown
    assert person.actions(mine) == []
    assert [one["id"] for one in person.actions(theirs)] == [US, "slack"]
    assert person.rollback(overwrite=True) is Exit.DONE
    assert person.actions(theirs) == []


def test_a_change_of_ours_by_hand_does_not_stop_it(person, kibana):
    """Only others' actions are protected."""
    rule = kibana.add_rule("A")
    person.attach()
    kibana.set_actions(rule, [{**person.actions(rule)[0], "params": {"body": "by hand"}}])

    assert person.rollback() is Exit.DONE
    assert person.actions(rule) == []


def test_a_rule_that_is_gone_is_reported(person, kibana):
    """And keeps no other from being put back."""
    gone, stays = kibana.add_rule("A"), kibana.add_rule("B")
    person.attach()
    kibana.remove_rule(gone)

    assert person.rollback(json_only=True) is Exit.INCOMPLETE
    assert {"id": gone, "name": "A", "why": "the rule is gone"} in person.document["skipped"]
    assert person.actions(stays) == []


def test_a_dry_run_puts_nothing_back(person, kibana):
    """It shows the plan."""
    kibana.add_rule("A")
    person.attach()
    before = person.all_actions()

    assert person.rollback(dry_run=True) is Exit.DONE
    assert "1 action -> 0, as before" in person.shown
    assert person.all_actions() == before


def test_a_snapshot_of_another_space_is_refused(tmp_path):
    """The ids would be another space's rules."""
    with Kibana(spaces=("default", "soc")) as kibana:
        kibana.add_rule("A")
        person = Person(kibana, tmp_path)
        person.connector()
        person.attach()
        elsewhere = Person(kibana, tmp_path, space="soc")

        with pytest.raises(Failure) as caught:
            elsewhere.rollback(_snapshots(person)[0])
        assert "--space default" in caught.value.todo
        with pytest.raises(Failure):
            elsewhere.rollback()


def test_an_interrupted_rollback_goes_on(person, kibana):
    """The second run does what is left."""
    for number in range(5):
        kibana.add_rule(f"{number}")
    before = person.all_actions()
    person.attach()
    kibana.script("status:401", count=1, when=lambda one: one.method == "PATCH" and one.json["id"] == third)
    third = kibana.rules()[2]["id"]

    assert person.rollback() is Exit.INCOMPLETE
    assert person.rollback() is Exit.DONE
    assert person.all_actions() == before


def test_an_interrupted_attach_is_taken_back_as_one(person, kibana):
    """Two runs, one rollback; and a later run does not take these entries over again."""
    for number in range(150):
        kibana.add_rule(f"{number}")
    before = person.all_actions()
    batches = []

    def second(one):
        if one.path.endswith("_bulk_action") and one not in batches:
            batches.append(one)
        return len(batches) == 2 and one is batches[1]

    kibana.script("status:401", when=second)
    assert person.attach() is Exit.INCOMPLETE
    assert sum(person.ours()) == 100
    assert person.attach() is Exit.DONE
    assert sum(person.ours()) == 150

    assert person.rollback() is Exit.DONE
    assert person.all_actions() == before
    assert all(json.loads(path.read_text())["finished"] for path in _snapshots(person))


def test_an_update_is_taken_back_alone_and_the_interrupted_attach_before_it_is_named(person, kibana):
    """Else going back from the update would take our action off."""
    for number in range(150):
        kibana.add_rule(f"{number}")
    batches = []

    def second(one):
        if one.path.endswith("_bulk_action") and one not in batches:
            batches.append(one)
        return len(batches) == 2 and one is batches[1]

    kibana.script("status:401", when=second)
    assert person.attach() is Exit.INCOMPLETE
    attached = person.all_actions()
    assert person.update({"body": "new"}) is Exit.DONE

    assert person.rollback() is Exit.DONE
    assert person.all_actions() == attached
    assert "interrupted attach" in person.shown
    assert str(_snapshots(person)[0]) in person.shown
    assert person.rollback(_snapshots(person)[0]) is Exit.DONE
    assert sum(person.ours()) == 0


def test_a_full_disk_at_the_end_is_a_warning(person, kibana, monkeypatch):
    """What is done is done, and the report says so; so does the rollback's."""
    kibana.add_rule("A")
    person.attach()
    sync = os.fsync
    for command in (lambda: person.update({"body": "new"}, json_only=True), lambda: person.rollback(json_only=True)):
        calls = []

        def full(handle, calls=calls):
            calls.append(handle)
            if len(calls) > 1:
                raise OSError(28, "No space left on device")
            sync(handle)

        monkeypatch.setattr(os, "fsync", full)
        assert command() is Exit.DONE
        assert len(person.document["done"]) == 1
        assert "No space left" in person.shown
        assert len(calls) > 1


def test_the_snapshots_are_listed_and_a_broken_one_among_them(person, kibana):
    """The newest first, with what they hold."""
    kibana.add_rule("A")
    person.attach()
    person.update({"body": "new"})
    (person.state / "snapshots" / "19990101T000000.000000Z-attach.json").write_text("{")

    assert person.snapshots(json_only=True) is Exit.DONE

    listed = person.document["snapshots"]
    assert [one["file"].partition("-")[2] for one in listed] == ["update.json", "attach.json", "attach.json"]
    assert listed[0]["what"] == "1 rule, finished"
    assert listed[0]["url"] == kibana.url
    assert "broken" in listed[2]["what"]


def test_without_a_snapshot_the_list_says_where_it_looked(person):
    """It is another folder, probably."""
    assert person.snapshots() is Exit.DONE
    assert str(person.state) in person.shown


def test_without_the_connector_nothing_is_planned(person, kibana):
    """The actions would lead nowhere: what to run is said once."""
    kibana.add_rule("A")
    person.attach()
    person.detach()
    del kibana.world.spaces["default"].connectors[US]

    with pytest.raises(Failure, match="there is no connector") as caught:
        person.rollback()
    assert "connect" in caught.value.todo


def test_a_run_that_changed_nothing_leaves_no_snapshot(person, kibana):
    """It would be the newest, and a rollback to it would do nothing."""
    kibana.add_rule("A")
    person.attach()
    kibana.script("status:403", when=lambda one: one.method == "PATCH")

    assert person.update({"body": "new"}) is Exit.INCOMPLETE
    assert len(_snapshots(person)) == 1


def test_a_snapshot_is_found_by_its_bare_name_and_the_next_older_one_is_named(person, kibana):
    """As the list has it."""
    kibana.add_rule("A")
    person.attach()
    person.update({"body": "new"})
    first, second = (path.name for path in _snapshots(person))

    assert person.rollback(second) is Exit.DONE
    assert f"`parapet-elastic rollback {first}`" in person.shown
    assert person.rollback(first) is Exit.DONE
    assert "next older" not in person.shown
