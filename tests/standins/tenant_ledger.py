"""What a tenant remembers of its requests, and the promises of the wire contract that span several of them.

It must not answer anything: it looks at what came and raises AssertionError where a promise is broken.
"""

from __future__ import annotations

import json

from tests.standins import tenant_contract


class Record:
    """One request that was read; method and path are empty where it was not even HTTP.

    Attributes:
        method, path: As sent.
        headers: Header names in lower case to values; of one that came twice the last.
        body: Raw bytes.
        connection: Number of the connection it came on, from 1.
        tls: The peer's TLS version, None over plain http.
        time: When it had been read, time.monotonic() seconds.
        status: What it was answered with complete headers; None before that, and where no such answer was sent.
        refusal: What it broke of the contract, None when nothing.
        framed: Whether another request can follow it on its connection.
    """

    def __init__(self, head, body, connection, time):
        """Keep what was read on `connection` at `time`."""
        self.method = head.method
        self.path = head.target
        self.headers = {name.lower(): value for name, value in head.headers.items()}
        self.body = body
        self.connection = connection.number
        self.tls = connection.tls
        self.time = time
        self.status = None
        self.refusal = None
        self.framed = True

    def __repr__(self):
        """Without headers and body: a token belongs into no test report."""
        return f"<{self.method} {self.path} {len(self.body)} bytes: {self.status} {self.refusal or ''}>"

    @property
    def json(self):
        """The body parsed, None when it is not strict JSON."""
        try:
            return tenant_contract.parse(self.body)
        except tenant_contract.Refused:
            return None


class Firing:
    """One alert put together from its accepted batches.

    Attributes:
        id: The firing's id, without offset and rows.
        head: The body without `id`, `results` and `batch`.
        rows: All its rows in order.
        complete: Whether its last batch came; for the first-row form always.
        truncated: Whether the last batch says that rows are missing.
    """

    def __init__(self, firing_id, head):
        """Begin a firing without rows."""
        self.id = firing_id
        self.head = head
        self.rows = []
        self.complete = False
        self.truncated = False
        self._index = 0
        self._offset = 0

    def add(self, body, kept_back):
        """Add the next accepted body; raises AssertionError when it does not fit.

        Args:
            body: A parsed body of this firing.
            kept_back: Offsets of rows that the sender may leave out, as it does with a row that is too large.
        """
        assert not self.complete, f"{self.id}: another batch after the last one"
        assert _head_of(body) == self.head, f"{self.id}: the head changed between two batches"
        if isinstance(body["results"], dict):
            self.rows = [body["results"]] if body["results"] else []
            self.complete = True
            return
        batch = body["batch"]
        assert batch["index"] == self._index, f"{self.id}: batch index {batch['index']} where {self._index} was due"
        while self._offset in kept_back:
            self._offset += 1
        assert batch["offset"] == self._offset, f"{self.id}: offset {batch['offset']} where {self._offset} was due"
        self.rows += body["results"]
        self._index += 1
        self._offset += batch["rows"]
        if batch["last"]:
            self._finish(body)

    def _finish(self, body):
        self.complete = True
        self.truncated = "truncated" in body["batch"]
        whole = len(self.rows) == body["result_count"]
        assert whole or self.truncated, (
            f"{self.id}: {len(self.rows)} rows of {body['result_count']}, and not called truncated"
        )


def firings(records, kept_back=()):
    """The alerts of accepted records, in the order of their first batch.

    A body that came again under its own id, as it may after a lost acknowledgement, counts once.

    Args:
        records: Accepted records in order.
        kept_back: Offsets of rows that the sender may leave out of a firing.

    Returns:
        A list of Firing.
    """
    found, seen = {}, set()
    for body in alerts(records):
        if body["id"] in seen:
            continue
        seen.add(body["id"])
        name = firing_id(body)
        if name not in found:
            found[name] = Firing(name, _head_of(body))
        found[name].add(body, frozenset(kept_back))
    return list(found.values())


def alerts(records):
    """The parsed bodies of `records` that are alerts: neither connection tests nor anything else."""
    bodies = (record.json for record in records)
    return [body for body in bodies if isinstance(body, dict) and "results" in body and "id" in body]


def firing_id(body):
    """The id of the firing that a body belongs to: the part before `.<offset>.<rows>` of a batch."""
    return body["id"].rsplit(".", 2)[0] if isinstance(body["results"], list) else body["id"]


def _head_of(body):
    return {key: value for key, value in body.items() if key not in ("id", "results", "batch")}


def assert_no_id_with_two_bodies(records):
    """Every id and Idempotency-Key always came with the same bytes, whatever was answered."""
    bodies = {}
    for record in records:
        key = record.headers.get("idempotency-key")
        if key is not None:
            assert bodies.setdefault(key, record.body) == record.body, f"{key} came with two different bodies"


def without_id(body):
    """The usual key of an alert: everything but its id."""
    return json.dumps({name: value for name, value in body.items() if name != "id"}, sort_keys=True)


def assert_no_alert_under_two_ids(records, key=without_id):
    """No two ids stand for one alert.

    Args:
        records: Records, answered or not.
        key: What makes an alert one and the same: a function of the parsed body with a hashable result.
    """
    ids = {}
    for body in alerts(records):
        name, first = firing_id(body), ids.setdefault(key(body), firing_id(body))
        assert first == name, f"one alert came under the ids {first} and {name}"
