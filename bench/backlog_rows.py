"""Measures what a put and a delivery take while many alerts wait, against the same while few do. Must not judge."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Callable

from parapet.outbox import Outbox

from bench.forwarder_rows import wait_for
from bench.machine import costs
from bench.report import Measured
from bench.stats import ratios, spread

if TYPE_CHECKING:
    from bench.place import Place
    from bench.sizes import Sizes
    from tests.scene import Scene

_PUTS = 100
_FEW_LEAST = 100


def backlog(place: Place, sizes: Sizes, tell: Callable[[str], None]) -> list[Measured]:
    """Both, in two installations: in one so many alerts wait, in the other a hundredth."""
    many, few = sizes.backlog, max(sizes.backlog // 100, _FEW_LEAST)
    with contextlib.ExitStack() as stack:
        scenes = []
        for count in (many, few):
            tell(f"backlog of {count:,}")
            scene = stack.enter_context(place.installed({"main": "https://localhost:1/webhook/acme"}))
            place.fill(scene, count)
            scenes.append(scene)
        puts = _puts(place, scenes, tell)
        sent = [_Sent(), _Sent()]
        for number in range(sizes.backlog_pairs):
            tell(f"deliveries from a backlog, {number} of {sizes.backlog_pairs}")
            for scene, one in zip(scenes, sent):
                one.more(place, scene, sizes.delivered)
            # What went is put back, so that the few stay as many as they were.
            place.fill(scenes[1], few)
    waiting = f"{many:,} wait, against {few:,}"
    cpu = [spread(one.cpu_ms).median for one in sent]
    first = [spread(one.first_s).median for one in sent]
    note = (
        f"{waiting}; CPU an alert {cpu[0]:.2f} ms, against {cpu[1]:.2f} ms; from the forwarder's start to the first answer"
        f" {first[0]:.1f} s, against {first[1]:.1f} s"
    )
    return [
        Measured("backlog_put", "ms", spread(puts[0]), spread(puts[1]), spread(ratios(*puts)), waiting),
        Measured(
            "backlog_deliver",
            "ms",
            spread(sent[0].ms),
            spread(sent[1].ms),
            spread(ratios(sent[0].ms, sent[1].ms)),
            note,
        ),
    ]


def _puts(place: Place, scenes: list[Scene], tell: Callable[[str], None]) -> tuple[list[float], list[float]]:
    """Milliseconds of each put into the one and the other, in turns."""
    tell(f"{_PUTS} puts each")
    outboxes = [Outbox(str(scene.outbox)) for scene in scenes]
    alert = place.alert(scenes[0])
    found: tuple[list[float], list[float]] = ([], [])
    for number in range(_PUTS):
        one = alert._replace(sid=f"{alert.sid}_{number}")
        for outbox, kept in zip(outboxes, found):
            began = time.perf_counter()
            outbox.put(one, results_path="", captured_ms=0)
            kept.append((time.perf_counter() - began) * 1000)
    return found


class _Sent:
    """What deliveries took: milliseconds an alert, of time and of CPU, and seconds to the first."""

    def __init__(self) -> None:
        self.ms: list[float] = []
        self.cpu_ms: list[float] = []
        self.first_s: list[float] = []

    def more(self, place: Place, scene: Scene, count: int) -> None:
        """Start a forwarder on what waits, let it deliver so many, and kill it."""
        with place.sink() as sink:
            scene.set_tenant("main", webhook_url=sink.url)
            began = time.monotonic()
            modular = scene.start_forwarder()
            try:
                pid = modular.process.pid
                wait_for(sink, 1, scene)
                before, done = costs(pid).cpu_s, sink.ask("count")
                wait_for(sink, count, scene)
                cpu_s, sent = costs(pid).cpu_s - before, sink.ask("count") - done
            finally:
                modular.kill()
            self.ms.append(1000 / sink.rate())
            self.cpu_ms.append(cpu_s * 1000 / max(sent, 1))
            self.first_s.append(sink.ask("times")[0] - began)
