"""Which entry goes next: the holder's index of what waits, in memory. Must not touch a file or a clock: `now` is monotonic seconds.

Per tenant there is a lane. A lane that is held offers nothing until its time comes, then one entry at a time, the probe, until one is
accepted. A lane that is blocked (paused, not configured) offers nothing until the configuration changes.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Iterator, NamedTuple

# wire.md, Answers: so many different entries in a row that wait by themselves, and the tenant waits.
STRIKES = 3


class Pick(NamedTuple):
    """What to do next.

    Attributes:
        name: the entry.
        tenant: its tenant; "" where the entry has to be read first, to learn it (`assign`).
        generation: goes back with the outcome: what began before the latest hold says nothing new about the tenant.
        test_first: whether the tenant is held for its configuration.
    """

    name: str
    tenant: str
    generation: int = 0
    test_first: bool = False


class Hold:
    """Why and until when a tenant is not called. `kind` is wait, slow or configuration; `until` is monotonic seconds."""

    __slots__ = ("attempts", "kind", "reason", "since", "todo", "until")

    def __init__(self, kind: str, until: float, *, attempts: int, reason: str, since: float, todo: str = "") -> None:
        """Hold from `since` (wall clock) on; `attempts` counts the rounds without an accepted entry, `todo` is what a person can do."""
        self.kind, self.until, self.attempts, self.reason, self.since, self.todo = (
            kind,
            until,
            attempts,
            reason,
            since,
            todo,
        )


class _Lane:
    def __init__(self) -> None:
        self.ready: list[str] = []
        self.later: list[tuple[float, str]] = []
        self.running: set[str] = set()
        self.strikes: set[str] = set()
        self.tries: dict[str, int] = {}
        self.hold: Hold | None = None
        self.blocked = ""
        self.generation = 0
        self.last_success = float("-inf")

    def offer(self, now: float, most: int) -> str:
        while self.later and self.later[0][0] <= now:
            heappush(self.ready, heappop(self.later)[1])
        if self.blocked or not self.ready:
            return ""
        if self.hold is None:
            return self.ready[0] if len(self.running) < most else ""
        if now < self.hold.until or self.running:
            return ""
        # The one that was tried least: an entry that alone is refused must not be the probe for ever.
        return min(self.ready, key=lambda name: (self.tries.get(name, 0), name))

    def take(self, name: str) -> None:
        if self.ready[0] == name:
            heappop(self.ready)
        else:
            self.ready.remove(name)
            heapify(self.ready)
        self.running.add(name)

    def next_time(self, most: int) -> float:
        if self.blocked or not (self.ready or self.later) or len(self.running) >= (1 if self.hold else most):
            return float("inf")
        earliest = float("-inf") if self.ready else self.later[0][0]
        return max(earliest, self.hold.until) if self.hold else earliest


class Backlog:
    """Every entry that waits or is on its way.

    Attributes:
        workers: how many entries can be on their way at once.
        configured: how many tenants there are, with those that no entry has named yet.
    """

    def __init__(self, workers: int) -> None:
        """Nothing waits. `workers` is how many entries can be on their way at once."""
        self.workers = workers
        self.configured = 0
        self._unread: list[str] = []
        self._tenants: dict[str, str] = {}
        self._lanes: dict[str, _Lane] = {}

    def __contains__(self, name: str) -> bool:
        """Whether the entry is known."""
        return name in self._tenants

    def __len__(self) -> int:
        """How many entries wait or are on their way."""
        return len(self._tenants)

    def __iter__(self) -> Iterator[str]:
        """The names of all entries, in no order."""
        return iter(self._tenants)

    @property
    def lanes(self) -> dict[str, _Lane]:
        """The lanes by tenant; those who look must not change them."""
        return self._lanes

    def lane(self, tenant: str) -> _Lane:
        """The lane of a tenant."""
        return self._lanes.setdefault(tenant, _Lane())

    def running(self) -> int:
        """How many entries are on their way."""
        return sum(len(lane.running) for lane in self._lanes.values())

    def is_running(self, name: str) -> bool:
        """Whether the entry is on its way at this moment."""
        tenant = self._tenants.get(name, "")
        return bool(tenant) and name in self.lane(tenant).running

    @property
    def all_read(self) -> bool:
        """Whether every entry's tenant is known."""
        return not self._oldest_unread()

    def is_read(self, name: str) -> bool:
        """Whether the entry's tenant is known."""
        return bool(self._tenants.get(name))

    def add(self, name: str) -> None:
        """An entry was found."""
        if name not in self._tenants:
            self._tenants[name] = ""
            heappush(self._unread, name)

    def assign(self, name: str, tenant: str, *, due: float) -> None:
        """An entry was read: it belongs to `tenant`, and is not to be tried before `due`."""
        self._tenants[name] = tenant
        heappush(self.lane(tenant).later, (due, name))

    def next(self, now: float) -> Pick | None:
        """The oldest entry that may go now; None where none may, or all workers are busy."""
        if self.running() >= self.workers:
            return None
        unread = self._oldest_unread()
        best, chosen = "", ""
        for tenant, lane in self._lanes.items():
            name = lane.offer(now, self._most(lane))
            if name and (not best or name < best):
                best, chosen = name, tenant
        if unread and (not best or unread < best):
            return Pick(heappop(self._unread), "")
        return self.pick(best) if chosen else None

    def _oldest_unread(self) -> str:
        # What is gone, or was read at somebody's wish (`assign`), is passed over.
        while self._unread and self._tenants.get(self._unread[0]) != "":
            heappop(self._unread)
        return self._unread[0] if self._unread else ""

    def _most(self, lane: _Lane) -> int:
        """How many entries of a tenant can be on their way at once: a slow one must leave a worker for the others.

        One that has accepted nothing yet may be dead, and every worker at it would wait for its time-out: it begins with one.
        """
        if max(len(self._lanes), self.configured) < 2:
            return self.workers
        return max(1, self.workers - 1) if lane.last_success > float("-inf") else 1

    def pick(self, name: str) -> Pick:
        """Send this entry, which must be ready, on its way."""
        tenant = self._tenants[name]
        lane = self.lane(tenant)
        lane.take(name)
        return Pick(name, tenant, lane.generation, lane.hold is not None and lane.hold.kind == "configuration")

    def can_go(self, name: str, now: float) -> bool:
        """Whether an entry that is read may be picked now."""
        tenant = self._tenants.get(name, "")
        return bool(tenant) and bool(self.lane(tenant).offer(now, self.workers)) and name in self.lane(tenant).ready

    def next_time(self) -> float:
        """When something can go at the earliest; -inf is now, inf never."""
        if self._oldest_unread():
            return float("-inf")
        return min((lane.next_time(self._most(lane)) for lane in self._lanes.values()), default=float("inf"))

    def lane_of(self, name: str) -> _Lane | None:
        """The lane of an entry; None where it was not read yet."""
        tenant = self._tenants.get(name, "")
        return self.lane(tenant) if tenant else None

    def entry_time(self, name: str) -> float:
        """When this entry can go at the earliest."""
        tenant = self._tenants.get(name)
        if not tenant:
            return float("inf") if tenant is None else float("-inf")
        lane = self.lane(tenant)
        if lane.blocked:
            return float("inf")
        due = next((due for due, item in lane.later if item == name), float("-inf"))
        return max(due, lane.hold.until) if lane.hold else due

    def again(self, name: str, due: float) -> None:
        """An entry is back and waits until `due`."""
        lane = self.lane(self._tenants[name])
        lane.running.discard(name)
        lane.tries[name] = lane.tries.get(name, 0) + 1
        heappush(lane.later, (due, name))

    def now(self, name: str) -> None:
        """An entry that waits need not wait any longer."""
        lane = self.lane_of(name)
        if lane is None:
            return  # it is read, and goes, as soon as can be
        lane.later = [(float("-inf") if item == name else due, item) for due, item in lane.later]
        heapify(lane.later)

    def remove(self, name: str) -> None:
        """An entry is gone: delivered, dead, or not there any more."""
        tenant = self._tenants.pop(name, "")
        if not tenant:
            return  # `_oldest_unread` passes over it
        lane = self.lane(tenant)
        lane.tries.pop(name, None)
        lane.strikes.discard(name)
        if name in lane.running:
            lane.running.discard(name)
            return
        lane.ready = [item for item in lane.ready if item != name]
        lane.later = [(due, item) for due, item in lane.later if item != name]
        heapify(lane.ready)
        heapify(lane.later)

    def succeeded(self, pick: Pick, now: float) -> Hold | None:
        """A tenant accepted an entry: nothing holds it, unless the hold is younger than this attempt. Returns the hold that ended."""
        lane = self.lane(pick.tenant)
        lane.last_success = now
        if lane.hold and pick.generation != lane.generation:
            return None
        hold, lane.hold = lane.hold, None
        lane.strikes.clear()
        return hold

    def strike(self, pick: Pick) -> bool:
        """An entry waits by itself; True where so many did in a row that its tenant is to be held."""
        lane = self.lane(pick.tenant)
        lane.strikes.add(pick.name)
        return len(lane.strikes) >= STRIKES

    def rounds(self, pick: Pick) -> int:
        """How many rounds without success the tenant has had, with this one; 0 where this outcome belongs to a round that is counted already."""
        lane = self.lane(pick.tenant)
        if pick.generation != lane.generation:
            return 0
        return (lane.hold.attempts if lane.hold else 0) + 1

    def hold(self, tenant: str, hold: Hold) -> None:
        """Hold a tenant."""
        lane = self.lane(tenant)
        lane.hold = hold
        lane.generation += 1

    def release(self, tenant: str) -> None:
        """Let a tenant go without a success: its configuration was mended."""
        lane = self.lane(tenant)
        lane.hold = None
        lane.strikes.clear()
        lane.generation += 1
