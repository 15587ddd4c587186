"""splunkd's `apps/local`: what the installed apps say of themselves, and who marks one configured.

Must not install, update or remove an app.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.standins.splunk_conf import is_true
from tests.standins.splunkd_access import need, need_acl
from tests.standins.splunkd_answers import Entry, Refused, feed
from tests.standins.splunkd_call import dispatch, not_found

if TYPE_CHECKING:
    from tests.standins.splunk_conf import Settings
    from tests.standins.splunk_home import SplunkHome
    from tests.standins.splunkd_answers import Answer
    from tests.standins.splunkd_call import Call

_RIGHT = "admin_all_objects or edit_local_apps"
# The arguments of a POST (REST reference, apps/local/{name}): where each is in app.conf.
_TEXTS = {
    "label": ("ui", "label"),
    "version": ("launcher", "version"),
    "author": ("launcher", "author"),
    "description": ("launcher", "description"),
}
_FLAGS = {
    "configured": ("install", "is_configured"),
    "visible": ("ui", "is_visible"),
    "check_for_updates": ("package", "check_for_updates"),
}
# What app.conf.spec says where an app does not.
_DEFAULTS = {"configured": "0", "visible": "1", "check_for_updates": "1"}
_BOOLEANS = ("0", "1", "true", "false", "t", "f", "yes", "no")


class Apps:
    """The apps of one home."""

    def __init__(self, home: SplunkHome) -> None:
        """Serve the apps of this home."""
        self._conf = home.conf

    def serve(self, call: Call) -> Answer:
        """`apps/local[/<app>[/_reload]]`."""
        handlers = {
            ("GET", 2): self._list,
            ("GET", 3): self._read,
            ("POST", 3): self._update,
            ("GET", 4): self._reload,
            ("POST", 4): self._reload,
        }
        return dispatch(call, handlers)

    def _list(self, call: Call) -> Answer:
        apps = [app for app in self._conf.apps() if call.session.is_in(self._conf.acl(app, "").read)]
        return call.page([self._entry(call, app) for app in apps])

    def _read(self, call: Call) -> Answer:
        app = self._app(call)
        need_acl(call.session, "read", self._conf.acl(app, ""), f"/nobody/system/apps/local/{app}")
        return feed([self._entry(call, app)], call.as_json)

    def _update(self, call: Call) -> Answer:
        app = self._app(call)
        need(call.session, _RIGHT)
        for name, value in call.accept((), (*_TEXTS, *_FLAGS)).items():
            stanza, key = _TEXTS.get(name) or _FLAGS[name]
            self._conf.update("app", app, stanza, {key: _boolean(name, value) if name in _FLAGS else value})
        return feed([self._entry(call, app)], call.as_json)

    def _reload(self, call: Call) -> Answer:
        """Nothing to do: the stand-in reads every file anew at each call."""
        if call.resource[3] != "_reload":
            raise Refused(404, "Not Found")
        self._app(call)
        need(call.session, _RIGHT)
        return feed([], call.as_json)

    def _app(self, call: Call) -> str:
        app = call.resource[2]
        if app not in self._conf.apps():
            raise not_found(app)
        return app

    def _entry(self, call: Call, app: str) -> Entry:
        own = self._conf.own("app", app)
        acl = self._conf.acl(app, "")
        content: dict[str, object] = {name: _setting(own, place, "") for name, place in _TEXTS.items()}
        content["label"] = content["label"] or app
        content.update({name: is_true(_setting(own, place, _DEFAULTS[name])) for name, place in _FLAGS.items()})
        content["disabled"] = _setting(own, ("install", "state"), "enabled") == "disabled"
        return Entry(
            "apps/local",
            app,
            content,
            read=acl.read,
            write=acl.write,
            can_write=call.session.may("admin_all_objects") or call.session.may("edit_local_apps"),
        )


def _setting(own: dict[str, Settings], place: tuple[str, str], otherwise: str) -> str:
    return own.get(place[0], {}).get(place[1], otherwise)


def _boolean(name: str, value: str) -> str:
    if value.lower() not in _BOOLEANS:
        raise Refused(400, f"Argument \"{name}\" must be a boolean, not '{value}'.")
    return "1" if is_true(value) else "0"
