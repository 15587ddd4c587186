"""An HTTP/1.1 server over TLS on 127.0.0.1 with keep-alive, whose connections can all be cut.

Must not know what it serves.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any, Callable, Optional

from tests.standins.certs import Certs
from tests.standins.splunkd_answers import Answer

if TYPE_CHECKING:
    import ssl

Exchange = Callable[[BaseHTTPRequestHandler], Optional[Answer]]


class _Server(ThreadingMixIn, HTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, handler: Any) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.open: set[Any] = set()
        self.idle = threading.Condition()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self.idle:
            self.open.add(request)
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        super().process_request_thread(request, client_address)
        with self.idle:
            self.open.discard(request)
            self.idle.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: only a client that went away or refused our certificate gets here."""


class TlsServer:
    """Serves until `close()`. Its certificate is signed by itself, as splunkd's own is by default."""

    def __init__(self, exchange: Exchange) -> None:
        """Listen on a free port of 127.0.0.1 and serve at once."""
        self._server = _Server(_handler(exchange))
        # The handshake is left to the connection's own thread, so that one slow client stops nobody.
        self._server.socket = _context().wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.port: int = self._server.server_address[1]
        # How often it looks whether it has been closed: every test of a Splunk waits for that once.
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening and cut every connection; returns when their threads have ended."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        with self._server.idle:
            for connection in self._server.open:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
            self._server.idle.wait_for(lambda: not self._server.open, 10)


@functools.lru_cache(maxsize=None)
def _context() -> ssl.SSLContext:
    """One certificate for all servers of a process: nobody verifies it."""
    with tempfile.TemporaryDirectory() as folder:
        return Certs(Path(folder)).self_signed.context()


def _handler(exchange: Exchange) -> Any:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version, sys_version = "Splunkd", ""
        # One write for head and body, or Nagle's algorithm makes each answer wait for an acknowledgement.
        wbufsize = -1
        disable_nagle_algorithm = True

        def serve(self) -> None:
            answer = exchange(self)
            if answer is None:
                self.close_connection = True
                return
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            # splunkd says what it does with the connection; the SDK reads no body without it.
            self.send_header("Connection", "Close" if self.close_connection else "Keep-Alive")
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = serve  # noqa: N815  # the base class calls these

        def log_message(self, *_args: Any) -> None:
            """Nothing: the log would hold paths, and tests read `requests`."""

    return Handler
