"""How much is measured: all of it, or a look of half a minute. Must not measure."""

from __future__ import annotations

from typing import NamedTuple


class Sizes(NamedTuple):
    """Counts of one run.

    Attributes:
        processes: pairs of whole processes, for the action; half of them for a direct delivery.
        puts: alerts put one by one for an idle forwarder.
        idle_s: seconds of doing nothing.
        rows: rows of the large results file; a tenth of it is the small one.
        row_pairs: how often both turn them into JSON.
        loop_pairs: how often forwarder and loop send `near` alerts (at once) and `far` (50 ms).
        near, far: alerts of one such round; the loop sends an eighth of `far`.
        backlog: alerts that wait in the large backlog; a hundredth, and 100 at least, wait in the small one.
        delivered: how many of them are delivered.
        backlog_pairs: how often.
        far_rows: rows of the one large alert.
    """

    processes: int = 60
    puts: int = 60
    idle_s: float = 60
    rows: int = 1000000
    row_pairs: int = 3
    loop_pairs: int = 5
    near: int = 600
    far: int = 640
    backlog: int = 100000
    delivered: int = 600
    backlog_pairs: int = 3
    far_rows: int = 50000


FULL = Sizes()
QUICK = Sizes(10, 10, 3, 50000, 1, 1, 150, 80, 5000, 60, 1, 5000)
