"""Who is logged in to the Splunk Web stand-in: the login form, the cookies, and the check against forged requests.

Must not keep a password, and not decide what a user may do: splunkd does.
"""

from __future__ import annotations

import secrets
from html import escape
from typing import TYPE_CHECKING, NamedTuple, Optional

from tests.standins.splunk_web_http import html, redirect
from tests.standins.splunkd_answers import Refused

if TYPE_CHECKING:
    from tests.standins.splunk_web import SplunkWeb
    from tests.standins.splunk_web_http import Call, Reply

# The words of splunk.appserver.mrsparkle.lib.util, which many apps' proxies repeat (splunk_ta_iwork, for one).
FORGED = Refused(401, "Splunk cannot authenticate the request. CSRF validation failed.")

_FORM = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><title>Login | Splunk</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="{css}"></head><body><main class="login"><h1>Splunk Web stand-in</h1>{failed}
<form method="post" action="{action}"><input type="hidden" name="cval" value="{cval}">
<input type="hidden" name="return_to" value="{return_to}">
<label for="username">Username</label><input id="username" name="username" type="text" autocomplete="username">
<label for="password">Password</label><input id="password" name="password" type="password"
autocomplete="current-password"><button type="submit" class="btn btn-primary">Sign In</button></form></main></body></html>
"""


class Session(NamedTuple):
    """An open session: its user, the key at splunkd, and the token that its forms must carry."""

    user: str
    key: str
    form_key: str


class Sessions:
    """The sessions of one Splunk Web, by the value of their cookie."""

    def __init__(self, web: SplunkWeb) -> None:
        """Nobody is logged in."""
        self._web = web
        self._open: dict[str, Session] = {}

    @property
    def cookie(self) -> str:
        """The name of the session's cookie, which no script can read."""
        return f"splunkd_{self._web.http_port}"

    @property
    def form_cookie(self) -> str:
        """The name of the cookie whose value a script sends back as X-Splunk-Form-Key."""
        return f"splunkweb_csrf_token_{self._web.http_port}"

    def open(self, user: str, key: str) -> dict[str, str]:
        """Begin a session, and return its cookies."""
        value, form_key = secrets.token_urlsafe(48), _number()
        self._open[value] = Session(user, key, form_key)
        return {self.cookie: value, self.form_cookie: form_key}

    def of(self, call: Call) -> Optional[Session]:
        """The session of a request; none where splunkd has ended it, as after its time-out."""
        session = self._open.get(call.cookies.get(self.cookie, ""))
        if session is None:
            return None
        try:
            self._web.splunkd.access.session("Splunk " + session.key)
        except Refused:
            return None
        return session

    def is_forged(self, call: Call) -> bool:
        """Whether a request that changes something lacks what only our own pages can send."""
        session = self.of(call)
        sent = call.headers.get("X-Splunk-Form-Key", "")
        ours = session is not None and sent == call.cookies.get(self.form_cookie) == session.form_key
        return not ours or call.headers.get("X-Requested-With") != "XMLHttpRequest"

    def serve(self, call: Call) -> Optional[Reply]:
        """The pages below /account."""
        if call.path == ("account", "logout") and call.method == "GET":
            self._open.pop(call.cookies.get(self.cookie, ""), None)
            return redirect(self._web.path("account/login", call.locale))
        if call.path != ("account", "login"):
            return None
        if call.method != "POST":
            return self._form(call)
        form = call.form
        if not form.get("cval") or form["cval"] != call.cookies.get("cval"):
            return self._form(call, failed=True)
        try:
            key = self._web.splunkd.access.login(form.get("username", ""), form.get("password", ""))
        except Refused:
            return self._form(call, failed=True)
        cookies = self.open(form["username"], key)
        back = form.get("return_to", "")
        # Only a path of this server: "//elsewhere" would be another one.
        inside = back.startswith("/") and back[1:2] not in ("/", "\\")
        reply = redirect(back if inside else self._web.path("", call.locale))
        set_cookies = (
            ("Set-Cookie", f"{self.cookie}={cookies[self.cookie]}; Path=/; HttpOnly"),
            ("Set-Cookie", f"{self.form_cookie}={cookies[self.form_cookie]}; Path=/"),
        )
        return reply._replace(headers=reply.headers + set_cookies)

    def _form(self, call: Call, *, failed: bool = False) -> Reply:
        cval = _number()
        action = self._web.path("account/login", call.locale)
        text = _FORM.format(
            lang=call.locale,
            css=self._web.path("static/splunk.css", call.locale),
            failed='<p role="alert">Login failed</p>' if failed else "",
            action=action,
            cval=cval,
            return_to=escape(call.query.get("return_to") or call.form.get("return_to", "")),
        )
        reply = html(text, 401 if failed else 200)
        path = self._web.path("account/", call.locale)
        return reply._replace(headers=(*reply.headers, ("Set-Cookie", f"cval={cval}; Path={path}")))


def _number() -> str:
    return str(secrets.randbelow(2**64))
