"""The expressions of eval, where and stats' eval(): taken apart, and worked out for a row. Must not forgive what Splunk refuses."""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Any, Callable, Iterator, NamedTuple, Tuple

from tests.spl.functions import FUNCTIONS, call
from tests.spl.syntax import SplError, unquoted
from tests.spl.values import Row, Value, many, number, text

if TYPE_CHECKING:
    from tests.spl.syntax import Text

Run = Callable[[Row, float], Value]
Read = Tuple[str, int]

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*")|(?P<field>'[^']+')|(?P<number>\d+(?:\.\d+)?)"""
    r"""|(?P<name>[A-Za-z_]\w*)|(?P<sign>==|!=|<>|<=|>=|[=<>(),.+*/%-]))""",
    re.DOTALL,
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "==": operator.eq, "!=": operator.ne, "<>": operator.ne,
    "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
}  # fmt: skip
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "-": operator.sub, "*": operator.mul, "/": operator.truediv, "%": operator.mod,
}  # fmt: skip
_WORDS = {"AND", "OR", "XOR", "NOT", "LIKE", "IN"}


class Node(NamedTuple):
    """A part of an expression.

    Attributes:
        run: gives its value for a row.
        reads: the fields that it looks at, with their places.
        equals: what it compares a field with, as (field, text, place).
        is_boolean: it is true or false, so that no field can take it.
        literal: its text, where it is one.
    """

    run: Run
    reads: tuple[Read, ...] = ()
    equals: tuple[tuple[str, str, int], ...] = ()
    is_boolean: bool = False
    literal: str | None = None


class _Token(NamedTuple):
    kind: str
    text: str
    place: int


def parse(given: Text) -> Node:
    """One expression.

    Raises:
        SplError: it is malformed, or calls a function that is not known or with the wrong number of arguments.
    """
    parser = _Parser(list(_tokens(given)), given.at(len(given.text)))
    node = parser.either()
    if parser.rest:
        raise SplError(f"the expression is malformed at {parser.rest[0].text!r}", parser.rest[0].place)
    return node


def condition(given: Text) -> Node:
    """One expression that must be true or false."""
    node = parse(given)
    if not node.is_boolean:
        raise SplError("a condition must be true or false", given.at(0))
    return node


def _tokens(given: Text) -> Iterator[_Token]:
    place = 0
    while given.text[place:].strip():
        found = _TOKEN.match(given.text, place)
        if found is None or found.lastgroup is None:
            raise SplError(f"the expression is malformed at {given.text[place:].strip()[:20]!r}", given.at(place))
        yield _Token(found.lastgroup, found.group(found.lastgroup), given.at(found.start(found.lastgroup)))
        place = found.end()


