"""What the lock's holder tells of its files: sizes, rows, requests, holds, times. Must not need a tenant or a clock that goes."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
from pathlib import Path

import pytest
from parapet import disk
from parapet.entry import Header, new_state, state_lines
from parapet.errors import EntryGone
from parapet.holder import Entry

from tests.outbox.conftest import HEAD, TRIGGER, files, make_alert, put

NOW_S = float(TRIGGER)
FIRING = "0123456789abcdef0123"


def lay(outbox, folder, name, data=b""):
    """Lay a file into a folder of the outbox."""
    path = Path(outbox.path(folder, name))
    path.write_bytes(data)
    return path


@pytest.fixture
def synced(monkeypatch):
    """The folders that were made durable, in order."""
    seen = []
    real = disk.sync_folder
    monkeypatch.setattr(disk, "sync_folder", lambda folder: (seen.append(Path(folder).name), real(folder)))
    return seen


@pytest.mark.parametrize(
    ("captured_ms", "fired_ms", "expected"), [(5, TRIGGER * 1000, TRIGGER * 1000), (5, 0, 5), (0, 0, 0)]
)
def test_time_of_capture_counts_where_splunk_gave_none(captured_ms, fired_ms, expected):
    """The name holds zeros then."""
    found = Entry(f"{fired_ms:013d}-{FIRING}", Header(make_alert(), False, captured_ms, ""), None)
    assert (found.fired_ms, found.id) == (expected, FIRING)


@pytest.mark.parametrize("folder", ["new", "pending", "dead"])
def test_folder_has_any_as_soon_as_it_has_one_alert(outbox, holder, folder):
    """States, files in the making and strangers are none."""
    for other in ("1-x.alert", "notes.txt", f".{TRIGGER}000-{FIRING}.alert", f"{TRIGGER}000-{FIRING}.state"):
        lay(outbox, folder, other)
    assert holder.has_any(folder) is False
    lay(outbox, folder, f"{TRIGGER}000-{FIRING}.alert")
    assert holder.has_any(folder) is True
    assert holder.names(folder) == [f"{TRIGGER}000-{FIRING}"]


def test_size_of_an_entry_is_its_alert_and_its_state(outbox, holder):
    """As far as they lie in that folder; what is no entry's counts nowhere."""
    first, second = f"{TRIGGER}000-{FIRING}", f"{TRIGGER}001-{FIRING}"
    lay(outbox, "dead", first + ".alert", b"12345")
    lay(outbox, "dead", first + ".state", b"123")
    lay(outbox, "dead", second + ".state", b"1")
    lay(outbox, "dead", second + ".tmp", b"1234567")
    lay(outbox, "dead", "notes.alert", b"1234567")
    assert holder.sizes("dead") == {first: 8, second: 1}
    assert holder.sizes("pending") == {}


def test_file_that_goes_while_sizes_are_asked_has_none(outbox, holder, monkeypatch):
    """Somebody with a shell, or an action that takes back what it could not finish."""
    name, real = put(outbox), os.scandir

    @contextlib.contextmanager
    def scandir(folder):
        with real(folder) as items:
            found = list(items)
        Path(outbox.path("new", name + ".alert")).unlink()
        yield iter(found)

    monkeypatch.setattr(os, "scandir", scandir)
    assert holder.sizes("new") == {name: 0}


def test_rows_are_those_that_came_along(outbox, holder, tmp_path):
    """From behind the header, wherever the entry is; not from Splunk's file, which may be another by then."""
    results = tmp_path / "results.csv.gz"
    results.write_bytes(gzip.compress(b"a\n1\n"))
    alert = make_alert(send="all", results_file=str(results))
    name = outbox.put(alert, results_path=str(results), captured_ms=1)
    results.write_bytes(gzip.compress(b"a\n2\n"))
    for step in (lambda: None, lambda: holder.park([name])):
        step()
        found = holder.rows(holder.read(name))
        assert list(found) == [{"a": "1"}]
        found.close()
    entry = holder.read(name)
    holder.remove(name)
    with pytest.raises(EntryGone):
        holder.rows(entry)


