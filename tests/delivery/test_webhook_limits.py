"""The limits of one attempt: connecting, reading, all of it, and what is left of a deadline."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest
from parapet.webhook import ERRORS

from tests.delivery.client import QUICK, client
from tests.standins.tenant import Answer, Mode, Tenant


@pytest.fixture(params=[True, False], ids=["https", "http"])
def tenant(request, certs):
    """A tenant over https, and one over http on loopback."""
    with Tenant(certs, tls=request.param) as found:
        yield found


@pytest.mark.parametrize(
    ("mode", "word"),
    [
        (Mode.HALF_OPEN, "timeout"),
        (Mode.CLOSE_UNREAD, "reset"),
        (Mode.CLOSE_UNANSWERED, "reset"),
        (Mode.RESET, "reset"),
        (Mode.CUT_HEAD, "reset"),
        (Mode.GARBAGE, "protocol"),
    ],
)
def test_no_answer_has_a_reason(tenant, mode, word):
    """Without complete headers there is no status, whatever came before."""
    tenant.script(Answer(mode=mode))
    with client(tenant.ca_file, **QUICK) as post:
        answer = post(tenant.url)
        # Python 3.7 on a late OpenSSL takes an end without close_notify for a fault of TLS.
        words = (word, "tls") if tenant.ca_file and word == "reset" else (word,)
        assert answer.status is None
        assert answer.error in words, answer
        assert post(tenant.url).status == 200


def test_answer_that_does_not_come_is_a_timeout(tenant):
    """The read limit holds from the request's end to the answer's start."""
    tenant.script(Answer(delay=60))
    with client(tenant.ca_file, connect_timeout=30, read_timeout=0.3) as post:
        assert post(tenant.url)[:3] == (None, "timeout", ERRORS["timeout"])


def test_headers_that_drip_end_with_the_deadline_over_all(tenant):
    """Each byte comes in time, the answer does not."""
    tenant.script(Answer(mode=Mode.DRIP_HEAD, delay=0.1))
    with client(tenant.ca_file, connect_timeout=30, read_timeout=30) as post:
        assert post(tenant.url, budget_s=1.0)[:2] == (None, "timeout")
        assert post(tenant.url).status == 200


def test_headers_that_drip_slowly_enough_are_an_answer(tenant):
    """The deadline is over the attempt, not an objection to slowness."""
    tenant.script(Answer(204, mode=Mode.DRIP_HEAD, delay=0.001))
    with client(tenant.ca_file) as post:
        assert post(tenant.url).status == 204


def test_budget_cuts_every_other_limit(tenant):
    """An action that has a second left does not wait for thirty."""
    tenant.script(Answer(delay=60), Answer(mode=Mode.HALF_OPEN))
    with client(tenant.ca_file, connect_timeout=60, read_timeout=300) as post:
        assert post(tenant.url, budget_s=0.3).error == "timeout"
    with client(tenant.ca_file, connect_timeout=60, read_timeout=300) as post:
        assert post(tenant.url, budget_s=0.3).error == "timeout"


def test_tls_handshake_that_drips_ends_with_the_deadline(certs):
    """A peer that sends a byte of its first TLS record now and then keeps no worker."""
    with dripping_handshake() as port, client(certs.ca_file, connect_timeout=30, read_timeout=30) as post:
        assert post(f"https://localhost:{port}/webhook/acme", budget_s=0.6)[:2] == (None, "timeout")


def test_refused_and_unknown_hosts_have_words_of_their_own(certs, monkeypatch):
    """An administrator sees whether the name or the port is wrong."""
    with Tenant(certs) as gone:
        url = gone.url
    with client(certs.ca_file, **QUICK) as post:
        assert post(url).error == "refused"

        def no_such_name(*_args, **_more):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
        assert post("https://webhook.example/webhook/acme").error == "dns"


def test_closed_clients_leave_no_thread_behind(tenant):
    """The deliver handler's process lives for days, and has a client for each of its turns."""
    others = threading.enumerate()  # another test's client may still be open
    tenant.script(Answer(delay=60))
    with client(tenant.ca_file, **QUICK) as post:
        post(tenant.url, budget_s=0.2)
        watchers = [thread for thread in threading.enumerate() if thread.name == "deadlines" and thread not in others]
        assert watchers
    for thread in watchers:
        thread.join(10)
        assert not thread.is_alive()


@contextlib.contextmanager
def dripping_handshake():
    """A server that answers a ClientHello with a TLS record of 16 KiB, byte by byte; yields its port."""
    over = threading.Event()

    def serve(listener):
        with contextlib.suppress(OSError):
            peer, _ = listener.accept()
            with peer:
                peer.sendall(b"\x16\x03\x03\x40\x00\x02")
                while not over.wait(0.1):
                    peer.sendall(b"\x00")

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(5)
        listener.settimeout(20)
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            thread.join(20)
