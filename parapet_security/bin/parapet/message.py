"""From an alert and its rows to the bodies that a tenant receives (wire.md). Must not read files, clocks or settings: all are arguments.

A body is `{"source":"splunk","id":…, <head>, "results":…, "batch":…}`. The head is fixed before the first attempt; a cut into
batches depends on rows, head, limit and offset alone; a batch is named by its place, `<id>.<offset>.<rows>`. So no id ever has two bodies.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Iterator, Mapping, NamedTuple

from . import notable, severity
from .rows import Selector
from .utc import iso, to_iso

if TYPE_CHECKING:
    from .alert import Alert
    from .rows import Row

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
# The longest that `"id":…,"results":[]`, `"batch":{…}` and the punctuation around them can be.
_ENVELOPE_BYTES = 256


class Facts(NamedTuple):
    """What Splunk's REST interface knew where the firing itself said nothing; "" or None where it did not know either.

    `correlation` is what `notable.attributes` has of the saved search: {} where it is no correlation search.
    """

    search_query: str = ""
    earliest: str = ""
    latest: str = ""
    description: str = ""
    alert_severity: str = ""
    result_count: int | None = None
    server_guid: str = ""
    server_version: str = ""
    correlation: Mapping[str, str] = {}


class Batch(NamedTuple):
    """One request's body.

    Attributes:
        id: the delivery id, also the Idempotency-Key.
        body: UTF-8 JSON.
        rows: how many rows it holds.
        last: whether no body of this entry follows.
    """

    id: str
    body: bytes
    rows: int
    last: bool


def build_head(
    alert: Alert, first_row: Row, *, every_row: bool, row_count: int, fired_ms: int, facts: Facts
) -> tuple[dict[str, object], str]:
    """All of the body but `id`, `results` and `batch`.

    Args:
        alert: the firing.
        first_row: its first row, {} where it had none.
        every_row: whether `results` will be an array.
        row_count: how many rows are known to exist, for where Splunk did not say.
        fired_ms: when it fired, in milliseconds since the epoch.
        facts: what else is known.

    Returns:
        The head, and what no severity map knows ("" where everything was known).
    """
    level, unknown = severity.resolve(
        alert.severity,
        alert.severity_fields,
        alert.severity_map,
        first_row,
        alert.alert_severity or facts.alert_severity,
        notable_severity=facts.correlation.get(notable.SEVERITY, ""),
    )
    name = alert.search_name or "Unknown"
    search = {
        "name": name,
        "query": alert.search_query or facts.search_query or None,
        "earliest": to_iso(alert.earliest) or to_iso(facts.earliest),
        "latest": to_iso(alert.latest) or to_iso(facts.latest),
        "app": alert.app,
        "owner": alert.owner,
        "sid": alert.sid,
        **_known(description=alert.description or facts.description),
    }
    head: dict[str, object] = {"timestamp": iso(fired_ms), "severity": level}
    if every_row:
        head["search_name"] = name
    head["search"] = search
    counts = (count(alert.result_count), facts.result_count, row_count)
    head["result_count"] = next(known for known in counts if known is not None)
    links = _known(results=alert.results_link, alert=alert.view_link)
    if links:
        head["links"] = links
    if alert.server_host:
        server = _known(guid=alert.server_guid or facts.server_guid, version=facts.server_version)
        head["splunk"] = {"server": alert.server_host, **server}
    security = notable.describe(first_row, facts.correlation, Selector(alert.fields, alert.exclude_fields))
    if security:
        head["enterprise_security"] = security
    return head, unknown


def count(text: str) -> int | None:
    """How many results there are, as Splunk writes it; None where that is no number, or one that not every reader of JSON keeps as it is."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def single(firing: str, head: dict[str, object], row: Row, select: Selector) -> Batch:
    """The body that holds the first row as an object."""
    return Batch(firing, _body(firing, head, [_bytes(_encode(outgoing(row, select)))]), 1 if row else 0, last=True)


def outgoing(row: Row, select: Selector) -> Row:
    """A row as it travels: the selected fields, none of them empty, `_time` as the wire wants it."""
    kept = {name: value for name, value in row.items() if value and select[name]}
    when = kept.get("_time")
    if when:
        # The contract has one time in a row; of `values(_time)` and the like, the first counts.
        first = when[0] if isinstance(when, list) else when
        kept["_time"] = to_iso(first) or first
    return kept


class Cutter:
    """Cuts the rows that are not acknowledged yet into batches; holds the rows of one batch, never all of them."""

    def __init__(
        self, firing: str, head: dict[str, object], rows: Iterator[Row], select: Selector, *, offset: int, index: int
    ) -> None:
        """Start at a place.

        Args:
            firing: the firing's id.
            head: the fixed head.
            rows: the rows from `offset` on.
            select: which fields travel.
            offset: how many rows are done already.
            index: how many batches are acknowledged already.
        """
        self._firing, self._head, self._rows, self._select = firing, head, rows, select
        self._overhead = len(_bytes(_encode(head))) + _ENVELOPE_BYTES
        self._waiting: list[bytes] = []
        self._ended = False
        self.offset, self.index = offset, index

    def cut(self, limit: int) -> list[bytes]:
        """The encoded rows of the next batch: as many as fit into `limit` bytes, and one row at least while there is one."""
        size, count = self._overhead, 0
        while True:
            if count == len(self._waiting) and not self._read():
                return list(self._waiting)
            size += len(self._waiting[count]) + 1
            if count and size > limit:
                return self._waiting[:count]
            count += 1

    def batch(self, encoded: list[bytes], *, truncated: bool) -> Batch:
        """The body of these rows; `truncated` counts on the last batch only."""
        last = self.is_last(encoded)
        place = {"index": self.index, "offset": self.offset, "rows": len(encoded), "last": last}
        if last and truncated:
            place["truncated"] = True
        name = f"{self._firing}.{self.offset}.{len(encoded)}"
        body = _body(name, self._head, [b"[", b",".join(encoded), b"]", b',"batch":', _bytes(_encode(place))])
        return Batch(name, body, len(encoded), last)

    def is_last(self, encoded: list[bytes]) -> bool:
        """Whether no row follows these."""
        return self._ended and len(encoded) == len(self._waiting)

    def done(self, rows: int, *, batches: int) -> None:
        """These rows are acknowledged (one batch), or set aside (none)."""
        del self._waiting[:rows]
        self.offset += rows
        self.index += batches

    def _read(self) -> bool:
        row = None if self._ended else next(self._rows, None)
        if row is None:
            self._ended = True
            return False
        self._waiting.append(_bytes(_encode(outgoing(row, self._select))))
        return True


def test_body(name: str) -> bytes:
    """The connection test."""
    return _bytes(_encode({"source": "splunk", "id": name, "test": True}))


def _body(name: str, head: dict[str, object], results: list[bytes]) -> bytes:
    """The body with these pieces behind `results`; put together at once, for each step between would be a copy of all of it."""
    start = _bytes(_encode({"source": "splunk", "id": name, **head}))[:-1]
    return b"".join([start, b',"results":', *results, b"}"])


def _bytes(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        # Half of a character (a lone surrogate) has no form in UTF-8; the replacement character says so.
        return _LONE_SURROGATE.sub("\ufffd", text).encode("utf-8")


def _known(**values: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}
