"""Times as Kibana and Elasticsearch write them. Must not ask a clock."""

from __future__ import annotations

import re
from datetime import datetime, timezone

_FRACTION = re.compile(r"\.([0-9]+)")


def stamp(when: datetime) -> str:
    """Return a time in UTC to the millisecond: 2026-01-28T15:30:02.345Z."""
    # Not strftime(): it does not pad the year 1 everywhere.
    return when.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read(text: str) -> datetime:
    """Read an ISO 8601 time, with its zone or without.

    Raises:
        ValueError: It is none.
    """
    # Before Python 3.11 fromisoformat() knows no Z, and no fraction but of three or six digits.
    whole = _FRACTION.sub(lambda found: f".{found[1]:0<6.6}", text)
    return datetime.fromisoformat(re.sub("[zZ]$", "+00:00", whole))


def moment(text: str) -> datetime:
    """Return a time in UTC; raises as `read`."""
    return read(text).astimezone(timezone.utc)
