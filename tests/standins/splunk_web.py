"""A Splunk Web over plain HTTP in front of a splunkd stand-in: login, an app's views and static files, splunkd/__raw.

Must not be friendlier than Splunk Web: what it would refuse is refused here, and nothing of a request's body is kept.

    with SplunkWeb(splunkd, root_path="/splunk", locale="de-DE", theme="dark") as web:
        cookies = web.login("admin")                        # {name: value}, as after the login form
        page.goto(web.url("app/parapet_security/setup"))    # http://127.0.0.1:<port>/splunk/de-DE/app/...
"""

from __future__ import annotations

import re
import traceback
from datetime import datetime, timezone
from typing import TYPE_CHECKING, NamedTuple, Optional
from urllib.parse import quote, unquote, urlsplit

from tests.standins import splunk_web_app, splunk_web_proxy, splunk_web_static
from tests.standins.splunk_web_http import Call, HttpServer, html, redirect
from tests.standins.splunk_web_login import Sessions

if TYPE_CHECKING:
    from tests.standins.http_request import Head
    from tests.standins.splunk_web_http import Reply
    from tests.standins.splunkd import Splunkd

_LOCALE = re.compile("[a-z]{2}-[A-Z]{2}")
# web.conf.spec 9.0.3: x_frame_options_sameorigin is on by default. No Content-Security-Policy is mentioned there.
_HEADERS = (("Server", "Splunkd"), ("X-Frame-Options", "SAMEORIGIN"), ("X-Content-Type-Options", "nosniff"))


class Access(NamedTuple):
    """One line of web_access.log; `user` is "-" where nobody was logged in."""

    time: datetime
    user: str
    method: str
    target: str
    status: int
    size: int

    def __str__(self) -> str:
        """The line as Splunk Web writes it, as far as it holds anything of the request's first line."""
        when = self.time.strftime("%d/%b/%Y:%H:%M:%S.%f")[:-3]
        return (
            f'127.0.0.1 - {self.user} [{when} +0000] "{self.method} {self.target} HTTP/1.1" {self.status} {self.size}'
        )


class SplunkWeb:
    """A context manager; while it is entered, Splunk Web answers.

    Args:
        splunkd: the splunkd behind it, entered.
        root_path: `root_endpoint` of web.conf, as in "/splunk".
        locale: where a URL without a locale is sent to.
        theme: "light" or "dark", what the user chose; a view's own `theme` wins.
        panels: "before" or "after": whether a view's panels stand before its script runs. Which it is in Splunk is not
            confirmed, so a page must stand both.
        splunkd_timeout: seconds after which Splunk Web gives up on splunkd; a test may shorten it. 30 is the default and the
            least of web.conf's `splunkdConnectionTimeout` (splunk.appserver.mrsparkle.root).

    Attributes:
        http_port: web.conf's `httpport`, which names the cookies and stands in $C. The socket's own port is another one,
            as it is behind a proxy, so a page that looks into its address for it finds nothing.
        access_log: what was asked, oldest first.
    """

    http_port = 8000

    def __init__(
        self,
        splunkd: Splunkd,
        *,
        root_path: str = "",
        locale: str = "en-US",
        theme: str = "light",
        panels: str = "before",
        splunkd_timeout: float = 30.0,
    ) -> None:
        """Start nothing yet."""
        self.splunkd, self.home = splunkd, splunkd.home
        self.root_path, self.locale, self.theme, self.panels = root_path, locale, theme, panels
        self.splunkd_timeout = splunkd_timeout
        self.access_log: list[Access] = []
        self.sessions = Sessions(self)
        self._errors: list[str] = []

    def __enter__(self) -> SplunkWeb:  # noqa: PYI034  # Self came with 3.11
        """Start to answer."""
        self._server = HttpServer(self._exchange)
        self.origin = f"http://127.0.0.1:{self._server.port}"
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close, and fail the test if the stand-in itself broke."""
        self._server.close()
        if self._errors:
            raise AssertionError("Splunk Web stand-in broke:\n" + "\n".join(self._errors))

    def path(self, path: str, locale: Optional[str] = None) -> str:
        """A path below root path and locale, as in `path("app/search/alerts")`."""
        return f"{self.root_path}/{locale or self.locale}/{path.lstrip('/')}"

    def url(self, path: str, locale: Optional[str] = None) -> str:
        """The URL of a path below root path and locale."""
        return self.origin + self.path(path, locale)

    def login(self, user: str) -> dict[str, str]:
        """Log a user in without a form, and return the cookies that the browser would have."""
        return self.sessions.open(user, self.splunkd.session(user))

    @property
    def access_text(self) -> str:
        """The access log as text, to look for what must not be in it."""
        return "\n".join(map(str, self.access_log))

    def _exchange(self, head: Head, body: bytes) -> Reply:
        call = Call(head.method, (), head.target, self.locale, head.headers, body)
        session = self.sessions.of(call)
        if session is not None:
            call = call._replace(user=session.user, key=session.key)
        try:
            reply = self._route(call)
        except Exception:  # noqa: BLE001  # kept, and raised when the stand-in is left
            self._errors.append(traceback.format_exc())
            reply = html("500 Internal Server Error", 500)
        now = datetime.now(timezone.utc)
        self.access_log.append(Access(now, call.user or "-", call.method, call.target, reply.status, len(reply.body)))
        return reply._replace(headers=(*_HEADERS, *reply.headers))

    def _route(self, call: Call) -> Reply:
        path = urlsplit(call.target).path
        if not path.startswith(self.root_path + "/"):
            return html("404 Not Found", 404)
        segments = path[len(self.root_path) + 1 :].split("/")
        if segments[0] == "static":
            return splunk_web_static.serve(self, call._replace(path=tuple(map(unquote, segments))))
        if not _LOCALE.fullmatch(segments[0]):
            return redirect(f"{self.root_path}/{self.locale}{call.target[len(self.root_path) :]}")
        call = call._replace(locale=segments[0], path=tuple(map(unquote, segments[1:])))
        return self._serve(call) or html("404 Not Found", 404)

    def _serve(self, call: Call) -> Optional[Reply]:
        if call.path[:2] == ("splunkd", "__raw"):
            return splunk_web_proxy.serve(self, call)
        if call.path[:1] == ("static",):
            return splunk_web_static.serve(self, call)
        if call.path[:1] == ("account",):
            return self.sessions.serve(call)
        return self._serve_user(call)

    def _serve_user(self, call: Call) -> Optional[Reply]:
        if call.user is None:
            return redirect(self.path("account/login", call.locale) + "?return_to=" + quote(call.target, safe=""))
        if call.path == ("config",):
            return splunk_web_app.config(self, call)
        if call.path[:1] == ("app",) and len(call.path) > 1:
            return splunk_web_app.serve(self, call)
        return None
