"""Tests of what a body says of Enterprise Security. They must not ask a Splunk: rows and attributes are given."""

from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parapet import message, notable, rows

from tests.core.make import EVERY_FIELD, FIRING, alert, decoded, head

EVENT_ID = "3F9A6B1C-0D2E-4F5A-8B7C-9D0E1F2A3B4C@@notable@@5f1d3a9c0b7e4d2f8a6c1b0e9d4a7f13"
NOTABLE = {
    "event_id": EVENT_ID,
    "rule_id": EVENT_ID,
    "rule_name": "Excessive failed logins",
    "rule_title": "Excessive failed logins from 45.227.253.98",
    "rule_description": "45.227.253.98 failed to log in 47 times",
    "security_domain": "access",
    "urgency": "high",
    "risk_score": "80",
    "risk_object": ["root", "admin"],
    "risk_object_type": "user",
    "annotations": '{"mitre_attack": ["T1110", "T1078"], "nist": ["DE.CM"], "confidence": 80}',
    "drilldown_search": 'index=main src="45.227.253.98"',
    "orig_sid": "scheduler__admin_U0EtQWNjZXNz__RMD5c0ffee_at_1769614200_42",
    "orig_rid": "0",
    "owner": "unassigned",
}
CORRELATION = {
    "action.correlationsearch.enabled": "1",
    "action.correlationsearch.label": "The label",
    "action.correlationsearch.annotations": '{"mitre_attack": ["T1110"], "cis20": ["CIS 10"]}',
    "action.notable": "1",
    "action.notable.param.rule_title": "Failed logins of $user$ from $src_ip$",
    "action.notable.param.rule_description": "About $user$, $nobody$",
    "action.notable.param.security_domain": "access",
    "action.notable.param.severity": "high",
    "action.notable.param.drilldown_search": 'index=main src="$src_ip$" user="$user$"',
    "action.risk": "1",
    "action.risk.param._risk": json.dumps(
        [
            {"threat_object_field": "src_ip", "threat_object_type": "ip_address"},
            {"risk_object_field": "dest", "risk_object_type": "system", "risk_score": 90},
            {"risk_object_field": "user", "risk_object_type": "user", "risk_score": 64},
        ]
    ),
    "action.risk.param._risk_score": "0",
}
ROW = {"src_ip": "45.227.253.98", "user": ["root", "admin"], "count": "47"}


def described(row, search=None, *, fields="*", exclude=""):
    """The object of a row and what a saved search says, whether it is a correlation search or not."""
    return notable.describe(row, notable.attributes(search or {}), rows.Selector(fields, exclude))


def annotated(row):
    """The annotations of a notable with these fields besides."""
    return described({"event_id": EVENT_ID, **row}).get("annotations")


def test_a_notable_tells_every_key():
    """As its fields have them; the first of a multivalue, and nothing that is not of the contract."""
    assert described(NOTABLE) == {
        "event_id": EVENT_ID,
        "rule_title": "Excessive failed logins from 45.227.253.98",
        "rule_description": "45.227.253.98 failed to log in 47 times",
        "security_domain": "access",
        "urgency": "high",
        "risk_score": "80",
        "risk_object": "root",
        "risk_object_type": "user",
        "drilldown_search": 'index=main src="45.227.253.98"',
        "orig_sid": NOTABLE["orig_sid"],
        "orig_rid": "0",
        "annotations": {"mitre_attack": ["T1110", "T1078"], "nist": ["DE.CM"], "confidence": ["80"]},
    }


def test_a_correlation_search_tells_what_its_row_does_not():
    """Its texts filled from the row; the risk of the first object that is in the row."""
    assert described(ROW, CORRELATION) == {
        "rule_title": "Failed logins of root, admin from 45.227.253.98",
        "rule_description": "About root, admin, $nobody$",
        "security_domain": "access",
        "risk_score": "64",
        "risk_object": "root",
        "risk_object_type": "user",
        # The user would be two words of SPL.
        "drilldown_search": 'index=main src="45.227.253.98" user="$user$"',
        "annotations": {"mitre_attack": ["T1110"], "cis20": ["CIS 10"]},
    }


def test_the_rows_own_word_counts_more():
    """For every key, and for each framework of the annotations."""
    found = described(NOTABLE, CORRELATION)
    own = described(NOTABLE)
    assert found.pop("annotations") == {**own.pop("annotations"), "cis20": ["CIS 10"]}
    assert found == own


