"""Whether an alert matches a query of an action ("If alert matches a query"), as far as that can be told here. Must not guess.

A part of KQL: a field that the alert has, its value as a text, a number, true or false, wildcards in a value, ranges between numbers, and,
or, not, parentheses. The rest hangs on how Elasticsearch has indexed a field (addresses, dates, analysed texts, fields that it does
not index), so Elasticsearch alone could answer it: None here, and so is everything that hangs on it.
"""

from __future__ import annotations

import operator
import re
from collections import deque
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Optional

from parapet_elastic.rendering import lint_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Fields = dict[str, list[Any]]
    Answer = Optional[bool]
    Test = Callable[[Fields], Answer]

_TOKEN = re.compile(r'\s*(?:(?P<quoted>"(?:\\.|[^"\\])*")|(?P<sign><=|>=|[:<>()])|(?P<word>(?:\\.|[^\s:<>()"{}\\])+))')
_RANGES: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_WORDS = ("and", "or", "not")
_DEEPEST = 50
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?", re.ASCII)
# A number from here on may be a date in seconds or milliseconds.
_PERHAPS_A_DATE = 1e9
_DATE = re.compile(r"[0-9]{4}-[0-9]|now")
_IPV4 = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}", re.ASCII)
# Longer texts are perhaps not indexed (ignore_above).
_LONGEST = 256
# Analysed, nested or flattened fields, and such as the index of the alerts does not have.
_OTHER_FIELDS = re.compile(
    r"(?:.*\.)?(?:message|text)|event\.original|(?:winlog|gen_ai|threat\.enrichments|kibana\.alert\.rule\.parameters)(?:\..*)?"
    r"|.*[*\\].*|(?:.*\.)?(?:elf|macho|pe)\..*",
    re.DOTALL,
)


class Unknown(Exception):
    """It is no query that can be answered here."""


def matcher(query: str) -> Callable[[Mapping[str, Any]], Answer]:
    """Return a test of an alert's document, expanded as an action sees it; None is no answer, as for a field that it does not have.

    Raises:
        Unknown: There would never be an answer.
    """
    reader = _Reader(_tokens(query))
    test = reader.either(reader.expression)
    if reader.next:
        raise Unknown(f"at {reader.next[1]}")

    def matches(document: Mapping[str, Any]) -> Answer:
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

    def __init__(self, tokens: Iterable[tuple[str, str]]) -> None:
        self._tokens = deque(tokens)
        self._depth = 0

    @property
    def next(self) -> tuple[str, str] | None:
        return self._tokens[0] if self._tokens else None

    def _take(self, sign: str) -> bool:
        if self.next == ("sign", sign):
            self._tokens.popleft()
            return True
        return False

    def either(self, part: Callable[[], Test]) -> Test:
        tests = [self._both(part)]
        while self._take("or"):
            tests.append(self._both(part))
        return lambda fields: _any(test(fields) for test in tests)

    def _both(self, part: Callable[[], Test]) -> Test:
        tests = [self._deeper(part)]
        while self._take("and"):
            tests.append(self._deeper(part))
        return lambda fields: _not(_any(_not(test(fields)) for test in tests))

    def _deeper(self, part: Callable[[], Test]) -> Test:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Unknown("it is nested too deeply")
        test = self._but(part)
        self._depth -= 1
        return test

    def _but(self, part: Callable[[], Test]) -> Test:
        if self._take("not"):
            inner = self._deeper(part)
            return lambda fields: _not(inner(fields))
        return part()

    def expression(self) -> Test:
        if self._take("("):
            inner = self.either(self.expression)
            self._must(")")
            return inner
        _, name = self._literal()
        if _OTHER_FIELDS.fullmatch(name) or lint_names.about(f"context.alerts.{name}") != lint_names.KNOWN:
            raise Unknown(f"the field {name}")
        for sign, compare in _RANGES.items():
            if self._take(sign):
                return self._range(name, compare)
        self._must(":")
        return self._value(name)

    def _range(self, name: str, compare: Callable[[Any, Any], bool]) -> Test:
        _, limit = self._literal()
        if not _NUMBER.fullmatch(limit):
            raise Unknown("a range that is not one of numbers")
        return lambda fields: _any(_in_range(value, float(limit), compare) for value in fields.get(name, [None]))

    def _value(self, name: str) -> Test:
        if self._take("("):
            test = self.either(lambda: self._value(name))
            self._must(")")
            return test
        kind, wanted = self._literal()
        if (
            "/" in wanted
            or ":" in wanted
            or _DATE.match(wanted)
            or (kind == "word" and ("\\" in wanted or wanted == "null"))
        ):
            raise Unknown("an address, a date, an escape or null")
        if kind == "word" and "*" in wanted:
            pattern = re.sub(r"([?\[])", r"[\1]", wanted)
            return lambda fields: _any(_like(value, pattern) for value in fields.get(name, [None]))
        return lambda fields: _any(_equal(value, wanted) for value in fields.get(name, [None]))

    def _literal(self) -> tuple[str, str]:
        """Return a quoted text, or words up to the next sign as one."""
        if self.next is None or self.next[0] == "sign":
            raise Unknown("no value where one is needed")
        kind, text = self._tokens.popleft()
        words = [text]
        while kind == "word" and self.next is not None and self.next[0] == "word":
            words.append(self._tokens.popleft()[1])
        return kind, " ".join(words)

    def _must(self, sign: str) -> None:
        if not self._take(sign):
            raise Unknown(f"no {sign} where one is needed")


def _not(found: Answer) -> Answer:
    return None if found is None else not found


def _any(found: Iterable[Answer]) -> Answer:
    answers = set(found)
    return True if True in answers else None if None in answers else False


def _like(value: Any, pattern: str) -> Answer:
    if pattern == "*":
        return None if value is None or len(str(value)) > _LONGEST else True
    if not _is_keyword(value) or _IPV4.fullmatch(value):
        return None
    if fnmatchcase(value, pattern):
        return True
    return None if fnmatchcase(value.lower(), pattern.lower()) else False


def _equal(value: Any, wanted: str) -> Answer:
    if isinstance(value, bool):
        return value is (wanted == "true") if wanted in ("true", "false") else None
    text = str(value)
    if _NUMBER.fullmatch(text):
        return _same_number(text, wanted)
    if not _is_keyword(value):
        # The same text matches however it is indexed; another one may.
        return True if text == wanted and isinstance(value, str) and not _doubtful(value) else None
    if text == wanted:
        return True
    if _IPV4.fullmatch(text):
        return False if _IPV4.fullmatch(wanted) else None
    return None if text.lower() == wanted.lower() else False


def _same_number(text: str, wanted: str) -> Answer:
    if text == wanted:
        return True
    if not _NUMBER.fullmatch(wanted) or float(text) == float(wanted) or abs(float(text)) >= _PERHAPS_A_DATE:
        return None
    return False


def _doubtful(text: str) -> bool:
    return len(text) > _LONGEST or _DATE.match(text) is not None


def _is_keyword(value: Any) -> bool:
    """Return whether a value is a text that is one word however it is indexed, and neither a date nor an IPv6 address."""
    return isinstance(value, str) and not _doubtful(value) and not re.search(r"[\s:]", value)


def _in_range(value: Any, limit: float, compare: Callable[[Any, Any], bool]) -> Answer:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) >= _PERHAPS_A_DATE:
        return None
    return compare(value, limit)
