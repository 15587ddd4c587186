"""Runs everything that judges the code without running it: linters, types, old syntax, and AppInspect.

It must not change a file of the project.
"""

from __future__ import annotations

import subprocess
import tempfile
from functools import partial
from typing import TYPE_CHECKING

from build_tools import appinspect, environment, package
from build_tools.project import ROOT, child_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def run() -> int:
    """Runs each tool, prints a line for it and what it found, and returns 0 only if all are content.

    Raises:
        BuildError: a tool or the package could not be made.
    """
    tools = environment.for_tools()
    steps: list[tuple[str, Callable[[], list[str]]]] = [
        ("ruff check", partial(_complaints, [str(tools), "-m", "ruff", "check", "--output-format=concise", "."])),
        ("ruff format", partial(_complaints, [str(tools), "-m", "ruff", "format", "--check", "."])),
        ("mypy", partial(_complaints, [str(tools), "-m", "mypy"])),
        ("mypy of elastic/", partial(_complaints, [str(tools), "-m", "mypy"], ROOT / "elastic")),
        ("AppInspect", partial(_appinspect, tools)),
    ]
    oldest = environment.interpreter("3.7")
    if oldest:
        steps.append(("syntax of Python 3.7", partial(_old_syntax, oldest)))
    else:
        print("syntax of Python 3.7: not run, as there is no Python 3.7 on this machine")
    content = True
    for name, step in steps:
        found = step()
        print(f"{name}: {'failed' if found else 'ok'}", *found, sep="\n    ", flush=True)
        content = content and not found
    return 0 if content else 1


def _complaints(command: list[str], folder: Path = ROOT) -> list[str]:
    """Returns what a tool says, started in this folder, if it is not content."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=child_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout.splitlines() or [f"exit code {done.returncode}"] if done.returncode else []


def _old_syntax(python: Path) -> list[str]:
    """Compiles the whole staged app, vendored packages included, with Python 3.7: no other tool knows its grammar."""
    with tempfile.TemporaryDirectory() as folder:
        return _complaints([str(python), "-m", "compileall", "-q", "-f", str(package.stage(folder))])


def _appinspect(tools: Path) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        return appinspect.problems(tools, package.build(folder))
