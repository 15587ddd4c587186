"""Writes down, in order and over all processes, each call that changes files below a folder, and each fsync. Must not change any of them.

It sees the calls of Python's `os` module, by which the product does all its writing; a way to write that a replay would not know is noted as
`unknown`. One record is one line of JSON. A call and its record happen under one lock, so the order in the file is the order on the disk.
"""

# It stands under pathlib, and wraps what that calls.
# ruff: noqa: PTH100, PTH112
from __future__ import annotations

import base64
import builtins
import contextlib
import fcntl
import io
import itertools
import json
import os
import threading

_REAL = {name: getattr(os, name) for name in dir(os) if callable(getattr(os, name))}
_REAL_OPEN = builtins.open
_WRITES = os.O_WRONLY | os.O_RDWR
# By name, and by descriptor.
_UNKNOWN_PATHS = ("truncate", "symlink", "rmdir", "mkfifo", "mknod")
_UNKNOWN_FILES = (
    "ftruncate",
    "pwrite",
    "writev",
    "pwritev",
    "posix_fallocate",
    "sendfile",
    "copy_file_range",
    "splice",
)


class Recorder:
    """The record of one folder; every process has one of its own, all on the same file."""

    def __init__(self, root, path):
        """Record what happens below `root` in the file `path`."""
        self._root = os.path.abspath(root) + os.sep
        self._record = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._gate = os.open(path + ".gate", os.O_RDWR | os.O_CREAT, 0o600)
        self._threads = threading.RLock()
        self._numbers = itertools.count()
        self._files, self._folders = {}, {}

    def install(self):
        """Watch this process from now on."""
        for name in ("open", "close", "write"):
            setattr(os, name, getattr(self, "_" + name))
        os.fsync = os.fdatasync = self._fsync
        os.mkdir = self._named("mkdir")
        os.unlink = os.remove = self._named("unlink")
        os.link = self._named("link")
        os.rename = self._named("rename")
        os.replace = self._named("replace")
        for name in set(_UNKNOWN_PATHS) & set(_REAL):
            setattr(os, name, self._named(name, "unknown"))
        for name in set(_UNKNOWN_FILES) & set(_REAL):
            setattr(os, name, self._unknown_file(name))
        builtins.open = io.open = self._builtin_open

    def note(self, what, **fields):
        """Add a record of something that happened now."""
        with self._turn():
            self._add(what, **fields)

    @contextlib.contextmanager
    def _turn(self):
        with self._threads:
            fcntl.flock(self._gate, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._gate, fcntl.LOCK_UN)

    def _add(self, what, **fields):
        line = json.dumps({"what": what, **fields}).encode() + b"\n"
        if _REAL["write"](self._record, line) != len(line):
            raise AssertionError("the record could not be written")

    def _inside(self, path):
        return isinstance(path, (str, bytes)) and (os.path.abspath(os.fsdecode(path)) + os.sep).startswith(self._root)

    def _open(self, path, flags, *args, **kwargs):
        if not self._inside(path):
            descriptor = _REAL["open"](path, flags, *args, **kwargs)
            self._forget(descriptor)
            return descriptor
        with self._turn():
            is_new = flags & os.O_CREAT and not os.path.lexists(path)
            descriptor = _REAL["open"](path, flags, *args, **kwargs)
            self._forget(descriptor)
            if flags & _WRITES:
                handle = f"{os.getpid()}.{next(self._numbers)}"
                self._files[descriptor] = handle, bool(is_new or flags & os.O_APPEND)
                self._add("create" if is_new else "open", path=path, file=handle)
                if flags & os.O_TRUNC and not is_new:
                    self._add("unknown", name="O_TRUNC", path=path)
            elif os.path.isdir(path):
                self._folders[descriptor] = path
            return descriptor

    def _forget(self, descriptor):
        self._files.pop(descriptor, None)
        self._folders.pop(descriptor, None)

    def _close(self, descriptor):
        self._forget(descriptor)
        return _REAL["close"](descriptor)

    def _write(self, descriptor, data):
        if descriptor not in self._files:
            return _REAL["write"](descriptor, data)
        handle, at_end = self._files[descriptor]
        with self._turn():
            count = _REAL["write"](descriptor, data)
            self._add("write", file=handle, at_end=at_end, data=base64.b64encode(bytes(data[:count])).decode())
            return count

    def _fsync(self, descriptor):
        with self._turn():
            _REAL["fsync"](descriptor)
            if descriptor in self._files:
                self._add("fsync", file=self._files[descriptor][0])
            elif descriptor in self._folders:
                self._add("fsync", folder=self._folders[descriptor])

    def _named(self, name, what=None):
        def call(*paths, **kwargs):
            named = [path for path in paths if isinstance(path, (str, bytes))]
            if not any(map(self._inside, named)):
                return _REAL[name](*paths, **kwargs)
            with self._turn():
                result = _REAL[name](*paths, **kwargs)
                self._add(what or name, name=name, paths=named)
                return result

        return call

    def _unknown_file(self, name):
        def call(*args, **kwargs):
            if args and args[0] in self._files:
                self.note("unknown", name=name)
            return _REAL[name](*args, **kwargs)

        return call

    def _builtin_open(self, file, mode="r", *args, **kwargs):
        if set(mode) & set("wax+") and self._inside(file):
            self.note("unknown", name="open()", path=os.fsdecode(file))
        return _REAL_OPEN(file, mode, *args, **kwargs)
