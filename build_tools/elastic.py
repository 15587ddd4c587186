"""Runs parapet-elastic from the checkout, with everything that it needs. Must not read its arguments: it does so itself."""

from __future__ import annotations

import os
import subprocess

from build_tools import environment
from build_tools.project import ROOT, child_environment


def run(arguments: list[str]) -> int:
    """Runs it on this terminal and in this folder, with standard input, and returns its exit code.

    Raises:
        BuildError: there is no Python from 3.9 on, or its packages could not be installed.
    """
    command = [str(environment.for_elastic()), "-m", "parapet_elastic", *arguments]
    variables = child_environment(PYTHONPATH=str(ROOT / "elastic"), PYTHONDONTWRITEBYTECODE="1")
    if os.name != "nt":
        # It takes this process's place: its questions, and Ctrl-C, are between it and the terminal.
        os.execve(command[0], command, variables)  # noqa: S606 - a program of our own environment, by its path
    return subprocess.call(command, env=variables)
