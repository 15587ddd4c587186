"""What the outbox's tests share: alerts, an outbox in an empty folder, and a clock that a test turns. Must not hold a test."""

from __future__ import annotations

import pytest
from parapet.alert import Alert
from parapet.clock import Clock
from parapet.holder import Holder
from parapet.log import Log
from parapet.outbox import Outbox

TRIGGER = 1769614200


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
    return sorted(f"{name}/{path.name}" for name in names for path in _path(outbox, name).iterdir() if path.name[0] != ".")


def _path(outbox, name):
    from pathlib import Path

    return Path(outbox.root) / name


class TurnableClock:
    """A clock that stands still until a test turns it; wall clock and monotonic clock can be turned apart."""

    def __init__(self):
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
        super().__init__(str(folder), level="DEBUG")
        self.file = folder / "parapet_security.log"

    @property
    def text(self):
        """All lines so far."""
        return self.file.read_text(encoding="utf-8") if self.file.exists() else ""

    def lines(self, event):
        """The lines of one event."""
        return [line for line in self.text.splitlines() if f" event={event} " in line + " "]
