"""A tenant that is as light as can be, in a process of its own: it must not be what is measured.

Must not stand in for the tenant in a test: it checks path and token, and reads no body. A script: the first line of its stdin is JSON with `pem`,
`path`, `token` and `latency_s`; it prints its port. Then a line "times" prints when it answered so far (monotonic seconds), "count" how
many, "last" the last body, "cpu" the CPU seconds it has used, each as a line of JSON; it ends with its stdin.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from typing import Callable

_YES = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
_NO = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"


class Sink:
    """Takes everything that has the right path and token.

    Attributes:
        times: when each was answered, on the monotonic clock, which all processes of a machine share.
        last: the last body.
        port: where it listens.
    """

    def __init__(self, told: dict[str, Any]) -> None:
        """Listen; `told` is the first line of stdin."""
        self._line = f"POST {told['path']} HTTP/1.1\r\n".encode("ascii")
        self._token = f"Bearer {told['token']}".encode("ascii")
        self._latency_s = told["latency_s"]
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(told["pem"])
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(64)
        self.port = self._socket.getsockname()[1]
        self.times: list[float] = []
        self.last = b""
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            threading.Thread(target=self._serve, args=(self._socket.accept()[0],), daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        try:
            with self._context.wrap_socket(accepted, server_side=True) as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                reader = connection.makefile("rb", 65536)
                while self._exchange(connection, reader):
                    pass
        except OSError:
            accepted.close()  # it was killed in the middle, or went

    def _exchange(self, connection: ssl.SSLSocket, reader: BinaryIO) -> bool:
        line = reader.readline()
        if not line:
            return False
        length, token = 0, b""
        for header in iter(reader.readline, b"\r\n"):
            name, _, value = header.partition(b":")
            name = name.lower()
            if name == b"content-length":
                length = int(value)
            elif name == b"authorization":
                token = value.strip()
        self.last = reader.read(length)
        if line != self._line or token != self._token:
            connection.sendall(_NO)
            return True
        if self._latency_s:
            time.sleep(self._latency_s)
        self.times.append(time.monotonic())
        connection.sendall(_YES)
        return True


def main() -> None:
    """Serve until the end of stdin."""
    sink = Sink(json.loads(sys.stdin.readline()))
    _say(sink.port)
    answers: dict[str, Callable[[], object]] = {
        "times": lambda: sink.times,
        "count": lambda: len(sink.times),
        "last": lambda: sink.last.decode("utf-8"),
        "cpu": time.process_time,
    }
    for line in sys.stdin:
        _say(answers[line.strip()]())


def _say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
