"""Where the project is, how its tools start other programs, and the one error that ends a build with a sentence.

It must not know what any of those programs is for.
"""

from __future__ import annotations

import contextlib
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
    """Runs a program on this terminal, without standard input, and returns its exit code.

    Raises:
        KeyboardInterrupt: this program was told to end (Ctrl-C, SIGTERM, a closed terminal), and so that one did not end
            well.
    """
    told: list[int] = []
    started: list[subprocess.Popen[bytes]] = []

    def pass_on(number: int, _frame: object = None) -> None:
        told.append(number)
        for process in started:
            if process.returncode is None and hasattr(os, "killpg"):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGINT if number == signal.SIGINT else signal.SIGTERM)

    # Before the program starts: a signal that is ignored here, as in the background of a script, would be there too.
    before = {number: signal.signal(number, pass_on) for number in _endings()}
    try:
        # A session of its own: the terminal's Ctrl-C comes here only, is passed on, and so is told once, like a `kill`.
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=child_environment(**extra_environment),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            started.append(process)
            for number in told[:1]:
                pass_on(number)
            code = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if told and code:
        raise KeyboardInterrupt
    return code


def _endings() -> list[signal.Signals]:
    """Returns the signals that say that this program should end; under nohup, a closed terminal does not."""
    endings = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        endings.append(signal.SIGHUP)
    return endings


def version_line(program: Path) -> str:
    """Returns what a program prints of its version; nothing where it does not run, or fails."""
    try:
        done = subprocess.run(
            [str(program), "--version"],
            env=child_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=False,
        )
    except OSError:
        return ""
    return "" if done.returncode else done.stdout
