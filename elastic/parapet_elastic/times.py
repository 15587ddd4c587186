"""Times as Kibana and Elasticsearch write them. Must not ask a clock."""

from __future__ import annotations

from datetime import datetime, timezone


def stamp(when: datetime) -> str:
    """Return a time in UTC to the millisecond: 2026-01-28T15:30:02.345Z."""
    return when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03}Z"


def moment(text: str) -> datetime:
    """Read a time.

    Raises:
        ValueError: It is none.
    """
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc)
