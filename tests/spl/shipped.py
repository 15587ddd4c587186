"""Every search that the app ships, wherever it stands: saved searches, dashboards, the form, the setup page, the help, the documentation.

Must not judge a search. It finds new files by itself; a search that it overlooks is checked by nobody, so what looks like one is one.
"""

from __future__ import annotations

import json
import re
from typing import Iterator, NamedTuple
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

from build_tools.project import ROOT
from tests.conf import APP, parse
from tests.doc_pages import PAGES
from tests.spl.views import View

_GENERATING = r"\|\s*(?:parapet\w+|from|rest|tstats|makeresults|inputlookup|metadata|datamodel)\b"
# How a search begins that stands in a text: a generating command, a macro, a field of events, the word itself.
_START = re.compile(rf"(?:{_GENERATING}|`\w+`|(?:index|source|sourcetype|eventtype|tag)\s*=|search\s+[`\w(])")
_PART = re.compile(r"\|\s*[a-z]+\s+\S")
_LITERAL = re.compile(r"""(['"`])(?=\| ?[a-z]+|search [`\w])""")
_JOINED = re.compile(r"""\s*\+\s*(?=['"`])""")
_SPAN = re.compile(r"(?<!`)`(?!`)([^`]+)`(?!`)|``([^\n]+?)``")
_BLOCK = re.compile(
    r"^```\w*\n(?P<fenced>.*?)^```|(?:^(?: {4,}|\t)[^\n]*\n?|^ *\n(?=(?: {4,}|\t)))+", re.MULTILINE | re.DOTALL
)


class Found(NamedTuple):
    """A search, where it stands, and over what time it runs.

    Attributes:
        file: the file's path in the project.
        name: what it is called there.
        text: the search.
        is_part: it is a piece of one, so that nobody can say which fields it starts with.
        earliest: the start of its time range, "" where none is set.
        latest: its end.
    """

    file: str
    name: str
    text: str
    is_part: bool = False
    earliest: str = ""
    latest: str = ""

    def where(self, place: int | None) -> str:
        """A place in it, for a message."""
        if place is None:
            return f"{self.file}: {self.name}"
        before = self.text[:place]
        line, column = before.count("\n") + 1, place - (before.rfind("\n") + 1) + 1
        return f"{self.file}: {self.name}: line {line}, column {column}, at {self.text[place : place + 30]!r}"


def searches() -> list[Found]:
    """All of them."""
    return [*_saved(), *_action(), *_help(), *_views(), *_forms(), *_scripts(), *_pages()]


def _path(path) -> str:
    return str(path.relative_to(ROOT)).replace("\\", "/")


def _conf(name):
    path = APP / "default" / name
    # Splunk keeps the line ends of a value that goes on after a backslash; the tests' reader leaves them out.
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return _path(path), parse(re.sub(r"\\\n", " ", text))


def _saved() -> Iterator[Found]:
    file, stanzas = _conf("savedsearches.conf")
    for name, settings in stanzas.items():
        if "search" in settings:
            times = settings.get("dispatch.earliest_time", ""), settings.get("dispatch.latest_time", "")
            yield Found(file, name, settings["search"], False, *times)
        if "alert_condition" in settings:
            yield Found(file, f"{name}, alert_condition", "| " + settings["alert_condition"], is_part=True)


def _action() -> Iterator[Found]:
    file, stanzas = _conf("alert_actions.conf")
    for stanza, settings in stanzas.items():
        if "command" in settings:
            yield Found(file, f"[{stanza}] command", "| " + _untokened(settings["command"]))
        uri = json.loads(settings.get("param._cam", "{}")).get("drilldown_uri", "")
        for text in parse_qs(urlsplit(uri).query).get("q", []):
            times = parse_qs(urlsplit(uri).query)
            yield Found(
                file, f"[{stanza}] drilldown_uri", _untokened(text), False, times["earliest"][0], times["latest"][0]
            )


def _help() -> Iterator[Found]:
    file, stanzas = _conf("searchbnf.conf")
    for stanza, settings in stanzas.items():
        for key, value in settings.items():
            if re.fullmatch(r"example\d*", key):
                yield Found(file, f"[{stanza}] {key}", value)


def _views() -> Iterator[Found]:
    for path in sorted(APP.glob("default/data/ui/views/*.xml")):
        for name, text, earliest, latest in View(path.read_text(encoding="utf-8")).searches():
            yield Found(_path(path), name, text, False, earliest, latest)


def _forms() -> Iterator[Found]:
    for path in sorted(APP.glob("default/data/ui/alerts/*.html")):
        root = ET.fromstring(f"<div>{path.read_text(encoding='utf-8')}</div>")  # noqa: S314  our own file
        for node in root.iter():
            if "search" in node.attrib:
                yield Found(
                    _path(path),
                    node.get("name", node.tag),
                    node.attrib["search"],
                    False,
                    node.get("earliest", ""),
                    "now",
                )


def _scripts() -> Iterator[Found]:
    for path in sorted(APP.glob("appserver/static/*.js")):
        text = path.read_text(encoding="utf-8")
        for found in _LITERAL.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            yield Found(_path(path), f"line {line}", _literal(text, found.start()))


def _literal(text: str, start: int) -> str:
    """A string of JavaScript, with those that are added to it; what is filled in is a tenant's name."""
    end = start + 1
    while text[end] != text[start]:
        end += 2 if text[end] == "\\" else 1
    value = re.sub(r"\\(.)", r"\1", text[start + 1 : end])
    value = re.sub(r"\$\{[^}]*\}", "main", value) if text[start] == "`" else value
    joined = _JOINED.match(text, end + 1)
    return value + (_literal(text, joined.end()) if joined else "")


def _pages() -> Iterator[Found]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in _BLOCK.finditer(text):
            line = text.count("\n", 0, block.start()) + 1
            for number, found in enumerate(_of_block(block.group("fenced") or block.group()), 1):
                yield Found(_path(page), f"block at line {line}, search {number}", found)
        prose = _BLOCK.sub(lambda block: "\n" * block.group().count("\n"), text)
        for span in _SPAN.finditer(prose):
            said = re.sub(r"\s*\n\s*", " ", (span.group(1) or span.group(2)).strip())
            name = f"line {prose.count(chr(10), 0, span.start()) + 1}"
            if _START.match(said):
                yield Found(_path(page), name, said)
            elif _PART.match(said):
                yield Found(_path(page), name, said, is_part=True)


def _of_block(block: str) -> Iterator[str]:
    """The searches of a block; none where its first line begins none."""
    lines = [line.rstrip() for line in block.splitlines() if line.strip()]
    current: list[str] = []
    margin = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    for line in lines:
        bare = line[margin:]
        if _START.match(bare):
            if current:
                yield "\n".join(current)
            current = [bare]
        elif current and (bare.startswith(("|", " "))):
            current.append(bare)
        else:
            break
    if current:
        yield "\n".join(current)


def _untokened(text: str) -> str:
    """A text in which Splunk has filled in its tokens."""
    return re.sub(r"\$[\w.]+\$", "x", text)
