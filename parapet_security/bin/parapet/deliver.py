"""Takes one entry to its tenant, body after body, and says what came of it. Must not wait, choose an entry, or hold a tenant.

It is the same for all who deliver: what differs (the outbox or memory, the clock, the client) is passed in.
"""

from __future__ import annotations

import json
from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from . import connection_test, digest, message, verdict
from .entry import Header, new_state
from .rows import Selector
from .source import Source
from .verdict import Kind

if TYPE_CHECKING:
    from typing import Callable

    from .entry import State
    from .holder import Entry
    from .log import Log
    from .message import Batch, Facts
    from .rows import GivenRows, Rows
    from .verdict import Answer, Verdict


class Result(Enum):
    """What came of taking an entry to its tenant."""

    DELIVERED = "delivered"
    ENTRY_WAITS = "entry_waits"
    TENANT_WAITS = "tenant_waits"
    TENANT_SLOW = "tenant_slow"
    CONFIGURATION = "configuration"
    DEAD = "dead"
    STOPPED = "stopped"


class Outcome(NamedTuple):
    """The result for an entry, and why.

    Attributes:
        result: what came of it.
        state: the entry's state, noted already but for what `result` changes.
        reason: a word for the log.
        detail: what happened, in words.
        todo: what a person can do, or "".
        retry_after: the header of the last answer, or None.
    """

    result: Result
    state: State
    reason: str = ""
    detail: str = ""
    todo: str = ""
    retry_after: str | None = None


class Means(NamedTuple):
    """What a delivery works with.

    Attributes:
        post: sends a body under an id to the entry's tenant.
        save: notes a state; with `first` the head is fixed, with `durable` the step outlasts a power cut.
        rows: opens the results file that came with the entry, or that Splunk left; OSError or RowsUnreadable where there is none.
        bury_row: keeps a row (the entry's state, its place, its encoded form, why) as a dead letter of its own.
        facts: asks Splunk what the firing did not say.
        stopped: whether to stop before the next body.
        log: for what is worth knowing.
        limit: the most bytes of one body, for an entry that was never tried.
    """

    post: Callable[[bytes, str], Answer]
    save: Callable[..., None]
    rows: Callable[[], Rows | GivenRows]
    bury_row: Callable[[State, int, bytes, str], None]
    facts: Callable[[], Facts]
    stopped: Callable[[], bool]
    log: Log
    limit: int


def deliver(entry: Entry, means: Means, *, test_first: bool = False) -> Outcome:
    """Take one entry to its tenant.

    Args:
        entry: the entry, with its state.
        means: what to do it with.
        test_first: whether the tenant is held for its configuration: then the connection test goes first.

    Returns:
        What came of it. Everything acknowledged is noted in the state.
    """
    source = Source(entry, means.rows, means.log)
    try:
        state = entry.state or _begin(entry, means, source)
        if test_first:
            answer = connection_test.run(means.post)
            found = verdict.classify(answer)
            if found.kind not in _TEST_PASSED:
                return _waiting(state, answer, found)
        return _Delivery(entry, means, source, state).run()
    finally:
        source.close()


def _begin(entry: Entry, means: Means, source: Source) -> State:
    alert = entry.header.alert
    facts = means.facts()
    first = source.first_row()
    count = 0 if alert.result_count or facts.result_count is not None else source.count()
    head, unknown = message.build_head(
        alert, first, every_row=alert.send == "all", row_count=count, fired_ms=entry.fired_ms, facts=facts
    )
    if unknown:
        means.log.event("severity.unknown", id=entry.id, field=unknown, search=alert.search_name)
    state = new_state(head, means.limit)
    try:
        means.save(state, first=True)
    except OSError as error:
        if alert.send == "all":
            raise
        # A full disk must not keep what is on it: one body needs no state to be finished, and its delivery makes room.
        means.log.event("outbox.failed", id=entry.id, reason=str(error))
    return state


