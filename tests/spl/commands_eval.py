"""The commands with expressions and terms in them: search, where, eval, rex; and those with a search in them: append, join.

Must not know where events come from; see `commands_start`.
"""

from __future__ import annotations

import re

from tests.spl import expression, terms
from tests.spl.command import Command, inner
from tests.spl.functions import pattern
from tests.spl.syntax import SplError
from tests.spl.values import many, text
from tests.spl.world import Fields

_ASSIGNMENT = re.compile(r"""\s*(?:"([^"]+)"|'([^']+)'|([A-Za-z_][\w.:{}]*))\s*=(?!=)""")


class Where(Command):
    """`where`: the rows for which an expression is true."""

    def _read(self) -> None:
        self.node = expression.condition(self.step.text)

    def _flow(self, have, world):
        self.need_node(have, self.node, world)
        return have

    def _run(self, rows, world):
        return [row for row in rows if self.node.run(row, world.now) is True]


class Eval(Command):
    """`eval a=…, b=…`: each sees those before it."""

    def _read(self) -> None:
        self.pairs = []
        for part in _parts(self.step.text):
            found = _ASSIGNMENT.match(part.text)
            if found is None:
                raise self.step.wrong("it takes: field = expression", part.at(0))
            node = expression.parse(part.part(found.end()))
            if node.is_boolean:
                raise self.step.wrong("Fields cannot be assigned a boolean result. Use if().", part.at(0))
            self.pairs.append((found.group(1) or found.group(2) or found.group(3), node))

    def _flow(self, have, world):
        for name, node in self.pairs:
            self.need_node(have, node, world)
            have = have.plus(name)
        return have

    def _run(self, rows, world):
        made = []
        for row in map(dict, rows):
            for name, node in self.pairs:
                row[name] = node.run(row, world.now)
            made.append(row)
        return made


class Search(Command):
    """`search` behind a pipe."""

    def _read(self) -> None:
        self.terms = terms.parse(self.step.text)

    def _flow(self, have, world):
        for term in self.terms.all():
            if term.field:
                self.need(have, [(term.field, term.place)])
                for value in term.values:
                    self.need_value(term.field, value, term.place, world)
        return have

    def _run(self, rows, world):
        return [row for row in rows if self.terms.fits(row)]


class Rex(Command):
    """`rex field=x "(?<name>…)"`."""

    options = ("field", "max_match", "mode")

    def _read(self) -> None:
        given = self.words()
        if len(given) != 1 or not given[0].is_quoted or "mode" in self.option:
            raise self.step.wrong("it takes field= and one regular expression in quotes here")
        # In a string of SPL a backslash stands for itself unless it escapes a quote.
        try:
            self.regex = re.compile(pattern(given[0].text))
        except re.error as error:
            raise self.step.wrong(f"no regular expression: {error}", given[0].place) from error
        if not self.regex.groupindex:
            raise self.step.wrong("the regular expression names no field", given[0].place)

    def _flow(self, have, world):
        self.need(have, [(self.option.get("field", "_raw"), self.step.place)])
        return have.plus(*self.regex.groupindex)

    def _run(self, rows, world):
        made = []
        for row in rows:
            found = self.regex.search(text(row.get(self.option.get("field", "_raw"))))
            made.append({**row, **{k: v for k, v in found.groupdict().items() if v is not None}} if found else row)
        return made


class Inner(Command):
    """`append`, `appendcols` and `join`, each with a search in brackets."""

    options = ("type", "max", "overwrite", "maxout", "maxtime", "left", "right", "usetime", "earlier")
    #: Takes the bracketed text to a pipeline; set by `pipeline`, which knows all commands.
    pipeline = None

    def _read(self) -> None:
        given = self.words()
        if not given or not given[-1].text.startswith("["):
            raise self.step.wrong("it takes a search in brackets")
        self.inner = Inner.pipeline(inner(self.step, given[-1]))
        self.columns = self.names(given[:-1])
        if bool(self.columns) != (self.step.name == "join"):
            raise self.step.wrong("join takes fields, the others none")
        if self.option.get("type", "inner") not in ("inner", "left", "outer"):
            raise self.step.wrong(f"no type of a join: {self.option['type']}")

    def _flow(self, have, world):
        added = self.inner.flow(world)
        for side in (have, added):
            self.need(side, [(word.text, word.place) for word in self.columns])
        return Fields(have.names | added.names, have.others or added.others)

    def _run(self, rows, world):
        added = self.inner.run(world)
        if self.step.name == "append":
            return [*rows, *added]
        if self.step.name == "appendcols":
            longest = max(len(rows), len(added))
            padded = [*rows, *({} for _ in range(longest - len(rows)))]
            return [{**extra, **row} for row, extra in zip(padded, [*added, *({} for _ in range(longest))])]
        names = [word.text for word in self.columns]
        by_key = {}
        for row in added:
            by_key.setdefault(tuple(tuple(many(row.get(name))) for name in names), row)
        keyed = [(row, by_key.get(tuple(tuple(many(row.get(name))) for name in names))) for row in rows]
        outer = self.option.get("type", "inner") != "inner"
        return [{**row, **(other or {})} for row, other in keyed if other is not None or outer]


def _parts(given):
    """An eval's assignments: divided at commas outside of quotes and brackets."""
    start, depth, end = 0, 0, 0
    while end < len(given.text):
        quoted = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'', re.DOTALL).match(given.text, end)
        char = given.text[end]
        depth += (char in "([") - (char in ")]") if not quoted else 0
        if char == "," and not depth:
            yield given.part(start, end)
            start = end + 1
        end = quoted.end() if quoted else end + 1
    if not given.text[start:].strip():
        raise SplError("an expression is missing", given.at(start))
    yield given.part(start)


COMMANDS = {
    "append": Inner,
    "appendcols": Inner,
    "eval": Eval,
    "join": Inner,
    "rex": Rex,
    "search": Search,
    "where": Where,
}
