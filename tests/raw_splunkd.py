"""A splunkd that gives every question the same answer, of any bytes. Must not make sense of what it is asked."""

from __future__ import annotations

from tests.standins.listener import Listener

_CHUNK = b" " * 65536
# More than any client should ever take.
ENDLESS = 1 << 26


class RawSplunkd:
    """A context manager.

    Args:
        status: the status line's number and words.
        body: bytes, or how many blanks to send.

    Attributes:
        uri: where it is, without TLS.
        asked: the request lines.
        sent: how many blanks have gone in all; complete when the context has ended.
    """

    def __init__(self, status, body):
        """Answer nothing yet."""
        self._status, self._body = status, body
        self.asked, self.sent = [], 0

    def __enter__(self):
        """Answer from now on."""
        self._listener = Listener(self._answer)
        self.uri = f"http://127.0.0.1:{self._listener.port}"
        return self

    def __exit__(self, *exc_info):
        """End, and raise what broke here."""
        self._listener.close()

    def _answer(self, connection):
        connection.plain()
        self.asked.append(connection.reader.readline().decode("ascii").strip())
        while connection.reader.readline().strip():
            pass
        length = self._body if isinstance(self._body, int) else len(self._body)
        connection.send(f"HTTP/1.1 {self._status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n".encode())
        if isinstance(self._body, bytes):
            connection.send(self._body)
            return
        for _ in range(length // len(_CHUNK)):
            connection.send(_CHUNK)
            self.sent += len(_CHUNK)
