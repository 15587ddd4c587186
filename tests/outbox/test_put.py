"""Outbox.put: an alert is stored whole, durably and privately, or not at all."""

from __future__ import annotations

import errno
import gzip
import json
import os
import stat
from pathlib import Path

import pytest
from parapet import disk
from parapet.alert import firing_id
from parapet.entry import Header, header_line, parse_header
from parapet.errors import OutboxUnavailable
from parapet.holder import Holder
from parapet.outbox import DEFAULT_MAX_BYTES, Outbox, digest

from tests.outbox.conftest import TRIGGER, files, make_alert, put

HARD_LINKS_MISSING = [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK]


def names(folder):
    """Everything in a folder, files in the making too."""
    return sorted(path.name for path in Path(folder).iterdir())


@pytest.fixture
def calls(monkeypatch):
    """What the code asked of the operating system, in order: (call, name of the file)."""
    seen, opened = [], {}

    def spy(name):
        real = getattr(os, name)

        def call(*args, **kwargs):
            found = real(*args, **kwargs)
            given = args[-1] if name in ("link", "rename", "replace") else args[0]
            path = opened.get(given, "") if isinstance(given, int) else Path(given).name
            if name == "open":
                opened[found] = path
            seen.append((name, path))
            return found

        monkeypatch.setattr(os, name, call)

    for name in ("open", "write", "fsync", "link", "rename", "replace", "unlink", "listdir", "scandir"):
        spy(name)
    return seen


def test_alert_is_one_file_with_the_trigger_time_and_id_in_its_name(outbox):
    """The name comes from the alert alone, so the same firing has the same name, whenever it is put."""
    name = put(outbox)
    assert files(outbox) == [f"new/{name}.alert"]
    milliseconds, firing = name.split("-")
    assert int(milliseconds) == TRIGGER * 1000
    assert len(milliseconds) == 13
    assert len(firing) == 20


def test_alert_is_on_disk_before_it_has_its_name(outbox, calls):
    """A power cut leaves all of it or nothing: the file's fsync, then the name, then the folder's fsync."""
    put(outbox, 999)
    outbox.lock.is_free()
    del calls[:]
    name = put(outbox)
    steps = [(call, path) for call, path in calls if call in ("fsync", "link")]
    assert [call for call, _ in steps] == ["fsync", "link", "fsync"]
    assert steps[0][1].startswith(".")
    assert [path for _, path in steps[1:]] == [name + ".alert", "new"]


def test_who_is_told_of_an_alert_is_told_before_anybody_can_see_it(outbox):
    """A deliverer may be done with it at once: what it says comes after. What is there already is not told again."""
    told = []

    def announce(name):
        told.append((name, files(outbox)))

    name = outbox.put(make_alert(), results_path="", captured_ms=1, announce=announce)
    assert told == [(name, [])]
    outbox.put(make_alert(), results_path="", captured_ms=1, announce=announce)
    assert len(told) == 1


def test_folders_that_another_process_is_making_are_made_durable_by_whoever_relies_on_them(outbox, calls):
    """That one has not come to its fsync; an alert in a folder that a power cut takes away is lost."""
    for folder in ("requests", "holds", "dead", "pending", "new"):
        Path(outbox.path(folder, "")).mkdir(parents=True)
    put(outbox)
    assert {"outbox", "parapet_security", "lib"} <= {path for call, path in calls if call == "fsync"}
    outbox.lock.is_free()
    del calls[:]
    put(outbox, 1)
    assert [path for call, path in calls if call == "fsync"][1:] == ["new"]


def test_folder_that_a_power_cut_took_comes_back_with_the_next_alert(outbox):
    """That `new/` is there does not say that the others are."""
    Path(outbox.path("new", "")).mkdir(parents=True)
    put(outbox)
    assert sorted(path.name for path in Path(outbox.root).iterdir()) == ["dead", "holds", "new", "pending", "requests"]


def test_put_asks_as_much_of_the_system_whatever_waits(outbox, calls):
    """The action lists no folder: its cost does not grow with the backlog."""
    put(outbox, 999)
    del calls[:]
    put(outbox, 0)
    few = [call for call, _ in calls]
    for number in range(1, 50):
        put(outbox, number)
    del calls[:]
    put(outbox, 50)
    assert [call for call, _ in calls] == few
    assert "listdir" not in few
    assert "scandir" not in few


