"""detach takes our actions away, and no other."""

import pytest
from parapet_elastic.errors import Exit

from tests.elastic.changing import TOKEN, US, Person, action


@pytest.fixture
def person(kibana, tmp_path):
    """Somebody with two connectors."""
    found = Person(kibana, tmp_path)
    found.connector()
    found.connector("slack")
    return found


def test_only_ours_goes_and_a_rollback_brings_it_back_with_its_uuid(person, kibana):
    """The others keep place and uuid; a rule without ours is not touched."""
    mixed = kibana.add_rule("Mixed")
    other = kibana.add_rule("Other")
    before = [action("slack", "1", TOKEN), action(US, "2"), action("slack", "3"), action(US, "4")]
    kibana.set_actions(mixed, before)
    kibana.set_actions(other, [action("slack", "5")])
    all_before = person.all_actions()

    assert person.detach() is Exit.DONE
    assert [one["uuid"] for one in person.actions(mixed)] == ["1", "3"]
    assert [one.json["id"] for one in person.changes()] == [mixed]
    assert TOKEN not in person.shown
    assert person.detach() is Exit.DONE
    assert "0 changes" in person.shown
    assert person.rollback() is Exit.DONE
    assert person.all_actions() == all_before


def test_a_connector_that_is_gone_does_not_keep_ours_on_the_rules(person, kibana):
    """It is what one runs after removing the connector by hand."""
    rule = kibana.add_rule("A")
    kibana.set_actions(rule, [action(US, "1")])
    person.kibana.delete(f"/api/actions/connector/{US}")

    assert person.detach() is Exit.DONE
    assert person.actions(rule) == []


def test_a_rule_that_is_removed_meanwhile_is_reported(person, kibana, monkeypatch):
    """The others are done."""
    gone, stays = kibana.add_rule("A"), kibana.add_rule("B")
    for rule in (gone, stays):
        kibana.set_actions(rule, [action(US, "1")])
    monkeypatch.setattr("parapet_elastic.screen.Screen.ask", lambda *_: kibana.remove_rule(gone) is None)

    assert person.detach(json_only=True) is Exit.INCOMPLETE
    assert [one["id"] for one in person.document["failed"]] == [gone]
    assert person.actions(stays) == []
