"""The functions of eval and where that shipped searches use, as the Search Reference describes them ("Evaluation functions").

Must not guess: a function that is not here is not known, and whoever uses it adds it.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Callable, NamedTuple
from urllib.parse import unquote

from tests.spl.values import date, many, moment, number, text

if TYPE_CHECKING:
    from tests.spl.values import Value

_GROUP = re.compile(r"\(\?<(?=[A-Za-z_])")
_MOST = 999


class Function(NamedTuple):
    """How many arguments it takes, what it does with their values, and whether it says yes or no."""

    least: int
    most: int
    run: Callable[..., Value]
    is_boolean: bool = False


def pattern(regex: str) -> str:
    """A regular expression of Splunk's as Python writes it."""
    return _GROUP.sub("(?P<", regex)


def call(name: str, values: list[Value], now: float) -> Value:
    """Call one."""
    if name in ("now", "time"):
        return now
    if name == "relative_time":
        start = number(values[0])
        return None if start is None else moment(text(values[1]), start)
    return FUNCTIONS[name].run(*values)


def _present(function: Callable[..., Value]) -> Callable[..., Value]:
    """NULL where an argument is NULL."""
    return lambda *values: None if None in values else function(*values)


def _numbers(function: Callable[..., Value]) -> Callable[..., Value]:
    """The same, and where one is no number."""

    def run(*values: Value) -> Value:
        found = [number(value) for value in values]
        return None if None in found else function(*found)

    return run


def _texts(function: Callable[..., Value]) -> Callable[..., Value]:
    return _present(lambda *values: function(*map(text, values)))


def _case(*values: Value) -> Value:
    return next((then for when, then in zip(values[::2], values[1::2]) if when is True), None)


def _round(value: float, digits: float = 0) -> Value:
    # Half away from zero, unlike Python.
    factor = 10 ** int(digits)
    return math.copysign(math.floor(abs(value) * factor + 0.5) / factor, value)


def _tostring(value: Value, form: Value = "") -> Value:
    found = number(value)
    if form == "" or found is None:
        return text(value)
    if form == "commas":
        return f"{found:,.2f}".rstrip("0").rstrip(".") if found % 1 else f"{int(found):,}"
    if form == "duration":
        days, rest = divmod(int(found), 86400)
        clock = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
        return f"{days}+{clock}" if days else clock
    raise ValueError(f"tostring is not known here with {form!r}")


def _strftime(value: Value, form: Value) -> Value:
    found = number(value)
    if found is None:
        return None
    ms = f"{int(found * 1000 + 0.5) % 1000:03d}"
    ready = (
        text(form).replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S").replace("%3N", ms).replace("%s", str(int(found)))
    )
    return date(found).strftime(ready)


def _like(value: str, wanted: str) -> bool:
    parts = [{"%": ".*", "_": "."}.get(char, re.escape(char)) for char in wanted]
    return re.match("".join(parts) + r"\Z", value, re.DOTALL) is not None


def _list(found: list[str]) -> Value:
    return None if not found else found[0] if len(found) == 1 else found


def _mvindex(value: Value, first: Value, last: Value = None) -> Value:
    found, start = many(value), int(number(first) or 0)
    end = start if last is None else int(number(last) or 0)
    return _list(found[start : (end + 1) or None])


def _extreme(choose: Callable[[Any], Any]) -> Callable[..., Value]:
    return lambda *values: choose([found for found in map(number, values) if found is not None])


def _same(value: Value, other: Value) -> bool:
    return text(value) == text(other)


FUNCTIONS: dict[str, Function] = {
    "abs": Function(1, 1, _numbers(abs)),
    "case": Function(2, _MOST, _case),
    "ceiling": Function(1, 1, _numbers(math.ceil)),
    "coalesce": Function(1, _MOST, lambda *values: next((value for value in values if value is not None), None)),
    "false": Function(0, 0, lambda: False, is_boolean=True),
    "floor": Function(1, 1, _numbers(math.floor)),
    "if": Function(3, 3, lambda when, then, other: then if when is True else other),
    "in": Function(2, _MOST, lambda value, *rest: any(_same(value, one) for one in rest), is_boolean=True),
    "isnotnull": Function(1, 1, lambda value: value is not None, is_boolean=True),
    "isnull": Function(1, 1, lambda value: value is None, is_boolean=True),
    "isnum": Function(1, 1, lambda value: number(value) is not None, is_boolean=True),
    "len": Function(1, 1, _texts(lambda value: float(len(value)))),
    "like": Function(2, 2, _texts(_like), is_boolean=True),
    "lower": Function(1, 1, _texts(str.lower)),
    "match": Function(2, 2, _texts(lambda value, regex: bool(re.search(pattern(regex), value))), is_boolean=True),
    "max": Function(1, _MOST, _extreme(max)),
    "min": Function(1, _MOST, _extreme(min)),
    "mvappend": Function(1, _MOST, lambda *values: _list([one for value in values for one in many(value)])),
    "mvcount": Function(1, 1, lambda value: float(len(many(value))) if value is not None else None),
    "mvdedup": Function(1, 1, lambda value: _list(list(dict.fromkeys(many(value))))),
    "mvindex": Function(2, 3, _mvindex),
    "mvjoin": Function(2, 2, _present(lambda value, by: text(by).join(many(value)))),
    "mvsort": Function(1, 1, lambda value: _list(sorted(many(value)))),
    "now": Function(0, 0, lambda: None),
    "null": Function(0, 0, lambda: None),
    "nullif": Function(2, 2, lambda value, other: None if _same(value, other) else value),
    "pow": Function(2, 2, _numbers(pow)),
    "relative_time": Function(2, 2, lambda *_: None),
    "replace": Function(3, 3, _texts(lambda value, regex, new: re.sub(pattern(regex), new, value))),
    "round": Function(1, 2, _numbers(_round)),
    "split": Function(2, 2, _texts(lambda value, by: _list(value.split(by)))),
    "strftime": Function(2, 2, _strftime),
    "substr": Function(2, 3, _present(lambda value, start, *most: _substr(text(value), start, *most))),
    "time": Function(0, 0, lambda: None),
    "tonumber": Function(1, 1, _numbers(float)),
    "tostring": Function(1, 2, _present(_tostring)),
    "trim": Function(1, 2, _texts(str.strip)),
    "true": Function(0, 0, lambda: True, is_boolean=True),
    "upper": Function(1, 1, _texts(str.upper)),
    "urldecode": Function(1, 1, _texts(unquote)),
}


def _substr(value: str, start: Value, most: Value = None) -> str:
    # Places count from one, and from the end where they are negative.
    first = int(number(start) or 0)
    begin = first - 1 if first > 0 else max(len(value) + first, 0)
    return value[begin:] if most is None else value[begin : begin + int(number(most) or 0)]
