"""Tests of the lines that the CIM data model and Enterprise Security read. They must not write a file."""

from __future__ import annotations

import re

import pytest
from parapet import modaction

from tests.core import make

ID = "0123456789abcdef0123"
PAIRS = re.compile(r'(\w+)="([^"]*)"')


def an_alert(**changes):
    """The guide's alert, with other fields."""
    return make.alert()._replace(**changes)


def settled(alert, rows=({},), failure="", duration_ms=1500):
    """The lines of an alert that ended, as dicts."""
    told = [(row, failure) for row in rows]
    return [fields(modaction.text(line)) for line in modaction.settled(alert, ID, told, duration_ms=duration_ms)]


def fields(line):
    """A line as {key: value}; what is not key="value" fails the test."""
    start, found = "sendmodaction - ", PAIRS.findall(line)
    assert line == start + " ".join(f'{key}="{value}"' for key, value in found)
    return dict(found)


def test_stored_alert_is_pending_with_all_that_identifies_it():
    """In the order and with the names of the CIM library."""
    alert = an_alert(
        search_name="Failed logins", sid="scheduler__x_at_1", app="search", user="bob", server_host="sh1", rid="4",
        row={"orig_sid": "scheduler__n_at_0", "orig_rid": ["7", "8"]},
    )  # fmt: skip
    (line,) = modaction.stored(alert, ID)
    expected = {
        "worker": "sh1",
        "signature": "Stored; it waits for delivery",
        "action_name": "parapet_security",
        "search_name": "Failed logins",
        "sid": "scheduler__x_at_1",
        "orig_sid": "scheduler__n_at_0",
        "rid": "4",
        "orig_rid": "7",
        "app": "search",
        "user": "bob",
        "digest_mode": alert.digest_mode,
        "action_mode": alert.action_mode,
        "action_status": "pending",
        "id": ID,
        "tenant": alert.tenant,
    }
    assert list(fields(modaction.text(line)).items()) == list(expected.items())


@pytest.mark.parametrize(
    ("failure", "status", "signature"),
    [("", "success", "Delivered to tenant main"), ("HTTP 400", "failure", "Not delivered: HTTP 400")],
)
def test_an_end_is_an_invocation_and_an_outcome(failure, status, signature):
    """The invocation has no status of its own, so that each row has one."""
    invocation, outcome = settled(an_alert(), failure=failure)
    assert invocation["signature"] == "Invoking modular action"
    assert "action_status" not in invocation
    assert (outcome["signature"], outcome["action_status"]) == (signature, status)
    assert invocation["duration"] == outcome["duration"] == "1500"
    assert invocation["rid"] == outcome["rid"]


def test_a_run_by_hand_of_every_row_has_a_pair_for_each_of_the_first_hundred():
    """Under the row's number, with what the row says of its notable."""
    alert = an_alert(action_mode="adhoc", send="all", search_name="")
    rows = [{"orig_sid": f"s{n}", "orig_rid": str(n * 2)} for n in range(150)]
    lines = settled(alert, rows)
    assert len(lines) == 200
    assert [line["rid"] for line in lines[::2]] == [str(n) for n in range(100)]
    assert (lines[41]["orig_sid"], lines[41]["orig_rid"]) == ("s20", "40")
    assert all("search_name" not in line for line in lines)


def test_a_row_that_was_not_delivered_is_a_failure_beside_those_that_were():
    """Each row says what became of it, not of the alert as a whole."""
    alert = an_alert(action_mode="adhoc", send="all")
    lines = modaction.settled(alert, ID, [({}, ""), ({}, "too large"), ({}, "")], duration_ms=1)
    outcomes = [fields(modaction.text(line)) for line in lines[1::2]]
    assert [(line["rid"], line["action_status"]) for line in outcomes] == [
        ("0", "success"), ("1", "failure"), ("2", "success"),
    ]  # fmt: skip
    assert outcomes[1]["signature"] == "Not delivered: too large"


@pytest.mark.parametrize(
    "changes", [{"action_mode": "saved", "send": "all"}, {"action_mode": "adhoc", "send": "first"}]
)
def test_any_other_run_has_one_pair_under_its_own_rid(changes):
    """An alert that Splunk fired for one row says which."""
    alert = an_alert(rid="3", **changes)
    assert not modaction.is_told_by_row(alert)
    assert [line["rid"] for line in settled(alert, [{"orig_sid": "a"}])] == ["3", "3"]


@pytest.mark.parametrize("member", ["", "_6F1E3A52-0C1B-4B5E-9A55-2B1C7B1E9F10"])
def test_snapshot_of_a_real_time_search_moves_from_sid_to_rid(member):
    """As the CIM library has it; the GUID of a cluster's member stays."""
    sid = "rt_scheduler__admin__search__RMD5_at_1_2"
    invocation, _ = settled(an_alert(sid=f"{sid}.17{member}", rid="0"))
    assert (invocation["sid"], invocation["rid"]) == (sid + member, "0.17")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ('say "hi"', "say 'hi'"),
        ("a=b action_status=success", "a=b action_status=success"),
        ("two\nlines\r\x00\u2028", "two lines "),
        ("ends with \\", "ends with \\ "),
        ("x" * 700, "x" * 600 + "…"),
        ("\ud800half", " half"),
    ],
)
def test_no_value_can_break_a_line(name, told):
    """Splunk takes a line apart at its quotes."""
    for line in settled(an_alert(search_name=name)):
        assert line["search_name"] == told
