"""Outbox.put on a disk that fails: at every system call, with every error that matters. Must not forgive a half-stored alert."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

import pytest
from parapet.entry import parse_header
from parapet.errors import OutboxUnavailable
from parapet.holder import Holder

from tests.outbox.conftest import files, make_alert, put

CALLS = (
    "open",
    "chmod",
    "mkdir",
    "write",
    "fsync",
    "close",
    "link",
    "rename",
    "unlink",
    "read",
    "stat",
    "fstat",
    "statvfs",
    "lstat",
)
ERRORS = [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO]
ROWS = b"rows" * 100000


class FailingDisk:
    """Lets system calls through until the one that is to fail; `for_good` fails all after it as well."""

    def __init__(self, monkeypatch, code):
        """Fail nothing yet."""
        self.code, self.countdown, self.for_good, self.failed = code, 10**9, False, []
        for name in CALLS:
            monkeypatch.setattr(os, name, self._wrap(name, getattr(os, name)))

    def fail(self, at, *, for_good=False):
        """Fail the call number `at` from now on."""
        self.countdown, self.for_good, self.failed = at, for_good, []

    def mend(self):
        """Fail no more; returns what failed."""
        self.countdown = 10**9
        return self.failed

    def _wrap(self, name, real):
        def call(*args, **kwargs):
            self.countdown -= 1
            if self.countdown < 0 and (self.for_good or not self.failed):
                self.failed.append(name)
                if name == "close":
                    real(*args)  # a descriptor is closed whatever close answers
                elif name == "write":
                    real(args[0], args[1][: len(args[1]) // 2])  # a disk that is full takes a part
                raise OSError(self.code, os.strerror(self.code))
            return real(*args, **kwargs)

        return call


@pytest.mark.parametrize("prepared", [True, False], ids=["folders there", "no folders yet"])
@pytest.mark.parametrize("code", ERRORS, ids=errno.errorcode.get)
def test_one_failing_call_stores_the_alert_whole_or_refuses_it(outbox, tmp_path, monkeypatch, code, prepared):
    """Refused means that it is not there: it is delivered from memory, and must not be delivered from here as well."""
    results = tmp_path / "results.csv.gz"
    results.write_bytes(ROWS)
    if prepared:
        put(outbox, 999)
    shim = FailingDisk(monkeypatch, code)
    outcomes = set()
    for at in range(200):
        _remove(outbox, keep_folders=prepared)
        shim.fail(at)
        try:
            name = outbox.put(make_alert(send="all"), results_path=str(results), captured_ms=1)
        except OutboxUnavailable:
            name = ""
        failed = shim.mend()
        assert _stored(outbox) == ([f"new/{name}.alert"] if name else []), f"call {at}, {failed}"
        if name:
            _assert_whole(outbox, name, f"call {at}, {failed}")
        outcomes.add(bool(name))
        if not failed:
            break
    assert not failed, "more calls than were tried"
    assert outcomes == {True, False}


@pytest.mark.parametrize("code", ERRORS, ids=errno.errorcode.get)
def test_disk_that_fails_for_good_leaves_nothing_half_there(outbox, tmp_path, monkeypatch, code):
    """From some call on everything fails, cleaning up too: whatever has a name is whole, and the next put works."""
    results = tmp_path / "results.csv.gz"
    results.write_bytes(ROWS)
    put(outbox, 999)
    shim = FailingDisk(monkeypatch, code)
    for at in range(200):
        _remove(outbox, keep_folders=True)
        shim.fail(at, for_good=True)
        with contextlib.suppress(OutboxUnavailable):
            outbox.put(make_alert(send="all"), results_path=str(results), captured_ms=1)
        failed = shim.mend()
        for stored in _stored(outbox):
            _assert_whole(outbox, stored[4:-6], f"from call {at} on, {failed}")
        name = outbox.put(make_alert(send="all"), results_path=str(results), captured_ms=1)
        _assert_whole(outbox, name, f"after call {at}, {failed}")
        if not failed:
            break
    assert not failed, "more calls than were tried"


def test_refusal_says_where_and_why_in_the_systems_words(outbox, monkeypatch):
    """The administrator reads it in the log."""
    put(outbox, 999)
    shim = FailingDisk(monkeypatch, errno.ENOSPC)
    monkeypatch.setattr(os, "write", shim._wrap("write", os.write))
    shim.fail(0, for_good=True)
    with pytest.raises(OutboxUnavailable) as caught:
        put(outbox)
    shim.mend()
    assert outbox.root in str(caught.value)
    assert os.strerror(errno.ENOSPC) in str(caught.value)


def test_refusal_without_the_systems_words_has_the_errors_own(outbox, monkeypatch):
    """Some file systems bring an error that has no number."""
    put(outbox, 999)

    def write(*args):
        raise OSError("the share went away")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        with pytest.raises(OutboxUnavailable, match="cannot be written: the share went away"):
            put(outbox)


def test_folders_that_a_crash_left_unfinished_are_made_whole(outbox, monkeypatch):
    """`new/` comes last: a process that dies while it makes the folders leaves work for the next one, not a broken outbox."""
    shim = FailingDisk(monkeypatch, errno.EIO)
    for at in range(100):
        _remove(outbox, keep_folders=False)
        shim.fail(at, for_good=True)
        with contextlib.suppress(OutboxUnavailable):
            put(outbox)
        failed = shim.mend()
        put(outbox)
        folders = sorted(path.name for path in Path(outbox.root).iterdir() if path.is_dir())
        assert folders == ["dead", "holds", "new", "pending", "requests"], f"from call {at} on, {failed}"
        if not failed:
            return
    raise AssertionError("more calls than were tried")


def _remove(outbox, *, keep_folders):
    root = Path(outbox.root)
    for path in sorted(root.parent.parent.rglob("*"), reverse=True) if root.parent.parent.exists() else []:
        if path.is_file():
            path.unlink()
        elif not keep_folders:
            path.rmdir()


def _stored(outbox):
    return (
        files(outbox)
        if all(Path(outbox.path(name, "")).is_dir() for name in ("new", "pending", "dead", "holds", "requests"))
        else []
    )


def _assert_whole(outbox, name, when):
    line, kept = Path(outbox.path("new", name + ".alert")).read_bytes().split(b"\n", 1)
    header = parse_header(line + b"\n")
    # A results file that cannot be read is as absent, and one that breaks off is kept up to the break.
    assert header.alert == make_alert(send="all"), when
    assert ROWS.startswith(kept), when
    assert header.rows or not kept, when


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name here")
def test_pipe_in_place_of_a_results_file_is_left_out(outbox, tmp_path):
    """Opening it would wait for a writer for ever."""
    os.mkfifo(str(tmp_path / "results.csv.gz"))
    name = outbox.put(make_alert(send="all"), results_path=str(tmp_path / "results.csv.gz"), captured_ms=1)
    assert Holder(outbox).read(name).header.rows is False


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name here")
def test_pipe_in_place_of_an_alert_stops_nobody(outbox):
    """It cannot be read, and says so."""
    name = put(outbox, 1)
    Path(outbox.path("new", name + ".alert")).unlink()
    os.mkfifo(outbox.path("new", name + ".alert"))
    with pytest.raises(OSError, match="no regular file"):
        Holder(outbox).read(name)
