"""Splunk Web's dialog for an alert with one alert action, around the form that the action's app ships.

Must not fill in or read the form: that is done in the browser, as Splunk does it (splunk_web_files/alert.js).

What Splunk's page does is read from its own modules as they are published in copies of `exposed/js` (`views/shared/htmldialog`,
`util/htmlcleaner`, `webcomponents/forminputs`, up to 9.x): the form is the `eai:data` of `data/ui/alerts/<action>`, `{{SPLUNKWEB_URL_PREFIX}}`
becomes root path and locale, and a sanitiser takes out what could run. Splunk IT Service Intelligence 5.0 shows nothing but the custom
elements ("Migrate custom alert action HTML for ITSI"), so here too a form's native inputs are refused.

    web.url("app/search/alert")                                                       a new alert
    web.url("app/search/alert?s=/servicesNS/nobody/search/saved/searches/My%20alert")  one that is there
"""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Optional
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from tests.standins.splunk_conf import is_true
from tests.standins.splunk_home import APP
from tests.standins.splunk_web_http import html
from tests.standins.splunk_web_page import frame
from tests.standins.splunk_web_view import sanitised

if TYPE_CHECKING:
    from tests.standins.splunk_web import SplunkWeb
    from tests.standins.splunk_web_http import Call, Reply

_PREFIX = "{{SPLUNKWEB_URL_PREFIX}}"
_INPUTS = ("splunk-search-dropdown", "splunk-select", "splunk-text-input")
# What the form may consist of, with the attributes that mean something to Splunk.
_KNOWN = {
    "form": {"class"},
    "div": {"class"},
    "span": {"class"},
    "a": {"href", "target", "rel", "title"},
    "splunk-control-group": {"label", "help"},
    "splunk-search-dropdown": {
        "name",
        "value",
        "search",
        "value-field",
        "label-field",
        "allow-custom-value",
        "max-results",
        "earliest",
        "latest",
        "app",
    },
    "splunk-select": {"name", "value"},
    "splunk-text-input": {"name", "value", "type", "required", "pattern"},
    "option": {"value"},
}
# util/htmlcleaner: an attribute with one of these in it is dropped, wherever it stands and whatever it means there.
_BAD_VALUES = ("javascript:", "jscript:", "livescript:", "vbscript:", "data:", "about:", "mocha:", "<script>")


class FormError(ValueError):
    """What Splunk would not show of a form, or only in part; the text says why."""


def serve(web: SplunkWeb, call: Call) -> Optional[Reply]:
    """The dialog of a new alert, or of the saved search whose path is in `s`; None where this is no such page."""
    if call.path[0] != "app" or call.path[2:] != ("alert",):
        return None
    if call.method not in ("GET", "HEAD"):
        return html("405 Method Not Allowed", 405)
    app, saved = call.path[1], call.query.get("s", "")
    if saved and saved.strip("/").split("/")[3:5] != ["saved", "searches"]:
        return None
    try:
        form = load(web, call, app)
    except FormError as exc:
        return html("Malformed alert action HTML: " + escape(str(exc)), 500)
    page = {
        "action": APP,
        "form": form,
        "app": app,
        "user": call.user,
        "saved": saved,
        "raw": web.path("splunkd/__raw", call.locale),
        "formKey": web.sessions.form_cookie,
    }
    title = unquote(saved.rpartition("/")[2]) or "Save As Alert"
    script = web.path("static/alert.js", call.locale)
    body = (
        f'<h1>{escape(title)}</h1><div id="alert-dialog"></div>'
        f'<script src="{script}" data-page="{escape(json.dumps(page))}"></script>'
    )
    sheets = ["alert.css", "alert-dark.css"] if web.theme == "dark" else ["alert.css"]
    sheets = [web.path("static/" + sheet, call.locale) for sheet in sheets]
    return frame(web, call, app, title, body, stylesheets=sheets)


def load(web: SplunkWeb, call: Call, app: str) -> str:
    """The form as it gets to the browser; "" where this user, in this app, has no such alert action.

    Raises:
        FormError: it is not what every supported Splunk shows whole.
    """
    stanza = web.home.conf.stanzas("alert_actions", app).get(APP)
    if stanza is None or not is_true(stanza.settings.get("is_custom", "0")):
        return ""
    session = web.splunkd.access.session("Splunk " + call.key)
    rights = [web.home.conf.acl(stanza.app, kind, APP) for kind in ("alert_actions", "alerts")]
    if not all(session.is_in(acl.read) and (acl.exported or stanza.app == app) for acl in rights):
        return ""
    files = [web.home.apps / stanza.app / layer / "data/ui/alerts" / (APP + ".html") for layer in ("local", "default")]
    text = next((file.read_text(encoding="utf-8") for file in files if file.is_file()), "")
    return shown(text, web.path("", call.locale).rstrip("/"))


def shown(text: str, prefix: str) -> str:
    """A form after the sanitiser, with `prefix` for root path and locale.

    Raises:
        FormError: something in it would be lost or shown wrongly.
    """
    # The sanitiser opens `<x/>` by cutting the text there, and takes the element's name up to the next blank only.
    if "/>" in text:
        raise FormError("an element closes itself")
    try:
        root = ET.fromstring("<tmp>" + text.replace(_PREFIX, prefix) + "</tmp>")  # noqa: S314  # the app under test
    except ET.ParseError as exc:
        raise FormError(f"XML syntax error: {exc}") from None
    if [node.tag for node in root] != ["form"] or len(root.findall(".//form")) != 1:
        raise FormError("there must be one form, and nothing beside it")
    for node in root[0].iter():
        _check(node)
    _check_inputs(root)
    return sanitised(root)


def _check(node: ET.Element) -> None:
    if node.tag not in _KNOWN or set(node.keys()) - _KNOWN[node.tag]:
        raise FormError(f"<{node.tag}> with {sorted(node.keys())} is not shown everywhere")
    for name, value in node.items():
        if any(bad in "".join(value.lower().split()) for bad in _BAD_VALUES):
            raise FormError(f'the sanitiser drops {name}="{value}"')
    if node.tag == "splunk-control-group" and (not node.get("label") or not any(c.tag in _INPUTS for c in node)):
        raise FormError("a control group has a label and an input")


def _check_inputs(root: ET.Element) -> None:
    names = [node.get("name", "") for node in root.iter() if node.tag in _INPUTS]
    wrong = [name for name in names if not name.startswith(f"action.{APP}.param.") or names.count(name) > 1]
    if wrong:
        raise FormError(f"Splunk ignores an input with the name {wrong[0]}")
