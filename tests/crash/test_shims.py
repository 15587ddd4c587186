"""The shims under the product: that the recorder sees every call, and that a bad disk is bad, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.crash.scenario import SHIM

WRITES = """
import os, sys
root = sys.argv[1]
folder = os.path.join(root, "new")
os.mkdir(folder)
one = os.open(os.path.join(folder, ".t"), os.O_WRONLY | os.O_CREAT | os.O_EXCL)
os.write(one, b"data")
os.fsync(one)
os.close(one)
os.link(os.path.join(folder, ".t"), os.path.join(folder, "a"))
os.unlink(os.path.join(folder, ".t"))
two = os.open(folder, os.O_RDONLY)
os.fsync(two)
os.close(two)
three = os.open(os.path.join(folder, "a"), os.O_WRONLY | os.O_APPEND)
os.write(three, b"more")
os.replace(os.path.join(folder, "a"), os.path.join(folder, "b"))
outside = os.open(root + ".other", os.O_WRONLY | os.O_CREAT)
os.write(outside, b"not ours")
"""
FAULTY = """
import errno, os, sys
def tried(call, *args):
    try:
        call(*args)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"
root = sys.argv[1]
path = os.path.join(root, "there")
def append():
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    while True:
        os.write(descriptor, b"12345678"[: 8 - os.fstat(descriptor).st_size])
print(tried(append), tried(os.open, os.path.join(root, "more"), os.O_WRONLY | os.O_CREAT), tried(os.mkdir, root + "/x"),
    tried(os.rename, path, path + "2"), tried(os.unlink, path + "2"), tried(os.open, path, os.O_RDONLY), tried(os.mkdir, root))
"""


def run(code, root, **shim):
    """Run code in a process over a shim; returns its words."""
    env = {"PYTHONPATH": str(SHIM), "SHIM_ROOT": str(root), **shim}
    command = [sys.executable, "-c", code, str(root)]
    return subprocess.run(command, env=env, check=True, capture_output=True, timeout=30).stdout.decode().split()


@pytest.fixture
def root(tmp_path):
    """A folder to be watched."""
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def recorded(code, root):
    """The records of a run."""
    path = root.parent / "record"
    run(code, root, SHIM_RECORD=str(path))
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_record_holds_what_changes_the_folder_in_order_and_nothing_else(root):
    """Bytes and names, and what they were covered by."""
    found = recorded(WRITES, root)
    assert " ".join(one["what"] for one in found) == "mkdir create write fsync link unlink fsync open write replace"
    assert "file" in found[3]
    assert found[6]["folder"].endswith("new")
    assert [one["at_end"] for one in found if one["what"] == "write"] == [True, True]


@pytest.mark.parametrize(
    "code",
    [
        "open(sys.argv[1] + '/a', 'w')",
        "os.truncate(sys.argv[1], 0)",
        "os.symlink('a', sys.argv[1] + '/b')",
        "os.pwrite(os.open(sys.argv[1] + '/a', os.O_WRONLY | os.O_CREAT), b'x', 0)",
    ],
)
def test_way_to_write_that_a_replay_does_not_know_is_noted_as_such(root, code):
    """It must not go unseen."""
    found = recorded(f"import os, sys\ntry:\n    {code}\nexcept OSError:\n    open(sys.argv[1] + '/c', 'a')", root)
    assert "unknown" in [one["what"] for one in found]


def test_write_into_the_middle_of_a_file_is_not_taken_for_an_appended_one(root):
    """The model knows appending only, and says so when it meets this."""
    (root / "a").write_bytes(b"12345")
    found = recorded("import os, sys\nos.write(os.open(sys.argv[1] + '/a', os.O_WRONLY), b'x')", root)
    assert [one.get("at_end") for one in found] == [None, False]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("full", "ENOSPC ENOSPC ENOSPC done done ENOENT EEXIST"),
        ("readonly", "EROFS EROFS EROFS EROFS EROFS done EEXIST"),
    ],
)
def test_bad_disk_refuses_what_a_real_one_refuses(root, fault, said):
    """A full one still lets go of what it has, and takes half of a write before it says so; a read-only one changes nothing."""
    (root / "there").write_bytes(b"1")
    switch = root.parent / "switch"
    switch.write_text(fault)
    assert run(FAULTY, root, SHIM_FAULT=str(switch)) == said.split(" ")


def test_good_disk_stays_good(root):
    """Without a fault the shim changes nothing."""
    switch = root.parent / "switch"
    switch.write_text("")
    run(WRITES, root, SHIM_FAULT=str(switch))
    assert (root / "new" / "b").read_bytes() == b"datamore"
