"""Parses and renders templates as mustache.js 4.2 does. Must not know what Kibana adds to it.

Where mustache.js 2.3.2, which Kibana had before 8.17, gives another text: it keeps the white space of a last line that
has only a section's tag, and it does not find the length or the characters of a text in an inner context.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from parapet_elastic import javascript as js
from parapet_elastic.javascript import Thrown, Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable

_S: Final = f"[{js.WHITE}]"
_SPACES = re.compile(f"{_S}*")
_KIND = re.compile(r"[#^/>{&=!]")
_EQUALS = re.compile(f"{_S}*=")
_CURLY = re.compile(f"{_S}*\\}}")
_DEEPEST_SECTION: Final = 60
_OBJECTS = re.compile(
    r"constructor|hasOwnProperty|isPrototypeOf|propertyIsEnumerable|toLocaleString|toString|valueOf|__proto__|"
    r"__(?:define|lookup)[GS]etter__"
)
_ARRAYS = re.compile(
    r"at|concat|copyWithin|entries|every|fill|filter|find|find(?:Last)?(?:Index)?|flat|flatMap|forEach|includes|"
    r"indexOf|join|keys|lastIndexOf|map|pop|push|reduce|reduceRight|reverse|shift|slice|some|sort|splice|toReversed|"
    r"toSorted|toSpliced|unshift|values|with"
)
_MISSING: Final = object()


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


class Lambda:
    """A section that makes something of its own text.

    Attributes:
        name: As the template calls it.
        work: Takes the text between the tags, and a function that renders a text in this place.
    """

    def __init__(self, name: str, work: Callable[[str, Callable[[str], str]], str]) -> None:
        """Keep both."""
        self.name = name
        self.work = work


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
            raise self._error(f'Unclosed section "{self.sections[-1].value}" at {self._units(self.pos)}', self.pos)
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
            value = self._until(_EQUALS)
            self._scan(_EQUALS)
            self._until(self.closing)
        elif kind == "{":
            value = self._until(self.closing_curly)
            self._scan(_CURLY)
            self._until(self.closing)
            kind = "&"
        else:
            value = self._until(self.closing)
        if not self._scan(self.closing):
            raise self._error(f"Unclosed tag at {self._units(self.pos)}", start)
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
            raise self._error(f'Unopened section "{token.value}" at {self._units(token.start)}', token.start)
        opened = self.sections.pop()
        if opened.value != token.value:
            raise self._error(f'Unclosed section "{opened.value}" at {self._units(token.start)}', token.start)

    def _set_tags(self, value: str) -> None:
        parts = re.split(f"{_S}+", value)[:2]
        if len(parts) != 2:
            raise self._error(f"Invalid tags: {value}", self.pos)
        opening, closing = (re.escape(part) for part in parts)
        self.opening = re.compile(f"{opening}{_S}*")
        self.closing = re.compile(f"{_S}*{closing}")
        self.closing_curly = re.compile(f"{_S}*\\}}{closing}")

    def _end_of_line(self) -> None:
        """Drop the line's white space where it has a tag and nothing that is rendered."""
        if self.has_tag and not self.has_more:
            for index in self.spaces:
                self.tokens[index] = None
        self.spaces.clear()
        self.has_tag = self.has_more = False

    def _squashed(self) -> list[Token]:
        found: list[Token] = []
        for token in self.tokens:
            if token is None:
                continue
            if token.kind == "text" and found and found[-1].kind == "text":
                found[-1].value += token.value
                found[-1].end = token.end
            else:
                found.append(token)
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

    def _units(self, at: int) -> int:
        return js.length(self.template[:at])

    @staticmethod
    def _error(message: str, at: int) -> TemplateError:
        return TemplateError(message, at)


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


class Context:
    """A value in which names are looked up, and the one around it."""

    __slots__ = ("parent", "view")

    def __init__(self, view: Any, parent: Context | None = None) -> None:
        """Take the value and what is around it."""
        self.view = view
        self.parent = parent

    def lookup(self, name: str) -> Any:
        """Return what a tag's name stands for, None where nothing has it.

        Raises:
            Thrown: mustache.js throws here.
            Unsupported: The name is one of JavaScript's own that we do not follow.
        """
        if name == ".":
            return self.view
        context: Context | None = self
        while context is not None:
            value = _walk(context.view, name) if name.find(".") > 0 else _property(context.view, name)
            if value is not _MISSING:
                return value(self.view) if isinstance(value, _Method) else value
            context = context.parent
        return None


