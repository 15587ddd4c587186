"""The frame that every page of the Splunk Web stand-in has: head, navigation, Splunk's style sheet, the theme.

Must not know what stands inside it.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Sequence

from tests.standins import splunk_web_view as views
from tests.standins.splunk_web_http import html

if TYPE_CHECKING:
    from tests.standins.splunk_web import SplunkWeb
    from tests.standins.splunk_web_http import Call, Reply
    from tests.standins.splunk_web_view import Item

# What marks the dark theme in Splunk's own pages is not confirmed, so a page finds no class here that it could use.
_PAGE = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><title>{title} | Splunk</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
{sheets}<script src="{config}?autoload=1"></script></head>
<body class="simplexml locale-{lang}"><header class="splunk-header"><div class="splunk-bar"><span>splunk&gt;</span>
<span class="splunk-user">{user}</span></div><nav class="app-bar" aria-label="App"><ul class="nav">{nav}</ul>
<span class="app-label">{app}</span></nav></header><main class="main-section-body">{content}</main></body></html>
"""


def frame(
    web: SplunkWeb,
    call: Call,
    app: str,
    title: str,
    content: str,
    *,
    stylesheets: Sequence[str] = (),
    theme: str = "",
) -> Reply:
    """A whole page of an app. `content` is HTML, `theme` the view's own, which wins over the user's."""
    own = ["splunk.css", "splunk-dark.css"] if (theme or web.theme) == "dark" else ["splunk.css"]
    sheets = [*(web.path("static/" + name, call.locale) for name in own), *stylesheets]
    conf = web.home.conf.stanzas("app", app)
    label = conf["ui"].settings.get("label", app) if "ui" in conf else app
    text = _PAGE.format(
        lang=call.locale,
        title=escape(title),
        sheets="".join(f'<link rel="stylesheet" href="{escape(sheet)}">' for sheet in sheets),
        config=web.path("config", call.locale),
        user=escape(call.user or ""),
        nav="".join(_entry(web, call, app, item) for item in views.navigation(web.home, app)),
        app=escape(label),
        content=content,
    )
    return html(text)


def link(web: SplunkWeb, call: Call, path: str, text: str) -> str:
    """A link to a page below root path and locale."""
    return f'<a href="{escape(web.path(path, call.locale))}">{escape(text)}</a>'


def _entry(web: SplunkWeb, call: Call, app: str, item: Item) -> str:
    if item.items:
        inner = "".join(_entry(web, call, app, one) for one in item.items)
        return f"<li><span>{escape(item.label)}</span><ul>{inner}</ul></li>"
    if "/" in item.target:
        return f'<li><a href="{escape(item.target)}">{escape(item.label)}</a></li>'
    return "<li>" + link(web, call, f"app/{app}/{item.target}", item.label) + "</li>"
