"""splunkd's `storage/passwords`: secrets in passwords.conf, encrypted with the home's splunk.secret.

Must not keep, log or write a secret in clear.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from typing import TYPE_CHECKING, Any, Iterator

from tests.standins.splunkd_access import need, need_acl
from tests.standins.splunkd_answers import Entry, Refused, feed
from tests.standins.splunkd_call import dispatch, not_found

if TYPE_CHECKING:
    from tests.standins.splunk_home import SplunkHome
    from tests.standins.splunkd_answers import Answer
    from tests.standins.splunkd_call import Call

_PREFIX = "credential:"
_PATH = "storage/passwords"
_NONCE = 12


class Passwords:
    """The secrets of one home. `mask`: `clear_password` is stars, as limits.conf can make it (contract section 5.2)."""

    def __init__(self, home: SplunkHome, mask: bool) -> None:
        """Read the home's splunk.secret."""
        self._conf = home.conf
        self._secret = (home.etc / "auth/splunk.secret").read_bytes()
        self._mask = mask

    def serve(self, call: Call) -> Answer:
        """`storage/passwords[/<realm>:<user>:]`."""
        need(call.session, "list_storage_passwords" if call.method == "GET" else "edit_storage_passwords")
        app = call.namespace[1]
        if app != "-" and not self._conf.has_app(app):
            raise Refused(404, f"Application does not exist: {app}")
        handlers = {
            ("GET", 2): self._list,
            ("POST", 2): self._create,
            ("GET", 3): self._read,
            ("POST", 3): self._update,
            ("DELETE", 3): self._delete,
        }
        return dispatch(call, handlers)

    def _list(self, call: Call) -> Answer:
        seen = {(app, name): value for app, name, value in self._all(call) if self._readable(call, app, name)}
        return call.page([self._entry(call, app, name, value) for (app, name), value in seen.items()])

    def _read(self, call: Call) -> Answer:
        app, name, value = self._find(call)
        need_acl(call.session, "read", self._conf.acl(app, "passwords", _PREFIX + name), f"/nobody/{app}/passwords")
        return feed([self._entry(call, app, name, value)], call.as_json)

    def _create(self, call: Call) -> Answer:
        args = call.accept(("name", "password"), ("realm",))
        name = "{}:{}:".format(_escape(args.get("realm", "")), _escape(args["name"]))
        app = self._writable(call, name)
        if any(found[:2] == (app, name) for found in self._all(call)):
            raise Refused(409, f"An object with name={name} already exists")
        return self._store(call, app, name, args["password"], 201)

    def _update(self, call: Call) -> Answer:
        _, name, _ = self._find(call)
        return self._store(call, self._writable(call, name), name, call.accept(("password",))["password"], 200)

    def _delete(self, call: Call) -> Answer:
        _, name, _ = self._find(call)
        if not self._conf.remove("passwords", self._writable(call, name), _PREFIX + name):
            raise not_found(name)
        return feed([], call.as_json)

    def _store(self, call: Call, app: str, name: str, clear: str, status: int) -> Answer:
        value = self._encrypt(clear)
        self._conf.update("passwords", app, _PREFIX + name, {"password": value})
        return feed([self._entry(call, app, name, value)], call.as_json, status=status)

    def _all(self, call: Call) -> Iterator[tuple[str, str, str]]:
        app = call.namespace[1]
        for one in self._conf.apps() if app == "-" else [app]:
            for stanza, (owner, settings) in self._conf.stanzas("passwords", one).items():
                if stanza.startswith(_PREFIX):
                    yield owner, stanza[len(_PREFIX) :], settings["password"]

    def _find(self, call: Call) -> tuple[str, str, str]:
        wanted = call.resource[2]
        for found in self._all(call):
            if found[1] == wanted:
                return found
        raise not_found(wanted)

    def _readable(self, call: Call, app: str, name: str) -> bool:
        return call.session.is_in(self._conf.acl(app, "passwords", _PREFIX + name).read)

    def _writable(self, call: Call, name: str) -> str:
        owner, app = call.namespace
        if "-" in (owner, app):
            raise Refused(400, "Cannot write to a wildcarded namespace")
        acl = self._conf.acl(app, "passwords", _PREFIX + name)
        need_acl(call.session, "write", acl, f"/nobody/{app}/passwords")
        return app

    def _entry(self, call: Call, app: str, name: str, value: str) -> Entry:
        realm, user = [_unescape(part) for part in re.split(r"(?<!\\):", name)[:2]]
        acl = self._conf.acl(app, "passwords", _PREFIX + name)
        content: dict[str, Any] = {
            "clear_password": "******" if self._mask else self._decrypt(value),
            "encr_password": value,
            "password": "********",
            "realm": realm or None,
            "username": user,
        }
        return Entry(
            _PATH,
            name,
            content,
            app,
            sharing="global" if acl.exported else "app",
            read=acl.read,
            write=acl.write,
            can_write=call.session.may("edit_storage_passwords") and call.session.is_in(acl.write),
        )

    def _encrypt(self, clear: str) -> str:
        nonce = secrets.token_bytes(_NONCE)
        return "$7$" + base64.b64encode(nonce + self._xor(nonce, clear.encode("utf-8"))).decode("ascii")

    def _decrypt(self, value: str) -> str:
        raw = base64.b64decode(value[len("$7$") :])
        return self._xor(raw[:_NONCE], raw[_NONCE:]).decode("utf-8")

    def _xor(self, nonce: bytes, text: bytes) -> bytes:
        stream = hashlib.shake_256(self._secret + nonce).digest(len(text))
        return bytes(a ^ b for a, b in zip(text, stream))


def _escape(part: str) -> str:
    return part.replace("\\", "\\\\").replace(":", "\\:")


def _unescape(part: str) -> str:
    return re.sub(r"\\(.)", r"\1", part)
