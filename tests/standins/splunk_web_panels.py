"""How a view looks: the inputs of its form, its rows and panels. Must not run a search: a single, table or chart finds nothing.

Tokens are those that a page starts with: the defaults of its inputs, and `form.<token>` in its URL, which wins.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Mapping

if TYPE_CHECKING:
    from tests.standins.splunk_web_view import Input, Panel, Part, Row, View

_TOKEN = re.compile(r"\$([\w.]+)\$")


def tokens(view: View, query: Mapping[str, str]) -> dict[str, str]:
    """The tokens that are set once the page is there."""
    found = {each.token: each.default for each in view.inputs if each.default is not None}
    found.update({each.token: query[name] for each in view.inputs for name in ["form." + each.token] if name in query})
    return found


def fieldset(view: View, values: Mapping[str, str]) -> str:
    """The inputs of a form, "" where it has none."""
    inner = "".join(_input(each, values.get(each.token, "")) for each in view.inputs)
    return f'<div class="fieldset">{inner}</div>' if inner else ""


def rows(view: View, values: Mapping[str, str]) -> str:
    """The rows that are shown with these tokens."""
    return "".join(_row(number, row, values) for number, row in enumerate(view.rows, 1) if row.shown.by(values))


def _input(given: Input, value: str) -> str:
    name = "input_" + given.token
    if given.kind == "dropdown":
        chosen = {value: value, **dict(given.choices)}
        options = "".join(
            f'<option value="{escape(each)}"{" selected" if each == value else ""}>{escape(label)}</option>'
            for each, label in chosen.items()
        )
        control = f'<select id="{name}">{options}</select>'
    else:
        control = f'<input id="{name}" type="text" value="{escape(value)}">'
    return f'<div class="input input-{given.kind}"><label for="{name}">{escape(given.label)}</label>{control}</div>'


def _row(number: int, row: Row, values: Mapping[str, str]) -> str:
    cells = "".join(
        _cell(f"{number}{index}", panel, values) for index, panel in enumerate(row.panels, 1) if panel.shown.by(values)
    )
    return f'<div class="row dashboard-row" id="row{number}">{cells}</div>'


def _cell(number: str, panel: Panel, values: Mapping[str, str]) -> str:
    title = f'<h2 class="panel-title">{_filled(panel.title, values)}</h2>' if panel.title else ""
    parts = "".join(_part(f"element{number}{index}", part, values) for index, part in enumerate(panel.parts, 1))
    return (
        f'<div class="dashboard-cell"><div class="dashboard-panel" id="{escape(panel.id or "panel" + number)}">{title}'
        f"{parts}</div></div>"
    )


def _part(name: str, part: Part, values: Mapping[str, str]) -> str:
    title = f'<div class="panel-head"><h3>{_filled(part.title, values)}</h3></div>' if part.title else ""
    inner = part.text if part.kind == "html" else '<div class="msg-text">No results found.</div>'
    return f'<div class="dashboard-element {part.kind}" id="{name}">{title}<div class="panel-body {part.kind}">{inner}</div></div>'


def _filled(text: str, values: Mapping[str, str]) -> str:
    """A title with its tokens; one that is not set stays as it is written."""
    return escape(_TOKEN.sub(lambda match: values.get(match.group(1), match.group()), text))
