"""Measures in the running Python and writes what it found as JSON: `python -m bench FILE [--quick] [--only KEY …]`; `build.py bench` starts it.

Must not print a table: several Pythons' runs stand in one.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Callable, List

from parapet.version import VERSION

from bench import backlog_rows, forwarder_rows, machine, process_rows, report, sizes, volume_rows
from bench.goals import GROUPS
from bench.place import Place

if TYPE_CHECKING:
    from bench.report import Measured
    from bench.sizes import Sizes

Group = Callable[[Place, "Sizes", Callable[[str], None]], "List[Measured]"]
MEASURES: dict[str, Group] = {
    "action": process_rows.action,
    "direct": process_rows.direct,
    "idle": forwarder_rows.idle,
    "one_worker": forwarder_rows.one_worker,
    "eight_workers": forwarder_rows.eight_workers,
    "one_down": forwarder_rows.one_down,
    "far_rows": volume_rows.far_rows,
    "rows": volume_rows.rows,
    "backlog": backlog_rows.backlog,
}


class Progress:
    """One line on stderr that says what is being measured; a line for each group where that is no terminal."""

    def __init__(self, group: str) -> None:
        """Nothing is said yet."""
        self._start = f"Python {platform.python_version()}, {group}"
        self._tty, self._began = sys.stderr.isatty(), time.monotonic()
        if not self._tty:
            self._say(self._start + "\n")

    def __call__(self, what: str) -> None:
        """Say it in place of what was said before."""
        if self._tty:
            self._say(f"\r\033[K{self._start}: {what} ({time.monotonic() - self._began:.0f} s)")

    def end(self) -> None:
        """Wipe the line."""
        if self._tty:
            self._say("\r\033[K")

    @staticmethod
    def _say(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def main(arguments: list[str]) -> None:
    """Measure what the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("file", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", action="append", choices=GROUPS, default=[])
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder)
        place.use_bare_python()
        measure(place, sizes.QUICK if options.quick else sizes.FULL, options.only or list(GROUPS), options.file)


def measure(place: Place, size: Sizes, groups: list[str], file: Path) -> None:
    """Measure some groups, and write the file anew after each: what was measured is kept when a later one fails."""
    facts = machine.facts(str(place.folder))
    lines: list[Measured] = []
    for name in groups:
        progress = Progress(name)
        lines += MEASURES[name](place, size, progress)
        progress.end()
        told = report.run(platform.python_version(), VERSION, facts, lines)
        file.write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
