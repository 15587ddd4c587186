"""Times as Kibana writes them, and as people do."""

from __future__ import annotations

import datetime as dt

import pytest
from parapet_elastic.times import moment, stamp


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-01-28T15:30:02.345Z", "2026-01-28T15:30:02.345Z"),
        ("2026-01-28T15:30:02z", "2026-01-28T15:30:02.000Z"),
        ("2026-01-28T16:30:02.5+01:00", "2026-01-28T15:30:02.500Z"),
        ("2026-01-28T15:30:02.123456789Z", "2026-01-28T15:30:02.123Z"),
    ],
)
def test_a_time_is_read_alike_in_every_python(text, read):
    """3.9 by itself takes a fraction of three or six digits, and no Z."""
    assert stamp(moment(text)) == read


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z", "2026-01-28T15:30:02.five"])
def test_what_is_no_time_is_refused(text):
    """Whatever it looks like."""
    with pytest.raises(ValueError, match=r"isoformat|month"):
        moment(text)


def test_a_stamp_is_in_utc_and_cut_to_milliseconds():
    """As JavaScript's toISOString."""
    zone = dt.timezone(dt.timedelta(hours=2))
    assert stamp(dt.datetime(2026, 1, 1, 1, 0, 0, 999_999, tzinfo=zone)) == "2025-12-31T23:00:00.999Z"


def test_the_year_has_four_digits_whichever_it_is():
    """Elasticsearch refuses others."""
    assert stamp(dt.datetime(1, 1, 1, 0, 0, 1, 2345, tzinfo=dt.timezone.utc)) == "0001-01-01T00:00:01.002Z"
