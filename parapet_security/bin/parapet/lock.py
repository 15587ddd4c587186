"""The one lock of an outbox, freed by the operating system when its holder dies. Must not wait, nor remove or replace the lock file."""

from __future__ import annotations

import errno
import os
import sys

from .errors import LockUnavailable

if sys.platform == "win32":  # pragma: no cover - no Windows to test on; both calls are the standard library's promise
    import msvcrt

    _HELD = (errno.EACCES, errno.EDEADLK, errno.EAGAIN)

    def _take(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    _HELD = (errno.EACCES, errno.EDEADLK, errno.EAGAIN)

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Lock:
    """An exclusive lock on a file, held by at most one process of the host."""

    def __init__(self, path: str) -> None:
        """Name the file; it is created when the lock is first tried."""
        self._path = path
        self._descriptor = -1

    def try_acquire(self) -> bool:
        """Take the lock if it is free.

        Returns:
            False where another process, or another Lock of this one, holds it.

        Raises:
            LockUnavailable: the file cannot be opened, or its file system does not lock.
        """
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise LockUnavailable(f"the lock {self._path} cannot be opened: {error.strerror}") from error
        try:
            _take(descriptor)
        except OSError as error:
            os.close(descriptor)
            if error.errno in _HELD:
                return False
            raise LockUnavailable(f"the file system of {self._path} does not lock: {error.strerror}") from error
        self._descriptor = descriptor
        return True

    def exists(self) -> bool:
        """Whether anybody has ever tried it: then the folders of the outbox were made, and are durable."""
        return os.path.exists(self._path)

    def is_free(self) -> bool:
        """Whether nobody holds it at this moment. Raises LockUnavailable as `try_acquire` does."""
        if not self.try_acquire():
            return False
        self.release()
        return True

    def release(self) -> None:
        """Let go. Closing the file frees the lock on every platform."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
