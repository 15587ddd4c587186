"""What one forwarder carries on this machine, and what an alert takes in the outbox: `python -m bench.capacity`, about a minute.

Must not judge, nor stand for a tenant on the internet: tenant and splunkd are the tests' stand-ins, and share this machine's cores.
"""

from __future__ import annotations

import csv
import gzip
import os
import platform
import sys
import tempfile
import tracemalloc
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "parapet_security" / "bin"))

from parapet import alert as alerts  # noqa: E402  the product's own path comes first
from parapet.backlog import Backlog  # noqa: E402
from parapet.outbox import Outbox  # noqa: E402
from parapet.version import VERSION  # noqa: E402

from build_tools import package  # noqa: E402
from tests.scene import Scene, failed_logins, wait_until  # noqa: E402
from tests.standins.certs import Certs  # noqa: E402
from tests.standins.tenant import Answer, Tenant  # noqa: E402

if TYPE_CHECKING:
    from typing import Iterable, Sequence

SPEED = ("rows an alert", "tenant answers after", "workers", "alerts a second", "CPU an alert", "peak memory")
SIZE = ("alert", "file in the outbox", "with its state, once it was tried")
FIELDS = 20
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


class Costs(NamedTuple):
    """What a process has used until now, as Linux tells it; zeros elsewhere."""

    cpu_s: float
    peak_mib: float


def costs(pid: int) -> Costs:
    """CPU time and peak memory of a process that runs."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return Costs(0.0, 0.0)
    ticks = int(fields[11]) + int(fields[12])
    return Costs(ticks / os.sysconf("SC_CLK_TCK"), int(status.partition("VmHWM:")[2].split()[0]) / 1024)


def row(number: int) -> dict[str, str]:
    """A row of FIELDS fields of 18 to 19 characters, of which ten are random: a search over sign-ins compresses better."""
    digest = sha256(str(number).encode("ascii")).hexdigest()
    return {f"field_{index:02d}": f"value {index} {digest[index : index + 10]}" for index in range(FIELDS)}


class Bench:
    """Installations to measure in, one after another.

    Args:
        folder: an empty folder.
    """

    def __init__(self, folder: Path | str) -> None:
        """Make the app as it is packaged, and the certificates."""
        self._folder, self._number = Path(folder), 0
        self._app = package.stage(self._folder / "package")
        self._certs = Certs(self._folder)

    def scene(self, workers: int) -> Scene:
        """An installation with a tenant."""
        self._number += 1
        scene = Scene(self._folder / f"splunk{self._number}", self._app, self._certs, tenant=False)
        # Without the JSON Schema: it takes the stand-in longer than all that is measured here.
        scene.tenant = scene.enter_context(Tenant(self._certs, strict=False))
        scene.configure({"ca_file": self._certs.ca_file, "workers": str(workers), "retry_first": "0.1"})
        scene.add_tenant("main", scene.tenant.url, scene.tenant.token)
        return scene

    def put(self, scene: Scene, rows: int, count: int = 1) -> None:
        """Put so many alerts into the outbox, as the action does; those of more than one row with their results file."""
        results = scene.home.path / "results.csv.gz"
        if rows > 1:
            with gzip.open(str(results), "wt", encoding="utf-8", newline="") as stream:
                writer = csv.DictWriter(stream, list(row(0)))
                writer.writeheader()
                writer.writerows(row(number) for number in range(rows))
        search = failed_logins(rows=[row(0)], result_count=rows, params={"send": "all" if rows > 1 else "first"})
        alert, _ = alerts.from_payload(scene.splunk.payload(search, ""))
        outbox = Outbox(str(scene.outbox))
        for number in range(count):
            one = alert._replace(sid=f"{alert.sid}_{number}")
            outbox.put(one, results_path=str(results) if rows > 1 else "", captured_ms=0)

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
        return (load.rows, wait, load.workers, f"{rate:.0f}", f"{cpu_ms:.1f} ms", f"{after.peak_mib:.0f} MiB")

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
                peak_mib = costs(pid).peak_mib
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


def processor() -> str:
    """What Linux calls the processor; what Python knows elsewhere."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    return text.partition("model name")[2].partition(":")[2].partition("\n")[0].strip() or platform.machine()


def table(head: Sequence[object], lines: Iterable[Sequence[object]]) -> str:
    """Lines of cells in Markdown."""
    rule = ("---",) * len(head)
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in (head, rule, *lines))


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
