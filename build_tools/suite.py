"""Runs the tests in every Python that Splunk starts apps with, against the package as it is installed.

It must not decide what passes: pytest does, and its reports are added up here.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from build_tools import environment, package
from build_tools.project import run_openly


@dataclass(frozen=True)
class Outcome:
    """What one run of pytest came to: its exit code and the tests that passed, failed (or broke) and were skipped."""

    code: int
    passed: int
    failed: int
    skipped: int

    def __str__(self) -> str:
        """Returns the counts as pytest words them."""
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")


def run(versions: list[str], arguments: list[str]) -> int:
    """Runs the tests, prints a line for each Python and the sum, and returns 0 only if all passed.

    Args:
        versions: the Pythons to use, each of which must be there; without any, those that are supported and found.
        arguments: more arguments for pytest.

    Raises:
        BuildError: the package or an environment could not be made.
    """
    found = versions or [version for version in environment.SUPPORTED if environment.interpreter(version)]
    chosen = found or [environment.running()]
    outcomes = {}
    with tempfile.TemporaryDirectory() as folder:
        spl = package.build(folder)
        for version in chosen:
            python = environment.for_tests(version)
            print(f"\n=== Python {version}", flush=True)
            outcomes[version] = _pytest(python, spl, Path(folder) / f"{version}.xml", arguments)
    print()
    for version, outcome in outcomes.items():
        print(f"Python {version}: {outcome}" + (f" (pytest ended with code {outcome.code})" if outcome.code else ""))
    for version in environment.SUPPORTED:
        if version not in chosen:
            print(f"Python {version}: " + ("not asked for" if versions else "not found on this machine, so not run"))
    print(_sum(list(outcomes.values())), flush=True)
    return 1 if any(outcome.code for outcome in outcomes.values()) else 0


def _pytest(python: Path, spl: Path, report: Path, arguments: list[str]) -> Outcome:
    """Runs pytest on two cores unless the arguments say otherwise (of an option given twice it takes the last)."""
    command = [str(python), "-m", "pytest", "-n", "2", *arguments, f"--junitxml={report}"]
    return read(report, run_openly(command, PARAPET_SPL=str(spl)))


def read(report: Path, code: int) -> Outcome:
    """Returns what pytest's JUnit report counts. A run that ended badly without a failed test counts as one failure."""
    counts = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    if report.is_file():
        tree = ET.parse(str(report))  # noqa: S314 - our own pytest has just written it
        for suite in tree.getroot().iter("testsuite"):
            for name in counts:
                counts[name] += int(suite.get(name, "0"))
    failed = counts["failures"] + counts["errors"]
    passed = counts["tests"] - failed - counts["skipped"]
    return Outcome(code, max(passed, 0), failed or int(code != 0), counts["skipped"])


def _sum(outcomes: list[Outcome]) -> Outcome:
    return Outcome(
        code=max(outcome.code for outcome in outcomes),
        passed=sum(outcome.passed for outcome in outcomes),
        failed=sum(outcome.failed for outcome in outcomes),
        skipped=sum(outcome.skipped for outcome in outcomes),
    )
