"""A scripted Parapet Security tenant: a real server, https on localhost, as strict as the wire contract.

It must not forgive: what breaks the contract is refused before any script, and no thread of it outlives `close`.
"""

from __future__ import annotations

import collections
import json
import threading
import time

from tests.standins import tenant_contract, tenant_ledger
from tests.standins.http_request import Head, Malformed, read_body, read_head
from tests.standins.listener import Listener, Listening
from tests.standins.tenant_answers import ACCEPTED, UNREAD, Answer, Mode, play
from tests.standins.tenant_contract import Refused
from tests.standins.tenant_ledger import Record

__all__ = ["Answer", "Mode", "Tenant"]

_REFUSAL_HEADERS = {405: {"Allow": "POST"}, 401: {"WWW-Authenticate": "Bearer"}}


class Tenant(Listening):
    """One tenant's webhook.

    Attributes:
        url: Its webhook URL.
        host, port: Where it listens.
        ca_file: What a client must trust, None over plain http.
        token: The token it accepts; may be changed at any time.
        max_bytes: The most bytes of a body, else 413; may be changed at any time.
        latency: Seconds that it waits before every answer; may be changed at any time.
        connections: How many connections it has accepted.
        contract: What it demands of a request: a module with `check_head`, `check_body` and `refusal_body`.
    """

    host = "localhost"
    contract = tenant_contract

    def __init__(
        self,
        certs,
        token="pst_" + "stand-in-tenant",
        *,
        tenant_id="acme",
        strict=True,
        tls=True,
        max_bytes=1048576,
        latency=0.0,
    ):
        """Listen at once.

        Args:
            certs: Certs, whose `server` certificate it presents until `use`; None will do without TLS.
            token: The token it accepts.
            tenant_id: Last part of the webhook's path.
            strict: False leaves out the JSON Schema alone, for load tests: 500 rows take it half a second.
            tls: False serves plain http.
            max_bytes: The most bytes of a body.
            latency: Seconds.
        """
        self.token = token
        self.max_bytes = max_bytes
        self.latency = latency
        self.connections = 0
        self._strict = strict
        self._path = "/webhook/" + tenant_id
        self._context = certs.server.context() if tls else None
        self.ca_file = certs.ca_file if tls else None
        self._records = []
        self._rules = []
        self._script = collections.deque()
        self._default = ACCEPTED
        self._changed = threading.Condition()
        self._listener = Listener(self._handle)
        self.port = self._listener.port
        self.url = f"{'https' if tls else 'http'}://{self.host}:{self.port}{self._path}"

    def use(self, certificate):
        """Present another certificate to connections from now on; open ones go on."""
        self._context = certificate.context()

    def script(self, *answers):
        """Give these answers, in order, to the next requests that keep the contract."""
        with self._changed:
            self._script.extend(answers)

    def always(self, answer):
        """Give this answer whenever nothing else applies, instead of 200."""
        self._default = answer

    def when(self, predicate, answer):
        """Give this answer to every Record for which `predicate` is true, before any script; the first match counts."""
        self._rules.append((predicate, answer))

    @property
    def requests(self):
        """All Records in the order in which they were read."""
        with self._changed:
            return list(self._records)

    @property
    def accepted(self):
        """The Records answered 2xx with complete headers."""
        return [record for record in self.requests if record.status is not None and 200 <= record.status < 300]

    @property
    def refusals(self):
        """What the requests so far broke of the contract, one text each."""
        return [record.refusal for record in self.requests if record.refusal is not None]

    def firings(self, kept_back=()):
        """The accepted alerts put together from their batches; raises AssertionError on a gap or overlap.

        Args:
            kept_back: Offsets of rows that the sender may leave out.
        """
        return tenant_ledger.firings(self.accepted, kept_back)

    def rows(self, kept_back=()):
        """All rows of all accepted alerts, alert by alert, with the checks of `firings`."""
        return [row for firing in self.firings(kept_back) for row in firing.rows]

    def assert_no_id_with_two_bodies(self):
        """Every id always came with the same bytes, answered or not."""
        tenant_ledger.assert_no_id_with_two_bodies(self.requests)

    def assert_no_alert_under_two_ids(self, key=tenant_ledger.without_id):
        """No alert came under two ids, answered or not; `key(body)` says which bodies are one alert."""
        tenant_ledger.assert_no_alert_under_two_ids(self.requests, key)

    def wait_for(self, count, timeout=10):
        """Wait until so many requests were read; returns `requests`, raises AssertionError after `timeout` seconds."""
        self.wait_until(lambda: len(self._records) >= count, timeout)
        return self.requests

    def wait_for_accepted(self, count, timeout=10):
        """Wait until so many requests were answered 2xx; returns `accepted`. One that was read is not answered yet."""
        self.wait_until(lambda: len(self.accepted) >= count, timeout)
        return self.accepted

    def wait_until(self, predicate, timeout=10):
        """Wait until `predicate()` is true; asked at every connection, request and answer.

        Raises:
            AssertionError: Not within `timeout` seconds.
        """
        with self._changed:
            met = self._changed.wait_for(predicate, timeout)
            assert met, f"not within {timeout} s; {self.connections} connections, requests: {self._records[-20:]}"

    def _handle(self, connection):
        with self._changed:
            self.connections += 1
            self._changed.notify_all()
        if self._take(lambda answer: answer.mode is Mode.HALF_OPEN):
            connection.wait(None)
        if self._context is None:
            connection.plain()
        else:
            connection.secure(self._context)
        while connection.reader.peek(1):
            unread = self._take(lambda answer: answer.mode in UNREAD)
            if unread:
                play(connection, unread, None)
                return
            if not self._exchange(connection):
                return

    def _exchange(self, connection):
        """Read one request and answer it; returns whether another can follow."""
        record, answer = self._judge(connection)
        with self._changed:
            self._records.append(record)
            self._changed.notify_all()
        answer = answer or self._choose(record)
        connection.wait(self.latency)
        keep = play(connection, answer, lambda: self._answered(record, answer))
        return keep and record.framed and record.headers.get("connection", "").lower() != "close"

    def _judge(self, connection):
        """Read a request; returns its Record, and the answer to it when it breaks the contract."""
        head, body, refusal, framed = Head("", "", {}), b"", None, True
        try:
            head = read_head(connection.reader)
            refusal = self._head_refusal(head)
            if (head.headers.get("Expect") or "").lower() == "100-continue":
                connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            # Read even what is refused, so that the sender gets to see the answer.
            body = read_body(connection.reader, head.length() or 0)
            framed = "Transfer-Encoding" not in head.headers
            if refusal is None:
                self.contract.check_body(head, body, max_bytes=self.max_bytes, schema=self._strict)
        except Malformed as exc:
            refusal, framed = Refused(400, str(exc)), False
        except Refused as exc:
            refusal = exc
        record = Record(head, body, connection, time.monotonic())
        record.framed = framed
        if refusal is None:
            return record, None
        record.refusal = str(refusal)
        return record, self._refusal(refusal)

    def _head_refusal(self, head):
        try:
            self.contract.check_head(head, path=self._path, token=self.token)
        except Refused as exc:
            return exc
        return None

    def _choose(self, record):
        for predicate, answer in self._rules:
            if predicate(record):
                return answer
        return self._take(lambda _answer: True)

    def _take(self, wanted):
        """The next scripted answer, or the default one, if it is `wanted`; else None, and it stays."""
        with self._changed:
            if not self._script:
                return self._default if wanted(self._default) else None
            return self._script.popleft() if wanted(self._script[0]) else None

    def _answered(self, record, answer):
        with self._changed:
            record.status = answer.status
            self._changed.notify_all()

    def _refusal(self, refused):
        body = json.dumps(self.contract.refusal_body(refused)).encode()
        return Answer(refused.status, headers=_REFUSAL_HEADERS.get(refused.status), body=body)
