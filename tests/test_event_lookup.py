"""Tests of the lookup that says what each event of the log means: it is the code's catalogue, in sentences for who reads a table.

They must not look at the searches that use it.
"""

from __future__ import annotations

import pytest
from parapet.log import EVENTS

from tests.conf import APP, CONFS, META
from tests.spl import sources

ROWS = {row["event"]: row for row in sources.lookups()["parapet_security_events"]}


def test_it_is_a_table_that_splunk_finds():
    """By the name of its stanza; whoever may search the log may read it, from every app."""
    assert CONFS["transforms.conf"] == {"parapet_security_events": {"filename": "parapet_security_events.csv"}}
    assert (APP / "lookups/parapet_security_events.csv").read_bytes().count(b"\n") == len(EVENTS) + 1
    for kind in ("lookups", "transforms"):
        assert META[kind] == {"export": "system"}


def test_it_has_each_event_and_no_other():
    """In the catalogue's order, with its columns."""
    assert list(ROWS) == list(EVENTS)
    assert {tuple(row) for row in ROWS.values()} == {("event", "level", "meaning", "todo")}


@pytest.mark.parametrize("event", EVENTS)
def test_level_and_meaning_are_the_catalogues(event):
    """And so is what to do, unless it sends the reader to another field: then a sentence stands there."""
    level, meaning, todo, _ = EVENTS[event]
    row = ROWS[event]
    assert (row["level"], row["meaning"]) == (level, meaning.replace("`", ""))
    if todo and not todo.startswith("see "):
        assert row["todo"] == todo.replace("`", "")
    assert not row["todo"].startswith("see ")
    assert bool(row["todo"]) == (level not in ("DEBUG", "INFO"))
