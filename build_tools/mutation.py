"""Changes the core's code in small ways, one at a time, and counts how many of these mutants its tests notice.

It must not change a file of the working tree but docs/mutation.md: the mutants live in a copy of their own.
"""

from __future__ import annotations

import ast
import json
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from build_tools import environment
from build_tools.project import ROOT, BuildError, child_environment

TESTS = {
    "verdict": ["tests/core/test_verdict.py"],
    "severity": ["tests/core/test_severity.py"],
    "backoff": ["tests/core/test_backoff.py"],
    "settings": ["tests/core/test_settings.py", "tests/core/test_tenants.py"],
    "entry": ["tests/core/test_entry.py"],
    "message": ["tests/core/test_message.py", "tests/core/test_batches.py"],
    "rows": ["tests/core/test_rows.py"],
    "disk": ["tests/outbox/test_disk.py"],
    "outbox": ["tests/outbox/test_put.py", "tests/outbox/test_put_faults.py"],
    "backlog": ["tests/outbox/test_backlog.py", "tests/outbox/test_backlog_model.py"],
    "holder": ["tests/outbox/test_holder_tells.py", "tests/outbox/test_holder.py"],
}
"""The modules whose code is changed, and the tests that must notice; of one module all in one folder."""

LEAST = 90
"""So many per cent of a module's mutants must be killed."""

PAGE = ROOT / "docs" / "mutation.md"
BEGIN, END = "<!-- `build.py mutate` writes what follows -->", "<!-- to here -->"
_HEAD = "| module | mutants | killed | | left out |\n|---|---|---|---|---|"
_UNEXPLAINED = "Not looked at yet."
_TYPE_CHECKING = "Name(id='TYPE_CHECKING'"
_COPIED = ("parapet_security", "tests", "build_tools")
# Hypothesis draws the same examples each time, so that two runs agree. One core, and no cache but Python's own.
_PYTEST = ["-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-seed=0"]
# A mutant may loop for ever: one that takes five times as long as the tests do without it counts as killed.
_TIMES, _TIMEOUT_LEAST_S = 5, 10.0
# For the tool's own Python: a session, and the mutants in it that need not be tried.
_SKIP = """\
import sys
from cosmic_ray.work_db import use_db
from cosmic_ray.work_item import WorkerOutcome, WorkResult
with use_db(sys.argv[1]) as session:
    for job in sys.argv[2:]:
        session.set_result(job, WorkResult(worker_outcome=WorkerOutcome.SKIPPED))
"""


@dataclass(frozen=True)
class Mutant:
    """One change: where, the line as it was, and the line as it became."""

    where: str
    before: str
    after: str

    def __str__(self) -> str:
        """Returns the mutant as the page lists it."""
        return f"- `{self.where}`: `{self.before}` → `{self.after}`"


@dataclass(frozen=True)
class Outcome:
    """What became of a module's mutants; `left_out` are those that change nothing which ever runs."""

    killed: int
    left_out: int
    survivors: list[Mutant]

    @property
    def per_cent(self) -> float:
        """How many of the mutants that count were killed."""
        counted = self.killed + len(self.survivors)
        return 100.0 * self.killed / counted


def run(modules: list[str]) -> int:
    """Checks these modules of TESTS (all, where none is named), and renews their part of docs/mutation.md.

    Returns:
        0 where at least LEAST per cent of each module's mutants were killed, else 1.

    Raises:
        BuildError: a file of the table is not there, or a module's tests fail without a mutant.
    """
    missing = [path for paths in TESTS.values() for path in paths if not (ROOT / path).is_file()]
    if missing:
        raise BuildError(f"{missing[0]} is not there; the table is in build_tools/mutation.py")
    found = next((version for version in ("3.13", "3.9", "3.7") if environment.interpreter(version)), None)
    python = environment.for_tests(found or environment.running())
    tool = environment.for_mutation().parent / "cosmic-ray"
    failed = False
    for module in [name for name in TESTS if name in modules] or list(TESTS):
        with tempfile.TemporaryDirectory() as folder:
            outcome = _check(module, tool, python, Path(folder).resolve())
        PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8"), module, outcome), encoding="utf-8")
        failed = failed or outcome.per_cent < LEAST
        print(
            f"{module}: {outcome.per_cent:.1f} % killed, {len(outcome.survivors)} survived,"
            f" {outcome.left_out} left out",
            flush=True,
        )
        for survivor in outcome.survivors:
            print(f"    {survivor.before}\n  → {survivor.after}", flush=True)
    return 1 if failed else 0


