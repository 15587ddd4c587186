"""Reads templates as mustache.js 4.2 does: tags, sections, lines that have only a tag. Must not render them."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import groupby
from typing import Final

from parapet_elastic.rendering import javascript as js
from parapet_elastic.rendering.javascript import Thrown, Unsupported

_S: Final = f"[{js.WHITE}]"
_SPACES = re.compile(f"{_S}*")
_KIND = re.compile(r"[#^/>{&=!]")
_CURLY = re.compile(f"{_S}*\\}}")
_EQUALS = re.compile(f"{_S}*=")
_DEEPEST_SECTION: Final = 60


class Token:
    """A piece of a template.

    Attributes:
        kind: "text", "name", "&" (unescaped), "#", "^", ">", "!" or "=".
        value: The text, or what is in the tag.
        start, end: Where it is in the template.
        children: What is in a section.
        close: Where the tag that closes the section begins.
    """

    __slots__ = ("children", "close", "end", "kind", "start", "value")

    def __init__(self, kind: str, value: str, start: int, end: int) -> None:
        """Take what the parser has read; a section has nothing in it yet."""
        self.kind = kind
        self.value = value
        self.start = start
        self.end = end
        self.children: list[Token] = []
        self.close = end


class TemplateError(Thrown):
    """A template that mustache.js does not parse.

    Attributes:
        at: Where in the template.
    """

    def __init__(self, message: str, at: int) -> None:
        """Keep mustache.js's message and the place."""
        super().__init__(message)
        self.at = at


@lru_cache(maxsize=512)
def parse(template: str) -> list[Token]:
    """Return a template's tokens, sections with theirs in them; they must not be changed.

    Raises:
        TemplateError: mustache.js does not parse it; the text is its own.
        Unsupported: Its sections are nested too deeply.
    """
    return _nested(_Parser(template).run())


class _Parser:
    """Reads a template from its start to its end, line by line for the tags that stand alone on one."""

    def __init__(self, template: str) -> None:
        self.template = template
        self.pos = 0
        self.tokens: list[Token | None] = []
        self.spaces: list[int] = []
        self.has_tag = False
        self.has_more = False
        self.sections: list[Token] = []
        self._set_tags("{{ }}")

    def run(self) -> list[Token]:
        """Return all tokens, one after the other, neighbouring texts as one."""
        while self.pos < len(self.template):
            self._text()
            start = self.pos
            if not self._scan(self.opening):
                break
            self._tag(start)
        self._end_of_line()
        if self.sections:
            raise TemplateError(f'Unclosed section "{self.sections[-1].value}" at {self._units(self.pos)}', self.pos)
        return self._squashed()

    def _text(self) -> None:
        start = self.pos
        for at, character in enumerate(self._until(self.opening), start):
            if _SPACES.fullmatch(character):
                self.spaces.append(len(self.tokens))
            else:
                self.has_more = True
            self.tokens.append(Token("text", character, at, at + 1))
            if character == "\n":
                self._end_of_line()

    def _tag(self, start: int) -> None:
        self.has_tag = True
        kind = self._scan(_KIND) or "name"
        self._scan(_SPACES)
        if kind == "=":
            value = self._before("=")
            self._scan(_EQUALS)
            self._before(self.end)
        elif kind == "{":
            value = self._before("}" + self.end)
            self._scan(_CURLY)
            self._before(self.end)
            kind = "&"
        else:
            value = self._before(self.end)
        if not self._scan(self.closing):
            raise TemplateError(f"Unclosed tag at {self._units(self.pos)}", start)
        token = Token(kind, value, start, self.pos)
        self.tokens.append(token)
        if kind in "#^":
            self.sections.append(token)
            if len(self.sections) > _DEEPEST_SECTION:
                raise Unsupported(f"the template's sections are nested more than {_DEEPEST_SECTION} levels deep")
        elif kind == "/":
            self._close(token)
        elif kind in ("name", "&"):
            self.has_more = True
        elif kind == "=":
            self._set_tags(value)

    def _close(self, token: Token) -> None:
        if not self.sections:
            raise TemplateError(f'Unopened section "{token.value}" at {self._units(token.start)}', token.start)
        opened = self.sections.pop()
        if opened.value != token.value:
            raise TemplateError(f'Unclosed section "{opened.value}" at {self._units(token.start)}', token.start)

    def _set_tags(self, value: str) -> None:
        parts = re.split(f"{_S}+", value)[:2]
        if len(parts) != 2:
            raise TemplateError(f"Invalid tags: {value}", self.pos)
        opening, self.end = parts
        self.opening = re.compile(f"{re.escape(opening)}{_S}*")
        self.closing = re.compile(f"{_S}*{re.escape(self.end)}")

    def _end_of_line(self) -> None:
        """Drop the line's white space where it has a tag and nothing that is rendered."""
        if self.has_tag and not self.has_more:
            for index in self.spaces:
                self.tokens[index] = None
        self.spaces.clear()
        self.has_tag = self.has_more = False

    def _squashed(self) -> list[Token]:
        found: list[Token] = []
        there = [token for token in self.tokens if token is not None]
        for is_text, group in groupby(there, key=lambda token: token.kind == "text"):
            tokens = list(group)
            if is_text:
                whole = "".join([token.value for token in tokens])
                tokens = [Token("text", whole, tokens[0].start, tokens[-1].end)]
            found += tokens
        return found

    def _scan(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.template, self.pos)
        if not found:
            return ""
        self.pos = found.end()
        return found.group()

    def _until(self, pattern: re.Pattern[str]) -> str:
        found = pattern.search(self.template, self.pos)
        start, self.pos = self.pos, found.start() if found else len(self.template)
        return self.template[start : self.pos]

    def _before(self, sign: str) -> str:
        """Return what stands before a sign, without the white space at its end.

        Searching for both at once takes quadratic time.
        """
        start, end = self.pos, self.template.find(sign, self.pos)
        found = self.template[start:] if end < 0 else js.trim_end(self.template[start:end])
        self.pos = start + len(found)
        return found

    def _units(self, at: int) -> int:
        return js.length(self.template[:at])


def _nested(tokens: list[Token]) -> list[Token]:
    top: list[Token] = []
    sections: list[Token] = []
    for token in tokens:
        collector = sections[-1].children if sections else top
        if token.kind == "/":
            sections.pop().close = token.start
            continue
        collector.append(token)
        if token.kind in ("#", "^"):
            sections.append(token)
    return top
