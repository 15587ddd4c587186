"""What JavaScript makes of JSON values: texts, JSON, property names. Must not know Mustache or Kibana."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NoReturn

from parapet_elastic.errors import Failure

WHITE: Final = "\t\n\v\f\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
"""What `\\s` and `trim` take for white space, as the inside of a character class (ECMA-262, WhiteSpace, LineTerminator)."""

DEEPEST: Final = 150
"""Levels of nesting that we follow. Elasticsearch's own default is 20 (index.mapping.depth.limit)."""

_SAFE: Final = 2**53
_LARGEST_INDEX: Final = 2**32 - 2
_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_WHITES = "".join(filter(re.compile(f"[{WHITE}]").match, map(chr, range(0x10000))))

# Names that change how an array works in JavaScript when a dotted name puts them there; an object is changed by "__proto__" only.
_NOT_FOLLOWED = frozenset({"__proto__", "length", "join", "toString", "toJSON"})


class Unsupported(Failure):
    """Something that Kibana can render and we cannot; said, so that nobody takes a wrong text for Kibana's."""


class Thrown(Exception):
    """A JavaScript exception; its text is the exception's message."""


class JsArray(list):  # type: ignore[type-arg]
    """An array, which in JavaScript is an object, too.

    Attributes:
        named: Its properties that are no elements.
        bare: Whether it lacks Kibana's `asJSON`.
    """

    def __init__(self, elements: Any = (), *, bare: bool = False) -> None:
        """Take the elements; there are no other properties yet."""
        super().__init__(elements)
        self.named: dict[str, Any] = {}
        self.bare = bare


class Bare(dict):  # type: ignore[type-arg]
    """An object without Kibana's `toString`."""


def has_text(value: Any) -> bool:
    """Return whether a value is an object with Kibana's `toString`."""
    return isinstance(value, dict) and not isinstance(value, Bare)


def bared(value: Any) -> Any:
    """Return a value whose objects and arrays have nothing of Kibana's."""
    if isinstance(value, dict):
        return Bare({key: bared(item) for key, item in value.items()})
    if isinstance(value, JsArray):
        found = JsArray((bared(item) for item in value), bare=True)
        found.named = bared(value.named)
        return found
    return value


def parsed(value: Any, depth: int = 0) -> Any:
    """Return `value` as JSON.parse(JSON.stringify(value)) would: key order, numbers, surrogate pairs.

    Raises:
        Unsupported: It is nested too deeply, or is not made of what JSON knows.
    """
    if depth > DEEPEST:
        raise Unsupported(f"the variables are nested more than {DEEPEST} levels deep")
    if isinstance(value, str):
        return joined(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return _double(value)
    if isinstance(value, Mapping):
        return in_order({joined(str(key)): parsed(item, depth + 1) for key, item in value.items()})
    if isinstance(value, (list, tuple)):
        return JsArray(parsed(item, depth + 1) for item in value)
    raise Unsupported(f"a variable is of the type {type(value).__name__}, which JSON does not know")


def _double(value: float) -> float | None:
    try:
        number = float(value)
    except OverflowError:
        return None
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() and abs(number) <= _SAFE else number


def is_index(name: str) -> bool:
    """Return whether JavaScript takes a property's name for a number."""
    return _INDEX.fullmatch(name) is not None and int(name) <= _LARGEST_INDEX


def in_order(value: dict[str, Any]) -> dict[str, Any]:
    """Return an object's properties in JavaScript's order: numbers first, ascending, then the others as they came."""
    numbers = [key for key in value if is_index(key)]
    if not numbers:
        return value
    numbers.sort(key=int)
    return {key: value[key] for key in [*numbers, *(key for key in value if not is_index(key))]}


def joined(text: str) -> str:
    """Return the text with each pair of surrogates made the one character that it is; lone ones stay."""
    if _SURROGATE.search(text):
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return text


def length(text: str) -> int:
    """Return how many UTF-16 units a text has."""
    return len(text) + sum(character > "\uffff" for character in text)


def unit(text: str, index: int) -> str:
    """Return one UTF-16 unit of a text."""
    return text.encode("utf-16-le", "surrogatepass")[2 * index : 2 * index + 2].decode("utf-16-le", "surrogatepass")


def trim(text: str) -> str:
    """Return the text without the white space at its ends, as String.prototype.trim does."""
    return text.strip(_WHITES)


def trim_end(text: str) -> str:
    """Return the text without the white space at its end."""
    return text.rstrip(_WHITES)


def number(value: float) -> str:
    """Return a number's text (ECMA-262, Number::toString): 73, 0.5, 1e+21, never 73.0."""
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(float(value)) if abs(value) > _SAFE else repr(value)).normalize().as_tuple()
    figures = "".join(map(str, digits))
    count = len(figures)
    point = count + int(exponent)
    if count <= point <= 21:
        text = figures + "0" * (point - count)
    elif 0 < point <= 21:
        text = f"{figures[:point]}.{figures[point:]}"
    elif -6 < point <= 0:
        text = "0." + "0" * -point + figures
    else:
        text = figures[0] + ("." + figures[1:] if count > 1 else "") + f"e{point - 1:+d}"
    return "-" * sign + text


