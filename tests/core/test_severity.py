"""Tests of how a severity is found. They must not know where it goes."""

from __future__ import annotations

import pytest
from parapet.severity import DEFAULT_MAP, LEVELS, parse_map, resolve

FIELDS = "urgency, severity"
GUIDE = {
    "info": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "critical": "critical",
    "informational": "low",
    "unknown": "low",
    "debug": "low",
    "warn": "medium",
    "warning": "medium",
    "error": "high",
    "severe": "critical",
    "fatal": "critical",
}


def level(row=None, alert_severity="", *, own="", setting="auto", fields=FIELDS):
    """The level alone."""
    return resolve(setting, fields, own, row or {}, alert_severity)[0]


def unknown(row=None, alert_severity="", own=""):
    """What no map knew."""
    return resolve("auto", FIELDS, own, row or {}, alert_severity)[1]


@pytest.mark.parametrize("setting", LEVELS)
def test_a_level_that_the_alert_names_wins(setting):
    """Over row and alert."""
    assert level({"urgency": "critical"}, "6", setting=setting) == setting


@pytest.mark.parametrize(
    ("number", "expected"),
    [("1", "low"), ("2", "low"), ("3", "medium"), ("4", "high"), ("5", "critical"), ("6", "critical"), (" 4 ", "high")],
)
def test_the_alerts_own_severity_is_a_number(number, expected):
    """As savedsearches.conf has them."""
    assert level(None, number) == expected
    assert unknown(None, number) == ""


@pytest.mark.parametrize(("word", "expected"), sorted(GUIDE.items()))
def test_words_of_the_guide_splunk_and_enterprise_security_are_known(word, expected):
    """In a row's field and for the alert itself, without regard to case."""
    assert level({"urgency": word.upper()}) == expected
    assert level({"severity": f" {word} "}) == expected
    assert level(None, word.title()) == expected


def test_the_default_map_is_the_documented_one():
    """No pair more, none less, none broken."""
    assert parse_map(DEFAULT_MAP) == (GUIDE, [])


@pytest.mark.parametrize("number", ["1", "4", "6", "10"])
def test_a_number_in_a_field_counts_only_when_the_map_names_it(number):
    """A syslog severity of 1 is the worst there is, Splunk's 1 the least."""
    assert level({"severity": number}, "3") == "medium"
    assert level({"severity": number}, "3", own=f"{number}=critical") == "critical"


def test_a_number_in_the_map_is_not_about_the_alerts_own_severity():
    """That one is Splunk's, and fixed."""
    assert level(None, "1", own="1=critical") == "low"


def test_an_own_map_adds_and_overrides_pair_by_pair():
    """What it does not name stays as it was."""
    own = "P1=critical, high = low"
    assert [level({"urgency": word}, own=own) for word in ("p1", "HIGH", "error")] == ["critical", "low", "high"]


def test_fields_are_looked_at_in_their_order():
    """The first whose value is known counts."""
    row = {"urgency": "low", "severity": "critical", "prio": "high"}
    assert level(row) == "low"
    assert level(row, fields="severity,urgency") == "critical"
    assert level(row, fields=" , prio ,") == "high"
    assert level(row, "4", fields="") == "high"


def test_a_field_whose_value_is_in_no_map_is_passed_over():
    """For the next field, then for the alert's own severity; nothing is reported then."""
    assert resolve("auto", FIELDS, "", {"urgency": "purple", "severity": "high"}, "1") == ("high", "")
    assert resolve("auto", FIELDS, "", {"urgency": "purple"}, "1") == ("low", "")


@pytest.mark.parametrize(
    ("values", "expected"),
    [(["low", "critical", "high"], "critical"), (["purple", "high"], "high"), (["low", "low"], "low")],
)
def test_of_a_multivalue_field_the_most_severe_counts(values, expected):
    """Unknown ones among them do not matter."""
    assert level({"urgency": values}) == expected


@pytest.mark.parametrize("alert_severity", ["", "0", "7", "purple", "-1", "4.0", "²"])
def test_at_the_end_stands_medium(alert_severity):
    """Also when nothing was said at all."""
    assert level({}, alert_severity) == "medium"


@pytest.mark.parametrize(
    ("row", "alert_severity", "expected"),
    [
        ({}, "", ""),
        ({"urgency": "Purple"}, "", "urgency"),
        ({"urgency": ["", "purple"]}, "", "urgency"),
        ({}, "purple", "alert_severity"),
        ({"severity": "7"}, "9", "severity"),
    ],
)
def test_what_no_map_knows_is_named(row, alert_severity, expected):
    """The field that held it, the first of several; never its value, which is a result row's."""
    assert unknown(row, alert_severity) == expected


@pytest.mark.parametrize(
    ("text", "pairs", "wrong"),
    [
        ("", {}, []),
        (" , ,", {}, []),
        ("A = High", {"a": "high"}, []),
        ("a=b=low", {"a=b": "low"}, []),
        ("a=high,a=low", {"a": "low"}, []),
        ("high", {}, ["high"]),
        ("=high", {}, ["=high"]),
        ("a=", {}, ["a="]),
        ("a=urgent, b=low", {"b": "low"}, ["a=urgent"]),
        ("a=high, , b=low", {"a": "high", "b": "low"}, []),
    ],
)
def test_a_map_is_pairs_and_says_which_cannot_be_used(text, pairs, wrong):
    """One broken pair does not spoil the others."""
    assert parse_map(text) == (pairs, wrong)
