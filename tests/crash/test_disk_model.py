"""The model of a disk that loses what was not fsynced: what it must allow, and what it must not."""

from __future__ import annotations

import base64
import random

import pytest

from tests.crash.disk_model import Disk

ROOT = "/root"


def record(what, *paths, **more):
    """One record, with paths below the root."""
    found = {"what": what, **more}
    if paths:
        found["paths"] = [f"{ROOT}/{path}" for path in paths]
    return found


def create(path, file):
    """A new file."""
    return {"what": "create", "path": f"{ROOT}/{path}", "file": file}


def write(file, data):
    """Bytes at its end."""
    return {"what": "write", "file": file, "at_end": True, "data": base64.b64encode(data).decode()}


def fsync(file="", folder=None):
    """Of a file or a folder."""
    return {"what": "fsync", "file": file} if file else {"what": "fsync", "folder": f"{ROOT}/{folder}".rstrip("/")}


def states(*records, ordered=False):
    """All states after these records."""
    disk = Disk(ROOT)
    for one in records:
        disk.do(one)
    found = [tree for tree, is_ordered in disk.states(random.Random(1), 5) if is_ordered or not ordered]  # noqa: S311
    return [tree for number, tree in enumerate(found) if tree not in found[:number]]


def test_name_without_fsync_of_its_folder_may_be_missing_whatever_its_file():
    """The file's fsync says nothing about the name."""
    begun = [create("a", 1), write(1, b"data"), fsync(1)]
    assert {} in states(*begun)
    assert {"a": b"data"} in states(*begun)
    assert states(*begun, fsync(folder="")) == [{"a": b"data"}]


def test_bytes_without_fsync_may_be_missing_halved_or_zeros():
    """And those before the fsync are there."""
    found = states(create("a", 1), fsync(folder=""), write(1, b"kept"), fsync(1), write(1, b"more"))
    assert sorted(tree["a"] for tree in found) == [b"kept", b"kept\0\0\0\0", b"keptmo", b"keptmore"]


def test_rename_within_a_folder_leaves_the_old_file_or_the_new_one():
    """With the temporary name beside it or not."""
    made = [create("a", 1), write(1, b"old"), fsync(1), create("t", 2), write(2, b"new"), fsync(2), fsync(folder="")]
    found = states(*made, record("replace", "t", "a"))
    assert len(found) == 3
    assert {"a": b"old", "t": b"new"} in found
    assert {"a": b"new", "t": b"new"} in found
    assert {"a": b"new"} in found


def test_rename_between_folders_never_loses_the_file():
    """Both names may be there, one always is, and the fsync of either folder settles its own name."""
    made = [record("mkdir", "x"), record("mkdir", "y"), fsync(folder=""), create("x/a", 1), fsync(folder="x")]
    moved = [*made, record("rename", "x/a", "y/a")]
    assert len(states(*moved)) == 3
    assert all("x/a" in tree or "y/a" in tree for tree in states(*moved))
    assert all("y/a" in tree for tree in states(*moved, fsync(folder="y")))
    assert len(states(*moved, fsync(folder="y"))) == 2
    assert states(*moved, fsync(folder="x")) == [{"x": None, "y": None, "y/a": b""}]


def test_removal_without_fsync_may_not_have_happened():
    """A file that was removed comes back with its bytes."""
    made = [create("a", 1), write(1, b"data"), fsync(1), fsync(folder="")]
    assert sorted(map(len, states(*made, record("unlink", "a")))) == [0, 1]
    assert states(*made, record("unlink", "a"), fsync(folder="")) == [{}]


def test_names_may_be_kept_out_of_order_but_not_by_a_journal():
    """The second change of two, and not the first."""
    made = [create("a", 1), create("b", 2)]
    assert {"b": b""} in states(*made)
    assert {"b": b""} not in states(*made, ordered=True)
    assert {"a": b""} in states(*made, ordered=True)


def test_nothing_is_in_a_folder_whose_own_name_is_lost():
    """However durable its names are."""
    made = [record("mkdir", "x"), create("x/a", 1), fsync(folder="x")]
    assert states(*made) == [{}, {"x": None, "x/a": b""}]


def test_many_open_changes_are_sampled_with_the_orderly_ones_among_them():
    """Too many to try all."""
    found = states(*(create(str(number), number) for number in range(20)))
    assert {} in found
    assert {str(number): b"" for number in range(20)} in found
    assert {"7": b""} in found
    assert {str(number): b"" for number in range(20) if number != 7} in found
    assert len(found) < 200


@pytest.mark.parametrize("unknown", [record("unknown", "a"), {"what": "write", "file": 1, "at_end": False, "data": ""}])
def test_what_the_model_cannot_replay_is_refused(unknown):
    """A simulation that passes over something would prove nothing."""
    disk = Disk(ROOT)
    disk.do(create("a", 1))
    with pytest.raises(AssertionError, match="the model"):
        disk.do(unknown)
