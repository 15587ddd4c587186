"""A results file (gzip CSV, as Splunk writes it) as rows, one at a time. Must not open a file, nor hold more than one row.

The format (contract: results file): UTF-8 with one header row; a field `f` may have a companion `__mv_f` holding `$v1$;$v2$`, with
`$` doubled inside a value; an empty companion means that `f` has the single value in its own column.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib

from .errors import RowsUnreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO, Dict, Iterator, List, Union

    Row = Dict[str, Union[str, List[str]]]

# A value of some megabytes must pass; one that would not fit into memory with its copies is where the file breaks.
_VALUE_MOST = 64 * 1024 * 1024
csv.field_size_limit(_VALUE_MOST)

_BROKEN = (OSError, EOFError, zlib.error, csv.Error, UnicodeError)


class _Unpacked(gzip.GzipFile):
    """Bytes that `csv` takes: none is 0, which it refuses up to Python 3.10, and every line ends.

    A small file can hold a line that no memory holds, and it would be read before its values are looked at.
    """

    _since_end = 0

    def read1(self, size: int = -1) -> bytes:
        while True:
            data = super().read1(size)
            end = max(data.rfind(b"\n"), data.rfind(b"\r"))
            self._since_end = len(data) - end - 1 + (self._since_end if end < 0 else 0)
            if self._since_end > _VALUE_MOST:
                raise csv.Error(f"a line is longer than {_VALUE_MOST} bytes")
            kept = data.replace(b"\0", b"")
            if kept or not data:
                return kept


class Rows:
    """The rows of one results file, to be read once.

    Attributes:
        broken: why reading ended before the end of the file; "" where it did not (yet).
    """

    def __init__(self, stream: BinaryIO) -> None:
        """Read the header.

        Args:
            stream: the compressed bytes, from their start; closed by `close`, and where this raises.

        Raises:
            RowsUnreadable: it is not gzip, is empty, or breaks before the header is whole.
        """
        self.broken = ""
        self._stream = stream
        # utf-8-sig: a byte order mark is not part of the first name. newline="": values hold newlines of their own.
        text = io.TextIOWrapper(_Unpacked(fileobj=stream), encoding="utf-8-sig", errors="replace", newline="")  # type: ignore[arg-type]  # a GzipFile is readable
        self._reader = csv.reader(text)
        try:
            header = next(self._reader)
        except (*_BROKEN, StopIteration) as error:
            stream.close()
            raise RowsUnreadable(f"the results file cannot be read: {str(error) or 'it is empty'}") from error
        companions = {name[5:]: index for index, name in enumerate(header) if name.startswith("__mv_")}
        # A field without a companion has the last place, which `_blanks` keeps empty.
        self._plan = [(name, index, companions.get(name, -1)) for index, name in enumerate(header) if is_public(name)]
        self._blanks = [""] * len(header)

    def __iter__(self) -> Iterator[Row]:
        """Every row up to the end, or up to the place where the file breaks (then `broken` says why)."""
        plan, blanks = self._plan, self._blanks
        try:
            for line in self._reader:
                if not line:
                    continue
                values = line + blanks
                row: Row = {}
                for name, index, companion in plan:
                    encoded = values[companion]
                    value = (decode_multivalue(encoded) if encoded else "") or values[index]
                    if value:
                        row[name] = value
                yield row
        except _BROKEN as error:
            self.broken = f"{type(error).__name__}: {error}"

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()


class GivenRows:
    """Rows that are in memory already, with the face of `Rows`."""

    broken = ""

    def __init__(self, rows: list[Row]) -> None:
        """Keep `rows`; internal fields are left out by `Selector`."""
        self._rows = rows

    def __iter__(self) -> Iterator[Row]:
        """Every row."""
        return iter(self._rows)

    def close(self) -> None:
        """There is nothing to close."""


def is_public(name: str) -> bool:
    """Whether a field may travel: Splunk's own internal fields start with `_`, and only `_time` and `_raw` of them are for others."""
    return bool(name) and (name[0] != "_" or name in ("_time", "_raw"))


def decode_multivalue(encoded: str) -> str | list[str]:
    """`$v1$;$v2$` as its values; empty ones are left out, a single one stands alone, "" where none is left or it is not in the format."""
    if len(encoded) < 2 or encoded[0] != "$" or encoded[-1] != "$":
        return ""
    values = [value for value in (_split(encoded) if "$$" in encoded else encoded[1:-1].split("$;$")) if value]
    return values if len(values) > 1 else "".join(values)


class Selector(dict):  # type: ignore[type-arg]  # before Python 3.9 it takes no types when it runs
    """Which fields travel, by name: those that match a wildcard of `fields` (all, where it is empty) and none of `exclude_fields`.

    Both are comma separated. The one wildcard is `*`, for any characters or none, as in Splunk.
    """

    def __init__(self, fields: str, exclude_fields: str) -> None:
        """Nothing was asked yet."""
        super().__init__()
        self._wanted, self._unwanted = _patterns(fields), _patterns(exclude_fields)

    def __missing__(self, name: str) -> bool:
        """Look at the wildcards, once for each name."""
        is_wanted = not self._wanted or any(_matches(pattern, name) for pattern in self._wanted)
        found = is_public(name) and is_wanted and not any(_matches(pattern, name) for pattern in self._unwanted)
        self[name] = found
        return found


def _split(encoded: str) -> list[str]:
    """The values where a `$` may be doubled; none where it is not in the format. No pattern: one takes a hundred times the memory of a long value."""
    values: list[str] = []
    start = place = 1
    while True:
        place = encoded.find("$", place)
        if encoded.startswith("$$", place):
            place += 2
            continue
        values.append(encoded[start:place].replace("$$", "$"))
        if place == len(encoded) - 1:
            return values
        if place < 0 or not encoded.startswith("$;$", place):
            return []
        start = place = place + 3


def _patterns(wildcards: str) -> list[list[str]]:
    return [name.strip().split("*") for name in wildcards.split(",") if name.strip()]


def _matches(pieces: list[str], name: str) -> bool:
    """Whether a name has these pieces in this order, with anything between them. What an analyst types must never hang: no pattern of `re`."""
    first, last = pieces[0], pieces[-1]
    if len(pieces) == 1:
        return name == first
    if len(name) < len(first) + len(last) or not (name.startswith(first) and name.endswith(last)):
        return False
    place, end = len(first), len(name) - len(last)
    for piece in pieces[1:-1]:
        found = name.find(piece, place, end)
        if found < 0:
            return False
        place = found + len(piece)
    return True
