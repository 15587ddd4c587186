"""Finds Python interpreters, and keeps virtual environments with exactly the pinned packages in .venv.

It must not install anything anywhere else.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import sys
from pathlib import Path

from build_tools.project import ROOT, VENV, BuildError, run_quietly, version_line

SUPPORTED = ("3.7", "3.9", "3.13")
"""The Pythons that Splunk starts apps with (8.0 to 10.x), and so those that everything is tested on."""

_BIN = "Scripts" if os.name == "nt" else "bin"
# mypy 1.4.1, AppInspect and Playwright run on all of these; on 3.11 mypy comes compiled and takes a tenth of the time.
_NEWER = ("3.11", "3.10", "3.9", "3.12", "3.13")
_FUZZ = "3.13"


def running() -> str:
    """Returns the version of the interpreter that runs this, as in "3.11"."""
    return "{}.{}".format(*sys.version_info[:2])


def interpreter(version: str) -> Path | None:
    """Returns an interpreter of this version ("3.9"), or nothing: this one, one on the PATH, or one that pyenv keeps."""
    if version == running():
        return Path(sys.executable)
    on_path = shutil.which(f"python{version}")
    candidates = [Path(on_path)] if on_path else []
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    candidates += sorted((pyenv / "versions").glob(f"{version}.*/bin/python"), reverse=True)
    return next((path for path in candidates if _version_of(path) == version), None)


def not_found(version: str) -> str:
    """Returns the sentence for a Python that is not there."""
    return f"Python {version} was not found (looked for: python{version} on the PATH, and pyenv's versions)"


def for_tests(version: str) -> Path:
    """Returns the Python of the environment in which the tests run on this version.

    Raises:
        BuildError: there is no such interpreter, or its packages could not be installed.
    """
    return _environment(f"test-{version}", _need(version), ROOT / "requirements" / "test.txt")


def for_browser() -> tuple[str, Path]:
    """Returns the version and the Python of the environment for the tests in a browser.

    Raises:
        BuildError: there is no Python from 3.9 to 3.13, or its packages could not be installed.
    """
    version = _one_for("the tests in a browser")
    return version, _environment("browser", _need(version), ROOT / "requirements" / "browser.txt")


def for_tools() -> Path:
    """Returns the Python of the environment with the linters, the type checker and AppInspect.

    Raises:
        BuildError: there is no Python from 3.9 to 3.13, or its packages could not be installed.
    """
    return _environment("tools", _need(_one_for("the tools")), ROOT / "requirements" / "tools.txt")


def for_elastic() -> Path:
    """Returns the Python of the environment that parapet-elastic runs in.

    Raises:
        BuildError: there is no Python from 3.9 to 3.13, or its packages could not be installed.
    """
    return _environment("elastic", _need(_one_for("parapet-elastic")), ROOT / "requirements" / "elastic.txt")


def for_mutation() -> Path:
    """Returns the Python of the environment with the tool that changes the code, to see whether the tests notice.

    Raises:
        BuildError: there is no Python from 3.9 to 3.13, or its packages could not be installed.
    """
    return _environment("mutation", _need(_one_for("the mutants")), ROOT / "requirements" / "mutation.txt")


def for_fuzz() -> Path:
    """Returns the Python of the environment with the fuzzer, for which there are wheels of few versions.

    Raises:
        BuildError: there is no Python 3.13, or its packages could not be installed.
    """
    return _environment("fuzz", _need(_FUZZ), ROOT / "requirements" / "fuzz.txt")


def bare() -> Path:
    """Returns the Python of an environment with nothing but pip, for where the running one has none."""
    return _environment("pip", Path(sys.executable), None)


def _one_for(what: str) -> str:
    """Returns the best version that is here for what need not run on every Python."""
    found = next((version for version in _NEWER if interpreter(version)), None)
    if found is None:
        raise BuildError(f"{what} need one of Python {', '.join(_NEWER)}, and none of them was found")
    return found


def _need(version: str) -> Path:
    python = interpreter(version)
    if python is None:
        raise BuildError(not_found(version))
    return python


def _version_of(python: Path) -> str | None:
    """Asks a program for its Python version: a pyenv shim exists for versions that are not switched on."""
    match = re.match(r"Python (\d+\.\d+)\.", version_line(python))
    return match.group(1) if match else None


def _environment(name: str, base: Path, requirements: Path | None) -> Path:
    """Makes the environment unless it is there with the same packages, and returns its Python."""
    folder = VENV / name
    python = folder / _BIN / ("python.exe" if os.name == "nt" else "python")
    pinned = requirements.read_bytes() if requirements else b""
    wanted = f"{_version_of(base)} {platform.machine()} {hashlib.sha256(pinned).hexdigest()}"
    stamp = folder / "stamp"
    if python.exists() and stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    print(f"build.py: making .venv/{name}", file=sys.stderr, flush=True)
    _make(folder, base)
    if requirements:
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
        run_quietly(
            [*command, "--require-hashes", "-r", str(requirements)], what=f"installing requirements/{requirements.name}"
        )
    stamp.write_text(wanted, encoding="utf-8")
    return python


def _make(folder: Path, base: Path) -> None:
    try:
        run_quietly([str(base), "-m", "venv", "--clear", str(folder)], what=f"making .venv/{folder.name}")
    except BuildError as exc:
        if "ensurepip" in str(exc):
            raise BuildError(
                f"{base} cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv"
            ) from exc
        raise
