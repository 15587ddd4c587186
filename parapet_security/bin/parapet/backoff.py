"""How long to wait before the next attempt. Must not read a clock or draw a random number: both are arguments."""

from __future__ import annotations

from datetime import timezone
from email.utils import parsedate_to_datetime

# A tenant that asks for more than an hour is asked again after one: its own clock or ours may be wrong (wire.md, Answers).
RETRY_AFTER_MAX_S = 3600.0


def wait_s(attempt: int, *, first_s: float, most_s: float, random: float) -> float:
    """Full jitter: a random part of a wait that doubles from `first_s` to `most_s`.

    Args:
        attempt: how many attempts have failed, from 1 on.
        first_s: the longest first wait, in seconds.
        most_s: the longest wait of all, in seconds.
        random: a number in [0, 1).

    Returns:
        Seconds, in [0, most_s].
    """
    # 2 ** 60 is beyond any `most_s`; a larger power would overflow a float.
    return random * min(most_s, first_s * 2.0 ** min(max(attempt, 1) - 1, 60))


def slow_s(pace_s: float, *, random: float) -> float:
    """The slow pace of a tenant whose configuration is refused: `pace_s` ± 10 %, so that hosts do not march in step."""
    return pace_s * (0.9 + 0.2 * random)


def retry_after_s(value: str | None, *, now_s: float) -> float | None:
    """Read a Retry-After header (RFC 9110, 10.2.3): seconds or an HTTP date.

    Args:
        value: the header as it came, or None.
        now_s: the wall clock, in seconds since the epoch.

    Returns:
        Seconds from now, in [0, RETRY_AFTER_MAX_S], or None where there is no header or it is neither form.
    """
    text = (value or "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        # As a float, a number of a thousand digits is infinite, and no error.
        return min(float(text), RETRY_AFTER_MAX_S)
    try:
        at = parsedate_to_datetime(text)
        # The asctime format names no zone and means GMT; without one, Python would take the host's.
        at_s = (at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return min(max(at_s - now_s, 0.0), RETRY_AFTER_MAX_S)
