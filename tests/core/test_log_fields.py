"""Tests that the log's catalogue names every field that the code writes, and no other. They must not run the code.

Searches, dashboards and customers' own alerts are made of these names: whoever renames one meets a failing test first.
"""

from __future__ import annotations

import pytest
from parapet.log import EVENTS

from tests.core.log_calls import calls, modules

# The fields that Splunk itself gives every event, at index time or when it is searched: a field of ours of that name would
# hide Splunk's, or be hidden by it (Knowledge Manager Manual, "Use default fields"), and what props.conf extracts beside our pairs.
SPLUNKS = {
    "source", "host", "sourcetype", "index", "time", "linecount", "punct", "splunk_server", "splunk_server_group", "timestamp",
    "timestartpos", "timeendpos", "eventtype", "tag", "date_hour", "date_mday", "date_minute", "date_month", "date_second",
    "date_wday", "date_year", "date_zone", "event", "log_level"
}  # fmt: skip


def declared(events=EVENTS):
    """The catalogue as {event: set of fields}."""
    return {name: set(entry[3].split()) for name, entry in events.items()}


def differences(texts, catalogue):
    """What code and catalogue say differently, a line each."""
    found, used = [], {name: set() for name in catalogue}
    for call in calls(texts):
        for name in call.events:
            used[name] |= call.fields
            found += [f"{call.place}: {name} has no field {field}" for field in call.fields - catalogue[name]]
    return sorted(
        found + [f"no call gives {name} its {field}" for name in catalogue for field in catalogue[name] - used[name]]
    )


def test_each_event_carries_the_fields_that_are_declared_and_no_other():
    """Whatever way a call names them."""
    assert differences(modules(), declared()) == []


def test_the_calls_are_found_however_they_name_their_fields():
    """Keywords, a variable with a dictionary, a function that returns one, one that loses a key on the way."""
    found = {(name, call.fields) for call in calls(modules()) for name in call.events}
    assert ("alert.queued", frozenset({"id", "tenant", "search", "sid"})) in found
    assert ("handler.finished", frozenset({"delivered", "deferred", "dead", "held_by_other"})) in found
    assert ("outbox.lock_failed", frozenset({"reason"})) in found
    assert len(found) >= len(EVENTS)


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("custody", "delay_s=", "delay="),
        ("custody", '"search": alert.search_name', '"name": alert.search_name'),
        ("chores", "oldest_s=", "oldest="),
        ("direct", '"sid": alert.sid', '"search_id": alert.sid'),
        ("handler", '"deferred": 0', '"later": 0'),
    ],
)
def test_a_field_that_is_renamed_in_the_code_alone_is_found(module, old, new):
    """Both names are reported: the one that is not declared, and the one that nobody writes any more."""
    texts = modules()
    assert old in texts[module]
    texts[module] = texts[module].replace(old, new)
    found = differences(texts, declared())
    assert any(text.startswith(f"{module}.py:") and " has no field " in text for text in found)


def test_a_field_that_no_call_writes_any_more_is_found():
    """A search for it would find nothing, and seem to say that all is well."""
    texts = modules()
    texts["chores"] = texts["chores"].replace("oldest_s=", "oldest=")
    assert "no call gives outbox.state its oldest_s" in differences(texts, declared())


def test_no_field_has_the_name_of_one_of_splunks():
    """`source`, `host`, `time` and the like are Splunk's; names are what KV_MODE takes for one, in lower case."""
    for name, fields in declared().items():
        assert not fields & SPLUNKS, name
        assert all(field.isidentifier() and field == field.lower() for field in fields), name
        assert len(EVENTS[name][3].split()) == len(fields), name
