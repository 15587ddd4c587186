"""uninstall: off all rules, then the connector; run again, nothing is left to do."""

from __future__ import annotations

import pytest

from tests.elastic.person import Person
from tests.elastic.standins.kibana import Kibana

ID = "parapet-security"
URL = "https://webhook-us.parapetsecurity.com/webhook/acme"
OTHER = {
    "id": "other",
    "action_type_id": ".webhook",
    "group": "default",
    "params": {"body": "x"},
    "frequency": {"summary": False, "notifyWhen": "onActiveAlert", "throttle": None},
    "uuid": "o",
}


@pytest.fixture
def person(kibana, tmp_path):
    """Somebody who has attached two rules, one of which has another action besides."""
    found = Person(kibana, PARAPET_ELASTIC_STATE=str(tmp_path / "state"))
    assert found("connect", "--webhook-url", URL).code == 0
    space = kibana.world.spaces["default"]
    space.connectors["other"] = {**space.connectors[ID], "name": "other"}
    kibana.set_actions(kibana.add_rule("One"), [OTHER])
    kibana.add_rule("Two")
    assert found("attach", "--all", "--yes").code == 0
    assert all(ours(rule) for rule in kibana.rules())
    return found


def ours(rule):
    """The rule's actions of ours."""
    return [each for each in rule["actions"] if each["id"] == ID]


def test_rules_and_connector_are_cleaned(person, kibana):
    """Other actions and connectors stay."""
    result = person("uninstall", "--yes")
    assert result.code == 0, result
    assert [rule["actions"] for rule in kibana.rules()] == [[OTHER], []]
    assert list(kibana.connectors()) == ["other"]
    assert "Revoke" in result.out
    again = person("uninstall", "--yes")
    assert again.code == 0
    assert "Nothing is left to do." in again.out


def test_the_plan_says_everything_and_a_no_changes_nothing(person, kibana):
    """Rules and connector are in it."""
    before = kibana.rules(), kibana.connectors()
    for words, code in (((), 6), (("--dry-run",), 0)):
        result = person("uninstall", *words)
        assert result.code == code
        assert f"The connector {ID} will be removed" in result.out
        assert "One" in result.out
        assert "Two" in result.out
        assert f"Then: delete the connector {ID}." in result.out
    assert f"2 rules, and delete the connector {ID}?" in person("uninstall").err
    assert (kibana.rules(), kibana.connectors()) == before
    assert person("uninstall", types="n\n").code == 6
    assert (kibana.rules(), kibana.connectors()) == before


def test_the_connector_can_stay(person, kibana):
    """Only the rules are cleaned."""
    assert person("uninstall", "--keep-connector", "--yes").code == 0
    assert not any(ours(rule) for rule in kibana.rules())
    assert ID in kibana.connectors()


def test_with_json_there_is_one_document_of_both(person):
    """What became of the rules, and of the connector."""
    found = person("uninstall", "--yes", "--json").json
    assert found["exit"] == 0
    assert found["connector"] == "removed"
    assert len(found["plan"]) == 2


def test_without_rules_the_connector_is_asked_about(kibana):
    """It is a change, too."""
    person = Person(kibana)
    assert person("connect", "--webhook-url", URL).code == 0
    assert person("uninstall").code == 6
    assert ID in kibana.connectors()
    assert person("uninstall", "--dry-run").code == 0
    assert ID in kibana.connectors()
    assert person("uninstall", types="y\n").code == 0
    assert kibana.connectors() == {}


def test_a_rule_that_could_not_be_cleaned_keeps_the_connector(person, kibana):
    """Its action would lead nowhere."""
    kibana.script("status:403", when=lambda record: record.method == "PATCH")
    result = person("uninstall", "--yes")
    assert result.code == 5
    assert ID in kibana.connectors()
    assert person("uninstall", "--yes").code == 0
    assert ID not in kibana.connectors()


def test_a_connector_that_something_else_uses_stays(person, kibana, monkeypatch):
    """A rule of Observability, for example, which is no detection rule."""
    monkeypatch.setattr("tests.elastic.standins.kibana_connectors._references", lambda space, connector_id: 1)
    result = person("uninstall", "--yes")
    assert result.code == 5
    assert "uses it (1)" in result.err
    assert ID in kibana.connectors()


def test_a_preconfigured_connector_is_left_to_kibana_yml(tmp_path):
    """What to remove there is said."""
    preconfigured = {
        ID: {"name": "x", "actionTypeId": ".webhook", "config": {"url": URL, "hasAuth": False}, "secrets": {}}
    }
    with Kibana(preconfigured=preconfigured) as kibana:
        kibana.add_rule("One")
        person = Person(kibana, PARAPET_ELASTIC_STATE=str(tmp_path))
        assert person("attach", "--all", "--yes").code == 0
        result = person("uninstall", "--yes")
        assert result.code == 0
        assert "xpack.actions.preconfigured" in result.out
        assert not any(ours(rule) for rule in kibana.rules())


@pytest.mark.usefixtures("impatient")
def test_a_lost_answer_to_the_removal_is_no_trouble(person, kibana):
    """The second attempt finds nothing, which is what was wanted."""
    kibana.script("cut-after", when=lambda record: record.method == "DELETE")
    assert person("uninstall", "--yes").code == 0
    assert ID not in kibana.connectors()


def test_a_connector_that_is_no_webhook_is_not_removed(person, kibana):
    """An id that is mistyped may be anybody's."""
    kibana.world.spaces["default"].connectors["other"]["connector_type_id"] = ".slack"
    before = kibana.rules(), kibana.connectors()
    result = person("uninstall", "--connector-id", "other", "--yes")
    assert result.code == 2
    assert "is no webhook" in result.err
    assert (kibana.rules(), kibana.connectors()) == before


def test_a_connector_that_sends_elsewhere_is_asked_about_by_name(person, kibana):
    """Before any rule is touched."""
    other = kibana.world.spaces["default"].connectors["other"]
    other["config"] = {**other["config"], "url": "https://me:canary@relay.example.com/webhook/x"}
    before = kibana.rules(), kibana.connectors()
    result = person("uninstall", "--connector-id", "other", types="n\n")
    assert result.code == 6
    assert '("other") sends to relay.example.com, which is not Parapet.' in result.out
    assert "Remove other all the same?" in result.err
    assert "canary" not in result.out + result.err
    assert (kibana.rules(), kibana.connectors()) == before
    assert person("uninstall", "--connector-id", "other", "--dry-run").code == 0
    assert person("uninstall", "--connector-id", "other", types="y\ny\n").code == 0
    assert list(kibana.connectors()) == [ID]


def test_the_rules_are_read_in_a_list_and_once_more_each_before_its_change(kibana, person):
    """Not one by one for the plan: the list has them already."""
    for number in range(25):
        kibana.add_rule(f"rule {number}")
    assert person("attach", "--all", "--yes").code == 0
    before = len(kibana.requests)
    assert person("uninstall", "--yes").code == 0
    paths = [(one.method, one.path) for one in kibana.requests[before:]]
    assert paths.count(("GET", "/api/detection_engine/rules")) == len(kibana.rules()) == 27
