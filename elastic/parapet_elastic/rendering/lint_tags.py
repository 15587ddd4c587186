"""Judges a template's tags one by one: their names, their quotes, the sections around them. Must not render."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from parapet_elastic.rendering import lint_names as names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parapet_elastic.rendering.mustache_parser import Token

_LAMBDAS: Final = frozenset(names.FEATURES) - {"asJSON"}
_NO_COMMAS: Final = ("last", "first", "-last", "-first", "@last", "@first", "isLast", "hasNext")
# mustache.js 4 came with 8.17.x to 8.19, depending on the patch release.
_NEW_MUSTACHE: Final = (8, 19)


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a template.

    Attributes:
        level: "error" where a body is wrong or a field always empty, else "warning".
        line: The template's line, from 1 on.
        text: What it is and what to do, in one sentence.
    """

    level: str
    line: int
    text: str


def line_of(text: str, at: int) -> int:
    """Return the line of a place in a text, from 1 on."""
    return bisect_left(_ends(text), at) + 1


@lru_cache(maxsize=2)
def _ends(text: str) -> list[int]:
    return [found.start() for found in re.finditer("\n", text)]


class Tags:
    """One pass over a template's tokens."""

    def __init__(self, text: str, kibana: tuple[int, int] | None) -> None:
        """Take the template, and the Kibana that it is for."""
        self._text = text
        self._kibana = kibana
        self._found: list[Finding] = []
        self._scopes: list[str] = []
        self._loops = 0
        self._quoted = False
        self._in_lambda = False

    def check(self, tokens: Sequence[Token]) -> list[Finding]:
        """Return what is wrong with the tags."""
        self._siblings(tokens, None)
        return self._found

    def _say(self, level: str, token: Token, text: str) -> None:
        self._found.append(Finding(level, line_of(self._text, token.start), text))

    def _siblings(self, tokens: Sequence[Token], parent: Token | None) -> None:
        inverse = {token.value for token in tokens if token.kind == "^"}
        for at, token in enumerate(tokens):
            before = tokens[at - 1].value if at and tokens[at - 1].kind == "text" else ""
            after = tokens[at + 1].value if at + 1 < len(tokens) and tokens[at + 1].kind == "text" else ""
            if token.kind == "text":
                self._quotes(token.value)
            elif token.kind == ">":
                self._say(
                    "warning", token, f"{{{{>{token.value}}}}} is always empty: Kibana has no partials; take it out"
                )
            elif token.kind in ("name", "&"):
                self._name(token)
                self._value(token, parent, before, after)
            elif token.kind in ("#", "^"):
                self._section(token, before, after, alone=token.value not in inverse)

    def _quotes(self, text: str) -> None:
        escaped = False
        for character in text:
            if character == '"' and not escaped:
                self._quoted = not self._quoted
            escaped = character == "\\" and not escaped

    def _section(self, token: Token, before: str, after: str, *, alone: bool) -> None:
        if token.value in _NO_COMMAS:
            self._say(
                "error",
                token,
                f"Kibana does not know the last element of a list, so `{token.value}` is always empty; "
                "put {{#ParseHjson}} around the list, which allows a comma at its end",
            )
            return
        quoted, in_lambda = self._quoted, self._in_lambda
        if token.value in _LAMBDAS:
            self._in_lambda = in_lambda or token.value != "ParseHjson"
            self._siblings(token.children, None)
        else:
            self._name(token)
            if token.kind == "#":
                self._glued(token, before, after)
                self._scopes.append(self._from_the_top(token.value)[0])
                loop = self._scopes[-1] in names.ALERTS and not token.value.rpartition(".")[2].isdigit()
                self._loops += loop
            self._siblings(token.children, token if alone else None)
            if token.kind == "#":
                self._scopes.pop()
                self._loops -= loop
        self._quoted, self._in_lambda = quoted, in_lambda

    def _glued(self, token: Token, before: str, after: str) -> None:
        shown = [child for child in token.children if child.kind != "text"]
        text = "".join(child.value for child in token.children if child.kind == "text")
        between = before.rstrip().endswith('["') and after.lstrip().startswith('"')
        if between and '"' not in text and [child.value for child in shown] == ["."]:
            use = _use(token.value)
            said = (
                f'the elements of {token.value} are glued to one text; write {{{{{{{use}.asJSON}}}}}} without [" and "]'
            )
            list_of_one = f'{{{{#ParseHjson}}}}[{{{{#{use}}}}}"{{{{.}}}}",{{{{/{use}}}}}]{{{{/ParseHjson}}}}'
            self._say("error", token, f"{said}, or, where it may be one text, {list_of_one}")

    def _from_the_top(self, name: str) -> tuple[str, str]:
        """Return the full name that a name may stand for in this place, and what is known about it."""
        best = (names.plain(name), names.about(names.plain(name)))
        for scope in reversed(self._scopes):
            path = names.plain(f"{scope}.{name}")
            about = names.about(path)
            if about == names.KNOWN:
                return path, about
            if about == names.MAYBE and best[1] == names.UNKNOWN:
                best = (path, about)
        return best

    def _in_alerts(self) -> bool:
        return any(scope in names.ALERTS for scope in self._scopes)

    def _name(self, token: Token) -> None:
        name = token.value
        if name == "." or name in _LAMBDAS:
            return
        path, about = self._from_the_top(name)
        tag = f"{{{{{name}}}}}"
        if about == names.UNKNOWN:
            use = names.instead(names.plain(name))
            todo = f"use {{{{{use}}}}}" if use else "take it out, or check how it is written"
            if use in names.ALERTS:
                todo = f"use {{{{{{{use}.asJSON}}}}}} without quotes"
            self._say(
                "error", token, f"{tag} is always empty: Kibana gives no such variable to a rule's action; {todo}"
            )
        elif about == names.MAYBE:
            self._say(
                "warning", token, f"{tag} is no field that Kibana or ECS knows; it is empty unless your alerts have it"
            )
        elif name == "alert.id":
            said = (
                "{{alert.id}} is the rule's id in summary mode, the same for all alerts; use {{context.alerts.0._id}}"
            )
            self._say("warning", token, said)
        elif name == "alert.uuid":
            said = "{{alert.uuid}} is not the alert's id, but a new one each time; use {{context.alerts.0._id}}"
            self._say("warning", token, said)
        elif path.startswith("alerts.") and not self._scopes:
            said = f"{tag} is there in summary mode only; use {{{{state.signals_count}}}} or {{{{#context.alerts}}}}"
            self._say("warning", token, said)
        self._traps(token, path)

    def _traps(self, token: Token, path: str) -> None:
        name = token.value
        if self._in_alerts() and names.is_shadowed(name):
            use = "context.rule." + name[5:] if name.startswith("rule.") else "kibana.alert.rule.tags"
            said = f"in the alerts' section {{{{{name}}}}} is the event's own field where it has one, else the rule's"
            self._say("warning", token, f"{said}; use {{{{{use}}}}}")
        elif self._loops and name.startswith("context.alerts.0."):
            said = f"in the alerts' section {{{{{name}}}}} is the first alert's each time"
            self._say("warning", token, f"{said}; use {{{{{name[len('context.alerts.0.') :]}}}}}")
        last = name.rpartition(".")[2]
        if last.isdigit() and path not in names.ALERTS:
            said = f"{{{{{name}}}}} is one character where the field is one text and no list (Kibana 8.19 and newer)"
            self._say("warning", token, f"{said}; use {{{{{name[: -len(last) - 1]}}}}}")
        old = self._kibana is None or self._kibana < _NEW_MUSTACHE
        if last == "length" and self._scopes and old:
            said = f"{{{{{name}}}}} in a section is empty before Kibana 8.19 where the field is a text; use it for lists only"
            self._say("warning", token, said)

    def _value(self, token: Token, parent: Token | None, before: str, after: str) -> None:
        if self._in_lambda:
            return
        raw = token.kind == "&"
        if self._quoted:
            if raw:
                said = f"{{{{{{{token.value}}}}}}} in quotes breaks the body at the first quote or new line in it"
                self._say("error", token, f"{said}; write {{{{{token.value}}}}}")
            elif before.endswith('"') and after.startswith('"') and names.is_number(token.value):
                self._say("warning", token, f"the number {token.value} is sent as a text; {_pattern(token.value)}")
        elif raw:
            self._raw(token, before)
        else:
            self._bare(token, parent)

    def _raw(self, token: Token, before: str) -> None:
        name = token.value
        if name == "." or name.endswith((".asJSON", ".toString")):
            return
        if names.plain(name) in (*names.ALERTS, "context.rule.threat", "rule.params.threat"):
            if not before.rstrip().endswith("["):
                self._say(
                    "error", token, f"{{{{{{{name}}}}}}} is a list without its brackets; write [{{{{{{{name}}}}}}}]"
                )
            return
        said = f"{{{{{{{name}}}}}}} gives invalid JSON where it is empty, a text or a list"
        self._say("warning", token, f'{said}; write "{{{{{name}}}}}", or {{{{{{{name}.asJSON}}}}}} for a list')

    def _bare(self, token: Token, parent: Token | None) -> None:
        name = token.value
        if name.endswith(".asJSON"):
            said = f"{{{{{name}}}}} without quotes needs three braces, or its quotes are escaped"
            self._say("error", token, f"{said}; write {{{{{{{name}}}}}}}")
        elif name == ".":
            if parent is not None:
                said = f"nothing is left of {parent.value} where it is 0 or missing"
                self._say(
                    "error", token, f"{said}; put {{{{^{parent.value}}}}}0{{{{/{parent.value}}}}} behind the section"
                )
        elif not names.is_there(name):
            said = f"{{{{{name}}}}} is without quotes, and gives invalid JSON where it is empty or a text"
            self._say("error", token, f"{said}; put it in quotes, or, for a number, {_pattern(name)}")


def _use(name: str) -> str:
    """Return the name that Kibana has: this one, or the one to use in its place."""
    path = names.plain(name)
    return (names.instead(path) or name) if names.about(path) == names.UNKNOWN else name


def _pattern(name: str) -> str:
    name = _use(name)
    if name == "context.alerts.length":
        return f"write {{{{{name}}}}} without quotes"
    return f"write {{{{#{name}}}}}{{{{.}}}}{{{{/{name}}}}}{{{{^{name}}}}}0{{{{/{name}}}}} without quotes"
