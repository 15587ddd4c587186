"""Runs the tests in every Python that Splunk starts apps with, and once those in a browser, against the package.

It must not decide what passes: pytest does, and its reports are added up here.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

from build_tools import browser, environment, package
from build_tools.project import ROOT, BuildError, run_openly

BROWSER = "tests/browser"
# What looks at files that are the same for every Python, and at the tests' own tools. The newest Python runs it, for all of them.
ONCE = [
    "tests/spl",
    "tests/standins",
    "tests/crash/test_disk_model.py",
    "tests/elastic/standins",
    "tests/elastic/test_docs.py",
    "tests/elastic/test_examples.py",
    "tests/elastic/test_imports.py",
    "tests/elastic/test_package.py",
    "tests/test_alert_form.py",
    "tests/test_check_gate.py",
    "tests/test_conf_parser.py",
    "tests/test_confs.py",
    "tests/test_contract_samples.py",
    "tests/test_delivery_health.py",
    "tests/test_delivery_health_panels.py",
    "tests/test_log_sourcetype.py",
    "tests/test_mutation.py",
    "tests/test_searches_run.py",
]
CRASH = ["tests/test_crash.py", "tests/outbox/test_power_loss.py", "tests/outbox/test_outbox_model.py"]

# Tests wait about as long as they compute: more processes than the two cores of a small machine keep these busy. One that has
# done its share takes over from one that has not.
_SPREAD = ["-n", "4", "--dist", "worksteal"]
# The first Python that parapet-elastic runs on; in older ones pytest leaves its tests out (tests/conftest.py).
_ELASTIC = [3, 9]
# pytest's own code for "no test was selected", and its options whose value is an argument of its own.
_NONE_SELECTED = 5
_WITH_VALUE = {"-c", "-k", "-m", "-n", "-o", "-p", "-r", "-W"}


@dataclass(frozen=True)
class Outcome:
    """What one run of pytest came to: its exit code and the tests that passed, failed (or broke) and were skipped.

    `not_run` says why there was none, which counts as one failure: what was asked for has not been tested.
    """

    code: int
    passed: int
    failed: int
    skipped: int
    not_run: str = ""

    def __str__(self) -> str:
        """Returns the counts as pytest words them."""
        if self.not_run:
            return f"not run, which counts as a failure: {self.not_run}"
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")


@dataclass(frozen=True)
class _Run:
    """One run of pytest: how the report calls it, its Python, its arguments, and what is added to its environment."""

    name: str
    python: Path
    arguments: list[str]
    variables: dict[str, str] = field(default_factory=dict)


def run(versions: list[str], arguments: list[str], **variables: str) -> int:
    """Runs the tests, prints a line for each Python, one for the browser, and the sum; returns 0 only if all passed.

    Args:
        versions: the Pythons to use, each of which must be there, and no browser unless the arguments name its tests;
            without any, those that are supported and found, and the browser.
        arguments: more arguments for pytest. Files and folders among them decide what runs at all.
        variables: what is added to the environment of the Pythons' tests.

    Raises:
        BuildError: the package or an environment for a Python could not be made.
    """
    outside, inside = divide(arguments, browser_too=not versions)
    found = versions or [version for version in environment.SUPPORTED if environment.interpreter(version)]
    chosen = (found or [environment.running()]) if outside is not None else []
    once_in = _newest(chosen) if len(chosen) > 1 and not _places(arguments) else ""
    runs = [
        _Run(
            f"Python {version}",
            environment.for_tests(version),
            [*(outside or []), *(f"--ignore={place}" for place in ONCE if once_in not in ("", version))],
            variables,
        )
        for version in chosen
    ]
    missing: dict[str, Outcome] = {}
    if inside is not None:
        try:
            runs.append(_in_browser(inside))
        except BuildError as exc:
            # It is said now, before the others take their minutes, and again at the end, where it cannot be overlooked.
            print(f"build.py: no tests in a browser: {exc}", file=sys.stderr, flush=True)
            missing["Browser"] = Outcome(1, 0, 1, 0, not_run=str(exc).splitlines()[0])
    outcomes = _run_all(runs)
    if arguments:
        outcomes = forgive_empty(outcomes)
    outcomes.update(missing)
    print()
    for name, outcome in outcomes.items():
        ended = f" (pytest ended with code {outcome.code})" if outcome.code and not outcome.not_run else ""
        print(f"{name}: {outcome}{ended}")
    for version in environment.SUPPORTED:
        if version not in chosen:
            absent = not versions and outside is not None
            print(f"Python {version}: " + ("not found on this machine, so not run" if absent else "not asked for"))
    if once_in:
        print(f"What looks at files only and not at the code as it runs was in Python {once_in} alone.")
    if chosen and _key(_newest(chosen)) < _ELASTIC:
        print("parapet-elastic: needs Python 3.9, so its tests were not run")
    if inside is None:
        print("Browser: not asked for")
    print(_sum(list(outcomes.values())), flush=True)
    return 1 if any(outcome.code for outcome in outcomes.values()) else 0


def _run_all(runs: list[_Run]) -> dict[str, Outcome]:
    if not runs:
        return {}
    outcomes = {}
    with tempfile.TemporaryDirectory() as folder:
        spl = package.build(folder)
        for number, each in enumerate(runs):
            print(f"\n=== {each.name}", flush=True)
            outcomes[each.name] = _pytest(each, spl, Path(folder) / f"{number}.xml")
    return outcomes


def divide(arguments: list[str], *, browser_too: bool) -> tuple[list[str] | None, list[str] | None]:
    """Returns pytest's arguments for the Pythons and for the browser; None where nothing of it was asked for.

    Files and folders go where they belong, and a folder above both to both; everything else goes to both.

    Args:
        arguments: what was asked for.
        browser_too: whether the browser runs when no file or folder is named.
    """
    places = _places(arguments)
    within = {number: _within(arguments[number], BROWSER) for number in places}
    outside = [text for number, text in enumerate(arguments) if not within.get(number)]
    inside = [text for number, text in enumerate(arguments) if within.get(number, True)]
    above = any(_within(BROWSER, arguments[number]) for number in places)
    runs_outside = not places or not all(within.values())
    runs_inside = any(within.values()) or ((above or not places) and browser_too)
    if runs_inside and not any(within.values()):
        inside.insert(0, BROWSER)
    return (
        [*outside, f"--ignore={BROWSER}"] if runs_outside else None,
        inside if runs_inside else None,
    )


def not_there(arguments: list[str]) -> list[str]:
    """Returns the files and folders among pytest's arguments that are not there; a long option's value may look like one."""
    return [arguments[number] for number in _named(arguments) if not _exists(arguments[number])]


def _newest(versions: list[str]) -> str:
    return max(versions, key=_key)


def _key(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def _places(arguments: list[str]) -> list[int]:
    """Returns where among the arguments a file or folder stands."""
    return [number for number in _named(arguments) if _exists(arguments[number])]


def _named(arguments: list[str]) -> list[int]:
    """Returns where among the arguments something stands that is neither an option nor a short option's value."""
    before = ["", *arguments]
    return [
        number
        for number, text in enumerate(arguments)
        if not text.startswith("-") and before[number] not in _WITH_VALUE
    ]


