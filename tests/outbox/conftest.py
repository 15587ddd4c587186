"""What the outbox's tests share: alerts, an outbox in an empty folder, and a clock that a test turns. Must not hold a test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from parapet.alert import Alert
from parapet.chores import Chores
from parapet.clock import Clock
from parapet.entry import new_state
from parapet.forward import Goal, Turn
from parapet.holder import Holder
from parapet.log import Log
from parapet.outbox import Outbox
from parapet.secret import Secret
from parapet.settings import Delivery, Settings, Tenant

TRIGGER = 1769614200
HEAD = {"source": "splunk"}


def make_alert(number=0, **changes):
    """An alert of its own for each number."""
    values = dict.fromkeys(Alert._fields, "")
    values.update(
        tenant="main",
        send="first",
        severity="auto",
        fields="*",
        trigger_time=str(TRIGGER + number),
        sid=f"scheduler__admin__search__RMD5_at_{TRIGGER}_{number}",
        search_name="Failed SSH Logins",
        row={"src_ip": "45.227.253.98", "user": ["guest", "admin"]},
    )
    values.update(changes)
    return Alert(**values)


def put(outbox, number=0, **changes):
    """Put an alert of its own; returns the entry's name."""
    return outbox.put(make_alert(number, **changes), results_path="", captured_ms=1)


def files(outbox, *folders):
    """The names of the files in some folders of the outbox, those in the making left out."""
    names = folders or ("new", "pending", "dead", "holds", "requests")
    return sorted(
        f"{name}/{path.name}" for name in names for path in _path(outbox, name).iterdir() if path.name[0] != "."
    )


def _path(outbox, name):
    return Path(outbox.root) / name


class TurnableClock:
    """A clock that stands still until a test turns it; wall clock and monotonic clock can be turned apart."""

    def __init__(self):
        """Stand still."""
        self.wall, self.steady = float(TRIGGER), 1000.0
        self.clock = Clock(lambda: self.wall, lambda: self.steady, lambda: 0.5)

    def turn(self, seconds):
        """Let time pass."""
        self.wall += seconds
        self.steady += seconds


@pytest.fixture
def outbox(tmp_path):
    """An outbox in which nothing was put yet."""
    return Outbox(str(tmp_path / "var" / "lib" / "parapet_security" / "outbox"))


@pytest.fixture
def holder(outbox):
    """The holder's side of the outbox, after a first alert made its folders and went."""
    name = put(outbox, 999)
    found = Holder(outbox)
    found.remove(name)
    return found


@pytest.fixture
def time():
    """A clock that the test turns."""
    return TurnableClock()


@pytest.fixture
def log(tmp_path):
    """A log with a `text`."""
    return ReadableLog(tmp_path)


class ReadableLog(Log):
    """The product's log, and what it has written."""

    def __init__(self, folder):
        """Write into a folder."""
        super().__init__(str(folder), level="DEBUG")
        self.file = folder / "parapet_security.log"

    @property
    def text(self):
        """All lines so far."""
        return self.file.read_text(encoding="utf-8") if self.file.exists() else ""

    def lines(self, event):
        """The lines of one event."""
        return [line for line in self.text.splitlines() if f" event={event} " in line + " "]


class Scene:
    """A turn over an outbox whose tenant is paused: what waits, waits."""

    def __init__(self, outbox, holder, time, log, delivery):
        """Take over the outbox."""
        self.outbox, self.holder, self.time, self.log = outbox, holder, time, log
        tenant = Tenant("main", "https://localhost/webhook/acme", Secret("pst_" + "x"), disabled=True)
        self.turn = Turn(
            holder,
            Settings(Delivery(**delivery), {"main": tenant}),
            clock=time.clock,
            log=log,
            enricher=None,
            user_agent="test",
        )
        self.told = []
        self.chores = Chores(self.turn, holder, time.clock, log, role="forwarder", tell=self.told.append)

    def look(self):
        """One turn of the loop, with all that is due."""
        self.time.turn(61)
        self.turn.run(Goal(self.time.steady + 10, wait=False), self.chores)

    def ask(self, name, request):
        """What an administrator's command leaves."""
        path = Path(self.outbox.path("requests", f"{name[14:]}.{request}"))
        path.write_bytes(b"")
        return path

    def dead(self, number, *, age_s=0, size=0):
        """A dead letter that died so many seconds ago."""
        name = put(self.outbox, number, description="x" * size)
        self.holder.save(name, new_state(HEAD, 1048576), first=True)
        self.holder.bury(name, None)
        self.age(name, age_s)
        return name

    def age(self, name, age_s):
        """Let a dead letter have died so many seconds ago."""
        os.utime(self.outbox.path("dead", name + ".alert"), (self.time.wall - age_s,) * 2)


@pytest.fixture
def made(outbox, holder, time, log):
    """Makes a scene with some settings of [delivery]; its threads end with the test."""
    turns = []

    def make(**delivery):
        found = Scene(outbox, holder, time, log, delivery)
        turns.append(found.turn)
        return found

    yield make
    for turn in turns:
        turn.close()
