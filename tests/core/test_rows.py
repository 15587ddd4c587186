"""Tests of how a results file is read. They must not read a file."""

from __future__ import annotations

import csv
import gzip
import io
import re
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parapet import rows
from parapet.errors import RowsUnreadable

from tests.core.make import read, results


def encode_multivalue(values):
    """The companion column of a multivalue, as Splunk writes it."""
    return ";".join("$" + value.replace("$", "$$") + "$" for value in values)


@pytest.mark.parametrize(
    "value",
    [
        'a "quoted" one',
        "two\nlines",
        "two\r\nlines",
        "a\rb",
        "a,b;c",
        "line\u2028separator",
        "next\x85line",
        "🛡 emoji",
        "tab\there",
        "$5$",
        " blank ",
        "\ufeff",
        "x" * 2 * 1024 * 1024,
    ],
    ids=lambda value: repr(value[:12]),
)
def test_a_value_comes_out_as_splunk_wrote_it(value):
    """Whatever it holds, and however long it is."""
    assert read(results([["a", "b"], [value, "1"], ["2", value]])) == (
        [{"a": value, "b": "1"}, {"a": "2", "b": value}],
        "",
    )


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_byte_order_mark_is_not_part_of_the_first_name(ending):
    """Nor does the kind of line end matter."""
    assert read(results([["a", "b"], ["1", "2"]], start="\ufeff", ending=ending)) == ([{"a": "1", "b": "2"}], "")


def test_nul_characters_are_left_out():
    """In names and in values; older Pythons would stop at one."""
    assert read(gzip.compress(b'a\0,b\n1\0,"2\0\n\x003"\n')) == ([{"a": "1", "b": "2\n3"}], "")


def test_a_stretch_of_zero_bytes_is_not_the_end_of_a_file():
    """However long: a file system may leave one behind after a crash."""
    assert read(gzip.compress(b"a\n1\n" + bytes(100000) + b"2\n")) == ([{"a": "1"}, {"a": "2"}], "")


def test_zero_bytes_without_an_end_are_one_line_that_is_too_long():
    """A file of some kilobytes can unpack to as many as there is time for."""
    found, broken = read(gzip.compress(b"a\n1\n" + bytes(80 << 20)))
    assert (found, "a line is longer than" in broken) == ([{"a": "1"}], True)


def test_bytes_that_are_not_utf_8_become_replacement_characters():
    """The rest of the file counts."""
    assert read(gzip.compress(b"a\n\xff1\n2\n")) == ([{"a": "\ufffd1"}, {"a": "2"}], "")


@pytest.mark.parametrize(
    ("encoded", "expected"),
    [
        ("$a$;$b$", ["a", "b"]),
        ("$a$$b$;$$$$;$c$", ["a$b", "$", "c"]),
        ("$x$$;$$y$;$z$", ["x$;$y", "z"]),
        ("$a$$$;$$$b$", ["a$", "$b"]),
        ("$a$;$$;$b$", ["a", "b"]),
        ("$$;$a$", "a"),
        ("$a$;$$", "a"),
        ("$a$", "a"),
        ("$a;b$;$c,d$", ["a;b", "c,d"]),
        ("$two\nlines$;$b$", ["two\nlines", "b"]),
        ("$$", ""),
        ("$$;$$", ""),
    ],
)
def test_a_companion_column_holds_the_values(encoded, expected):
    """`$` is doubled inside a value; empty values are left out, and one that is left stands alone."""
    assert rows.decode_multivalue(encoded) == expected


@pytest.mark.parametrize(
    "encoded",
    [
        "",
        "$",
        "a",
        "a;b",
        "$a",
        "a$",
        "x$$y",
        "$a$$",
        "junk$a$$b$",
        "$a$ $$b$",
        "$a$x$b$$c$",
        "$abc",
        "abc$",
        "#ab$",
        "$ab#",
        "~ab$",
        "$ab~",
    ],
)
def test_a_companion_that_is_not_in_the_format_counts_for_nothing(encoded):
    """Then the field's own column does."""
    assert rows.decode_multivalue(encoded) == ""
    assert read(results([["f", "__mv_f"], ["own", encoded]])) == ([{"f": "own"}], "")


