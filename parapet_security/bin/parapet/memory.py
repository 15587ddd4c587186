"""An outbox of one alert in memory, for when there is no other: nothing of it outlasts the process. Must not write a file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from . import disk
from .entry import Header
from .errors import EntryGone
from .holder import Entry
from .rows import GivenRows, Rows

if TYPE_CHECKING:
    from .alert import Alert
    from .entry import State
    from .rows import Row


class MemoryHolder:
    """Has the methods of `holder.Holder` that a delivery needs, for one entry.

    Attributes:
        lost_rows: the names of the rows that the tenant did not take, each too large by itself.
    """

    def __init__(self, name: str, alert: Alert, *, captured_ms: int, rows: list[Row] | None = None) -> None:
        """Hold one alert under an entry's name, with all its rows; without `rows` they are read where Splunk left them."""
        self._name, self._rows = name, rows
        self._header = Header(
            alert, alert.send == "all" and (rows is not None or bool(alert.results_file)), captured_ms, ""
        )
        self._state: State | None = None
        self._there = True
        self.lost_rows: set[str] = set()

    def names(self, folder: str) -> list[str]:
        """The one entry, while it is there."""
        return [self._name] if folder == "new" and self._there else []

    def read(self, name: str, folder: str = "") -> Entry:
        """The entry."""
        if not self._there:
            raise EntryGone(f"the entry {name} is not there any more")
        return Entry(name, self._header, self._state)

    def rows(self, found: Entry) -> Rows | GivenRows:
        """All rows: those given, else those of the results file where Splunk left it (OSError where it is not there, RowsUnreadable)."""
        return (
            Rows(os.fdopen(disk.open_file(found.header.alert.results_file), "rb"))
            if self._rows is None
            else GivenRows(self._rows)
        )

    def save(self, name: str, state: State, *, first: bool = False, durable: bool = False) -> None:
        """Keep the state as long as the process lives."""
        self._state = state

    def bury(self, name: str, state: State | None) -> None:
        """The entry is refused for good."""
        self._there = False

    def remove(self, name: str, folder: str = "") -> None:
        """The entry is delivered."""
        self._there = False

    def bury_row(self, name: str, header: Header, state: State) -> None:
        """A row that the tenant does not take has no place to stay: it is lost."""
        self.lost_rows.add(name)

    def is_dead(self, name: str) -> bool:
        """Whether a row of this name was not taken."""
        return name in self.lost_rows

    def park(self, names: list[str]) -> None:
        """There is one place only."""

    def hold(self, tenant: str) -> dict[str, object]:
        """Nothing is remembered."""
        return {}

    def set_hold(self, tenant: str, document: dict[str, object] | None) -> None:
        """Nothing is remembered."""
