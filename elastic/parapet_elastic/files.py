"""Reads files that somebody has named. Must not wait for one that never ends, such as a pipe or a device."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from parapet_elastic.errors import Failure

if TYPE_CHECKING:
    from pathlib import Path

# Deeper than any action; what is deeper could be read, and not be written again.
_LEVELS = 100


def read(path: Path, most: int, *, private: bool = False) -> bytes:
    """Return what is in a file.

    Args:
        path: The file.
        most: So many bytes at most.
        private: Whether others must not be able to read it.

    Raises:
        OSError: It cannot be read.
        Failure: It is no regular file, is larger, or others can read it.
    """
    # One look at one open file: what is checked is what is read.
    with open(path, "rb", opener=_at_once) as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise Failure(f"{path} is no regular file", todo="Write what is in it into one, and give that.")
        if private and os.name == "posix" and stat.S_IMODE(found.st_mode) & 0o077:
            raise Failure(f"{path} can be read by other users", todo=f"chmod 600 {path}")
        content = file.read(most + 1)
    if len(content) > most:
        raise Failure(f"{path} is larger than {most} bytes")
    return content


def is_deep(value: object, levels: int = _LEVELS) -> bool:
    """Whether lists and dictionaries lie in each other deeper than anything of ours."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(levels == 0 or is_deep(one, levels - 1) for one in inside)


def _at_once(path: str, flags: int) -> int:
    """Open without waiting for somebody at the other end of a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
