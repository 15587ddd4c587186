"""The command that adds columns of a table to rows: lookup. Must not read a file; the tables are the world's."""

from __future__ import annotations

from tests.spl.command import Command
from tests.spl.values import many

_OUTPUTS = ("output", "outputnew")


class Lookup(Command):
    """`lookup table field [AS field] OUTPUT field [AS field] …`; a value that is in no row of the table adds nothing."""

    def _read(self) -> None:
        given = self.words()
        at = next((place for place, word in enumerate(given) if word.low in _OUTPUTS), len(given))
        self.table = given[0] if given else None
        self.keys, self.outputs = self._pairs(given[1:at]), self._pairs(given[at + 1 :])
        if not self.keys or not self.outputs:
            raise self.step.wrong("it takes a table, a field, OUTPUT, and a field here")

    def _pairs(self, given):
        """(name in the table, name in the rows), each as a word."""
        found = []
        while given:
            if len(given) > 2 and given[1].low == "as":
                found.append((given[0], given[2]))
                del given[:3]
            else:
                found.append((given[0], given[0]))
                del given[:1]
        self.names([word for pair in found for word in pair])
        return found

    def _flow(self, have, world):
        rows = world.lookups.get(self.table.text)
        if rows is None:
            raise self.step.wrong(f"no lookup is named '{self.table.text}'", self.table.place)
        for column, _ in (*self.keys, *self.outputs):
            if column.text not in rows[0]:
                raise self.step.wrong(f"the lookup has no field '{column.text}'", column.place)
        self.need(have, [(name.text, name.place) for _, name in self.keys])
        for _, name in self.outputs:
            # What becomes of a value that is there already, where the table has none, is not documented.
            if name.text in have.names:
                raise self.step.wrong(f"there is a field '{name.text}' already", name.place)
        return have.plus(*(name.text for _, name in self.outputs))

    def _run(self, rows, world):
        return [{**row, **self._added(row, world.lookups[self.table.text])} for row in rows]

    def _added(self, row, table):
        # transforms.conf.spec: case_sensitive_match is true, and max_matches is 1000 where no time counts.
        fitting = [
            line for line in table if all(line[column.text] in many(row.get(name.text)) for column, name in self.keys)
        ]
        values = {
            name.text: [line[column.text] for line in fitting if line[column.text]] for column, name in self.outputs
        }
        return {name: found[0] if len(found) == 1 else found for name, found in values.items() if found}


COMMANDS = {"lookup": Lookup}