def _exists(place: str) -> bool:
    return (ROOT / place.partition("::")[0]).exists()


def _within(text: str, folder: str) -> bool:
    """Whether a place as pytest takes it ("tests/x.py::test_y") is this folder or lies in it."""
    place, root = (ROOT / text.partition("::")[0]).resolve(), (ROOT / folder).resolve()
    return place == root or root in place.parents


def _in_browser(arguments: list[str]) -> _Run:
    chromium = browser.need()
    version, python = environment.for_browser()
    return _Run(f"Browser (Python {version}, {browser.version(chromium)})", python, arguments)


def forgive_empty(outcomes: dict[str, Outcome]) -> dict[str, Outcome]:
    """Takes a run that had nothing to do for no failure, where another one had: `-k` may name tests of one side only."""
    if not any(outcome.passed or outcome.skipped for outcome in outcomes.values()):
        return outcomes
    nothing = Outcome(0, 0, 0, 0)
    return {name: nothing if outcome.code == _NONE_SELECTED else outcome for name, outcome in outcomes.items()}


def _pytest(each: _Run, spl: Path, report: Path) -> Outcome:
    """Runs pytest, in several processes unless the arguments say how many."""
    spread = [] if any(text.startswith("-n") for text in each.arguments) else _SPREAD
    command = [str(each.python), "-m", "pytest", *spread, *each.arguments, f"--junitxml={report}"]
    return read(report, run_openly(command, PARAPET_SPL=str(spl), **each.variables))


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
