"""Writes a .tar.gz whose bytes depend on nothing but the names and contents that go in.

It must not read the disk or the clock: no owner, mode, time or compressor of this machine may reach the archive.

What would otherwise leak in, and what is done about it:

* Owner, mode, order: uid and gid 0, no names, 0644 and 0755, sorted, USTAR.
* Device numbers: Python 3.7 writes zeros into fields where later ones write NULs. They are written here.
* The compressor: zlib, zlib-ng and their versions produce different bytes at every level. So the gzip stream is made of
  stored blocks (RFC 1951, 3.2.4): 2 MB in place of 0.5 MB, and the same on every machine.
* Time: Python takes a cached .pyc for current when its source has the time and size it had before. Under one fixed time,
  an upgrade could go on running old bytecode. So a file's time is taken from its content, in the years 2020 to 2022,
  unless SOURCE_DATE_EPOCH is set (https://reproducible-builds.org/specs/source-date-epoch/).
"""

from __future__ import annotations

import hashlib
import os
import struct
import tarfile
import zlib
from typing import TYPE_CHECKING

from build_tools.project import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BASE_TIME = 1577836800
"""2020-01-01T00:00:00Z, the time of folders."""

_TIME_BITS = 26
_STORED_BLOCK = 65535
_BLOCK = tarfile.BLOCKSIZE


def mtime(content: bytes) -> int:
    """Returns the time of a file with this content, in epoch seconds.

    Raises:
        BuildError: SOURCE_DATE_EPOCH is set and not a number of seconds.
    """
    stated = os.environ.get("SOURCE_DATE_EPOCH", "")
    if stated.isdigit():
        return int(stated)
    if stated:
        raise BuildError(f"SOURCE_DATE_EPOCH must be a whole number of seconds (got {stated!r})")
    return BASE_TIME + int.from_bytes(hashlib.sha256(content).digest()[:4], "big") % (1 << _TIME_BITS)


def tar_gz(files: Mapping[str, bytes]) -> bytes:
    """Returns the archive of these files (relative path with slashes → content) and the folders they lie in."""
    folders = {path[:at] for path in files for at, char in enumerate(path) if char == "/"}
    parts: list[bytes] = []
    for path in sorted(folders.union(files)):
        parts.extend(_folder(path) if path in folders else _file(path, files[path]))
    tar = b"".join(parts) + bytes(2 * _BLOCK)
    return _gzip(tar + bytes(-len(tar) % tarfile.RECORDSIZE))


def _folder(path: str) -> Iterator[bytes]:
    info = tarfile.TarInfo(path)
    info.type, info.mode, info.mtime = tarfile.DIRTYPE, 0o755, BASE_TIME
    yield _header(info)


def _file(path: str, content: bytes) -> Iterator[bytes]:
    info = tarfile.TarInfo(path)
    info.size, info.mode, info.mtime = len(content), 0o644, mtime(content)
    yield _header(info)
    yield content
    yield bytes(-len(content) % _BLOCK)


def _header(info: tarfile.TarInfo) -> bytes:
    header = bytearray(info.tobuf(tarfile.USTAR_FORMAT, "utf-8", "strict"))
    header[329:345] = bytes(16)  # devmajor and devminor
    header[148:156] = b" " * 8  # the checksum counts its own field as blanks
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def _gzip(data: bytes) -> bytes:
    parts = [b"\x1f\x8b\x08\0\0\0\0\0\0\xff"]  # deflate, no name, no time, of unknown origin (RFC 1952)
    for start in range(0, len(data), _STORED_BLOCK):
        block = data[start : start + _STORED_BLOCK]
        last = start + _STORED_BLOCK >= len(data)
        parts += [struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF), block]
    parts.append(struct.pack("<LL", zlib.crc32(data), len(data) & 0xFFFFFFFF))
    return b"".join(parts)
