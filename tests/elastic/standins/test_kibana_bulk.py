"""The stand-in's bulk edits: not idempotent, dry runs, limits, partial failures."""

from __future__ import annotations

import pytest

from tests.elastic.standins.talk import Talk

PATH = "/api/detection_engine/rules/_bulk_action"
ACTION = {"id": "p", "group": "default", "params": {"body": "{}"}}


@pytest.fixture
def kibana(kibana):
    """A Kibana with a connector "p"."""
    config = {"url": "https://webhook-us.parapetsecurity.com/webhook/acme", "hasAuth": False}
    Talk(kibana)("POST", "/api/actions/connector/p", {"name": "P", "connector_type_id": ".webhook", "config": config})
    return kibana


def edit(*actions, kind="add_rule_actions", **target):
    """The body of a bulk edit."""
    return {"action": "edit", "edit": [{"type": kind, "value": {"actions": list(actions)}}], **target}


def bulk(kibana, body, **query):
    """POST; returns (status, answer)."""
    return Talk(kibana)("POST", PATH, body, **query)


def actions(kibana, rule):
    """A rule's actions."""
    return kibana.rule(rule)["actions"]


def test_adding_twice_adds_two(kibana):
    """Each with a uuid of its own, the type looked up, a missing frequency filled in."""
    rule = kibana.add_rule("A")
    for _ in range(2):
        status, answer = bulk(kibana, edit(ACTION, ids=[rule]))
        assert (status, answer["success"], answer["rules_count"]) == (200, True, 1)
    first, second = actions(kibana, rule)
    assert first["uuid"] != second["uuid"]
    assert first["action_type_id"] == ".webhook"
    assert first["frequency"] == {"summary": True, "notifyWhen": "onActiveAlert", "throttle": None}
    assert answer["attributes"]["results"]["updated"] == [kibana.rule(rule)]
    assert answer["attributes"]["summary"] == {"failed": 0, "succeeded": 1, "skipped": 0, "total": 1}
    assert kibana.api_key_owner(rule).startswith("api_key:")


def test_setting_replaces_all_and_an_empty_list_clears(kibana):
    """With new uuids."""
    rule = kibana.add_rule("A", immutable=True)
    bulk(kibana, edit(ACTION, ACTION, ids=[rule]))
    old = {each["uuid"] for each in actions(kibana, rule)}
    bulk(kibana, edit(ACTION, kind="set_rule_actions", ids=[rule]))
    assert len(actions(kibana, rule)) == 1
    assert not old & {each["uuid"] for each in actions(kibana, rule)}
    bulk(kibana, edit(kind="set_rule_actions", ids=[rule]))
    assert actions(kibana, rule) == []


@pytest.mark.parametrize("more", [{"action_type_id": ".webhook"}, {"uuid": "u"}, {"throttle": "1h"}])
def test_an_action_has_neither_type_nor_uuid_here(kibana, more):
    """NormalizedRuleAction takes no other keys."""
    rule = kibana.add_rule("A")
    status, answer = bulk(kibana, edit({**ACTION, **more}, ids=[rule]))
    assert (status, next(iter(more)) in answer["message"]) == (400, True)
    assert actions(kibana, rule) == []


def test_a_query_picks_rules_too_but_not_together_with_ids(kibana):
    """Either, not both."""
    first, second = kibana.add_rule("A", tags=["x"]), kibana.add_rule("B")
    assert bulk(kibana, edit(ACTION, query="alert.attributes.tags: x"))[0] == 200
    assert (len(actions(kibana, first)), len(actions(kibana, second))) == (1, 0)
    status, answer = bulk(kibana, edit(ACTION, query="", ids=[first]))
    assert (status, answer["message"].startswith("Both query and ids")) == (400, True)
    assert bulk(kibana, edit(ACTION, query=""))[1]["rules_count"] == 2


def test_more_than_a_hundred_ids_or_two_thousand_rules_are_refused(kibana):
    """Nothing is changed then."""
    ids = [kibana.add_rule(f"R{place}") for place in range(2000)]
    status, answer = bulk(kibana, edit(ACTION, ids=ids[:101]))
    assert (status, answer["message"]) == (400, "More than 100 ids sent for bulk edit action.")
    assert bulk(kibana, edit(ACTION, ids=ids[:100]))[0] == 200
    kibana.add_rule("one more")
    status, answer = bulk(kibana, edit(ACTION, query=""))
    assert (status, answer["message"].startswith("More than 2000 rules matched")) == (400, True)
    assert sum(len(rule["actions"]) for rule in kibana.rules()) == 100


