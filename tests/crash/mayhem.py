"""Kills actions and forwarders at random moments, while the disk is full or read-only now and then. Must not judge what came of it.

Moments are drawn from a seed; what a moment hits is the scheduler's choice.
"""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time

from tests.scene import failed_logins

LANES = 3
# Of all kills, so many hit the forwarder; it takes longer to come back than an action to start. Some of these take an action along.
FORWARDER_SHARE = 0.2
BOTH_SHARE = 0.4
# One after another: the disk as it should be, and not.
WEATHER = ("", "full", "", "readonly")


class Mayhem:
    """Fires alerts and kills who handles them, until enough were killed.

    Attributes:
        kills: how many were killed: actions and forwarders one by one, and at once.
        fired: the exit code of each action, by its sid.
        stored: the ids of what was seen in the outbox at one moment or other.
    """

    def __init__(self, scene, chance, kills, switch):
        """Kill nobody yet; `switch` is the file that tells the shim which fault there is."""
        self._scene, self._chance, self._most, self._switch = scene, chance, kills, switch
        self._lock, self._over = threading.Lock(), threading.Event()
        self._running = set()
        self._usual_s = 0.5
        self.kills = {"action": 0, "forwarder": 0, "both": 0}
        self.fired, self.stored = {}, set()

    def run(self):
        """Kill so many processes; raises what a thread of this failed with."""
        self._scene.forwarder.supervise(interval=0)
        failures = []
        threads = [
            threading.Thread(target=self._guard, args=(work, failures))
            for work in (*[self._actions] * LANES, self._forwarders, self._weather)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def draw(self):
        """A number in [0, 1), from the seed."""
        with self._lock:
            return self._chance.random()

    def _guard(self, work, failures):
        try:
            work()
        except BaseException as error:  # noqa: BLE001  it is raised where `run` was called
            failures.append(error)
            self._over.set()

    def _enough(self, who):
        """Whether so many of them were killed as are wanted."""
        if who == "forwarder":
            done = self.kills["forwarder"] + 2 * self.kills["both"] >= self._most * FORWARDER_SHARE
        else:
            done = sum(self.kills.values()) + self.kills["both"] >= self._most
        return done or self._over.is_set()

    def _actions(self):
        """One action after another, most of them killed somewhere between their start and their usual end; the last one is left alone."""
        while not (self._enough("action") and self._enough("forwarder")):
            self._one_action(left_alone=self.draw() >= 0.9)
        if not self._over.is_set():
            self._one_action(left_alone=True)

    def _one_action(self, *, left_alone):
        search, begin = self._search(), time.monotonic()
        process = self._scene.splunk.start(search, self._scene.splunkd.session("admin"))
        self._running.add(process)
        if not left_alone:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(self.draw() * self._usual_s)
            with self._lock:
                mine = process in self._running
                if mine:
                    process.kill()
        process.communicate()
        with self._lock:
            mine = process in self._running
            self._running.discard(process)
            self.kills["action"] += mine and process.returncode == -9
            self.fired[search.sid] = process.returncode
            if process.returncode == 0:
                self._usual_s += 0.2 * (min(time.monotonic() - begin, 1.0) - self._usual_s)
            self.stored.update(name[14:34] for place in ("new", "pending") for name in self._scene.entries(place))

    def _forwarders(self):
        """One forwarder after another, some killed before they hold the lock, most after, some with an action at the same moment."""
        supervisor = self._scene.forwarder
        while not self._enough("forwarder"):
            started = supervisor.starts
            self._over.wait(self.draw())
            both = self.draw() < BOTH_SHARE
            with self._lock:
                victim = (
                    next((one for one in sorted(self._running, key=id) if one.poll() is None), None) if both else None
                )
                if victim is not None:
                    victim.kill()
                    self._running.discard(victim)
                supervisor.process.kill()
                self.kills["forwarder" if victim is None else "both"] += 1
            supervisor.wait_for_start(started + 1)

    def _weather(self):
        """The disk changes between good and bad until it is over, and is good then."""
        number = 0
        while not (self._enough("action") and self._enough("forwarder")):
            self._switch.write_text(WEATHER[number % len(WEATHER)])
            number += 1
            self._over.wait(0.1 + 0.4 * self.draw())
        self._switch.write_text("")

    def _search(self):
        """A firing of its own: one row, or rows enough for several bodies."""
        if self.draw() < 0.6:
            return failed_logins()
        rows = [{"src_ip": f"10.0.0.{n}", "note": "x" * 900} for n in range(60)]
        return failed_logins(rows=rows, params={"send": "all"})
