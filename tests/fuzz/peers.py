"""Who answers with an input: a socket that says it to whoever connects, and a splunkd without one. Must not judge what comes of it."""

from __future__ import annotations

import io
import socket
import threading
from unittest import mock

from parapet.secret import Secret
from parapet.splunkd import Splunkd
from splunklib import binding

KEY = "session-key-canary-7f3a"
_REQUEST_MOST = 1 << 20


class Speaker:
    """Answers each connection on this machine with the same bytes, whatever was asked, and closes it."""

    def __init__(self):
        """Listen; the thread ends with the process."""
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(16)
        self.port = self._socket.getsockname()[1]
        self.answer = b""
        self.asked = []
        threading.Thread(target=self._serve, daemon=True).start()

    def says(self, answer):
        """From now on this is the answer, and nothing was asked yet."""
        self.answer, self.asked = answer, []
        return self

    def _serve(self):
        while True:
            connection, _ = self._socket.accept()
            try:
                self._speak(connection)
            except OSError:
                pass  # whoever asked has heard enough
            finally:
                connection.close()

    def _speak(self, connection):
        connection.settimeout(5)
        self.asked.append(_request(connection))
        connection.sendall(self.answer)
        connection.shutdown(socket.SHUT_WR)
        # What is closed before the other side has read it all can reach it as a reset.
        while connection.recv(65536):
            pass


def _request(connection):
    """A whole request: a part of it that is not read would turn the end of the connection into a reset."""
    data = b""
    while b"\r\n\r\n" not in data and len(data) < _REQUEST_MOST:
        more = connection.recv(65536)
        if not more:
            return data
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line[15:] for line in head.split(b"\r\n") if line[:15].lower() == b"content-length:"]
    missing = int(lengths[0]) - len(body) if lengths else 0
    while missing > 0:
        more = connection.recv(65536)
        if not more:
            break
        data, missing = data + more, missing - len(more)
    return data


_SPEAKERS = []


def speaker():
    """The one of this process."""
    if not _SPEAKERS:
        _SPEAKERS.append(Speaker())
    return _SPEAKERS[0]


def splunkd(status, body):
    """A session whose every question is answered with this; splunklib is real but for its socket."""

    def answer(url, message, **_):
        return {"status": status, "reason": "", "headers": [], "body": io.BytesIO(body)}

    with mock.patch.object(binding, "handler", return_value=answer):
        return Splunkd("http://127.0.0.1:1", Secret(KEY), timeout_s=1.0)
