"""Tests of times as the wire wants them. They must not look at a clock."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parapet.utc import iso, to_iso


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1769614200000, "2026-01-28T15:30:00Z"),
        (1769614200250, "2026-01-28T15:30:00.250Z"),
        (1769614200007, "2026-01-28T15:30:00.007Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (9999999999999, "2286-11-20T17:46:39.999Z"),
        (-62135596800000, "0001-01-01T00:00:00Z"),
    ],
)
def test_milliseconds_become_utc(ms, text):
    """They are shown when they are not zero; the largest that fits a file's name is no exception."""
    assert iso(ms) == text


def test_a_year_beyond_the_calendar_is_an_error():
    """Nothing that comes out of a file's name can be that far."""
    with pytest.raises(OverflowError):
        iso(10**15)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1764476913.841", "2025-11-30T04:28:33.841Z"),
        ("1764476913.841999999", "2025-11-30T04:28:33.841Z"),
        ("1764476913", "2025-11-30T04:28:33Z"),
        ("1764476913.000", "2025-11-30T04:28:33Z"),
        (" 1764476913 ", "2025-11-30T04:28:33Z"),
        ("0", "1970-01-01T00:00:00Z"),
        ("-0.5", "1969-12-31T23:59:59.500Z"),
        ("-1.25", "1969-12-31T23:59:58.750Z"),
        ("2026-01-28T15:30:00Z", "2026-01-28T15:30:00Z"),
        ("2026-01-28T15:30:00.000+00:00", "2026-01-28T15:30:00Z"),
        ("2026-01-28T15:30:00.250+05:30", "2026-01-28T10:00:00.250Z"),
        ("2026-01-28T15:30:00-0800", "2026-01-28T23:30:00Z"),
        ("2026-01-28 15:30:00,5Z", "2026-01-28T15:30:00.500Z"),
        ("2024-02-29T23:59:59.999999-00:30", "2024-03-01T00:29:59.999Z"),
    ],
)
def test_splunks_times_become_utc(text, expected):
    """Epoch seconds, or ISO 8601 with an offset or Z."""
    assert to_iso(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "-24h@h",
        "rt",
        "1e9",
        "NaN",
        "Infinity",
        "0x10",
        "1_000",
        "1764476913.",
        ".5",
        "+1",
        "1" * 1000,
        "99999999999999",
        "²",
        "१७६९६१४२००",
        "२०२६-०१-२८T१५:३०:००Z",
        "2026-01-28",
        "2026-01-28T15:30:00",
        "2026-01-28T15:30Z",
        "2026-02-30T00:00:00Z",
        "2026-01-28T25:00:00Z",
        "2026-01-28T15:30:00+24:00",
        "2026-01-28T15:30:00+99:99",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "2026-01-28T15:30:00Z\nx",
        "Wed, 28 Jan 2026 15:30:00 GMT",
    ],
)
def test_anything_else_is_no_time(text):
    """It is not guessed at."""
    assert to_iso(text) is None


@given(
    st.text()
    | st.from_regex(r"\A-?\d{1,13}(\.\d{1,9})?\Z")
    | st.from_regex(r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d\Z")
)
def test_any_text_is_a_time_of_the_wire_or_none(text):
    """Never an error, never another form."""
    found = to_iso(text)
    assert found is None or re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{3})?Z\Z", found)


@given(
    st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)),  # noqa: DTZ001  the offset is drawn apart
    st.integers(-839, 839),
)
def test_any_moment_in_any_offset_is_the_same_moment_in_utc(moment, minutes):
    """To the millisecond."""
    local = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)), microsecond=moment.microsecond // 1000 * 1000)
    back = datetime.strptime(to_iso(local.isoformat(timespec="milliseconds"))[:19], "%Y-%m-%dT%H:%M:%S")  # noqa: DTZ007  it ends in Z
    assert back == local.astimezone(timezone.utc).replace(tzinfo=None, microsecond=0)