def test_header_says_what_was_put(outbox):
    """What the deliverer reads is the alert."""
    name = put(outbox)
    header = parse_header(Path(outbox.path("new", name + ".alert")).read_bytes())
    assert header.alert == make_alert()
    assert (header.rows, header.captured_ms, header.fault) == (False, 1, "")


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o277, 0o777], ids=oct)
def test_modes_do_not_depend_on_the_umask(outbox, umask):
    """Alerts are for the user that runs Splunk alone; and a strange umask must not lock even that one out."""
    before = os.umask(umask)
    try:
        name = put(outbox)
        Holder(outbox).write_usage(1, 2, "forwarder")
    finally:
        os.umask(before)
    root = Path(outbox.root)
    modes = {
        path.relative_to(root.parent).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in [root.parent, root, *root.rglob("*")]
    }
    folders = {"outbox", *(f"outbox/{folder}" for folder in ("new", "pending", "dead", "holds", "requests"))}
    assert {path: mode for path, mode in modes.items() if path in folders} == dict.fromkeys(folders, 0o700)
    assert modes[f"outbox/new/{name}.alert"] == modes["outbox/usage"] == 0o600
    assert modes["."] & 0o700 == 0o700


@pytest.mark.parametrize("place", ["new", "pending", "dead"])
def test_alert_that_is_there_already_is_done(outbox, place):
    """Splunk starts a process twice now and then: the second put changes nothing, in whatever state the first one is."""
    name = put(outbox)
    path = Path(outbox.path(place, name + ".alert"))
    Path(outbox.path("new", name + ".alert")).rename(path)
    path.write_bytes(b"as it was")
    assert put(outbox) == name
    assert files(outbox) == [f"{place}/{name}.alert"]
    assert path.read_bytes() == b"as it was"
    assert names(outbox.path("new", "")) == ([path.name] if place == "new" else [])


def test_put_never_replaces_one_that_came_in_the_same_instant(outbox, monkeypatch):
    """The other process gives its file the name just before this one does."""
    name = put(outbox)
    path = Path(outbox.path("new", name + ".alert"))
    path.unlink()
    real = disk.publish

    def late(temporary, target):
        path.write_bytes(b"the other's")
        return real(temporary, target)

    monkeypatch.setattr(disk, "publish", late)
    assert put(outbox) == name
    assert path.read_bytes() == b"the other's"
    assert names(outbox.path("new", "")) == [path.name]


def test_results_file_is_taken_along_byte_for_byte(outbox, tmp_path):
    """Splunk deletes the original soon; the header's line is followed by exactly its bytes."""
    results = tmp_path / "results.csv.gz"
    results.write_bytes(gzip.compress(os.urandom(700000)) + b"\n\0tail")
    name = outbox.put(make_alert(send="all"), results_path=str(results), captured_ms=1)
    line, kept = Path(outbox.path("new", name + ".alert")).read_bytes().split(b"\n", 1)
    assert kept == results.read_bytes()
    assert json.loads(line.decode())["rows"] is True


def test_same_firing_with_other_rows_is_another_entry(outbox, tmp_path):
    """`| sendalert` is called once per chunk of a large result, with the same sid: it must lose none of them."""
    results, names = tmp_path / "results.csv.gz", []
    for content in (b"chunk 1", b"chunk 2"):
        results.write_bytes(content)
        names.append(outbox.put(make_alert(send="all"), results_path=str(results), captured_ms=1))
    assert len(set(names)) == 2
    assert len(files(outbox)) == 2


@pytest.mark.parametrize("path", ["/nowhere/results.csv.gz", "\ud800.gz", "a" * 5000, "results\0.gz"])
def test_results_file_that_cannot_be_opened_is_left_out(outbox, path):
    """The alert is worth more than its rows: the payload's row is stored."""
    name = outbox.put(make_alert(send="all"), results_path=path, captured_ms=1)
    header = parse_header(Path(outbox.path("new", name + ".alert")).read_bytes())
    assert header.rows is False
    assert header.alert.row == make_alert().row


