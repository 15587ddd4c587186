"""Tests of the bodies that a tenant receives: heads and rows. They must not send one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parapet import alert as alerts
from parapet import message, rows

from tests.core.make import CONTRACT, EVERY_FIELD, FIRING, SID, WIRE, alert, batches, decoded, head, payload

TOKENS = {
    "alert_severity": "4",
    "trigger_time": "1769614200",
    "search_query": "source=/var/log/auth.log failed password | stats count by src_ip",
    "earliest": "2026-01-28T14:30:00.000+00:00",
    "latest": "1769614200",
    "result_count": "5",
}
ROW = {"_time": "1769613900", "src_ip": "45.227.253.98", "count": "47", "user": "root", "host": "web-server-01"}


def sample(name):
    """A document of the wire contract."""
    return json.loads((CONTRACT / "samples" / name).read_text(encoding="utf-8"))


def test_the_first_row_sample_is_what_the_guides_alert_becomes():
    """Equal as JSON, every key."""
    found = alert(TOKENS, result=dict(ROW, _bkt="main~1", _cd="1:2", empty=""))
    body = message.single(FIRING, head(found), found.row, EVERY_FIELD)
    assert decoded(body) == sample("first-row.json")
    assert (body.id, body.rows, body.last) == (FIRING, 1, True)


def test_the_every_row_sample_is_what_two_rows_become():
    """Equal as JSON, every key; the multivalue is a list."""
    found = alert(dict(TOKENS, send="all", result_count="2"))
    every_row = [
        {"_time": "1769613900", "src_ip": "45.227.253.98", "count": "47", "user": ["root", "admin"]},
        {"_time": "1769613960.250", "src_ip": "198.51.100.7", "count": "12", "user": "guest"},
    ]
    (batch,) = batches(every_row, head(found, every_row[0], every_row=True), 1048576)
    assert decoded(batch) == sample("every-row.json")
    assert batch.id == sample("every-row.json")["id"]


def test_the_connection_test_sample_is_what_a_test_is():
    """Under an id that the caller makes."""
    body = json.loads(message.test_body("test-2f6c1b0e9d4a7f13").decode())
    WIRE.validate(body)
    assert body == sample("test.json")


def test_what_is_not_known_is_null_or_left_out():
    """An ad-hoc search without a name, on a Splunk that says nothing."""
    found = alert(search_name="", results_link="", server_host="", result=None, sid="1769614200.42")
    body = decoded(message.single(FIRING, head(found), {}, EVERY_FIELD))
    assert body["results"] == {}
    assert body["result_count"] == 0
    assert body["severity"] == "medium"
    assert "splunk" not in body
    assert "links" not in body
    assert body["search"] == {
        "name": "Unknown",
        "query": None,
        "earliest": None,
        "latest": None,
        "app": "search",
        "owner": "admin",
        "sid": "1769614200.42",
    }


def test_what_splunks_rest_interface_knew_fills_the_gaps():
    """And only the gaps: the firing's own word counts more."""
    facts = message.Facts("spl", "1", "2026-01-01T00:00:00Z", "about", "6", 9, "guid", "9.2.1")
    body = decoded(message.single(FIRING, head(alert(), facts=facts), {}, EVERY_FIELD))
    assert body["search"]["query"] == "spl"
    assert body["search"]["earliest"] == "1970-01-01T00:00:01Z"
    assert body["search"]["latest"] == "2026-01-01T00:00:00Z"
    assert body["search"]["description"] == "about"
    assert (body["severity"], body["result_count"]) == ("critical", 9)
    assert body["splunk"] == {"server": "sh1", "guid": "guid", "version": "9.2.1"}
    own = dict(TOKENS, description="own", server_guid="OWN", view_link="http://sh1/alert")
    body = decoded(message.single(FIRING, head(alert(own), facts=facts), {}, EVERY_FIELD))
    assert body["search"]["query"] == TOKENS["search_query"]
    assert (body["search"]["description"], body["splunk"]["guid"]) == ("own", "OWN")
    assert (body["severity"], body["result_count"]) == ("high", 5)
    assert body["links"]["alert"] == "http://sh1/alert"


