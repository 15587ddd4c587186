"""Which rows of an entry are told to Enterprise Security, and what became of each. Must not write a line, nor keep more than a row's origin."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from . import modaction
from .deliver import row_name
from .errors import ParapetError

if TYPE_CHECKING:
    from .entry import State
    from .holder import Entry, Holder
    from .memory import MemoryHolder
    from .rows import Row

_ORIGIN = ("orig_sid", "orig_rid")
_TOO_LARGE = "this row alone is too large for the tenant: it is a dead letter of its own"


def rows_told(
    entry: Entry, state: State | None, holder: Holder | MemoryHolder, *, failure: str
) -> list[tuple[Row, str]]:
    """The rows of an entry that is settled, each with why it was not delivered; "" where it was.

    Args:
        entry: what was delivered, or not.
        state: how far it came; None where it never began.
        holder: where its rows are, and the dead letters of single ones.
        failure: why the rest is not delivered; "" where all is done.

    Returns:
        One for the firing; of a run by hand with all rows one for each, as long as its file can be read.
    """
    alert = entry.header.alert
    rows = _origins(entry, holder) if modaction.is_told_by_row(alert) else []
    if not rows:
        return [(alert.row or {}, failure or skipped(state.skipped if state else 0))]
    told = []
    for number, row in enumerate(rows):
        if state is not None and state.skipped and holder.is_dead(row_name(entry, number)):
            told.append((row, _TOO_LARGE))
        else:
            told.append((row, "" if state is not None and number < state.rows else failure))
    return told


def skipped(count: int) -> str:
    """Rows that did not go with the others, in words; "" where all went."""
    words = "1 row was" if count == 1 else f"{count} rows were"
    return f"{words} too large for the tenant, see delivery.row_dead; the others are delivered" if count else ""


def _origins(entry: Entry, holder: Holder | MemoryHolder) -> list[Row]:
    """Of the first rows of the file that came with an entry, what names the notable that each is for; none where the file is gone."""
    if not entry.header.rows:
        return []
    try:
        rows = holder.rows(entry)
    except (ParapetError, OSError, ValueError):
        return []
    try:
        return [{name: row[name] for name in _ORIGIN if name in row} for row in islice(rows, modaction.ROWS_MOST)]
    finally:
        rows.close()