def test_results_file_that_breaks_while_it_is_read_is_kept_up_to_there(outbox, tmp_path, monkeypatch):
    """The rows before the break are sent."""
    results = tmp_path / "results.csv.gz"
    results.write_bytes(b"x" * 600000)
    real, reads = os.read, []

    def failing(descriptor, size):
        reads.append(size)
        if len(reads) == 2:
            raise OSError(errno.EIO, "I/O error")
        return real(descriptor, size)

    put(outbox, 999)
    monkeypatch.setattr(os, "read", failing)
    name = outbox.put(make_alert(send="all"), results_path=str(results), captured_ms=1)
    kept = Path(outbox.path("new", name + ".alert")).read_bytes().split(b"\n", 1)[1]
    assert kept == b"x" * reads[0]


@pytest.mark.parametrize(
    ("held", "most", "fits"),
    [(0, 2**30, True), (2**30 - 10, 2**30, False), (2**30 + 1, 2**30, False), (2**30 - 1000000, 2**30, True)],
)
def test_full_outbox_refuses_new_alerts(outbox, holder, held, most, fits):
    """`outbox_max_bytes` holds for all that is in it, as the lock's holder counted it last."""
    holder.write_usage(held, most, "forwarder")
    if fits:
        put(outbox)
    else:
        with pytest.raises(OutboxUnavailable, match="outbox_max_bytes"):
            put(outbox)
    assert len(names(outbox.path("new", ""))) == int(fits)


def test_alert_that_just_fits_is_stored(outbox, holder, tmp_path, monkeypatch):
    """To the byte, of the outbox and of the file system; the results file that comes along counts."""
    results = tmp_path / "results.csv.gz"
    results.write_bytes(b"x" * 1000)
    for number, (path, rows) in enumerate([("", 0), (str(results), 1000)]):
        size = len(header_line(Header(make_alert(number), bool(rows), 1, ""))) + rows
        holder.write_usage(2**30 - size + 1, 2**30, "forwarder")
        with pytest.raises(OutboxUnavailable, match=f"{2**30 - size + 1} of {2**30} bytes; see outbox_max_bytes"):
            outbox.put(make_alert(number), results_path=path, captured_ms=1)
        holder.write_usage(2**30 - size, 2**30, "forwarder")
        monkeypatch.setattr(disk, "free_bytes", lambda folder, size=size: 64 * 1024 * 1024 + size - 1)
        with pytest.raises(OutboxUnavailable, match="67108864 must stay so"):
            outbox.put(make_alert(number), results_path=path, captured_ms=1)
        monkeypatch.setattr(disk, "free_bytes", lambda folder, size=size: 64 * 1024 * 1024 + size)
        outbox.put(make_alert(number), results_path=path, captured_ms=1)
    assert len(files(outbox)) == 2


def test_usage_is_what_the_holder_told(outbox, holder):
    """Bytes held, the most, and who it is."""
    holder.write_usage(7, 9, "action")
    assert outbox.usage() == (7, 9, "action")
    (Path(outbox.root) / "usage").write_bytes(b'{"bytes": 7, "max": 9}')
    assert outbox.usage() == (7, 9, "")


def test_usage_is_four_kibibytes_at_most(outbox, holder):
    """It is read with every alert; what is larger is not the holder's."""
    for length, told in ((4096, 7), (4097, 0)):
        start = b'{"bytes": 7, "max": 9, "role": "'
        (Path(outbox.root) / "usage").write_bytes(start + b"x" * (length - len(start) - 2) + b'"}')
        assert outbox.usage()[0] == told


@pytest.mark.parametrize(
    "usage",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b'{"v": 1}',
        b'{"bytes": "many", "max": 1}',
        b'{"bytes": Infinity, "max": NaN}',
        b"\xff",
        b"[" * 4096,
    ],
)
def test_usage_that_cannot_be_read_refuses_nothing(outbox, usage):
    """It is told anew within a minute; until then an alert is not lost to it."""
    put(outbox, 999)
    (Path(outbox.root) / "usage").write_bytes(usage)
    assert outbox.usage() == (0, DEFAULT_MAX_BYTES, "")
    put(outbox)


