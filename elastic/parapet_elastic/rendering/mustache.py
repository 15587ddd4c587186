"""Renders templates as mustache.js 4.2 does. Must not know what Kibana adds to it.

Where mustache.js 2.3.2, which Kibana had before 8.17, gives another text: it keeps the white space of a last line that
has only a section's tag, and it does not find the length or the characters of a text in an inner context.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from parapet_elastic.rendering import javascript as js
from parapet_elastic.rendering.javascript import Thrown, Unsupported
from parapet_elastic.rendering.mustache_parser import parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from parapet_elastic.rendering.mustache_parser import Token

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
# What a rendering may cost, in about the characters that it reads and writes: some seconds. Loops in loops grow exponentially.
_MOST_WORK: Final = 20_000_000
_TAG: Final = 20


class Work:
    """What one rendering has cost so far."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.done = 0

    def spend(self, cost: int) -> None:
        """Add to it.

        Raises:
            Unsupported: It is too much.
        """
        self.done += cost
        if self.done > _MOST_WORK:
            raise Unsupported(
                "rendering the template is too much work: sections in sections, or a text that is too long"
            )


class Lambda:
    """A section that makes something of its own text.

    Attributes:
        work: Takes the text between the tags, and a function that renders a text in this place.
    """

    def __init__(self, work: Callable[[str, Callable[[str], str]], str]) -> None:
        """Keep it."""
        self.work = work


class Context:
    """A value in which names are looked up, and the one around it."""

    __slots__ = ("parent", "view", "work")

    def __init__(self, view: Any, parent: Context | None = None) -> None:
        """Take the value and what is around it."""
        self.view = view
        self.parent = parent
        self.work: Work = Work() if parent is None else parent.work

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
            self.work.spend(_TAG)
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
    context.work.spend(len(template))
    return render_tokens(parse(template), context, template, escape)


def render_tokens(tokens: list[Token], context: Context, template: str, escape: Callable[[Any], str]) -> str:
    """Return some of a template's tokens rendered; arguments and exceptions are those of `render`."""
    parts = []
    context.work.spend(_TAG)
    for token in tokens:
        context.work.spend(_TAG + len(token.value))
        if token.kind == "text":
            parts.append(token.value)
        elif token.kind == "#":
            parts.append(_section(token, context, template, escape))
        elif token.kind in ("^", "name", "&"):
            value = context.lookup(token.value)
            if token.kind == "^":
                if not js.truthy(value) or value == []:
                    parts.append(render_tokens(token.children, context, template, escape))
            elif isinstance(value, Lambda):
                raise Unsupported(f"{{{{{token.value}}}}} gives the lambda's source; write it as a section")
            elif value is not None:
                parts.append(escape(value) if token.kind == "name" else js.text(value))
                context.work.spend(len(parts[-1]))
    return "".join(parts)


def _section(token: Token, context: Context, template: str, escape: Callable[[Any], str]) -> str:
    value = context.lookup(token.value)
    if isinstance(value, Lambda):
        return value.work(template[token.end : token.close], lambda text: render(text, context, escape))
    if not js.truthy(value):
        return ""
    if isinstance(value, list):
        return "".join([render_tokens(token.children, Context(item, context), template, escape) for item in value])
    inner = context if value is True else Context(value, context)
    return render_tokens(token.children, inner, template, escape)
