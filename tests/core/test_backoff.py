"""Tests of how long to wait. They must not wait."""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parapet.backoff import retry_after_s, slow_s, wait_s

NOW = 784111777.0  # Sun, 06 Nov 1994 08:49:37 GMT, the moment of RFC 9110's examples
MOST = 0.9999999
HOUR_S = 3600


@pytest.fixture(params=["UTC", "America/New_York", "<+0530>-5:30"])
def zone(request, monkeypatch):
    """A host somewhere in the world."""
    if not hasattr(time, "tzset"):
        pytest.skip("this platform has one time zone")
    monkeypatch.setitem(os.environ, "TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(("attempt", "longest"), [(0, 2), (1, 2), (2, 4), (3, 8), (8, 256), (9, 300), (10**6, 300)])
def test_the_wait_doubles_up_to_the_most(attempt, longest):
    """Full jitter: any part of it, none as well."""
    assert wait_s(attempt, first_s=2, most_s=300, random=0.0) == 0
    assert wait_s(attempt, first_s=2, most_s=300, random=0.5) == longest / 2
    assert wait_s(attempt, first_s=2, most_s=300, random=MOST) == pytest.approx(longest)


def test_the_most_counts_also_for_the_first_wait():
    """Where retry_first is the larger one."""
    assert wait_s(1, first_s=60, most_s=1, random=MOST) <= 1


def test_the_slow_pace_differs_by_a_tenth():
    """So that hosts do not march in step."""
    assert [slow_s(60, random=part) for part in (0.0, 0.5, MOST)] == pytest.approx([54, 60, 66])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", 0),
        ("7", 7),
        (" 120 ", 120),
        ("3600", 3600),
        ("3601", HOUR_S),
        ("31536000", HOUR_S),
        ("9" * 1000, HOUR_S),
        ("0" * 20 + "5", 5),
    ],
)
def test_seconds_are_seconds_and_an_hour_at_most(value, expected):
    """A year, or a number of a thousand digits, is an hour."""
    assert retry_after_s(value, now_s=NOW) == expected


@pytest.mark.parametrize(
    "value",
    [
        "Sun, 06 Nov 1994 08:50:37 GMT",
        "Sunday, 06-Nov-94 08:50:37 GMT",
        "Sun Nov  6 08:50:37 1994",
        " Sun, 06 Nov 1994 08:50:37 GMT ",
    ],
)
def test_a_date_in_each_of_the_three_formats_is_a_moment_in_gmt(zone, value):
    """RFC 9110, 5.6.7; the last one names no zone, and means GMT all the same."""
    assert retry_after_s(value, now_s=NOW) == 60


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Sun, 06 Nov 1994 08:49:36 GMT", 0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Sun, 06 Nov 1994 10:49:37 GMT", HOUR_S),
        ("Fri, 31 Dec 9999 23:59:59 GMT", HOUR_S),
    ],
)
def test_a_date_in_the_past_is_now_and_one_far_ahead_an_hour(value, expected):
    """Clocks differ."""
    assert retry_after_s(value, now_s=NOW) == expected


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        " ",
        "soon",
        "-5",
        "+5",
        "1.5",
        "²",
        "१",
        "1e3",
        "5 seconds",
        "0x10",
        "Sun, 99 Nov 1994 08:49:37 GMT",
        "Sun",
        ",",
    ],
)
def test_anything_else_is_as_if_it_were_not_there(value):
    """Then the back-off alone counts."""
    assert retry_after_s(value, now_s=NOW) is None


@given(st.text() | st.text("0123456789 :,+-GMTSunNov."), st.floats(0, 1e11))
def test_any_header_gives_at_most_an_hour(value, now_s):
    """Never an error, whatever a server sends."""
    found = retry_after_s(value, now_s=now_s)
    assert found is None or 0 <= found <= HOUR_S
