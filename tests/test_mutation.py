"""The check that changes the code to see whether the tests notice: its table, its sum, and the page that it renews.

Must not run the tool itself: `build.py mutate` does, on demand.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from build_tools import mutation
from build_tools.mutation import Mutant, Outcome
from build_tools.project import ROOT, BuildError

SOURCE = """from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Mapping


def wait(now: int | None, *, most: str | int | None = 1 | 2) -> str | None:
    return now | 1


def opened(path):
    return os.open(path, os.O_WRONLY | os.O_CREAT)
"""


def place(text, *, after=""):
    """The line and column where a text stands in SOURCE, as the tool counts them."""
    at = SOURCE.index(text, SOURCE.index(after))
    return [SOURCE.count("\n", 0, at) + 1, at - SOURCE.rfind("\n", 0, at) - 1]


def dumped(job, start, *, by="_BitOr_Sub", worker="normal", test="killed", output="", before="a = 1", after="a = 2"):
    """One line as the tool dumps it."""
    diff = f"--- mutation diff ---\n--- a/x.py\n+++ b/x.py\n@@ -1,3 +1,3 @@\n x\n-    {before}\n+    {after}\n y"
    mutant = {"job_id": job, "mutations": [{"start_pos": start, "definition_name": "wait", "operator_name": by}]}
    return json.dumps([mutant, {"worker_outcome": worker, "test_outcome": test, "output": output, "diff": diff}])


def test_every_module_and_every_test_of_the_table_is_there():
    """Of one module all in one folder: its conftest alone is read."""
    for module, paths in mutation.TESTS.items():
        assert (ROOT / "parapet_security/bin/parapet" / f"{module}.py").is_file()
        assert all((ROOT / path).is_file() for path in paths)
        assert len({Path(path).parent for path in paths}) == 1


@pytest.mark.parametrize(
    ("start", "is_left_out"),
    [
        (place("| None, *"), True),
        (place("| int"), True),
        (place("| None ="), True),
        (place("| None:"), True),
        (place("*, most"), True),
        (place("False"), True),
        (place("TYPE_CHECKING:"), True),
        (place("1 | 2"), False),
        (place("| 2"), False),
        (place("| 1", after="return"), False),
    ],
    ids=str,
)
def test_what_the_type_checker_alone_reads_is_left_out(start, is_left_out):
    """Defaults and bodies count, however alike they look."""
    assert mutation.left_out(dumped("job", start), SOURCE) == (["job"] if is_left_out else [])


@pytest.mark.parametrize(("by", "is_left_out"), [("_BitOr_Add", True), ("_BitOr_BitXor", True), ("_BitOr_Sub", False)])
def test_flags_that_share_no_bit_can_be_added_in_any_way(by, is_left_out):
    """Of the flags of `open` only: elsewhere a sum is not a union."""
    flags, elsewhere = place("| os"), place("| 1", after="return")
    assert bool(mutation.left_out(dumped("job", flags, by=by), SOURCE)) is is_left_out
    assert mutation.left_out(dumped("job", elsewhere, by=by), SOURCE) == []


def test_mutants_are_killed_survive_or_are_left_out():
    """In the order of the code; what was not tried counts on neither side."""
    lines = [
        dumped("1", [9, 0], test="survived", before="b < c", after="b <= c"),
        dumped("2", [2, 0]),
        dumped("3", [3, 0], worker="skipped", test=None, output=""),
        dumped("4", [4, 0], output="E   SyntaxError: invalid syntax"),
        dumped("5", [5, 0], worker="exception", test="incompetent", output="Traceback"),
        dumped("6", [6, 0], test="survived"),
    ]
    found = mutation.outcome_of("\n".join(lines))
    assert found == Outcome(1, 3, [Mutant("wait", "a = 1", "a = 2"), Mutant("wait", "b < c", "b <= c")])
    assert round(found.per_cent) == 33


def test_a_run_that_killed_nothing_proves_nothing():
    """The tests were not run, or see other code than what was changed."""
    with pytest.raises(BuildError, match="no mutant could be tried"):
        mutation.outcome_of(dumped("1", [1, 0], worker="exception", test="incompetent", output="Traceback"))


def test_a_reason_stays_with_its_mutant_and_the_other_modules_stay():
    """The page can be renewed module by module."""
    first, second = Mutant("wait", "a = 1", "a = 2"), Mutant("wait", "b < c", "b <= c")
    page = f"# Title\n\n{mutation.BEGIN}\n{mutation.END}\n\nThe end.\n"
    page = mutation.renewed(page, "rows", Outcome(9, 0, [first]))
    page = mutation.renewed(page, "backoff", Outcome(19, 3, [first, second]))
    assert page.count("Not looked at yet.") == 3
    page = page.replace(f"{second}\n  Not looked at yet.", f"{second}\n  They are never equal.")
    page = mutation.renewed(page, "backoff", Outcome(20, 3, [second]))
    assert "| `backoff` | 21 | 20 | 95.2 % | 3 |\n| `rows` | 10 | 9 | 90.0 % | 0 |\n" in page
    assert f"### `backoff`\n\n{second}\n  They are never equal.\n\n### `rows`\n\n{first}\n" in page
    page = mutation.renewed(page, "rows", Outcome(9, 0, []))
    assert "### `rows`\n\nEvery mutant was killed.\n" in page
    assert page.startswith(f"# Title\n\n{mutation.BEGIN}\n")
    assert page.endswith(f"{mutation.END}\n\nThe end.\n")


def test_the_page_has_every_module_above_the_goal_and_every_survivor_explained():
    """As the last run left it."""
    page = mutation.PAGE.read_text(encoding="utf-8")
    figures = dict(re.findall(r"^\| `(\w+)` \|.*\| ([\d.]+) % \|", page, re.MULTILINE))
    assert list(figures) == list(mutation.TESTS)
    assert [name for name, figure in figures.items() if float(figure) < mutation.LEAST] == []
    assert "Not looked at yet." not in page
