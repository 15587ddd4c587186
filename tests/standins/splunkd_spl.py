"""SPL taken apart: macros, pipes, commands and their arguments, as far as the stand-in speaks it.

Must not run anything.
"""

from __future__ import annotations

import re
from typing import Callable, NamedTuple, Optional

from tests.standins.splunkd_answers import Refused

_MACRO = re.compile(r"`([^`]*)`")
_NAME = re.compile(r"\s*([A-Za-z_]\w*)\s*")
# One argument: quoted and bare parts that no blank or comma divides, such as tenant="a b".
_ARGUMENT = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^\s,"])+')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_ESCAPE = re.compile(r'\\(["\\|`])')
_NO_MACRO = (
    "Error in 'SearchParser': The search specifies a macro '{}' that cannot be found. Reasons include: the macro name "
    'is misspelled, you do not have "read" permission for the macro, or the macro has not been shared with this '
    "application. Click Settings, Advanced search, Search Macros to view macro information."
)


class Step(NamedTuple):
    """One command of a search: its name, the text after it, and that text's arguments."""

    name: str
    text: str
    raw_args: list[str]

    @property
    def args(self) -> list[str]:
        """The arguments without their quotation marks."""
        return [unquoted(arg) for arg in self.raw_args]


def fatal(text: str) -> Refused:
    """The answer to a search that cannot run."""
    return Refused(400, text, "FATAL")


def unquoted(text: str) -> str:
    """A text without its quotation marks and escapes."""
    return _QUOTED.sub(lambda found: _ESCAPE.sub(r"\1", found.group(1)), text)


def parse(search: str, macro: Callable[[str], Optional[str]]) -> list[Step]:
    """The commands of a search; `macro` gives a macro's definition, None where the user sees no such macro.

    Raises:
        Refused: 400 for what is no search.
    """
    text = _expand(search, macro).strip()
    bare = _STRING.sub("", text)
    if '"' in bare:
        raise fatal("Unbalanced quotes.")
    if "[" in bare or "]" in bare:
        raise fatal("Error in 'SearchParser': the stand-in knows no subsearch.")
    parts = _pipes(text)
    if not parts[0].strip() and len(parts) > 1:
        del parts[0]
    return [_step(part, search) for part in parts]


def _expand(text: str, macro: Callable[[str], Optional[str]], depth: int = 0) -> str:
    def definition(found: re.Match[str]) -> str:
        if "(" in found.group(1):
            raise fatal("Error in 'SearchParser': the stand-in knows no macro with arguments.")
        said = macro(found.group(1)) if depth < 10 else None
        if said is None:
            raise fatal(_NO_MACRO.format(found.group(1)))
        return _expand(said, macro, depth + 1)

    return _MACRO.sub(definition, text)


def _pipes(text: str) -> list[str]:
    parts, start, end = [], 0, 0
    while end < len(text):
        quoted = _STRING.match(text, end)
        if text[end] == "|":
            parts.append(text[start:end])
            start = end + 1
        end = quoted.end() if quoted else end + 1
    return [*parts, text[start:]]


def _step(part: str, search: str) -> Step:
    name = _NAME.match(part)
    if name is None:
        raise fatal(f"Error in 'SearchParser': Missing a search command before '|'. Error in search query '{search}'.")
    text = part[name.end() :].strip()
    return Step(name.group(1), text, _ARGUMENT.findall(text))
