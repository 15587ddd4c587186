"""The commands that count: stats, eventstats, timechart, chart, bin. Must not know the functions themselves; see `aggregates`."""

from __future__ import annotations

import itertools

from tests.spl import aggregates
from tests.spl.command import Command, clauses
from tests.spl.values import many, number, rank, span, text
from tests.spl.world import Fields

# Without span= timechart takes the least of these that makes at most a hundred columns.
_SPANS = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 86400)
_COLUMNS = 100


class Stats(Command):
    """`stats` and `eventstats`."""

    options = ("allnum", "delim", "partitions")

    def _read(self) -> None:
        found = clauses(self.words(), "by")
        self.items = aggregates.parse(self, found[""])
        self.by = self.names(found.get("by", []))
        if "by" in found and not self.by:
            raise self.step.wrong("by takes names of fields")
        if self.step.name == "stats" and not any("*" in item.field for item in self.items):
            self.order = [*(word.text for word in self.by), *(item.label for item in self.items)]

    def _flow(self, have, world):
        # eventstats keeps the rows that are in no group.
        need = self.need_all if self.step.name == "stats" else self._need
        need(have, self.by)
        labels = aggregates.labels(self.items, have, world, self)
        if self.step.name == "eventstats":
            return have.plus(*labels)
        return Fields(frozenset([*(word.text for word in self.by), *labels]))

    def _need(self, have, names):
        self.need(have, [(word.text, word.place) for word in names])

    def _run(self, rows, world):
        there = frozenset(name for row in rows for name in row)
        items = [part for item in self.items for part in item.spread(there)]
        names = [word.text for word in self.by]
        groups = _groups(rows, names)
        made = {key: {item.label: item.of(group, world.now) for item in items} for key, group in groups.items()}
        if self.step.name == "stats":
            return [{**dict(zip(names, key)), **made[key]} for key in sorted(groups, key=lambda key: [*map(rank, key)])]
        return [{**row, **next((made[key] for key in _keys(row, names)), {})} for row in rows]


class Bin(Command):
    """`bin` (or `bucket`) `_time span=1h`."""

    options = ("span",)

    def _read(self) -> None:
        found = clauses(self.words(), "as")
        self.columns = self.names(found[""])
        self.new = found.get("as", self.columns)
        if len(self.columns) != 1 or len(self.new) != 1 or "span" not in self.option:
            raise self.step.wrong("it takes one field and span= here")
        self.seconds = _span(self)

    def _flow(self, have, world):
        self.need(have, [(word.text, word.place) for word in self.columns])
        return have.plus(self.new[0].text)

    def _run(self, rows, world):
        name, new = self.columns[0].text, self.new[0].text
        return [{**row, new: _floor(number(row.get(name)), self.seconds)} for row in rows]


class Timechart(Command):
    """`timechart` and `chart`: a row for each span of time (or value), a column for each value of the field after `by`."""

    options = ("span", "limit", "useother", "usenull", "cont", "partial", "fixedrange", "sep")

    def _read(self) -> None:
        found = clauses(self.words(), "by", "over")
        self.items = aggregates.parse(self, found[""])
        self.seconds = _span(self) if "span" in self.option else 0.0
        over, by = self.names(found.get("over", [])), self.names(found.get("by", []))
        if self.step.name == "chart" and not over:
            over, by = by[:1], by[1:]
        if self.step.name == "timechart" and over:
            raise self.step.wrong("it takes no over", over[0].place)
        if len(over) > 1 or len(by) > 1 or (self.step.name == "chart" and not over):
            raise self.step.wrong("it takes one field to divide by")
        self.over, self.by = over, by

    @property
    def _axis(self) -> str:
        return self.over[0].text if self.over else "_time"

    def _flow(self, have, world):
        self.need(have, [(self._axis, self.step.place)])
        self.need_all(have, self.by)
        labels = aggregates.labels(self.items, have, world, self)
        return Fields(frozenset([self._axis]), others=True) if self.by else Fields(frozenset([self._axis, *labels]))

    def _run(self, rows, world):
        axis, seconds = self._axis, self.seconds
        if not self.over:
            seconds = seconds or _span_of(world.latest - world.earliest)
            rows = [{**row, axis: _floor(number(row.get(axis)), seconds)} for row in rows]
        ticks = _groups(rows, [axis])
        if not self.over and rows and self.option.get("cont", "true").lower() not in ("f", "false", "0"):
            first = _floor(world.earliest, seconds) if world.earliest else min(number(key[0]) for key in ticks)
            for at in itertools.takewhile(lambda at: at <= world.latest, itertools.count(first, seconds)):
                ticks.setdefault((float(at),), [])
        columns = self._columns(rows)
        return [
            {axis: key[0], **self._cells(ticks[key], columns, world)}
            for key in sorted(ticks, key=lambda key: rank(key[0]))
        ]

    def _columns(self, rows):
        """The values of the field after `by`: those with most rows, the rest as OTHER."""
        if not self.by:
            return {}
        sizes = {key[0]: len(group) for key, group in _groups(rows, [self.by[0].text]).items()}
        most = int(self.option.get("limit", "10")) or len(sizes)
        kept = sorted(sorted(sizes), key=lambda value: -sizes[value])[:most]
        return {value: value if value in kept else "OTHER" for value in sizes}

    def _cells(self, rows, columns, world):
        if not self.by:
            return {item.label: item.of(rows, world.now) for item in self.items}
        shown = {}
        for name in dict.fromkeys(columns.values()):
            mine = [row for row in rows if columns.get(text(row.get(self.by[0].text))) == name]
            for item in self.items:
                label = name if len(self.items) == 1 else f"{item.label}: {name}"
                shown[label] = item.of(mine, world.now)
        return shown


def _span(command):
    try:
        return span(command.option["span"])
    except ValueError as error:
        raise command.step.wrong(str(error)) from error


def _span_of(seconds):
    return float(next((one for one in _SPANS if seconds / one <= _COLUMNS), _SPANS[-1]))


def _floor(value, seconds):
    return None if value is None else value - value % seconds


def _keys(row, names):
    """The groups that a row is in: one for each value of a multivalue field; none where a field is missing."""
    values = [row.get(name) if isinstance(row.get(name), float) else many(row.get(name)) for name in names]
    return list(itertools.product(*(value if isinstance(value, list) else [value] for value in values)))


def _groups(rows, names):
    # Without `by` there is always one row, of no events too.
    found = {} if names else {(): []}
    for row in rows:
        for key in _keys(row, names):
            found.setdefault(key, []).append(row)
    return found


COMMANDS = {
    "bin": Bin,
    "bucket": Bin,
    "chart": Timechart,
    "eventstats": Stats,
    "stats": Stats,
    "timechart": Timechart,
}
