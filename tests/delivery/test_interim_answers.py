"""Interim answers (1xx): they are no answer, and must never shift the answers by one request. Must not use the strict tenant: it sends none."""

from __future__ import annotations

import socket
import threading

import pytest

from tests.delivery.client import client

EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"
ACCEPTED = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
REFUSED = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture(name="server")
def server_fixture():
    """Serves connections one after another with the answers that a test gives, one a request; yields (url, answers)."""
    listener = socket.create_server(("127.0.0.1", 0)) if hasattr(socket, "create_server") else _listener()
    answers = []

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                while answers and _read_request(stream):
                    connection.sendall(answers.pop(0))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/webhook/acme", answers
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(10)


def _listener():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(5)
    return listener


def _read_request(stream):
    head = iter(stream.readline, b"")
    length = 0
    for line in head:
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
        if line == b"\r\n":
            return bool(stream.read(length))
    return False


@pytest.mark.parametrize("interim", [EARLY_HINTS, PROCESSING, PROCESSING + EARLY_HINTS], ids=["103", "102", "both"])
def test_interim_answer_is_passed_over(server, interim):
    """The final answer counts, and the next request gets its own: a delivery is never believed for another's sake."""
    url, answers = server
    answers += [interim + ACCEPTED, REFUSED, interim + ACCEPTED]
    with client() as post:
        assert [post(url).status for _ in range(3)] == [200, 400, 200]


def test_switch_of_protocols_is_no_success_and_ends_the_connection(server):
    """101 is final, and what follows it is not HTTP."""
    url, answers = server
    answers += [b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n" + ACCEPTED, REFUSED]
    with client() as post:
        assert [post(url).status for _ in range(2)] == [101, 400]