@pytest.mark.parametrize(
    "row",
    [
        {"event_id": EVENT_ID},
        {"rule_id": EVENT_ID},
        {"finding_id": EVENT_ID.replace("notable", "risk")},
        {"event_id": ["", EVENT_ID]},
        {"orig_sid": "1.2", "rule_title": "x"},
        {"orig_sid": "1.2", "rule_name": "x"},
        {"orig_sid": "1.2", "security_domain": "access"},
        {"orig_sid": "1.2", "index": "notable"},
        {"risk_object": "bob", "risk_score": "80"},
        {"risk_message": "bob did it", "risk_score": "80"},
        {"All_Risk.risk_object": "bob", "All_Risk.risk_score": "80"},
    ],
)
def test_a_row_of_enterprise_security_is_known(row):
    """By its identity, or by fields that only its rows have together."""
    assert described(row)


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"risk_score": "80"},
        {"urgency": "high"},
        {"event_id": "4625", "rule_id": "1000001", "risk_score": "7"},
        {"event_id": "a@@b"},
        # A line of cim_modactions.
        {"orig_sid": "1.2", "orig_rid": "0", "search_name": "x", "sid": "3.4", "index": "cim_modactions"},
        {"rule_title": "sigma", "security_domain": "access", "risk_object": "bob"},
        {"annotations": '{"mitre_attack": ["T1110"]}', "mitre_technique_id": "T1110"},
    ],
)
def test_a_field_that_other_searches_have_too_makes_no_notable(row):
    """Not by accident."""
    assert described(row) == {}


@pytest.mark.parametrize("mark", ["action.correlationsearch.enabled", "action.notable", "action.risk"])
@pytest.mark.parametrize(("value", "is_on"), [("1", True), ("true", True), ("0", False), ("", False), ("false", False)])
def test_a_correlation_search_has_a_part_of_enterprise_security_on(mark, value, is_on):
    """An ordinary search may have its parameters, from defaults."""
    search = {"action.notable.param.rule_title": "x", "search": "index=main", mark: value}
    assert bool(notable.attributes(search)) is is_on
    assert "search" not in notable.attributes(search)
    assert described({"risk_score": "7"}, search) == ({"rule_title": "x", "risk_score": "7"} if is_on else {})


def test_the_id_of_a_raw_event_is_not_a_notables():
    """Windows numbers its events in a field of that name."""
    assert "event_id" not in described({"event_id": "4625"}, CORRELATION)
    assert described({"event_id": "17", "orig_sid": "1.2", "rule_title": "x"})["event_id"] == "17"


def test_a_rule_without_a_title_has_a_name():
    """The correlation search's label, else the notable's rule_name."""
    search = {name: value for name, value in CORRELATION.items() if "rule_title" not in name}
    assert described(ROW, search)["rule_title"] == "The label"
    assert described({"event_id": EVENT_ID, "rule_name": "The name"})["rule_title"] == "The name"


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("$src$ and $result.src$", "10.0.0.1 and 10.0.0.1"),
        ("$All_Risk.risk_object$ $risk_object$", "bob bob"),
        ("$src$$src$", "10.0.0.110.0.0.1"),
        ("costs $5 or $6", "costs $5 or $6"),
        ("$nobody$ $$ $ $src", "$nobody$ $$ $ $src"),
        ("$tricky$", "$src$"),
        ("$list$", "a, b"),
    ],
)
def test_the_texts_of_a_search_are_filled_from_the_row(text, filled):
    """Once; what the row lacks stays, so that it is seen that something stood there."""
    row = {"src": "10.0.0.1", "All_Risk.risk_object": "bob", "tricky": "$src$", "list": ["a", "b"]}
    search = {"action.notable": "1", "action.notable.param.rule_title": text}
    assert described(row, search)["rule_title"] == filled


@pytest.mark.parametrize("value", ['x" | delete index=main "', "a b", "a`b`", "[search x]", "a,b", "a\\", "a\n"])
def test_a_value_never_becomes_spl_in_a_drilldown(value):
    """Whoever clicks on it runs it."""
    search = {"action.notable": "1", "action.notable.param.drilldown_search": 'x="$a$" y=$b$'}
    assert described({"a": value, "b": "C:/x-y_z@h.example:1"}, search)["drilldown_search"] == (
        'x="$a$" y=C:/x-y_z@h.example:1'
    )


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ('[{"name": "a", "search": "index=a"}, {"search": "index=b"}]', "index=a"),
        ("[]", None),
        ("[1]", None),
        ('{"search": "index=a"}', None),
        ('[{"search": {"deep": 1}}]', None),
        ("[{", None),
    ],
)
def test_the_first_of_several_drilldowns_counts(text, first):
    """Of the row and of the search, where there is no single one."""
    search = {"action.notable": "1", "action.notable.param.drilldown_searches": text}
    assert described({}, search).get("drilldown_search") == first
    row = {"event_id": EVENT_ID, "drilldown_searches": text}
    assert described(row).get("drilldown_search") == first
    assert described({**row, "drilldown_search": "own"})["drilldown_search"] == "own"