def test_outbox_that_nobody_has_measured_may_hold_a_gibibyte(outbox):
    """As outbox_max_bytes says where nobody changed it."""
    assert outbox.usage() == (0, 1073741824, "")


def test_id_of_a_firing_with_rows_can_be_told_without_the_outbox(outbox, tmp_path):
    """An alert that is delivered from memory has the id that it would have had in the outbox."""
    results = tmp_path / "results.csv.gz"
    results.write_bytes(os.urandom(600000))
    name = outbox.put(make_alert(send="all"), results_path=str(results), captured_ms=1)
    assert name[14:] == firing_id(make_alert(send="all"), digest(str(results)))
    bare = outbox.put(make_alert(send="all"), results_path="", captured_ms=1)
    assert [digest(path) for path in ("", "/nowhere/results.csv.gz", str(tmp_path))] == ["", "", ""]
    assert bare[14:] == firing_id(make_alert(send="all"), "")


def test_request_is_an_empty_file_with_a_name(outbox, holder, calls):
    """A power cut may lose it: an administrator sees that and asks again."""
    outbox.ask("0" * 20, "retry")
    assert files(outbox) == ["requests/" + "0" * 20 + ".retry"]
    assert Path(outbox.path("requests", "0" * 20 + ".retry")).read_bytes() == b""
    assert "fsync" not in [call for call, _ in calls]


def test_nearly_full_file_system_refuses_new_alerts(outbox, monkeypatch, tmp_path):
    """64 MiB stay free for Splunk itself; the alert's own size counts."""
    results = tmp_path / "results.csv.gz"
    results.write_bytes(b"x" * 100000)
    monkeypatch.setattr(disk, "free_bytes", lambda folder: 64 * 1024 * 1024 + 50000)
    put(outbox, 1)
    with pytest.raises(OutboxUnavailable, match="nearly full"):
        outbox.put(make_alert(2, send="all"), results_path=str(results), captured_ms=1)
    monkeypatch.setattr(disk, "free_bytes", lambda folder: 64 * 1024 * 1024 - 1)
    with pytest.raises(OutboxUnavailable, match="nearly full"):
        put(outbox, 3)
    assert len(files(outbox)) == 1


@pytest.mark.parametrize("code", HARD_LINKS_MISSING, ids=errno.errorcode.get)
def test_file_system_without_hard_links_stores_alerts_too(outbox, monkeypatch, code):
    """FAT, some network and container file systems: then it is a rename, and still none replaces."""

    def no_link(source, target):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", no_link)
    name = put(outbox)
    path = Path(outbox.path("new", name + ".alert"))
    path.write_bytes(b"as it was")
    assert put(outbox) == name
    assert path.read_bytes() == b"as it was"
    assert names(outbox.path("new", "")) == [path.name]


def test_nothing_from_outside_becomes_a_path(outbox, tmp_path):
    """Tenant, sid and name are whatever an alert's owner wrote; the file's name holds digits only."""
    nasty = "../../../../etc/passwd\n"
    before = {path for path in tmp_path.rglob("*") if not str(path).startswith(outbox.root)}
    for number, field in enumerate(("tenant", "sid", "search_name", "result_id", "trigger_time", "rid")):
        name = put(outbox, number, **{field: nasty})
        assert files(outbox) == [f"new/{name}.alert"]
        Holder(outbox).remove(name)
    after = {path for path in tmp_path.rglob("*") if not str(path).startswith(outbox.root)}
    assert {path.name for path in after - before} == {"var", "lib", "parapet_security"}


def test_relative_place_is_made(tmp_path, monkeypatch):
    """PARAPET_OUTBOX may name any folder."""
    monkeypatch.chdir(str(tmp_path))
    assert put(Outbox("here"))
    assert put(Outbox(str(Path("there") / "deeper")))


def test_dead_letter_can_be_stored_at_once(outbox):
    """An alert for a tenant that cannot exist is kept, with why, and never looked at by the action again."""
    name = outbox.put_dead(make_alert(tenant="No Tenant"), captured_ms=1, fault="'No Tenant' is no tenant's name")
    assert files(outbox) == [f"dead/{name}.alert"]
    assert parse_header(Path(outbox.path("dead", name + ".alert")).read_bytes()).fault.startswith("'No Tenant'")
