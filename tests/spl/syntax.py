"""SPL taken apart: comments, macros, pipes, commands, words. Must not know what a command means.

Whatever is wrong is an `SplError` with its place, counted in the text as it was written, macros and all.
"""

from __future__ import annotations

import re
from typing import Callable, Iterator, NamedTuple, Optional, Sequence

Macros = Callable[[str], Optional[str]]

_COMMENT = re.compile(r"```.*?```", re.DOTALL)
_MACRO = re.compile(r"`([^`]*)`")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NAME = re.compile(r"\s*([A-Za-z_]\w*)(?![\w=])")
_ESCAPE = re.compile(r'\\(["\\|`])')
_PAIRS = {")": "(", "]": "["}
_MACROS_DEEP = 10


class SplError(ValueError):
    """Splunk would not run this search, or it would not find what it looks for.

    Attributes:
        place: where, as an offset; None where it is the whole.
    """

    def __init__(self, message: str, place: int | None = None) -> None:
        """Say what is wrong."""
        super().__init__(message)
        self.place = place


class Text(NamedTuple):
    """A text, and for each of its characters the place where it was written."""

    text: str
    places: Sequence[int]

    @classmethod
    def of(cls, text: str) -> Text:
        """A text that stands for itself."""
        return cls(text, range(len(text)))

    def part(self, start: int, end: int | None = None) -> Text:
        """A piece of it."""
        return Text(self.text[start:end], self.places[start:end])

    def at(self, offset: int) -> int:
        """Where a character was written; the end of the text is one behind the last."""
        if offset < len(self.places):
            return self.places[offset]
        return self.places[-1] + 1 if self.places else 0

    def stripped(self) -> Text:
        """Without blanks around it."""
        bare = self.text.strip()
        start = self.text.index(bare)
        return self.part(start, start + len(bare))


class Word(NamedTuple):
    """One argument: its text without quotation marks, where it stands, and whether it was quoted."""

    text: str
    place: int
    is_quoted: bool

    @property
    def low(self) -> str:
        """A keyword in lower case; nothing where it was quoted."""
        return "" if self.is_quoted else self.text.lower()


class Step(NamedTuple):
    """One command of a search: its name, where it stands, and the text after it."""

    name: str
    place: int
    text: Text

    def words(self) -> list[Word]:
        """The arguments, divided by blanks and commas outside of quotes and brackets."""
        return list(words(self.text))

    def wrong(self, message: str, place: int | None = None) -> SplError:
        """An error of this command."""
        return SplError(f"Error in '{self.name}' command: {message}", self.place if place is None else place)


def parse(search: str, macros: Macros) -> list[Step]:
    """The commands of a search.

    Args:
        search: as it is written.
        macros: gives a macro's definition by its name, None where there is none.

    Raises:
        SplError: it is no search.
    """
    bare = _COMMENT.sub(lambda found: " " * len(found.group()), search)
    return steps(_expanded(Text.of(bare), macros))


def steps(text: Text) -> list[Step]:
    """The commands of a text without macros; the first may leave out the word `search`."""
    parts = list(_pipes(text))
    if not parts[0].text.strip() and len(parts) > 1:
        del parts[0]
    elif not _begins_with_command(parts[0].text):
        return [Step("search", parts[0].stripped().at(0), parts[0]), *map(_step, parts[1:])]
    return [_step(part) for part in parts]


def words(text: Text) -> Iterator[Word]:
    """The words of a text, divided by blanks and commas outside of quotes and brackets."""
    start, depth, end = None, 0, 0
    while end < len(text.text):
        quoted = _STRING.match(text.text, end)
        char = text.text[end]
        depth += (char in "([" and not quoted) - (char in ")]" and not quoted)
        if not depth and char in " \t\r\n,":
            if start is not None:
                yield _word(text.part(start, end))
            start = None
        elif start is None:
            start = end
        end = quoted.end() if quoted else end + 1
    if start is not None:
        yield _word(text.part(start))


def unquoted(text: str) -> str:
    """The text of a string literal."""
    return _ESCAPE.sub(r"\1", text[1:-1])


def _word(text: Text) -> Word:
    is_quoted = bool(_STRING.fullmatch(text.text))
    return Word(unquoted(text.text) if is_quoted else text.text, text.at(0), is_quoted)


def _begins_with_command(text: str) -> bool:
    """Without a pipe before it, only `search` may be named at the start: anything else is a term."""
    name = _NAME.match(text)
    return bool(name and name.group(1) == "search")


def _expanded(text: Text, macros: Macros, depth: int = 0) -> Text:
    parts, places, start = [], [], 0
    for found in _MACRO.finditer(text.text):
        name = found.group(1)
        said = macros(name) if depth < _MACROS_DEEP else None
        if said is None:
            raise SplError(f"no macro is named '{name}'", text.at(found.start()))
        inner = _expanded(Text(said, [text.at(found.start())] * len(said)), macros, depth + 1)
        parts += [text.text[start : found.start()], inner.text]
        places += [*text.places[start : found.start()], *inner.places]
        start = found.end()
    if not parts:
        if "`" in text.text:
            raise SplError("a back-tick has no other", text.at(text.text.index("`")))
        return text
    return Text("".join([*parts, text.text[start:]]), [*places, *text.places[start:]])


def _pipes(text: Text) -> Iterator[Text]:
    start, opened, end = 0, [], 0
    while end < len(text.text):
        quoted = _STRING.match(text.text, end)
        char = text.text[end]
        if char == '"' and not quoted:
            raise SplError("a quotation mark has no other", text.at(end))
        if char in "([":
            opened.append((char, end))
        elif char in ")]" and (not opened or opened.pop()[0] != _PAIRS[char]):
            raise SplError(f"a bracket is closed that was not opened: {char}", text.at(end))
        if char == "|" and not opened:
            yield text.part(start, end)
            start = end + 1
        end = quoted.end() if quoted else end + 1
    if opened:
        raise SplError(f"a bracket is not closed: {opened[-1][0]}", text.at(opened[-1][1]))
    yield text.part(start)


def _step(part: Text) -> Step:
    name = _NAME.match(part.text)
    if name is None:
        raise SplError("a command is missing after a pipe", part.at(0))
    return Step(name.group(1), part.at(name.start(1)), part.part(name.end()))
