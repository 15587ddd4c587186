"""The connections below `webhook`: found by their attempt's deadline, and strict about headers. Must not know requests, tokens or tenants."""

from __future__ import annotations

import http.client
import ipaddress
from typing import TYPE_CHECKING

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool, log
from urllib3.exceptions import HTTPError

from . import deadline

if TYPE_CHECKING:
    from typing import Any, BinaryIO

    from urllib3.response import HTTPResponse

# What urllib3 thinks of an answer's headers, with a traceback, is for nobody; in a search command, splunklib would have it on stderr.
log.parent.propagate = False  # type: ignore[union-attr]  # the whole package's

_SWITCHING_PROTOCOLS, _FIRST_FINAL = 101, 200
_LINE_MOST = 65536
_BLANK = (b"\r\n", b"\n")
_LINE_ENDS = (*_BLANK, b"")
# Bytes of an answer's body.
_BODY_MOST = 65536


class _LastLine:
    """Reads lines for `http.client`, and remembers the last."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.line = b""

    def readline(self, limit: int = -1) -> bytes:
        self.line = self._stream.readline(limit)
        return self.line

    def close(self) -> None:
        self._stream.close()


class _Response(http.client.HTTPResponse):
    """A final answer with complete headers.

    `http.client` takes a connection that ends in the middle of the headers for their end, and an interim answer other than 100 (102, 103)
    for the final one, whose bytes would then be taken for the answer to the next request.
    """

    def _read_status(self) -> tuple[str, int, str]:
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]  # private, and the same from 3.7 to 3.13
            if not _SWITCHING_PROTOCOLS < status < _FIRST_FINAL:
                return version, status, reason
            while self.fp.readline(_LINE_MOST) not in _LINE_ENDS:
                pass

    def begin(self) -> None:
        stream = self.fp
        lines = _LastLine(stream)
        self.fp = lines  # type: ignore[assignment]  # all that is read here are lines
        try:
            super().begin()
        finally:
            if self.fp is lines:  # type: ignore[comparison-overlap]  # else it was closed
                self.fp = stream
        if lines.line not in _BLANK:
            raise http.client.RemoteDisconnected("the connection was closed before the headers were complete")


class _Findable:
    response_class = _Response

    def connect(self) -> None:
        self._tell()
        super().connect()  # type: ignore[misc]  # mixed into a connection

    def putrequest(self, *args: object, **kwargs: object) -> None:
        self._tell()
        super().putrequest(*args, **kwargs)  # type: ignore[misc]

    def _tell(self) -> None:
        deadline.note_connection(self)


class _PlainConnection(_Findable, HTTPConnection):  # type: ignore[misc]  # its response_class is one
    pass


class _TLSConnection(_Findable, HTTPSConnection):  # type: ignore[misc]  # the same
    peer = ("", "")

    def connect(self) -> None:
        super().connect()
        # Now, for an answer that closes the connection leaves no socket to ask.
        self.peer = self.sock.version() or "", _issuer(self.sock.getpeercert() or {})


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


def peer(raw: HTTPResponse) -> tuple[str, str]:
    """Who answered, before the rest of the answer is read: the version of TLS and the certificate's issuer, "" without TLS."""
    found: tuple[str, str] = getattr(raw.connection, "peer", ("", ""))
    return found


def _issuer(certificate: dict[str, Any]) -> str:
    names = dict(pair for part in certificate.get("issuer", ()) for pair in part)
    return ", ".join(names[key] for key in ("commonName", "organizationName") if key in names)


def finish(raw: HTTPResponse, length: str | None) -> bool:
    """Read the rest of a short answer, so that its connection can be used again; a long or a broken one is not worth it.

    Args:
        raw: the answer, its headers read.
        length: its Content-Length, as it came.

    Returns:
        Whether its connection is free; if not, it is closed.
    """
    try:
        if int(length or 0) <= _BODY_MOST:
            raw.read(_BODY_MOST, decode_content=False)
            if not raw.read(1, decode_content=False):
                raw.release_conn()
                return True
    except (HTTPError, OSError, ValueError):
        pass
    raw.close()
    return False


def is_address(host: str) -> bool:
    """Whether a host is an IP address and no name."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


POOLS = {"http": _PlainPool, "https": _TLSPool}
