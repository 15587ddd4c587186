"""The terms of `search`: words, field=value, AND, OR, NOT, IN, brackets. Must not forgive what Splunk refuses.

What binds: brackets, then NOT, then OR, then AND, which may be left out (Search Manual, "Boolean expressions").
"""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING, Callable, Iterator, NamedTuple, Optional, Tuple

from tests.spl.syntax import SplError, unquoted
from tests.spl.values import many, number

if TYPE_CHECKING:
    from tests.spl.syntax import Text
    from tests.spl.values import Row

# Whether something known of an event lets a term be true; None where that is not known.
Judge = Callable[["Term"], Optional[bool]]

_TOKEN = re.compile(
    r"""[\s,]*(?:(?P<bracket>[()])|(?P<field>[\w.:{}@*-]+)\s*(?P<sign>!=|<=|>=|=|<|>)\s*"""
    r"""(?P<value>"(?:[^"\\]|\\.)*"|[^\s()",|]+)|(?P<string>"(?:[^"\\]|\\.)*")|(?P<word>[^\s()",|]+))""",
    re.DOTALL,
)
_ASSIGNED = re.compile(r"[^=<>!]+(!=|<=|>=|=|<|>)$")
TIMES = ("earliest", "latest", "_index_earliest", "_index_latest")


class Term(NamedTuple):
    """One term; the field of a bare word is empty, IN has several values."""

    field: str
    sign: str
    values: tuple[str, ...]
    place: int

    def fits(self, row: Row) -> bool:
        """Whether an event has it: values are compared without case, `*` is any text."""
        if not self.field:
            raw = row.get("_raw", "")
            return bool(re.search(pattern(f"*{self.values[0]}*"), str(raw).lower()))
        found = many(row.get(self.field))
        if self.sign in ("<", ">", "<=", ">="):
            return any(_ordered(one, self.sign, self.values[0]) for one in found)
        if self.sign == "!=":
            return bool(found) and not any(equal(one, self.values[0]) for one in found)
        return any(equal(one, wanted) for one in found for wanted in self.values)


class Terms(NamedTuple):
    """`and`, `or` or `not` over parts."""

    kind: str
    parts: tuple[Terms | Term, ...]

    def all(self) -> Iterator[Term]:
        """Every term in it."""
        for part in self.parts:
            if isinstance(part, Term):
                yield part
            else:
                yield from part.all()

    def judged(self, judge: Judge) -> bool | None:
        """What `judge` makes of all of it."""
        said = [judge(part) if isinstance(part, Term) else part.judged(judge) for part in self.parts]
        if self.kind == "not":
            return None if said[0] is None else not said[0]
        decides = self.kind == "or"
        if decides in said:
            return decides
        return None if None in said else not decides

    def fits(self, row: Row) -> bool:
        """Whether an event has it."""
        return bool(self.judged(lambda term: term.field in TIMES or term.fits(row)))


def pattern(wanted: str) -> str:
    """A value with wildcards as a regular expression."""
    return fnmatch.translate(wanted.lower().replace("[", "[[]").replace("?", "[?]"))


def equal(value: str, wanted: str) -> bool:
    """Whether a value is the one that is looked for."""
    return re.match(pattern(wanted), value.lower()) is not None


def parse(given: Text) -> Terms:
    """The terms of a search.

    Raises:
        SplError: it is malformed.
    """
    parser = _Parser(list(_tokens(given)), given.at(len(given.text)))
    found = parser.every()
    if parser.rest:
        raise SplError(f"the terms are malformed at {parser.rest[0][1]!r}", parser.rest[0][3])
    return found


# kind, text or field, sign and value, place
_Token = Tuple[str, str, Tuple[str, str], int]


def _tokens(given: Text) -> Iterator[_Token]:
    place = 0
    while given.text[place:].strip(" \t\r\n,"):
        found = _TOKEN.match(given.text, place)
        if found is None:
            raise SplError(f"the terms are malformed at {given.text[place:].strip()[:20]!r}", given.at(place))
        kind = found.lastgroup if found.lastgroup != "value" else "field"
        at = given.at(found.start(kind))
        if kind == "word" and _ASSIGNED.match(found.group("word")):
            raise SplError(f"a value is missing after {found.group('word')!r}", at)
        yield kind or "", found.group(kind or 0), (found.group("sign") or "", found.group("value") or ""), at
        place = found.end()


class _Parser:
    def __init__(self, tokens: list[_Token], end: int) -> None:
        self.rest, self._end = tokens, end

    def every(self) -> Terms:
        parts = []
        while self.rest and self.rest[0][1] != ")":
            parts.append(self._either())
            if self._take("AND") and not self.rest:
                raise SplError("AND has nothing after it", self._end)
        return Terms("and", tuple(parts))

    def _either(self) -> Terms | Term:
        parts = [self._one()]
        while self._take("OR"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else Terms("or", tuple(parts))

    def _one(self) -> Terms | Term:
        if not self.rest:
            raise SplError("the terms end too early", self._end)
        if self._take("NOT"):
            return Terms("not", (self._one(),))
        kind, text, (sign, value), place = self.rest.pop(0)
        if kind == "bracket":
            inner = self.every()
            if text != "(" or not self._take(")"):
                raise SplError("a bracket has no other", place)
            return inner
        if text in ("AND", "OR") or (kind == "word" and text.upper() == "IN"):
            raise SplError(f"{text} has nothing before it", place)
        if kind == "field":
            return Term(text, sign, (_plain(value),), place)
        if kind == "word" and self._take("IN"):
            return Term(text, "=", self._values(place), place)
        return Term("", "", (_plain(text),), place)

    def _values(self, place: int) -> tuple[str, ...]:
        if not self._take("("):
            raise SplError("IN takes values in brackets", place)
        found = []
        while self.rest and not self._take(")"):
            found.append(_plain(self.rest.pop(0)[1]))
        if not found:
            raise SplError("IN takes values in brackets", place)
        return tuple(found)

    def _take(self, word: str) -> bool:
        if self.rest and self.rest[0][0] in ("word", "bracket") and self.rest[0][1] == word:
            self.rest.pop(0)
            return True
        return False


def _plain(value: str) -> str:
    return unquoted(value) if value.startswith('"') else value


def _ordered(value: str, sign: str, wanted: str) -> bool:
    one, other = number(value), number(wanted)
    if one is None or other is None:
        return False
    return {"<": one < other, ">": one > other, "<=": one <= other, ">=": one >= other}[sign]
