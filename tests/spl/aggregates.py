"""The functions of stats, timechart and chart, as the Search Reference describes them ("Statistical and charting functions").

Must not know a command. Values come in the order of the rows.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Callable, NamedTuple

from tests.spl import expression
from tests.spl.command import inner, matching
from tests.spl.values import many, number, rank, text

if TYPE_CHECKING:
    from tests.spl.command import Command
    from tests.spl.syntax import Word
    from tests.spl.values import Row, Value
    from tests.spl.world import Fields, World

_ITEM = re.compile(r"([A-Za-z]+\d*)(?:\((.*)\))?", re.DOTALL)
_PERCENTILE = re.compile(r"(?:perc|exactperc|upperperc|p)(\d{1,2})")


class Aggregate(NamedTuple):
    """One of them: its function, what it looks at (a field, or an expression), and the name of what comes out."""

    function: str
    field: str
    node: expression.Node | None
    label: str
    place: int

    def needs(self) -> list[tuple[str, int]]:
        """The fields that it looks at."""
        found = [(self.field, self.place)] if self.field else list(self.node.reads) if self.node else []
        return found + ([("_time", self.place)] if self.function in _OF_TIME else [])

    def spread(self, names: frozenset[str]) -> list[Aggregate]:
        """Itself, or with a wildcard one for each field that it means."""
        if "*" not in self.field:
            return [self]
        pattern = re.compile(re.escape(self.field).replace(r"\*", "(.*)"))
        found = []
        for name in matching(self.field, names):
            part = pattern.fullmatch(name)
            label = self.label.replace("*", part.group(1) if part else "")
            found.append(self._replace(field=name, label=label))
        return found

    def of(self, rows: list[Row], now: float) -> Value:
        """What it makes of some rows."""
        if self.node is not None:
            found = [self.node.run(row, now) for row in rows]
            values = [value for value in found if value is not None and value is not False]
            return float(len(values)) if self.function in ("count", "c") else _apply(self.function, values)
        if not self.field:
            return float(len(rows))
        having = [row for row in rows if many(row.get(self.field))]
        if self.function in _OF_TIME:
            having.sort(key=lambda row: number(row.get("_time")) or 0.0)
            return having[_OF_TIME[self.function]].get(self.field) if having else None
        if self.function in _OF_ORDER:
            return having[_OF_ORDER[self.function]].get(self.field) if having else None
        return _apply(self.function, [value for row in having for value in many(row[self.field])])


def parse(command: Command, given: list[Word]) -> list[Aggregate]:
    """Aggregates and the names given to them.

    Raises:
        SplError: one is not known, or looks at nothing.
    """
    found = []
    while given:
        word = given.pop(0)
        item = None if word.is_quoted else _ITEM.fullmatch(word.text)
        if item is None or not _is_known(item.group(1).lower()):
            raise command.step.wrong(f"the function {word.text!r} is not known", word.place)
        label = word.text
        if len(given) > 1 and given[0].low == "as":
            label = given[1].text
            del given[:2]
        found.append(_aggregate(command, word, item.group(1).lower(), label, has_argument=item.group(2) is not None))
    if not found:
        raise command.step.wrong("it takes a function, such as count")
    return found


def labels(found: list[Aggregate], have: Fields, world: World, command: Command) -> list[str]:
    """The names that come out, after a look at what goes in."""
    for one in found:
        command.need(have, one.needs())
        if one.node is not None:
            command.need_node(have, one.node, world)
    parts = [part for one in found for part in one.spread(have.names)]
    for one in parts:
        if one.function in _OF_TIME:
            _need_each_time(one, have, world, command)
    return [part.label for part in parts]


def _need_each_time(one: Aggregate, have: Fields, world: World, command: Command) -> None:
    """The latest value of a field that a line may leave out is of another line than the latest."""
    for kind, _ in have.kinds:
        if one.field in world.optional.get(kind, ()):
            raise command.step.wrong(
                f"{one.function}({one.field}) may be of an older {kind} than the others: a line without one leaves it out. "
                "Take the newest line first (dedup host)",
                one.place,
            )


def _aggregate(command: Command, word: Word, function: str, label: str, *, has_argument: bool) -> Aggregate:
    if not has_argument:
        if function not in ("count", "c"):
            raise command.step.wrong(f"'{function}' takes a field", word.place)
        return Aggregate(function, "", None, label, word.place)
    argument = inner(command.step, word).stripped()
    if argument.text.startswith("eval("):
        node = expression.parse(argument.part(len("eval("), len(argument.text) - 1))
        if function in ("count", "c") and not node.is_boolean:
            raise command.step.wrong("count(eval()) takes what is true or false", word.place)
        return Aggregate(function, "", node, label, word.place)
    name = argument.text.strip("\"'")
    if not re.fullmatch(r"[\w.:@{}*-]+", name):
        raise command.step.wrong(f"{name!r} is no name of a field", argument.at(0))
    return Aggregate(function, name, None, label, argument.at(0))


def _is_known(function: str) -> bool:
    return (
        function in _FUNCTIONS or function in _OF_TIME or function in _OF_ORDER or bool(_PERCENTILE.fullmatch(function))
    )


def _apply(function: str, values: list[Value]) -> Value:
    percentile = _PERCENTILE.fullmatch(function)
    if percentile:
        return _nearest(values, int(percentile.group(1)) / 100)
    return _FUNCTIONS[function](values)


def _numbers(values: list[Value]) -> list[float]:
    return sorted(found for found in map(number, values) if found is not None)


def _nearest(values: list[Value], share: float) -> Value:
    found = _numbers(values)
    return found[max(math.ceil(share * len(found)) - 1, 0)] if found else None


def _median(values: list[Value]) -> Value:
    # Of an even count the higher of the two in the middle.
    found = _numbers(values)
    return found[len(found) // 2] if found else None


def _mean(values: list[Value]) -> Value:
    found = _numbers(values)
    return sum(found) / len(found) if found else None


def _extreme(choose: Callable[..., Value]) -> Callable[[list[Value]], Value]:
    return lambda values: choose(values, key=rank) if values else None


def _texts(values: list[Value]) -> list[str]:
    return [text(value) for value in values]


def _listed(values: list[str]) -> Value:
    return None if not values else values[0] if len(values) == 1 else values


_OF_TIME = {"latest": -1, "earliest": 0}
_OF_ORDER = {"first": 0, "last": -1}
_FUNCTIONS: dict[str, Callable[[list[Value]], Value]] = {
    "avg": _mean,
    "c": lambda values: float(len(values)),
    "count": lambda values: float(len(values)),
    "dc": lambda values: float(len(set(_texts(values)))),
    "distinct_count": lambda values: float(len(set(_texts(values)))),
    "list": lambda values: _listed(_texts(values)[:100]),
    "max": _extreme(max),
    "mean": _mean,
    "median": _median,
    "min": _extreme(min),
    "range": lambda values: (_numbers(values)[-1] - _numbers(values)[0]) if _numbers(values) else None,
    "sum": lambda values: sum(_numbers(values)) if _numbers(values) else None,
    "values": lambda values: _listed(sorted(set(_texts(values)))),
}
