"""The commands of SPL that the stand-in runs over rows that it has: those of `tests.spl`, with splunkd's answers to what is wrong.

Must not guess: an argument that a command does not know here is refused, whatever Splunk might make of it.
"""

from __future__ import annotations

import fnmatch
import re
import time
from typing import TYPE_CHECKING, Callable, List, Optional, Tuple

from tests.spl import commands_eval, commands_rows, commands_stats, syntax
from tests.spl.syntax import SplError, Text
from tests.spl.values import text
from tests.spl.world import World
from tests.standins.splunkd_spl import fatal, unquoted

if TYPE_CHECKING:
    from tests.spl.command import Command
    from tests.standins.splunkd_chunked import Row
    from tests.standins.splunkd_spl import Step

# Rows and the order of their fields; None is the order in which fields first appear.
Table = Tuple[List["Row"], Optional[List[str]]]
Term = Tuple[str, str]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_RELATIVE = re.compile(r"-(\d+)([smhdw])")
_EPOCH = re.compile(r"\d+(\.\d+)?")


def terms(step: Step) -> list[Term]:
    """The terms of a `search`: (field, value); the field of a bare word is empty.

    Raises:
        Refused: 400 for what this subset has not.
    """
    found = []
    for arg in step.raw_args:
        field, equals, value = arg.partition("=")
        plain = arg.startswith('"') or not equals
        if not arg.startswith('"') and (
            re.search(r"[()<>]|!$", field) or arg in ("OR", "NOT") or (equals and not value)
        ):
            raise fatal(f"Error in 'search' command: Unable to parse the search: the stand-in does not know {arg!r}.")
        if arg != "AND":
            found.append(("", unquoted(arg)) if plain else (field, unquoted(value)))
    return found


def moment(text: str) -> float:
    """The epoch of a time modifier: epoch seconds, `now`, or `-15m` and its like.

    Raises:
        Refused: 400 for anything else.
    """
    relative = _RELATIVE.fullmatch(text)
    if relative:
        return time.time() - int(relative.group(1)) * _UNITS[relative.group(2)]
    if text in ("now", "now()", ""):
        return time.time()
    if _EPOCH.fullmatch(text):
        return float(text)
    raise fatal(f"Invalid value \"{text}\" for time term 'earliest'")


def matches(row: Row, term: Term) -> bool:
    """Whether a row has a term: values are compared without case, `*` is any text."""
    field, wanted = term
    if not field:
        return wanted.lower() in str(row.get("_raw", "")).lower()
    pattern = fnmatch.translate(wanted.lower().replace("[", "[[]").replace("?", "[?]"))
    return any(re.match(pattern, value.lower()) for value in values(row, field))


def values(row: Row, field: str) -> list[str]:
    """All values of a field; none where the row has it not."""
    value = row.get(field, [])
    return list(value) if isinstance(value, list) else [value]


def run(step: Step, table: Table) -> Table:
    """One command over a table.

    Raises:
        Refused: 400 for an unknown command, or arguments that it does not have.
    """
    command = COMMANDS.get(step.name)
    if command is None:
        raise unknown(step.name)
    return command(step, table)


def unknown(name: str) -> Exception:
    """The answer to a command that is not there, or not for this user."""
    return fatal(f"Unknown search command '{name}'.")


def _runner(kind: type[Command]) -> Callable[[Step, Table], Table]:
    def run_one(step: Step, table: Table) -> Table:
        now = time.time()
        try:
            command = kind(syntax.Step(step.name, 0, Text.of(step.text)))
            made = command.run(table[0], World(lambda _: None, (), {}, {}, {}, now=now, latest=now))
        except SplError as error:
            raise fatal(str(error)) from error
        rows: list[Row] = [
            {
                name: value if isinstance(value, list) else text(value)
                for name, value in row.items()
                if value is not None
            }
            for row in made
        ]
        return rows, command.order or _order(table, rows)

    return run_one


def _order(table: Table, rows: list[Row]) -> Optional[list[str]]:
    """The order of the fields behind a command that sets none: as before, what is new at the end."""
    before = table[1]
    there = dict.fromkeys(name for row in rows for name in row)
    return before and [
        *(name for name in before if name in there or not rows),
        *(name for name in there if name not in before),
    ]


COMMANDS: dict[str, Callable[[Step, Table], Table]] = {
    name: _runner(kind)
    for name, kind in {**commands_rows.COMMANDS, **commands_stats.COMMANDS, **commands_eval.COMMANDS}.items()
    if kind is not commands_eval.Inner
}
