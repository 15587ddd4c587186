"""The holder's files: states, moves, and what a crash between any two steps leaves. Must not need a tenant."""

from __future__ import annotations

import contextlib
import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parapet import disk, entry
from parapet.entry import Header, new_state
from parapet.errors import EntryBroken, EntryGone, EntryTooNew
from parapet.holder import Holder

from tests.outbox.conftest import TRIGGER, files, make_alert, put

HEAD = {"source": "splunk", "search": {"name": "Failed SSH Logins"}}


class Crash(BaseException):
    """The process ends here."""


def begun(holder, name, **changes):
    """Give an entry its first state."""
    state = new_state(HEAD, 1048576)._replace(**changes)
    holder.save(name, state, first=True)
    return state


@pytest.mark.parametrize("folder", ["new", "pending"])
def test_entry_is_read_with_its_state(outbox, holder, folder):
    """Whether it is parked or not."""
    name = put(outbox)
    if folder == "pending":
        holder.park([name])
    assert holder.read(name).state is None
    state = begun(holder, name, rows=500)
    found = holder.read(name)
    assert (found.header.alert, found.state) == (make_alert(), state)
    assert (found.name, found.id, found.fired_ms) == (name, name[14:], TRIGGER * 1000)


def test_every_note_is_the_whole_progress(outbox, holder):
    """The last one counts."""
    name = put(outbox)
    state = begun(holder, name)
    for number in range(1, 5):
        state = state._replace(rows=number * 500, batches=number, error="…" * number)
        holder.save(name, state)
    assert holder.read(name).state == state


@pytest.mark.parametrize("keep", range(0, 60, 7))
def test_note_that_a_crash_cut_off_takes_no_other_with_it(outbox, holder, keep):
    """The one before counts; and the next one is not glued to the torn end."""
    name = put(outbox)
    path = Path(outbox.path("pending", name + ".state"))
    state = begun(holder, name, rows=500)
    whole = path.read_bytes()
    holder.save(name, state._replace(rows=1000))
    path.write_bytes(path.read_bytes()[: len(whole) + keep])
    assert holder.read(name).state == state
    holder.save(name, state._replace(rows=1500, limit=16384), durable=True)
    assert holder.read(name).state == state._replace(rows=1500, limit=16384)


def test_state_does_not_grow_for_ever(outbox, holder):
    """A tenant that is down for weeks: it is written anew when it is large, and nothing is forgotten."""
    name = put(outbox)
    state = begun(holder, name)
    sizes = []
    for number in range(3000):
        state = state._replace(attempts=number, error="connection refused " * 10)
        holder.save(name, state)
        sizes.append(Path(outbox.path("pending", name + ".state")).stat().st_size)
    assert max(sizes) < 400000
    assert any(after < before for before, after in zip(sizes, sizes[1:]))
    assert holder.read(name).state == state


@given(damage=st.binary(max_size=200), at=st.integers(0, 400), newline=st.booleans())
def test_damaged_header_is_broken_or_read_but_never_a_surprise(damage, at, newline):
    """A bit that flipped must not end the process that reads a thousand others."""
    line = bytearray(entry.header_line(Header(make_alert(), False, 1, "")))
    line[at : at + len(damage)] = damage
    try:
        found = entry.parse_header(bytes(line) + (b"\n" if newline else b""))
    except (EntryBroken, EntryTooNew):
        return
    assert all(isinstance(value, str) for name, value in found.alert._asdict().items() if name != "row")


@pytest.mark.parametrize("version", [2, 7, 10**30])
def test_later_format_is_told_apart_from_a_broken_one(outbox, holder, version):
    """After a downgrade: left alone, where a broken one goes to dead/."""
    name = put(outbox)
    path = Path(outbox.path("new", name + ".alert"))
    path.write_bytes(json.dumps({"v": version, "what": "ever"}).encode() + b"\n")
    with pytest.raises(EntryTooNew, match="upgrade"):
        holder.read(name)
    state = Path(outbox.path("pending", name + ".state"))
    path.write_bytes(entry.header_line(Header(make_alert(), False, 1, "")))
    state.write_bytes(json.dumps({"v": version, "head": {}}).encode() + b"\n")
    with pytest.raises(EntryTooNew):
        holder.read(name)


def test_entry_that_is_not_there_is_gone(outbox, holder):
    """Somebody with a shell removed it."""
    with pytest.raises(EntryGone):
        holder.read("1769614200000-" + "0" * 20)


def test_delivered_entry_leaves_nothing(outbox, holder):
    """Wherever it was."""
    for folder in ("new", "pending"):
        name = put(outbox)
        if folder == "pending":
            holder.park([name])
        begun(holder, name)
        holder.remove(name)
        assert files(outbox) == []


