"""What every command of SPL has: it is taken apart once, says what it does to the fields, and runs. Must not be a command itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Iterator

from tests.spl.syntax import SplError

if TYPE_CHECKING:
    from tests.spl.expression import Node
    from tests.spl.syntax import Step, Text, Word
    from tests.spl.world import Fields, Table, World

_NAME = re.compile(r"[A-Za-z_@][\w.:{}@-]*")
_WILDCARD = re.compile(r"[\w.:{}@*-]+")
_OPTION = re.compile(r"([a-z_]+)=(.*)", re.DOTALL)


class Command:
    """One command of a search.

    Subclasses set `options`, and give `_read`, `_flow` and `_run`.
    """

    options: tuple[str, ...] = ()
    #: Whether it begins a search.
    begins = False
    #: The columns behind it in their order, where it sets one.
    order: list[str] | None = None

    def __init__(self, step: Step) -> None:
        """Take it apart.

        Raises:
            SplError: Splunk would not run it.
        """
        self.step = step
        self.option: dict[str, str] = {}
        self._read()

    def flow(self, have: Fields, world: World) -> Fields:
        """The fields behind it, given those before it.

        Raises:
            SplError: it looks at one that nobody gives.
        """
        return self._flow(have, world)

    def run(self, rows: Table, world: World) -> Table:
        """The rows behind it."""
        return self._run(rows, world)

    def _read(self) -> None:
        raise NotImplementedError

    def _flow(self, have: Fields, world: World) -> Fields:
        raise NotImplementedError

    def _run(self, rows: Table, world: World) -> Table:
        raise NotImplementedError

    def words(self) -> list[Word]:
        """The arguments but for `name=value`, which go to `option`."""
        rest = []
        for word in self.step.words():
            found = None if word.is_quoted else _OPTION.fullmatch(word.text)
            if found and found.group(1) in self.options:
                self.option[found.group(1)] = found.group(2).strip('"')
            else:
                rest.append(word)
        return rest

    def names(self, given: list[Word], *, wildcards: bool = False) -> list[Word]:
        """Words that must be names of fields."""
        for word in given:
            if not word.is_quoted and not (_WILDCARD if wildcards else _NAME).fullmatch(word.text):
                raise self.step.wrong(f"{word.text!r} is no name of a field", word.place)
        return given

    def need(self, have: Fields, names: Iterator[tuple[str, int]] | list[tuple[str, int]]) -> None:
        """Every name must be a field that is there; a wildcard must fit one."""
        for name, place in names:
            if "*" in name:
                if not have.others and not matching(name, have.names):
                    raise self.step.wrong(f"no field fits '{name}'", place)
            elif have.lacks(name):
                raise self.step.wrong(f"nobody gives the field '{name}'", place)

    def need_all(self, have: Fields, names: list[Word]) -> None:
        """The same, for fields without which a row is dropped: every sort of event must have them."""
        self.need(have, [(word.text, word.place) for word in names])
        for word in names:
            lost = have.without(word.text)
            if lost:
                raise self.step.wrong(f"it drops every {lost[0]}, which has no '{word.text}'", word.place)

    def need_node(self, have: Fields, node: Node, world: World) -> None:
        """Every field of an expression must be there, and be compared with what it can be."""
        self.need(have, list(node.reads))
        for field, literal, place in node.equals:
            self.need_value(field, literal, place, world)

    def need_value(self, field: str, value: str, place: int, world: World) -> None:
        """A field whose values are a closed list must be compared with one of them."""
        known = world.values.get(field)
        if known is not None and not matching(value, known):
            raise self.step.wrong(f"'{value}' is no value of the field '{field}'", place)


def matching(name: str, names: frozenset[str]) -> list[str]:
    """The names that a name with wildcards means; Splunk's own hidden fields only where it begins with an underscore."""
    pattern = re.compile(re.escape(name).replace(r"\*", "(.*)"))
    return sorted(one for one in names if pattern.fullmatch(one) and one.startswith("_") <= name.startswith("_"))


def clauses(given: list[Word], *keywords: str) -> dict[str, list[Word]]:
    """Words divided at keywords; what stands before the first is under ""."""
    found: dict[str, list[Word]] = {"": []}
    current = ""
    for word in given:
        if word.low in keywords:
            if word.low in found:
                raise SplError(f"'{word.low}' stands twice", word.place)
            current = word.low
            found[current] = []
        else:
            found[current].append(word)
    return found


def inner(step: Step, word: Word) -> Text:
    """The text between the brackets of a word."""
    start = next(
        at
        for at in range(len(step.text.text))
        if step.text.at(at) == word.place and step.text.text.startswith(word.text, at)
    )
    first = word.text.index("(") if "(" in word.text else 0
    return step.text.part(start + first + 1, start + len(word.text) - 1)