@pytest.mark.parametrize(
    "count", ["", "-1", "many", "1.5", "²", "9" * 16, "9" * 5000, "$job.resultCount$"], ids=lambda text: text[:20]
)
def test_a_count_that_is_none_is_taken_from_the_rows(count):
    """The rows that are known to exist."""
    assert head(alert({"result_count": count}), row_count=3)["result_count"] == 3


@pytest.mark.parametrize(("digits", "expected"), [(1, 9), (15, 999999999999999), (16, 3)])
def test_a_count_has_fifteen_digits_at_most(digits, expected):
    """Every reader of JSON keeps those exactly."""
    assert head(alert({"result_count": "9" * digits}), row_count=3)["result_count"] == expected


def test_a_body_counts_the_rows_that_it_holds():
    """None, where the firing had none."""
    assert message.single(FIRING, head(alert()), {"a": "1"}, EVERY_FIELD).rows == 1
    assert message.single(FIRING, head(alert()), {}, EVERY_FIELD).rows == 0


def test_a_count_of_zero_is_a_count():
    """Told by the firing, or by Splunk's REST interface."""
    assert head(alert({"result_count": "0"}), row_count=3)["result_count"] == 0
    assert head(alert(), row_count=3, facts=message.Facts(result_count=0))["result_count"] == 0


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"a": "", "b": [], "c": "1"}, {"c": "1"}),
        ({"_time": "1764476913.841"}, {"_time": "2025-11-30T04:28:33.841Z"}),
        ({"_time": "yesterday"}, {"_time": "yesterday"}),
        ({"_time": ["1769613900", "soon"]}, {"_time": "2026-01-28T15:25:00Z"}),
        ({"_raw": "1769613900", "when": "1769613900"}, {"_raw": "1769613900", "when": "1769613900"}),
        ({"_bkt": "x", "_cd": "x", "_indextime": "1", "_x": "x", "__mv_a": "x", "a": ["1", "2"]}, {"a": ["1", "2"]}),
    ],
)
def test_a_row_travels_as_the_contract_has_it(row, expected):
    """`_time` in UTC where it is a time, and one alone, as the schema wants it; `_raw` as it is, nothing internal."""
    assert message.outgoing(row, EVERY_FIELD) == expected


def test_only_the_selected_fields_travel():
    """In a first row and in every row; a row of which nothing is left is still a row."""
    found, select = alert(result={"a": "1", "b": "2"}), rows.Selector("*", "b, c")
    assert decoded(message.single(FIRING, head(found), found.row, select))["results"] == {"a": "1"}
    cutter = message.Cutter(FIRING, head(found, every_row=True), iter([{"c": "3"}]), select, offset=0, index=0)
    assert decoded(cutter.batch(cutter.cut(10000), truncated=False))["results"] == [{}]


def test_half_a_character_becomes_a_replacement_character():
    """In names and values of rows, and in the head: the body is UTF-8 whatever happens."""
    broken = {"\ud800key": "a\udfffb", "emoji": "🛡"}
    found = alert({"search_query": "\ud800"}, search_name="x\udc00", result=broken)
    body = decoded(message.single(FIRING, head(found), found.row, EVERY_FIELD))
    assert body["results"] == {"\ufffdkey": "a\ufffdb", "emoji": "🛡"}
    assert (body["search"]["name"], body["search"]["query"]) == ("x\ufffd", "\ufffd")
    (batch,) = batches([broken], head(found, every_row=True), 10000)
    assert decoded(batch)["results"] == [body["results"]]


def test_text_travels_as_it_is():
    """Quotes, newlines, U+2028, emoji, and two megabytes."""
    row = {"q": '"\\', "n": "a\nb\r", "u": "\u2028", "e": "🛡", "big": "x" * 2000000}
    assert decoded(message.single(FIRING, head(alert()), row, EVERY_FIELD))["results"] == row


