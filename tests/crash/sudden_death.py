"""Ends a process that is none: from some call to the operating system on, every call of it raises. Must not let it clean up after itself."""

from __future__ import annotations

import os

_CALLS = (
    "open",
    "chmod",
    "mkdir",
    "write",
    "fsync",
    "link",
    "rename",
    "replace",
    "unlink",
    "utime",
    "listdir",
    "scandir",
    "stat",
)


class Killed(BaseException):
    """The process ends here; nothing in the product catches this, in the thread that counts."""


class SuddenDeath:
    """Counts calls below a folder, in all threads; `close` works as ever, as the system closes what a dead process had open."""

    def __init__(self, monkeypatch, root):
        """Let everything through."""
        self._root, self._left = str(root), None
        for name in _CALLS:
            monkeypatch.setattr(os, name, self._wrap(getattr(os, name)))

    def after(self, calls):
        """Let so many calls through from now on; None is all."""
        self._left = calls

    def _wrap(self, real):
        def call(*args, **kwargs):
            if self._left is not None and (isinstance(args[0], int) or str(args[0]).startswith(self._root)):
                self._left -= 1
                if self._left < 0:
                    raise Killed
            return real(*args, **kwargs)

        return call
