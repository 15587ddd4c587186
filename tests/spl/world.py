"""What a search meets: the events and their fields, data models, commands, macros, the clock. Must not know the commands of SPL.

`Kind` says what is known of a sort of events before there are any, so that a search can be checked without running it; the rows
are what it runs over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, List, Mapping, NamedTuple, Optional

from tests.spl.terms import TIMES, equal
from tests.spl.values import Row, moment

if TYPE_CHECKING:
    from tests.spl.terms import Term

#: What Splunk gives every event (Knowledge Manager Manual, "Use default fields").
DEFAULT_FIELDS = frozenset(
    ["_time", "_raw", "_indextime", "host", "source", "sourcetype", "index", "splunk_server", "linecount"]
)


class Kind(NamedTuple):
    """A sort of events.

    Attributes:
        facts: fields whose values are known, each with those that it can have.
        fields: every field that such an event may carry.
    """

    facts: Mapping[str, tuple[str, ...]]
    fields: frozenset[str]

    @property
    def name(self) -> str:
        """What to call it in a message."""
        return ", ".join(self.facts.get("event", ()) or self.facts.get("source", ()) or ("other events",))

    @property
    def all_fields(self) -> frozenset[str]:
        """With those that Splunk gives every event."""
        return self.fields | set(self.facts) | DEFAULT_FIELDS

    def judge(self, term: Term) -> bool | None:
        """Whether such an event can have a term: yes, no, or None where that depends on the event."""
        known = self.facts.get(term.field)
        if known is None:
            may = not term.field or term.field in self.all_fields or term.field in TIMES
            return None if may else False
        if term.sign not in ("=", "!="):
            return None
        fits = {any(equal(value, wanted) for wanted in term.values) for value in known}
        return None if len(fits) > 1 else fits.pop() == (term.sign == "=")


class Fields(NamedTuple):
    """The fields that a command may find.

    Attributes:
        names: them.
        others: there are others, whose names come out of the events.
        kinds: while each row is an event: the sorts there may be, each as its name and its fields.
    """

    names: frozenset[str]
    others: bool = False
    kinds: tuple[tuple[str, frozenset[str]], ...] = ()

    def plus(self, *names: str) -> Fields:
        """And these."""
        kinds = tuple((kind, fields | set(names)) for kind, fields in self.kinds)
        return Fields(self.names | set(names), self.others, kinds)

    def lacks(self, name: str) -> bool:
        """Whether nobody gives a field."""
        return name not in self.names and not self.others

    def without(self, name: str) -> list[str]:
        """The sorts of events that never have a field."""
        return [kind for kind, fields in self.kinds if name not in fields]


class World(NamedTuple):
    """See above.

    Attributes:
        macros: gives a macro's definition.
        kinds: the sorts of events there are.
        optional: by the name of an event the fields that its line leaves out where there is nothing to say.
        values: fields whose values are a closed list, for a search that compares them with something else.
        tables: what a command that begins a search gives, by the text that names it: `parapetoutbox`, a data model, a REST path.
        events: the events themselves.
        rows: the rows of a table, by the same names.
        now: the clock.
        earliest, latest: the time range of the search.
        lookups: the tables of `lookup` by their names, each with a row at least, and every column in each.
    """

    macros: Callable[[str], Optional[str]]
    kinds: tuple[Kind, ...]
    optional: Mapping[str, frozenset[str]]
    values: Mapping[str, frozenset[str]]
    tables: Mapping[str, frozenset[str]]
    events: tuple[Row, ...] = ()
    rows: Mapping[str, list[Row]] = {}
    now: float = 0.0
    earliest: float = 0.0
    latest: float = 0.0
    lookups: Mapping[str, list[Row]] = {}

    def over(self, earliest: str, latest: str) -> World:
        """The same, for a search over a time range."""
        return self._replace(earliest=moment(earliest, self.now) if earliest else 0.0, latest=moment(latest, self.now))


Table = List[Row]
