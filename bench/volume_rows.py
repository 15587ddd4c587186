"""Measures one alert of many rows: how fast they become bodies, how fast they are delivered, and in how much memory. Must not judge."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Callable, NamedTuple

from parapet.outbox import Outbox

from bench import ROOT
from bench.forwarder_rows import FAR_S, TIMEOUT_S, single
from bench.machine import costs
from bench.processes import FLOORS, peak_bytes, run
from bench.report import Measured
from bench.stats import ratios, spread

if TYPE_CHECKING:
    from pathlib import Path

    from bench.place import Place
    from bench.sizes import Sizes

CORE = ROOT / "bench/bodies.py"
_MB = 1000000


def rows(place: Place, sizes: Sizes, tell: Callable[[str], None]) -> list[Measured]:
    """Rows a second from a results file to bodies, against reading and encoding them; and the memory of it."""
    env = {"PATH": "/usr/bin:/bin"}
    large = place.results(place.folder / "large.csv.gz", sizes.rows)
    small = place.results(place.folder / "small.csv.gz", sizes.rows // 10)
    core = [place.python, str(CORE), str(ROOT / "parapet_security/bin")]
    ours, floors = [], []
    for number in range(sizes.row_pairs):
        tell(f"{sizes.rows:,} rows, {number} of {sizes.row_pairs}")
        ours.append(sizes.rows / run([*core, str(large)], env=env).seconds)
        floor = [place.python, str(FLOORS / "rows_to_json.py"), str(large)]
        floors.append(sizes.rows / run(floor, env=env).seconds)
    tell("peak memory")
    nothing = peak_bytes([place.python, "-c", "import sys; print(flush=True); sys.stdin.read()"], env=env) / _MB
    memory = [peak_bytes([*core, str(path)], env=env) / _MB for path in (large, small)]
    note = f"{sizes.rows:,} rows of 20 fields, two of them multivalue"
    return [
        Measured("rows", "a second", spread(ours), spread(floors), spread(ratios(ours, floors)), note),
        *_memory("memory_core", memory, nothing),
        *_delivering(place, (large, small), nothing, tell),
    ]


def _memory(key: str, peaks: list[float], nothing: float) -> list[Measured]:
    """Peak memory with many rows by that of nothing, and by that with few rows."""
    many, few = peaks
    return [
        Measured(key, "MB", single(many), single(nothing), single(many - nothing)),
        Measured(f"{key}_growth", "MB", single(many), single(few), single(many - few)),
    ]


def _delivering(place: Place, files: tuple[Path, Path], nothing: float, tell: Callable[[str], None]) -> list[Measured]:
    """The same for a forwarder, which is started anew for each."""
    sent = []
    for path in files:
        tell(f"a forwarder delivers {path.name}")
        sent.append(_deliver(place, path))
    found = _memory("memory_forwarder", [one.peak_bytes / _MB for one in sent], nothing)
    note = f"it delivered the larger one in {sent[0].seconds:.1f} s, {sent[0].bodies} bodies"
    return [found[0]._replace(note=note), *found[1:]]


class _Sent(NamedTuple):
    """What a forwarder needed: peak memory, seconds from the put to the last answer; and how many bodies it sent."""

    peak_bytes: int
    seconds: float
    bodies: int


def _deliver(place: Place, path: Path, latency_s: float = 0.0) -> _Sent:
    """Let a forwarder deliver one results file."""
    with place.sink(latency_s) as sink, place.installed({"main": sink.url}) as scene:
        began = time.monotonic()
        Outbox(str(scene.outbox)).put(place.alert(scene, rows=2), results_path=str(path), captured_ms=0)
        pid = scene.start_forwarder().process.pid
        scene.wait_until_empty(TIMEOUT_S)
        times = sink.ask("times")
        return _Sent(costs(pid).peak_bytes, times[-1] - began, len(times))


def far_rows(place: Place, sizes: Sizes, tell: Callable[[str], None]) -> list[Measured]:
    """Seconds for one alert of many rows to a tenant 50 ms away, from its put on."""
    tell(f"{sizes.far_rows:,} rows, 50 ms away")
    path = place.results(place.folder / "far.csv.gz", sizes.far_rows)
    sent = _deliver(place, path, latency_s=FAR_S)
    note = f"{sizes.far_rows:,} rows in {sent.bodies} bodies; from the put, before the forwarder was started, to the last answer"
    return [Measured("far_rows", "s", single(sent.seconds), None, single(sent.seconds), note)]
