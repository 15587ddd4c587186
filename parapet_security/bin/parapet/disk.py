"""What a file system must promise the outbox: durable, private, whole files on Linux and Windows. Must not know what is in them."""

from __future__ import annotations

import errno
import os
import stat

_BINARY = getattr(os, "O_BINARY", 0)
_POSIX = os.name == "posix"


def make_folders(root: str, names: tuple[str, ...]) -> None:
    """Create `root` and the folders in it, 0700 whatever the umask, and make their names durable.

    The first of `names` comes last: where it is there, all of them are. Several processes may do this at once.
    """
    root = os.path.abspath(root)
    paths, path = [root], os.path.dirname(root)
    while not os.path.isdir(path) and path != os.path.dirname(path):  # "/" may be closed to questions as well
        paths.insert(0, path)
        path = os.path.dirname(path)
    for path in paths + [os.path.join(root, name) for name in reversed(names)]:
        try:
            os.mkdir(path)
        except FileExistsError:
            if not os.path.isdir(path):
                raise
        os.chmod(path, 0o700)
    for path in (root, os.path.dirname(root), os.path.dirname(os.path.dirname(root))):
        sync_folder(path)


def create(path: str) -> int:
    """Open a new file for writing, 0600 whatever the umask; FileExistsError where it exists."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
    try:
        os.chmod(path, 0o600)
    except OSError:
        os.close(descriptor)
        litter(path)
        raise
    return descriptor


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte: a disk that fills up writes a part and says so only at the next call."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def temporary(folder: str) -> str:
    """A name in `folder` that nobody else uses; it starts with a dot, so no reader takes it for an entry."""
    return os.path.join(folder, f".{os.getpid()}-{os.urandom(8).hex()}.tmp")


def publish(temporary_path: str, path: str) -> bool:
    """Give a finished file its name without replacing anything.

    Returns:
        False where the name is taken already; the temporary file is gone either way.
    """
    try:
        if _POSIX:
            os.link(temporary_path, path)
        else:
            os.rename(temporary_path, path)  # on Windows a rename does not replace
            return True
    except FileExistsError:
        litter(temporary_path)
        return False
    except OSError:
        # A file system without hard links: two processes that put the same entry in the same instant write the same bytes.
        if os.path.lexists(path):
            litter(temporary_path)
            return False
        os.rename(temporary_path, path)
        return True
    litter(temporary_path)
    return True


def replace(path: str, data: bytes, *, durable: bool) -> None:
    """Write a whole file in one step; readers see the old one or the new one.

    Args:
        path: where.
        data: what.
        durable: whether it must outlast a power cut.
    """
    folder = os.path.dirname(path)
    temporary_path = temporary(folder)
    descriptor = create(temporary_path)
    try:
        try:
            write_all(descriptor, data)
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary_path, path)
    except OSError:
        litter(temporary_path)
        raise
    if durable:
        sync_folder(folder)


def append(path: str, data: bytes, *, durable: bool) -> None:
    """Add to the end of a file in one write."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | _BINARY)
    try:
        write_all(descriptor, data)
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_file(path: str) -> int:
    """Open a regular file for reading. A pipe or a device would hang or never end: for these, OSError."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _BINARY)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file", path)
    return descriptor


def read(path: str, most: int) -> bytes:
    """Up to `most` bytes from the start of a file."""
    with os.fdopen(open_file(path), "rb") as stream:
        return stream.read(most)


def discard(path: str) -> None:
    """Remove a file if it is there."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def litter(path: str) -> None:
    """Remove a file in the making, as far as that is possible: what stays of it is swept later, and is no reason to fail."""
    try:
        os.unlink(path)
    except OSError:
        pass


def touch(path: str) -> None:
    """Set a file's time to now, if it is there."""
    try:
        os.utime(path)
    except FileNotFoundError:
        pass


def sync_folder(folder: str) -> None:
    """Make the names in a folder durable. Windows has no call for it: its file systems keep a journal of names."""
    if not _POSIX:
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def free_bytes(folder: str) -> int:
    """What an ordinary user may still write on the folder's file system."""
    if _POSIX:
        found = os.statvfs(folder)
        return found.f_bavail * found.f_frsize
    import shutil  # slow to import, and needed on Windows only

    return shutil.disk_usage(folder).free


def owned_by_us(folder: str) -> bool:
    """Whether this process runs as the owner of a folder; always so where files have no numeric owner (Windows)."""
    return not _POSIX or os.stat(folder).st_uid == os.geteuid()
