"""What a worker does: brings the edges and one entry together for `deliver`. Must not choose the entry, nor act on what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .deliver import Means, deliver, row_entry

if TYPE_CHECKING:
    from typing import Callable

    from .clock import Clock
    from .deliver import Outcome
    from .enrich import Enricher
    from .entry import State
    from .holder import Entry, Holder
    from .log import Log
    from .memory import MemoryHolder
    from .settings import Tenant
    from .verdict import Answer
    from .webhook import Webhook

_BUDGET_LEAST_S = 0.05


class Worker:
    """One for all threads of a turn."""

    def __init__(
        self, holder: Holder | MemoryHolder, enricher: Enricher, clock: Clock, log: Log, *, stopped: Callable[[], bool]
    ) -> None:
        """Nothing is on its way yet.

        Args:
            holder: the outbox.
            enricher: asks Splunk.
            clock: the time.
            log: for events.
            stopped: whether to end before the next body.
        """
        self._holder, self._enricher, self._clock, self._log = holder, enricher, clock, log
        self._stopped = stopped

    def work(
        self, entry: Entry, tenant: Tenant, webhook: Webhook, *, until: float, limit: int, test_first: bool
    ) -> Outcome:
        """Take one entry to its tenant.

        Args:
            entry: the entry.
            tenant: its tenant, which has a URL and a token.
            webhook: the client.
            until: when it must be back, on the monotonic clock; inf is never.
            limit: the most bytes of one body, for an entry that was never tried.
            test_first: whether the connection test goes first.
        """
        monotonic = self._clock.monotonic

        def post(body: bytes, key: str) -> Answer:
            budget_s = max(until - monotonic(), _BUDGET_LEAST_S) if until != float("inf") else None
            return webhook.post(tenant.webhook_url, tenant.token, body, key, budget_s=budget_s)  # type: ignore[arg-type]  # a lane without a token is blocked

        def bury_row(state: State, offset: int, encoded: bytes, why: str) -> None:
            name, header, row_state = row_entry(entry, state, offset, encoded, why)
            self._holder.bury_row(name, header, row_state)
            self._log.event(
                "delivery.row_dead",
                id=entry.id,
                row_id=name[14:],
                row=offset,
                tenant=tenant.name,
                search=header.alert.search_name,
                reason=why,
            )

        means = Means(
            post=post,
            save=lambda state, **how: self._holder.save(entry.name, state, **how),
            rows=lambda: self._holder.rows(entry),
            bury_row=bury_row,
            facts=lambda: self._enricher.facts(entry.header.alert),
            stopped=lambda: self._stopped() or monotonic() >= until,
            log=self._log,
            limit=limit,
        )
        return deliver(entry, means, test_first=test_first)