def test_a_dry_run_stores_nothing_and_does_not_look_at_the_connector(kibana):
    """Its results are empty, its summary is not."""
    rule = kibana.add_rule("A")
    before = kibana.rule(rule)
    status, answer = bulk(kibana, edit({**ACTION, "id": "q"}, ids=[rule]), dry_run="true")
    assert status == 200
    assert answer["attributes"]["results"]["updated"] == []
    assert answer["attributes"]["summary"]["succeeded"] == 1
    assert kibana.rule(rule) == before
    assert kibana.api_key_owner(rule) is None
    assert bulk(kibana, edit(ACTION, ids=[rule]), dry_run="maybe")[0] == 400


def test_some_rules_may_fail_and_the_others_are_done(kibana):
    """500, with one entry for each message."""
    good, one, two = (kibana.add_rule(name) for name in "ABC")
    for rule in (one, two):
        kibana.fail_rule(rule, "no licence", "PREBUILT_CUSTOMIZATION_LICENSE")
    status, answer = bulk(kibana, edit(ACTION, ids=[good, one, two, "gone"]))
    assert (status, answer["message"], answer["status_code"]) == (500, "Bulk edit partially failed", 500)
    missing, failed = answer["attributes"]["errors"]
    assert missing == {"message": "Rule not found", "status_code": 500, "rules": [{"id": "gone"}]}
    assert (failed["message"], failed["err_code"]) == ("no licence", "PREBUILT_CUSTOMIZATION_LICENSE")
    assert failed["rules"] == [{"id": one, "name": "B"}, {"id": two, "name": "C"}]
    assert answer["attributes"]["summary"] == {"failed": 3, "succeeded": 1, "skipped": 0, "total": 4}
    assert [len(actions(kibana, rule)) for rule in (good, one, two)] == [1, 0, 0]


def test_a_partial_failure_may_also_come_with_200(kibana):
    """`success` is false then, and the errors are where they are with 500."""
    good, bad = kibana.add_rule("A"), kibana.add_rule("B")
    kibana.fail_rule(bad, "conflict")
    kibana.world.partial_status = 200
    status, answer = bulk(kibana, edit(ACTION, ids=[good, bad]))
    assert (status, answer["success"]) == (200, False)
    assert answer["attributes"]["errors"][0]["rules"] == [{"id": bad, "name": "B"}]
    assert len(actions(kibana, good)) == 1


def test_a_dry_run_finds_only_what_validation_finds(kibana):
    """What has an err_code; all failing is not called partial."""
    rule = kibana.add_rule("A")
    kibana.fail_rule(rule, "conflict")
    assert bulk(kibana, edit(ACTION, ids=[rule]), dry_run="true")[0] == 200
    assert bulk(kibana, edit(ACTION, ids=[rule]))[1]["message"] == "Bulk edit failed"
    kibana.fail_rule(rule, "immutable", "IMMUTABLE")
    assert bulk(kibana, edit(ACTION, ids=[rule]), dry_run="true")[0] == 500


def test_a_connector_that_is_missing_fails_each_rule(kibana):
    """In the answer's errors, not as a 400."""
    rule = kibana.add_rule("A")
    status, answer = bulk(kibana, edit({**ACTION, "id": "q"}, ids=[rule]))
    assert (status, answer["message"]) == (500, "Bulk edit failed")
    assert "[action/q] not found" in answer["attributes"]["errors"][0]["message"]
    assert kibana.rule(rule)["revision"] == 0


@pytest.mark.parametrize(
    "body",
    [
        {"action": "edit", "ids": ["x"]},
        {"action": "edit", "ids": ["x"], "edit": []},
        {"action": "edit", "ids": ["x"], "edit": [{"type": "remove_rule_actions", "value": {"actions": []}}]},
        {"action": "edit", "ids": [], "edit": [{"type": "set_rule_actions", "value": {"actions": []}}]},
        {"action": "delete", "ids": ["x"]},
        edit(ACTION, ids=["x"], colour="red"),
    ],
)
def test_what_is_no_bulk_edit_of_actions_is_refused(kibana, body):
    """There is none that removes or updates an action."""
    assert bulk(kibana, body)[0] == 400
