"""What follows from the outcome of a delivery: for its entry, its tenant and the log. Must not choose an entry, wait, or talk to a tenant."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from . import backoff, modaction
from .backlog import Hold
from .deliver import Result
from .report import rows_told

if TYPE_CHECKING:
    from .backlog import Backlog, Pick
    from .clock import Clock
    from .deliver import Outcome
    from .entry import State
    from .holder import Entry, Holder
    from .log import Log
    from .memory import MemoryHolder
    from .settings import Delivery, Settings

# wire.md, Answers: when an entry that alone is answered with 5xx becomes a dead letter.
_REFUSALS_MOST = 20
_REFUSED_FOR_MS = 24 * 3600 * 1000
# Clocks jump: a stored time further ahead than this counts as so far ahead.
AHEAD_MOST_MS = 3600 * 1000
_KINDS = {Result.TENANT_WAITS: "wait", Result.TENANT_SLOW: "slow", Result.CONFIGURATION: "configuration"}
PAUSED = "paused"


class Custody:
    """Keeps entries, tenants' holds and the log in step with what happened."""

    def __init__(self, holder: Holder | MemoryHolder, backlog: Backlog, clock: Clock, log: Log) -> None:
        """Nothing happened yet; `settings` must be set before the first outcome."""
        self._holder, self._backlog, self._clock, self._log = holder, backlog, clock, log
        self.settings: Settings | None = None
        self.counts = {"delivered": 0, "deferred": 0, "dead": 0}

    def open_lane(self, tenant: str) -> None:
        """A tenant's first entry was read: take over what an earlier holder noted about it."""
        self._block(tenant)
        note = self._holder.hold(tenant)
        kind, until_ms, since_ms, rounds = (note.get(key) for key in ("kind", "until_ms", "since_ms", "attempts"))
        if kind in _KINDS.values() and isinstance(until_ms, int) and isinstance(since_ms, int):
            latest_ms = self._latest_ms()
            if until_ms > latest_ms:
                self._holder.set_hold(tenant, {**note, "until_ms": latest_ms})
            if kind == "wait" or note.get("settings") == self._fingerprint(tenant):
                attempts = rounds if isinstance(rounds, int) else 1
                reason, todo = str(note.get("reason", "")), str(note.get("todo", ""))
                self._backlog.hold(
                    tenant,
                    Hold(
                        str(kind),
                        self.due(until_ms),
                        attempts=attempts,
                        reason=reason,
                        since=min(max(since_ms, 0), int(self._clock.now() * 1000)) / 1000,
                        todo=todo,
                    ),
                )
            else:
                self._holder.set_hold(tenant, None)

    def cap(self, entry: Entry) -> None:
        """A time that is too far ahead is noted anew, or each process would begin to wait for it again."""
        latest_ms = self._latest_ms()
        if entry.state is not None and entry.state.not_before_ms > latest_ms:
            self._holder.save(entry.name, entry.state._replace(not_before_ms=latest_ms))

    def bury_nameless(self, entry: Entry) -> None:
        """An entry whose tenant has no tenant's name can go nowhere."""
        detail = f"{entry.header.alert.tenant[:80]!r} is no tenant's name"
        self.bury(entry, entry.state, reason="tenant_name", detail=detail, todo="mend the alert's tenant")

    def due(self, not_before_ms: int) -> float:
        """A stored wall-clock time on the monotonic clock."""
        ahead_ms = min(max(not_before_ms, 0), self._latest_ms()) - int(self._clock.now() * 1000)
        return self._clock.monotonic() + ahead_ms / 1000

    def _latest_ms(self) -> int:
        return int(self._clock.now() * 1000) + AHEAD_MOST_MS

    def block(self) -> None:
        """Look at every tenant again: which ones can be called with these settings at all."""
        self._backlog.configured = len(self.settings.tenants) if self.settings else 0
        for tenant in self._backlog.lanes:
            self._block(tenant)

    def mended(self, before: Settings) -> None:
        """The settings changed: what was held for the configuration's sake, or for want of an answer, may go."""
        for tenant, lane in list(self._backlog.lanes.items()):
            # What the tenant itself asked for stays, whatever changes here; where nobody answered, another address may.
            if (
                lane.hold
                and not (lane.hold.kind == "wait" and lane.hold.reason.startswith("status_"))
                and self._fingerprint(tenant) != self._fingerprint(tenant, before)
            ):
                self._backlog.release(tenant)
                self._holder.set_hold(tenant, None)

    def settle(self, pick: Pick, entry: Entry, outcome: Outcome) -> None:
        """Do what an outcome asks for."""
        result = outcome.result
        if result is Result.DELIVERED:
            self._delivered(pick, entry, outcome)
        elif result is Result.DEAD:
            state = outcome.state._replace(attempts=outcome.state.attempts + 1)
            self.bury(entry, state, reason=outcome.reason, detail=outcome.detail, todo=outcome.todo)
        elif result is Result.STOPPED:
            self._backlog.again(entry.name, float("-inf"))
        else:
            self._deferred(pick, entry, outcome)

    def bury(self, entry: Entry, state: State | None, *, reason: str, detail: str, todo: str = "") -> None:
        """Make an entry a dead letter, and say so."""
        self.counts["dead"] += 1
        noted = state._replace(error=detail or reason) if state else None
        self._report(entry, state, failure=detail or reason)
        self._holder.bury(entry.name, noted)
        self._backlog.remove(entry.name)
        self._log.event("delivery.dead", **self._identity(entry), reason=reason, detail=detail, todo=todo)

    def _block(self, tenant: str) -> None:
        lane, found = self._backlog.lane(tenant), self.settings.tenants.get(tenant) if self.settings else None
        if found is None:
            reason = f"tenant {tenant} is not configured: add it on the app's setup page, or name another in the alert"
        elif found.disabled:
            reason = PAUSED
        else:
            reason = found.fault
        if reason not in ("", PAUSED, lane.blocked):
            self._log.event("tenant.unusable", tenant=tenant, reason=reason)
        lane.blocked = reason

    def _delivered(self, pick: Pick, entry: Entry, outcome: Outcome) -> None:
        self.counts["delivered"] += 1
        self._report(entry, outcome.state)
        self._holder.remove(entry.name)
        self._backlog.remove(entry.name)
        hold = self._backlog.succeeded(pick, self._clock.monotonic())
        if hold:
            self._holder.set_hold(pick.tenant, None)
            self._log.event(
                "tenant.released",
                tenant=pick.tenant,
                reason=hold.reason,
                held_s=int(max(self._clock.now() - hold.since, 0)),
            )
        state = outcome.state
        self._log.event(
            "delivery.delivered",
            **self._identity(entry),
            attempts=state.attempts + 1,
            batches=state.batches or 1,
            rows=state.rows or "",
            skipped=state.skipped or "",
            delay_s=f"{max(self._clock.now() - entry.fired_ms / 1000, 0):.1f}",
        )

    def _deferred(self, pick: Pick, entry: Entry, outcome: Outcome) -> None:
        self.counts["deferred"] += 1
        now = self._clock.now()
        state = outcome.state._replace(attempts=outcome.state.attempts + 1, error=outcome.detail or outcome.reason)
        wait_s = 0.0
        if outcome.result is Result.ENTRY_WAITS:
            state = self._refused(pick, state, int(now * 1000))
            if self._is_hopeless(state, int(now * 1000)):
                detail = (
                    f"{outcome.detail}, {state.refusals} times in more than a day, while other alerts were accepted"
                )
                self.bury(entry, state, reason=outcome.reason, detail=detail)
                return
            wait_s = max(self._backoff(state.refusals), backoff.retry_after_s(outcome.retry_after, now_s=now) or 0.0)
            if self._backlog.strike(pick):
                self._hold(pick, "wait", outcome)
        else:
            self._hold(pick, _KINDS[outcome.result], outcome)
        self._holder.save(entry.name, state._replace(not_before_ms=int((now + wait_s) * 1000)))
        self._holder.park([entry.name])
        self._backlog.again(entry.name, self._clock.monotonic() + wait_s)
        self._log.event(
            "delivery.deferred",
            **self._identity(entry),
            attempts=state.attempts,
            reason=outcome.reason,
            detail=outcome.detail,
            todo=outcome.todo,
            next_s=f"{max(self._backlog.entry_time(entry.name) - self._clock.monotonic(), 0):.1f}",
        )

    def _report(self, entry: Entry, state: State | None, *, failure: str = "") -> None:
        """Tell the CIM data model and Enterprise Security, while the entry's rows are there."""
        told = rows_told(entry, state, self._holder, failure=failure)
        duration_ms = max(int(self._clock.now() * 1000) - entry.fired_ms, 0)
        self._log.modaction(modaction.settled(entry.header.alert, entry.id, told, duration_ms=duration_ms))

    def _refused(self, pick: Pick, state: State, now_ms: int) -> State:
        last_success = self._backlog.lane(pick.tenant).last_success
        since_ms = state.refused_since_ms or now_ms
        last_success_ms = now_ms - (self._clock.monotonic() - last_success) * 1000
        return state._replace(
            refusals=state.refusals + 1,
            refused_since_ms=since_ms,
            others_went=state.others_went or last_success_ms > since_ms,
        )

    def _is_hopeless(self, state: State, now_ms: int) -> bool:
        return bool(
            state.others_went
            and state.refusals >= _REFUSALS_MOST
            and now_ms - state.refused_since_ms >= _REFUSED_FOR_MS
        )

    def _hold(self, pick: Pick, kind: str, outcome: Outcome) -> None:
        lane, clock = self._backlog.lane(pick.tenant), self._clock
        rounds = self._backlog.rounds(pick)
        asked_s = backoff.retry_after_s(outcome.retry_after, now_s=clock.now()) or 0.0
        if not rounds and not lane.hold:
            return  # it began before the tenant's configuration was mended
        if not rounds and lane.hold:
            # Another answer of the same round: it can make the hold longer, and says nothing else that is new.
            rounds, wait_s = lane.hold.attempts, max(asked_s, lane.hold.until - clock.monotonic(), 0.0)
        elif kind == "wait":
            wait_s = max(self._backoff(rounds), asked_s)
        else:
            wait_s = backoff.slow_s(self._delivery.hold_retry, random=clock.random())
        since = lane.hold.since if lane.hold else clock.now()
        until, attempts = clock.monotonic() + wait_s, max(rounds, 1)
        self._backlog.hold(
            pick.tenant, Hold(kind, until, attempts=attempts, reason=outcome.reason, since=since, todo=outcome.todo)
        )
        self._holder.set_hold(
            pick.tenant,
            {
                "kind": kind,
                "until_ms": int((clock.now() + wait_s) * 1000),
                "since_ms": int(since * 1000),
                "attempts": attempts,
                "reason": outcome.reason,
                "detail": outcome.detail,
                "todo": outcome.todo,
                "settings": self._fingerprint(pick.tenant),
            },
        )
        self._log.event(
            "tenant.held" if kind == "wait" else "tenant.refused",
            tenant=pick.tenant,
            reason=outcome.reason,
            detail=outcome.detail,
            todo=outcome.todo,
            next_s=f"{wait_s:.1f}",
        )

    def _backoff(self, attempt: int) -> float:
        delivery = self._delivery
        return backoff.wait_s(
            attempt, first_s=delivery.retry_first, most_s=delivery.retry_max, random=self._clock.random()
        )

    @property
    def _delivery(self) -> Delivery:
        return self.settings.delivery  # type: ignore[union-attr]  # set before the first outcome

    def _fingerprint(self, tenant: str, settings: Settings | None = None) -> str:
        """Tells one configuration of a tenant from another; 32 bits of a digest, from which no token can be found or confirmed."""
        settings = settings or self.settings
        found = settings.tenants.get(tenant) if settings else None
        if settings is None or found is None:
            return ""
        delivery = settings.delivery
        parts = [
            found.webhook_url,
            found.token.reveal() if found.token else "",
            delivery.proxy_url,
            delivery.proxy_username,
            delivery.ca_file,
        ]
        parts.append(settings.proxy_password.reveal() if settings.proxy_password else "")
        return sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:8]

    @staticmethod
    def _identity(entry: Entry) -> dict[str, Any]:
        alert = entry.header.alert
        return {"id": entry.id, "tenant": alert.tenant, "search": alert.search_name, "sid": alert.sid}
