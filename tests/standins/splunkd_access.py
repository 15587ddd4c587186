"""Users, roles, capabilities and sessions, as in Splunk's default authorize.conf.

Must not print or keep anything of a request.
"""

from __future__ import annotations

import base64
import secrets
import threading
from typing import TYPE_CHECKING, NamedTuple, Optional, Sequence

from tests.standins.splunkd_answers import Refused

if TYPE_CHECKING:
    from tests.standins.splunk_conf import Acl

SYSTEM_USER = "splunk-system-user"

# Of Splunk Cloud's administrator. Whether it has `admin_all_objects` too depends on the stack (splunk-sap-logserv, notes on
# Splunk Cloud Victoria), so here it has not, and only access lists that name it let it in.
_SC_ADMIN = (
    "edit_local_apps",
    "edit_messages",
    "edit_storage_passwords",
    "list_settings",
    "list_storage_passwords",
)


class Role(NamedTuple):
    """A role of authorize.conf."""

    capabilities: frozenset[str]
    imports: frozenset[str] = frozenset()
    # srchIndexesAllowed: "*" is every index whose name starts with no underscore, "_*" every other one.
    indexes: frozenset[str] = frozenset()


class User(NamedTuple):
    """Somebody who can log in."""

    password: str
    roles: frozenset[str]
    realname: str = ""


class Session(NamedTuple):
    """Who a session key stands for; `roles` with the imported ones."""

    user: str
    roles: frozenset[str]
    capabilities: frozenset[str]
    indexes: frozenset[str] = frozenset()

    @property
    def is_system(self) -> bool:
        """Whether this is splunkd's own session, which may do everything."""
        return self.user == SYSTEM_USER

    def may(self, capability: str) -> bool:
        """Whether it has a capability."""
        return self.is_system or capability in self.capabilities

    def may_search(self, index: str) -> bool:
        """Whether a search of this index finds anything."""
        every = "_*" if index.startswith("_") else "*"
        return self.is_system or bool(self.indexes.intersection((index, every)))

    def is_in(self, roles: Sequence[str]) -> bool:
        """Whether an access list lets it in; `admin_all_objects` passes every list."""
        return self.may("admin_all_objects") or "*" in roles or bool(self.roles.intersection(roles))


class Access:
    """The users and the open sessions of one splunkd.

    The users `admin`, `sc_admin`, `power` and `user` have the role of their name; `users[name].password` logs in.
    """

    def __init__(self) -> None:
        """Make the default users and roles; nobody is logged in."""
        self.roles: dict[str, Role] = {
            "user": Role(frozenset({"search", "rest_apps_view", "rest_properties_get"}), indexes=frozenset("*")),
            "power": Role(frozenset({"schedule_search", "run_sendalert"}), frozenset({"user"})),
            "admin": Role(frozenset({*_SC_ADMIN, "admin_all_objects"}), frozenset({"power"}), frozenset({"_*"})),
            "sc_admin": Role(frozenset(_SC_ADMIN), frozenset({"power"}), frozenset({"_*"})),
        }
        self.users = {name: User(secrets.token_hex(8), frozenset({name})) for name in self.roles}
        self.users["admin"] = self.users["admin"]._replace(realname="Administrator")
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def add_user(self, name: str, roles: Sequence[str], realname: str = "") -> None:
        """A user more, with roles that exist."""
        self.users[name] = User(secrets.token_hex(8), frozenset(roles), realname)

    def add_role(
        self, name: str, capabilities: Sequence[str], imports: Sequence[str] = (), indexes: Sequence[str] = ()
    ) -> None:
        """A role more; `indexes` are its srchIndexesAllowed."""
        self.roles[name] = Role(frozenset(capabilities), frozenset(imports), frozenset(indexes))

    def open(self, user: str) -> str:
        """A new session key for a user, or for `SYSTEM_USER`.

        Raises:
            KeyError: no such user.
        """
        roles: set[str] = set()
        if user != SYSTEM_USER:
            self._collect(self.users[user].roles, roles)
        capabilities: list[str] = [c for role in roles for c in self.roles[role].capabilities]
        indexes: list[str] = [i for role in roles for i in self.roles[role].indexes]
        key = secrets.token_urlsafe(60)
        with self._lock:
            self._sessions[key] = Session(user, frozenset(roles), frozenset(capabilities), frozenset(indexes))
        return key

    def login(self, user: str, password: str) -> str:
        """A session for a password.

        Raises:
            Refused: 401, whatever was wrong with it.
        """
        known = self.users.get(user)
        if known is None or known.password != password:
            raise Refused(401, "Login failed", "WARN")
        return self.open(user)

    def expire(self, key: str) -> None:
        """End a session; its key is worth nothing from now on."""
        with self._lock:
            self._sessions.pop(key, None)

    def authenticate(self, authorization: Optional[str]) -> tuple[Session, str]:
        """The session of a request and its key; `Basic` with a user's password opens one, as curl -u does.

        Raises:
            Refused: 401 for a wrong password, and where `session` does.
        """
        scheme, _, given = (authorization or "").partition(" ")
        if scheme != "Basic":
            return self.session(authorization), given.strip()
        try:
            user, _, password = base64.b64decode(given, validate=True).decode("utf-8").partition(":")
            key = self.login(user, password)
        except (ValueError, Refused):
            raise Refused(401, "call not properly authenticated", "WARN") from None
        return self.session("Splunk " + key), key

    def session(self, authorization: Optional[str]) -> Session:
        """The session that an `Authorization` header names.

        Raises:
            Refused: 401 without a header, with another scheme, an unknown or an expired key.
        """
        scheme, _, key = (authorization or "").partition(" ")
        with self._lock:
            session = self._sessions.get(key.strip()) if scheme in ("Splunk", "Bearer") else None
        if session is None:
            raise Refused(401, "call not properly authenticated", "WARN")
        return session

    def _collect(self, names: frozenset[str], into: set[str]) -> None:
        for name in names - into:
            into.add(name)
            self._collect(self.roles[name].imports, into)


def need(session: Session, capability: str) -> None:
    """Raise the 403 of a missing capability. `capability` may be an expression with `and` and `or`."""
    alternatives = (part.split(" and ") for part in capability.split(" or "))
    if not any(all(session.may(name.strip()) for name in names) for names in alternatives):
        text = "You (user={}) do not have permission to perform this operation (requires capability: {})."
        raise Refused(403, text.format(session.user, capability))


def need_acl(session: Session, verb: str, acl: Acl, path: str) -> None:
    """Raise the 403 of an access list that does not name one of the session's roles."""
    if not session.is_in(acl.read if verb == "read" else acl.write):
        text = "User '{}' with roles {{ {} }} cannot {}: {} {{ read : [ {} ], write : [ {} ] }}"
        roles = ", ".join(sorted(session.roles))
        raise Refused(403, text.format(session.user, roles, verb, path, ", ".join(acl.read), ", ".join(acl.write)))
