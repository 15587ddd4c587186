"""The eval expressions of restmap.conf's validation stanzas: parsed, and evaluated as splunkd does.

Must not know a function that splunkd does not know, nor guess: what it cannot read is an `EvalError`.

Functions and their NULLs are those of the Search Reference ("Evaluation functions"). What public sources leave open about validation
is a `Reading`, so that tests can try an expression under each.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Mapping, NamedTuple, Optional, Union

Value = Union[str, float, bool, None]
Node = Callable[["Scope"], Value]

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*")|(?P<field>'[^']+')|(?P<number>\d+(?:\.\d+)?)"""
    r"""|(?P<name>[A-Za-z_][A-Za-z0-9_.]*)|(?P<sign>==|!=|<=|>=|[=<>(),]))""",
    re.DOTALL,
)
# PCRE that Python's re does not have, or reads in another way: an expression must do without.
_NOT_SHARED = re.compile(r"\\[zhHvRKQEGNpPX]|\(\?[>|&R#]|[*+?}]\+|\[\[:")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}


class EvalError(ValueError):
    """splunkd would not run this expression."""


class Reading(NamedTuple):
    """What is not settled about validation.

    Attributes:
        absent: a field that is not there is NULL, or (as the rule that Splunk ships for its webhook provides for) its own name.
        rules: the rules of the fields that were `sent` run, or `all`.
        logic: in AND and OR a NULL is `unknown`, or it makes the whole NULL (`strict`).
    """

    absent: str = "null"
    rules: str = "sent"
    logic: str = "unknown"


class Scope(NamedTuple):
    """What an expression is evaluated on."""

    settings: Mapping[str, str]
    reading: Reading

    def field(self, name: str) -> Value:
        """The value of a field."""
        return self.settings.get(name, name if self.reading.absent == "name" else None)


def compiled(text: str) -> Node:
    """An expression, ready to be evaluated.

    Raises:
        EvalError: it is malformed, or calls a function that is not known or with the wrong number of arguments.
    """
    parser = _Parser(_tokens(text))
    node = parser.either()
    if parser.rest:
        raise EvalError("The expression is malformed at " + parser.rest[0][1])
    return node


def _tokens(text: str) -> list[tuple[str, str]]:
    found, place = [], 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise EvalError("The expression is malformed at " + text[place:].strip())
        found.append((match.lastgroup, match.group(match.lastgroup)))
        place = match.end()
    return found


