"""The rows of an entry, wherever they are: in its results file, or the one of its header. Must not hold more than one row, nor send any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import RowsUnreadable

if TYPE_CHECKING:
    from typing import Callable, Iterator

    from .holder import Entry
    from .log import Log
    from .rows import GivenRows, Row, Rows


class Source:
    """The rows of an entry: of its results file, or the one row of its header."""

    def __init__(self, entry: Entry, open_rows: Callable[[], Rows | GivenRows], log: Log) -> None:
        """Open nothing yet.

        Args:
            entry: the entry.
            open_rows: opens the results file that came with it, or that Splunk left; OSError or RowsUnreadable where there is none.
            log: for what is worth knowing.
        """
        self._header, self._open_rows, self._log, self._id = entry.header, open_rows, log, entry.id
        self._rows: Rows | GivenRows | None = None
        self._from_file = entry.header.rows

    @property
    def broken(self) -> str:
        """Why reading ended before the end of the file; "" where it did not."""
        return self._rows.broken if self._rows else ""

    @property
    def whole_search(self) -> bool:
        """Whether it should hold every row of the search: a per-result firing has its own row only, `| sendalert` what it was given."""
        alert = self._header.alert
        return (
            alert.digest_mode == "1"
            and alert.action_mode == "saved"
            and "sendalert_temp_results" not in alert.results_file
        )

    def rows(self) -> Iterator[Row]:
        """Every row, from the start."""
        self._open()
        if self._rows is not None:
            return iter(self._rows)
        return iter([self._header.alert.row] if self._header.alert.row else [])

    def first_row(self) -> Row:
        """The first row; {} where there is none."""
        row = self._header.alert.row
        if row is None and self._from_file:
            row = next(self.rows(), None)
        return row or {}

    def count(self) -> int:
        """How many rows the search returned, as far as can still be seen: reads them all, one at a time."""
        if self._from_file:
            return sum(1 for _ in self.rows())
        try:
            self._rows = self._open_rows()
            return sum(1 for _ in self._rows)
        except (OSError, ValueError, RowsUnreadable):
            return 1 if self._header.alert.row else 0
        finally:
            self.close()

    def close(self) -> None:
        """Close the file, if one is open."""
        if self._rows is not None:
            self._rows.close()
        self._rows = None

    def _open(self) -> None:
        self.close()
        if not self._from_file:
            return
        try:
            self._rows = self._open_rows()
        except (OSError, ValueError, RowsUnreadable) as error:
            self._from_file = False
            self._log.event("results.unreadable", id=self._id, reason=str(error))