@given(st.lists(st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0")), min_size=1))
def test_every_multivalue_survives(values):
    """What Splunk encodes is decoded to the same values, but for empty ones."""
    kept = [value for value in values if value]
    expected = kept if len(kept) > 1 else "".join(kept)
    assert rows.decode_multivalue(encode_multivalue(values)) == expected


def test_a_large_multivalue_costs_no_more_memory_than_a_few_copies():
    """Two megabytes with a `$` in them are read in the memory of some megabytes."""
    encoded = encode_multivalue(["x$" + "y" * 1024 * 1024, "z" * 1024 * 1024])
    tracemalloc.start()
    try:
        assert [len(value) for value in rows.decode_multivalue(encoded)] == [1024 * 1024 + 2, 1024 * 1024]
        assert tracemalloc.get_traced_memory()[1] < 16 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_a_field_without_a_companion_value_has_its_own():
    """An empty companion means a single value; an empty companion of an empty field means none."""
    table = [["a", "__mv_a", "b", "__mv_b"], ["1\n2", "$1$;$2$", "3", ""], ["", "", "", ""], ["4", "", "", "$$"]]
    assert read(results(table)) == ([{"a": ["1", "2"], "b": "3"}, {}, {"a": "4"}], "")


def test_internal_fields_stay_here():
    """Only `_time` and `_raw` of them travel."""
    table = [
        ["_time", "_raw", "_bkt", "__mv__raw", "_indextime", "__x", "", "a"],
        ["1", "2", "3", "", "4", "5", "6", "7"],
    ]
    assert read(results(table)) == ([{"_time": "1", "_raw": "2", "a": "7"}], "")


def test_a_row_may_be_shorter_or_longer_than_the_header():
    """What is missing is empty, what is too much has no name."""
    assert read(gzip.compress(b"a,b\n1\n1,2,3\n")) == ([{"a": "1"}, {"a": "1", "b": "2"}], "")
    assert read(gzip.compress(b"a,b,__mv_a\n1,2\n1\n")) == ([{"a": "1", "b": "2"}, {"a": "1"}], "")


def test_a_companion_may_stand_before_its_field():
    """In the first column, too."""
    assert read(results([["__mv_a", "a", "b"], ["$1$;$2$", "1 2", "$x$"]])) == ([{"a": ["1", "2"], "b": "$x$"}], "")


def test_a_name_that_is_there_twice_has_one_value():
    """The last that is not empty."""
    assert read(results([["a", "a"], ["1", "2"], ["3", ""]])) == ([{"a": "2"}, {"a": "3"}], "")


def test_a_row_without_values_is_a_row_and_an_empty_line_is_none():
    """The count of rows is the search's."""
    assert read(gzip.compress(b"a,b\n,\n\n1,\n")) == ([{}, {"a": "1"}], "")
    assert read(gzip.compress(b'a\n""\n')) == ([{}], "")


@pytest.mark.parametrize("data", [b"a,b\n", b"a,b", b"\xef\xbb\xbfa\r\n"])
def test_a_header_alone_is_no_rows(data):
    """A search without results."""
    assert read(gzip.compress(data)) == ([], "")


WHOLE = results([["n", "text"]] + [[str(n), "some text that does not repeat " + str(n * 7919)] for n in range(5000)])


@pytest.mark.parametrize("length", [len(WHOLE) - 1, len(WHOLE) - 9, len(WHOLE) * 2 // 3, len(WHOLE) // 4])
def test_a_file_that_breaks_off_gives_the_rows_before_the_break(length):
    """All of them, none in part, and why it ended."""
    cut = WHOLE[:length]
    found, broken = read(cut)
    readable = zlib.decompressobj(31).decompress(cut).decode().split("\n")[1:-1]
    assert [row["n"] for row in found] == [line.split('"')[1] for line in readable]
    assert all(row["text"].endswith(str(int(row["n"]) * 7919)) for row in found)
    assert "EOF" in broken


@pytest.mark.parametrize("place", [len(WHOLE) // 2, len(WHOLE) - 5])
def test_a_file_that_is_damaged_gives_the_rows_before_the_damage(place):
    """In its middle, or in its checksum."""
    damaged = WHOLE[:place] + bytes(byte ^ 0xFF for byte in WHOLE[place : place + 40]) + WHOLE[place + 40 :]
    found, broken = read(damaged)
    assert [row["n"] for row in found][:1000] == [str(n) for n in range(1000)]
    assert broken


def test_a_file_of_several_parts_is_one_file():
    """Splunk may append to a compressed file."""
    assert read(results([["a"], ["1"]]) + gzip.compress(b"2\n")) == ([{"a": "1"}, {"a": "2"}], "")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a,b\n1,2\n",
        b"\x1f",
        WHOLE[:9],
        WHOLE[:12],
        b"\x28\xb5\x2f\xfd zstd",
        gzip.compress(b""),
        b"\x1f\x8b\x07" + WHOLE[3:],
    ],
    ids=["nothing", "plain", "one byte", "half a head", "no content", "zstd", "empty", "other method"],
)
def test_what_gives_not_even_a_header_is_unreadable(data):
    """Then the payload's own row counts; the stream is closed."""
    stream = io.BytesIO(data)
    with pytest.raises(RowsUnreadable, match="the results file cannot be read"):
        rows.Rows(stream)
    assert stream.closed


def test_a_file_without_a_header_is_said_to_be_empty():
    """There is no other word for it; a file that breaks has the reason of the break."""
    with pytest.raises(RowsUnreadable, match=r"cannot be read: it is empty$"):
        rows.Rows(io.BytesIO(gzip.compress(b"")))
    with pytest.raises(RowsUnreadable, match="cannot be read: Not a gzipped file"):
        rows.Rows(io.BytesIO(b"a,b\n1,2\n"))


@given(st.lists(st.sampled_from([b"a", b"aa", b"aaaa", b"\n", b"\r", b"\r\n"]), max_size=12), st.integers(1, 5))
def test_a_line_that_does_not_end_is_where_the_file_breaks(pieces, size):
    """Wherever the last line end was: in this piece of the file, or many pieces ago."""
    data, place, most = b"".join(pieces), 0, 4
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "_VALUE_MOST", most)
        stream = rows._Unpacked(fileobj=io.BytesIO(gzip.compress(data)))
        while place < len(data):
            open_line = re.split(b"[\r\n]", data[: place + size])[-1]
            if len(open_line) > most:
                with pytest.raises(csv.Error, match="a line is longer than 4 bytes"):
                    stream.read1(size)
                return
            assert stream.read1(size) == data[place : place + size]
            place += size
        assert stream.read1(size) == b""


def test_a_small_file_that_unpacks_to_one_huge_line_gives_the_rows_before_it(monkeypatch):
    """A thousand times as much of one letter fits into it."""
    monkeypatch.setattr(rows, "_VALUE_MOST", 100000)
    found, broken = read(gzip.compress(b"a\n1\n" + b"x" * 200000))
    assert found == [{"a": "1"}]
    assert "a line is longer than 100000 bytes" in broken


def test_unpacked_bytes_come_as_many_at_a_time_as_there_are():
    """Where nobody says how many."""
    assert rows._Unpacked(fileobj=io.BytesIO(gzip.compress(b"a,b\n1,2\n"))).read1() == b"a,b\n1,2\n"


def test_a_value_may_have_64_mebibytes():
    """Python's own limit is 128 KiB; without any, one value could fill the memory."""
    assert csv.field_size_limit() == 67108864


def test_rows_are_not_held_in_memory():
    """The memory for a file of a hundred thousand rows is that of a few."""
    data = gzip.compress(b"a,b\n" + b"some value,another value\n" * 100000)
    tracemalloc.start()
    try:
        assert sum(1 for _ in rows.Rows(io.BytesIO(data))) == 100000
        assert tracemalloc.get_traced_memory()[1] < 2 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_rows_that_are_given_have_the_same_face():
    """For the calling form that has them on stdin."""
    given_rows = rows.GivenRows([{"a": "1"}])
    assert (list(given_rows), given_rows.broken) == ([{"a": "1"}], "")
    given_rows.close()


NAMES = ["_time", "_raw", "_bkt", "src", "src_ip", "dest", "user", "annotations{}.id", "a[b]"]


@pytest.mark.parametrize(
    ("fields", "exclude", "expected"),
    [
        ("*", "", ["_time", "_raw", "src", "src_ip", "dest", "user", "annotations{}.id", "a[b]"]),
        ("", "", ["_time", "_raw", "src", "src_ip", "dest", "user", "annotations{}.id", "a[b]"]),
        (" , ", " , ", ["_time", "_raw", "src", "src_ip", "dest", "user", "annotations{}.id", "a[b]"]),
        ("src*, user", "", ["src", "src_ip", "user"]),
        ("src", "", ["src"]),
        ("SRC", "", []),
        ("*, src", "_raw", ["_time", "src", "src_ip", "dest", "user", "annotations{}.id", "a[b]"]),
        ("*", "s*, d*t, _*", ["user", "annotations{}.id", "a[b]"]),
        ("*", "*", []),
        ("_*", "", ["_time", "_raw"]),
        ("s*c, *_*p", "", ["src", "src_ip"]),
        ("s?c, [a-z]*", "", []),
        ("a[b]", "", ["a[b]"]),
        ("*s*r*c*, *u*s*e*r*", "", ["src", "src_ip", "user"]),
        ("annotations{}.*", "", ["annotations{}.id"]),
    ],
)
def test_wildcards_select_fields(fields, exclude, expected):
    """`_time` and `_raw` like any other; internal fields by none."""
    select = rows.Selector(fields, exclude)
    assert [name for name in NAMES if select[name]] == expected


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("a*b*b", "acb", False),
        ("a*b*b", "acbcb", True),
        ("abc*c", "abc", False),
        ("abc*c", "abcc", True),
        ("ab*bc", "abc", False),
        ("a*b*c*d", "a-b-d", False),
        ("a*b*c*d", "a-c-d", False),
        ("a*c*b*d", "a-b-c-d", False),
        ("a*b*c*d", "abcd", True),
        ("a*b*b*c", "a-b-c", False),
        ("a*b*b*c", "a--b-c", False),
        ("a*b*b*c", "a---b-c", False),
        ("a*b*b*c", "a-bb-c", True),
        ("*bb*bb*", "xxbbbxx", False),
        ("*bb*bb*", "xxbbbbxx", True),
        ("*bb*bb*", "bbxbb", True),
        ("a*b*bbb", "a-bbbb", True),
        ("a*b*bbb", "a--bbb", False),
    ],
)
def test_pieces_of_a_wildcard_stand_in_their_order_and_share_no_character(pattern, name, matches):
    """Each takes the first place that is left."""
    assert rows.Selector(pattern, "")[name] is matches


@pytest.mark.parametrize("name", ["EventCode", "1st", "-x", "{}.id", "zone", "Straße"])
def test_a_field_that_starts_with_any_other_character_is_public(name):
    """Before the underscore in the alphabet, or behind it."""
    assert rows.is_public(name)
    assert read(results([[name], ["1"]])) == ([{name: "1"}], "")


def test_no_wildcard_can_hang():
    """What an analyst types is matched in a time that grows with its length, and not with its possibilities."""
    select = rows.Selector("*a" * 30 + "*z", "*b" * 30 + "*z")
    assert not select["a" * 5000]