def _check(module: str, tool: Path, python: Path, tree: Path) -> Outcome:
    for name in _COPIED:
        shutil.copytree(str(ROOT / name), str(tree / name), ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(str(ROOT / "pyproject.toml"), str(tree))
    product = tree / "parapet_security" / "bin"
    path = product / "parapet" / f"{module}.py"
    within = Path(TESTS[module][0]).parent.as_posix()
    command = [str(python), *_PYTEST, f"--confcutdir={within}", *TESTS[module]]
    began = time.monotonic()
    _start(command, tree, product, what=f"the tests of {module}, before any mutant,")
    took_s = time.monotonic() - began
    # The tests read what Python has compiled before, but of the module that changes under it.
    for compiled in (path.parent / "__pycache__").glob(f"{module}.*"):
        compiled.unlink()
    settings = tree / "mutation.toml"
    settings.write_text(_settings(path, command, max(_TIMEOUT_LEAST_S, _TIMES * took_s)), encoding="utf-8")
    session = str(tree / "mutation.sqlite")
    _start([str(tool), "init", str(settings), session], tree, product, what="Cosmic Ray")
    mutants = _start([str(tool), "dump", session], tree, product, what="Cosmic Ray")
    idle = left_out(mutants, path.read_text(encoding="utf-8"))
    _start([str(tool.parent / "python"), "-c", _SKIP, session, *idle], tree, product, what="Cosmic Ray")
    count = len(mutants.splitlines()) - len(idle)
    print(f"{module}: {count} mutants, at most {took_s:.1f} s for each", flush=True)
    _start([str(tool), "exec", str(settings), session], tree, product, what="Cosmic Ray")
    return outcome_of(_start([str(tool), "dump", session], tree, product, what="Cosmic Ray"))


def _settings(path: Path, command: list[str], timeout_s: float) -> str:
    # A string of JSON is one of TOML as well.
    values = {"module-path": str(path), "timeout": timeout_s, "excluded-modules": []}
    values["test-command"] = " ".join(shlex.quote(part) for part in command)
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    return "\n".join(["[cosmic-ray]", *lines, "[cosmic-ray.distributor]", 'name = "local"', ""])


def _start(command: list[str], tree: Path, product: Path, *, what: str) -> str:
    """Runs a program in the copy, where the product's modules are found, and returns its standard output."""
    done = subprocess.run(
        command,
        cwd=tree,
        env=child_environment(PYTHONPATH=str(product)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise BuildError("\n    ".join([f"{what} failed:", *done.stdout.splitlines()[-8:]]))
    return done.stdout


def left_out(dump: str, source: str) -> list[str]:
    """Returns which mutants change nothing that ever runs.

    Annotations, the mark of keyword-only arguments, and another way to add up flags of `open`, which share no bit.

    Args:
        dump: what Cosmic Ray dumps, one line of JSON for each mutant.
        source: the module as it is without a mutant.
    """
    unread, lines, found = never_run(source), source.splitlines(), []
    for line in dump.splitlines():
        item = json.loads(line)[0]
        (mutation,) = item["mutations"]
        row, column = mutation["start_pos"]
        is_mark = lines[row - 1].startswith("*,", column)
        is_flags = "os.O_" in lines[row - 1] and mutation["operator_name"].endswith(("_BitOr_Add", "_BitOr_BitXor"))
        if is_mark or is_flags or any(start <= (row, column) < end for start, end in unread):
            found.append(str(item["job_id"]))
    return found


def outcome_of(dump: str) -> Outcome:
    """Adds up what Cosmic Ray dumps of a finished session.

    Left out as well is what is no Python at all, and what the tool could not write down.

    Raises:
        BuildError: no mutant could be tried.
    """
    killed = idle = 0
    survivors = []
    mutants = sorted(map(json.loads, dump.splitlines()), key=lambda mutant: mutant[0]["mutations"][0]["start_pos"])
    for item, result in mutants:
        if result["test_outcome"] == "survived":
            where = item["mutations"][0]["definition_name"] or "the module"
            survivors.append(_mutant(str(where), str(result["diff"])))
        elif result["test_outcome"] == "killed" and "SyntaxError: " not in result["output"]:
            killed += 1
        else:
            idle += 1
    if not killed:
        raise BuildError("no mutant could be tried: Cosmic Ray changed nothing that the tests see")
    return Outcome(killed, idle, survivors)


def _mutant(where: str, diff: str) -> Mutant:
    """Returns what a unified diff says; a change of one statement may stand on several lines."""
    changed = diff.partition("\n@@")[2].splitlines()[1:]
    before, after = (" ".join(line[1:].strip() for line in changed if line.startswith(sign)) for sign in "-+")
    return Mutant(where, before, after or "(nothing)")


def never_run(source: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Returns where (from, up to) a module's text is for the type checker alone: annotations, and TYPE_CHECKING.

    `from __future__ import annotations` keeps annotations as text, and nobody asks for them.
    """
    found = []
    for node in ast.walk(ast.parse(source)):
        for name in ("annotation", "returns"):
            parts = ast.walk(getattr(node, name, None) or ast.Pass())
            found += [(_place(part.left), _place(part.right)) for part in parts if isinstance(part, ast.BinOp)]
        if isinstance(node, ast.If) and ast.dump(node.test).startswith(_TYPE_CHECKING):
            found.append((_place(node.test), _place(node.body[0])))
        if isinstance(node, ast.Assign) and ast.dump(node.targets[0]).startswith(_TYPE_CHECKING):
            found.append((_place(node), (node.lineno + 1, 0)))
    return found


def _place(node: ast.expr | ast.stmt) -> tuple[int, int]:
    return node.lineno, node.col_offset


def renewed(page: str, module: str, outcome: Outcome) -> str:
    """Returns the page with this module's figures and survivors; a reason that is there stays with its mutant."""
    before, _, rest = page.partition(BEGIN)
    written, _, after = rest.partition(END)
    rows = {row.split("`")[1]: row for row in written.splitlines() if row.startswith("| `")}
    sections = {text.split("`")[1]: text.strip() for text in written.split("\n### ")[1:]}
    reasons = dict(re.findall(r"^(- .*)\n  (.*)$", sections.get(module, ""), re.MULTILINE))
    counted = outcome.killed + len(outcome.survivors)
    rows[module] = f"| `{module}` | {counted} | {outcome.killed} | {outcome.per_cent:.1f} % | {outcome.left_out} |"
    listed = [f"{mutant}\n  {reasons.get(str(mutant), _UNEXPLAINED)}" for mutant in outcome.survivors]
    sections[module] = f"`{module}`\n\n" + ("\n".join(listed) or "Every mutant was killed.")
    table = [_HEAD, *(rows[name] for name in TESTS if name in rows)]
    texts = [f"### {sections[name]}" for name in TESTS if name in sections]
    return before + "\n\n".join([BEGIN, "\n".join(table), *texts, END]) + after
