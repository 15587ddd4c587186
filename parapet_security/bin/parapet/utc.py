"""Times as the wire wants them: UTC, ISO 8601, with Z. Must not read a clock."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

_EPOCH = re.compile(r"(-?[0-9]{1,11})(?:\.([0-9]{1,9}))?\Z")
_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?:(Z)|([+-])(\d\d):?(\d\d))\Z", re.ASCII
)
_ZERO = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MS = timedelta(milliseconds=1)


def iso(ms: int) -> str:
    """Milliseconds since the epoch as `2026-01-28T15:30:00Z`; the milliseconds are shown when they are not zero.

    Raises:
        OverflowError: outside of the years 1 to 9999.
    """
    at = _ZERO + ms * _MS
    text = at.replace(tzinfo=None).isoformat(timespec="milliseconds" if ms % 1000 else "seconds")
    return text + "Z"


def to_iso(text: str) -> str | None:
    """A time as Splunk writes it (epoch seconds, or ISO 8601 with an offset or Z) as the wire wants it; None for anything else."""
    text = text.strip()
    try:
        epoch = _EPOCH.match(text)
        if epoch:
            fraction = int((epoch.group(2) or "0").ljust(3, "0")[:3])
            return iso(int(epoch.group(1)) * 1000 + (-fraction if text.startswith("-") else fraction))
        found = _ISO.match(text)
        if not found:
            return None
        numbers = [int(part) for part in found.groups()[:6]]
        ms = int((found.group(7) or "0").ljust(3, "0")[:3])
        offset = timedelta(hours=int(found.group(10) or 0), minutes=int(found.group(11) or 0))
        zone = timezone(-offset if found.group(9) == "-" else offset)  # a ValueError from a day on
        at = datetime(*numbers, tzinfo=zone)  # type: ignore[misc,arg-type]  # six integers: year to second
        return iso((at - _ZERO) // _MS + ms)
    except (ValueError, OverflowError):
        return None
