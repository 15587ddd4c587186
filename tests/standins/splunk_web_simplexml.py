"""What stands where in Simple XML, with which attributes, options and values: the part of it that this app uses.

Must not forgive what is unknown here: a typing error in a name is one that Splunk passes over in silence. The rules are those of
Splunk's schema search_mrsparkle/exposed/schema/simplexml.rnc, of its parser splunk.models.view_escaping (both published in copies
of Splunk 8.x), and of the Simple XML reference 9.x.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Iterator

if TYPE_CHECKING:
    from xml.etree import ElementTree as ET

_HIDE = (
    "hideAppBar",
    "hideChrome",
    "hideEdit",
    "hideExport",
    "hideFilters",
    "hideFooter",
    "hideSplunkBar",
    "hideTitle",
)
_ROOT = {
    "version",
    "script",
    "stylesheet",
    "theme",
    "isVisible",
    "isDashboard",
    "refresh",
    "onunloadCancelJobs",
    *_HIDE,
}
_SHOWN = {"id", "depends", "rejects"}
_ACTIONS = {"set", "unset"}
_INPUT = {"label", "default"}
# An input is listed with its type, an event of a search and a drilldown with what their conditions may ask.
_CHILDREN = {
    "dashboard": {"label", "description", "search", "row"},
    "form": {"label", "description", "search", "fieldset", "row"},
    "fieldset": {"input"},
    "input time": _INPUT,
    "input text": _INPUT,
    "input dropdown": {*_INPUT, "choice", "fieldForLabel", "fieldForValue", "search"},
    "default": {"earliest", "latest"},
    "row": {"panel"},
    "panel": {"title", "html", "single", "table", "chart"},
    "single": {"title", "search", "option", "drilldown"},
    "table": {"title", "search", "option", "drilldown"},
    "chart": {"title", "search", "option", "drilldown"},
    "search": {"query", "earliest", "latest", "refresh", "refreshType", "done"},
    "done": {"condition", *_ACTIONS},
    "drilldown": {"condition", *_ACTIONS},
    "condition": _ACTIONS,
}
_ATTRIBUTES = {
    "dashboard": _ROOT,
    "form": _ROOT,
    "fieldset": {"autoRun", "submitButton"},
    "input": {"id", "type", "token", "searchWhenChanged"},
    "choice": {"value"},
    "row": {*_SHOWN, "grouping"},
    "panel": _SHOWN,
    "html": {*_SHOWN, "encoded", "tokens"},
    "single": {"id"},
    "table": {"id"},
    "chart": {"id"},
    "search": {"id", "base"},
    "option": {"name"},
    "condition": {"field", "match"},
    "set": {"token"},
    "unset": {"token"},
}
_NEEDED = {"input": {"type", "token"}, "choice": {"value"}, "option": {"name"}, "set": {"token"}, "unset": {"token"}}
# These may stand several times in one place.
_MANY = {
    "search",
    "row",
    "input",
    "html",
    "panel",
    "single",
    "table",
    "chart",
    "option",
    "choice",
    "condition",
    *_ACTIONS,
}

_BOOLEAN = "true|false|True|False|0|1"
_COLOURS = r'\["0x[0-9a-fA-F]{6}"(, ?"0x[0-9a-fA-F]{6}")*\]'
_NUMBERS = r"\[-?\d+(\.\d+)?(, ?-?\d+(\.\d+)?)*\]"
_VISIBILITY = "visible|collapsed"
_OPTIONS = {
    "single": {
        "colorBy": "value|trend",
        "colorMode": "block|none",
        "drilldown": "all|none",
        "rangeColors": _COLOURS,
        "rangeValues": _NUMBERS,
        "underLabel": ".+",
        "unit": ".+",
        "useColors": _BOOLEAN,
    },
    "table": {
        "count": r"\d+",
        "drilldown": "cell|row|none",
        "rowNumbers": _BOOLEAN,
        "showPager": _BOOLEAN,
        "wrap": _BOOLEAN,
    },
    "chart": {
        "charting.axisTitleX.visibility": _VISIBILITY,
        "charting.axisTitleY.text": ".+",
        "charting.axisTitleY.visibility": _VISIBILITY,
        "charting.chart": "area|bar|column|fillerGauge|line|markerGauge|pie|radialGauge|scatter|bubble",
        "charting.chart.nullValueMode": "gaps|zero|connect",
        "charting.chart.showMarkers": _BOOLEAN,
        "charting.drilldown": "all|none",
        "charting.legend.placement": "top|left|bottom|right|none",
        "height": r"\d+",
    },
}
_VALUES = {
    "autoRun": _BOOLEAN,
    "refreshType": "interval|delay",
    "searchWhenChanged": _BOOLEAN,
    "submitButton": _BOOLEAN,
    "theme": "light|dark",
    "type": "time|text|dropdown",
}
_IDENTIFIER = re.compile(r"[a-zA-Z]\w*")


class ViewError(ValueError):
    """What Splunk would not show as a view or a navigation; the text says why."""


def check(root: ET.Element, name: str) -> None:
    """Look at a whole view.

    Raises:
        ViewError: something in it is not Simple XML.
    """
    try:
        _element(root)
        _identifiers(root)
    except ViewError as error:
        raise ViewError(f"{name}: {error}") from None


def _element(node: ET.Element) -> None:
    _attributes(node)
    if node.tag == "html":
        return
    if list(node) and "".join([node.text or "", *(child.tail or "" for child in node)]).strip():
        raise ViewError(f"<{node.tag}> holds text beside elements")
    kind = f"input {node.get('type')}" if node.tag == "input" else node.tag
    seen: set[str] = set()
    for child in node:
        if child.tag not in _CHILDREN.get(kind, set()):
            raise ViewError(f"<{child.tag}> has no place in <{kind}>")
        if child.tag in seen and (
            child.tag not in _MANY or (child.tag == "search" and node.tag in (*_OPTIONS, "input"))
        ):
            raise ViewError(f"<{child.tag}> stands twice in <{kind}>")
        seen.add(child.tag)
        _element(child)
    if node.tag in _OPTIONS:
        _options(node)
    if node.tag == "search":
        _search(node)
    if node.tag in ("done", "drilldown"):
        _handler(node)


def _attributes(node: ET.Element) -> None:
    given = set(node.keys())
    unknown = given - _ATTRIBUTES.get(node.tag, set())
    if unknown:
        raise ViewError(f"<{node.tag}> has no attribute {sorted(unknown)}")
    missing = _NEEDED.get(node.tag, set()) - given
    if missing:
        raise ViewError(f"<{node.tag}> lacks the attribute {sorted(missing)}")
    for attribute in given & set(_VALUES):
        _value(f"{attribute} of <{node.tag}>", node.get(attribute), _VALUES[attribute])


def _value(what: str, value: str | None, pattern: str) -> None:
    if not re.fullmatch(pattern, (value or "").strip()):
        raise ViewError(f'{what} cannot be "{value}"')


def _options(node: ET.Element) -> None:
    known, seen = _OPTIONS[node.tag], set()
    for option in node.findall("option"):
        name = option.get("name", "")
        if name not in known:
            raise ViewError(f'<{node.tag}> has no option "{name}"')
        if name in seen:
            raise ViewError(f'<{node.tag}> has the option "{name}" twice')
        seen.add(name)
        _value(f'the option "{name}"', option.text, known[name])


def _search(node: ET.Element) -> None:
    if not (node.findtext("query") or "").strip():
        raise ViewError("<search> lacks a <query>")
    times = [tag for tag in ("earliest", "latest", "refresh", "refreshType") if node.find(tag) is not None]
    if node.get("base") is not None and times:
        raise ViewError(f"<search base> takes its times from its base, and no {times}")
    if node.get("base") is None and not {"earliest", "latest"} <= set(times):
        raise ViewError("<search> lacks <earliest> or <latest>")
    if node.find("refreshType") is not None:
        _value("<refreshType>", node.findtext("refreshType"), _VALUES["refreshType"])


def _handler(node: ET.Element) -> None:
    """The parser raises AttributeError in these words."""
    tags = {child.tag for child in node}
    if "condition" in tags and tags & _ACTIONS:
        raise ViewError(f"Cannot mix <{min(tags & _ACTIONS)}> with explicit <condition>s")
    for condition in node.findall("condition"):
        if len(condition.keys()) > 1 or (condition.get("field") is not None and node.tag == "done"):
            raise ViewError(f"<condition> in <{node.tag}> cannot ask for {sorted(condition.keys())}")


def _identifiers(root: ET.Element) -> None:
    seen: set[str] = set()
    nodes = list(_nodes(root))
    for node in nodes:
        found = node.get("id")
        if found is None:
            continue
        if found in seen:
            raise ViewError(f'Duplicate panel element ID "{found}"')
        if not _IDENTIFIER.fullmatch(found):
            raise ViewError(f'ID "{found}" for panel element does not match pattern')
        seen.add(found)
    searches = {node.get("id") for node in nodes if node.tag == "search"}
    for node in nodes:
        if node.get("base") is not None and node.get("base") not in searches:
            raise ViewError(f'there is no base search "{node.get("base")}"')


def _nodes(node: ET.Element) -> Iterator[ET.Element]:
    """The elements of a view; what is inside of <html> is none."""
    yield node
    for child in node if node.tag != "html" else ():
        yield from _nodes(child)
