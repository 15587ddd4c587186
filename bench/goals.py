"""What is measured, what it is held against, and how far it should reach. Must not measure anything."""

from __future__ import annotations

from typing import NamedTuple

AT_MOST, AT_LEAST, NONE = "≤", "≥", ""


class Goal(NamedTuple):
    """One line of the table.

    Attributes:
        key: its name in the JSON.
        what: what is measured.
        floor: what it is held against, "" for nothing.
        sign, bound: how far it should reach; NONE where it is measured only to be known.
        unit: of the figure that counts: "×" is the ratio to the floor.
    """

    key: str
    what: str
    floor: str
    sign: str
    bound: float
    unit: str

    @property
    def text(self) -> str:
        """The goal, as in "≤ 1.2 ×"."""
        return f"{self.sign} {self.bound:g} {self.unit}" if self.sign else "–"

    def reached(self, figure: float) -> bool | None:
        """Whether a figure reaches it; None where there is no goal."""
        if self.sign == NONE:
            return None
        return figure <= self.bound if self.sign == AT_MOST else figure >= self.bound


GOALS = (
    Goal("action", "one alert, forwarder alive: the action's whole process", "write, fsync, rename", AT_MOST, 1.2, "×"),
    Goal("action_pass", "the same", "`pass`", AT_MOST, 2.4, "×"),
    Goal("direct_ca_file", "one alert, direct, to the tenant's answer; `ca_file`", "bare POST", AT_MOST, 2.9, "×"),
    Goal("direct_bundle", "the same; CA bundle", "bare POST", AT_MOST, 2.5, "×"),
    Goal("wait", "put to the tenant's answer, forwarder idle, 95 %", "one round trip", AT_MOST, 150, "ms more"),
    Goal("idle", "an idle forwarder, of one core", "", AT_MOST, 0.5, "%"),
    Goal("rows", "rows a second, disk to ready bodies", "gunzip, csv, json", AT_LEAST, 0.75, "×"),
    Goal("memory_core", "the same: peak memory of the core", "`pass`", AT_MOST, 16, "MB more"),
    Goal("memory_core_growth", "the same, for ten times the rows", "a tenth of the rows", AT_MOST, 1, "MB more"),
    Goal("memory_forwarder", "peak memory of the forwarder delivering them", "`pass`", AT_MOST, 32, "MB more"),
    Goal("memory_forwarder_growth", "the same, for ten times the rows", "a tenth of the rows", AT_MOST, 1, "MB more"),
    Goal("one_worker", "forwarder, one worker: alerts a second", "loop on requests.Session", AT_LEAST, 0.75, "×"),
    Goal("eight_workers", "forwarder, eight workers, tenant 50 ms away", "the same loop", AT_LEAST, 7, "×"),
    Goal("backlog_put", "a put while 100 times as many alerts wait", "1,000 wait", AT_MOST, 1.2, "×"),
    Goal("backlog_deliver", "a delivery while 100 times as many alerts wait", "1,000 wait", AT_MOST, 1.2, "×"),
    Goal("one_refuses", "alerts a second while another tenant refuses", "nothing waits there", AT_LEAST, 0.9, "×"),
    Goal("one_hangs", "alerts a second while another tenant hangs", "nothing waits there", AT_LEAST, 0.9, "×"),
    Goal("far_rows", "one alert of 50,000 rows, tenant 50 ms away", "", NONE, 0, "s"),
)
BY_KEY = {goal.key: goal for goal in GOALS}
# What is measured together, and can be asked for by name.
GROUPS = (
    "action",
    "direct",
    "idle",
    "one_worker",
    "eight_workers",
    "one_down",
    "far_rows",
    "rows",
    "backlog",
)
