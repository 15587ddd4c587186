"""The searches of a SimpleXML dashboard: with their base searches before them and their tokens filled in. Must not draw anything."""

from __future__ import annotations

import re
from typing import Iterator, Tuple
from xml.etree import ElementTree as ET

_TOKEN = re.compile(r"\$([\w.]+)(?:\|(\w))?\$")

Search = Tuple[str, str, str, str]


class ViewError(ValueError):
    """A dashboard's search would never start."""


class View:
    """One dashboard.

    Attributes:
        tokens: what each token is filled in with when the page opens; what a click sets is a text of its own.
    """

    def __init__(self, text: str, **chosen: str) -> None:
        """Read it; `chosen` are tokens that somebody has set."""
        self._root = ET.fromstring(text)  # noqa: S314  our own file
        self._parents = {child: parent for parent in self._root.iter() for child in parent}
        self.tokens = {**self._set_by_clicks(), **self._defaults(), **chosen}

    def searches(self) -> Iterator[Search]:
        """Each as (name, search, earliest, latest), those that only others build on too."""
        for node in self._root.iter("search"):
            if node.find("query") is not None:
                yield (self._name(node), self.filled(self._query(node)), *self._times(node))

    def by_name(self) -> dict[str, Search]:
        """The same, by name."""
        return {one[0]: one for one in self.searches()}

    def filled(self, text: str) -> str:
        """A text with its tokens filled in, as SimpleXML does: with |s as a string in quotes."""

        def value(found: re.Match[str]) -> str:
            name = found.group(1)
            if name not in self.tokens:
                raise ViewError(f"nobody sets the token ${name}$")
            given = self.tokens[name]
            if found.group(2) == "s":
                return '"' + re.sub(r'(["\\])', r"\\\1", given) + '"'
            return given

        return _TOKEN.sub(value, text)

    def _query(self, node: ET.Element) -> str:
        text = (node.findtext("query") or "").strip()
        base = self._base(node)
        if base is None:
            return text
        return f"{self._query(base)}\n{text if text.startswith('|') else '| search ' + text}"

    def _base(self, node: ET.Element) -> ET.Element | None:
        name = node.get("base")
        if name is None:
            return None
        found = [one for one in self._root.iter("search") if one.get("id") == name]
        if len(found) != 1:
            raise ViewError(f"no search has the id {name}")
        return found[0]

    def _times(self, node: ET.Element) -> tuple[str, str]:
        base = self._base(node)
        if base is not None:
            return self._times(base)
        return self.filled(node.findtext("earliest") or ""), self.filled(node.findtext("latest") or "")

    def _name(self, node: ET.Element) -> str:
        if node.get("id"):
            return f"search {node.get('id')}"
        parent = self._parents[node]
        if parent.tag == "input":
            return f"input {parent.get('token')}"
        panel = parent
        while panel.tag != "panel" and panel in self._parents:
            panel = self._parents[panel]
        return panel.findtext("title") or f"{parent.tag} of a panel without a title"

    def _defaults(self) -> dict[str, str]:
        found = {}
        for node in self._root.iter("input"):
            name, default = node.get("token"), node.find("default")
            if node.get("type") == "time":
                for end in ("earliest", "latest"):
                    found[f"{name}.{end}"] = node.findtext(f"default/{end}") or ""
            elif default is not None:
                found[name] = default.text or ""
            else:
                found[name] = "x"
        return found

    def _set_by_clicks(self) -> dict[str, str]:
        found = {}
        for tag in ("set", "eval"):
            for node in self._root.iter(tag):
                found[(node.get("token") or "").replace("form.", "", 1)] = "x"
        return found
