"""The rows of the fault table that need a day, or a clock that jumps: the real deliverer in this process, with a clock that is turned.

Must not turn anything but the clock: outbox, splunkd and tenant are those of a scene, and the action is a real process.
"""

from __future__ import annotations

import contextlib

from parapet import configuration
from parapet.bulletin import Bulletin
from parapet.chores import Chores
from parapet.enrich import Enricher
from parapet.forward import Goal, Turn
from parapet.holder import Holder
from parapet.log import Log
from parapet.outbox import Outbox
from parapet.secret import Secret
from parapet.splunkd import Splunkd
from parapet.version import USER_AGENT

from tests.delivery.answers import named
from tests.faults.worlds import Case, the_id
from tests.outbox.conftest import TurnableClock
from tests.standins.tenant import Answer

_YEAR_S = 365 * 86400.0


class Deliverer(contextlib.ExitStack):
    """Holds the lock and delivers when it is told to."""

    def __init__(self, scene):
        """Take the lock, so that actions leave their alerts here."""
        super().__init__()
        self.scene, self.time = scene, TurnableClock()
        self.log = Log(str(scene.home.log))
        self.splunkd = Splunkd(scene.splunkd.uri, Secret(scene.splunkd.system_session()))
        self.outbox = Outbox(str(scene.outbox))
        for name in ("new", "pending", "dead", "holds", "requests"):
            (scene.outbox / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        assert self.outbox.lock.try_acquire()
        self.callback(self.outbox.lock.release)
        self.restart()

    def restart(self):
        """A new process in the old one's place: it knows what is on disk."""
        clock, holder = self.time.clock, Holder(self.outbox)
        self.turn = Turn(
            holder,
            configuration.load(self.splunkd),
            clock=clock,
            log=self.log,
            enricher=Enricher(self.splunkd, self.log, clock.monotonic),
            user_agent=USER_AGENT,
        )
        self.callback(self.turn.close)
        board = Bulletin(self.splunkd, self.log, clock)
        self.chores = Chores(self.turn, holder, clock, self.log, role="forwarder", tell=board.tell)

    def look(self, later_s=0.0):
        """Deliver what is due so much later."""
        self.time.turn(later_s)
        self.turn.run(Goal(self.time.steady + 10, wait=False), self.chores)


def fire(case, number=0):
    """Fire an alert that the deliverer finds in new/."""
    fired = case.scene.fire(case.search(number))
    case.check((fired.exit_code, "event=alert.queued" in fired.stderr) == (0, True), fired.stderr)
    return the_id(fired.stderr)


def a_day_of_503(case, deliverer):
    """One alert is refused for more than a day; others, before and after, go."""
    case.tenant.when(named(f"{case.name} 0"), Answer(503))
    case.ids.append(fire(case))
    for number in range(1, 23):
        if number % 8 == 1:
            case.ids.append(fire(case, number))
        deliverer.look(3 * 3600)
    deliverer.chores.census()
    case.check(len(case.scene.entries("dead")) == 1, "no dead letter")
    case.check("1 dead letter" in str(case.scene.splunkd.messages), case.scene.splunkd.messages)
    case.tenant._rules.clear()
    (case.scene.outbox / "requests" / f"{case.ids[0]}.retry").write_text("")
    deliverer.look(61)


def a_jump(seconds):
    """The wall clock jumps while an alert waits as its tenant asked, and once more for the next process."""

    def run(case, deliverer):
        case.tenant.script(Answer(429, retry_after="60"), Answer(429, retry_after="60"))
        case.ids.append(fire(case))
        deliverer.look()
        deliverer.time.wall += seconds
        case.ids.append(fire(case, 1))
        deliverer.look(30)
        case.check(len(case.tenant.requests) == 1, "it was called before its time")
        deliverer.look(31)
        deliverer.time.wall += seconds
        deliverer.restart()
        deliverer.look()
        deliverer.look(3601)  # a stored time that is further ahead counts as an hour ahead

    return run


RUNS = {
    "503 to one alert for a day, while others go": a_day_of_503,
    "the clock jumps forward by a year": a_jump(_YEAR_S),
    "the clock jumps back by a year": a_jump(-_YEAR_S),
}


def with_a_clock(scene, fault):
    """Run one row; returns what was wrong."""
    with Deliverer(scene) as deliverer:
        case = Case(scene, fault, 0)
        deliverer.restart()
        RUNS[fault.fault](case, deliverer)
        case.check(not case.lost(), f"lost: {case.lost()}")
        case.check(scene.entries("new") == scene.entries("pending") == scene.entries("dead") == [], "something is left")
        case.check_line()
        case.tenant.assert_no_id_with_two_bodies()
    return case.wrong
