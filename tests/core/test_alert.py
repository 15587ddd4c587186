"""Tests of what is kept of an alert. They must not look at how it is stored or sent."""

from __future__ import annotations

import itertools
import json

import pytest
from parapet import alert as alerts
from parapet.errors import Exit, StdinError

from tests.core.make import SID, alert, payload, wrong

SECRETS = ("SESSION-KEY-CANARY", "pst_CANARY", "webhook-canary")
GUID = "B0E5A7C2-9D63-4B58-8E0C-1F0B1C2D3E4F"


def test_nothing_is_kept_that_is_not_on_the_list():
    """Neither session key nor token nor URL nor anything unheard of is in the record."""
    configuration = {"token": "pst_CANARY", "webhook_url": "https://webhook-canary/webhook/x", "new": "pst_CANARY"}
    found = alert(configuration, relay_session_key="SESSION-KEY-CANARY", dispatch_dir="pst_CANARY")
    text = json.dumps(found._asdict())
    assert not [secret for secret in SECRETS if secret in text]
    assert "127.0.0.1:8089" not in text


def test_the_fields_of_the_record_are_those_of_the_design():
    """Who adds one decides to store it on disk, for as long as a tenant is down."""
    payload_keys = "app owner sid search_name search_uri results_link results_file result_id server_host"
    later = "user action_mode digest_mode rid orig_sid orig_rid row"
    names = alerts.USER_PARAMS + alerts.TOKEN_PARAMS + tuple(f"{payload_keys} {later}".split())
    assert alerts.Alert._fields == names


@pytest.mark.parametrize("name", alerts.USER_PARAMS)
def test_a_parameter_that_splunk_left_in_place_falls_back_to_its_default(name):
    """An analyst wrote `$result.x$`, and the result has no x: what nobody said has its default."""
    assert getattr(alert({name: "$result.x$"}), name) == getattr(alert({}), name)


@pytest.mark.parametrize("value", ["", None, "$job.earliestTime$", "$unheard.of$"])
@pytest.mark.parametrize("name", alerts.TOKEN_PARAMS)
def test_a_token_that_splunk_left_in_place_or_empty_is_not_known(name, value):
    """It does not reach the tenant as if it were a value."""
    assert getattr(alert({name: value}), name) == ""


def test_a_search_that_holds_dollars_is_not_taken_for_a_token():
    """`$` has other uses in SPL."""
    spl = 'index=web | eval price="$5$" | map search="search $x$"'
    assert alert({"search_query": spl}).search_query == spl


@pytest.mark.parametrize("given", [{}, dict.fromkeys(alerts.USER_PARAMS, ""), {"tenant": " ", "send": None}])
def test_parameters_that_are_missing_or_empty_have_their_defaults(given):
    """Splunk does not send what nobody filled in."""
    found = alert(given)
    shown = (found.tenant, found.send, found.severity, found.severity_fields, found.fields, found.exclude_fields)
    assert shown == ("main", "first", "auto", "urgency, severity", "*", "")


@pytest.mark.parametrize(("name", "value", "default"), [("send", "some", "first"), ("severity", "urgent", "auto")])
def test_a_value_outside_its_list_falls_back_and_is_reported(name, value, default):
    """An alert is never lost to a typing error."""
    found, reported = alerts.from_payload(payload({name: value}))
    assert getattr(found, name) == default
    assert reported == [(name, value, default)]


def test_choices_do_not_depend_on_case_or_blanks():
    """` ALL ` is meant as `all`."""
    found, reported = alerts.from_payload(payload({"send": " ALL ", "severity": "High", "tenant": " main "}))
    assert (found.send, found.severity, found.tenant, reported) == ("all", "high", "main", [])


def test_a_pair_of_a_severity_map_that_cannot_be_used_is_reported():
    """The other pairs count."""
    assert [(name, value) for name, value, _ in wrong({"severity_map": "p1=critical, p2, p3=urgent"})] == [
        ("severity_map", "p2"),
        ("severity_map", "p3=urgent"),
    ]


