"""SimpleXML views and the navigation of an app, read as strictly as Splunk's editor checks them.

Must not render a page.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Optional
from xml.etree import ElementTree as ET

from tests.standins.splunk_conf import is_true
from tests.standins.splunk_web_clean import external_urls, sanitised

if TYPE_CHECKING:
    from pathlib import Path

    from tests.standins.splunk_home import SplunkHome

# Views that the search app exports to all others, with their labels.
EXPORTED = {"search": "Search", "alerts": "Alerts", "reports": "Reports", "dashboards": "Dashboards"}

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
# What stands where, and with which attributes: the part of Simple XML (its reference, 9.x) that this app uses.
_CHILDREN = {
    "dashboard": {"label", "description", "row"},
    "form": {"label", "description", "row"},
    "label": set(),
    "description": set(),
    "row": {"panel"},
    "panel": {"title", "html"},
    "title": set(),
}
_ATTRIBUTES = {
    "dashboard": _ROOT,
    "form": {*_ROOT, "autoRun", "submitButton"},
    "row": {*_SHOWN, "grouping"},
    "panel": _SHOWN,
    "html": {*_SHOWN, "encoded", "tokens"},
}
_NAME = re.compile(r"\w+")


class ViewError(ValueError):
    """What Splunk would not show as a view or a navigation; the text says why."""


class View(NamedTuple):
    """A view of an app. `rows` holds its panels as (id, title, html), `theme` is "" where it names none."""

    name: str
    label: str
    description: str
    theme: str
    scripts: tuple[str, ...]
    stylesheets: tuple[str, ...]
    rows: tuple[tuple[tuple[str, str, str], ...], ...]
    visible: bool


class Item(NamedTuple):
    """An entry of the navigation: a view with its label, a link, or a menu of them."""

    label: str
    target: str
    default: bool = False
    items: tuple[Item, ...] = ()


def load(home: SplunkHome, app: str, name: str) -> Optional[View]:
    """Read a view of an app, `local` before `default`; None where there is none.

    Raises:
        ViewError: it is not what Splunk calls Simple XML.
    """
    text = _read(home, app, f"views/{name}.xml") if _NAME.fullmatch(name) else None
    if text is None:
        return None
    root = _parse(text, name)
    if root.tag not in ("dashboard", "form"):
        raise ViewError(f"{name}: the root is <{root.tag}>, not <dashboard> or <form>")
    if root.get("version") != "1.1":
        raise ViewError(f'{name}: version is "{root.get("version", "")}", not "1.1"')
    if not (root.findtext("label") or "").strip():
        raise ViewError(f"{name}: there is no <label>")
    _check(root, name)
    return View(
        name,
        str(root.findtext("label")).strip(),
        (root.findtext("description") or "").strip(),
        root.get("theme", ""),
        _files(root.get("script")),
        _files(root.get("stylesheet")),
        tuple(tuple(_panel(panel, name) for panel in row) for row in root.iter("row")),
        is_true(root.get("isVisible", "true")),
    )


def navigation(home: SplunkHome, app: str) -> tuple[Item, ...]:
    """The app's navigation; views that are not there, or not visible, are left out as Splunk does.

    Raises:
        ViewError: default.xml is not a navigation.
    """
    text = _read(home, app, "nav/default.xml")
    if text is None:
        return ()
    root = _parse(text, "nav")
    if root.tag != "nav" or set(root.keys()) - {"search_view", "color"}:
        raise ViewError("nav: the root must be <nav>, with search_view and color at most")
    return _items(home, app, root)


def default_view(items: tuple[Item, ...]) -> Optional[str]:
    """The view that an app opens with: the one that says so, or the first."""
    views = [item for top in items for item in (top.items or (top,)) if _NAME.fullmatch(item.target)]
    return next((view.target for view in views if view.default), views[0].target if views else None)


def _items(home: SplunkHome, app: str, parent: ET.Element) -> tuple[Item, ...]:
    found = []
    for node in parent:
        attributes = {"view": {"name", "default"}, "collection": {"label"}, "a": {"href", "target"}, "divider": set()}
        if node.tag not in attributes or set(node.keys()) - attributes[node.tag]:
            raise ViewError(f"nav: <{node.tag}> with {sorted(node.keys())} is not known here")
        if node.tag == "view":
            label = _label(home, app, node.get("name", ""))
            if label:
                found.append(Item(label, node.get("name", ""), is_true(node.get("default", "false"))))
        elif node.tag == "collection":
            found.append(Item(node.get("label", ""), "", items=_items(home, app, node)))
        elif node.tag == "a":
            found.append(Item((node.text or "").strip(), node.get("href", "")))
    return tuple(found)


def _label(home: SplunkHome, app: str, name: str) -> str:
    view = load(home, app, name)
    if view is not None:
        return view.label if view.visible else ""
    return EXPORTED.get(name, "")


def _read(home: SplunkHome, app: str, name: str) -> Optional[str]:
    folders = (home.etc / "apps" / app / layer / "data/ui" for layer in ("local", "default"))
    found: Optional[Path] = next((folder / name for folder in folders if (folder / name).is_file()), None)
    return found.read_text(encoding="utf-8") if found else None


def _parse(text: str, name: str) -> ET.Element:
    try:
        return ET.fromstring(text)  # noqa: S314  # a file of the app under test
    except ET.ParseError as exc:
        raise ViewError(f"{name}: XML syntax error: {exc}") from None


def _check(node: ET.Element, name: str) -> None:
    unknown = set(node.keys()) - _ATTRIBUTES.get(node.tag, set())
    if unknown:
        raise ViewError(f"{name}: <{node.tag}> has no attribute {sorted(unknown)}")
    if node.tag == "html":
        return
    if list(node) and (node.text or "").strip():
        raise ViewError(f"{name}: <{node.tag}> holds text beside elements")
    for child in node:
        if child.tag not in _CHILDREN[node.tag]:
            raise ViewError(f"{name}: <{child.tag}> has no place in <{node.tag}>")
        _check(child, name)


def _files(text: Optional[str]) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _panel(panel: ET.Element, name: str) -> tuple[str, str, str]:
    asked = [url for node in panel.iter("html") for url in external_urls(node)]
    if asked:
        raise ViewError(f"{name}: Splunk asks for consent before it shows a panel that fetches {asked}")
    parts = [sanitised(node) for node in panel.findall("html")]
    return panel.get("id", ""), (panel.findtext("title") or "").strip(), "".join(parts)
