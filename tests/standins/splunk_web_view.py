"""Simple XML views and the navigation of an app, as values. What is no Simple XML is refused by splunk_web_simplexml.

Must not render a page.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Mapping, NamedTuple, Optional
from xml.etree import ElementTree as ET

from tests.standins.splunk_conf import is_true
from tests.standins.splunk_web_clean import external_urls, sanitised
from tests.standins.splunk_web_simplexml import ViewError, check

if TYPE_CHECKING:
    from pathlib import Path

    from tests.standins.splunk_home import SplunkHome

# Views that the search app exports to all others, with their labels.
EXPORTED = {"search": "Search", "alerts": "Alerts", "reports": "Reports", "dashboards": "Dashboards"}

_NAME = re.compile(r"\w+")


class Shown(NamedTuple):
    """On which tokens it depends that something is shown."""

    depends: tuple[str, ...]
    rejects: tuple[str, ...]

    def by(self, tokens: Mapping[str, str]) -> bool:
        """Whether it is shown while these tokens are set."""
        return all(name in tokens for name in self.depends) and not any(name in tokens for name in self.rejects)


class Part(NamedTuple):
    """What stands in a panel: html, or a single, table or chart with its title. `text` is the inside of html."""

    kind: str
    title: str
    text: str


class Panel(NamedTuple):
    """A panel, with its parts in their order."""

    id: str
    title: str
    shown: Shown
    parts: tuple[Part, ...]


class Row(NamedTuple):
    """A row of panels."""

    shown: Shown
    panels: tuple[Panel, ...]


class Input(NamedTuple):
    """An input of a form; `default` is what its token is at the beginning, None where it has none."""

    token: str
    kind: str
    label: str
    default: Optional[str]
    choices: tuple[tuple[str, str], ...]


class View(NamedTuple):
    """A view of an app. `theme` is "" where it names none."""

    name: str
    label: str
    description: str
    theme: str
    scripts: tuple[str, ...]
    stylesheets: tuple[str, ...]
    inputs: tuple[Input, ...]
    rows: tuple[Row, ...]
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
    check(root, name)
    return View(
        name,
        str(root.findtext("label")).strip(),
        (root.findtext("description") or "").strip(),
        root.get("theme", ""),
        _files(root.get("script")),
        _files(root.get("stylesheet")),
        tuple(_input(node) for node in root.findall("fieldset/input")),
        tuple(Row(_shown(row), tuple(_panel(panel, name) for panel in row)) for row in root.findall("row")),
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


def _files(text: Optional[str]) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _shown(node: ET.Element) -> Shown:
    depends, rejects = (tuple(re.findall(r"\$([\w.]+)\$", node.get(name, ""))) for name in ("depends", "rejects"))
    return Shown(depends, rejects)


def _input(node: ET.Element) -> Input:
    kind, default = node.get("type", ""), node.find("default")
    text = None if default is None else (default.findtext("earliest") or default.text or "").strip()
    choices = tuple((choice.get("value", ""), (choice.text or "").strip()) for choice in node.findall("choice"))
    return Input(node.get("token", ""), kind, (node.findtext("label") or "").strip(), text, choices)


def _panel(panel: ET.Element, name: str) -> Panel:
    asked = [url for node in panel.iter("html") for url in external_urls(node)]
    if asked:
        raise ViewError(f"{name}: Splunk asks for consent before it shows a panel that fetches {asked}")
    parts = tuple(
        Part(node.tag, (node.findtext("title") or "").strip(), sanitised(node) if node.tag == "html" else "")
        for node in panel
        if node.tag not in ("title", "search")
    )
    return Panel(panel.get("id", ""), (panel.findtext("title") or "").strip(), _shown(panel), parts)
