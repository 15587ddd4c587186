"""Kibana's lambdas: FormatDate, ParseHjson, EncodeURI, EncodeURIComponent. Must not give a text that Kibana would not.

What they do is in Kibana's mustache_lambdas.ts (beside mustache_renderer.ts), the dates in moment's documentation
(https://momentjs.com/docs/#/displaying/format/). EvalMath and FormatNumber need libraries that cannot be had here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import hjson

from parapet_elastic.rendering import javascript as js
from parapet_elastic.rendering.javascript import Unsupported
from parapet_elastic.rendering.moment import format_date
from parapet_elastic.rendering.mustache import Lambda

if TYPE_CHECKING:
    from collections.abc import Callable

    Render = Callable[[str], str]

_URI: Final = ";/?:@&=+$,-_.!~*'()#"
_URI_COMPONENT: Final = "-_.!~*'()"
_QUOTED = re.compile(r'"(?:\\.|[^"\\\n])*"')
# Where the Hjson of Python and of JavaScript part: texts of several lines, control characters, `1.`, a root without braces.
_TWO_WAYS = re.compile(
    r"'''|[\x00-\x08\x0b\x0c\x0e-\x1f]|[0-9]\.(?![0-9])|^(?:\s|(?:#|//).*\n|/\*(?:[^*]|\*(?!/))*\*/)*[^\s\[{#/]"
)
_DEFAULT_ZONE: Final = "UTC"
_DEFAULT_FORMAT: Final = "YYYY-MM-DD hh:mma"


def _parse_hjson(text: str, render: Render) -> str:
    """Read the rendered text as Hjson, and return its JSON.

    The end of the error's text, from the colon on, is the Hjson library's own and is not quite JavaScript's.
    """
    source = js.joined(render(js.trim(text)))
    if _TWO_WAYS.search(_QUOTED.sub('""', source)):
        raise Unsupported(
            "this Hjson is not read alike by all who read Hjson, so what Kibana makes of it cannot be shown here",
            todo="Put { } or [ ] around all of it, and texts in double quotes.",
        )
    try:
        value = hjson.loads(source)
    except hjson.HjsonDecodeError as exc:
        return f'error parsing Hjson "{source}": {exc}'
    except RecursionError:
        raise Unsupported("the Hjson is nested too deeply") from None
    except IndexError:
        raise Unsupported("the Hjson ends where the library that reads it here does not expect it") from None
    return js.stringify(js.parsed(value))


def _format_date(text: str, render: Render) -> str:
    """Return a date in the zone and the format that follow it: `{{date}}; Europe/Berlin; DD.MM.YYYY`."""
    parts = [js.trim(part) for part in js.trim(render(js.trim(text))).split(";")[:3]]
    date, zone, form = [*parts, "", ""][:3]
    return format_date(date, zone or _DEFAULT_ZONE, form or _DEFAULT_FORMAT)


def _encoder(name: str, safe: str) -> Callable[[str, Render], str]:
    def encode(text: str, render: Render) -> str:
        source = js.joined(render(text))
        try:
            return quote(source, safe=safe)
        except UnicodeEncodeError:
            return f'error evaluating {name}("{source}"): URI malformed'

    return encode


def _not_here(name: str) -> Callable[[str, Render], str]:
    def refuse(_text: str, _render: Render) -> str:
        raise Unsupported(
            f"the template uses {name}, which only Kibana can do; what it gives cannot be shown here",
            todo=f"Try it in Kibana, or do without {name}.",
        )

    return refuse


def _number(text: str, render: Render) -> str:
    """Stand in for what gives a number; what is inside may be wrong in itself."""
    render(text)
    return "1"


_WORK: Final[dict[str, Callable[[str, Render], str]]] = {
    "FormatDate": _format_date,
    "ParseHjson": _parse_hjson,
    "EncodeURI": _encoder("encodeURI", _URI),
    "EncodeURIComponent": _encoder("encodeURIComponent", _URI_COMPONENT),
    "EvalMath": _not_here("EvalMath"),
    "FormatNumber": _not_here("FormatNumber"),
}
LAMBDAS: Final[dict[str, Any]] = {name: Lambda(work) for name, work in _WORK.items()}
"""The lambdas as variables: name -> Lambda."""

WITH_STAND_INS: Final[dict[str, Any]] = {**LAMBDAS, "EvalMath": Lambda(_number), "FormatNumber": Lambda(_number)}
"""The same, with some number where only Kibana knows which: for who looks at the rest of the body."""