class _Method:
    """A function that mustache.js finds under a name, and calls with the inner context's value for `this`."""

    def __init__(self, name: str, owner: Any) -> None:
        self.name = name
        self.owner = owner

    def __call__(self, this: Any) -> Any:
        """Return what the function does; Kibana's own two know their owner, JavaScript's take `this`."""
        if self.name == "asJSON" or (self.name == "toString" and js.has_text(self.owner)):
            return js.stringify(self.owner)
        if self.name == "constructor":
            return js.JsArray(bare=True) if isinstance(self.owner, list) else js.Bare()
        if isinstance(this, (dict, list)):
            if self.name in ("isPrototypeOf", "propertyIsEnumerable"):
                return False
            if self.name == "valueOf":
                return this
            if self.name == "toLocaleString" and js.has_text(this) and "toString" not in this:
                return js.text(this)
            if self.name == "toString":
                return self._default_text(this)
        raise Unsupported(f'the name "{self.name}" means a function of JavaScript\'s own, which is not followed here')

    def _default_text(self, this: Any) -> str:
        if isinstance(this, dict):
            return "[object Object]"
        return js.text(this) if isinstance(self.owner, list) else "[object Array]"


def _property(view: Any, name: str) -> Any:
    """Return a view's property by its simple name: only objects have any."""
    if view is None:
        raise Thrown(f"Cannot read properties of null (reading '{name}')")
    return _of_object(view, name) if isinstance(view, (dict, js.JsArray)) else _MISSING


def _walk(view: Any, path: str) -> Any:
    """Return what a dotted name leads to; its last step may end at a text's length or one of its characters."""
    names = path.split(".")
    for name in names[:-1]:
        view = _of_object(view, name) if isinstance(view, (dict, js.JsArray)) else _of_text(view, name)
        if view is None or view is _MISSING:
            return _MISSING
        if isinstance(view, (_Method, Lambda)):
            raise Unsupported(f'"{path}" asks a function for a property, which is not followed here')
    return _of_object(view, names[-1]) if isinstance(view, (dict, js.JsArray)) else _of_text(view, names[-1])


def _of_object(view: dict[str, Any] | js.JsArray, name: str) -> Any:
    if isinstance(view, js.JsArray):
        if js.is_index(name):
            return view[int(name)] if int(name) < len(view) else _MISSING
        if name == "length":
            return len(view)
        if name == "asJSON" and not view.bare:
            return _Method(name, view)
        own: dict[str, Any] = view.named
    else:
        own = view
    if name in own:
        if name == "hasOwnProperty":
            raise Unsupported('a field "hasOwnProperty" stops mustache.js; this is not followed here')
        return own[name]
    if _OBJECTS.fullmatch(name) or (isinstance(view, js.JsArray) and _ARRAYS.fullmatch(name)):
        return _Method(name, view)
    return _MISSING


def _of_text(view: Any, name: str) -> Any:
    if not isinstance(view, str):
        return _MISSING
    if name == "length":
        return js.length(view)
    if js.is_index(name) and int(name) < js.length(view):
        return js.unit(view, int(name))
    return _MISSING


def render(template: str, context: Context, escape: Callable[[Any], str]) -> str:
    """Return the template with the context's values in it.

    Args:
        template: The text.
        context: Where names are looked up.
        escape: Makes the text of a `{{name}}`'s value.

    Raises:
        Thrown: mustache.js throws.
        Unsupported: It is not followed here.
    """
    return _tokens(parse(template), context, template, escape)


def _tokens(tokens: list[Token], context: Context, template: str, escape: Callable[[Any], str]) -> str:
    parts = []
    for token in tokens:
        if token.kind == "text":
            parts.append(token.value)
        elif token.kind == "#":
            parts.append(_section(token, context, template, escape))
        elif token.kind in ("^", "name", "&"):
            value = context.lookup(token.value)
            if token.kind == "^":
                if not js.truthy(value) or value == []:
                    parts.append(_tokens(token.children, context, template, escape))
            elif isinstance(value, Lambda):
                raise Unsupported(f"{{{{{token.value}}}}} gives the lambda's source; write it as a section")
            elif value is not None:
                parts.append(escape(value) if token.kind == "name" else js.text(value))
    return "".join(parts)


def _section(token: Token, context: Context, template: str, escape: Callable[[Any], str]) -> str:
    value = context.lookup(token.value)
    if isinstance(value, Lambda):
        return value.work(template[token.end : token.close], lambda text: render(text, context, escape))
    if not js.truthy(value):
        return ""
    if isinstance(value, list):
        return "".join([_tokens(token.children, Context(item, context), template, escape) for item in value])
    inner = context if value is True else Context(value, context)
    return _tokens(token.children, inner, template, escape)
