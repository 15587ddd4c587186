"""Tests of how Splunk reads a log file, as the tests have it. They must not use what the app ships."""

from __future__ import annotations

import pytest

from tests.spl import reading

PROPS = {"TIME_FORMAT": "%Y-%m-%dT%H:%M:%S.%3NZ", "MAX_TIMESTAMP_LOOKAHEAD": "24", "KV_MODE": "auto_escaped"}
STAMP = "2026-01-28T15:30:00.250Z "


def fields(text, **props):
    """The fields of one line."""
    return reading.fields(text, {**PROPS, **props})


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a=1 b=two", {"a": "1", "b": "two"}),
        ('a="x y" b=""', {"a": "x y"}),
        (r'a="say \"hi\"" b="c:\\d"', {"a": 'say "hi"', "b": "c:\\d"}),
        (r'a="line\nend"', {"a": r"line\nend"}),
        ('a="b=1, c=2" d=3', {"a": "b=1, c=2", "d": "3"}),
        ("a=1 a=2", {"a": "1"}),
        ("a=1,b=2;c=3|d=4", {"a": "1", "b": "2", "c": "3", "d": "4"}),
        ("a=it's b=x\\y", {"a": "it", "b": "x"}),
        ("x.y=1 a-b=2", {"x_y": "1", "a_b": "2"}),
        ("1a=2 =3 a= b=4", {"b": "4"}),
        ("https://h/?q=1", {"q": "1"}),
    ],
)
def test_pairs_are_taken_as_auto_escaped_takes_them(text, wanted):
    """Inside of quotes a quote and a backslash are escaped, and nothing else; outside, punctuation ends a value."""
    assert fields(text) == wanted


def test_auto_knows_no_escapes_and_none_takes_nothing():
    """The next quote is the end."""
    assert fields(r'a="x\" b="y" c="z\\"', KV_MODE="auto") == {"a": "x\\", "b": "y", "c": "z\\\\"}
    assert fields("a=1", KV_MODE="none") == {}


def test_what_extract_finds_is_not_overwritten():
    """It comes first."""
    assert fields("WARN level=INFO", **{"EXTRACT-level": r"^(?<level>[A-Z]+)\s"}) == {"level": "WARN"}


def test_a_pair_behind_10240_characters_is_not_found():
    """limits.conf, [kv] maxchars."""
    assert fields("x" * 10200 + ' a="1" b=2') == {"a": "1", "b": "2"}
    assert fields("x" * 10230 + ' a="1" b="2345"') == {"a": "1"}


def test_a_file_is_cut_into_events_with_their_times():
    """A line without a time has that of the line before; empty lines are no events."""
    data = f"{STAMP}a=1\r\n\n{STAMP.replace('00.250', '01.000')}a=2\na=3\n".encode()
    found = list(reading.events(data, PROPS))
    assert [(event.time, event.fields["a"]) for event in found] == [
        (1769614200.25, "1"),
        (1769614201.0, "2"),
        (1769614201.0, "3"),
    ]


def test_a_line_that_is_too_long_is_cut_at_a_character():
    """TRUNCATE counts bytes; 10000 where nothing is set, and 0 is no limit."""
    data = (STAMP + "é" * 6000).encode()
    (event,) = reading.events(data, PROPS)
    assert len(event.raw.encode()) == 9999
    for most, length in (("30", 29), ("0", 12025)):
        (event,) = reading.events(data, {**PROPS, "TRUNCATE": most})
        assert len(event.raw.encode()) == length


def test_a_time_with_its_zone_counts_in_that_zone():
    """As the modalert log writes it."""
    props = {"TIME_FORMAT": "%Y-%m-%d %H:%M:%S,%3N%z", "MAX_TIMESTAMP_LOOKAHEAD": "28"}
    (event,) = reading.events(b"2026-01-28 17:30:00,250+0200 INFO x\n", props)
    assert event.time == 1769614200.25
