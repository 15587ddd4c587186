"""Where the project is, how its tools start other programs, and the one error that ends a build with a sentence.

It must not know what any of those programs is for.
"""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
APP = "parapet_security"

_LAST_LINES = 8


class BuildError(Exception):
    """An expected failure; its text is one sentence for the person at the keyboard."""


def child_environment(**extra: str) -> dict[str, str]:
    """Returns the environment for programs started here: ours, without what would change how their Python works.

    PYTHONDONTWRITEBYTECODE goes too: Splunk's Python writes bytecode, so the process tests must see the same.
    """
    unwanted = {"PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONWARNINGS", "VIRTUAL_ENV"}
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    return {**kept, **extra}


def run_quietly(command: list[str], *, what: str) -> str:
    """Runs a program that has nothing to say unless it fails, and returns its standard output.

    Args:
        command: the program and its arguments.
        what: the start of the error's sentence, as in "installing requirements/test.txt".

    Raises:
        BuildError: the program is not there or ended with another code than 0; with its last lines.
    """
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=child_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as exc:
        raise BuildError(f"{what} failed: {command[0]}: {exc.strerror}") from exc
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise BuildError(
            "\n    ".join([f"{what} failed; the last lines of {Path(command[0]).name} were:", *said[-_LAST_LINES:]])
        )
    return done.stdout


def run_openly(command: list[str], **extra_environment: str) -> int:
    """Runs a program on this terminal, without standard input, and returns its exit code."""
    environment = child_environment(**extra_environment)
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL) as process:
        # Whoever ends this program means that one too.
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                # The terminal told the program too: how it ends, and what it cleans up first, is its own business.
                continue
