"""How much the crash tests do, from the environment: as `build.py test --crash N --seed S` sets it. Must not do anything itself.

PARAPET_CRASH is N: so many kills, so many runs of the outbox's model, and a power cut after each call instead of some. Without it, little.
PARAPET_SEED repeats the draws of a run. Which call a kill hits is the scheduler's choice all the same.
"""

from __future__ import annotations

import os
import random

ROUNDS = int(os.environ.get("PARAPET_CRASH", "0"))
SEED = int(os.environ.get("PARAPET_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)


def chance():
    """A source of draws from the seed, which is printed for whoever repeats a run."""
    print(f"PARAPET_SEED={SEED}")  # noqa: T201
    return random.Random(SEED)  # noqa: S311  nothing secret is drawn
