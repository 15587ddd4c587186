"""Finds Chromium for the tests in a browser, and installs it where that is this machine's custom.

It must not download a browser itself: the operating system keeps the one that it brings up to date.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from build_tools.project import BuildError, run_quietly, version_line

_NAMES = ("chromium", "chromium-browser", "google-chrome")


def find() -> Path | None:
    """Returns Chromium or Chrome from the PATH, or nothing."""
    found = next((path for path in map(shutil.which, _NAMES) if path), None)
    return Path(found) if found else None


def need() -> Path:
    """Returns Chromium; on Debian and Ubuntu, for root, it is installed first where it is not there.

    Raises:
        BuildError: it is not there, and could not be or must not be installed.
    """
    if find() is None:
        if not (shutil.which("apt-get") and _is_root()):
            names = ", ".join(_NAMES)
            raise BuildError(
                f"they need Chromium ({names} on the PATH): install the package chromium, or leave them out (--python 3.X)"
            )
        print("build.py: no Chromium found: installing the system package chromium with apt-get", flush=True)
        run_quietly(["apt-get", "update", "-qq"], what="apt-get update")
        install = ["apt-get", "install", "-qq", "--yes", "--no-install-recommends", "chromium"]
        run_quietly(["env", "DEBIAN_FRONTEND=noninteractive", *install], what="installing chromium")
    found = find()
    if found is None:
        raise BuildError("apt-get installed the package chromium, and there is no Chromium on the PATH")
    return found


def version(chromium: Path) -> str:
    """Returns what the reports call this browser, as in "Chromium 156"."""
    match = re.search(r"(\d+)\.\d", version_line(chromium))
    return f"Chromium {match.group(1)}" if match else "Chromium"


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