@pytest.mark.parametrize(
    ("value", "kept"),
    [(17, "17"), (1769614200.42, "1769614200.42"), (None, ""), ("a\0b", "ab"), (True, "true")],
)
def test_a_value_that_is_no_string_becomes_one(value, kept):
    """CIM says that a sid may be an integer."""
    assert alert(sid=value).sid == kept


def test_a_row_keeps_multiple_values_and_loses_empty_ones():
    """Also inside of a multivalue; NULs go as well."""
    row = {"a": ["x", "", None, "y"], "b": "", "c": [], "d": ["", None], "e": "1\x002", "f": None, "_bkt": "b"}
    assert alert(result=row).row == {"a": ["x", "y"], "e": "12", "_bkt": "b"}


@pytest.mark.parametrize(("document", "row"), [({"result": None}, None), ({"result": {}}, {})])
def test_zero_results_are_no_error(document, row):
    """Alerts on "number of results = 0" exist."""
    assert alert(**document).row == row


def test_a_payload_without_a_result_is_an_alert():
    """The key may be missing as well as null."""
    document = payload()
    del document["result"]
    assert alerts.from_payload(document)[0].row is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("saved", "1", "0")),
        ({"result_id": "7"}, ("saved", "0", "7")),
        ({"results_file": "/x/dispatch/y/per_result_alert/tmp_0.csv.gz"}, ("saved", "0", "0")),
        ({"sid": "1769614200.42"}, ("adhoc", "1", "0")),
        ({"sid": "rt_scheduler__a__b__RMD5c_at_1769614200_1.3"}, ("saved", "1", "0")),
    ],
)
def test_modes_and_row_id_are_those_of_the_cim_library(changes, expected):
    """Enterprise Security reads these words."""
    found = alert(**changes)
    assert (found.action_mode, found.digest_mode, found.rid) == expected


def test_the_origin_of_a_notable_is_kept():
    """`orig_sid` and `orig_rid` come from the row, also where they have several values; the user from the payload."""
    found = alert(result={"orig_sid": ["s1", "s2"], "orig_rid": "3"}, user="analyst")
    assert (found.orig_sid, found.orig_rid, found.user) == ("s1", "3", "analyst")
    assert alert(owner="nobody").user == "nobody"


@pytest.mark.parametrize(
    "stdin",
    [
        b"",
        b"  \n",
        b"<?xml version='1.0'?><alert/>",
        b'{"sid": "1',
        b"[]",
        b'"x"',
        b"null",
        b"17",
        b"{}",
        b'{"configuration": null}',
        b'{"configuration": [], "result": null}',
        b'{"configuration": {}, "result": ["x"]}',
        b'{"configuration": {}, "result": "x"}',
        b"[" * 100000,
        b"\xff\xfe\x00",
    ],
)
def test_what_splunk_never_sends_is_refused_in_one_line(stdin):
    """Exit code 3, a sentence, and nothing of what was on stdin but its shape."""
    with pytest.raises(StdinError) as caught:
        alerts.parse(stdin)
    assert caught.value.exit_code == Exit.STDIN
    assert "stdin" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_bytes_that_are_not_utf_8_do_not_lose_the_alert():
    """They become replacement characters."""
    stdin = json.dumps(payload(search_name="X")).encode().replace(b'"X"', b'"\xff"')
    assert alerts.parse(stdin)[0].search_name == "\ufffd"


def test_the_same_firing_has_the_same_id():
    """Splunk may start the action twice for one chunk; a key's place in a JSON object means nothing."""
    one, two = payload(result={"a": "1", "b": "2"}), payload(result={"b": "2", "a": "1"}, session_key="another")
    ids = [alerts.firing_id(alerts.from_payload(document)[0], "") for document in (one, two)]
    assert ids[0] == ids[1]
    assert alerts.TENANT_NAME.match(ids[0])
    assert len(ids[0]) == 20
    assert set(ids[0]) <= set("0123456789abcdef")


