"""A disk that is full, or read-only, for all processes at once and as long as a file says so. Must not touch calls outside of its folder.

The file holds the fault's name. `full`: a write takes a part and fails, and no name can be added. `readonly`: nothing can be changed.
"""

# It stands under pathlib, and wraps what that calls.
# ruff: noqa: PTH100, PTH112
from __future__ import annotations

import errno
import os

_REAL = {
    name: getattr(os, name)
    for name in ("open", "write", "mkdir", "link", "rename", "replace", "unlink", "chmod", "utime")
}
_WRITES = os.O_WRONLY | os.O_RDWR
# What needs room, and what changes anything at all.
_ADDS = {"open", "mkdir", "link"}
_CHANGES = {*_REAL} - {"write"}


class Faults:
    """The faults of one folder."""

    def __init__(self, root, switch):
        """Fail below `root` as the file `switch` says; where it is not there, nothing fails."""
        self._root, self._switch = os.path.abspath(root) + os.sep, switch
        self._files = set()

    def install(self):
        """From now on."""
        for name in _CHANGES:
            setattr(os, name, self._call(name))
        os.write = self._write

    def _now(self):
        try:
            descriptor = _REAL["open"](self._switch, os.O_RDONLY)
        except FileNotFoundError:
            return ""
        try:
            return os.read(descriptor, 20).decode()
        finally:
            os.close(descriptor)

    def _call(self, name):
        def call(path, *args, **kwargs):
            is_inside = isinstance(path, str) and os.path.abspath(path).startswith(self._root)
            if is_inside:
                self._check(name, path, args[0] if name == "open" else 0)
            result = _REAL[name](path, *args, **kwargs)
            if name == "open":
                # The number of a descriptor that was closed comes again.
                (self._files.add if is_inside else self._files.discard)(result)
            return result

        return call

    def _check(self, name, path, flags):
        fault = self._now()
        if not fault or (name == "open" and not self._is_refused(fault, path, flags)):
            return
        if name == "mkdir" and os.path.isdir(path):
            return  # "is there already" comes first
        if fault == "readonly":
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)
        if name in _ADDS:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)

    @staticmethod
    def _is_refused(fault, path, flags):
        if fault == "readonly":
            return flags & (_WRITES | os.O_CREAT)
        return flags & os.O_CREAT and not os.path.lexists(path)

    def _write(self, descriptor, data):
        if descriptor in self._files and self._now() == "full":
            if len(data) > 1:
                return _REAL["write"](descriptor, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return _REAL["write"](descriptor, data)
