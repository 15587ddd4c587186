"""The few commands of SPL that the stand-in runs over rows that it has.

Must not guess: an argument that a command does not know here is refused, whatever Splunk might make of it.
"""

from __future__ import annotations

import fnmatch
import re
import time
from typing import TYPE_CHECKING, Callable, List, Optional, Sequence, Tuple

from tests.standins.splunkd_spl import fatal, unquoted

if TYPE_CHECKING:
    from tests.standins.splunkd_chunked import Row
    from tests.standins.splunkd_spl import Step

# Rows and the order of their fields; None is the order in which fields first appear.
Table = Tuple[List["Row"], Optional[List[str]]]
Term = Tuple[str, str]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_RELATIVE = re.compile(r"-(\d+)([smhdw])")
_EPOCH = re.compile(r"\d+(\.\d+)?")
_WHERE = re.compile(r'(\w+)\s*(==?|!=)\s*("(?:[^"\\]|\\.)*")')
_AGGREGATE = re.compile(r"(count\b|latest\(\s*([\w.]+)\s*\))(?:\s+as\s+(\w+))?[\s,]*", re.IGNORECASE)
_BY = re.compile(r"by\s+(.+)", re.IGNORECASE)


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


def _bad(step: Step) -> Exception:
    return fatal(f"Error in '{step.name}' command: the stand-in does not know these arguments: {step.text}")


def _names(step: Step, args: Sequence[str]) -> list[str]:
    if not args or not all(re.fullmatch(r"[\w.]+", arg) for arg in args):
        raise _bad(step)
    return list(args)


def _search(step: Step, table: Table) -> Table:
    wanted = terms(step)
    return [row for row in table[0] if all(matches(row, term) for term in wanted)], table[1]


def _where(step: Step, table: Table) -> Table:
    found = _WHERE.fullmatch(step.text)
    if found is None:
        raise _bad(step)
    field, sign, wanted = found.group(1), found.group(2), unquoted(found.group(3))
    keep = [row for row in table[0] if field in row and (wanted in values(row, field)) != (sign == "!=")]
    return keep, table[1]


def _dedup(step: Step, table: Table) -> Table:
    names = _names(step, step.args)
    seen: dict[tuple[str, ...], Row] = {}
    for row in table[0]:
        if all(name in row for name in names):
            seen.setdefault(tuple("\n".join(values(row, name)) for name in names), row)
    return list(seen.values()), table[1]


def _sort(step: Step, table: Table) -> Table:
    rows = list(table[0])
    args = re.sub(r"([+-])\s+", r"\1", step.text).replace(",", " ").split()
    limit = int(args.pop(0)) if args and args[0].isdigit() else 10000
    for arg in reversed(args):
        field = _names(step, [arg.lstrip("+-")])[0]
        rows.sort(key=lambda row, field=field: _rank(row, field), reverse=arg.startswith("-"))  # type: ignore[misc]
    if not args:
        raise _bad(step)
    return rows[: limit or None], table[1]


def _rank(row: Row, field: str) -> tuple[int, float, str]:
    value = "\n".join(values(row, field))
    try:
        return 0, float(value), ""
    except ValueError:
        return 1, 0.0, value


def _head(step: Step, table: Table) -> Table:
    if not re.fullmatch(r"\d*", step.text):
        raise _bad(step)
    return table[0][: int(step.text or 10)], table[1]


def _table(step: Step, table: Table) -> Table:
    names = _names(step, step.args)
    return [{name: row[name] for name in names if name in row} for row in table[0]], names


def _fields(step: Step, table: Table) -> Table:
    sign = step.raw_args[0] if step.raw_args[:1] in (["+"], ["-"]) else ""
    names = _names(step, step.args[1:] if sign else step.args)
    if sign == "-":
        return [{k: v for k, v in row.items() if k not in names} for row in table[0]], table[1]
    # Internal fields stay unless they are taken away by name.
    return [{k: v for k, v in row.items() if k in names or k in ("_raw", "_time")} for row in table[0]], table[1]


def _stats(step: Step, table: Table) -> Table:
    text, wanted = step.text, []
    found = _AGGREGATE.match(text)
    while found:
        what, field, label = found.groups()
        wanted.append((field, label or (f"latest({field})" if field else what)))
        text = text[found.end() :]
        found = _AGGREGATE.match(text)
    by = _BY.fullmatch(text)
    if not wanted or (text and by is None):
        raise _bad(step)
    names = _names(step, by.group(1).replace(",", " ").split()) if by else []
    # Without "by" there is always one row, of no events too.
    groups: dict[tuple[str, ...], list[Row]] = {} if by else {(): []}
    for row in sorted(table[0], key=lambda row: _rank(row, "_time"), reverse=True):
        if all(name in row for name in names):
            groups.setdefault(tuple("\n".join(values(row, name)) for name in names), []).append(row)
    shown = [_aggregated(groups[key], names, wanted) for key in sorted(groups)]
    return [row for row in shown if row], names + [label for _, label in wanted]


def _aggregated(rows: list[Row], names: list[str], wanted: list[tuple[Optional[str], str]]) -> Row:
    """One row of `stats`: `rows` are newest first; an aggregate without a field is a count."""
    group: Row = {name: rows[0][name] for name in names}
    for field, label in wanted:
        if field is None:
            group[label] = str(len(rows))
        else:
            group.update((label, row[field]) for row in reversed(rows) if field in row)
    return group


COMMANDS: dict[str, Callable[[Step, Table], Table]] = {
    "dedup": _dedup,
    "fields": _fields,
    "head": _head,
    "search": _search,
    "sort": _sort,
    "stats": _stats,
    "table": _table,
    "where": _where,
}