def test_another_firing_has_another_id():
    """Content, place and every setting that changes the body count."""
    settings = {
        "tenant": "lab",
        "send": "all",
        "severity": "low",
        "severity_fields": "x",
        "severity_map": "x=low",
        "fields": "a*",
        "exclude_fields": "b",
    }
    firings = [alert({name: value}) for name, value in settings.items()]
    firings += [
        alert(),
        alert(sid="1769614200.42"),
        alert(search_name="Other"),
        alert(result_id="0"),
        alert(result_id="1"),
        alert(result={"src_ip": "45.227.253.98"}),
        alert(result=None),
    ]
    ids = [alerts.firing_id(found, "") for found in firings]
    assert set(settings) == set(alerts.USER_PARAMS)
    assert len(set(ids)) == len(ids)


def test_each_chunk_of_an_ad_hoc_sendalert_has_an_id_of_its_own():
    """The same sid, no name, no result id: only the content tells them apart."""
    chunk = alert(sid="1769614200.42", search_name="", result=None)
    assert len({alerts.firing_id(chunk, digest) for digest in ("", "aa", "bb")}) == 3
    assert alerts.firing_id(alert(sid="1.2", result={"n": "1"}), "") != alerts.firing_id(
        alert(sid="1.2", result={"n": "2"}), ""
    )


def test_an_id_can_be_made_of_any_text():
    """Lone surrogates, emoji and long values are no obstacle."""
    found = alert(search_name="\ud800 🛡", result={"x": "\udfff" * 3, "y": "z" * 2000000})
    assert len(alerts.firing_id(found, "")) == 20


@pytest.mark.parametrize(
    ("told", "ms"),
    [
        ("1769614200", 1769614200000),
        ("1769614200.25", 1769614200250),
        ("1769614200.999999999", 1769614200999),
        ("9999999999.999999", 9999999999999),
        ("999999999", 999999999000),
    ],
)
def test_the_trigger_time_is_splunks_own_word(told, ms):
    """In seconds, with or without a fraction; it always fits the thirteen digits of a file's name."""
    assert alerts.trigger_ms(alert({"trigger_time": told}, sid="1.2")) == ms


@pytest.mark.parametrize(
    "sid",
    [
        SID,
        f"{SID}_{GUID}",
        "rt_scheduler__admin__search__RMD5c0ffee_at_1769614200_42.17",
        f"rt_scheduler__admin__search__RMD5c0ffee_at_1769614200_42_{GUID}.17",
        "1769614200.42",
        f"1769614200.42_{GUID}",
        "scheduler__YWRtaW4__c2VhcmNo__RMD5c0ffee_at_1769614200_42",
        "scheduler__x_at_123456789_y__search__RMD5c0ffee_at_1769614200_42",
        "scheduler__nobody__search__RMD5c0ffee_at_1769614200",
    ],
)
def test_without_it_the_time_in_the_sid_counts(sid):
    """In each form that a sid has; a user's name cannot pass for the time."""
    assert alerts.trigger_ms(alert({"trigger_time": "$trigger_time$"}, sid=sid)) == 1769614200000


ABSURD = [
    "",
    "0",
    "-5",
    "soon",
    "1e12",
    "NaN",
    "inf",
    "99999999999",
    "1769614200000",
    "²" * 10,
    "1" * 1000,
    "1769614200\n",
]


@pytest.mark.parametrize(("told", "sid"), itertools.product(ABSURD, ["", "subsearch_x", "scheduler_at_12_3", "1.2"]))
def test_an_absurd_time_is_no_time(told, sid):
    """The clock is asked by somebody else, and never for a name or an id."""
    assert alerts.trigger_ms(alert({"trigger_time": told}, sid=sid)) == 0


@pytest.mark.parametrize("name", ["trigger_time", "alert_severity", "description", "search_query", "result_count"])
def test_a_firing_with_another_body_has_another_id(name):
    """Whatever Splunk filled in shows in the body, so it is part of what the id stands for."""
    one, other = alert({name: "1769614200"}), alert({name: "1769614201"})
    assert alerts.firing_id(one, "") != alerts.firing_id(other, "")
