"""Measures the forwarder: how soon it sees an alert, what it uses when there is none, and how many it sends. Must not judge."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import socket
import ssl
import time
from typing import TYPE_CHECKING, Callable

from bench.machine import costs
from bench.place import TOKEN
from bench.processes import FLOORS, run
from bench.report import Measured
from bench.stats import Spread, percentile, ratios, spread
from tests.scene import wait_until

if TYPE_CHECKING:
    from typing import Iterator

    from bench.place import Place, Sink
    from bench.sizes import Sizes
    from tests.scene import Scene

TIMEOUT_S = 300
FAR_S = 0.05
_MOST_WAIT = 0.95


def single(value: float) -> Spread:
    """One number, where there is no spread."""
    return Spread(value, value, value, 1)


def idle(place: Place, sizes: Sizes, tell: Callable[[str], None]) -> list[Measured]:
    """From the put to the answer while the forwarder has nothing to do, and what it uses when that goes on."""
    took, trips = [], []
    with place.sink() as sink, place.installed({"main": sink.url}) as scene:
        pid = scene.start_forwarder().process.pid
        context = ssl.create_default_context(cafile=scene.certs.ca_file)
        with contextlib.closing(http.client.HTTPSConnection("localhost", sink.port, context=context)) as connection:
            for number in range(sizes.puts):
                tell(f"put {number} of {sizes.puts}")
                began = time.monotonic()
                place.put(scene, rows=1)
                wait_until(lambda: sink.ask("count") == 2 * number + 1, "an answer", TIMEOUT_S, scene)  # noqa: B023
                took.append((sink.ask("times")[-1] - began) * 1000)
                trips.append(_round_trip(connection, sink) * 1000)
                # The forwarder looks ten times a second: a put must be able to meet any moment of its pause.
                time.sleep(0.2 + 0.1 * random.random())  # noqa: S311
        tell(f"idle for {sizes.idle_s:g} s")
        before, began = costs(pid).cpu_s, time.monotonic()
        time.sleep(sizes.idle_s)
        share = (costs(pid).cpu_s - before) / (time.monotonic() - began) * 100
    trip = spread(trips)
    more = percentile(took, _MOST_WAIT) - trip.median
    return [
        Measured("wait", "ms", spread(took), trip, single(more)),
        Measured("idle", "%", single(share), None, single(share), f"over {sizes.idle_s:g} s"),
    ]


def _round_trip(connection: http.client.HTTPSConnection, sink: Sink) -> float:
    began = time.monotonic()
    connection.request("POST", sink.path, sink.ask("last").encode(), {"Authorization": "Bearer " + TOKEN})
    answer = connection.getresponse()
    answer.read()
    return time.monotonic() - began


def one_worker(place: Place, sizes: Sizes, tell: Callable[[str], None]) -> list[Measured]:
    """Alerts a second by one connection to a tenant on this machine."""
    return [_rates(place, sizes, tell, key="one_worker", workers=1, latency_s=0.0, count=sizes.near)]


def eight_workers(place: Place, sizes: Sizes, tell: Callable[[str], None]) -> list[Measured]:
    """Alerts a second by eight connections to a tenant 50 ms away."""
    return [_rates(place, sizes, tell, key="eight_workers", workers=8, latency_s=FAR_S, count=sizes.far)]


def _rates(
    place: Place, sizes: Sizes, tell: Callable[[str], None], *, key: str, workers: int, latency_s: float, count: int
) -> Measured:
    ours, floors, shares = [], [], []
    for number in range(sizes.loop_pairs):
        tell(f"{key} {number} of {sizes.loop_pairs}")
        with place.sink(latency_s) as sink, place.installed({"main": sink.url}, workers=workers) as scene:
            place.put(scene, rows=1, count=count)
            with _forwarder(scene):
                wait_for(sink, count, scene)
                ours.append(sink.rate())
            shares.append(sink.ask("cpu") * ours[-1] / count * 100)
            floors.append(_loop(place, scene, sink, count // workers))
    note = f"the tenant used up to {max(shares):.0f} % of a core" if not latency_s else ""
    return Measured(key, "a second", spread(ours), spread(floors), spread(ratios(ours, floors)), note)


def _loop(place: Place, scene: Scene, sink: Sink, count: int) -> float:
    """Requests a second of the bare loop, with the body that the forwarder sent last."""
    before = sink.ask("count")
    told = {"url": sink.url, "token": TOKEN, "ca_file": scene.certs.ca_file, "count": count, "body": sink.ask("last")}
    given = scene.home.path / "loop.json"
    given.write_text(json.dumps(told), encoding="utf-8")
    env = {**scene.home.env(), "PYTHONPATH": str(scene.home.app / "lib")}
    run([place.python, str(FLOORS / "session_loop.py")], env=env, stdin=given)
    return sink.rate(skip=before)


@contextlib.contextmanager
def _forwarder(scene: Scene) -> Iterator[int]:
    """A forwarder that is killed at the end; gives its process id."""
    modular = scene.start_forwarder()
    try:
        yield modular.process.pid
    finally:
        modular.kill()


def wait_for(sink: Sink, count: int, scene: Scene) -> None:
    """Wait until a tenant has answered so often; asked seldom, for this process shares the cores with what is measured."""
    ends = time.monotonic() + TIMEOUT_S
    while sink.ask("count") < count:
        if time.monotonic() > ends:
            raise AssertionError(f"{sink.ask('count')} of {count} after {TIMEOUT_S} s\n{scene.log_text[-3000:]}")
        time.sleep(0.05)


def one_down(place: Place, sizes: Sizes, tell: Callable[[str], None]) -> list[Measured]:
    """A tenant's alerts a second while as many wait for another one that is down, against the same while none do."""
    return [
        _beside(place, sizes, tell, "one_refuses", listens=False),
        _beside(place, sizes, tell, "one_hangs", listens=True),
    ]


def _beside(place: Place, sizes: Sizes, tell: Callable[[str], None], key: str, *, listens: bool) -> Measured:
    ours, alone = [], []
    for number in range(sizes.loop_pairs):
        tell(f"{key} {number} of {sizes.loop_pairs}")
        ours.append(_healthy(place, sizes, listens=listens, waiting=True))
        alone.append(_healthy(place, sizes, listens=listens, waiting=False))
    note = f"{sizes.far // 2} alerts for each, from the forwarder's start on; four workers, tenant 50 ms away"
    return Measured(key, "a second", spread(ours), spread(alone), spread(ratios(ours, alone)), note)


def _healthy(place: Place, sizes: Sizes, *, listens: bool, waiting: bool) -> float:
    """The rate of the tenant that is well; the other one's port takes connections and says nothing, or refuses them."""
    with contextlib.ExitStack() as stack:
        down = stack.enter_context(contextlib.closing(socket.socket()))
        down.bind(("127.0.0.1", 0))
        if listens:
            down.listen(64)
        sink = stack.enter_context(place.sink(FAR_S))
        url = f"https://localhost:{down.getsockname()[1]}{sink.path}"
        scene = stack.enter_context(place.installed({"main": sink.url, "down": url}))
        if waiting:
            place.put(scene, rows=1, count=sizes.far // 2, tenant="down")
        place.put(scene, rows=1, count=sizes.far // 2)
        stack.enter_context(_forwarder(scene))
        wait_for(sink, sizes.far // 2, scene)
        return sink.rate()
