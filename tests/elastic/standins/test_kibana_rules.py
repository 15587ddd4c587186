"""The stand-in's rules: found, filtered, patched; and what an edit does to their owner."""

from __future__ import annotations

import pytest

from tests.elastic.standins.kibana import Kibana
from tests.elastic.standins.talk import Talk

PATH = "/api/detection_engine/rules"
ACTION = {"id": "p", "action_type_id": ".webhook", "group": "default", "params": {"body": "{}"}}
RUN = {"summary": True, "notifyWhen": "onActiveAlert", "throttle": None}


@pytest.fixture
def kibana(kibana):
    """A Kibana with a connector "p"."""
    config = {"url": "https://webhook-us.parapetsecurity.com/webhook/acme", "hasAuth": False}
    Talk(kibana)("POST", "/api/actions/connector/p", {"name": "P", "connector_type_id": ".webhook", "config": config})
    return kibana


def names(kibana, kql):
    """The names of the rules that a filter finds."""
    status, body = Talk(kibana)("GET", PATH + "/_find", filter=kql)
    assert status == 200, body
    return [rule["name"] for rule in body["data"]]


def patch(kibana, **body):
    """PATCH; returns (status, answer)."""
    return Talk(kibana)("PATCH", PATH, body)


def test_an_id_that_is_no_uuid_is_not_looked_for(kibana):
    """The schema refuses it, whether there is such a rule or not."""
    kibana.add_rule("A", id="x")
    talk = Talk(kibana)

    assert talk("GET", PATH, id="x")[0] == 400
    assert "Invalid uuid" in talk("GET", PATH, id="x")[1]["message"]
    assert talk("PATCH", PATH, {"id": "x", "actions": []})[0] == 400


def test_a_rule_is_had_by_either_id_and_not_by_both(kibana):
    """`id` is the object's, `rule_id` the rule's own."""
    rule = kibana.rule(kibana.add_rule("A", tags=["x"]))
    talk = Talk(kibana)
    assert talk("GET", PATH, id=rule["id"]) == (200, rule)
    assert talk("GET", PATH, rule_id=rule["rule_id"]) == (200, rule)
    gone = "00000000-0000-4000-8000-000000000000"
    assert talk("GET", PATH, id=gone) == (404, {"message": f'id: "{gone}" not found', "status_code": 404})
    assert talk("GET", PATH, rule_id="x") == (404, {"message": 'rule_id: "x" not found', "status_code": 404})
    assert talk("GET", PATH)[0] == 400
    assert talk("GET", PATH, id=rule["id"], rule_id=rule["rule_id"])[0] == 400


def test_the_list_has_pages(kibana):
    """Of twenty unless told, and never beyond ten thousand."""
    for place in range(25):
        kibana.add_rule(f"R{place:02}")
    talk = Talk(kibana)
    first, second = (talk("GET", PATH + "/_find", page=page)[1] for page in (1, 2))
    assert [len(first["data"]), len(second["data"]), first["total"], first["perPage"]] == [20, 5, 25, 20]
    assert talk("GET", PATH + "/_find", per_page=10001)[0] == 400
    assert talk("GET", PATH + "/_find", per_page=5000, page=3)[0] == 400
    assert talk("GET", PATH + "/_find", page=0)[0] == 400
    assert talk("GET", PATH + "/_find", per_page="many")[0] == 400


def test_the_list_is_sorted_by_a_field_with_an_order(kibana):
    """Both or neither."""
    for name in ("B", "C", "A"):
        kibana.add_rule(name)
    talk = Talk(kibana)
    body = talk("GET", PATH + "/_find", sort_field="name", sort_order="desc")[1]
    assert [rule["name"] for rule in body["data"]] == ["C", "B", "A"]
    assert talk("GET", PATH + "/_find", sort_field="name")[0] == 400
    assert talk("GET", PATH + "/_find", sort_field="tags", sort_order="asc")[0] == 400


def test_a_filter_finds_by_tag_state_and_kind(kibana):
    """alert.attributes.* and its params."""
    first = kibana.add_rule("Windows PowerShell", tags=["OS: Windows", "high"])
    kibana.add_rule("Linux Shell", tags=["OS: Linux"], enabled=False, severity="low", risk_score=21)
    kibana.add_rule("Prebuilt", immutable=True)
    head = "alert.attributes."
    assert names(kibana, f'{head}tags: "OS: Windows"') == ["Windows PowerShell"]
    assert names(kibana, f"{head}tags: OS*") == ["Windows PowerShell", "Linux Shell"]
    assert names(kibana, f"{head}enabled: true") == ["Windows PowerShell", "Prebuilt"]
    assert names(kibana, f"not {head}enabled: true") == ["Linux Shell"]
    assert names(kibana, f"{head}params.immutable: true") == ["Prebuilt"]
    assert names(kibana, f"{head}params.ruleId: {kibana.rule(first)['rule_id']}") == ["Windows PowerShell"]
    assert names(kibana, f"{head}params.riskScore < 50 OR {head}tags: high") == ["Windows PowerShell", "Linux Shell"]