def risk(row, **params):
    """What a search with the risk action says."""
    search = {"action.risk": "1", **{"action.risk.param." + name: value for name, value in params.items()}}
    return described(row, search)


def test_a_risk_is_the_one_of_the_object_in_the_row():
    """The action names fields; an object that the row does not have is not known."""
    single = {"_risk_object": "user", "_risk_object_type": "user", "_risk_score": "40"}
    assert risk({"user": "bob"}, **single) == {"risk_score": "40", "risk_object": "bob", "risk_object_type": "user"}
    assert risk({"src": "bob"}, **single) == {"risk_score": "40"}
    listed = '[{"risk_object_field": "N/A", "risk_object_type": "N/A", "risk_score": 0}, {"risk_object_field": "user", "risk_score": "12.5"}]'
    assert risk({"user": "bob"}, _risk=listed, _risk_score="0") == {"risk_score": "12.5", "risk_object": "bob"}
    assert risk({"src": "bob"}, _risk=listed, _risk_score="0") == {}


def test_a_rows_own_object_does_not_get_the_risk_of_another():
    """Score and type belong to their object."""
    single = {"_risk_object": "user", "_risk_object_type": "user", "_risk_score": "40"}
    assert risk({"user": "bob", "risk_object": "srv1"}, **single) == {"risk_score": "40", "risk_object": "srv1"}
    assert risk({"user": "bob", "risk_object": "bob"}, **single)["risk_object_type"] == "user"


@pytest.mark.parametrize("broken", ["[{", "1", "[1, null]", '[{"risk_object_field": 5}]', '{"a": 1}', "[[]]"])
def test_a_risk_that_cannot_be_read_is_passed_over(broken):
    """And the single parameters count."""
    single = {"_risk_object": "user", "_risk_score": "40"}
    assert risk({"user": "bob"}, _risk=broken, **single) == {"risk_score": "40", "risk_object": "bob"}


def test_an_excluded_field_does_not_come_back():
    """Neither as a key, nor inside of a text, nor by the field that holds the risk object."""
    row = {**NOTABLE, "user": "SECRET", "annotations.nist": "SECRET", "annotations": '{"cis20": ["SECRET"]}'}
    row.update(dict.fromkeys(("risk_object", "urgency", "orig_sid"), "SECRET"))
    del row["rule_title"]
    found = described(row, CORRELATION, exclude="user, risk_object, urgency, orig_*, annotations*")
    assert "SECRET" not in json.dumps(found)
    assert found["rule_title"] == "Failed logins of $user$ from $src_ip$"
    assert found["annotations"] == {"mitre_attack": ["T1110"], "cis20": ["CIS 10"]}
    assert "risk_object" not in described({"user": "bob"}, CORRELATION, exclude="risk_object")
    assert described(NOTABLE, fields="urgency, src") == {"urgency": "high"}


@pytest.mark.parametrize(
    "row",
    [
        {"annotations": '{"mitre_attack": ["T1078", "ta0001", "t1059.001"]}'},
        {"annotations": '{"mitre_attack": "T1078, TA0001, T1059.001"}'},
        {"annotations": '["T1078", "TA0001", "T1059.001"]'},
        {"annotations": ['{"mitre_attack": ["T1078"]}', '{"mitre_attack": ["TA0001", "T1059.001"]}']},
        {"annotations": ["T1078", "TA0001", "T1059.001"]},
        {"annotations": '{"annotations": {"mitre_attack": ["T1078", "TA0001", "T1059.001"]}}'},
        {"annotations": '{"annotations.mitre_attack": ["T1078", "TA0001", "T1059.001"]}'},
        {"annotations": '{"MITRE ATT&CK": ["T1078", "TA0001", "T1059.001"]}'},
        {"annotations.mitre_attack": ["T1078", "TA0001", "T1059.001", "T1078"]},
        {"annotations.mitre_attack": "t1078,ta0001;T1059.001 Valid Accounts"},
        {"annotations.mitre_attack": '["T1078", "TA0001", "T1059.001"]'},
        {"annotations._all": ["T1078", "CIS 10", "TA0001", "T1059.001"], "annotations._frameworks": ["T9999"]},
        {
            "annotations.mitre_attack.mitre_technique_id": "T1078",
            "annotations.mitre_attack.mitre_technique": "Valid Accounts",
            "annotations.mitre_attack.mitre_tactic_id": ["TA0001", ""],
            "annotations.mitre_attack.mitre_description": "not as T1234",
            "annotations.mitre_attack.mitre_url": "https://example.invalid/T4321",
            "mitre_technique_id": "T1059.001",
            "mitre_description": "T4242",
        },
        {"All_Risk.annotations.mitre_attack": ["T1078", "TA0001", "T1059.001"]},
        {
            "annotations": json.dumps(
                {
                    "mitre_attack": [
                        {"mitre_technique_id": "T1078", "mitre_technique": "Valid Accounts", "detection": "T1234"},
                        {"tactics": [{"id": "TA0001", "name": "Initial Access", "url": "/TA0002"}]},
                        {"sub_technique": {"id": "T1059.001"}},
                    ]
                }
            )
        },
    ],
)
def test_attack_ids_are_found_whatever_form_they_came_in(row):
    """Unique, in upper case, in order of appearance; names are none."""
    assert annotated(row) == {"mitre_attack": ["T1078", "TA0001", "T1059.001"]}