class _Parser:
    """Recursive descent, loosest binding first: OR, AND, NOT, comparison, operand."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.rest = tokens

    def either(self) -> Node:
        return self._chain("OR", True, self._both)

    def _both(self) -> Node:
        return self._chain("AND", False, self._negation)

    def _chain(self, word: str, decides: bool, part: Callable[[], Node]) -> Node:
        nodes = [part()]
        while self._take("name", word):
            nodes.append(part())
        return (
            nodes[0] if len(nodes) == 1 else lambda scope: _junction([_truth(n(scope)) for n in nodes], decides, scope)
        )

    def _negation(self) -> Node:
        if not self._take("name", "NOT"):
            return self._comparison()
        node = self._negation()

        def negate(scope: Scope) -> Value:
            value = _truth(node(scope))
            return None if value is None else not value

        return negate

    def _comparison(self) -> Node:
        left = self._operand()
        if not self.rest or self.rest[0][1] not in _COMPARE:
            return left
        compare = _COMPARE[self.rest.pop(0)[1]]
        right = self._operand()
        return lambda scope: _compared(compare, left(scope), right(scope))

    def _operand(self) -> Node:
        if self._take("sign", "("):
            node = self.either()
            self._need(")")
            return node
        kind, text = self.rest.pop(0) if self.rest else ("end", "its end")
        if kind == "string":
            literal = re.sub(r'\\(["\\])', r"\1", text[1:-1])
            return lambda _: literal
        if kind == "number":
            return lambda _: float(text)
        if kind == "field":
            return lambda scope: scope.field(text[1:-1])
        if kind == "name" and self._take("sign", "("):
            return self._call(text)
        raise EvalError("The expression is malformed at " + text)

    def _call(self, name: str) -> Node:
        if name not in _FUNCTIONS:
            raise EvalError(f"The '{name}' function is unsupported or undefined.")
        arguments: list[Node] = []
        while not self._take("sign", ")"):
            if arguments:
                self._need(",")
            arguments.append(self.either())
        count, function = _FUNCTIONS[name]
        if not count(len(arguments)):
            raise EvalError(f"The arguments to the '{name}' function are invalid.")
        return lambda scope: function([node(scope) for node in arguments])

    def _take(self, kind: str, text: str) -> bool:
        if self.rest and self.rest[0] == (kind, text):
            self.rest.pop(0)
            return True
        return False

    def _need(self, sign: str) -> None:
        if not self._take("sign", sign):
            raise EvalError(f"The expression is malformed: expected {sign}")


def _junction(values: list[Optional[bool]], decides: bool, scope: Scope) -> Value:
    if scope.reading.logic == "strict" and None in values:
        return None
    if decides in values:
        return decides
    return None if None in values else not decides


def _truth(value: Value) -> Optional[bool]:
    if value is None or isinstance(value, bool):
        return value
    raise EvalError(f"A condition must be true or false, not {value!r}.")


def _compared(compare: Callable[[Any, Any], bool], left: Value, right: Value) -> Value:
    if left is None or right is None:
        return None
    try:
        return compare(float(left), float(right))
    except ValueError:
        return compare(str(left), str(right))


def _case(values: list[Value]) -> Value:
    return next((then for when, then in zip(values[::2], values[1::2]) if _truth(when)), None)


def _validate(values: list[Value]) -> Value:
    return next((then for when, then in zip(values[::2], values[1::2]) if _truth(when) is False), None)


def _match(values: list[Value]) -> Value:
    subject, pattern = values
    if subject is None or pattern is None:
        return None
    if _NOT_SHARED.search(str(pattern)):
        raise EvalError(f"The stand-in does not read this regular expression as PCRE does: {pattern}")
    return re.search(str(pattern), str(subject), re.ASCII) is not None


def _isbool(values: list[Value]) -> Value:
    return str(values[0]).lower() in ("0", "1", "true", "false", "t", "f", "yes", "no")


def _if_present(function: Callable[..., Value]) -> Callable[[list[Value]], Value]:
    return lambda values: None if None in values else function(*map(str, values))


def _like(subject: str, pattern: str) -> Value:
    parts = [{"%": ".*", "_": "."}.get(char, re.escape(char)) for char in pattern]
    return re.match("".join(parts) + r"\Z", subject, re.DOTALL) is not None


def _exactly(number: int) -> Callable[[int], bool]:
    return lambda count: count == number


def _in_pairs(count: int) -> bool:
    return count > 0 and count % 2 == 0


# Name → how many arguments it takes, and what it does with their values.
_FUNCTIONS: dict[str, tuple[Callable[[int], bool], Callable[[list[Value]], Value]]] = {
    "case": (_in_pairs, _case),
    "coalesce": (bool, lambda values: next((value for value in values if value is not None), None)),
    "false": (_exactly(0), lambda _: False),
    "if": (_exactly(3), lambda values: values[1] if _truth(values[0]) else values[2]),
    "isbool": (_exactly(1), _isbool),
    "isnotnull": (_exactly(1), lambda values: values[0] is not None),
    "isnull": (_exactly(1), lambda values: values[0] is None),
    "len": (_exactly(1), _if_present(lambda text: float(len(text)))),
    "like": (_exactly(2), _if_present(_like)),
    "lower": (_exactly(1), _if_present(str.lower)),
    "match": (_exactly(2), _match),
    "null": (_exactly(0), lambda _: None),
    "replace": (_exactly(3), _if_present(lambda text, old, new: re.sub(old, new, text, flags=re.ASCII))),
    "true": (_exactly(0), lambda _: True),
    "validate": (_in_pairs, _validate),
}
