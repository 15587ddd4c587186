"""The commands that choose, order and name rows and fields: fields, table, rename, sort, head, dedup, fillnull and their like.

Must not know a search's expressions; see `commands_eval`.
"""

from __future__ import annotations

import re

from tests.spl.command import Command, matching
from tests.spl.values import many, rank, text
from tests.spl.world import Fields


class Table(Command):
    """`table`: these columns and no others."""

    def _read(self) -> None:
        self.columns = self.names(self.words(), wildcards=True)
        if not self.columns:
            raise self.step.wrong("it takes names of fields")
        names = [word.text for word in self.columns]
        self.order = None if any("*" in name for name in names) else names

    def _flow(self, have, world):
        self.need(have, [(word.text, word.place) for word in self.columns])
        names = [name for word in self.columns for name in _meant(word.text, have.names)]
        return Fields(frozenset(names), others=have.others and any("*" in word.text for word in self.columns))

    def _run(self, rows, world):
        there = frozenset(name for row in rows for name in row)
        names = [name for word in self.columns for name in _meant(word.text, there)]
        return [{name: row.get(name) for name in names} for row in rows]


class FieldsCommand(Command):
    """`fields`: keeps these fields, or with a minus all but these."""

    def _read(self) -> None:
        given = self.words()
        self.sign = given.pop(0).text if given and given[0].text in ("+", "-") else "+"
        if given and not given[0].is_quoted and given[0].text[0] in "+-":
            self.sign, given[0] = given[0].text[0], given[0]._replace(text=given[0].text[1:])
        self.columns = self.names(given, wildcards=True)
        if not self.columns:
            raise self.step.wrong("it takes names of fields")

    def _kept(self, names):
        meant = {name for word in self.columns for name in _meant(word.text, names)}
        if self.sign == "-":
            return names - meant
        # Internal fields stay unless they are taken away by name.
        return {name for name in names if name in meant or name in ("_raw", "_time")}

    def _flow(self, have, world):
        self.need(have, [(word.text, word.place) for word in self.columns])
        kinds = tuple((kind, frozenset(self._kept(names))) for kind, names in have.kinds)
        return Fields(frozenset(self._kept(have.names)), have.others, kinds)

    def _run(self, rows, world):
        kept = self._kept(frozenset(name for row in rows for name in row))
        return [{name: value for name, value in row.items() if name in kept} for row in rows]


class Rename(Command):
    """`rename a as b`."""

    def _read(self) -> None:
        given = self.words()
        self.pairs = []
        while given:
            if len(given) < 3 or given[1].low != "as":
                raise self.step.wrong("it takes: field as field", given[0].place)
            self.pairs.append((given[0], given[2]))
            self.names([given[0]], wildcards=True)
            del given[:3]
        if not self.pairs:
            raise self.step.wrong("it takes: field as field")

    def _new(self, name):
        for old, new in self.pairs:
            found = re.fullmatch(re.escape(old.text).replace(r"\*", "(.*)"), name)
            if found:
                return new.text.replace("*", found.group(1)) if "*" in old.text else new.text
        return name

    def _flow(self, have, world):
        self.need(have, [(old.text, old.place) for old, _ in self.pairs])
        kinds = tuple((kind, frozenset(map(self._new, names))) for kind, names in have.kinds)
        return Fields(frozenset(map(self._new, have.names)), have.others, kinds)

    def _run(self, rows, world):
        return [{self._new(name): value for name, value in row.items()} for row in rows]


class Sort(Command):
    """`sort`: at most 10000 rows, unless a number stands first; 0 is all."""

    def _read(self) -> None:
        given = self.words()
        self.most = int(given.pop(0).text) if given and given[0].text.isdigit() else 10000
        self.keys, sign = [], "+"
        for word in given:
            if word.text in ("+", "-"):
                sign = word.text
                continue
            bare = word.text.lstrip("+-")
            mark = word.text[0] if bare != word.text else sign
            self.keys.append((bare, word.place, mark == "-"))
            sign = "+"
        if not self.keys or not all(re.fullmatch(r"[\w.:@{}]+", name) for name, _, _ in self.keys):
            raise self.step.wrong("it takes names of fields")

    def _flow(self, have, world):
        self.need(have, [(name, place) for name, place, _ in self.keys])
        return have

    def _run(self, rows, world):
        rows = list(rows)
        for name, _, is_down in reversed(self.keys):
            # What is missing is last in either order (Search Reference, sort).
            rows.sort(key=lambda row, name=name: rank(row.get(name)), reverse=is_down)
            rows.sort(key=lambda row, name=name: not many(row.get(name)))
        return rows[: self.most or None]


