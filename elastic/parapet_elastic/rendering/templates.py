"""Finds a template, and says which Kibana it needs. Must not render it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from parapet_elastic import files
from parapet_elastic.errors import Failure
from parapet_elastic.rendering.lint_names import FEATURES, OLDEST, features
from parapet_elastic.rendering.mustache_parser import TemplateError, parse

NAMES: Final = ("basic", "custom_fields", "bulk")
"""The templates that come with this package."""

SUMMARIES: Final = ("bulk",)
"""Those of them that are for a summary of several alerts."""

_LARGEST: Final = 1_000_000
_BESIDE: Final = Path(__file__).parents[1] / "templates"
_IN_A_CHECKOUT: Final = Path(__file__).parents[2] / "templates"


@dataclass(frozen=True)
class Template:
    """A template as it is attached to a rule.

    Attributes:
        name: The shipped one's name, or the file's.
        text: What Kibana gets.
        oldest: The first Kibana that has all that it uses.
    """

    name: str
    text: str
    oldest: tuple[int, int]


def load(name_or_path: str) -> Template:
    """Return a shipped template by its name, or the one in a file.

    Raises:
        Failure: There is none, or the file is none that can be read.
    """
    if name_or_path in NAMES:
        folder = _BESIDE if _BESIDE.is_dir() else _IN_A_CHECKOUT
        text = (folder / f"{name_or_path}.mustache").read_text("utf-8")
        return Template(name_or_path, text, _oldest(text))
    path = Path(name_or_path)
    try:
        # As Python reads a text: a file of Windows is the same template.
        text = files.read(path, _LARGEST).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except FileNotFoundError:
        names = ", ".join(NAMES)
        raise Failure(
            f"there is no template {name_or_path}", todo=f"Give one of {names}, or the path of a file."
        ) from None
    except UnicodeDecodeError:
        raise Failure(f"the template {name_or_path} is not UTF-8", todo="Save it as UTF-8.") from None
    except OSError as exc:
        raise Failure(f"the template {name_or_path} cannot be read: {exc.strerror}") from None
    if not text.strip():
        raise Failure(f"the template {name_or_path} is empty")
    return Template(path.name, text, _oldest(text))


def _oldest(text: str) -> tuple[int, int]:
    try:
        tokens = parse(text)
    except TemplateError:
        return OLDEST
    return max([OLDEST, *(FEATURES[name] for name, _ in features(tokens))])
