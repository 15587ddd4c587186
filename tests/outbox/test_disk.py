"""What the outbox asks of a file system: durable, private, whole files. Must not know what is in them."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest
from parapet import disk


def mode(path):
    """The permissions of a file or folder."""
    return stat.S_IMODE(path.stat().st_mode)


def names(folder):
    """Everything in a folder."""
    return sorted(path.name for path in folder.iterdir())


def open_descriptors():
    """How many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def synced(monkeypatch):
    """What was made durable, in order: the paths of files and folders."""
    seen, real = [], os.fsync

    def fsync(descriptor):
        seen.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    return seen


@pytest.fixture
def windows(monkeypatch):
    """An operating system of the other kind, as far as this module asks."""
    monkeypatch.setattr(disk, "_POSIX", False)


linux = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="asks Linux what is open")


def failing(monkeypatch, name, code=errno.EIO):
    """Let a call of the operating system fail."""

    def call(*args, **kwargs):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, name, call)


@linux
def test_folders_are_private_and_their_names_durable(tmp_path, synced):
    """The root, the one above and the one above that: more are not new in practice."""
    root = tmp_path / "lib" / "parapet" / "outbox"
    disk.make_folders(str(root), ("first", "second"))
    assert names(root) == ["first", "second"]
    assert {mode(path) for path in (root, root.parent, root.parent.parent, root / "first", root / "second")} == {0o700}
    assert synced == [str(root), str(root.parent), str(root.parent.parent)]


def test_folders_that_are_above_already_keep_their_mode(tmp_path):
    """They are somebody else's."""
    tmp_path.chmod(0o755)
    disk.make_folders(str(tmp_path / "outbox"), ("new",))
    assert mode(tmp_path) == 0o755


def test_the_first_folder_is_made_last(tmp_path, monkeypatch):
    """Where it is there, all of them are."""
    made, real = [], os.mkdir

    def mkdir(path):
        made.append(Path(path).name)
        real(path)

    monkeypatch.setattr(os, "mkdir", mkdir)
    disk.make_folders(str(tmp_path / "outbox"), ("new", "pending", "dead"))
    assert made == ["outbox", "dead", "pending", "new"]


def test_folders_can_be_made_twice(tmp_path):
    """Several processes may start at once; a file in the place of a folder is another matter."""
    for _ in range(2):
        disk.make_folders(str(tmp_path / "outbox"), ("new",))
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileExistsError):
        disk.make_folders(str(tmp_path / "file"), ("new",))
    assert (tmp_path / "file").is_file()


def test_a_new_file_is_private_and_replaces_nothing(tmp_path):
    """Whatever the umask, and whoever was first."""
    path = tmp_path / "file"
    before = os.umask(0)
    try:
        os.close(disk.create(str(path)))
    finally:
        os.umask(before)
    assert mode(path) == 0o600
    path.write_bytes(b"as it was")
    with pytest.raises(FileExistsError):
        disk.create(str(path))
    assert path.read_bytes() == b"as it was"


@pytest.fixture
def opened(monkeypatch):
    """What files were opened with, on a system that has a flag for bytes as they are."""
    seen, real, binary = [], os.open, 1 << 30

    def call(path, flags, mode=0o777):
        seen.append((flags, mode))
        return real(path, flags & ~binary, mode)

    with monkeypatch.context() as patch:  # pytest removes the test's folder before it takes back its own patches
        patch.setattr(os, "open", call)
        patch.setattr(disk, "_BINARY", binary)
        yield seen


def test_files_are_opened_for_bytes_as_they_are(tmp_path, opened):
    """Windows would change line ends otherwise; and a file is private from its first moment."""
    path = str(tmp_path / "file")
    os.close(disk.create(path))
    disk.append(path, b"1", durable=False)
    assert disk.read(path, 9) == b"1"
    flags = [os.O_WRONLY | os.O_CREAT | os.O_EXCL, os.O_WRONLY | os.O_APPEND, os.O_RDONLY | os.O_NONBLOCK]
    assert [found for found, _ in opened] == [flag | 1 << 30 for flag in flags]
    assert opened[0][1] == 0o600


def test_folders_end_at_the_top_that_answers_nothing(tmp_path, monkeypatch):
    """A system where nobody may ask about the folders above: an error, and no search without end."""
    monkeypatch.setattr(os.path, "isdir", lambda path: False)
    with pytest.raises(OSError):  # noqa: PT011  each system has its own words for it
        disk.make_folders(str(tmp_path / "outbox"), ("new",))