def quote(text: str) -> str:
    """Return the text as JSON.stringify writes it: only what must be escaped is; lone surrogates are."""
    quoted = json.dumps(joined(text), ensure_ascii=False)
    return _SURROGATE.sub(lambda found: f"\\u{ord(found.group()):04x}", quoted)


def stringify(value: Any) -> str:
    """Return a value's JSON as JSON.stringify writes it, without a space."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, dict):
        return "{" + ",".join([f"{quote(key)}:{stringify(item)}" for key, item in in_order(value).items()]) + "}"
    if isinstance(value, list):
        return "[" + ",".join([stringify(item) for item in value]) + "]"
    return number(value) if math.isfinite(value) else "null"


def is_json(body: str) -> bool:
    """Return whether JSON.parse reads a text."""
    try:
        json.loads(body, parse_constant=no_constant)
    except (ValueError, RecursionError):
        return False
    return True


def no_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python's reader takes."""
    raise ValueError(f"{name} is no number of JSON")


def text(value: Any) -> str:
    """Return a value's text, where objects have Kibana's `toString` (their JSON) and arrays their own (`join`).

    Raises:
        Thrown: An object has a field `toString`, which is no function.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Bare):
        return "[object Object]"
    if isinstance(value, dict):
        if "toString" in value:
            raise Thrown("Cannot convert object to primitive value")
        return stringify(value)
    if isinstance(value, list):
        return ",".join(["" if item is None else text(item) for item in value])
    return stringify(value)


def truthy(value: Any) -> bool:
    """Return whether a value counts as true: an empty array and an empty object do."""
    return isinstance(value, (dict, list)) or bool(value)


def nested(key: str, value: Any) -> dict[str, Any]:
    """Return the objects that a dotted name stands for, the value innermost."""
    names = key.split(".")
    if "__proto__" in names:
        raise Unsupported(f'a variable\'s dotted name has a part that JavaScript gives a meaning: "{key}"')
    for name in reversed(names):
        value = {name: value}
    return value  # type: ignore[no-any-return]


def merge(into: Any, source: Any) -> None:
    """Put all of `source` into `into`, deeply, as lodash's `merge` does: arrays element by element, null over all."""
    for key, item in source.items() if isinstance(source, dict) else enumerate(source):
        if isinstance(item, (dict, list)):
            there = _get(into, key)
            if isinstance(item, list):
                if isinstance(there, dict) and "length" in there:
                    raise Unsupported(f'"{key}" is a list, and an object with a length at the same time')
                target: Any = there if isinstance(there, list) else JsArray()
            else:
                target = there if isinstance(there, (dict, list)) else {}
            merge(target, item)
            _set(into, key, target)
        else:
            _set(into, key, item)


def _get(owner: Any, key: Any) -> Any:
    if isinstance(owner, dict):
        return owner.get(str(key))
    index = int(key) if isinstance(key, int) or is_index(key) else None
    if index is None:
        return owner.named.get(key)
    return owner[index] if index < len(owner) else None


def _set(owner: Any, key: Any, item: Any) -> None:
    if isinstance(owner, dict):
        owner[str(key)] = item
    elif isinstance(key, str) and not is_index(key):
        if key in _NOT_FOLLOWED:
            raise Unsupported(f'a field is a list and has "{key}" in it at the same time')
        owner.named[key] = item
    elif int(key) < len(owner):
        owner[int(key)] = item
    elif int(key) == len(owner):
        owner.append(item)
    else:
        raise Unsupported(f"a field is a list and has a number {key} in it that leaves a gap")
