"""The one loop around `deliver`, for whoever holds the lock: action, forwarder and deliver handler. Must not take or free the lock.

Every turn of the loop: look at new/, do what is due besides (`chores`), send entries on their way, take back what came of them. Workers do
the talking; everything that is decided is decided here, in one thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, NamedTuple

from .alert import TENANT_NAME
from .backlog import Backlog, Pick
from .crew import Crew
from .custody import PAUSED, Custody
from .deliver import Result
from .errors import EntryBroken, EntryGone, EntryTooNew
from .worker import Worker

if TYPE_CHECKING:
    from .clock import Clock
    from .crew import Back
    from .deliver import Outcome
    from .enrich import Enricher
    from .holder import Entry, Holder
    from .log import Log
    from .memory import MemoryHolder
    from .settings import Settings

LOOK_S = 0.1
_READS_MOST = 64
_NEW_MOST = 500
_FAULT_WAIT_S = 30.0
# Splunk waits ten seconds and more before it kills what it told to end.
_PATIENCE_S = 8.0


class Goal(NamedTuple):
    """When a turn is over, on the monotonic clock.

    Attributes:
        until: at this moment, whatever waits.
        first: "" or the one entry that this turn is for: nothing else goes, and the turn ends with it.
        idle_ends: whether it ends when nothing can go before `until`.
        wait: whether it waits for what can go before `until` (else it ends when nothing can go now).
    """

    until: float
    first: str = ""
    idle_ends: bool = True
    wait: bool = True


class Turn:
    """One process's time as the deliverer."""

    def __init__(
        self,
        holder: Holder | MemoryHolder,
        settings: Settings,
        *,
        clock: Clock,
        log: Log,
        enricher: Enricher,
        user_agent: str,
        stopped: Callable[[], bool] = lambda: False,
        workers: int = 0,
    ) -> None:
        """Take over the backlog.

        Args:
            holder: the outbox, whose lock is held by this process (or an outbox in memory).
            settings: what is configured; `apply` changes them.
            clock: time and chance.
            log: for events.
            enricher: asks Splunk.
            user_agent: the header.
            stopped: whether to end as soon as what is on its way is back.
            workers: how many entries are on their way at once; 0 is what the settings say.
        """
        self._holder, self.clock, self._log = holder, clock, log
        self._stopped = stopped
        self._crew = Crew(Worker(holder, enricher, clock, log, stopped=stopped), user_agent, size=workers)
        self.backlog = Backlog(workers)
        self.custody = Custody(holder, self.backlog, clock, log)
        self._until = float("inf")
        self._looked = float("-inf")
        self._listed = False
        self._aside: dict[str, float] = {}
        self.beat = clock.monotonic()
        self.refused_by_token = False
        self.settings = settings
        self.apply(settings)

    def apply(self, settings: Settings) -> None:
        """From now on these settings count."""
        before, self.settings = self.settings, settings
        self._log.level = settings.delivery.log_level
        self._log.hide([secret.reveal() for secret in settings.secrets])
        self.custody.settings = settings
        self._crew.apply(settings, idle=not self.backlog.running())
        self.backlog.workers = self._crew.size
        if before != settings:
            self.custody.mended(before)
        self.custody.block()

    def run(self, goal: Goal, chores: Callable[[], None] = lambda: None) -> None:
        """Deliver until the goal is reached, then wait a little for what is on its way."""
        self._until = goal.until if goal.idle_ends else float("inf")
        self._looked = float("-inf")
        while not self._is_over(goal):
            self._look(goal.first)
            chores()
            self._send_off(goal.first)
            self._take_back(self._pause(goal))
        ended = self.clock.monotonic()
        while self.backlog.running() and self.clock.monotonic() - ended < _PATIENCE_S:
            self._take_back(LOOK_S)

    def now(self) -> float:
        """The monotonic clock, on which goals are."""
        return self.clock.monotonic()

    def left_behind(self) -> bool:
        """Whether new/ holds an entry that this turn has not seen: asked after the lock is free again."""
        return any(name not in self.backlog and name not in self._aside for name in self._holder.names("new"))

    def obstacle(self, name: str) -> tuple[bool, str, str]:
        """Why an entry still waits: whether a person has to mend something, the reason, and what to do."""
        if name not in self.backlog:
            return False, "its file cannot be read at this moment", ""
        lane = self.backlog.lane_of(name)
        if lane is None or lane.blocked == PAUSED:
            return False, "its tenant is paused" if lane else "the time was up", ""
        if lane.blocked:
            return True, lane.blocked, ""
        if lane.hold:
            return lane.hold.kind != "wait", lane.hold.reason, lane.hold.todo
        entry = self._read(name)
        error = entry.state.error if entry and entry.state else ""
        return False, f"{error}, until the time was up" if error else "the time was up", ""

    def close(self) -> None:
        """Give back threads and connections; what is still on its way is left to end by itself."""
        self._crew.close()

    def _is_over(self, goal: Goal) -> bool:
        now = self.clock.monotonic()
        if self._stopped() or now >= goal.until:
            return True
        if not goal.idle_ends or self.backlog.running() or self._looked == float("-inf"):
            return False
        at = self._time(goal.first)
        return at >= goal.until or (not goal.wait and at > now)

    def _pause(self, goal: Goal) -> float:
        if self.backlog.running() >= self._crew.size:
            return LOOK_S
        now = self.clock.monotonic()
        return max(min(LOOK_S, self._time(goal.first) - now, goal.until - now), 0.0)

    def _time(self, first: str) -> float:
        """When something can go at the earliest."""
        if not first:
            return self.backlog.next_time()
        lane = self.backlog.lane_of(first)
        hold = lane.hold if lane else None
        if hold is not None and hold.kind != "wait" and self.clock.monotonic() < hold.until:
            return float("inf")  # somebody has to mend something: an action does not wait for that
        return self.backlog.entry_time(first)

    def _look(self, first: str) -> None:
        now = self.clock.monotonic()
        self.beat = now
        if first:
            if self._looked == float("-inf"):
                self.backlog.add(first)
            self._looked = now
            return
        if now - self._looked < LOOK_S and self.backlog.next_time() <= now:
            return
        self._looked = now
        if not self._listed:
            self._listed = True
            for name in self._holder.names("pending"):
                self.backlog.add(name)
        for name in [name for name, until in self._aside.items() if until <= now]:
            del self._aside[name]
            self.backlog.add(name)
        waiting = []
        for name in self._holder.names("new"):
            if name not in self._aside:
                self.backlog.add(name)
                if not self.backlog.is_running(name):
                    waiting.append(name)
        self._guard(lambda: self._holder.park(sorted(waiting)[_NEW_MOST:]))

    def _send_off(self, first: str) -> None:
        parked: list[str] = []
        entry: Entry | None = None
        for _ in range(_READS_MOST):
            pick = self._next(first)
            if pick is None:
                break
            # Mostly the one that was read a moment ago, to learn its tenant.
            if entry is None or entry.name != pick.name:
                entry = self._read(pick.name)
            if entry is not None and pick.tenant:
                self._crew.send(pick, entry, until=self._until)
            elif entry is not None and self._assign(entry):
                parked.append(pick.name)
        self._guard(lambda: self._holder.park(parked))

    def _assign(self, entry: Entry) -> bool:
        """Put an entry that was read into its tenant's lane; True where it cannot go at once."""
        tenant = entry.header.alert.tenant
        if not TENANT_NAME.match(tenant):
            self._set_aside(entry.name, self.clock.monotonic() + _FAULT_WAIT_S)
            self._guard(lambda: self.custody.bury_nameless(entry))
            return False
        is_new = tenant not in self.backlog.lanes
        self.backlog.assign(entry.name, tenant, due=self.custody.due(entry.state.not_before_ms if entry.state else 0))
        self._guard(lambda: self.custody.cap(entry))
        if is_new:
            self._guard(lambda: self.custody.open_lane(tenant))
        return self.backlog.entry_time(entry.name) > self.clock.monotonic()

    def _next(self, first: str) -> Pick | None:
        now = self.clock.monotonic()
        if not first:
            return self.backlog.next(now)
        if first in self.backlog and not self.backlog.is_running(first):
            if not self.backlog.is_read(first):
                return Pick(first, "")
            if self.backlog.can_go(first, now):
                return self.backlog.pick(first)
        return None

    def _read(self, name: str) -> Entry | None:
        try:
            return self._holder.read(name)
        except EntryGone:
            self.backlog.remove(name)
        except EntryTooNew as error:
            self._log.event("outbox.too_new", entry=name, reason=str(error))
            self._set_aside(name, float("inf"))
        except EntryBroken as error:
            self._log.event("outbox.swept", entry=name, reason=str(error))
            self._set_aside(name, self.clock.monotonic() + _FAULT_WAIT_S)
            self._guard(lambda: self._holder.bury(name, None))
        except OSError as error:
            self._log.event("outbox.failed", entry=name, reason=str(error))
            self._set_aside(name, self.clock.monotonic() + _FAULT_WAIT_S)
        return None

    def _guard(self, step: Callable[[], None]) -> None:
        """One file that cannot be moved must not stop the others."""
        try:
            step()
        except OSError as error:
            self._log.event("outbox.failed", reason=str(error))

    def _set_aside(self, name: str, until: float) -> None:
        self.backlog.remove(name)
        self._aside[name] = until

    def _take_back(self, timeout_s: float) -> None:
        back = self._crew.take(timeout_s)
        if back is None:
            return
        if back.outcome is not None:
            self._settle(back.pick, back.entry, back.outcome)
        elif isinstance(back.error, EntryGone):
            self.backlog.remove(back.entry.name)
        else:
            self._put_off(back)

    def _put_off(self, back: Back) -> None:
        """The entry is on disk and stays there. What keeps happening shows in the log, each time."""
        kind = type(back.error).__name__
        if isinstance(back.error, OSError):
            self._log.event("outbox.failed", id=back.entry.id, reason=f"{kind}: {back.error}")
        else:
            self._log.event("process.bug", id=back.entry.id, error=kind)
        self.backlog.again(back.entry.name, self.clock.monotonic() + _FAULT_WAIT_S)

    def _settle(self, pick: Pick, entry: Entry, outcome: Outcome) -> None:
        if (
            outcome.result is Result.TENANT_WAITS
            and outcome.reason == "timeout"
            and self.clock.monotonic() >= self._until - 0.1
        ):
            # Our own time was up, not the tenant's.
            outcome = outcome._replace(result=Result.STOPPED)
        self.refused_by_token = self.refused_by_token or outcome.reason == "status_401"
        try:
            self.custody.settle(pick, entry, outcome)
        except OSError as error:
            self._log.event("outbox.failed", id=entry.id, reason=str(error))
            if self.backlog.is_running(entry.name):
                self.backlog.again(entry.name, self.clock.monotonic() + _FAULT_WAIT_S)