@pytest.mark.parametrize(
    "text",
    ["Valid Accounts", "T107", "T10780", "xT1078", "T1078x", "T1059.1", "T1059.0011", "TA001", "1T1078", "a.T1078"],
)
def test_what_is_no_attack_id_is_left_out(text):
    """Also where nothing else is there."""
    assert annotated({"annotations.mitre_attack": text}) is None
    assert annotated({"annotations": text}) is None


@pytest.mark.parametrize(
    "broken", ['{"mitre_attack": ["T1110"', "{T1110}", "[", "[" * 100000, "{}", '{"mitre_attack": null}']
)
def test_annotations_that_cannot_be_read_are_ignored(broken):
    """The other fields count."""
    assert annotated({"annotations": broken}) is None
    assert annotated({"annotations": broken, "annotations.mitre_attack": "T1078"}) == {"mitre_attack": ["T1078"]}


def test_other_frameworks_are_lists_of_strings():
    """As they are, but for what is nested."""
    text = '{"nist": "PR.AC", "cis20": ["CIS 10", 7, true, null, {"deep": "x"}], "impact": 40, "empty": []}'
    expected = {"nist": ["PR.AC"], "cis20": ["CIS 10", "7"], "impact": ["40"], "kill_chain_phases": ["Delivery"]}
    assert annotated({"annotations": text, "annotations.kill_chain_phases": "Delivery"}) == expected


def test_what_a_hostile_row_can_add_is_bounded():
    """The head travels with every batch."""
    many = [f"T{number}" for number in range(1000, 9000)]
    words = {f"framework{number}": ["x" * 100000] * 3 for number in range(1000)}
    row = {
        **dict.fromkeys(("rule_title", "rule_description", "urgency", "risk_object", "orig_sid"), "x" * 1000000),
        "event_id": EVENT_ID + "x" * 1000000,
        "drilldown_search": "$a$" * 100000,
        "annotations": json.dumps({"mitre_attack": many}),
        "annotations.words": ["y" * 100000] * 1000,
        **{"annotations." + name: value for name, value in words.items()},
        "a": "z" * 1000000,
    }
    found = described(row)
    assert len(found["annotations"]["mitre_attack"]) == 200
    assert len(json.dumps(found)) < 200000
    title = {"action.notable": "1", "action.notable.param.rule_title": "$a$ " * 2500}
    assert len(described({"a": ["z" * 1000] * 1000}, title)["rule_title"]) == 10000


@pytest.mark.parametrize(
    "row",
    [
        {"annotations.mitre_attack" + ".a" * 6 + ".id": "T1078"},
        {"annotations": json.dumps({"mitre_attack" + ".a" * 49000 + ".id": "T1078"})},
        {"annotations": json.dumps({"mitre_attack.a.a": {"a.a.a.a.id": "T1078"}})},
        {"annotations": json.dumps({"mitre_attack": [[[[[[["T1078"]]]]]]]})},
        {"annotations" + ".annotations" * 8 + ".mitre_attack": "T1078"},
    ],
)
def test_what_lies_too_deep_is_left_out(row):
    """In objects, in lists, and in dotted names alike, which count as so many."""
    assert annotated(row) is None
    assert annotated({**row, "annotations.mitre_attack.a.a.a.a.a.id": "T1110"}) == {"mitre_attack": ["T1110"]}