def test_rows_that_did_not_come_along_are_splunks(outbox, holder, tmp_path):
    """While its file is there."""
    results = tmp_path / "results.csv.gz"
    results.write_bytes(gzip.compress(b"a\n1\n"))
    name = put(outbox, results_file=str(results))
    found = holder.rows(holder.read(name))
    assert list(found) == [{"a": "1"}]
    found.close()
    results.unlink()
    with pytest.raises(FileNotFoundError):
        holder.rows(holder.read(name))


def test_first_state_is_durable_and_a_step_where_it_is_asked_for(outbox, holder, monkeypatch):
    """A step that a power cut loses is repeated under the same ids."""
    name, asked = put(outbox), []
    for call in ("replace", "append"):
        real = getattr(disk, call)

        def spy(path, data, *, durable, call=call, real=real):
            asked.append((call, durable))
            real(path, data, durable=durable)

        monkeypatch.setattr(disk, call, spy)
    state = new_state(HEAD, 1048576)
    holder.save(name, state)
    holder.save(name, state)
    holder.save(name, state, durable=True)
    holder.save(name, state, first=True)
    assert asked == [("replace", True), ("append", False), ("append", True), ("replace", True)]


def test_what_nobody_could_tell_again_is_durable(outbox, holder, monkeypatch):
    """A hold, and the header of a row that was set aside; the state beside that one says only why."""
    asked, real = [], disk.replace

    def replace(path, data, *, durable):
        asked.append((Path(path).name, durable))
        real(path, data, durable=durable)

    monkeypatch.setattr(disk, "replace", replace)
    name = f"{TRIGGER}000-{FIRING}"
    holder.bury_row(name, Header(make_alert(), False, 1, ""), new_state(HEAD, 1048576))
    holder.set_hold("main", {"kind": "wait"})
    holder.write_usage(7, 9, "forwarder")
    assert asked == [(name + ".state", False), (name + ".alert", True), ("main.json", True), ("usage", False)]


def test_dead_letter_is_durable_where_it_is(outbox, holder, synced):
    """As soon as it was moved there, and only then."""
    name = put(outbox)
    del synced[:]
    holder.bury(name, None)
    assert synced == ["dead"]
    holder.bury(name, None)
    assert synced == ["dead"]


@pytest.mark.parametrize(("size", "is_rewritten"), [(262144, False), (262145, True)])
def test_state_is_written_anew_above_256_kibibytes(outbox, holder, size, is_rewritten):
    """It is all of the state each time: what lies before the last line is history."""
    name, state = put(outbox), new_state(HEAD, 1048576)
    holder.save(name, state, first=True)
    path = Path(outbox.path("pending", name + ".state"))
    with path.open("ab") as stream:
        stream.write(b"\n" * (size - path.stat().st_size))
    holder.save(name, state._replace(rows=7))
    assert (path.stat().st_size < size) is is_rewritten
    assert holder.read(name).state.rows == 7


def test_state_with_a_long_search_is_read_whole(outbox, holder):
    """Its head has the SPL, and a state that is cut off would be begun anew, under ids that are used already."""
    name = put(outbox)
    state = new_state({"search": {"query": "x" * 3 * 1024 * 1024}}, 1048576)
    holder.save(name, state, first=True)
    assert holder.read(name).state == state


def test_parked_entries_are_durable_where_they_are(outbox, holder, synced):
    """First where they came to, then where they left; nothing is asked of the disk where none was moved."""
    name = put(outbox)
    del synced[:]
    holder.park([name, f"{TRIGGER}999-{FIRING}"])
    assert files(outbox) == [f"pending/{name}.alert"]
    assert synced == ["pending", "new"]
    del synced[:]
    holder.park([name])
    assert synced == []


def test_row_that_is_set_aside_is_a_dead_letter_of_its_own(outbox, holder):
    """It has its own header and state, and can be tried again like any other."""
    name = f"{TRIGGER}000-{FIRING}"
    holder.bury_row(name, Header(make_alert(), False, 1, ""), new_state(HEAD, 1048576)._replace(error="HTTP 400"))
    assert files(outbox) == [f"dead/{name}.alert", f"dead/{name}.state"]
    assert holder.read(name, "dead").state.error == "HTTP 400"
    assert holder.read(name, "dead").header.alert == make_alert()


