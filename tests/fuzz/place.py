"""Where a target lets the product work: a Splunk home of its own, an outbox in it that is emptied each time, and bounds. Must not call the product.

One place serves all inputs of a process: making folders for each would take longer than most inputs do.
"""

from __future__ import annotations

import atexit
import contextlib
import shutil
import signal
import sys
import tempfile
from pathlib import Path

try:
    import resource
except ImportError:  # Windows
    resource = None

# Memory keeps files that nobody will look at again; fsync costs nothing there.
FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  a folder with a random name is made in it
_FOLDERS = ("new", "pending", "dead", "holds", "requests")
_PARTS = b"\n----\n"


class Broken(AssertionError):
    """A promise was broken: a finding."""


class TooSlow(BaseException):
    """An input took longer than any may. No Exception: the product must not catch it."""


def promise(kept, what):
    """A promise to whoever sent the input, to an administrator, or to the next module."""
    if not kept:
        raise Broken(what)


def parts(data, count):
    """An input that stands for several: so many parts, those that are missing empty."""
    found = data.split(_PARTS, count - 1)
    return found + [b""] * (count - len(found))


def joined(*given):
    """The input of so many parts."""
    return _PARTS.join(given)


class Place:
    """A Splunk home."""

    def __init__(self):
        """Make it; it goes with the process."""
        folder = tempfile.mkdtemp(prefix="parapet-fuzz-", dir=FOLDER)
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        self.home = Path(folder)
        self.logs = self.home / "var" / "log" / "splunk"
        self.outbox = self.home / "var" / "lib" / "parapet_security" / "outbox"
        self.env = {"SPLUNK_HOME": folder}
        self.logs.mkdir(parents=True)

    def clear(self):
        """An outbox with nothing in it, and empty logs."""
        for folder in _FOLDERS:
            (self.outbox / folder).mkdir(parents=True, exist_ok=True)
        for path in self._all():
            path.unlink()
        return self

    def put(self, path, data):
        """A file of the outbox."""
        (self.outbox / path).write_bytes(data)

    def files(self):
        """Every file of the outbox but the lock, as {path: bytes}."""
        root = str(self.outbox)
        return {str(path)[len(root) + 1 :]: path.read_bytes() for path in self._all() if str(path).startswith(root)}

    def told(self):
        """Every byte in the logs."""
        return b"".join(path.read_bytes() for path in sorted(self.logs.iterdir()))

    def _all(self):
        """Every file but the lock, which is never removed or replaced."""
        folders = [self.logs, self.outbox, *(self.outbox / name for name in _FOLDERS)]
        return [path for folder in folders for path in folder.iterdir() if path.is_file() and path.name != "lock"]


_PLACE = []


def place():
    """The place of this process, cleared."""
    if not _PLACE:
        _PLACE.append(Place())
    return _PLACE[0].clear()


@contextlib.contextmanager
def within(seconds):
    """What takes longer is ended by TooSlow; for the main thread."""

    def end(*_):
        raise TooSlow(f"it takes longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def memory(more_bytes):
    """This process may take so much more than it has; what is beyond is a MemoryError. Elsewhere than on Linux nothing is bounded."""
    if resource is None or not sys.platform.startswith("linux"):
        yield
        return
    has = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (has + more_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
