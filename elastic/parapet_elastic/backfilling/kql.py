"""Whether an alert matches a query of an action ("If alert matches a query"), as far as that can be told here. Must not guess.

A part of KQL: fields, values, wildcards, ranges, and, or, not, parentheses. For the rest (free text, nested `{ }`, analysed text
fields) there is no answer: Elasticsearch alone could give it.
"""

from __future__ import annotations

import operator
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Fields = dict[str, list[Any]]
    Test = Callable[[Fields], bool]

_TOKEN = re.compile(r'\s*(?:(?P<quoted>"(?:\\.|[^"\\])*")|(?P<sign><=|>=|[:<>()])|(?P<word>(?:\\.|[^\s:<>()"{}\\])+))')
_RANGES: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_WORDS = ("and", "or", "not")


class Unknown(Exception):
    """It is no query that can be answered here."""


def matcher(query: str) -> Callable[[Mapping[str, Any]], bool]:
    """Return a test of an alert's document, expanded as an action sees it.

    Raises:
        Unknown: The query cannot be answered here.
    """
    reader = _Reader(_tokens(query))
    test = reader.either(reader.expression)
    if reader.next:
        raise Unknown(f"at {reader.next[1]}")

    def matches(document: Mapping[str, Any]) -> bool:
        fields: Fields = {}
        _flatten(document, "", fields)
        return test(fields)

    return matches


def _flatten(value: Any, path: str, fields: Fields) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            _flatten(inner, f"{path}.{name}" if path else name, fields)
    elif isinstance(value, list):
        for one in value:
            _flatten(one, path, fields)
    elif value is not None:
        fields.setdefault(path, []).append(value)


def _tokens(query: str) -> list[tuple[str, str]]:
    found = []
    place = 0
    query = query.rstrip()
    while place < len(query):
        match = _TOKEN.match(query, place)
        if match is None:
            raise Unknown(f"at {query[place : place + 10]}")
        kind = str(match.lastgroup)
        text = match.group(kind)
        if kind == "quoted":
            text = re.sub(r"\\(.)", r"\1", text[1:-1])
        elif kind == "word" and text.lower() in _WORDS:
            kind, text = "sign", text.lower()
        found.append((kind, text))
        place = match.end()
    return found


class _Reader:
    """Goes through the tokens once."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens

    @property
    def next(self) -> tuple[str, str] | None:
        return self._tokens[0] if self._tokens else None

    def _take(self, sign: str) -> bool:
        if self.next == ("sign", sign):
            self._tokens.pop(0)
            return True
        return False

    def either(self, part: Callable[[], Test]) -> Test:
        tests = [self._both(part)]
        while self._take("or"):
            tests.append(self._both(part))
        return lambda fields: any(test(fields) for test in tests)

    def _both(self, part: Callable[[], Test]) -> Test:
        tests = [part()]
        while self._take("and"):
            tests.append(part())
        return lambda fields: all(test(fields) for test in tests)

    def expression(self) -> Test:
        if self._take("not"):
            inner = self.expression()
            return lambda fields: not inner(fields)
        if self._take("("):
            inner = self.either(self.expression)
            self._must(")")
            return inner
        _, name = self._literal()
        if name == "message" or name.endswith(".text"):
            raise Unknown("a text field")
        for sign, compare in _RANGES.items():
            if self._take(sign):
                _, limit = self._literal()
                return lambda fields: any(_in_range(value, limit, compare) for value in _values(fields, name))
        self._must(":")
        return self._value(name)

    def _value(self, name: str) -> Test:
        if self._take("("):
            test = self.either(lambda: self._value_part(name))
            self._must(")")
            return test
        return self._single(name)

    def _value_part(self, name: str) -> Test:
        if self._take("not"):
            inner = self._value_part(name)
            return lambda fields: not inner(fields)
        return self._value(name)

    def _single(self, name: str) -> Test:
        kind, wanted = self._literal()
        if kind == "word" and "\\" in wanted:
            raise Unknown("an escape")
        if kind == "word" and wanted == "*":
            return lambda fields: bool(_values(fields, name))
        if kind == "word" and "*" in wanted:
            pattern = re.sub(r"([?\[])", r"[\1]", wanted)
            return lambda fields: any(fnmatchcase(_text(value), pattern) for value in _values(fields, name))
        return lambda fields: any(_equal(value, wanted) for value in _values(fields, name))

    def _literal(self) -> tuple[str, str]:
        """Return a quoted text, or words up to the next sign as one."""
        if self.next is None or self.next[0] == "sign":
            raise Unknown("no value where one is needed")
        kind, text = self._tokens.pop(0)
        while kind == "word" and self.next is not None and self.next[0] == "word":
            text += " " + self._tokens.pop(0)[1]
        return kind, text

    def _must(self, sign: str) -> None:
        if not self._take(sign):
            raise Unknown(f"no {sign} where one is needed")


def _values(fields: Fields, name: str) -> list[Any]:
    if "*" not in name:
        return fields.get(name, [])
    return [value for key, found in fields.items() if fnmatchcase(key, name) for value in found]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _equal(value: Any, wanted: str) -> bool:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(value) == float(wanted)
        except ValueError:
            return False
    return _text(value) == wanted


def _in_range(value: Any, limit: str, compare: Callable[[Any, Any], bool]) -> bool:
    try:
        return compare(float(value), float(limit))
    except (TypeError, ValueError):
        return compare(_text(value), limit)