@pytest.mark.parametrize(
    "before",
    [
        {"annotations": json.dumps([""] * 9999)},
        {"annotations": json.dumps([[]] * 9999)},
        {"annotations": [json.dumps({f"a.a.a.a.a.a.a.a.{number}": "x" for number in range(4999)})] * 2},
        {"annotations": [json.dumps([None] * 4999)] * 2},
        {"annotations.mitre_attack": ["none"] * 5000, "mitre_technique": ['["none"]'] * 2500},
        {f"annotations.a{number}": ["x"] * 1000 for number in range(10)},
    ],
)
def test_the_first_ten_thousand_values_of_a_row_are_looked_at(before):
    """Of all its annotations together, whatever form they have; lists and objects are values too."""
    assert "mitre_attack" not in (annotated({**before, "mitre_tactic_id": "T1078"}) or {})
    fewer = {name: value[10:] if isinstance(value, list) else "[]" for name, value in before.items()}
    assert annotated({**fewer, "mitre_tactic_id": "T1078"})["mitre_attack"] == ["T1078"]


def assert_few_steps(row, most):
    """Describe it; fails once the bytecode of `notable` has taken more steps than that."""
    taken = 0

    def step(frame, event, _argument):
        nonlocal taken
        taken += event == "opcode"
        assert taken < most
        return step

    def enter(frame, _event, _argument):
        frame.f_trace_opcodes = frame.f_globals is vars(notable)
        return step if frame.f_trace_opcodes else None

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        annotated(row)
    finally:
        sys.settrace(before)


@pytest.mark.parametrize(
    "row",
    [
        {"annotations": json.dumps({"a" + ".a" * 2000: [1] * 2000})},
        {"annotations": json.dumps([1] * 60000)},
        {"annotations.mitre_attack": ["T1078"] * 60000},
        {f"annotations.a{number}": ["[1, 1]"] * 1000 for number in range(60)},
    ],
)
def test_no_row_takes_long_to_describe(row):
    """Alerts of other searches wait meanwhile: whatever it holds, it is work for ten thousand values at most."""
    assert_few_steps(row, 10000 * 300)


def test_numbers_stay_as_they_are_written():
    """Also those of so many digits that to make a number of them takes long, or is refused."""
    number = "9" * 190000
    found = annotated({"annotations": '{"impact": ' + number + ', "score": -7, "share": 0.5}'})
    assert found == {"impact": [number[:200]], "score": ["-7"], "share": ["0.5"]}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["T1078", "ta0001"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["mitre_attack", "annotations", "id", "risk_object_field", "search", "a.b"]), inner
        )
    ),
    max_leaves=8,
)
TEXT = (
    st.text(max_size=8)
    | JSON.map(json.dumps)
    | st.sampled_from(
        [EVENT_ID, "$a$", "$result.a$", "1", "[" * 3000, '{"a":' * 3000, "\ud800", "T1078", "a", "9" * 5000]
    )
)
NAME = st.sampled_from(
    [*NOTABLE, "a", "index", "_time", "annotations.mitre_attack", "annotations._all", "mitre_tactic_id"]
)
ANY_ROW = st.dictionaries(
    NAME | NAME.map("All_Risk.{}".format) | st.text(max_size=4),
    TEXT | st.lists(TEXT, min_size=1, max_size=3),
    max_size=8,
)
SEARCH = st.dictionaries(st.sampled_from(notable.ATTRIBUTES), TEXT, max_size=8)


@settings(max_examples=150, deadline=None)
@given(ANY_ROW, SEARCH, st.sampled_from(["", "a*", "*id*", "annotations*"]))
def test_no_row_and_no_search_makes_an_invalid_body(row, search, exclude):
    """Whatever they hold: the schema is kept, and every value is a text of some length."""
    found = alert({"exclude_fields": exclude}, result=row)
    facts = message.Facts(correlation=notable.attributes(search))
    body = decoded(message.single(FIRING, head(found, facts=facts), found.row, EVERY_FIELD))
    security = body.get("enterprise_security", {"annotations": {}})
    annotations = security.pop("annotations", {})
    assert all(isinstance(text, str) and text for text in security.values())
    assert all(isinstance(text, str) and text for values in annotations.values() for text in values)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(NAME, JSON, max_size=6))
def test_a_row_of_wrong_types_does_not_raise(row):
    """It never comes; if it does, no alert fails."""
    notable.describe(row, notable.attributes(CORRELATION), EVERY_FIELD)
    notable.describe({**row, "event_id": EVENT_ID}, {}, EVERY_FIELD)


def test_the_head_describes_the_first_row():
    """With every row too, as `severity` does; and only where there is something to say."""
    found = alert({"send": "all"}, result=NOTABLE)
    assert head(found, NOTABLE, every_row=True)["enterprise_security"] == described(NOTABLE)
    assert "enterprise_security" not in head(alert())
    assert list(head(found))[-1] == "enterprise_security"
