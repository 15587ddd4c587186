"""Makes the app's package: the same bytes from the same files, on every machine and Python.

It must not run, compile or import any of the app's code.
"""

from __future__ import annotations

import configparser
import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from build_tools import archive, sbom, vendored
from build_tools.project import APP, ROOT, BuildError

if TYPE_CHECKING:
    from collections.abc import Iterator

_APP_CONF = "default/app.conf"
_UPDATES = re.compile(rb"^check_for_updates *= *false *$", re.MULTILINE)


def build(dest: Path | str, *, splunkbase: bool = False, root: Path = ROOT) -> Path:
    """Writes the package, its SHA-256 and its SBOM, and returns the package's path.

    Args:
        dest: the folder to write to; it is made if need be.
        splunkbase: have Splunk look for newer versions on Splunkbase, as an app published there should.
        root: the project, if it is not this one.

    Raises:
        BuildError: the app's files contradict each other, or a vendored package could not be had.
    """
    files = app_files(splunkbase=splunkbase, root=root)
    number = version(files)
    content = archive.tar_gz({f"{APP}/{path}": data for path, data in files.items()})
    digest = hashlib.sha256(content).hexdigest()
    package = Path(dest) / f"{APP}-{number}{'-splunkbase' if splunkbase else ''}.spl"
    package.parent.mkdir(parents=True, exist_ok=True)
    _write(package, content)
    _write(package.with_name(package.name + ".sha256"), f"{digest}  {package.name}\n".encode())
    _write(package.with_name(package.name + ".cdx.json"), sbom.sbom(number, digest, vendored.pins()).encode())
    return package


def stage(dest: Path | str, *, root: Path = ROOT) -> Path:
    """Writes the app's folder under `dest` exactly as the package would unpack there, and returns its path.

    What an earlier call left there is removed first.

    Raises:
        BuildError: as for build.
    """
    app = Path(dest) / APP
    if app.exists():
        shutil.rmtree(str(app))
    for path, content in app_files(root=root).items():
        target = app / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        target.chmod(0o644)
        os.utime(str(target), (archive.mtime(content),) * 2)
    return app


def app_files(*, splunkbase: bool = False, root: Path = ROOT) -> dict[str, bytes]:
    """Returns every file of the packaged app: its path inside the app → its content.

    Raises:
        BuildError: as for build.
    """
    own = {path: (root / APP / path).read_bytes() for path in sorted(_own_paths(root)) if _ships(path)}
    if _APP_CONF not in own:
        raise BuildError(f"there is no {APP}/{_APP_CONF} in {root}")
    if splunkbase:
        own[_APP_CONF], changed = _UPDATES.subn(b"check_for_updates = true", own[_APP_CONF])
        if changed != 1:
            raise BuildError(
                f"{APP}/{_APP_CONF}: expected one line 'check_for_updates = false' to change for Splunkbase"
            )
    return {**own, "LICENSE": (root / "LICENSE").read_bytes(), **vendored.files()}


def version(files: dict[str, bytes]) -> str:
    """Returns the app's version, which is written in four places that must agree.

    Raises:
        BuildError: they do not, or an id is not the app's; names each place and what it says.
    """
    conf = configparser.RawConfigParser(strict=False)
    try:
        conf.read_string(files[_APP_CONF].decode("utf-8"))
        manifest = json.loads(files["app.manifest"].decode("utf-8"))["info"]["id"]
    except (configparser.Error, ValueError, LookupError, TypeError) as exc:
        raise BuildError(f"app.conf or app.manifest cannot be read: {type(exc).__name__}: {exc}") from exc
    _agree(
        {
            "app.conf [launcher] version": conf.get("launcher", "version", fallback=None),
            "app.conf [id] version": conf.get("id", "version", fallback=None),
            "app.manifest info.id.version": manifest.get("version"),
        }
    )
    _agree(
        {
            "the app's folder": APP,
            "app.conf [package] id": conf.get("package", "id", fallback=None),
            "app.conf [id] name": conf.get("id", "name", fallback=None),
            "app.manifest info.id.name": manifest.get("name"),
        }
    )
    return str(manifest["version"])


def _agree(places: dict[str, str | None]) -> None:
    if len(set(places.values())) > 1:
        raise BuildError(
            "these must be equal: " + ", ".join(f"{place} is {value!r}" for place, value in places.items())
        )


def _own_paths(root: Path) -> Iterator[str]:
    """Yields the app's files, in a checkout those that git knows or would add, so that strays stay out."""
    listed = _git_paths(root) if (root / ".git").exists() else None
    if listed is not None:
        yield from listed
        return
    for folder, _, names in os.walk(str(root / APP)):
        for name in names:
            yield (Path(folder) / name).relative_to(root / APP).as_posix()


def _git_paths(root: Path) -> list[str] | None:
    """Returns git's list, or nothing where git is not there or will not read this folder."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=root / APP, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    except OSError:
        return None
    if done.returncode:
        return None
    return [path for path in os.fsdecode(done.stdout).split("\0") if path and (root / APP / path).is_file()]


def _ships(path: str) -> bool:
    """Tells the app's own files from what running or unpacking it leaves behind."""
    parts = PurePosixPath(path).parts
    return not (
        parts[0] in {"local", "lib", "LICENSES"}
        or parts[-1] == "local.meta"
        or path.endswith((".pyc", ".pyo"))
        or any(part.startswith(".") or part == "__pycache__" for part in parts)
    )


def _write(path: Path, content: bytes) -> None:
    """Replaces a file as a whole, so that a build that was interrupted leaves no half package."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        if draft.exists():
            draft.unlink()
