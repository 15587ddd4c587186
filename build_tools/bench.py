"""Runs the measurements in the Pythons that Splunk starts apps with, and shows them as a table, with the same as JSON beside it.

It must not measure: `bench` does, in an environment for each Python.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from bench import report
from build_tools import environment
from build_tools.project import ROOT, BuildError, run_openly

PYTHONS = ("3.9", "3.13")
"""What Splunk 9 and 10 start apps with."""

DEFAULT = ROOT / "dist" / "bench.json"


def run(versions: list[str], *, quick: bool, only: list[str], file: Path) -> int:
    """Measures in each Python, and prints the table; returns 0 when everything could be measured, whatever it came to.

    Args:
        versions: the Pythons to use, each of which must be there; without any, those of PYTHONS that are found.
        quick: whether a look is enough.
        only: the groups of measurements to run, all without any.
        file: where the JSON goes.

    Raises:
        BuildError: no Python to measure in was found, an environment could not be made, or nothing was measured.
    """
    chosen = versions or [version for version in PYTHONS if environment.interpreter(version)]
    if not chosen:
        raise BuildError(f"measuring needs one of Python {', '.join(PYTHONS)}, and none of them was found")
    options = ["--quick"] * quick + [f"--only={name}" for name in only]
    runs, failed = [], []
    with tempfile.TemporaryDirectory() as folder:
        for version in chosen:
            part = Path(folder) / f"{version}.json"
            if run_openly([str(environment.for_tests(version)), "-m", "bench", str(part), *options]):
                failed.append(version)
            if part.is_file():
                runs.append(json.loads(part.read_text(encoding="utf-8")))
    if not runs:
        raise BuildError(
            f"measuring broke off in Python {', '.join(failed)} before there was a number; no JSON was written"
        )
    told = report.document(runs, quick=quick)
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(report.text(told))
    for version in PYTHONS:
        if version not in chosen:
            print(
                f"Python {version}: " + ("not asked for" if versions else "not found on this machine, so not measured")
            )
    missed = report.missed(told)
    print("goals not reached: " + (f"{len(missed)} ({', '.join(missed)})" if missed else "none"))
    print(f"the same as JSON: {file}", flush=True)
    for version in failed:
        print(f"build.py: measuring in Python {version} broke off; the table has what was measured", file=sys.stderr)
    return 1 if failed else 0
