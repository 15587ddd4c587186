"""A forward proxy on loopback: CONNECT for https, absolute-form for http, optionally with a Basic password.

It must not keep or show a credential, and must not reach anything but loopback.
"""

from __future__ import annotations

import base64
import selectors
import socket
import threading
import urllib.parse

from tests.standins.http_request import Malformed, read_body, read_head
from tests.standins.listener import Listener, Listening

CONNECT_S = 10
_LOOPBACK = ("localhost", "127.0.0.1")
_CREDENTIALS = ("authorization", "proxy-authorization")
_HOP_BY_HOP = ("connection", "keep-alive", "proxy-authorization", "proxy-connection")


class Seen:
    """One request that the proxy got.

    Attributes:
        method, target: As sent.
        credentials: Whether a Proxy-Authorization came, right or wrong.
        header_names: The names of its headers in lower case, without their values.
        rest: All else that came, as text: the request line, and the headers without the two that may hold a credential.
        status: What the proxy itself answered; None where it passed on another's answer, or none.
    """

    def __init__(self, head):
        """Keep what is no secret."""
        self.method = head.method
        self.target = head.target
        self.header_names = sorted(name.lower() for name in head.headers)
        self.credentials = "proxy-authorization" in self.header_names
        others = {name: value for name, value in head.headers.items() if name.lower() not in _CREDENTIALS}
        self.rest = f"{head.method} {head.target} {others}"
        self.status = None

    def __repr__(self):
        """For a failed assertion."""
        return f"<{self.method} {self.target} credentials={self.credentials} {self.status}>"


class Proxy(Listening):
    """The proxy; listens at once.

    Attributes:
        url: http://localhost:PORT, without credentials.
        port: Its port.
    """

    def __init__(self, username=None, password=None):
        """Ask for this Basic user and password, or for none."""
        self._expected = None
        if username is not None:
            self._expected = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
        self._refusal = None
        self._hangs = False
        self._seen = []
        self._changed = threading.Condition()
        self._listener = Listener(self._handle)
        self.port = self._listener.port
        self.url = f"http://localhost:{self.port}"

    def refuse(self, status):
        """Answer every request from now on with `status`."""
        self._refusal, self._hangs = status, False

    def hang(self):
        """Read every request from now on and never answer."""
        self._refusal, self._hangs = None, True

    def behave(self):
        """Pass requests on again."""
        self._refusal, self._hangs = None, False

    @property
    def requests(self):
        """What it got so far, a list of Seen."""
        with self._changed:
            return list(self._seen)

    def wait_for(self, count, timeout=10):
        """Wait until so many requests came; returns them, raises AssertionError after `timeout` seconds."""
        with self._changed:
            met = self._changed.wait_for(lambda: len(self._seen) >= count, timeout)
            assert met, f"not {count} requests within {timeout} s: {self._seen}"
            return list(self._seen)

    def _handle(self, connection):
        connection.plain()
        try:
            # Python's own http.client says CONNECT in HTTP/1.0, without a Host, before 3.12.
            head = read_head(connection.reader, old=True)
            length = head.length() or 0
        except Malformed as exc:
            _answer(connection, 400, str(exc))
            return
        # Taken now: a test that waits for this request may change the mode at once.
        hangs, refusal = self._hangs, self._refusal
        seen = Seen(head)
        with self._changed:
            self._seen.append(seen)
            self._changed.notify_all()
        body = read_body(connection.reader, length)
        if hangs:
            connection.wait(None)
        if self._expected is not None and head.headers.get("Proxy-Authorization") != self._expected:
            refusal = 407
        if refusal is None:
            refusal = _pass_on(connection, head, body)
        if refusal is not None:
            seen.status = refusal
            _answer(connection, refusal, "the proxy says no")


def _pass_on(connection, head, body):
    """Do what the request asks for; returns the status that says why not, or None when it is done."""
    connects = head.method == "CONNECT"
    target = urllib.parse.urlsplit("//" + head.target if connects else head.target)
    try:
        host, port = target.hostname, target.port
    except ValueError:
        return 400
    if host is None or (connects and port is None) or (not connects and target.scheme != "http"):
        return 400
    if host not in _LOOPBACK:
        return 403
    try:
        upstream = socket.create_connection((host, port or 80), CONNECT_S)
    except OSError:
        return 502
    upstream.settimeout(None)
    connection.attach(upstream)
    if connects:
        connection.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        _tunnel(connection.socket, upstream)
    else:
        upstream.sendall(_origin_form(head, target) + body)
        _relay(upstream, connection)
    return None


def _origin_form(head, target):
    """The head as the server behind the proxy gets it."""
    path = (target.path or "/") + ("?" + target.query if target.query else "")
    lines = [f"{head.method} {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in head.headers.items() if name.lower() not in _HOP_BY_HOP]
    # One request a connection, so that the end of the answer is the end of the connection.
    return ("\r\n".join([*lines, "Connection: close"]) + "\r\n\r\n").encode("latin-1")


def _relay(upstream, connection):
    while True:
        data = upstream.recv(65536)
        if not data:
            return
        connection.send(data)


def _tunnel(client, upstream):
    """Carry bytes both ways until either side ends."""
    other = {client: upstream, upstream: client}
    with selectors.DefaultSelector() as selector:
        for each in other:
            selector.register(each, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                data = key.fileobj.recv(65536)
                if not data:
                    return
                other[key.fileobj].sendall(data)


def _answer(connection, status, why):
    challenge = 'Proxy-Authenticate: Basic realm="proxy"\r\n' if status == 407 else ""
    body = why.encode()
    head = f"HTTP/1.1 {status} Proxy\r\n{challenge}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    connection.send(head.encode() + body)
