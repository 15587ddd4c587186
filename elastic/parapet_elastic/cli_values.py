"""What the values of options must be. Must not repeat one that may be a secret."""

from __future__ import annotations

import argparse
import re
from datetime import timezone
from typing import TYPE_CHECKING

from parapet_elastic import times

if TYPE_CHECKING:
    from datetime import datetime

_LONGEST_TIMEOUT_S = 3600
# What is in quotes, or behind a backslash, closes nothing.
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"|\\.')


def version(text: str) -> tuple[int, int]:
    """Return 8.19 and 8.19.3 as (8, 19)."""
    found = re.fullmatch(r"(\d{1,3})\.(\d{1,3})(\.\d+)?", text)
    if not found:
        raise argparse.ArgumentTypeError("not a version such as 8.19")
    return int(found[1]), int(found[2])


def time(text: str) -> datetime:
    """Return an ISO 8601 time; one without a zone is refused, since it means something else on every machine."""
    try:
        found = times.read(text)
        if found.tzinfo:
            found = found.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError("not a time such as 2026-01-28T15:30:00Z") from None
    if found.tzinfo is None:
        raise argparse.ArgumentTypeError("a time without a zone; put Z (UTC) or +01:00 behind it")
    return found


def timeout(text: str) -> float:
    """Return seconds."""
    return _number(text, 0.1, _LONGEST_TIMEOUT_S)


def days(text: str) -> float:
    """Return days, and parts of them."""
    return _number(text, 0.01, 365)


def rate(text: str) -> float:
    """Return a number of requests in a second."""
    return _number(text, 0.01, 100)


def _number(text: str, least: float, most: float) -> float:
    try:
        found = float(text)
    except ValueError:
        found = float("nan")
    if not least <= found <= most:
        raise argparse.ArgumentTypeError(f"not a number from {least:g} to {most:g}")
    return found


def connector_id(text: str) -> str:
    """Return a connector's id that can be written everywhere."""
    # A dot in it would be a path in kibana.yml.
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}", text):
        raise argparse.ArgumentTypeError("not a connector's id: letters, digits, - and _ only")
    return text


def kql(text: str) -> str:
    """Return a query of alerts, unless it is no KQL at first sight.

    Kibana says the same of each rule for itself, when the change is under way; its query of rules cannot be asked: that
    refuses fields of alerts.
    """
    left = _QUOTED.sub("", text)
    depth = 0
    for character in left:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            break
    if depth or '"' in left:
        raise argparse.ArgumentTypeError("no KQL: a parenthesis or a quotation mark has no counterpart")
    return text
