"""The documentation's pages and their tables, for the tests that hold them against the code. Must not compare anything itself."""

from __future__ import annotations

import re

from build_tools.project import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "elastic/README.md"])


def read(name):
    """A page by its path in the project."""
    return (ROOT / name).read_text(encoding="utf-8")


def table(name, first_cell):
    """The rows of every table of a page whose head begins with this cell, as lists of cells without back-ticks."""
    rows, inside = [], False
    for line in read(name).splitlines():
        # A \| in a cell is a pipe of the search language.
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not line.startswith("|"):
            inside = False
        elif cells[0] == first_cell:
            inside = True
        elif inside and not set(line) <= set("|- "):
            rows.append(cells)
    assert rows, f"{name} has no table that begins with {first_cell!r}"
    return rows


def bare(cell):
    """A cell without its back-ticks; "empty" is the empty text."""
    return "" if cell == "empty" else cell.strip("`")