def test_the_name_is_text_and_its_keyword_is_exact(kibana):
    """Words in lower case against the whole."""
    kibana.add_rule("Windows PowerShell")
    kibana.add_rule("PowerShell on Windows")
    both = ["Windows PowerShell", "PowerShell on Windows"]
    name = "alert.attributes.name"
    assert names(kibana, f"{name}: powershell") == both
    assert names(kibana, f'{name}: "windows powershell"') == both[:1]
    assert names(kibana, f"{name}: Power*") == both
    assert names(kibana, f"{name}.keyword: Windows*") == both[:1]
    assert names(kibana, f"{name}.keyword: windows*") == []
    assert names(kibana, f'{name}.keyword: "Windows PowerShell"') == both[:1]


@pytest.mark.parametrize("kql", ["tags: x", "alert.attributes.colour: x", "alert.attributes.tags: (x", "x", "a: and"])
def test_a_filter_that_kibana_would_not_take_is_refused(kibana, kql):
    """In the detection engine's words."""
    kibana.add_rule("A")
    status, body = Talk(kibana)("GET", PATH + "/_find", filter=kql)
    assert (status, body["status_code"]) == (400, 400)


def test_patch_replaces_the_whole_list_and_keeps_a_uuid_that_it_is_given(kibana):
    """A missing one is made, a missing frequency too."""
    rule = kibana.add_rule("A")
    status, answer = patch(kibana, id=rule, actions=[ACTION, {**ACTION, "uuid": "mine", "frequency": RUN}])
    assert status == 200
    made, kept = answer["actions"]
    assert (made["frequency"], kept["uuid"]) == (RUN, "mine")
    assert made["uuid"]
    assert kibana.rule(rule) == answer
    assert patch(kibana, id=rule, actions=[kept])[1]["actions"] == [kept]
    assert patch(kibana, id=rule, actions=[])[1]["actions"] == []


def test_an_edit_makes_the_rule_run_as_whoever_edited_it(kibana):
    """And counts its revision."""
    rule = kibana.add_rule("A")
    assert kibana.api_key_owner(rule) is None
    before = kibana.rule(rule)
    patch(kibana, id=rule, enabled=False)
    after = kibana.rule(rule)
    assert kibana.api_key_owner(rule).startswith("api_key:")
    assert (after["revision"], after["updated_by"]) == (1, "elastic")
    assert after["updated_at"] > before["updated_at"]
    other = kibana.accounts.add_user("anna", "p")
    key = kibana.accounts.add_key(other)
    Talk(kibana, Authorization="ApiKey " + key)("PATCH", PATH, {"id": rule, "enabled": True})
    assert kibana.rule(rule)["updated_by"] == "anna"
    Talk(kibana, Authorization="Basic YW5uYTpw")("PATCH", PATH, {"id": rule, "enabled": True})
    assert kibana.api_key_owner(rule) == "user:anna"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"action_type_id": None}, "action_type_id"),
        ({"id": "q"}, "Failed to load action q (404): Saved object [action/q] not found"),
        ({"group": "other"}, "Invalid action groups"),
        ({"colour": "red"}, "colour"),
        ({"frequency": {"summary": True, "notifyWhen": "onActiveAlert"}}, "throttle"),
        ({"frequency": {**RUN, "notifyWhen": "always"}}, "notifyWhen"),
        ({"frequency": {**RUN, "notifyWhen": "onThrottleInterval"}}, "frequency"),
        ({"frequency": {**RUN, "notifyWhen": "onThrottleInterval", "throttle": "0h"}}, "throttle"),
        ({"frequency": {**RUN, "notifyWhen": "onThrottleInterval", "throttle": "1m"}}, "shorter than the schedule"),
        ({"alerts_filter": {"query": {"kql": "a: (", "filters": []}}}, "KQL"),
        ({"alerts_filter": {"query": {"kql": "a: b"}}}, "filters"),
        ({"alerts_filter": {"colour": "red"}}, "colour"),
    ],
)
def test_an_action_that_cannot_be_is_refused_and_nothing_is_stored(kibana, change, words):
    """None takes the key out."""
    rule = kibana.add_rule("A")
    action = {name: value for name, value in {**ACTION, **change}.items() if value is not None}
    status, answer = patch(kibana, id=rule, actions=[action])
    assert status == 400
    assert words in answer["message"]
    assert kibana.rule(rule)["actions"] == []


def test_attaching_needs_the_right_to_read_connectors(kibana):
    """Besides that to write rules."""
    rule = kibana.add_rule("A")
    kibana.rights.discard("connectors:read")
    assert patch(kibana, id=rule, actions=[ACTION])[0] == 403
    assert patch(kibana, id=rule, actions=[])[0] == 200


@pytest.mark.parametrize(("version", "wanted"), [("8.8.0", 400), ("8.19.0", 200), ("9.2.0", 200)])
def test_a_prebuilt_rule_is_patched_from_8_18_on(version, wanted):
    """Before, it is not confirmed."""
    with Kibana(version) as kibana:
        rule = kibana.add_rule("A", immutable=True)
        assert patch(kibana, id=rule, actions=[])[0] == wanted
        assert ("rule_source" in kibana.rule(rule)) is (wanted == 200)


def test_a_rule_that_is_gone_or_fails_says_so(kibana):
    """404 and 500."""
    rule = kibana.add_rule("A")
    kibana.fail_rule(rule, "version conflict")
    assert patch(kibana, id=rule, actions=[]) == (500, {"message": "version conflict", "status_code": 500})
    kibana.heal_rule(rule)
    assert patch(kibana, id=rule, actions=[])[0] == 200
    kibana.remove_rule(rule)
    assert patch(kibana, id=rule, actions=[])[0] == 404