def test_dead_letter_that_expires_leaves_what_waits_alone(outbox, holder):
    """It may have the name of one that was put again."""
    name = f"{TRIGGER}000-{FIRING}"
    for folder in ("pending", "dead"):
        for ending in (".alert", ".state"):
            lay(outbox, folder, name + ending)
    holder.remove(name, "dead")
    assert files(outbox) == [f"pending/{name}.alert", f"pending/{name}.state"]


def test_hold_is_what_was_noted(outbox, holder):
    """With the version of its format, durably; and away when it is over."""
    holder.set_hold("main", {"kind": "wait", "attempts": 2})
    assert holder.hold("main") == {"v": 1, "kind": "wait", "attempts": 2}
    assert (holder.hold("other"), holder.held(), holder.newer_holds()) == ({}, ["main"], [])
    holder.set_hold("main", None)
    assert (holder.hold("main"), holder.held(), files(outbox)) == ({}, [], [])


def test_hold_of_a_newer_version_holds_nobody_and_stays(outbox, holder):
    """After a downgrade; the newer version finds what it wrote."""
    told = b'{"v": 2, "kind": "later"}'
    path = lay(outbox, "holds", "main.json", told)
    for document in ({"kind": "wait"}, None):
        holder.set_hold("main", document)
        assert path.read_bytes() == told
    assert (holder.hold("main"), holder.held(), holder.newer_holds()) == ({}, ["main"], ["main"])


@pytest.mark.parametrize("told", [b"", b"{", b"[]", b"\xff", b'{"v": "2"}', b'{"v": null}', b'{"v": 0}', b"{}"])
def test_hold_that_cannot_be_read_is_none_and_is_replaced(outbox, holder, told):
    """It is of no version."""
    lay(outbox, "holds", "main.json", told)
    assert (holder.hold("main"), holder.newer_holds()) == ({}, [])
    holder.set_hold("main", {"kind": "wait"})
    assert holder.hold("main")["kind"] == "wait"


def test_tenants_that_are_held_are_named_in_order(outbox, holder):
    """A note in the making is none."""
    for name in ("b.json", "a.json", ".c.json", ".1-2.tmp", "d.txt"):
        lay(outbox, "holds", name)
    assert holder.held() == ["a", "b"]


def test_requests_are_those_with_an_id_and_a_wish(outbox, holder):
    """Anything else is left alone."""
    other = FIRING[::-1]
    for name in (f"{other}.retry", f"{FIRING}.drop", f"{FIRING}.retry", f"{FIRING}.forget", f"{FIRING}0.drop"):
        lay(outbox, "requests", name)
    lay(outbox, "requests", "x.drop")
    assert holder.requests() == [(FIRING, "drop"), (FIRING, "retry"), (other, "retry")]
    holder.answer(FIRING, "drop")
    holder.answer(FIRING, "drop")
    assert holder.requests() == [(FIRING, "retry"), (other, "retry")]


def test_outbox_without_a_folder_has_nothing_in_it(outbox, holder):
    """Somebody removed it; the next put makes it again."""
    for folder in ("requests", "holds", "pending"):
        Path(outbox.path(folder, "")).rmdir()
    assert (holder.requests(), holder.held(), holder.names("pending")) == ([], [], [])


def test_usage_is_told_with_its_version(outbox, holder, synced):
    """Without an fsync: it is told again within a minute."""
    holder.write_usage(7, 9, "forwarder")
    assert json.loads((Path(outbox.root) / "usage").read_text()) == {"v": 1, "bytes": 7, "max": 9, "role": "forwarder"}
    assert synced == []


