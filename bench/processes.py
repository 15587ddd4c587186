"""Runs other programs to be measured: how long to their end, and what they used. Must not know what they do."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple, Sequence

from bench.machine import costs

FLOORS = Path(__file__).resolve().parent / "floors"
_TIMEOUT_S = 600


class Ran(NamedTuple):
    """One whole process: when it was started (monotonic seconds), and how long it took to its end."""

    began: float
    seconds: float


class Failed(Exception):
    """What was to be measured did not do its work."""


def run(command: Sequence[str], *, env: dict[str, str], stdin: Path | None = None) -> Ran:
    """Run a program to its end.

    Args:
        command: the program and its arguments.
        env: its whole environment.
        stdin: the file that it reads; None is nothing.

    Raises:
        Failed: it ended with another code than 0.
    """
    with Path(stdin or os.devnull).open("rb") as given:
        began = time.monotonic()
        # close_fds=False lets Python start it without copying this large process, which would cost more than the program.
        with subprocess.Popen(
            command, stdin=given, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env, close_fds=False
        ) as process:
            said = process.stderr.read()  # type: ignore[union-attr]
            code = process.wait(_TIMEOUT_S)
            seconds = time.monotonic() - began
    if code:
        raise Failed(f"{command[1:]} ended with {code}: {said.decode('utf-8', 'replace')[-2000:]}")
    return Ran(began, seconds)


def peak_bytes(command: Sequence[str], *, env: dict[str, str]) -> int:
    """The peak memory (VmHWM) of a program that writes a line when it has done its work, and ends with its stdin.

    Not ru_maxrss: that counts the parent's memory too, from before the program was loaded.
    """
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, close_fds=False) as process:
        if not process.stdout.readline():  # type: ignore[union-attr]
            raise Failed(f"{command[1:]} ended with {process.wait(_TIMEOUT_S)}")
        peak = costs(process.pid).peak_bytes
        process.stdin.close()  # type: ignore[union-attr]
        process.wait(_TIMEOUT_S)
    return peak


class Dialogue:
    """A program that answers each line with a line of JSON, until its stdin ends; a context manager that ends it."""

    def __init__(self, command: Sequence[str], env: dict[str, str]) -> None:
        """Start it."""
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, encoding="utf-8"
        )

    def __enter__(self) -> Dialogue:  # noqa: PYI034  # Self came with 3.11
        """The running program."""
        return self

    def __exit__(self, *_exc: object) -> None:
        """End it."""
        self._process.stdin.close()  # type: ignore[union-attr]
        self._process.wait(_TIMEOUT_S)
        self._process.stdout.close()  # type: ignore[union-attr]

    def ask(self, line: str) -> Any:
        """Send a line and return the answer."""
        self._process.stdin.write(line + "\n")  # type: ignore[union-attr]
        self._process.stdin.flush()  # type: ignore[union-attr]
        answer = self._process.stdout.readline()  # type: ignore[union-attr]
        if not answer:
            raise Failed(f"no answer to {line[:20]!r}: it ended with {self._process.wait(_TIMEOUT_S)}")
        return json.loads(answer)
