"""Reads an HTTP request from a connection, for the tenant and the proxy.

It must not repair anything: what is not exactly a request is `Malformed`.
"""

from __future__ import annotations

import http.client
import re

MAX_LINE = 65536
MAX_BODY = 64 * 1024 * 1024
_REQUEST_LINE = re.compile(rb"([A-Z]+) ([!-~]+) HTTP/1\.([01])\r\n")


class Malformed(Exception):
    """What came is not an HTTP request; the text says why."""


class Head:
    """Request line and headers.

    Attributes:
        method: As sent.
        target: The request target as sent.
        headers: http.client.HTTPMessage, looked up without regard to case.
    """

    def __init__(self, method, target, headers):
        """Keep the three parts."""
        self.method = method
        self.target = target
        self.headers = headers

    def one(self, name):
        """The value of a header that must not come twice, None where it is absent.

        Raises:
            Malformed: The header came more than once.
        """
        values = self.headers.get_all(name, [])
        if len(values) > 1:
            raise Malformed(f"{name} came {len(values)} times")
        return values[0] if values else None

    def length(self):
        """Bytes of the body, from Content-Length; None where the header is absent.

        Raises:
            Malformed: It is no number, or more than the stand-ins read at all.
        """
        text = self.one("Content-Length")
        if text is None:
            return None
        if not re.fullmatch("[0-9]{1,12}", text) or int(text) > MAX_BODY:
            raise Malformed("Content-Length is not a number of bytes that can be")
        return int(text)


def read_head(reader, *, old=False):
    """Read a request's head.

    Args:
        reader: A buffered binary reader.
        old: Whether HTTP/1.0 will do too, which needs no Host.

    Raises:
        Malformed: It is not HTTP/1.1.
        ConnectionError: The connection ended before the head did.
    """
    line = reader.readline(MAX_LINE + 1)
    if not line:
        raise ConnectionAbortedError("no request")
    match = _REQUEST_LINE.fullmatch(line)
    is_old = match is not None and match.group(3) == b"0"
    if match is None or (is_old and not old):
        raise Malformed("the request line is not METHOD TARGET HTTP/1.1")
    try:
        headers = http.client.parse_headers(reader)
    except http.client.HTTPException as exc:
        raise Malformed(f"headers: {exc}") from exc
    if headers.defects:
        raise Malformed("a header line is broken")
    head = Head(match.group(1).decode(), match.group(2).decode(), headers)
    if not is_old and not head.one("Host"):
        raise Malformed("Host is missing")
    return head


def read_body(reader, length):
    """Read exactly so many bytes.

    Raises:
        ConnectionError: The connection ended before.
    """
    body = reader.read(length)
    if len(body) < length:
        raise ConnectionAbortedError("the body was cut off")
    return body
