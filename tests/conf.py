"""Reads Splunk's .conf, .meta and .conf.spec files, for tests.

It must not forgive what Splunk or btool complains about, nor settings that silently override each other.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Dict, NamedTuple, Optional

Conf = Dict[str, Dict[str, str]]

_RANGE = re.compile(r"^\* Range: ([\d.]+) (?:to ([\d.]+)|\w+ and up)", re.MULTILINE)
_DEFAULT = re.compile(r"^\* Default: (.*)$", re.MULTILINE)


class ConfError(ValueError):
    """The text is nothing that Splunk would read as it stands."""


class Entry(NamedTuple):
    """What a spec file says of one setting.

    `form` is what stands right of the "=", `text` the description, a bullet a line. `default` is "" where the text
    says "empty", and None where it names none. `low` and `high` are inclusive, and None where there is no bound.
    """

    form: str
    text: str
    default: Optional[str]
    low: Optional[float]
    high: Optional[float]


def parse(text: str) -> Conf:
    """Return the stanzas of a .conf or .meta file; settings above the first stanza are in "".

    Raises:
        ConfError: a line that is neither stanza, setting nor comment; a stanza or a key that is there twice.
    """
    stanzas: Conf = {}
    settings: Optional[dict[str, str]] = None
    for raw in text.replace("\\\n", "").splitlines():
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("[") and line.endswith("]"):
            settings = {}
            _add(stanzas, line[1:-1], settings)
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not key or key.startswith("["):
            raise ConfError("not a setting: " + line)
        if settings is None:
            settings = stanzas.setdefault("", {})
        _add(settings, key, value)
    return stanzas


def spec(text: str) -> dict[str, dict[str, Entry]]:
    """Return what a .conf.spec file says of each setting, by stanza; settings above the first stanza are in "".

    Raises:
        ConfError: what `parse` refuses; a setting without a description.
    """
    bare: list[str] = []
    texts: dict[tuple[str, str], str] = {}
    stanza, key = "", ""
    for line in text.splitlines():
        if line.startswith(("* ", "  ")):
            texts[stanza, key] = texts.get((stanza, key), "") + line + "\n"
            continue
        bare.append(line)
        if line.startswith("["):
            stanza, key = line[1:-1], ""
        elif "=" in line and not line.startswith("#"):
            key = line.partition("=")[0].strip()
    return {
        name: {key: _entry(form, texts.get((name, key), "")) for key, form in forms.items()}
        for name, forms in parse("\n".join(bare)).items()
    }


def _entry(form: str, text: str) -> Entry:
    if not form or not text:
        raise ConfError("a setting without a form or a description: " + form + text)
    default, bounds = _DEFAULT.search(text), _RANGE.search(text)
    low, high = bounds.groups() if bounds else (None, None)
    return Entry(
        form,
        text,
        default.group(1).replace("empty", "") if default else None,
        None if low is None else float(low),
        None if high is None else float(high),
    )


def _add(table: dict[str, Any], name: str, value: object) -> None:
    if name in table:
        raise ConfError("twice: " + name)
    table[name] = value


APP = Path(__file__).resolve().parent.parent / "parapet_security"

#: What the app ships and describes, by file name: CONFS["app.conf"], META, SPECS["inputs.conf"].
CONFS = {path.name: parse(path.read_text(encoding="utf-8")) for path in APP.glob("default/*.conf")}
META = parse((APP / "metadata" / "default.meta").read_text(encoding="utf-8"))
SPECS = {path.stem: spec(path.read_text(encoding="utf-8")) for path in APP.glob("README/*.conf.spec")}
