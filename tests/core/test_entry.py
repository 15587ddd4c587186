"""Tests of the outbox's file formats, against golden files. They must not use an outbox.

A golden file of a version is never changed: what wrote it is installed somewhere.
"""

from __future__ import annotations

import contextlib
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parapet import entry, rows
from parapet.errors import EntryBroken, EntryTooNew

from tests.core.make import GOLDEN, alert

ROWS = (GOLDEN / "alert-v1-rows.alert").read_bytes()
DEAD = (GOLDEN / "alert-v1-dead.alert").read_bytes()
STATE = (GOLDEN / "state-v1.state").read_bytes()
LINE = ROWS[: ROWS.index(b"\n") + 1]
FIXED, _, FIRST, _, LAST = STATE.splitlines(keepends=True)


def changed(line, **changes):
    """The same line of JSON with other keys."""
    return json.dumps({**json.loads(line.decode()), **changes}).encode() + b"\n"


def header_with(**changes):
    """The golden header with other fields of its alert."""
    return changed(LINE, alert={**json.loads(LINE.decode())["alert"], **changes})


def test_an_alert_of_version_1_is_read():
    """Every field, and the rows behind it."""
    stream = io.BytesIO(ROWS)
    header = entry.parse_header(stream.readline())
    assert (header.rows, header.captured_ms, header.fault) == (True, 1769614201234, "")
    found = header.alert
    assert (found.tenant, found.send, found.search_name, found.sid[-3:]) == ("main", "all", "Failed SSH Logins", "_42")
    assert found.description == "Café 🛡 \ud800"
    assert found.row == {"_time": "1769613900", "src_ip": "45.227.253.98", "user": ["root", "admin"]}
    assert [row["user"] for row in rows.Rows(stream)] == [["root", "admin"], "guest"]


def test_an_alert_of_version_1_is_written_as_ever():
    """Byte for byte, so that an older version on another host can read it."""
    for golden in (LINE, DEAD):
        assert entry.header_line(entry.parse_header(golden)) == golden


def test_a_dead_letter_of_version_1_says_why():
    """An alert for no tenant that there could be, without rows."""
    header = entry.parse_header(DEAD)
    assert (header.rows, header.alert.tenant, header.alert.row) == (False, "../../x", None)
    assert header.fault == "'../../x' is no tenant's name"


def test_a_state_of_version_1_is_read_and_written_as_ever():
    """The last line counts."""
    state = entry.parse_state(STATE)
    assert entry.state_lines(state) == (FIXED, b"\n" + LAST)
    assert state[1:] == (524288, 3, 500, 1, 1, 2, 1769614260000, True, 1769614320000, "HTTP 503")
    assert state.head["search"]["sid"] == "1769614200.42"


def test_a_state_that_was_never_tried_starts_at_zero():
    """It is what the first line of progress says."""
    state = entry.new_state({"timestamp": "x"}, 1048576)
    assert entry.parse_state(b"".join(entry.state_lines(state))) == state
    assert json.loads(FIRST.decode()) == {name: getattr(state, name) for name in entry._PROGRESS}


@pytest.mark.parametrize("name", ["alert-v2.alert", "state-v2.state"])
def test_a_later_version_is_left_alone(name):
    """It is neither guessed at nor called broken, and the message says what to do."""
    data = (GOLDEN / name).read_bytes()
    read = entry.parse_header if name.endswith(".alert") else entry.parse_state
    with pytest.raises(EntryTooNew, match="format 2, this app reads up to 1: upgrade"):
        read(data[: data.index(b"\n") + 1] if name.endswith(".alert") else data)


def test_keys_that_nobody_knows_are_ignored():
    """A later version may add some without a new number."""
    assert entry.parse_header(changed(LINE, new=1)) == entry.parse_header(LINE)
    assert entry.parse_header(header_with(new=1)) == entry.parse_header(LINE)
    assert entry.parse_state(changed(FIXED, new=1) + FIRST + changed(LAST, new=1)) == entry.parse_state(STATE)


def test_fields_that_are_missing_are_unknown():
    """An older version may have known fewer."""
    header = entry.parse_header(b'{"v":1,"alert":{"sid":"s"}}\n')
    assert (header.rows, header.captured_ms, header.fault) == (False, 0, "")
    assert (header.alert.sid, header.alert.tenant, header.alert.row) == ("s", "", None)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        LINE[:-1],
        LINE[: len(LINE) // 2] + b"\n",
        b"\x1f\x8b\x08\n",
        b"\xff\n",
        b"[1]\n",
        b"1\n",
        b"null\n",
        b"[" * 100000 + b"\n",
        b"1" * 5000 + b"\n",
        b"{}\n",
        LINE.replace(b'"v":1,', b""),
        changed(LINE, v=0),
        changed(LINE, v="1"),
        changed(LINE, v=True),
        changed(LINE, v=None),
        changed(LINE, alert=None),
        changed(LINE, alert=[]),
        header_with(sid=1),
        header_with(sid=None),
        header_with(tenant=["main"]),
        header_with(row="x"),
        header_with(row=[]),
        header_with(row={"a": 1}),
        header_with(row={"a": ["b", 1]}),
        header_with(row={"a": None}),
    ],
    ids=range(27),
)
def test_a_header_that_is_not_in_the_format_is_broken(line):
    """One sort of error, whatever is in the file."""
    with pytest.raises(EntryBroken):
        entry.parse_header(line)


