"""Fetches the packages that the app carries in lib/, and picks from them the files that ship.

It must not build or run anything of theirs, and must not accept a file whose digest is not the pinned one.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import re
import shutil
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from build_tools import environment
from build_tools.project import ROOT, VENV, BuildError, run_quietly

PINS = ROOT / "requirements" / "vendored.txt"
CACHE = VENV / "distributions"

_PIN = re.compile(r"(?P<name>[\w.-]+)==(?P<version>\S+) --hash=sha256:(?P<sha256>[0-9a-f]{64})  # (?P<licence>\S+)")
_LICENCE = re.compile(r"(licen[cs]e|copying|notice)(\.(md|rst|txt))?$", re.IGNORECASE)
_CODE = {".py", ".pem"}
_LEFT_OUT = {".pyi", ".typed"}
_NOT_SHIPPED = {"tests", "test"}


@dataclass(frozen=True)
class Pin:
    """One vendored distribution: its name and version, its file's SHA-256 in hex, and its SPDX licence."""

    name: str
    version: str
    sha256: str
    licence: str


def pins() -> list[Pin]:
    """Returns what requirements/vendored.txt lists, in its order.

    Raises:
        BuildError: a line is not of the form that the file's head describes.
    """
    found = []
    for line in PINS.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            match = _PIN.fullmatch(line.strip())
            if match is None:
                raise BuildError(f"{PINS.name}: expected 'name==version --hash=sha256:…  # licence' (got {line!r})")
            found.append(Pin(**match.groupdict()))
    return found


def files() -> dict[str, bytes]:
    """Returns what the vendored packages add to the app: its path inside the app → content.

    Raises:
        BuildError: a distribution could not be had, or holds something that this project does not ship.
    """
    wanted = pins()
    archives = _archives(wanted)
    members: dict[str, bytes] = {}
    for pin in wanted:
        members.update(_members(pin, archives[pin.sha256]))
    return members


def _archives(wanted: list[Pin]) -> dict[str, bytes]:
    """Returns the distributions' bytes by digest: from the cache, and what is not there from the package index."""
    CACHE.mkdir(parents=True, exist_ok=True)
    cached = _by_digest(CACHE)
    if any(pin.sha256 not in cached for pin in wanted):
        with tempfile.TemporaryDirectory(dir=str(VENV)) as folder:
            _download(Path(folder))
            for path in Path(folder).iterdir():
                shutil.move(str(path), str(CACHE / path.name))
        cached = _by_digest(CACHE)
    for pin in wanted:
        if pin.sha256 not in cached:
            raise BuildError(
                f"{pin.name} {pin.version}: no file with the SHA-256 pinned in requirements/{PINS.name} was received"
            )
    return cached


def _by_digest(folder: Path) -> dict[str, bytes]:
    contents = [path.read_bytes() for path in sorted(folder.iterdir())]
    return {hashlib.sha256(content).hexdigest(): content for content in contents}


def _download(folder: Path) -> None:
    """Has pip fetch every pinned file: pure wheels, and the source archive of the one package that has no wheel."""
    python = sys.executable if importlib.util.find_spec("pip") else str(environment.bare())
    command = [python, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--no-binary", "splunk-sdk"]
    command += ["--platform", "any", "--implementation", "py", "--abi", "none", "--python-version", "3.7"]
    run_quietly([*command, "--dest", str(folder), "-r", str(PINS)], what="fetching the packages for the app's lib/")


def _members(pin: Pin, archive: bytes) -> dict[str, bytes]:
    licences = []
    members = {}
    for path, content in _unpack(archive):
        if _LICENCE.match(path.name):
            licences.append(content)
        elif _ships(pin, path):
            members[f"lib/{path}"] = content
    if not licences and pin.licence != "Apache-2.0":
        raise BuildError(
            f"{pin.name} {pin.version} comes without the text of its licence ({pin.licence}), so it must not be shipped"
        )
    stated = f"{pin.name} {pin.version} has no licence file. Its files state {pin.licence}, which is in LICENSE.\n"
    members[f"LICENSES/{pin.name}.txt"] = b"\n".join(licences) or stated.encode()
    return members


def _ships(pin: Pin, path: PurePosixPath) -> bool:
    """Tells a module of the package from its metadata and tests.

    Raises:
        BuildError: the file is neither, as a compiled module would be.
    """
    top = path.parts[0]
    if len(path.parts) == 1 or top.endswith((".dist-info", ".egg-info")) or not _NOT_SHIPPED.isdisjoint(path.parts):
        return False
    if path.suffix not in _CODE | _LEFT_OUT:
        raise BuildError(f"{pin.name} {pin.version} holds {path}, a kind of file that this app does not ship")
    return path.suffix in _CODE


def _unpack(archive: bytes) -> list[tuple[PurePosixPath, bytes]]:
    """Returns the files of a wheel, or of a source archive without its outer folder."""
    stream = io.BytesIO(archive)
    if zipfile.is_zipfile(stream):
        with zipfile.ZipFile(stream) as wheel:
            return [(PurePosixPath(name), wheel.read(name)) for name in wheel.namelist() if not name.endswith("/")]
    stream.seek(0)
    with tarfile.open(fileobj=stream) as sdist:
        opened = ((PurePosixPath(member.name), sdist.extractfile(member)) for member in sdist)
        return [(PurePosixPath(*path.parts[1:]), file.read()) for path, file in opened if file]
