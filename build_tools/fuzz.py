"""Runs the targets of tests/fuzz under a fuzzer that is guided by coverage, one after another, and adds up what was found.

It must not know what a target does, nor judge an input.
"""

from __future__ import annotations

import hashlib
import math
import re
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from build_tools import environment
from build_tools.project import ROOT, child_environment

INPUTS = 100_000
TARGETS = (
    "command",
    "deliver_call",
    "formats",
    "guides_form",
    "log",
    "multivalue",
    "outbox",
    "results",
    "retry_after",
    "security",
    "server_uri",
    "settings",
    "splunkd_json",
    "splunkd_wire",
    "stdin",
    "tenant",
)
"""Those of tests/fuzz, by name: a slip is told without making an environment."""

_MODULE = ["-m", "tests.fuzz.coverage_guided"]
_CORPUS = ROOT / "tests" / "fuzz" / "corpus"
# What the product writes with care for a power cut, it writes here without waiting for a disk.
_MEMORY = "/dev/shm"  # noqa: S108  a folder with a random name is made in it
_FINDINGS = ("crash-*", "timeout-*", "oom-*")
_EXECUTED = re.compile(r"^stat::number_of_executed_units:\s*(\d+)", re.MULTILINE)
# What Python says of a finding, up to where libFuzzer goes on.
_SAID = re.compile(r"=== Uncaught Python exception: ===\n(.*?)\n\n?==", re.DOTALL)
_LAST_LINES = 12


@dataclass(frozen=True)
class Outcome:
    """One target's run: inputs tried, seconds, and where the input lies that broke a promise ("" for none), with what was said."""

    target: str
    inputs: int
    seconds: float
    finding: str = ""
    said: str = ""


def run(inputs: int, chosen: list[str], seed: int) -> int:
    """Fuzzes each target with its share of the inputs, prints a line for each, and returns 0 only if nothing was found.

    Args:
        inputs: how many in all, at least.
        chosen: some of TARGETS; without any, all of them.
        seed: the same seed tries the same inputs.

    Raises:
        BuildError: the environment could not be made.
    """
    python = environment.for_fuzz()
    names = chosen or TARGETS
    share = math.ceil(inputs / len(names))
    outcomes = []
    for name in names:
        outcomes.append(_fuzz(python, name, share, seed))
        print(_line(outcomes[-1]), flush=True)
    found = [outcome for outcome in outcomes if outcome.finding]
    seconds = sum(outcome.seconds for outcome in outcomes)
    print(f"{sum(outcome.inputs for outcome in outcomes)} inputs, {seconds:.0f} s, {len(found)} findings (seed {seed})")
    for outcome in found:
        print(_how_to_repeat(outcome), flush=True)
    return 1 if found else 0


def _fuzz(python: Path, name: str, share: int, seed: int) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="parapet-fuzz-", dir=_MEMORY if Path(_MEMORY).is_dir() else None) as folder:
        report = Path(folder) / "report"
        started = time.monotonic()
        # A file takes what is said: a pipe that nobody reads meanwhile would fill up.
        with report.open("wb") as said:
            done = subprocess.run(
                [str(python), *_MODULE, name, folder, f"-runs={share}", f"-seed={seed}"],
                cwd=ROOT,
                env=child_environment(),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                check=False,
            )
        seconds = time.monotonic() - started
        text = report.read_text(encoding="utf-8", errors="replace")
        executed = _EXECUTED.search(text)
        kept = [_keep(name, path) for pattern in _FINDINGS for path in sorted(Path(folder).glob(pattern))]
    if done.returncode and not kept:
        kept = [f"no input was left behind, the fuzzer ended with code {done.returncode}"]
    said_of_it = _SAID.search(text)
    last = said_of_it.group(1) if said_of_it else "\n".join(text.splitlines()[-_LAST_LINES:])
    return Outcome(
        name, int(executed.group(1)) if executed else 0, seconds, kept[0] if kept else "", last if kept else ""
    )


def _keep(name: str, path: Path) -> str:
    """Puts an input among those that are replayed in every test run, and returns where that is."""
    data = path.read_bytes()
    target = _CORPUS / name / f"{path.name.partition('-')[0]}-{hashlib.sha256(data).hexdigest()[:12]}"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    return target.relative_to(ROOT).as_posix()


def _line(outcome: Outcome) -> str:
    ended = "FOUND SOMETHING" if outcome.finding else "nothing found"
    return f"{outcome.target:<14} {outcome.inputs:>8} inputs {outcome.seconds:>6.0f} s  {ended}"


def _how_to_repeat(outcome: Outcome) -> str:
    file = outcome.finding.rpartition("/")[2]
    said = "\n".join("    " + line for line in outcome.said.splitlines())
    return f"\n{outcome.target}: {outcome.finding}\n{said}\n    again: python3 build.py test tests/fuzz -k {file}"