@pytest.mark.parametrize("value", [-1, 1.5, True, "1", None, [], 10**16, 10**30])
def test_a_number_that_cannot_be_is_zero(value):
    """A year beyond the calendar would stop the delivery."""
    assert entry.parse_header(changed(LINE, captured_ms=value)).captured_ms == 0
    assert entry.parse_state(FIXED + changed(LAST, not_before_ms=value)).not_before_ms == 0


@pytest.mark.parametrize(("value", "counts"), [(0, 0), (1, 1), (10**14, 10**14), (10**14 + 1, 0)])
def test_the_largest_number_is_in_the_year_5138(value, counts):
    """No time of ours is later, and a calendar of four digits still has it."""
    assert entry.parse_header(changed(LINE, captured_ms=value)).captured_ms == counts


def test_a_header_may_have_256_mebibytes():
    """Far more than Splunk lets a row have; what goes on longer without a newline is no header."""
    assert entry.HEADER_MAX_BYTES == 268435456


@pytest.mark.parametrize("torn", [b'{"limit":10', b'{"limit":1048576,"attempts":1}{"limi', b"\0\0\0\0"])
def test_a_line_that_was_cut_off_loses_one_step_only(torn):
    """At the end, and where lines were written after it."""
    assert entry.parse_state(STATE + torn) == entry.parse_state(STATE)
    assert entry.parse_state(STATE + torn + b"\n") == entry.parse_state(STATE)
    assert entry.parse_state(FIXED + FIRST + torn + b"\n" + LAST) == entry.parse_state(STATE)


def test_a_step_after_a_line_that_was_cut_off_is_not_lost_with_it():
    """A disk that was full for a moment leaves half a line, and the next is appended right behind it."""
    step = entry.state_lines(entry.parse_state(STATE))[1]
    assert entry.parse_state(FIXED + FIRST + b"\n" + LAST[:20] + step) == entry.parse_state(STATE)


@pytest.mark.parametrize("length", range(0, STATE.index(b"\n") + 1, 40))
def test_a_state_without_a_whole_first_line_is_none(length):
    """No attempt was made with it."""
    assert entry.parse_state(STATE[:length]) is None


@pytest.mark.parametrize(
    "data", [b"\n\n", b"{}\n{}\n", b"x\ny\n", b'{"v":1}\n{"limit":1}\n', b'{"v":1,"head":[]}\n{"limit":1}\n']
)
def test_what_is_no_state_is_none(data):
    """It is made anew."""
    assert entry.parse_state(data) is None


def test_the_first_line_is_no_progress():
    """Whatever keys a later version puts there: without a line of progress nothing was tried."""
    assert entry.parse_state(changed(FIXED, limit=524288, rows=7)) is None
    assert entry.parse_state(changed(FIXED, limit=524288, rows=7) + FIRST).rows == 0


@given(st.binary(max_size=200) | st.integers(0, len(ROWS)).map(lambda place: ROWS[:place] + b"\n"))
def test_any_bytes_are_a_header_or_broken(data):
    """One bad file never stops the others."""
    with contextlib.suppress(EntryBroken, EntryTooNew):
        entry.parse_header(data)


@given(
    st.binary(max_size=200)
    | st.tuples(st.integers(0, len(STATE)), st.binary(max_size=9)).map(lambda cut: STATE[: cut[0]] + cut[1])
)
def test_any_bytes_are_a_state_or_none(data):
    """The same for the other file."""
    try:
        state = entry.parse_state(data)
    except EntryTooNew:
        return
    assert state is None or state.limit > 0


VALUE = st.text(max_size=5)


@given(
    st.none() | st.dictionaries(VALUE, VALUE | st.lists(VALUE, max_size=2), max_size=3),
    VALUE,
    st.booleans(),
    st.integers(0, 10**13),
)
def test_every_alert_survives_being_stored(row, text, with_rows, captured_ms):
    """One line of ASCII, whatever the texts hold."""
    header = entry.Header(alert(search_name=text)._replace(row=row), with_rows, captured_ms, text)
    line = entry.header_line(header)
    assert line.count(b"\n") == 1
    assert line.decode("ascii").endswith("\n")
    assert entry.parse_header(line) == header
