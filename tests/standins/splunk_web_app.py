"""The pages below /app of the Splunk Web stand-in: an app's start, its views, and `$C`, which every script reads.

Must not do what a script of the page should do.
"""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any, Optional

from tests.standins import splunk_web_alert
from tests.standins import splunk_web_panels as panels
from tests.standins import splunk_web_view as views
from tests.standins.splunk_conf import is_true
from tests.standins.splunk_web_http import Reply, html, redirect
from tests.standins.splunk_web_page import frame, link
from tests.standins.splunk_web_static import BUILD

if TYPE_CHECKING:
    from tests.standins.splunk_web import SplunkWeb
    from tests.standins.splunk_web_http import Call
    from tests.standins.splunk_web_view import View


def config(web: SplunkWeb, call: Call) -> Reply:
    """`$C`, with the names that @splunk/splunk-utils (config.js) reads."""
    values: dict[str, Any] = {
        "BUILD_NUMBER": BUILD,
        "BUILD_PUSH_NUMBER": 0,
        "LOCALE": call.locale,
        "MRSPARKLE_PORT_NUMBER": web.http_port,
        "MRSPARKLE_ROOT_PATH": web.root_path,
        "SPLUNKD_PATH": web.path("splunkd/__raw", call.locale),
        "USERNAME": call.user,
        "VERSION_LABEL": web.splunkd.info.version,
    }
    text = f"window.$C = {json.dumps(values)};\n"
    return Reply(200, text.encode("utf-8"), "application/javascript", (("Cache-Control", "no-store"),))


def serve(web: SplunkWeb, call: Call) -> Optional[Reply]:
    """An app's start, one of its views, or the alert dialog."""
    app, name = call.path[1], call.path[2] if len(call.path) > 2 else ""
    if not (web.home.etc / "apps" / app).is_dir() or not app.strip("."):
        return None
    if name.startswith("alert"):
        dialog = splunk_web_alert.serve(web, call)
        if dialog is not None:
            return dialog
    if call.method not in ("GET", "HEAD"):
        return html("405 Method Not Allowed", 405)
    if not name:
        return _start(web, call, app)
    try:
        return _view(web, call, app, name)
    except views.ViewError as exc:
        return html(escape(str(exc)), 500)


def _start(web: SplunkWeb, call: Call, app: str) -> Optional[Reply]:
    """The default view, or the way to the setup view.

    splunk.appserver.mrsparkle.controllers.view, appDispatcher: an app without an interface is a 404; where the app is
    not configured and the user gets the setup link (who may edit the app), there is a page in between, whose link has
    `setup=1`, and that one leads to `setup_view`.
    """
    conf = web.home.conf.stanzas("app", app)
    ui, install = (conf[name].settings if name in conf else {} for name in ("ui", "install"))
    if not is_true(ui.get("is_visible", "1")):
        text = f'Trying to reach the "{escape(app)}" app which does not have a User Interface.'
        return html(text, 404)
    session = web.splunkd.access.session("Splunk " + call.key)
    may = session.may("admin_all_objects") or session.may("edit_local_apps")
    if may and ui.get("setup_view") and not is_true(install.get("is_configured", "0")):
        if "setup" in call.query:
            return redirect(web.path(f"app/{app}/{ui['setup_view']}", call.locale))
        where = link(web, call, f"app/{app}/?setup=1", "Continue to app setup page")
        label = escape(ui.get("label", app))
        text = f'<h1>App configuration</h1><p>The "{label}" app has not been fully configured yet.</p><p>{where}</p>'
        return frame(web, call, app, "App configuration", text)
    default = views.default_view(views.navigation(web.home, app))
    return redirect(web.path(f"app/{app}/{default}", call.locale)) if default else None


def _view(web: SplunkWeb, call: Call, app: str, name: str) -> Optional[Reply]:
    view = views.load(web.home, app, name)
    if view is None:
        label = views.EXPORTED.get(name)
        # The search app's own views are not modelled: a link to one of them gets there, and that is all.
        return frame(web, call, app, label, f"<h1>{label}</h1>") if label else None
    session = web.splunkd.access.session("Splunk " + call.key)
    if not session.is_in(web.home.conf.acl(app, "views", name).read):
        return None
    head = f'<div class="dashboard-header"><h1 class="dashboard-title">{escape(view.label)}</h1>'
    head += f'<p class="description">{escape(view.description)}</p></div>' if view.description else "</div>"
    inputs = panels.fieldset(view, panels.tokens(view, call.query))
    body = f'<div class="dashboard-body">{head}{inputs}<div id="dashboard"></div></div>{_loader(web, call, app, view)}'
    sheets = [_file(web, call, app, file) for file in view.stylesheets]
    return frame(web, call, app, view.label, body, stylesheets=sheets, theme=view.theme)


def _loader(web: SplunkWeb, call: Call, app: str, view: View) -> str:
    """The panels, which are rendered only later, and what loads the view's scripts."""
    rows = panels.rows(view, panels.tokens(view, call.query))
    scripts = json.dumps([_file(web, call, app, file) for file in view.scripts])
    loader = web.path("static/loader.js", call.locale)
    return (
        f'<template id="splunk-panels">{rows}</template>'
        f'<script src="{loader}" data-scripts=\'{escape(scripts)}\' data-panels="{escape(web.panels)}"></script>'
    )


def _file(web: SplunkWeb, call: Call, app: str, name: str) -> str:
    """The URL of a view's script or style sheet; `other:file` is another app's."""
    other, _, file = name.rpartition(":")
    return web.path(f"static/@{BUILD}/app/{other or app}/{file}", call.locale)
