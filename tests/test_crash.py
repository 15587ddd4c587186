"""Durability with real processes: the action and the forwarder are killed at random moments. Must not know what they were at.

PARAPET_KILLS asks for more kills, PARAPET_SEED repeats a run. Moments are drawn from the seed; what a moment hits is the scheduler's choice.
"""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import threading
import time

import pytest

from tests.scene import Scene, failed_logins, wait_until
from tests.standins.tenant import Answer, Mode

KILLS = int(os.environ.get("PARAPET_KILLS", "100"))
SEED = int(os.environ.get("PARAPET_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
# Of all kills, so many hit the forwarder; it takes longer to come back than an action to start.
FORWARDER_SHARE = 0.2
LANES = 3


@pytest.fixture
def mayhem(tmp_path, app_tree, certs):
    """A scene with small bodies and short waits, so that a few rows are several batches and everything happens often."""
    with Scene(tmp_path / "splunk", app_tree, certs) as scene:
        scene.configure({"max_body_bytes": "16384", "read_timeout": "2"})
        yield Mayhem(scene, random.Random(SEED))  # noqa: S311  nothing secret is drawn


class Mayhem:
    """Fires alerts and kills who handles them, until enough were killed."""

    def __init__(self, scene, chance):
        """Kill nobody yet."""
        self.scene, self.chance = scene, chance
        self.lock = threading.Lock()
        self.kills = {"action": 0, "forwarder": 0}
        self.fired = {}
        self.stored = set()
        self.usual_s = 0.2

    def run(self):
        """Kill KILLS processes."""
        self.scene.start_forwarder()
        self.scene.forwarder.kill()
        self.scene.forwarder.supervise(interval=0)
        threads = [threading.Thread(target=self.actions) for _ in range(LANES)] + [
            threading.Thread(target=self.forwarders)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def enough(self, who):
        """Whether so many of them were killed as are wanted."""
        share = FORWARDER_SHARE if who == "forwarder" else 1 - FORWARDER_SHARE
        return self.kills[who] >= KILLS * share

    def actions(self):
        """One action after another, most of them killed somewhere between their start and their usual end."""
        while not (self.enough("action") and self.enough("forwarder")):
            search, begin = self.search(), time.monotonic()
            process = self.scene.splunk.start(search, self.scene.splunkd.session("admin"))
            if self.draw() < 0.9:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(self.draw() * self.usual_s)
                process.kill()
            process.communicate()
            with self.lock:
                self.kills["action"] += process.returncode == -9
                self.fired[search.sid] = process.returncode
                if process.returncode == 0:
                    self.usual_s += 0.1 * (time.monotonic() - begin - self.usual_s)
                self.stored.update(name[14:34] for place in ("new", "pending") for name in self.scene.entries(place))

    def forwarders(self):
        """One forwarder after another, some killed before they hold the lock, most after."""
        supervisor, pause = self.scene.forwarder, threading.Event()
        while not self.enough("forwarder"):
            started = supervisor.starts
            pause.wait(self.draw())
            supervisor.process.kill()
            self.kills["forwarder"] += 1
            supervisor.wait_for_start(started + 1)

    def search(self):
        """A firing of its own: one row, or rows enough for several bodies."""
        if self.draw() < 0.6:
            return failed_logins()
        rows = [{"src_ip": f"10.0.0.{n}", "note": "x" * 900} for n in range(60)]
        return failed_logins(rows=rows, params={"send": "all"})

    def draw(self):
        """A number in [0, 1), from the seed."""
        with self.lock:
            return self.chance.random()


def test_nothing_is_lost_or_torn_whatever_is_killed(mayhem):
    """What was accepted, or stood in the outbox, reaches the tenant: whole, under one id, with one body for each id."""
    scene, tenant = mayhem.scene, mayhem.scene.tenant
    print(f"PARAPET_SEED={SEED}")  # noqa: T201  for whoever repeats a run
    tenant.when(lambda record: mayhem.draw() < 0.04, Answer(503))
    tenant.when(lambda record: mayhem.draw() < 0.04, Answer(mode=Mode.RESET))
    tenant.when(lambda record: mayhem.draw() < 0.2, Answer(delay=0.05))
    mayhem.run()
    scene.wait_until_empty(60)
    _restart(scene)  # what a killed one left is put in order at the next start
    scene.wait_until_empty()
    assert scene.forwarder.stop().exit_code == 0
    print(mayhem.kills, len(mayhem.fired), "fired")  # noqa: T201  for whoever repeats a run

    delivered = {firing.id: firing for firing in tenant.firings()}  # and no batch is missing or overlaps another
    sids = {firing.head["search"]["sid"] for firing in delivered.values()}
    accepted = {sid for sid, code in mayhem.fired.items() if code == 0}
    assert accepted, "no action was left alone"
    assert accepted - sids == set(), "an action said 0, and the tenant has nothing"
    assert mayhem.stored - set(delivered) == set(), "an entry was there, and the tenant has nothing"
    assert set(mayhem.fired.values()) <= {0, -9}
    tenant.assert_no_id_with_two_bodies()
    tenant.assert_no_alert_under_two_ids(lambda body: body["search"]["sid"])
    assert tenant.refusals == []
    assert scene.entries("dead") == []
    assert [path.name for path in (scene.outbox / "pending").iterdir() if not path.name.startswith(".")] == []
    assert scene.events("outbox.swept") + scene.events("outbox.failed") + scene.events("process.bug") == []


def _restart(scene):
    scene.forwarder.kill()
    before = len(scene.events("forwarder.started"))
    scene.forwarder.start()
    wait_until(lambda: len(scene.events("forwarder.started")) > before, "the forwarder is back", scene=scene)
