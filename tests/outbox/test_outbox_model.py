"""The outbox on a real folder against a model of it: any order of what can happen to it. Must not know how it is done.

`test_backlog_model` holds the index in memory against its promises; here it is what lies on the disk and what the tenants get. PARAPET_CRASH
is how many runs there are.
"""

from __future__ import annotations

import contextlib
import gzip
import json

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from parapet.alert import firing_id, trigger_ms
from parapet.outbox import Outbox, digest

from tests.crash import ROUNDS, SEED
from tests.crash.host import Host, TurnedClock, Webhook, litter, quick_folder, status
from tests.crash.sudden_death import Killed, SuddenDeath
from tests.outbox.conftest import make_alert
from tests.standins import tenant_ledger

pytestmark = pytest.mark.timeout(300 + 5 * ROUNDS)

TENANTS = ("main", "other")
ROWS = 30
LIMIT = 2500
# What a tenant does with everything that comes.
MOODS = {
    "fine": lambda body: status(200),
    "refuses the body": lambda body: status(422),
    "takes small bodies": lambda body: status(413 if len(body) > LIMIT // 2 else 200),
    "refuses the token": lambda body: status(401),
    "refuses alerts, not tests": lambda body: status(200 if b'"test"' in body else 403),
    "is busy": lambda body: status(429, retry_after="7"),
    "is broken": lambda body: status(500),
    "is silent": lambda body: status(None, error="timeout"),
}
DAMAGES = {
    "empty": lambda data: b"",
    "cut": lambda data: data[: len(data) // 2],
    "zeros": lambda data: bytes(len(data)),
    "garbled": lambda data: data[: len(data) // 3] + b"\xff{" + data[len(data) // 3 :],
}


@seed(SEED)
class OutboxModel(RuleBasedStateMachine):
    """Knows of each alert that it was stored, and what happened to it that may keep it from its tenant."""

    def __init__(self):
        """One alert is stored."""
        super().__init__()
        self.things = contextlib.ExitStack()
        self.folder = self.things.enter_context(quick_folder())
        self.root = self.folder / "outbox"
        self.patch, self.clock = pytest.MonkeyPatch(), TurnedClock()
        self.death = SuddenDeath(self.patch, self.root)
        self.mood = dict.fromkeys(TENANTS, "fine")
        self.webhook = Webhook(self._answer)
        # By name: what was stored; whose answers or administrators said no; whose files somebody has damaged.
        self.stored, self.refused, self.broken = {}, set(), set()
        self.host = None
        self.put("main", "first")
        self._start()

    def teardown(self):
        """In the end everybody is fine, and everything arrives that nobody refused or broke."""
        try:
            self.end()
        finally:
            self._stop()
            self.patch.undo()
            self.things.close()

    def end(self):
        """Nothing but what is broken stays, once the dead letters are tried again."""
        self.mood = dict.fromkeys(TENANTS, "fine")
        self.clock.wall = max(self.clock.wall, TurnedClock().wall)
        self.start_again()
        self.host.settle()
        for name in self.host.holder.names("dead"):
            self.host.outbox.ask(name[14:], "retry")
        self.clock.turn(3700)
        self.host.settle()
        self.start_again()
        self.host.run()
        self.every_alert_is_there_or_delivered()
        assert self.host.waiting() == []
        assert {name for name in self.stored if not self._is_delivered(name)} <= self.broken
        assert litter(self.root) == []

    # -- what can happen ---------------------------------------------------------------------------

    @rule(tenant=st.sampled_from(TENANTS), send=st.sampled_from(["first", "all"]))
    def put(self, tenant, send):
        """An alert fires."""
        name, alert, path = self._alert(len(self.stored), tenant, send)
        self.stored[name] = alert
        assert Outbox(str(self.root)).put(alert, results_path=path, captured_ms=1) == name

    @rule(data=st.data())
    def put_again(self, data):
        """Splunk starts the action twice for one firing: while the entry is there, nothing changes."""
        number = data.draw(st.integers(0, len(self.stored) - 1))
        alert = list(self.stored.values())[number]
        name, _, path = self._alert(number, alert.tenant, alert.send)
        before = self._places(name)
        if before:
            Outbox(str(self.root)).put(alert, results_path=path, captured_ms=2)
        assert self._places(name) == before

    @rule(tenant=st.sampled_from(TENANTS), mood=st.sampled_from(sorted(MOODS)))
    def change_mood(self, tenant, mood):
        """A tenant is otherwise from now on."""
        self.mood[tenant] = mood

    @rule(seconds=st.sampled_from([0, 1, 10, 61, 3700]))
    def deliver(self, seconds):
        """Time passes, and whoever holds the lock does what is due."""
        self.clock.turn(seconds)
        self.host.run()

    @rule(hours=st.sampled_from([-30, -2, 2, 30]))
    def clock_jumps(self, hours):
        """The wall clock is set."""
        self.clock.wall += hours * 3600

    @rule()
    def start_again(self):
        """The process ends, and another takes over."""
        self._stop()
        self._start()

    @rule(calls=st.integers(0, 60), seconds=st.sampled_from([1, 61, 3700]))
    def kill(self, calls, seconds):
        """The process is killed before one of its next calls to the system."""
        self.clock.turn(seconds)
        self.death.after(calls)
        try:
            self.host.run()
        except Killed:
            pass
        finally:
            self._stop()
            self.death.after(None)
        self._start()

    @rule(calls=st.integers(0, 25), tenant=st.sampled_from(TENANTS))
    def kill_an_action(self, calls, tenant):
        """The action is killed while it puts: what it said nothing about may be there or not, and is whole if it is."""
        name, alert, path = self._alert(len(self.stored), tenant, "all")
        self.death.after(calls)
        try:
            Outbox(str(self.root)).put(alert, results_path=path, captured_ms=1)
        except Killed:
            pass
        finally:
            self.death.after(None)
        Outbox(str(self.root)).put(alert, results_path=path, captured_ms=1)
        self.stored[name] = alert

    @rule(data=st.data(), request=st.sampled_from(["retry", "drop"]))
    def ask(self, data, request):
        """An administrator wants an entry tried again or dropped."""
        name = data.draw(st.sampled_from(sorted(self.stored)))
        self.host.outbox.ask(name[14:], request)
        if request == "drop":
            self.refused.add(name)
        self.clock.turn(2)
        self.host.run()

    @rule(data=st.data(), damage=st.sampled_from(sorted(DAMAGES)))
    def damage(self, data, damage):
        """A file of an entry is not what it was."""
        name = data.draw(st.sampled_from(sorted(self.stored)))
        files = sorted(path for place in ("new", "pending", "dead") for path in (self.root / place).glob(name + ".*"))
        if files:
            path = data.draw(st.sampled_from(files))
            path.write_bytes(DAMAGES[damage](path.read_bytes()))
            self.broken.add(name)
            # What is built from it need not be what it was.
            self.webhook.sent = {key: body for key, body in self.webhook.sent.items() if key[:20] != name[14:]}

    @rule()
    def look(self):
        """The setup page asks what waits, beside whoever holds the lock: every entry is a row, and only a broken one cannot be read."""
        rows = {row["id"]: row["state"] for row in self.host.listed()}
        assert set(rows) == {name[14:] for name in self.stored if self._places(name)}
        assert {id_ for id_, state in rows.items() if state == "unreadable"} <= {name[14:] for name in self.broken}

    # -- what always holds ---------------------------------------------------------------------------

    @invariant()
    def every_alert_is_there_or_delivered(self):
        """Stored is stored."""
        for name in self.stored:
            assert self._places(name) or self._is_delivered(name) or name in self.broken, f"{name} is lost"

    @invariant()
    def only_what_was_refused_dropped_or_broken_is_dead(self):
        """A dead letter is somebody's decision."""
        for name in self.stored:
            assert "dead" not in self._places(name) or name in self.refused | self.broken, f"{name} is dead"

    @invariant()
    def nothing_is_a_fault_of_ours(self):
        """No worker and no chore stumbled; that is where a second body under one id would show as well."""
        lines = [line for line in self.host.log_text.splitlines() if "event=process.bug" in line]
        assert [line for line in lines if "error=Killed" not in line] == []

    # -- how it is done --------------------------------------------------------------------------------

    def _start(self):
        self.host = Host(
            self.root, self.webhook, self.patch, clock=self.clock, tenants=TENANTS, max_body_bytes=LIMIT, dead_days=365
        )

    def _stop(self):
        if self.host is not None:
            self.host.close()

    def _alert(self, number, tenant, send):
        path = self.folder / f"{number}.csv.gz"
        if send == "all" and not path.exists():
            rows = "".join(f"10.0.0.{row},{'x' * 100}\n" for row in range(ROWS))
            path.write_bytes(gzip.compress(("src_ip,note\n" + rows).encode()))
        alert = make_alert(number, tenant=tenant, send=send, result_count=str(ROWS) if send == "all" else "1")
        results = str(path) if send == "all" else ""
        return f"{trigger_ms(alert):013d}-{firing_id(alert, digest(results))}", alert, results

    def _answer(self, body, url):
        found, sent = MOODS[self.mood[url.rpartition("/")[2]]](body), json.loads(body.decode())
        if found.status == 413 and sent.get("id") in self.webhook.accepted:
            return status(200)  # it has that body: it cannot be cut anew any more
        if found.status not in (200, 429, None) and "results" in sent:
            firing = tenant_ledger.firing_id(sent)
            self.refused.update(name for name in self.stored if name[14:] == firing)
        return found

    def _places(self, name):
        return [place for place in ("new", "pending", "dead") if (self.root / place / (name + ".alert")).exists()]

    def _is_delivered(self, name):
        bodies = [
            json.loads(self.webhook.bodies[key].decode()) for key in self.webhook.accepted if key[:20] == name[14:]
        ]
        if name in self.broken:
            return any(body.get("batch", {"last": True})["last"] for body in bodies)
        firings = tenant_ledger.firings([_Accepted(body) for body in bodies])
        return bool(firings) and firings[0].complete


class _Accepted:
    def __init__(self, body):
        self.json = body


TestOutboxModel = OutboxModel.TestCase
TestOutboxModel.settings = settings(
    max_examples=ROUNDS or 20,
    stateful_step_count=30,
    deadline=None,
    # Where a kill hits two threads is never quite the same again, so a shorter example would be another one.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
