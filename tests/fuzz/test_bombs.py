"""What is small and takes more memory or time than anybody has: results files that unpack without end, and very long values."""

from __future__ import annotations

import gzip
import io
import sys

import pytest
from parapet.errors import RowsUnreadable
from parapet.rows import Rows
from parapet.settings import check_url, delivery_from

from tests.fuzz import place

# Address space beyond what the process has: ten times less than what the bombs hold.
BYTES_MORE = 768 << 20
PIECE = 64 << 20
PIECES = 128
HEADER = b"host,_raw\nweb,one\n"

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="nothing bounds memory here")


def bomb(start, filler):
    """Eight gigabytes in some megabytes: a gzip file may have many members."""
    return io.BytesIO(gzip.compress(start) + gzip.compress(filler * (PIECE // len(filler)), 1) * PIECES)


@pytest.mark.parametrize(
    ("start", "filler"),
    [(b"", b"a" * 1024), (b"", b"\0" * 1024), (b'"', b"a" * 1023 + b"\n")],
    ids=["one line", "one line of NULs", "one value of many lines"],
)
def test_what_fits_into_no_memory_is_where_the_file_breaks(start, filler):
    """The forwarder reads it for all tenants: it must not be ended by one file."""
    packed = bomb(HEADER + start, filler)
    with place.memory(BYTES_MORE), place.within(60):
        rows = Rows(packed)
        found = list(rows)
        rows.close()
    assert found == [{"host": "web", "_raw": "one"}]
    assert rows.broken.startswith("Error: ")


def test_a_header_without_an_end_is_a_file_that_cannot_be_read():
    """Then the first row of the payload goes."""
    with place.memory(BYTES_MORE), place.within(60), pytest.raises(RowsUnreadable, match="longer than"):
        Rows(bomb(b"host", b"a" * 1024))


def test_a_very_long_value_takes_no_longer_than_its_length():
    """A pattern that looks for something at each place of a text, and each time to its end, would take an hour for this one."""
    text = "http://pr" + "1" * 3_000_000
    with place.within(60):
        assert len(delivery_from({"proxy_url": text})[1]) == 1
        assert check_url(text)
