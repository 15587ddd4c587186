"""The effects of time and chance, as one record that is passed in. Must not be used by the core: it takes numbers."""

from __future__ import annotations

import random
import time
from typing import Callable, NamedTuple


class Clock(NamedTuple):
    """Where time and chance come from.

    Attributes:
        now: wall clock, seconds since the epoch; it may jump.
        monotonic: seconds that never jump, for every wait inside a process.
        random: a number in [0, 1).
    """

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random
