"""Medians, quartiles and ratios of what was measured. Must not measure, nor know what the numbers are."""

from __future__ import annotations

from typing import NamedTuple, Sequence


class Spread(NamedTuple):
    """How measured values lie: the middle one, the quartiles around it, and how many there are."""

    median: float
    low: float
    high: float
    of: int


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the values lie, on the line between its neighbours.

    Raises:
        ValueError: there is no value.
    """
    if not values:
        raise ValueError("there is nothing to rank")
    ranked = sorted(values)
    place = share * (len(ranked) - 1)
    below = int(place)
    above = min(below + 1, len(ranked) - 1)
    return ranked[below] + (ranked[above] - ranked[below]) * (place - below)


def spread(values: Sequence[float]) -> Spread:
    """The median and the quartiles. Raises ValueError where there is no value."""
    return Spread(percentile(values, 0.5), percentile(values, 0.25), percentile(values, 0.75), len(values))


def ratios(ours: Sequence[float], floors: Sequence[float]) -> list[float]:
    """Each value by the one that was measured next to it: what slows the whole machine for a while slows both.

    Raises:
        ValueError: they are not pairs.
    """
    if len(ours) != len(floors):
        raise ValueError(f"{len(ours)} and {len(floors)} values are no pairs")
    return [one / floor for one, floor in zip(ours, floors)]
