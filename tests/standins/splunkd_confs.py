"""splunkd's `configs/conf-<name>`, `alerts/alert_actions` and `properties` over the installed conf files.

Must not know HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

from tests.standins.splunk_conf import is_true
from tests.standins.splunkd_access import need, need_acl
from tests.standins.splunkd_answers import Entry, Refused, feed
from tests.standins.splunkd_call import not_allowed, not_found

if TYPE_CHECKING:
    from tests.standins.splunk_conf import Stanza
    from tests.standins.splunk_home import SplunkHome
    from tests.standins.splunkd_answers import Answer
    from tests.standins.splunkd_call import Call


class Confs:
    """The configuration endpoints of one home."""

    def __init__(self, home: SplunkHome) -> None:
        """Serve the configuration of this home."""
        self._conf = home.conf

    def configs(self, call: Call) -> Answer:
        """`configs/conf-<name>[/<stanza>]`."""
        kind = call.resource[1]
        if not kind.startswith("conf-"):
            raise Refused(404, "Not Found")
        return self._serve(call, kind[len("conf-") :], call.resource[2:])

    def alert_actions(self, call: Call) -> Answer:
        """`alerts/alert_actions[/<action>]`: the same stanzas under another path."""
        return self._serve(call, "alert_actions", call.resource[2:])

    def properties(self, call: Call) -> Answer:
        """`properties/<conf>`: its stanzas' names; 404 for a conf that nobody has (`configs` answers an empty list)."""
        if call.method != "GET" or len(call.resource) != 2:
            raise not_allowed()
        need(call.session, "rest_properties_get")
        stanzas = self._visible(call, call.resource[1])
        if not stanzas:
            raise Refused(404, f"{call.resource[1]} does not exist")
        return call.page([Entry("/".join(call.resource), name, {}, s.app) for name, s in stanzas.items()])

    def _serve(self, call: Call, conf: str, rest: Sequence[str]) -> Answer:
        app = call.namespace[1]
        if app != "-" and not self._conf.has_app(app):
            raise Refused(404, f"Application does not exist: {app}")
        if len(rest) > 1:
            raise Refused(404, "Not Found")
        handlers = {
            ("GET", 0): self._list,
            ("POST", 0): self._create,
            ("GET", 1): self._read,
            ("POST", 1): self._update,
            ("DELETE", 1): self._delete,
        }
        handler = handlers.get((call.method, len(rest)))
        if handler is None:
            raise not_allowed()
        return handler(call, conf, rest[0] if rest else "")

    def _list(self, call: Call, conf: str, _name: str) -> Answer:
        return call.page([self._entry(call, conf, name, s) for name, s in self._visible(call, conf).items()])

    def _read(self, call: Call, conf: str, name: str) -> Answer:
        stanza = self._stanza(call, conf, name)
        need_acl(call.session, "read", self._conf.acl(stanza.app, conf, name), f"/nobody/{stanza.app}/{conf}/{name}")
        return feed([self._entry(call, conf, name, stanza)], call.as_json)

    def _create(self, call: Call, conf: str, _name: str) -> Answer:
        settings = dict(call.args)
        name = settings.pop("name", "")
        if not name:
            raise Refused(400, "The following required arguments are missing: name.")
        existing = self._conf.stanzas(conf, call.namespace[1], call.namespace[0]).get(name)
        self._write(call, conf, name, settings, existing is not None and existing.app == call.namespace[1])
        return feed([self._entry(call, conf, name, self._stanza(call, conf, name))], call.as_json, status=201)

    def _update(self, call: Call, conf: str, name: str) -> Answer:
        self._stanza(call, conf, name)
        self._write(call, conf, name, call.args, False)
        return feed([self._entry(call, conf, name, self._stanza(call, conf, name))], call.as_json)

    def _delete(self, call: Call, conf: str, name: str) -> Answer:
        owner, app = call.namespace
        self._stanza(call, conf, name)
        self._may_write(call, conf, name)
        if not self._conf.remove(conf, app, name, owner):
            raise Refused(403, f"Object id={name} is not removable")
        return feed([], call.as_json)

    def _write(self, call: Call, conf: str, name: str, settings: dict[str, str], exists: bool) -> None:
        self._may_write(call, conf, name)
        if exists:
            raise Refused(409, f"An object with name={name} already exists")
        owner, app = call.namespace
        self._conf.update(conf, app, name, settings, owner)

    def _may_write(self, call: Call, conf: str, name: str) -> None:
        owner, app = call.namespace
        if "-" in (owner, app):
            raise Refused(400, "Cannot write to a wildcarded namespace")
        if owner == "nobody":
            path = f"/nobody/{app}/{conf}/{name}"
            need_acl(call.session, "write", self._conf.acl(app, conf, name), path)
        elif owner != call.session.user:
            need(call.session, "admin_all_objects")

    def _visible(self, call: Call, conf: str) -> dict[str, Stanza]:
        owner, app = call.namespace
        found: dict[str, Stanza] = {}
        for one in self._conf.apps() if app == "-" else [app]:
            found.update(self._conf.stanzas(conf, one, owner))
        return {n: s for n, s in found.items() if call.session.is_in(self._conf.acl(s.app, conf, n).read)}

    def _stanza(self, call: Call, conf: str, name: str) -> Stanza:
        owner, app = call.namespace
        for one in self._conf.apps() if app == "-" else [app]:
            stanza = self._conf.stanzas(conf, one, owner).get(name)
            if stanza is not None:
                return stanza
        raise not_found(name)

    def _entry(self, call: Call, conf: str, name: str, stanza: Stanza) -> Entry:
        acl = self._conf.acl(stanza.app, conf, name)
        owner = call.namespace[0]
        content: dict[str, Any] = {"disabled": False, "eai:appName": stanza.app, "eai:userName": "nobody"}
        content.update(stanza.settings)
        # The one setting that splunkd normalises; every other value stays the string of the file.
        content["disabled"] = is_true(str(content["disabled"]))
        return Entry(
            "/".join(call.resource[:2]),
            name,
            content,
            stanza.app,
            sharing="global" if acl.exported else "app",
            read=acl.read,
            write=acl.write,
            can_write=call.session.is_in(acl.write) or owner == call.session.user,
            removable=self._conf.removable(conf, stanza.app, name, "nobody" if owner == "-" else owner),
        )