TEXT = st.text(max_size=8) | st.sampled_from(
    ["1769613900", "_x", "\ud800", "\u2028", "$a$", "2026-01-28T15:30:00Z", "4", "high", "0"]
)
VALUE = st.none() | TEXT | st.lists(TEXT | st.none(), max_size=3) | st.integers() | st.booleans()
NAME = TEXT | st.sampled_from(["_time", "_raw", "__mv_a", "_bkt", "urgency", "orig_sid", "_time\n"])
CONFIGURATION = st.dictionaries(st.sampled_from(alerts.USER_PARAMS + alerts.TOKEN_PARAMS + ("token", "x")), VALUE)
CHANGES = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("app", "owner", "sid", "search_name", "results_link", "results_file", "result_id", "server_host"), VALUE
    ),
)
ROWS = st.lists(st.dictionaries(NAME, VALUE, max_size=4), max_size=6)


@settings(max_examples=200, deadline=None)
@given(
    CONFIGURATION, CHANGES, st.none() | st.dictionaries(NAME, VALUE, max_size=4), ROWS, st.integers(0, 9999999999999)
)
def test_no_alert_ever_becomes_an_invalid_body(configuration, changes, row, every_row, fired_ms):
    """Whatever Splunk sends: both forms keep the schema, and can be read as UTF-8."""
    found, _ = alerts.from_payload(payload(configuration, result=row, **changes))
    select = rows.Selector(found.fields, found.exclude_fields)
    decoded(message.single(FIRING, head(found, fired_ms=fired_ms), found.row or {}, select))
    clean = [alerts.clean_row(item) for item in every_row]
    fixed = head(found, clean[0] if clean else {}, every_row=True, row_count=len(clean), fired_ms=fired_ms)
    for batch in batches(clean, fixed, 900):
        assert decoded(batch)["batch"]["rows"] == batch.rows


def test_the_head_says_what_no_severity_map_knows():
    """So that the log can."""
    row = {"urgency": "purple"}
    built = message.build_head(alert(), row, every_row=False, row_count=1, fired_ms=0, facts=message.Facts())
    assert (built[0]["severity"], built[1]) == ("medium", "urgency")


@pytest.mark.parametrize(
    ("row", "own_map", "word", "expected"),
    [
        ({}, "", "critical", ("critical", "")),
        ({}, "", "Informational", ("low", "")),
        ({"urgency": "high"}, "", "low", ("high", "")),
        ({"urgency": "purple"}, "", "low", ("low", "")),
        ({}, "purple=critical", "purple", ("critical", "")),
        ({}, "", "purple", ("medium", "")),
        ({}, "", "", ("medium", "")),
        ({}, "", "4", ("medium", "")),
    ],
)
def test_a_correlation_searchs_severity_is_between_row_and_alert(row, own_map, word, expected):
    """A word that no map knows is passed over; the alert's own severity, a number, is 3 here."""
    facts = message.Facts(correlation={"action.notable.param.severity": word}, alert_severity="3")
    found = alert({"severity_map": own_map})
    built = message.build_head(found, row, every_row=False, row_count=1, fired_ms=0, facts=facts)
    assert (built[0]["severity"], built[1]) == expected
    nothing = facts._replace(alert_severity="")
    unknown = message.build_head(found, row, every_row=False, row_count=1, fired_ms=0, facts=nothing)[1]
    assert unknown == ("notable_severity" if word in ("purple", "4") and not own_map else "")


def test_the_guides_multiple_results_form_has_the_name_at_the_top():
    """Only with an array."""
    assert "search_name" not in head(alert())
    assert head(alert(), every_row=True)["search_name"] == head(alert())["search"]["name"] == "Failed SSH Logins"
    assert head(alert())["search"]["sid"] == SID