class Head(Command):
    """`head` and `tail`: some rows from the start, or from the end, which comes first then."""

    options = ("limit",)

    def _read(self) -> None:
        given = [word.text for word in self.words()] or [self.option.get("limit", "10")]
        if len(given) != 1 or not given[0].isdigit():
            raise self.step.wrong("it takes a number")
        self.most = int(given[0])

    def _flow(self, have, world):
        return have

    def _run(self, rows, world):
        return rows[: self.most] if self.step.name == "head" else rows[: -self.most - 1 : -1]


class Reverse(Command):
    """`reverse`."""

    def _read(self) -> None:
        if self.words():
            raise self.step.wrong("it takes no arguments")

    def _flow(self, have, world):
        return have

    def _run(self, rows, world):
        return rows[::-1]


class Dedup(Command):
    """`dedup`: the first row of each value; rows without the field go."""

    options = ("keepempty", "consecutive")

    def _read(self) -> None:
        given = self.words()
        self.count = int(given.pop(0).text) if given and given[0].text.isdigit() else 1
        if "consecutive" in self.option:
            raise self.step.wrong("consecutive is not known here")
        at = next((place for place, word in enumerate(given) if word.low == "sortby"), len(given))
        if given[at:]:
            raise self.step.wrong("sortby is not known here", given[at].place)
        self.columns = self.names(given)
        if not self.columns:
            raise self.step.wrong("it takes names of fields")

    def _flow(self, have, world):
        if "keepempty" in self.option:
            self.need(have, [(word.text, word.place) for word in self.columns])
        else:
            self.need_all(have, self.columns)
        # Each row is the newest of its group from here on, whatever its sort.
        return have._replace(kinds=())

    def _run(self, rows, world):
        seen, kept = {}, []
        for row in rows:
            key = tuple(text(row.get(word.text)) for word in self.columns)
            if all(many(row.get(word.text)) for word in self.columns):
                seen[key] = seen.get(key, 0) + 1
                kept += [row] if seen[key] <= self.count else []
            elif self.option.get("keepempty", "f")[0].lower() in "t1":
                kept.append(row)
        return kept


class Fillnull(Command):
    """`fillnull`: a value where there is none; without names, in every column of the result."""

    options = ("value",)

    def _read(self) -> None:
        self.columns = self.names(self.words())
        self.value = self.option.get("value", "0")

    def _flow(self, have, world):
        # A field that nobody gives is made: that is what fillnull is for, so it need not be there.
        return have.plus(*(word.text for word in self.columns))

    def _run(self, rows, world):
        names = [word.text for word in self.columns] or sorted({name for row in rows for name in row})
        return [{**row, **{name: self.value for name in names if not many(row.get(name))}} for row in rows]


class Mvexpand(Command):
    """`mvexpand`: a row for each value."""

    def _read(self) -> None:
        self.columns = self.names(self.words())
        if len(self.columns) != 1:
            raise self.step.wrong("it takes one field")

    def _flow(self, have, world):
        self.need(have, [(word.text, word.place) for word in self.columns])
        return have

    def _run(self, rows, world):
        name = self.columns[0].text
        return [{**row, name: value} for row in rows for value in (many(row.get(name)) or [row.get(name)])]


class Makemv(Command):
    """`makemv delim="," field`: one text becomes several."""

    options = ("delim", "allowempty", "setsv")

    def _read(self) -> None:
        self.columns = self.names(self.words())
        if len(self.columns) != 1 or set(self.option) - {"delim"}:
            raise self.step.wrong("it takes delim= and one field here")

    def _flow(self, have, world):
        self.need(have, [(word.text, word.place) for word in self.columns])
        return have

    def _run(self, rows, world):
        name, by = self.columns[0].text, self.option.get("delim", " ")
        return [
            {**row, name: [one for one in text(row.get(name)).split(by) if one]} if many(row.get(name)) else row
            for row in rows
        ]


def _meant(name, names):
    return matching(name, frozenset(names)) if "*" in name else [name]


COMMANDS = {
    "dedup": Dedup,
    "fields": FieldsCommand,
    "fillnull": Fillnull,
    "head": Head,
    "makemv": Makemv,
    "mvexpand": Mvexpand,
    "rename": Rename,
    "reverse": Reverse,
    "sort": Sort,
    "table": Table,
    "tail": Head,
}
