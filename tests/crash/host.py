"""The product on a folder, in this process and in a moment: outbox, turn and chores are real; tenant, splunkd and clock are made up.

Must not judge what it finds: it runs, and tells.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import tempfile
import time
from pathlib import Path

from parapet import crew, forward
from parapet.chores import Chores
from parapet.clock import Clock
from parapet.errors import ParapetError
from parapet.forward import Goal, Turn
from parapet.holder import Holder
from parapet.listing import Listing
from parapet.log import Log
from parapet.message import Facts
from parapet.outbox import Outbox
from parapet.secret import Secret
from parapet.settings import Delivery, Settings, Tenant
from parapet.verdict import Answer

# Longer than the product ever waits.
LONG_S = 3700


class Webhook:
    """Takes the client's place: `answer(body, url)` is what the tenant says to a body.

    Attributes:
        sent: every body by its id; one that comes twice must be the same.
        accepted: the ids that were answered 2xx, in order.
        bodies: what was accepted under them.
    """

    def __init__(self, answer):
        """Nothing came yet."""
        self.answer, self.sent, self.accepted, self.bodies = answer, {}, [], {}

    def post(self, url, _token, body, key, *, budget_s=None):
        """One attempt."""
        if json.loads(body.decode()).get("test"):
            return self.answer(body, url)
        assert self.sent.setdefault(key, body) == body, f"{key} has two bodies"
        answer = self.answer(body, url)
        if answer.status is not None and 200 <= answer.status < 300:
            self.accepted.append(key)
            self.bodies[key] = body
        return answer

    def close(self):
        """There is nothing to close."""


class Host:
    """One life of the process that holds the lock.

    Attributes:
        outbox, holder, turn: the product's.
        log_text: what it said.
    """

    def __init__(self, root, webhook, monkeypatch, *, clock=None, facts=None, tenants=("main",), **delivery):
        """Take over the outbox in `root`; `facts` is what splunkd knows (None: nothing), `delivery` are settings."""
        monkeypatch.setattr(crew, "Webhook", lambda *_: webhook)
        monkeypatch.setattr(forward, "LOOK_S", 0.001)  # nothing comes by itself, so nothing has to be looked for
        monkeypatch.setattr(os, "fsync", lambda _descriptor: None)  # nor does the power fail here
        self._text = io.StringIO()
        self.clock = clock or TurnedClock()
        self.outbox = Outbox(str(root))
        self.holder = Holder(self.outbox)
        log = Log("", self._text, stderr_level="DEBUG")
        found = {name: Tenant(name, "https://localhost/webhook/" + name, Secret("pst_" + "x")) for name in tenants}
        self.turn = Turn(
            self.holder,
            Settings(Delivery(**delivery), found),
            clock=self.clock.clock,
            log=log,
            enricher=_Enricher(facts or Facts()),
            user_agent="test",
            workers=1,
        )
        self._chores = Chores(
            self.turn, self.holder, self.clock.clock, log, role="forwarder", tell=lambda _matters: None
        )

    @property
    def log_text(self):
        """What it said so far."""
        return self._text.getvalue()

    def run(self):
        """Do all that can be done without waiting."""
        self.turn.run(Goal(float("inf"), wait=False), self._chores)

    def settle(self, rounds=8):
        """Go on, over all waits, until nothing waits any more or `rounds` long waits have not helped."""
        for _ in range(rounds):
            self.run()
            if not self.waiting():
                return
            self.clock.turn(LONG_S)

    def waiting(self):
        """The names of what waits."""
        return sorted({*self.holder.names("new"), *self.holder.names("pending")})

    def listed(self):
        """What the setup page shows."""
        listing = Listing(self.holder, None, int(self.clock.clock.now() * 1000))
        listing.summary()
        return list(listing.entries())

    def dead(self):
        """The dead letters that can be read, as {name: alert}."""
        found = {}
        for name in self.holder.names("dead"):
            try:
                found[name] = self.holder.read(name, "dead").header.alert
            except ParapetError:
                continue
        return found

    def close(self):
        """End without a word, as a process does that is killed between two steps; no thread of it goes on."""
        self.turn.close()
        self.turn._crew._executor.shutdown(wait=True)


class _Enricher:
    def __init__(self, facts):
        self._facts = facts

    def facts(self, _alert):
        return self._facts


class TurnedClock:
    """A clock that a test turns, from the time at which the files are made."""

    def __init__(self):
        """Begin now, and stand still."""
        self.wall, self.steady = time.time(), 1000.0
        self.clock = Clock(lambda: self.wall, lambda: self.steady, lambda: 0.5)

    def turn(self, seconds):
        """Let time pass."""
        self.wall += seconds
        self.steady += seconds


@contextlib.contextmanager
def quick_folder():
    """A folder for many small files, which need not outlast anything: in memory where the system has a place for that."""
    memory = "/dev/shm"  # noqa: S108  what is made in there is private
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


def litter(root):
    """What is in the making, or was left so."""
    return sorted(str(path) for path in Path(root).rglob(".*"))


def write_tree(root, state):
    """Make the files and folders of {path: bytes, or None for a folder} below an empty folder."""
    for path, data in sorted(state.items()):
        if data is None:
            (Path(root) / path).mkdir()
        else:
            (Path(root) / path).write_bytes(data)


def status(code, **more):
    """An answer."""
    return Answer(status=code, **more)
