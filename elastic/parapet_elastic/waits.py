"""How long to wait before a request is made again. Must not wait itself."""

from __future__ import annotations

import random
import re
import time
from email.utils import parsedate_to_datetime

LONGEST_S = 60.0


def seconds(attempt: int, retry_after: str | None) -> float:
    """Return the wait after an attempt: twice as long each time, spread out, and never less than was asked for.

    Args:
        attempt: The number of the attempt that failed, from 1.
        retry_after: The answer's Retry-After header, if it had one.
    """
    return max(spread(attempt, 1.0, LONGEST_S), asked(retry_after))


def spread(attempt: int, first_s: float, longest_s: float) -> float:
    """Return a wait by chance, so that not all come back at once: up to `first_s` after attempt 1, then twice as long each time."""
    most = min(first_s * 2.0 ** (attempt - 1), longest_s)
    return random.uniform(most / 2, most)  # noqa: S311 - spread, no secret


def asked(retry_after: str | None) -> float:
    """Return the seconds of a Retry-After header (digits or an HTTP date), at most the longest wait; 0 for anything else."""
    if not retry_after:
        return 0.0
    if re.fullmatch(r"[0-9]{1,9}", retry_after):
        return min(float(retry_after), LONGEST_S)
    try:
        until = parsedate_to_datetime(retry_after).timestamp() - time.time()
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return min(max(until, 0.0), LONGEST_S)
