"""What one forwarder carries on this machine, and what an alert takes in the outbox: `python -m bench.capacity`, one to two minutes.

Must not judge, nor stand for a tenant on the internet: tenant and splunkd are the tests' stand-ins, and share this machine's cores.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import tracemalloc
from typing import TYPE_CHECKING, NamedTuple

from parapet.backlog import Backlog
from parapet.version import VERSION

from bench.machine import costs, processor
from bench.place import FIELDS, TOKEN, Place
from bench.report import table
from tests.scene import wait_until
from tests.standins.tenant import Answer, Tenant

if TYPE_CHECKING:
    from typing import Sequence

    from tests.scene import Scene

SPEED = ("rows an alert", "tenant answers after", "workers", "alerts a second", "CPU an alert", "peak memory")
SIZE = ("alert", "file in the outbox", "with its state, once it was tried")
LARGE = 50000
INDEXED = 100000
_TIMEOUT_S = 60


class Load(NamedTuple):
    """What one run delivers: `count` alerts of `rows` rows, to a tenant that answers after `latency_s`, by `workers` connections."""

    rows: int
    latency_s: float
    workers: int
    count: int


# So many alerts that a run takes two or three seconds: one worker cannot send more than 20 a second to a tenant 50 ms away.
LOADS = [
    Load(rows, latency_s, workers, 40 * workers if latency_s else near)
    for rows, near in ((1, 600), (100, 200))
    for latency_s in (0.0, 0.05)
    for workers in (1, 4, 8)
]


class Bench(Place):
    """Installations with the tests' tenant to measure in, one after another.

    Args:
        folder: an empty folder.
    """

    def scene(self, workers: int) -> Scene:
        """An installation with a tenant."""
        # Without the JSON Schema: it takes the stand-in longer than all that is measured here.
        tenant = Tenant(self.certs, TOKEN, strict=False)
        scene = self.installed({"main": tenant.url}, workers=workers)
        scene.tenant = scene.enter_context(tenant)
        return scene

    def speed(self, load: Load) -> tuple[object, ...]:
        """A line of the first table: the alerts wait, then a forwarder starts."""
        with self.scene(load.workers) as scene:
            tenant = scene.tenant
            tenant.latency = load.latency_s
            self.put(scene, load.rows, load.count)
            pid = scene.start_forwarder().process.pid
            # Asked from time to time: waiting on the tenant's own condition would wake this thread with every request.
            wait_until(lambda: tenant.accepted, "a first alert", _TIMEOUT_S, scene)
            before, done = costs(pid), len(tenant.accepted)
            wait_until(lambda: len(tenant.accepted) >= load.count, "the last alert", _TIMEOUT_S, scene)
            after = costs(pid)
            times = sorted(record.time for record in tenant.accepted)
        rate = (load.count - 1) / (times[-1] - times[0])
        cpu_ms = (after.cpu_s - before.cpu_s) * 1000 / max(load.count - done, 1)
        wait = f"{load.latency_s * 1000:.0f} ms" if load.latency_s else "at once"
        return (load.rows, wait, load.workers, f"{rate:.0f}", f"{cpu_ms:.1f} ms", f"{after.peak_bytes / 2**20:.0f} MiB")

    def sizes(self) -> tuple[list[tuple[str, ...]], str]:
        """The second table, and a sentence about the delivery of the largest alert."""
        lines = []
        for rows in (1, LARGE):
            with self.scene(workers=1) as scene:
                tenant = scene.tenant
                tenant.always(Answer(500))
                self.put(scene, rows)
                (waits,) = scene.outbox.glob("new/*.alert")
                bare = waits.stat().st_size
                pid = scene.start_forwarder().process.pid
                wait_until(lambda scene=scene: any(scene.outbox.glob("pending/*.state")), "a state", _TIMEOUT_S)
                (state,) = scene.outbox.glob("pending/*.state")
                what = "one row" if rows == 1 else f"{rows:,} rows of {FIELDS} fields"
                lines.append((what, f"{bare:,} bytes", f"{bare + state.stat().st_size:,} bytes"))
                tenant.always(Answer())
                scene.wait_until_empty(_TIMEOUT_S)
                sent = tenant.accepted
                peak_mib = costs(pid).peak_bytes / 2**20
        rate = sum(record.json["batch"]["rows"] for record in sent[1:]) / (sent[-1].time - sent[0].time)
        size = sum(len(record.body) for record in sent) / 2**20
        told = (
            f"{LARGE:,} rows of {FIELDS} fields: {len(sent)} requests, {size:.1f} MiB of JSON,"
            f" {rate:,.0f} rows a second, {peak_mib:.0f} MiB of memory at most."
        )
        return lines, told


def index_bytes() -> int:
    """What the forwarder keeps in memory of one alert that waits: its index entry alone; alerts themselves stay on disk."""
    tracemalloc.start()
    backlog = Backlog(4)
    for number in range(INDEXED):
        name = f"{1769614200000 + number}-{number:020x}"
        backlog.add(name)
        backlog.assign(name, "main", due=float(number))
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return used // INDEXED


def main(loads: Sequence[Load] = LOADS) -> None:
    """Measure and print."""
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    machine = f"{processor()}, {os.cpu_count()} cores{load}; {platform.system()} {platform.release()}"
    text = f"{machine}; Python {platform.python_version()}; app {VERSION}\n\n"
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder)
        text += table(SPEED, [bench.speed(one) for one in loads])
        lines, told = bench.sizes()
    text += (
        "\n"
        + table(SIZE, lines)
        + f"\n{told}\nOne alert that waits: {index_bytes()} bytes of the forwarder's memory.\n"
    )
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