@linux
def test_a_file_that_cannot_be_made_private_is_none(tmp_path, monkeypatch):
    """Nothing of it stays: no file, and no descriptor."""
    before = open_descriptors()
    failing(monkeypatch, "chmod", errno.EPERM)
    with pytest.raises(PermissionError):
        disk.create(str(tmp_path / "file"))
    assert names(tmp_path) == []
    assert open_descriptors() == before


def test_every_byte_is_written_by_a_disk_that_takes_a_part_at_a_time(tmp_path, monkeypatch):
    """As one does that fills up, or a slow network file system."""
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:3]))
    disk.replace(str(tmp_path / "file"), b"0123456789", durable=False)
    assert (tmp_path / "file").read_bytes() == b"0123456789"


def test_a_name_in_the_making_is_nobody_elses(tmp_path):
    """It starts with a dot, tells the process, and no two are the same."""
    found = [Path(disk.temporary(str(tmp_path))) for _ in range(50)]
    assert len(set(found)) == 50
    for path in found:
        process, _, random = path.stem[1:].partition("-")
        assert (path.parent, path.name[0], path.suffix) == (tmp_path, ".", ".tmp")
        assert (process, len(random)) == (str(os.getpid()), 16)


@pytest.fixture
def half(tmp_path):
    """A finished file that has no name yet."""
    path = tmp_path / ".half.tmp"
    path.write_bytes(b"new")
    return path


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_a_finished_file_gets_its_name(tmp_path, half, monkeypatch, links):
    """And loses the other one."""
    if not links:
        failing(monkeypatch, "link", errno.EPERM)
    assert disk.publish(str(half), str(tmp_path / "file")) is True
    assert names(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == b"new"


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_a_name_that_is_taken_stays_as_it_is(tmp_path, half, monkeypatch, links):
    """The finished file goes: the same firing is there already."""
    (tmp_path / "file").write_bytes(b"as it was")
    if not links:
        failing(monkeypatch, "link", errno.EPERM)
    assert disk.publish(str(half), str(tmp_path / "file")) is False
    assert names(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == b"as it was"


def test_a_name_is_given_by_a_rename_on_windows(tmp_path, half, windows, monkeypatch):
    """There it does not replace, and says so."""
    monkeypatch.setattr(os, "link", None)
    assert disk.publish(str(half), str(tmp_path / "file")) is True
    assert names(tmp_path) == ["file"]
    half.write_bytes(b"again")
    failing(monkeypatch, "rename", errno.EEXIST)
    assert disk.publish(str(half), str(tmp_path / "file")) is False
    assert names(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == b"new"


@linux
@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_replaced_whole(tmp_path, synced, durable):
    """Durable where it must outlast a power cut: the bytes first, then the name."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    disk.replace(str(path), b"new", durable=durable)
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["file"]
    assert mode(path) == 0o600
    if durable:
        assert Path(synced[0]).name.startswith(".")
        assert synced[1:] == [str(tmp_path)]
    else:
        assert synced == []


@linux
@pytest.mark.parametrize("call", ["write", "fsync", "close", "replace"])
def test_a_file_that_cannot_be_replaced_stays(tmp_path, monkeypatch, call):
    """Nothing half there, nothing left open, and whoever asked learns of it."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    before, real = open_descriptors(), getattr(os, call)

    def fail(*args, **kwargs):
        if call == "close":
            real(*args)
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(OSError, match="No space left"):
            disk.replace(str(path), b"new", durable=True)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]
    assert open_descriptors() == before


@linux
@pytest.mark.parametrize("durable", [True, False])
def test_what_is_added_stands_at_the_end(tmp_path, synced, durable):
    """Durable where it must outlast a power cut; nothing is left open."""
    path = tmp_path / "file"
    path.write_bytes(b"one")
    before = open_descriptors()
    disk.append(str(path), b"two", durable=durable)
    assert path.read_bytes() == b"onetwo"
    assert synced == ([str(path)] if durable else [])
    assert open_descriptors() == before


def test_nothing_is_added_to_a_file_that_is_not_there(tmp_path):
    """It would be one without a beginning."""
    with pytest.raises(FileNotFoundError):
        disk.append(str(tmp_path / "file"), b"two", durable=False)
    assert names(tmp_path) == []


@linux
def test_only_a_regular_file_is_opened(tmp_path):
    """A pipe would wait for a writer, and a device may never end; a folder has nothing to read."""
    os.mkfifo(str(tmp_path / "pipe"))
    before = open_descriptors()
    for path in (str(tmp_path / "pipe"), "/dev/zero", str(tmp_path)):
        with pytest.raises(OSError, match="no regular file") as caught:
            disk.open_file(path)
        assert (caught.value.errno, caught.value.filename) == (errno.EINVAL, path)
    assert open_descriptors() == before


def test_no_more_is_read_than_was_asked_for(tmp_path):
    """A file that has grown beyond all measure must not fill the memory."""
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    assert [disk.read(str(path), most) for most in (0, 4, 100)] == [b"", b"0123", b"0123456789"]


def test_a_file_is_discarded_whether_it_is_there_or_not(tmp_path, monkeypatch):
    """But a disk that refuses is heard."""
    path = tmp_path / "file"
    path.write_bytes(b"")
    for _ in range(2):
        disk.discard(str(path))
        assert names(tmp_path) == []
    failing(monkeypatch, "unlink", errno.EROFS)
    with pytest.raises(OSError, match=os.strerror(errno.EROFS)):
        disk.discard(str(path))


def test_litter_is_no_reason_to_fail(tmp_path, monkeypatch):
    """It is swept later."""
    path = tmp_path / "file"
    path.write_bytes(b"")
    disk.litter(str(path))
    assert names(tmp_path) == []
    disk.litter(str(path))
    path.write_bytes(b"")
    failing(monkeypatch, "unlink", errno.EROFS)
    disk.litter(str(path))
    assert names(tmp_path) == ["file"]


def test_a_files_time_is_now_after_a_touch(tmp_path):
    """Where it is there."""
    path = tmp_path / "file"
    path.write_bytes(b"")
    os.utime(str(path), (1000, 1000))
    disk.touch(str(path))
    assert path.stat().st_mtime > 1000000
    disk.touch(str(tmp_path / "none"))
    assert names(tmp_path) == ["file"]


@linux
def test_a_folder_is_made_durable_and_closed_again(tmp_path, synced, monkeypatch):
    """Also where the disk fails."""
    before = open_descriptors()
    disk.sync_folder(str(tmp_path))
    assert synced == [str(tmp_path)]
    failing(monkeypatch, "fsync")
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        disk.sync_folder(str(tmp_path))
    assert open_descriptors() == before


def test_windows_is_known_by_its_name_and_opens_without_a_flag_that_it_lacks(tmp_path, monkeypatch):
    """The module as it is loaded there."""
    (tmp_path / "file").write_bytes(b"1")
    here, real, flags = Path(disk.__file__).read_text(encoding="utf-8"), os.open, []
    with monkeypatch.context() as patch:
        patch.setattr(os, "name", "nt")
        patch.delattr(os, "O_NONBLOCK")
        patch.setattr(os, "open", lambda path, flag: (flags.append(flag), real(path, flag))[1])
        there = {}
        exec(compile(here, disk.__file__, "exec"), there)  # noqa: S102  the product's own module
        descriptor = there["open_file"](str(tmp_path / "file"))
    os.close(descriptor)
    assert (there["_POSIX"], disk._POSIX, flags) == (False, True, [os.O_RDONLY])


def test_windows_has_no_call_for_a_folder(tmp_path, windows, monkeypatch):
    """So none is made."""
    failing(monkeypatch, "open")
    disk.sync_folder(str(tmp_path))


def test_free_is_what_an_ordinary_user_may_still_write(monkeypatch):
    """What the file system keeps for root does not count."""
    told = SimpleNamespace(f_bavail=7, f_bfree=9, f_frsize=512, f_bsize=4096)
    monkeypatch.setattr(os, "statvfs", lambda folder: told)
    assert disk.free_bytes("anywhere") == 7 * 512


def test_free_is_asked_in_another_way_on_windows(tmp_path, windows, monkeypatch):
    """There is no statvfs."""
    monkeypatch.setattr(os, "statvfs", None)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(total=3, used=2, free=1))
    assert disk.free_bytes(str(tmp_path)) == 1


def test_a_folder_is_ours_when_we_run_as_its_owner(monkeypatch):
    """Somebody who tries as root must not leave root's files behind."""
    monkeypatch.setattr(os, "stat", lambda folder: SimpleNamespace(st_uid=int("70001")))
    for number in (70000, 70001, 70002):
        monkeypatch.setattr(os, "geteuid", lambda number=number: number)
        assert disk.owned_by_us("anywhere") is (number == 70001)


def test_every_folder_is_ours_on_windows(tmp_path, windows, monkeypatch):
    """Files have no numeric owner there."""
    monkeypatch.setattr(os, "geteuid", lambda: -1)
    assert disk.owned_by_us(str(tmp_path)) is True