def test_time_of_what_is_not_there(outbox, holder):
    """Usage that was never told is as old as can be; a dead letter that is gone has not died yet."""
    assert holder.usage_s() == float("-inf")
    assert holder.died_s(f"{TRIGGER}000-{FIRING}") == float("inf")
    holder.write_usage(7, 9, "forwarder")
    os.utime(str(Path(outbox.root) / "usage"), (NOW_S, NOW_S))
    path = lay(outbox, "dead", f"{TRIGGER}000-{FIRING}.alert")
    os.utime(str(path), (NOW_S, NOW_S))
    assert (holder.usage_s(), holder.died_s(f"{TRIGGER}000-{FIRING}")) == (NOW_S, NOW_S)


@pytest.mark.parametrize(
    ("name", "age_s", "stays"),
    [(".1-2.tmp", 3599, True), (".1-2.tmp", 3600, True), (".1-2.tmp", 3601, False), ("notes.tmp", 7200, True)],
)
def test_file_in_the_making_is_swept_after_an_hour(outbox, holder, name, age_s, stays):
    """Not before: a large results file on a slow disk takes its time."""
    path = lay(outbox, "new", name)
    os.utime(str(path), (NOW_S - age_s,) * 2)
    holder.sweep(now_s=NOW_S)
    assert path.exists() is stays


@pytest.mark.parametrize(
    ("alert_in", "state_in", "expected"),
    [
        ("new", "pending", "pending"),
        ("pending", "pending", "pending"),
        ("dead", "pending", "dead"),
        ("dead", "dead", "dead"),
        ("pending", "dead", "pending"),
        ("new", "dead", ""),
        ("", "pending", ""),
        ("", "dead", ""),
    ],
)
def test_state_is_swept_to_its_alert(outbox, holder, alert_in, state_in, expected):
    """Or away, where there is none; what is in new/ was never tried since it is there."""
    name = f"{TRIGGER}000-{FIRING}"
    if alert_in:
        lay(outbox, alert_in, name + ".alert")
    lay(outbox, state_in, name + ".state")
    holder.sweep(now_s=NOW_S)
    states = [item for item in files(outbox) if item.endswith(".state")]
    assert states == ([f"{expected}/{name}.state"] if expected else [])


def test_entry_that_is_parked_between_two_looks_is_found(outbox, holder, monkeypatch):
    """The look into new/ comes too early, the one into pending/ too: then once more."""
    name, looks, real = put(outbox), [], disk.open_file

    def open_file(path):
        looks.append(Path(path).parent.name)
        if len(looks) < 3:
            raise FileNotFoundError(path)
        return real(path)

    monkeypatch.setattr(disk, "open_file", open_file)
    monkeypatch.setattr(disk, "read", lambda path, most: (_ for _ in ()).throw(FileNotFoundError(path)))
    assert holder.read(name).name == name
    assert looks == ["new", "pending", "new"]


def test_state_is_read_from_the_folder_that_was_asked_for(outbox, holder):
    """A dead letter has its own; an entry of new/ or pending/ has it in pending/."""
    name = put(outbox)
    alert = Path(outbox.path("new", name + ".alert")).read_bytes()
    lay(outbox, "dead", name + ".alert", alert)
    for folder, rows in (("pending", 1), ("dead", 2)):
        lay(outbox, folder, name + ".state", b"".join(state_lines(new_state(HEAD, 1048576)._replace(rows=rows))))
    assert [holder.read(name, folder).state.rows for folder in ("", "new", "dead")] == [1, 1, 2]


@pytest.mark.parametrize(("size", "is_read"), [(65536, True), (65537, False)])
def test_a_note_about_a_tenant_has_64_kibibytes_at_most(outbox, holder, size, is_read):
    """A longer one cannot be of this version: it holds nobody, is told apart, and stays."""
    note = {"v": 1, "kind": "wait", "reason": ""}
    note["reason"] = "x" * (size - len(json.dumps(note)))
    holder.set_hold("main", {"kind": "wait"})
    path = Path(outbox.path("holds", "main.json"))
    path.write_text(json.dumps(note), encoding="ascii")
    assert holder.hold("main") == (note if is_read else {})
    assert holder.newer_holds() == ([] if is_read else ["main"])
    holder.set_hold("main", None)
    assert path.exists() is not is_read
