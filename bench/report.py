"""What was measured as a JSON document, and that document as a table. Must not measure; the standard library is all it needs.

The document: {"format": 1, "quick": …, "runs": [{"python": …, "app": …, "machine": {…}, "rows": [{"key", "what", "against", "unit",
"measured", "floor", "figure", "goal", "reached", "note"}]}]}; a spread is {"median", "low", "high", "of"}, `low` and `high` its quartiles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from bench.goals import BY_KEY, GOALS

if TYPE_CHECKING:
    from typing import Iterable, Sequence

    from bench.stats import Spread

FORMAT = 1
_TENS, _HUNDREDS = 10, 100
HEAD = ("what", "measured", "held against", "floor", "figure", "goal", "")
_REACHED = {True: "reached", False: "not reached", None: ""}


class Measured(NamedTuple):
    """One line as it was measured: `figure` is in the goal's unit, `ours` and `floor` in `unit`."""

    key: str
    unit: str
    ours: Spread
    floor: Spread | None
    figure: Spread
    note: str = ""


def run(python: str, app: str, machine: dict[str, object], lines: Iterable[Measured]) -> dict[str, Any]:
    """What one Python's run came to, in the order of the goals."""
    order = [goal.key for goal in GOALS]
    rows = [_row(line) for line in sorted(lines, key=lambda line: order.index(line.key))]
    return {"python": python, "app": app, "machine": machine, "rows": rows}


def document(runs: list[dict[str, Any]], *, quick: bool) -> dict[str, Any]:
    """Everything, for the JSON file."""
    return {"format": FORMAT, "quick": quick, "runs": runs}


def text(told: dict[str, Any]) -> str:
    """The document as one Markdown table for each Python, the machine above it and the notes below."""
    parts = []
    if told["quick"]:
        parts.append("A quick look: few pairs, small loads. Quote the whole run only.\n")
    for one in told["runs"]:
        noted = [row["key"] for row in one["rows"] if row["note"]]
        marks = {key: f" [{number}]" for number, key in enumerate(noted, 1)}
        lines = [_cells(row, marks.get(row["key"], "")) for row in one["rows"]]
        notes = "".join(f"*{marks[row['key']]} {row['note']}\n" for row in one["rows"] if row["note"])
        parts.append(f"{heading(one)}\n\n{table(HEAD, lines)}" + (f"\n{notes}" if notes else ""))
    return "\n".join(parts)


def heading(one: dict[str, Any]) -> str:
    """On what it was measured."""
    machine = one["machine"]
    load = "" if machine["load_before"] is None else f", load {machine['load_before']} before"
    return (
        f"Python {one['python']}, app {one['app']}; {machine['processor']}, {machine['cores']} cores{load}; "
        f"{machine['system']}, {machine['file_system']}"
    )


def missed(told: dict[str, Any]) -> list[str]:
    """The lines that do not reach their goal, as "3.9.18 action"."""
    return [f"{one['python']} {row['key']}" for one in told["runs"] for row in one["rows"] if row["reached"] is False]


def table(head: Sequence[object], lines: Iterable[Sequence[object]]) -> str:
    """Lines of cells in Markdown."""
    rule = ("---",) * len(head)
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in (head, rule, *lines))


def number(value: float) -> str:
    """Three digits that count: "2.41", "23.4", "234", "23,456"."""
    size = abs(value)
    digits = 0 if size >= _HUNDREDS else 1 if size >= _TENS else 2
    return f"{value:,.{digits}f}"


def _row(line: Measured) -> dict[str, Any]:
    goal = BY_KEY[line.key]
    return {
        "key": line.key,
        "what": goal.what,
        "against": goal.floor,
        "unit": line.unit,
        "measured": line.ours._asdict(),
        "floor": line.floor._asdict() if line.floor else None,
        "figure": {"unit": goal.unit, **line.figure._asdict()},
        "goal": goal.text,
        "reached": goal.reached(line.figure.median),
        "note": line.note,
    }


def _cells(row: dict[str, Any], mark: str) -> tuple[str, ...]:
    floor = _spread(row["floor"], row["unit"]) if row["floor"] else ""
    return (
        row["what"] + mark,
        _spread(row["measured"], row["unit"]),
        row["against"],
        floor,
        _spread(row["figure"], row["figure"]["unit"]),
        row["goal"],
        _REACHED[row["reached"]],
    )


def _spread(found: dict[str, Any], unit: str) -> str:
    """The median, and the quartiles where there is more than one value: "21.3 (20.9 to 22.0) ms"."""
    middle = number(found["median"])
    if found["of"] > 1:
        middle += f" ({number(found['low'])} to {number(found['high'])})"
    return f"{middle} {unit}"
