"""The lock: one holder on a host, and the operating system frees it. Must not wait in any of it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from parapet import lock as locks
from parapet.errors import LockUnavailable
from parapet.lock import Lock

HOLD = (
    "import sys; sys.path.insert(0, sys.argv[1]); from parapet.lock import Lock; lock = Lock(sys.argv[2]);"
    " print(lock.try_acquire(), flush=True); sys.stdin.read()"
)


@pytest.fixture
def path(tmp_path):
    """A place for the lock's file."""
    return str(tmp_path / "lock")


def open_files():
    """How many this process has, where the system tells."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


@pytest.fixture
def other(path):
    """Another process that holds the lock until it is killed."""
    code = str(Path(locks.__file__).resolve().parent.parent)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline().strip() == b"True"
        yield process
        process.kill()


def test_lock_of_another_process_is_not_taken(path, other):
    """The answer comes at once."""
    assert Lock(path).is_free() is False
    assert Lock(path).try_acquire() is False


def test_lock_of_a_killed_process_is_free(path, other):
    """A kill -9 runs no handler: the operating system closes the file."""
    other.kill()
    other.wait()
    assert Lock(path).is_free() is True
    assert Lock(path).try_acquire() is True


def test_two_locks_of_one_process_exclude_each_other(path):
    """It belongs to the object, not to the process: two turns must not both hold it."""
    first, second = Lock(path), Lock(path)
    assert first.try_acquire()
    assert not second.try_acquire()
    assert not first.is_free()
    first.release()
    assert second.try_acquire()


def test_asking_whether_it_is_free_does_not_keep_it(path):
    """An action asks, and another may hold it then."""
    assert Lock(path).is_free()
    assert Lock(path).try_acquire()


def test_releasing_what_is_not_held_does_nothing(path):
    """A deliverer ends in one way, whatever it got."""
    Lock(path).release()
    held = Lock(path)
    held.try_acquire()
    held.release()
    held.release()
    assert Lock(path).is_free()


def test_lock_file_stays(path):
    """Who removes or replaces it locks another file than the next one."""
    held = Lock(path)
    held.try_acquire()
    inode = Path(path).stat().st_ino
    held.release()
    Lock(path).is_free()
    assert Path(path).stat().st_ino == inode


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL], ids=errno.errorcode.get)
def test_file_system_that_does_not_lock_is_no_held_lock(path, monkeypatch, code):
    """Held means that somebody delivers; here nobody does, so the action must know the difference."""

    def refuse(descriptor, operation):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    before = open_files()
    for question in (Lock(path).try_acquire, Lock(path).is_free):
        with pytest.raises(LockUnavailable, match="does not lock"):
            question()
    assert open_files() == before


@pytest.mark.parametrize("code", [errno.EAGAIN, errno.EACCES], ids=errno.errorcode.get)
def test_held_has_two_names(path, monkeypatch, code):
    """POSIX allows both."""

    def held(descriptor, operation):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(locks.fcntl, "flock", held)
    assert Lock(path).try_acquire() is False


def test_lock_that_cannot_be_opened_is_unavailable(tmp_path):
    """No folder: nobody can hold it."""
    with pytest.raises(LockUnavailable, match="cannot be opened"):
        Lock(str(tmp_path / "nowhere" / "lock")).try_acquire()
