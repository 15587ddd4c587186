"""What a file system may hold after the power fails: replays a record (`shim/recorder`) up to a moment. Must not know what an outbox is.

POSIX promises little. Written bytes are on disk after an fsync of their file, names after an fsync of their folder; before that each of them
may be there or not, in any combination, and a file may have its length without its bytes. One thing is taken for granted, as every file
system with a journal has it: a rename does not lose the file. The old name may be there still beside the new one; never neither.
"""

from __future__ import annotations

import base64
import itertools
import os

FOLDER = object()
# Of what a file has beyond its last fsync: all, nothing, half, or as many zeros.
TAILS = ("all", "none", "half", "zeros")
_EXHAUSTIVE_MOST = 300


class _Name:
    """A change to a folder: `path` is `target` from now on (None: it is gone), and not before `needs` happened."""

    def __init__(self, path, target, needs):
        self.path, self.target, self.needs = path, target, needs


class _File:
    def __init__(self):
        self.data, self.synced = b"", 0

    def after(self, tail):
        kept, more = self.data[: self.synced], self.data[self.synced :]
        return kept + {"all": more, "none": b"", "half": more[: len(more) // 2], "zeros": bytes(len(more))}[tail]


class Disk:
    """The files below one folder, as far as a record was replayed. Their paths begin there; the folder itself is "", and durable."""

    def __init__(self, root):
        """Nothing is in the folder `root`."""
        self._root = str(root)
        self._durable = {"": FOLDER}
        self._live = dict(self._durable)
        self._pending = []
        self._files = {}

    def do(self, record):
        """Replay one record; raises AssertionError for one that this model does not know."""
        what = record["what"]
        assert hasattr(self, "_do_" + what), f"the model does not know {record}"
        getattr(self, "_do_" + what)(record)

    def states(self, chance, samples):
        """What may be there after a power cut now, as ({path: bytes, or None for a folder}, whether a journal allows it).

        A journal keeps the names in order: what was done last is lost first. The same state may come twice.

        Args:
            chance: draws, where there are too many combinations to try all.
            samples: how many of them are drawn, besides the orderly ones.
        """
        for kept, tails in self._cuts(chance, samples):
            yield self._state(kept, tails), len(kept) == max(kept, default=-1) + 1

    def _cuts(self, chance, samples):
        changes, dirty = range(len(self._pending)), self._dirty()
        if 2 ** len(changes) * len(TAILS) ** len(dirty) <= _EXHAUSTIVE_MOST:
            subsets = [set(_bits(number)) for number in range(2 ** len(changes))]
            for tails in itertools.product(TAILS, repeat=len(dirty)):
                for subset in subsets:
                    yield subset, dict(zip(dirty, tails))
            return
        every = set(changes)
        subsets = [every, set(), *(every - {one} for one in changes), *({one} for one in changes)]
        subsets += [set(changes[:most]) for most in changes]  # as a journal would have it: in their order
        for subset in subsets:
            for tail in ("all", "none"):
                yield subset, dict.fromkeys(dirty, tail)
        for tail in TAILS:
            yield every, dict.fromkeys(dirty, tail)
        for _ in range(samples):
            subset = {one for one in changes if chance.random() < 0.5}
            yield subset, {file: chance.choice(TAILS) for file in dirty}

    def _dirty(self):
        reachable = {*self._durable.values(), *(name.target for name in self._pending)}
        return [file for file in self._unique() if file in reachable and file.synced < len(file.data)]

    def _unique(self):
        return list(dict.fromkeys(self._files.values()))

    def _state(self, kept, tails):
        found, done = dict(self._durable), set()
        for number, name in enumerate(self._pending):
            if number in kept and (name.needs is None or name.needs in done or name.needs not in self._pending):
                done.add(name)
                _apply(found, name)
        whole = {}
        for path, target in sorted(found.items()):
            if not path or path.rpartition("/")[0] in whole:
                whole[path] = None if target is FOLDER else target.after(tails.get(target, "all"))
        del whole[""]
        return whole

    def _path(self, path):
        found = os.path.relpath(path, self._root).replace(os.sep, "/")
        return "" if found == "." else found

    def _change(self, path, target, needs=None):
        name = _Name(path, target, needs)
        _apply(self._live, name)
        self._pending.append(name)
        return name

    def _do_create(self, record):
        file = self._files[record["file"]] = _File()
        self._change(self._path(record["path"]), file)

    def _do_open(self, record):
        self._files[record["file"]] = self._live[self._path(record["path"])]

    def _do_write(self, record):
        assert record["at_end"], f"the model knows appending only: {record}"
        self._files[record["file"]].data += base64.b64decode(record["data"])

    def _do_fsync(self, record):
        if "file" in record:
            file = self._files[record["file"]]
            file.synced = len(file.data)
            return
        folder = self._path(record["folder"])
        covered = [name for name in self._pending if name.path.rpartition("/")[0] == folder]
        wanted = {*covered, *(name.needs for name in covered)}
        for name in [name for name in self._pending if name in wanted]:
            _apply(self._durable, name)
            self._pending.remove(name)

    def _do_mkdir(self, record):
        self._change(self._path(record["paths"][0]), FOLDER)

    def _do_link(self, record):
        source, target = map(self._path, record["paths"])
        self._change(target, self._live[source])

    def _do_rename(self, record):
        source, target = map(self._path, record["paths"])
        self._change(source, None, needs=self._change(target, self._live[source]))

    _do_replace = _do_rename

    def _do_unlink(self, record):
        self._change(self._path(record["paths"][0]), None)


def _apply(names, change):
    if change.target is None:
        names.pop(change.path, None)
    else:
        names[change.path] = change.target


def _bits(number):
    return [place for place in range(number.bit_length()) if number >> place & 1]
