"""HTTP for the Splunk Web stand-in: what a page's handler gets (`Call`) and what it gives back (`Reply`), and the server.

Must not know what Splunk Web serves, and keep nothing of a request once it is answered.

A handler is `serve(web, call) -> Optional[Reply]`; None means "not mine", and Splunk Web answers 404.

    call.method     "GET", "POST", ...
    call.path       the decoded segments after root path and locale: ("app", "search", "alerts")
    call.target     the request target as it came, with root path, locale and query
    call.locale     "en-US", or what the URL says
    call.query      {name: value} of the query, the last one wins; call.form the same of a form body
    call.body       the request's body, bytes
    call.headers    http.client.HTTPMessage (case does not matter)
    call.cookies    {name: value}
    call.user       the name of whoever is logged in, None where nobody is
    call.key        that user's session key at splunkd, "" where nobody is logged in

    reply.status, reply.body (bytes), reply.content_type, reply.headers ((name, value), ...)
    html(text, status=200), data(document, status=200), redirect(path, status=303) make replies.
"""

from __future__ import annotations

import http.client
import json
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional
from urllib.parse import parse_qsl, urlsplit

from tests.standins.http_request import Malformed, read_body, read_head
from tests.standins.listener import Listener

if TYPE_CHECKING:
    from http.client import HTTPMessage

    from tests.standins.http_request import Head
    from tests.standins.listener import Connection


class Call(NamedTuple):
    """One request; see the top of this module."""

    method: str
    path: tuple[str, ...]
    target: str
    locale: str
    headers: HTTPMessage
    body: bytes
    user: Optional[str] = None
    key: str = ""

    @property
    def query(self) -> dict[str, str]:
        """The query's arguments."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        """The arguments of a form body; empty where the body is something else."""
        if self.headers.get_content_type() != "application/x-www-form-urlencoded":
            return {}
        return dict(parse_qsl(self.body.decode("utf-8"), keep_blank_values=True))

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that the browser sent; none where it sent something that is no cookie."""
        try:
            found = SimpleCookie(self.headers.get("Cookie", ""))
        except CookieError:
            return {}
        return {name: morsel.value for name, morsel in found.items()}


class Reply(NamedTuple):
    """One answer; `headers` are those beside Content-Type and Content-Length."""

    status: int
    body: bytes
    content_type: str
    headers: tuple[tuple[str, str], ...] = ()


def html(text: str, status: int = 200) -> Reply:
    """A page."""
    return Reply(status, text.encode("utf-8"), "text/html; charset=utf-8", (("Cache-Control", "no-store"),))


def data(document: Any, status: int = 200) -> Reply:
    """A JSON document."""
    return Reply(status, json.dumps(document).encode("utf-8"), "application/json; charset=UTF-8")


def redirect(path: str, status: int = 303) -> Reply:
    """The way to another path of this server."""
    return Reply(status, b"", "text/html; charset=utf-8", (("Location", path), ("Cache-Control", "no-store")))


class HttpServer:
    """Serves plain HTTP/1.1 with keep-alive on a free port of 127.0.0.1 until `close()`.

    `exchange(head, body)` answers; what it raises is a bug of the stand-in, which `close()` raises again.
    """

    def __init__(self, exchange: Callable[[Head, bytes], Reply]) -> None:
        """Listen, and serve at once."""
        self._exchange = exchange
        self._listener = Listener(self._serve)
        self.port: int = self._listener.port

    def close(self) -> None:
        """Cut every connection; returns when their threads have ended."""
        self._listener.close()

    def _serve(self, connection: Connection) -> None:
        connection.plain()
        while True:
            try:
                head = read_head(connection.reader)
                body = read_body(connection.reader, head.length() or 0)
            except Malformed as exc:
                connection.send(_bytes(Reply(400, str(exc).encode("utf-8"), "text/plain"), alone=True))
                return
            connection.send(_bytes(self._exchange(head, body), headless=head.method == "HEAD"))


def _bytes(reply: Reply, *, alone: bool = False, headless: bool = False) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} {http.client.responses.get(reply.status, '')}"]
    lines += [f"{name}: {value}" for name, value in reply.headers]
    lines += [f"Content-Type: {reply.content_type}", f"Content-Length: {len(reply.body)}"]
    lines += ["Connection: close" if alone else "Connection: keep-alive", "", ""]
    return "\r\n".join(lines).encode("latin-1") + (b"" if headless else reply.body)
