"""Who may do what at the Kibana stand-in: users, API keys, rights. Must not be kinder than Kibana."""

from __future__ import annotations

import base64
import binascii
import uuid

from tests.elastic.standins.kibana_answers import platform

RIGHTS = frozenset(["connectors:read", "connectors:write", "rules:read", "rules:write", "alerts:read"])


class User:
    """A user.

    Attributes:
        name, password: To log in with.
        rights: Of RIGHTS; may be changed at any time, for this user's API keys too.
    """

    def __init__(self, name, password, rights=RIGHTS):
        """Begin with these rights."""
        self.name = name
        self.password = password
        self.rights = set(rights)


class Caller:
    """Who sent a request.

    Attributes:
        user: The User.
        identity: What a rule that this caller edits will run as.
    """

    def __init__(self, user, identity):
        """Keep both."""
        self.user = user
        self.identity = identity


class Accounts:
    """All users and API keys.

    Attributes:
        users: Name to User.
        keys: Id to (secret, User).
    """

    def __init__(self):
        """Begin with nobody."""
        self.users = {}
        self.keys = {}

    def add_user(self, name, password, rights=RIGHTS):
        """Return a new User."""
        self.users[name] = User(name, password, rights)
        return self.users[name]

    def add_key(self, user):
        """Return the encoded form of a new API key of `user`."""
        key_id, secret = uuid.uuid4().hex[:20], uuid.uuid4().hex[:22]
        self.keys[key_id] = (secret, user)
        return base64.b64encode(f"{key_id}:{secret}".encode()).decode()

    def revoke_key(self, encoded):
        """Make an API key worthless, as deleting it or its expiry does."""
        del self.keys[base64.b64decode(encoded).decode().partition(":")[0]]

    def alive(self, identity):
        """Whether a rule with this identity still runs; None is nobody's, as of a rule that nobody edited yet."""
        kind, _, name = (identity or "").partition(":")
        return kind != "api_key" or name in self.keys

    def caller(self, authorization):
        """Find out who sends this Authorization header; returns None where there is no header at all.

        Raises:
            Refusal: 401, the credentials are not valid.
        """
        if authorization is None:
            return None
        scheme, _, rest = authorization.partition(" ")
        try:
            name, colon, secret = base64.b64decode(rest, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            name = colon = secret = ""
        if colon and scheme == "ApiKey" and name in self.keys and self.keys[name][0] == secret:
            return Caller(self.keys[name][1], "api_key:" + name)
        if colon and scheme == "Basic" and name in self.users and self.users[name].password == secret:
            return Caller(self.users[name], "user:" + name)
        raise platform(401, f"[security_exception]: unable to authenticate with provided {scheme or 'no'} credentials")


def authenticated(caller):
    """Raise the 401 of a request without credentials where `caller` is None."""
    if caller is None:
        raise platform(401, "Unauthorized")