def test_dead_letter_keeps_its_state_and_can_live_again(outbox, holder):
    """What is acknowledged stays so: a retry goes on where it was."""
    name = put(outbox)
    state = begun(holder, name, rows=500)
    holder.bury(name, state._replace(error="HTTP 400"))
    assert files(outbox) == [f"dead/{name}.alert", f"dead/{name}.state"]
    assert holder.read(name, "dead").state.error == "HTTP 400"
    assert holder.is_dead(name) is True
    holder.revive(name)
    assert holder.is_dead(name) is False
    assert files(outbox) == [f"pending/{name}.alert", f"pending/{name}.state"]
    assert holder.read(name).state.rows == 500


@pytest.mark.parametrize("with_state", [True, False])
def test_dead_letter_dies_when_it_is_buried(outbox, holder, with_state):
    """Its days count from then: one that waited for weeks must not be gone at once."""
    name = put(outbox)
    path = outbox.path("new", name + ".alert")
    begun(holder, name)
    for old in (path, outbox.path("pending", name + ".state")):
        os.utime(old, (1000, 1000))
    if not with_state:
        Path(outbox.path("pending", name + ".state")).unlink()
    holder.bury(name, None)
    assert holder.died_s(name) > 1000000


STEPS = {
    "bury": (lambda holder, name, state: holder.bury(name, state), ""),
    "revive": (lambda holder, name, state: holder.revive(name), "dead"),
    "remove": (lambda holder, name, state: holder.remove(name), ""),
    "park": (lambda holder, name, state: holder.park([name]), ""),
    "forget": (lambda holder, name, state: holder.remove(name, "dead"), "dead"),
    "save": (lambda holder, name, state: holder.save(name, state._replace(rows=7)), ""),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("parked", [True, False])
def test_sweep_puts_right_what_any_crash_leaves(outbox, holder, step, parked):
    """After each call that changes a file: one alert at most, its state beside it, and nothing of one without the other."""
    act, begins = STEPS[step]
    for at in range(20):
        name = put(outbox, at)
        state = begun(holder, name, rows=500)
        if parked:
            holder.park([name])
        if begins == "dead":
            holder.bury(name, state)
        with pytest.MonkeyPatch.context() as patch:
            left = _arm(patch, at)
            with contextlib.suppress(Crash):
                act(holder, name, state)
        Holder(outbox).sweep(now_s=TRIGGER)
        found = files(outbox)
        alerts, states = ([item for item in found if item.endswith(ending)] for ending in (".alert", ".state"))
        assert len(alerts) == len(states) <= 1, (at, found)
        assert len(alerts) == 1 or step in ("remove", "forget"), (at, found)
        if alerts:
            folder = alerts[0].split("/")[0]
            assert states[0].split("/")[0] == ("dead" if folder == "dead" else "pending"), (at, found)
            assert holder.read(name, folder).state.rows in (500, 7)
            holder.remove(name, "dead")
            holder.remove(name)
        if left[0] >= 0:
            return
    raise AssertionError("more changes than were tried")


def test_sweep_removes_old_files_in_the_making_only(outbox, holder):
    """A put that is under way is not disturbed, in whatever folder."""
    places = ["", "new", "pending", "dead", "holds", "requests"]
    for place in places:
        for age_s in (10, 7200):
            path = Path(disk.temporary(outbox.path(place, "")))
            path.write_bytes(b"half")
            os.utime(str(path), (time.time() - age_s,) * 2)
        Path(outbox.path(place, ".keep")).mkdir()
    holder.sweep(now_s=time.time())
    for place in places:
        found = [path for path in Path(outbox.path(place, "")).iterdir() if path.suffix == ".tmp"]
        assert len(found) == 1, place
        assert time.time() - found[0].stat().st_mtime < 3600


def test_sweep_is_not_stopped_by_what_cannot_be_removed(outbox, holder):
    """A folder with an entry's name, made by a careless hand."""
    Path(outbox.path("new", ".1-1.tmp")).mkdir()
    Path(outbox.path("pending", "1769614200000-" + "0" * 20 + ".state")).mkdir()
    os.utime(outbox.path("new", ".1-1.tmp"), (1, 1))
    name = put(outbox)
    orphan = Path(outbox.path("pending", "1769614200001-" + "1" * 20 + ".state"))
    orphan.write_bytes(b"")
    holder.sweep(now_s=TRIGGER)
    assert not orphan.exists()
    assert holder.names("new") == [name]


def test_names_are_those_of_entries_alone(outbox, holder):
    """Other files in the folder are nobody's alert."""
    name = put(outbox)
    for other in (".1-x.tmp", "notes.txt", "x.alert", f"{name}.alert.bak", f"0{name}.alert", f"{name}\n.alert"):
        Path(outbox.path("new", other)).write_bytes(b"")
    assert holder.names("new") == [name]


def _arm(patch, number):
    left = [number]

    def wrap(real):
        def call(*args, **kwargs):
            left[0] -= 1
            if left[0] == -1:
                raise Crash
            return real(*args, **kwargs)

        return call

    for name in ("replace", "unlink", "link", "rename", "write", "utime"):
        patch.setattr(os, name, wrap(getattr(os, name)))
    return left