class _Parser:
    """Recursive descent, loosest binding first: OR, AND, NOT, comparison, sum, product, operand."""

    def __init__(self, tokens: list[_Token], end: int) -> None:
        self.rest, self._end = tokens, end

    def either(self) -> Node:
        return self._chain(("OR",), lambda values: True in values, self._both)

    def _both(self) -> Node:
        return self._chain(("AND",), lambda values: all(value is True for value in values), self._negation)

    def _chain(self, wanted: tuple[str, ...], decide: Callable[[list[Value]], bool], part: Callable[[], Node]) -> Node:
        nodes = [part()]
        while self._take(*wanted):
            nodes.append(part())
        if len(nodes) == 1:
            return nodes[0]
        self._need_boolean(nodes)
        return _joined(nodes, lambda row, now: decide([node.run(row, now) for node in nodes]), is_boolean=True)

    def _negation(self) -> Node:
        if not self._take("NOT"):
            return self._comparison()
        node = self._negation()
        self._need_boolean([node])
        return _joined([node], lambda row, now: node.run(row, now) is not True, is_boolean=True)

    def _need_boolean(self, nodes: list[Node]) -> None:
        if not all(node.is_boolean for node in nodes):
            raise SplError("AND, OR and NOT take what is true or false", self.rest[0].place if self.rest else self._end)

    def _comparison(self) -> Node:
        left = self._sum()
        sign = self._take(*_COMPARE)
        if sign:
            return _compared(
                left, self._sum(), _COMPARE[sign.text], sign.place, is_equality=sign.text in ("=", "==", "!=")
            )
        if self._take("LIKE"):
            return self._called("like", [left, self._sum()], self._end)
        if self._take("IN"):
            self._need("(")
            return self._called("in", [left, *self._arguments()], self._end)
        return left

    def _sum(self) -> Node:
        node = self._product()
        sign = self._take("+", "-", ".")
        while sign:
            node = _added(sign.text, node, self._product())
            sign = self._take("+", "-", ".")
        return node

    def _product(self) -> Node:
        node = self._operand()
        sign = self._take("*", "/", "%")
        while sign:
            node = _worked(sign.text, node, self._operand())
            sign = self._take("*", "/", "%")
        return node

    def _operand(self) -> Node:
        if not self.rest:
            raise SplError("the expression ends too early", self._end)
        if self._take("("):
            node = self.either()
            self._need(")")
            return node
        if self._take("-"):
            return _worked("-", Node(lambda _row, _now: 0.0), self._operand())
        token = self.rest.pop(0)
        if token.kind == "string":
            literal = unquoted(token.text)
            return Node(lambda _row, _now: literal, literal=literal)
        if token.kind == "number":
            value = float(token.text)
            return Node(lambda _row, _now: value, literal=token.text)
        if token.kind == "name" and self._take("("):
            return self._called(token.text.lower(), self._arguments(), token.place)
        if token.kind == "sign" or token.text in _WORDS:
            raise SplError(f"the expression is malformed at {token.text!r}", token.place)
        name = token.text.strip("'")
        return Node(lambda row, _now: row.get(name), reads=((name, token.place),))

    def _arguments(self) -> list[Node]:
        found: list[Node] = []
        while not self._take(")"):
            if found:
                self._need(",")
            found.append(self.either())
        return found

    def _called(self, name: str, arguments: list[Node], place: int) -> Node:
        function = FUNCTIONS.get(name)
        if function is None:
            raise SplError(f"the function '{name}' is not known", place)
        if not function.least <= len(arguments) <= function.most or (name == "case" and len(arguments) % 2):
            raise SplError(f"the function '{name}' takes another number of arguments", place)
        conditions = arguments[::2] if name == "case" else arguments[:1] if name == "if" else []
        if not all(node.is_boolean for node in conditions):
            raise SplError(f"the function '{name}' takes what is true or false", place)
        equals = ()
        if name == "in" and arguments[0].reads:
            field = arguments[0].reads[0][0]
            equals = tuple((field, node.literal, place) for node in arguments[1:] if node.literal is not None)
        is_boolean = function.is_boolean or (name in ("if", "case") and all(node.is_boolean for node in arguments))
        node = _joined(
            arguments, lambda row, now: call(name, [one.run(row, now) for one in arguments], now), is_boolean=is_boolean
        )
        return node._replace(equals=node.equals + equals)

    def _take(self, *wanted: str) -> _Token | None:
        if self.rest and self.rest[0].kind in ("name", "sign"):
            word = self.rest[0].text
            if word in wanted or (word.upper() in wanted and word.upper() in _WORDS):
                return self.rest.pop(0)
        return None

    def _need(self, sign: str) -> None:
        if not self._take(sign):
            raise SplError(
                f"the expression is malformed: a {sign} is missing", self.rest[0].place if self.rest else self._end
            )


def _joined(nodes: list[Node], run: Run, *, is_boolean: bool = False) -> Node:
    return Node(
        run,
        tuple(read for node in nodes for read in node.reads),
        tuple(one for node in nodes for one in node.equals),
        is_boolean,
    )


def _compared(left: Node, right: Node, compare: Callable[[Any, Any], bool], place: int, *, is_equality: bool) -> Node:
    def run(row: Row, now: float) -> Value:
        one, other = left.run(row, now), right.run(row, now)
        if one is None or other is None:
            return None
        if isinstance(one, list) and not isinstance(other, list):
            return any(_pair(part, other, compare) for part in many(one))
        return _pair(one, other, compare)

    equals = ()
    if is_equality and len(left.reads) == 1 and right.literal is not None:
        equals = ((left.reads[0][0], right.literal, place),)
    node = _joined([left, right], run, is_boolean=True)
    return node._replace(equals=node.equals + equals)


def _pair(one: Value, other: Value, compare: Callable[[Any, Any], bool]) -> bool:
    numbers = number(one), number(other)
    if None in numbers:
        return compare(text(one), text(other))
    return compare(*numbers)


def _added(sign: str, left: Node, right: Node) -> Node:
    if sign == "-":
        return _worked(sign, left, right)

    def run(row: Row, now: float) -> Value:
        one, other = left.run(row, now), right.run(row, now)
        if one is None or other is None:
            return None
        numbers = number(one), number(other)
        return text(one) + text(other) if sign == "." or None in numbers else sum(numbers)  # type: ignore[arg-type]

    return _joined([left, right], run)


def _worked(sign: str, left: Node, right: Node) -> Node:
    def run(row: Row, now: float) -> Value:
        one, other = number(left.run(row, now)), number(right.run(row, now))
        if one is None or other is None or (sign in "/%" and not other):
            return None
        return _ARITHMETIC[sign](one, other)

    return _joined([left, right], run)
