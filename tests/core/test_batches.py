"""Tests of how rows are cut into batches. They must not depend on what the rows say."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parapet import message

from tests.core.make import EVERY_FIELD, FIRING, alert, batches, decoded, head

HEAD = head(alert({"send": "all"}), every_row=True)
ROWS = st.lists(st.dictionaries(st.sampled_from("abc"), st.text(min_size=1, max_size=400), max_size=3), max_size=30)
LIMIT = st.integers(0, 6000)


def sent(found):
    """The rows of some batches, one after the other."""
    return [row for batch in found for row in decoded(batch)["results"]]


def places(found):
    """Where each batch begins and how long it is."""
    return [tuple(decoded(batch)["batch"][name] for name in ("offset", "rows")) for batch in found]


@settings(max_examples=100, deadline=None)
@given(ROWS, LIMIT)
def test_no_row_is_lost_or_doubled(every_row, limit):
    """Their order stays; index, offset, rows, last and the id say the place."""
    found = batches(every_row, HEAD, limit)
    assert sent(found) == [message.outgoing(row, EVERY_FIELD) for row in every_row]
    offset = 0
    for index, batch in enumerate(found):
        last = index == len(found) - 1
        assert decoded(batch)["batch"] == {"index": index, "offset": offset, "rows": batch.rows, "last": last}
        assert batch.id == decoded(batch)["id"] == f"{FIRING}.{offset}.{batch.rows}"
        assert batch.last is last
        offset += batch.rows


@settings(max_examples=100, deadline=None)
@given(ROWS, LIMIT)
def test_a_body_is_within_the_limit_unless_it_is_one_row(every_row, limit):
    """Such a row travels alone."""
    assert all(len(batch.body) <= limit or batch.rows <= 1 for batch in batches(every_row, HEAD, limit))


@settings(max_examples=60, deadline=None)
@given(ROWS, st.integers(1500, 6000))
def test_a_batch_is_not_much_smaller_than_it_may_be(every_row, limit):
    """Another row would not have fitted, but for the room that is kept for the envelope."""
    found = batches(every_row, HEAD, limit)
    for batch, following in zip(found, found[1:]):
        first = len(message._bytes(message._encode(decoded(following)["results"][0])))
        assert len(batch.body) + first + 1 + message._ENVELOPE_BYTES > limit


@settings(max_examples=100, deadline=None)
@given(ROWS, LIMIT, st.data())
def test_a_resume_cuts_in_the_same_places(every_row, limit, data):
    """A cut depends on rows, head, limit and offset alone: the same id never has two bodies."""
    found = batches(every_row, HEAD, limit)
    index = data.draw(st.integers(0, len(found) - 1))
    offset = sum(batch.rows for batch in found[:index])
    resumed = batches(every_row, HEAD, limit, offset=offset, index=index)
    assert [(batch.id, batch.body) for batch in resumed] == [(batch.id, batch.body) for batch in found[index:]]


@settings(max_examples=100, deadline=None)
@given(ROWS, st.integers(1500, 6000), st.integers(0, 20))
def test_a_smaller_limit_in_the_middle_cuts_as_a_fresh_start_there_does(every_row, limit, refused):
    """A 413 halves the limit of a running delivery; after a crash it goes on from the state."""
    whole = batches(every_row, HEAD, limit)
    refused %= len(whole)
    cutter = message.Cutter(FIRING, HEAD, iter(every_row), EVERY_FIELD, offset=0, index=0)
    for batch in whole[:refused]:
        assert len(cutter.cut(limit)) == batch.rows
        cutter.done(batch.rows, batches=1)
    offset, running = cutter.offset, []
    cutter.cut(limit)
    while not running or not running[-1].last:
        running.append(cutter.batch(cutter.cut(limit // 2), truncated=False))
        cutter.done(running[-1].rows, batches=1)
    fresh = batches(every_row, HEAD, limit // 2, offset=offset, index=refused)
    assert [(batch.id, batch.body) for batch in running] == [(batch.id, batch.body) for batch in fresh]


def test_zero_rows_are_one_batch_that_says_so():
    """`[]`, with `rows` 0 and `last` true."""
    (batch,) = batches([], HEAD, 1048576)
    assert decoded(batch)["results"] == []
    assert decoded(batch)["batch"] == {"index": 0, "offset": 0, "rows": 0, "last": True}
    assert batch.id == FIRING + ".0.0"


def test_a_row_larger_than_the_limit_travels_alone():
    """Its neighbours are not held up by it."""
    every_row = [{"a": "1"}, {"a": "2"}, {"a": "x" * 5000}, {"a": "3"}, {"a": "4"}]
    assert places(batches(every_row, HEAD, 2000)) == [(0, 2), (2, 1), (3, 2)]


def test_a_head_larger_than_the_limit_leaves_one_row_a_batch():
    """A long SPL does not stop the alert."""
    long = head(alert({"search_query": "x" * 20000}), every_row=True)
    assert places(batches([{"a": "1"}, {"a": "2"}], long, 16384)) == [(0, 1), (1, 1)]


def test_the_limit_counts_bytes_and_not_characters():
    """An emoji has four of them, half a character three once it is replaced."""
    for text in ("🛡" * 100, "\ud800" * 100, '"' * 100):
        found = batches([{"a": text}] * 20, HEAD, 2500)
        assert len(found) > 1
        assert max(len(batch.body) for batch in found) <= 2500
    emoji = head(alert(search_name="🛡" * 200), every_row=True)
    assert max(len(batch.body) for batch in batches([{"a": "x" * 40}] * 90, emoji, 4000)) <= 4000


@pytest.mark.parametrize("row", [{}, {"a": "x"}, {"a": "xx"}], ids=str)
def test_what_stands_between_rows_counts_too(row):
    """A thousand short rows have a thousand commas."""
    found = batches([row] * 3000, HEAD, 6000)
    assert len(found) > 1
    assert all(batch.rows for batch in found)
    assert max(len(batch.body) for batch in found) <= 6000


def test_a_batch_is_cut_where_the_next_row_does_not_fit_any_more():
    """To the byte: head, envelope, and each row with its comma."""
    for spare, expected in ((0, 3), (-1, 2)):
        cutter = message.Cutter(FIRING, HEAD, iter([{"a": "x"}] * 9), EVERY_FIELD, offset=0, index=0)
        assert len(cutter.cut(cutter._overhead + 3 * len(b'{"a":"x"},') + spare)) == expected


def test_a_batch_that_is_cut_anew_is_not_the_last_any_more():
    """All rows were read already; a 413 leaves some of them for the next body."""
    cutter = message.Cutter(FIRING, HEAD, iter([{"a": "x" * 300}] * 4), EVERY_FIELD, offset=0, index=0)
    assert cutter.is_last(cutter.cut(10000))
    encoded = cutter.cut(1600)
    assert 1 <= len(encoded) < 4
    assert not cutter.batch(encoded, truncated=True).last


@pytest.mark.parametrize("offset", [0, 10**12])
def test_the_envelope_fits_into_the_room_that_is_kept_for_it(offset):
    """Also with the largest places there are, and `truncated`."""
    found = batches([{}], HEAD, 10**6, index=offset, truncated=True)
    overhead = len(found[0].body) - len(message._bytes(message._encode(HEAD))) - len("{}")
    assert overhead + 2 * len(str(offset)) <= message._ENVELOPE_BYTES


def test_truncated_stands_on_the_last_batch_only():
    """And only when rows are missing."""
    found = [decoded(batch)["batch"] for batch in batches([{"a": "x" * 900}] * 3, HEAD, 1500, truncated=True)]
    assert [batch.get("truncated") for batch in found] == [None, None, True]
    assert "truncated" not in decoded(batches([], HEAD, 1500)[0])["batch"]


def test_a_row_that_is_set_aside_counts_as_a_place_and_not_as_a_batch():
    """A single row that the tenant does not take: the others keep their places."""
    cutter = message.Cutter(FIRING, HEAD, iter([{"a": "1"}, {"a": "2"}]), EVERY_FIELD, offset=0, index=0)
    assert len(cutter.cut(0)) == 1
    cutter.done(1, batches=0)
    batch = cutter.batch(cutter.cut(0), truncated=True)
    assert batch.id == FIRING + ".1.1"
    assert decoded(batch)["batch"] == {"index": 0, "offset": 1, "rows": 1, "last": True, "truncated": True}


def test_rows_are_read_as_they_are_needed():
    """One more than the batch holds, never all of them."""
    read = []

    def source():
        for number in range(10**6):
            read.append(number)
            yield {"n": str(number)}

    cutter = message.Cutter(FIRING, HEAD, source(), EVERY_FIELD, offset=0, index=0)
    encoded = cutter.cut(2000)
    assert len(read) == len(encoded) + 1
