"""A results file (gzip CSV, as Splunk writes it) as rows, one at a time. Must not open a file, nor hold more than one row.

The format (contract: results file): UTF-8 with one header row; a field `f` may have a companion `__mv_f` holding `$v1$;$v2$`, with
`$` doubled inside a value; an empty companion means that `f` has the single value in its own column.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from fnmatch import translate

from .errors import RowsUnreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO, Callable, Dict, Iterator, List, Union

    Row = Dict[str, Union[str, List[str]]]
    Selector = Callable[[str], bool]

# The most that `csv` takes on every platform (a C long, which has 32 bits on Windows): a value of 2 MB must pass.
csv.field_size_limit(2**31 - 1)

_BROKEN = (OSError, EOFError, zlib.error, csv.Error, UnicodeError)


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
        text = io.TextIOWrapper(gzip.GzipFile(fileobj=stream), encoding="utf-8-sig", errors="replace", newline="")  # type: ignore[arg-type]  # a GzipFile is readable
        self._reader = csv.reader(line.replace("\0", "") if "\0" in line else line for line in text)
        try:
            header = next(self._reader)
        except (*_BROKEN, StopIteration) as error:
            stream.close()
            raise RowsUnreadable(f"the results file cannot be read: {str(error) or 'it is empty'}") from error
        companions = {name[5:]: index for index, name in enumerate(header) if name.startswith("__mv_")}
        self._plan = [(name, index, companions.get(name, -1)) for index, name in enumerate(header) if is_public(name)]

    def __iter__(self) -> Iterator[Row]:
        """Every row up to the end, or up to the place where the file breaks (then `broken` says why)."""
        plan = self._plan
        try:
            for values in self._reader:
                row: Row = {}
                width = len(values)
                for name, index, companion in plan:
                    encoded = values[companion] if 0 <= companion < width else ""
                    value = (decode_multivalue(encoded) if encoded else "") or (values[index] if index < width else "")
                    if value:
                        row[name] = value
                if values:
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
        """Keep `rows`; internal fields are left out by `selector`."""
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


def selector(fields: str, exclude_fields: str) -> Selector:
    """Which fields travel: those that match a wildcard of `fields` (all, where it is empty) and none of `exclude_fields`; both comma separated."""
    wanted, unwanted = _pattern(fields), _pattern(exclude_fields)
    return lambda name: (
        is_public(name) and (wanted is None or bool(wanted.match(name))) and not (unwanted and unwanted.match(name))
    )


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


def _pattern(wildcards: str) -> re.Pattern[str] | None:
    names = [name.strip() for name in wildcards.split(",") if name.strip()]
    if not names or "*" in names:
        return re.compile("") if names else None
    return re.compile("|".join(f"(?:{translate(name)})" for name in names))