class _Delivery:
    """The bodies of one entry, one after another."""

    def __init__(self, entry: Entry, means: Means, source: Source, state: State) -> None:
        self._entry, self._means, self._source, self._state = entry, means, source, state
        alert = entry.header.alert
        self._select = Selector(alert.fields, alert.exclude_fields)

    def run(self) -> Outcome:
        return self._every_row() if self._entry.header.alert.send == "all" else self._first_row()

    def _first_row(self) -> Outcome:
        batch = message.single(self._entry.id, self._state.head, self._source.first_row(), self._select)
        if self._means.stopped():
            return Outcome(Result.STOPPED, self._state)
        return self._send(batch) or Outcome(Result.DELIVERED, self._state)

    def _every_row(self) -> Outcome:
        state = self._state
        rows = islice(self._source.rows(), state.rows, None)
        cutter = message.Cutter(self._entry.id, state.head, rows, self._select, offset=state.rows, index=state.batches)
        while True:
            if self._means.stopped():
                return Outcome(Result.STOPPED, self._state)
            encoded = cutter.cut(self._state.limit)
            batch = cutter.batch(
                encoded, truncated=cutter.is_last(encoded) and self._is_truncated(cutter.offset + len(encoded))
            )
            outcome = self._send(batch, may_split=True)
            if outcome is None:
                cutter.done(batch.rows, batches=1)
                if batch.last:
                    # Not noted: until the entry is removed, a resume sends this same body again, not one more after the last.
                    return Outcome(Result.DELIVERED, self._state._replace(rows=cutter.offset, batches=cutter.index))
                self._note(rows=cutter.offset, batches=cutter.index, refusals=0, refused_since_ms=0, others_went=False)
            elif outcome.reason != "status_413" or outcome.result is not Result.DEAD:
                return outcome
            elif batch.rows > 1:
                # Only a 413 changes the limit, and durably: after a power cut the same rows are cut in the same places.
                self._note(durable=True, limit=max(min(self._state.limit, len(batch.body)) // 2, 1))
            elif batch.rows == 1:
                self._means.bury_row(self._state, cutter.offset, encoded[0], outcome.detail)
                cutter.done(1, batches=0)
                self._note(durable=True, rows=cutter.offset, skipped=self._state.skipped + 1)
            else:
                return outcome

    def _is_truncated(self, total: int) -> bool:
        log, source, count = self._means.log, self._source, self._state.head.get("result_count", 0)
        if source.broken:
            log.event("results.broken", id=self._entry.id, reason=source.broken, rows=total)
            return True
        if source.whole_search and isinstance(count, int) and total < count:
            log.event("results.fewer", id=self._entry.id, rows=total, result_count=count)
            return True
        return bool(self._state.skipped)

    def _note(self, *, durable: bool = False, **changes: object) -> None:
        self._state = self._state._replace(**changes)
        self._means.save(self._state, durable=durable)

    def _send(self, batch: Batch, *, may_split: bool = False) -> Outcome | None:
        """Send one body; None where it is delivered."""
        answer = self._means.post(batch.body, batch.id)
        found = verdict.classify(answer)
        if found.kind is Kind.CONFIGURATION:
            # Refused, it seems, for token or URL. If the connection test is accepted and this body is refused again, it was the body.
            test = connection_test.run(self._means.post)
            tested = verdict.classify(test)
            if tested.kind is not Kind.DELIVERED:
                # A test that is refused for its own body says nothing about this one: then the tenant is held for what was said here.
                answer, found = (answer, found) if tested.kind in _TEST_PASSED else (test, tested)
                return _waiting(self._state, answer, found)
            answer = self._means.post(batch.body, batch.id)
            again = verdict.classify(answer)
            if again.kind is Kind.CONFIGURATION:
                detail = f"{answer.detail} for this body, while the connection test is accepted: something before the tenant (a firewall) refuses it"
                return Outcome(
                    Result.DEAD,
                    self._state,
                    again.reason,
                    detail,
                    "ask for this body to be let through, then retry the dead letter",
                )
            found = again
        if found.kind is Kind.DELIVERED:
            return None
        if found.kind is Kind.TOO_LARGE:
            size = f"HTTP 413: {len(batch.body)} bytes with one row are too large for the tenant"
            return Outcome(
                Result.DEAD,
                self._state,
                found.reason,
                size,
                "" if may_split else "leave out large fields with exclude_fields",
            )
        return _waiting(self._state, answer, found)


# Answers to the connection test after which the entry itself goes: URL and token were accepted, whatever became of the test's own body.
_TEST_PASSED = (Kind.DELIVERED, Kind.REFUSED, Kind.TOO_LARGE)
_RESULTS = {
    Kind.TENANT_WAITS: Result.TENANT_WAITS,
    Kind.TENANT_SLOW: Result.TENANT_SLOW,
    Kind.ENTRY_WAITS: Result.ENTRY_WAITS,
    Kind.CONFIGURATION: Result.CONFIGURATION,
    Kind.REFUSED: Result.DEAD,
    Kind.TOO_LARGE: Result.DEAD,
}


def _waiting(state: State, answer: Answer, found: Verdict) -> Outcome:
    return Outcome(_RESULTS[found.kind], state, found.reason, answer.detail, found.todo, answer.retry_after)


def row_name(entry: Entry, offset: int) -> str:
    """The name of the dead letter that keeps this row of an entry, the first being 0."""
    return entry.name[:14] + digest.short(f"{entry.id}.{offset}")


def row_entry(entry: Entry, state: State, offset: int, encoded: bytes, why: str) -> tuple[str, Header, State]:
    """A dead letter that keeps a single row of an alert: its name, header and state. The same row has the same name each time."""
    alert = entry.header.alert._replace(send="first", row=json.loads(encoded.decode("utf-8")), rid=str(offset))
    head = {key: value for key, value in state.head.items() if key != "search_name"}
    return (
        row_name(entry, offset),
        Header(alert, rows=False, captured_ms=entry.header.captured_ms, fault=""),
        new_state(head, state.limit)._replace(attempts=1, error=why),
    )
