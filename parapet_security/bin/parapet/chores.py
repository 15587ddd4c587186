"""What the lock's holder does besides delivering: requests, counts, dead letters, the log's size, messages. Must not deliver.

Each is done between two turns of the loop, so nothing else touches an entry meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Mapping

from . import matters
from .custody import PAUSED
from .errors import ParapetError
from .matters import Matters

if TYPE_CHECKING:
    from .backlog import _Lane
    from .clock import Clock
    from .forward import Turn
    from .holder import Holder
    from .log import Log
    from .matters import Matter

_REQUESTS_EVERY_S = 1.0
_CENSUS_EVERY_S = 60.0
_EXPIRE_EVERY_S = 3600.0
# By then a process has read what it found at its start; an endless flood must not keep what it says of it back any longer.
_SURE_AFTER_S = 60.0
# Requests and revivals between two turns of the loop: however many there are, alerts go on meanwhile.
_MOST_AT_ONCE = 200
# Names in the state line: the log cuts a value that is longer than 600 characters wherever that is.
_NAMES_MOST = 500
# Of all that the outbox may hold, dead letters get so much at most.
_DEAD_SHARE = 5


class Chores:
    """The chores of one turn."""

    def __init__(
        self, turn: Turn, holder: Holder, clock: Clock, log: Log, *, role: str, tell: Callable[[Matters], None]
    ) -> None:
        """Everything is due.

        Args:
            turn: whose backlog and settings count.
            holder: the outbox.
            clock: the time.
            log: for events.
            role: who holds the lock, for everybody to see: forwarder, handler, action or command.
            tell: takes what needs a person now.
        """
        self._turn, self._holder, self._clock, self._log = turn, holder, clock, log
        self._role, self._tell = role, tell
        self._due = {"requests": float("-inf"), "census": float("-inf"), "expire": float("-inf")}
        self._retried = 0
        self._reviving: list[str] = []
        self._started = clock.monotonic()
        self._sure = False
        self._dead = 0
        self._held_bytes = 0
        self._waiting: dict[str, tuple[int, int]] = {}
        self._try(lambda: holder.sweep(now_s=clock.now()))
        self._try(self._report_newer)

    def __call__(self) -> None:
        """Do what is due. What a file system refuses is told in the log, and keeps nobody from delivering."""
        now = self._clock.monotonic()
        if self._is_due("census", now, _CENSUS_EVERY_S):
            self._try(self._count)
            self._log.rotate()
        if self._is_due("requests", now, _REQUESTS_EVERY_S):
            self._try(self._answer_requests)
            self._try(self._retry_dead)
            if self._reviving:
                self._due["requests"] = now
            self._try(self._look_at_dead)
            self._tell_matters()

    def census(self) -> None:
        """Count what is held at the end of a turn, for the actions, for the log and for whoever is to mend something."""
        self._try(self._count)
        self._tell_matters(is_last=True)

    def _try(self, chore: Callable[[], None]) -> None:
        try:
            chore()
        except OSError as error:
            self._log.event("outbox.failed", reason=str(error))

    def _count(self) -> None:
        holder, most = self._holder, self._turn.settings.delivery.outbox_max_bytes
        dead = self._expire(holder.sizes("dead"), most // _DEAD_SHARE)
        new, pending = holder.sizes("new"), holder.sizes("pending")
        names = {*new, *pending}
        held = sum(new.values()) + sum(pending.values()) + sum(dead.values())
        holder.write_usage(held, most, self._role)
        oldest_ms = min((int(name[:13]) for name in names if int(name[:13])), default=0)
        lanes = self._turn.backlog.lanes
        self._dead, self._held_bytes = len(dead), held
        self._waiting.clear()
        self._log.event(
            "outbox.state",
            role=self._role,
            waiting=len(names),
            dead=len(dead),
            oldest_s=int(max(self._clock.now() - oldest_ms / 1000, 0)) if oldest_ms else 0,
            bytes=held,
            max_bytes=most,
            held=_names(lanes, lambda lane: bool(lane.hold)),
            paused=_names(lanes, lambda lane: lane.blocked == PAUSED),
            blocked=_names(lanes, lambda lane: lane.blocked not in ("", PAUSED)),
        )

    def _is_due(self, chore: str, now: float, every_s: float) -> bool:
        if now < self._due[chore]:
            return False
        self._due[chore] = now + every_s
        return True

    def _answer_requests(self) -> None:
        requests = self._holder.requests()
        if not requests:
            return
        backlog = self._turn.backlog
        waiting = {name[14:]: name for name in backlog}
        dead = {name[14:]: name for name in self._holder.names("dead")}
        if len(requests) > _MOST_AT_ONCE:
            self._due["requests"] = float("-inf")
        for firing, request in requests[:_MOST_AT_ONCE]:
            name = waiting.get(firing, "")
            if name and backlog.is_running(name):
                continue  # it is on its way: asked again a second later
            try:
                if request == "drop" and name in backlog:
                    self._drop(name)
                    dead[firing] = name
                elif request == "retry" and name in backlog:
                    backlog.now(name)
                elif request == "retry" and firing in dead:
                    self._revive(dead[firing])
                elif firing not in dead:
                    self._log.event("request.unknown", id=firing, request=request)
            except ParapetError as error:
                self._log.event("outbox.failed", id=firing, request=request, reason=str(error))
            # Done first, answered then: a crash in between does it twice, which changes nothing.
            self._try(lambda done=(firing, request): self._holder.answer(*done))  # type: ignore[misc]  # bound now

    def _drop(self, name: str) -> None:
        entry = self._holder.read(name)
        self._turn.custody.bury(entry, entry.state, reason="dropped", detail="dropped by an administrator")

    def _retry_dead(self) -> None:
        before_s = self._turn.settings.delivery.retry_dead
        if before_s not in (0, self._retried) and before_s <= self._clock.now():
            self._retried = before_s
            dead = self._holder.names("dead")
            self._reviving = sorted((name for name in dead if self._holder.died_s(name) < before_s), reverse=True)
        for _ in self._reviving[:_MOST_AT_ONCE]:
            name = self._reviving.pop()
            try:
                self._revive(name)
            except (ParapetError, OSError) as error:
                self._log.event("outbox.failed", id=name[14:], reason=str(error))

    def _revive(self, name: str) -> None:
        state = self._holder.read(name, "dead").state
        self._holder.revive(name)
        if state is not None:
            self._holder.save(name, state._replace(refusals=0, refused_since_ms=0, others_went=False, not_before_ms=0))
        self._turn.backlog.add(name)
        self._log.event("delivery.revived", id=name[14:])

    def _expire(self, dead: dict[str, int], most_bytes: int) -> dict[str, int]:
        too_many = sum(dead.values()) - most_bytes
        if too_many <= 0 and not self._is_due("expire", self._clock.monotonic(), _EXPIRE_EVERY_S):
            return dead
        oldest_s = self._clock.now() - self._turn.settings.delivery.dead_days * 86400
        died = {name: self._holder.died_s(name) for name in dead}
        for name in sorted(dead, key=lambda name: died[name]):
            if died[name] >= oldest_s and too_many <= 0:
                break
            reason = "dead_days" if died[name] < oldest_s else "space"
            self._forget(name, reason)
            too_many -= dead.pop(name)
        return dead

    def _forget(self, name: str, reason: str) -> None:
        search = sid = ""
        try:
            alert = self._holder.read(name, "dead").header.alert
            search, sid = alert.search_name, alert.sid
        except (ParapetError, OSError):
            pass  # it cannot be read, and goes all the same
        self._log.event("delivery.expired", id=name[14:], reason=reason, search=search, sid=sid)
        self._try(lambda: self._holder.remove(name, "dead"))

    def _report_newer(self) -> None:
        for tenant in self._holder.newer_holds():
            self._log.event(
                "outbox.too_new", entry=f"holds/{tenant}.json", reason="it is of a newer version of this app"
            )

    def _look_at_dead(self) -> None:
        """The first dead letter and the last are known at once; how many there are between, the next time they are counted."""
        if self._holder.has_any("dead") != bool(self._dead):
            self._dead = len(self._holder.names("dead"))

    def _tell_matters(self, *, is_last: bool = False) -> None:
        self._sure = (
            self._sure or self._turn.backlog.all_read or self._clock.monotonic() - self._started >= _SURE_AFTER_S
        )
        self._tell(Matters(self._matters(), self._sure, is_last))

    def _matters(self) -> dict[str, Matter]:
        found: dict[str, Matter] = {}
        unknown: dict[str, tuple[int, int]] = {}
        for tenant, lane in self._turn.backlog.lanes.items():
            if tenant not in self._turn.settings.tenants:
                unknown[tenant] = self._waiting_for(tenant, lane)
                continue
            matter = self._of_lane(tenant, lane)
            if matter is not None:
                found[matters.held(tenant)] = matter
        if any(count for count, _ in unknown.values()):
            found["unconfigured"] = matters.unconfigured(unknown)
        delivery = self._turn.settings.delivery
        if self._dead:
            found["dead"] = matters.dead(self._dead, delivery.dead_days)
        full = matters.nearly_full(self._held_bytes, delivery.outbox_max_bytes)
        if full is not None:
            found["full"] = full
        return found

    def _of_lane(self, tenant: str, lane: _Lane) -> Matter | None:
        if lane.blocked == PAUSED or not (lane.blocked or lane.hold):
            self._waiting.pop(tenant, None)
            return None
        if not lane.blocked and lane.hold and lane.hold.kind == "wait":
            return matters.UNKNOWN
        count, oldest_ms = self._waiting_for(tenant, lane)
        why = lane.blocked or (lane.hold.todo or lane.hold.reason if lane.hold else "")
        return matters.waiting(tenant, count, oldest_ms, why) if count else None

    def _waiting_for(self, tenant: str, lane: _Lane) -> tuple[int, int]:
        found = self._waiting.get(tenant) or _waiting(lane)
        if self._sure and found[0]:
            self._waiting[tenant] = found  # until all is counted again
        return found


def _names(lanes: Mapping[str, _Lane], is_one: Callable[[_Lane], bool]) -> str:
    return matters.listed([tenant for tenant, lane in lanes.items() if is_one(lane)], _NAMES_MOST)


def _waiting(lane: _Lane) -> tuple[int, int]:
    """How many entries a lane has, and when the oldest of them fired (0: Splunk did not say)."""
    names = [*lane.ready, *(name for _, name in lane.later), *lane.running]
    return len(names), min((int(name[:13]) for name in names if int(name[:13])), default=0)
