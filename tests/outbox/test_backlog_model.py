"""The index of what waits against a model: any order of events, and four promises after each. Must not know how the index works."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from parapet.backlog import Backlog, Hold

TENANTS = st.sampled_from(["a", "b", "c"])
WAITS = st.sampled_from([0.0, 1.0, 7.0, 60.0])


class BacklogModel(RuleBasedStateMachine):
    """Knows of each entry where it is, and of each tenant why it is not called."""

    WORKERS = 4

    def __init__(self):
        """Nothing waits."""
        super().__init__()
        self.backlog, self.time, self.count = Backlog(self.WORKERS), 0.0, 0
        self.unread, self.due, self.running, self.tenant = set(), {}, {}, {}
        self.holds, self.blocked, self.well = {}, set(), set()

    @rule(tenant=TENANTS, age=st.integers(0, 50))
    def find(self, tenant, age):
        """An entry is found; its age has nothing to do with when."""
        self.count += 1
        name = f"{1000 - age:013d}-{self.count:020x}"
        self.tenant[name] = tenant
        self.unread.add(name)
        self.backlog.add(name)
        self.backlog.add(name)

    @rule(seconds=WAITS)
    def wait(self, seconds):
        """Time passes."""
        self.time += seconds

    @rule(due=WAITS)
    def go(self, due):
        """The next entry goes: to be read, or to its tenant."""
        pick, may_go = self.backlog.next(self.time), self.may_go()
        if pick is None:
            assert not may_go or len(self.running) >= self.WORKERS
            return
        assert pick.name == min(may_go), "not the oldest of those that may go"
        if pick.tenant:
            del self.due[pick.name]
            self.running[pick.name] = pick
        else:
            self.unread.remove(pick.name)
            self.due[pick.name] = self.time + due
            self.backlog.assign(pick.name, self.tenant[pick.name], due=self.time + due)

    @precondition(lambda self: self.running)
    @rule(data=st.data(), wait=WAITS, outcome=st.sampled_from(["accepted", "dead", "entry waits", "tenant waits"]))
    def come_back(self, data, wait, outcome):
        """One that was on its way is back."""
        pick = self.running.pop(data.draw(st.sampled_from(sorted(self.running))))
        if outcome == "accepted":
            self.well.add(pick.tenant)
            ended = self.backlog.succeeded(pick, self.time)
            generation, _ = self.holds.get(pick.tenant, (None, None))
            assert (ended is not None) == (generation is not None and generation <= pick.generation)
            if ended is not None:
                del self.holds[pick.tenant]
        if outcome in ("accepted", "dead"):
            self.backlog.remove(pick.name)
            return
        if outcome == "tenant waits":
            self.hold(pick.tenant, wait)
        self.due[pick.name] = self.time + wait
        self.backlog.again(pick.name, self.time + wait)

    @rule(tenant=TENANTS, wait=WAITS)
    def hold(self, tenant, wait):
        """A tenant asks for a pause."""
        until = self.time + wait
        self.backlog.hold(tenant, Hold("wait", until, attempts=1, reason="status_429", since=0.0))
        self.holds[tenant] = (self.backlog.lane(tenant).generation, until)

    @rule(tenant=TENANTS)
    def mend(self, tenant):
        """Its configuration was mended."""
        self.backlog.release(tenant)
        self.holds.pop(tenant, None)

    @rule(tenant=TENANTS)
    def block_or_not(self, tenant):
        """Its configuration is taken away, or comes back."""
        self.blocked ^= {tenant}
        self.backlog.lane(tenant).blocked = "paused" if tenant in self.blocked else ""

    @precondition(lambda self: self.due or self.unread)
    @rule(data=st.data(), drop=st.booleans())
    def ask(self, data, drop):
        """An administrator drops an entry that waits, or wants it to go now."""
        name = data.draw(st.sampled_from(sorted({*self.due, *self.unread})))
        if drop:
            self.backlog.remove(name)
            self.unread.discard(name)
            self.due.pop(name, None)
        else:
            self.backlog.now(name)
            if name in self.due:
                self.due[name] = float("-inf")

    def may_go(self):
        """What the promises allow to go at this moment, workers aside."""
        alone = len(self.backlog.lanes) < 2
        found = set(self.unread)
        for name, due in self.due.items():
            tenant = self.tenant[name]
            running = sum(1 for other in self.running if self.tenant[other] == tenant)
            at_once = self.WORKERS if alone else self.WORKERS - 1 if tenant in self.well else 1
            _, until = self.holds.get(tenant, (0, None))
            free = running < at_once if until is None else running == 0 and until <= self.time
            if due <= self.time and tenant not in self.blocked and free:
                found.add(name)
        probes = {tenant for tenant in self.holds if any(self.tenant[name] == tenant for name in found & set(self.due))}
        for tenant in probes:
            # Of a held tenant one probe is offered: the one that was tried least, then the oldest.
            ready = {name for name in found & set(self.due) if self.tenant[name] == tenant}
            tries = self.backlog.lane(tenant).tries
            found -= ready - {min(ready, key=lambda name: (tries.get(name, 0), name))}
        return found

    @invariant()
    def nothing_is_lost(self):
        """Every entry waits or is on its way until it is accepted, dead or dropped."""
        known = {*self.unread, *self.due, *self.running}
        assert set(self.backlog) == known
        assert len(self.backlog) == len(known)
        assert {name for name in known if self.backlog.is_running(name)} == set(self.running)

    @invariant()
    def workers_are_enough(self):
        """No more are on their way than there are workers."""
        assert self.backlog.running() == len(self.running) <= self.WORKERS

    @invariant()
    def whoever_waits_for_the_next_time_neither_spins_nor_sleeps_too_long(self):
        """With a free worker, now is the time exactly when something may go."""
        if len(self.running) < self.WORKERS:
            assert (self.backlog.next_time() <= self.time) == bool(self.may_go())


TestBacklogModel = BacklogModel.TestCase
TestBacklogModel.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
