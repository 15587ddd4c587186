"""The commands that begin a search: search, from, rest, makeresults, and the app's own. Must not know what comes after them."""

from __future__ import annotations

import re

from tests.spl import terms
from tests.spl.command import Command
from tests.spl.values import moment, number
from tests.spl.world import DEFAULT_FIELDS, Fields


class Events(Command):
    """The terms that a search begins with."""

    begins = True

    def _read(self) -> None:
        self.terms = terms.parse(self.step.text)
        for term in self.terms.all():
            if term.field in terms.TIMES:
                self._moment(term, 0.0)

    def _moment(self, term, now):
        try:
            return moment(term.values[0], now)
        except ValueError as error:
            raise self.step.wrong(str(error), term.place) from error

    def kinds(self, world, but=None):
        """The sorts of events that it can find, `but` for one term; without index= those of the index that roles search by default."""
        names_index = any(term.field == "index" for term in self.terms.all())
        there = [kind for kind in world.kinds if names_index or kind.facts["index"] == ("main",)]
        return [kind for kind in there if self._may_find(kind, but)]

    def _may_find(self, kind, but):
        return self.terms.judged(lambda term: None if term is but else kind.judge(term)) is not False

    def _flow(self, have, world):
        asked = [term for term in self.terms.all() if term.field and term.field not in terms.TIMES]
        for term in asked:
            for value in term.values:
                self.need_value(term.field, value, term.place, world)
        kinds = self.kinds(world)
        known = DEFAULT_FIELDS.union(*(kind.all_fields for kind in kinds))
        for term in asked:
            # Where a field leaves nothing over, its name says more than that.
            others = kinds or self.kinds(world, term)
            self.need(Fields(known.union(*(kind.all_fields for kind in others))), [(term.field, term.place)])
        if not kinds:
            raise self.step.wrong("no event that is known here has all of these terms")
        return Fields(known, kinds=tuple((kind.name, kind.all_fields) for kind in kinds))

    def _run(self, rows, world):
        earliest, latest = world.earliest, world.latest
        for term in self.terms.all():
            if term.field == "earliest":
                earliest = self._moment(term, world.now)
            if term.field == "latest":
                latest = self._moment(term, world.now)
        found = [
            row for row in world.events if earliest <= (number(row["_time"]) or 0.0) <= latest and self.terms.fits(row)
        ]
        # Newest first, as Splunk gives them.
        return sorted(found, key=lambda row: number(row["_time"]) or 0.0, reverse=True)


class Made(Command):
    """A command that gives a table of its own: a data model, an answer of splunkd, the app's outbox."""

    begins = True
    options = (
        "summary",
        "tenant",
        "action",
        "id",
        "splunk_server",
        "count",
        "f",
        "search",
        "allow_old_summaries",
        "timeout",
    )

    def _read(self) -> None:
        given = "".join(word.text for word in self.words()).replace('"', "")
        if self.step.name == "makeresults":
            self.table = "makeresults"
        elif self.step.name in ("from", "datamodel"):
            found = re.fullmatch(r"(?:datamodel:?)?(\w+)\.(\w+)", given)
            if found is None:
                raise self.step.wrong('it takes a data model here: datamodel:"A.B"')
            self.table = f"datamodel:{found.group(1)}.{found.group(2)}"
        elif self.step.name == "rest":
            self.table = f"rest {given}"
        else:
            summary = " summary=true" if self.option.get("summary", "").lower() in ("1", "t", "true") else ""
            self.table = self.step.name + summary
            if given:
                raise self.step.wrong(f"it does not take {given!r}")

    def _flow(self, have, world):
        if self.table not in world.tables:
            raise self.step.wrong(f"nothing is known here of the fields of '{self.table}'")
        return Fields(world.tables[self.table])

    def _run(self, rows, world):
        if self.table == "makeresults":
            return [{"_time": world.now} for _ in range(int(self.option.get("count", "1")))]
        if self.table not in world.rows:
            raise self.step.wrong(f"there are no rows here for '{self.table}'")
        return [dict(row) for row in world.rows[self.table]]


class Addinfo(Command):
    """`addinfo`: what is known of the search itself, in every row."""

    def _read(self) -> None:
        if self.words():
            raise self.step.wrong("it takes no arguments")

    def _flow(self, have, world):
        return have.plus("info_min_time", "info_max_time", "info_sid", "info_search_time")

    def _run(self, rows, world):
        times = {"info_min_time": world.earliest, "info_max_time": world.latest, "info_search_time": world.now}
        return [{**row, **times, "info_sid": "1769614200.1"} for row in rows]


class Sendalert(Command):
    """`sendalert action param.x="…"`: hands the rows to an action, and gives them on."""

    def _read(self) -> None:
        given = self.words()
        if not given or "=" in given[0].text or not all(re.match(r"[\w.]+=", word.text) for word in given[1:]):
            raise self.step.wrong("it takes the name of an action and name=value")

    def _flow(self, have, world):
        return have

    def _run(self, rows, world):
        return rows


COMMANDS = {
    "addinfo": Addinfo,
    "from": Made,
    "makeresults": Made,
    "parapetoutbox": Made,
    "parapetoutboxedit": Made,
    "parapettest": Made,
    "rest": Made,
    "sendalert": Sendalert,
}
