"""The connections below `webhook`: found by their attempt's deadline, and strict about headers. Must not know requests, tokens or tenants."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from . import deadline

if TYPE_CHECKING:
    from typing import BinaryIO


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
    """An answer with complete headers: `http.client` takes a connection that ends in their middle for their end."""

    def begin(self) -> None:
        stream = self.fp
        lines = _LastLine(stream)
        self.fp = lines  # type: ignore[assignment]  # all that is read here are lines
        try:
            super().begin()
        finally:
            if self.fp is lines:  # else it was closed
                self.fp = stream
        if lines.line not in (b"\r\n", b"\n"):
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


class _PlainConnection(_Findable, HTTPConnection):
    pass


class _TLSConnection(_Findable, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


POOLS = {"http": _PlainPool, "https": _TLSPool}
