"""What a value of a field is in SPL: a text, a number, several texts, or nothing. Must not know a command.

Fields that come out of a log are texts; one that looks like a number counts as one where it is compared or added up.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Dict, List, Union

Value = Union[str, float, bool, List[str], None]
Row = Dict[str, Value]

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*\Z")
_MODIFIER = re.compile(r"([+-]?)(\d*)([a-z]*)")
_UNITS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}


def number(value: Value) -> float | None:
    """A value as a number, None where it is none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, list):
        return number(value[0]) if len(value) == 1 else None
    return float(value) if _NUMBER.match(value) else None


def text(value: Value) -> str:
    """A value as it is shown: a whole number without a point."""
    if isinstance(value, list):
        return "\n".join(value)
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, (int, float)):
        return str(int(value)) if value == int(value) else repr(round(value, 6))
    return value or ""


def many(value: Value) -> list[str]:
    """Every value of a field as texts."""
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, list) else [text(value)]


def rank(value: Value) -> tuple[int, float, str]:
    """What values are sorted by: numbers before texts, texts by their characters."""
    found = number(value)
    return (1, 0.0, text(value)) if found is None else (0, found, "")


def moment(modifier: str, now: float) -> float:
    """The epoch of a time modifier, such as -15m@m, now, or epoch seconds.

    Raises:
        ValueError: it is none.
    """
    if modifier in ("", "now", "now()"):
        return now
    if _NUMBER.match(modifier) and modifier[0] not in "+-":
        return float(modifier)
    offset, _, snap = modifier.partition("@")
    parts = re.findall(r"[+-]\d*[a-z]+", offset)
    if "".join(parts) != offset or (snap and snap not in _UNITS):
        raise ValueError(f'Invalid value "{modifier}" for time term')
    for part in parts:
        now += _seconds(part)
    if snap:
        now -= now % _UNITS[snap]
    return now


def span(given: str) -> float:
    """The seconds of a span such as 1h.

    Raises:
        ValueError: it is none.
    """
    found = _MODIFIER.fullmatch(given)
    if not found or not found.group(2) or found.group(1) or found.group(3) not in _UNITS:
        raise ValueError(f"Invalid value '{given}' for a span")
    return _seconds(given)


def _seconds(part: str) -> float:
    sign, count, unit = _MODIFIER.fullmatch(part).groups()  # type: ignore[union-attr]  # the callers have seen to it
    if unit not in _UNITS:
        raise ValueError(f'Invalid unit "{unit}" in a time')
    return int(count or 1) * _UNITS[unit] * (-1 if sign == "-" else 1)


def date(epoch: float) -> datetime:
    """A time, for a search head whose zone is UTC."""
    return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=epoch)
