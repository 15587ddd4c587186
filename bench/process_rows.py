"""Measures whole processes of the alert action: one that stores, and one that delivers by itself. Must not judge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Callable, NamedTuple

from bench.place import TOKEN, row
from bench.processes import FLOORS, run
from bench.report import Measured
from bench.stats import ratios, spread
from tests.scene import failed_logins

if TYPE_CHECKING:
    from bench.place import Place, Sink
    from bench.processes import Ran
    from bench.sizes import Sizes
    from tests.scene import Scene

_WARM_UP = 2


class _Actions:
    """One installation, and the processes that are started in it."""

    def __init__(self, place: Place, scene: Scene) -> None:
        self._place, self._scene, self._env = place, scene, scene.home.env()
        self._folder = scene.home.path / "measured"
        self._folder.mkdir()
        self._session = scene.splunkd.session("admin")
        self._count = 0

    def given(self) -> Path:
        """What Splunk gives the next action on stdin: a firing of its own."""
        self._count += 1
        path = self._folder / f"{self._count}.json"
        payload = self._scene.splunk.payload(failed_logins(rows=[row(0)]), self._session)
        path.write_text(json.dumps(payload), encoding="utf-8")
        return path

    def action(self, given: Path) -> Ran:
        """The action, and then the wait until its alert is delivered: nobody is to work while something else is measured."""
        script = self._scene.home.app / "bin/parapet_security.py"
        ran = run([self._place.python, str(script), "--execute"], env=self._env, stdin=given)
        self._scene.wait_until_empty()
        return ran

    def floor(self, name: str, *arguments: str, given: Path | None = None) -> Ran:
        """One of the floors."""
        return run([self._place.python, str(FLOORS / name), *arguments], env=self._env, stdin=given)

    def stored(self) -> str:
        """A file for the floor to write, on the file system of the outbox."""
        return str(self._folder / f"stored-{self._count}")


def action(place: Place, sizes: Sizes, tell: Callable[[str], None]) -> list[Measured]:
    """The action while the forwarder lives, against storing a file and against nothing at all."""
    ours, stores, nothings = [], [], []
    with place.sink() as sink, place.installed({"main": sink.url}) as scene:
        scene.start_forwarder()
        actions = _Actions(place, scene)
        for number in range(-_WARM_UP, sizes.processes):
            tell(f"action {max(number, 0)} of {sizes.processes}")
            given = actions.given()
            one = (
                actions.action(given).seconds,
                actions.floor("store.py", actions.stored(), given=given).seconds,
                actions.floor("nothing.py").seconds,
            )
            if number >= 0:
                for kept, seconds in zip((ours, stores, nothings), one):
                    kept.append(seconds * 1000)
    return [
        Measured("action", "ms", spread(ours), spread(stores), spread(ratios(ours, stores))),
        Measured("action_pass", "ms", spread(ours), spread(nothings), spread(ratios(ours, nothings))),
    ]


class _Direct(NamedTuple):
    key: str
    ca_file: bool


def direct(place: Place, sizes: Sizes, tell: Callable[[str], None]) -> list[Measured]:
    """The action that delivers by itself, from its start to the tenant's answer, against one bare POST with the same trust store."""
    return [
        _direct(place, sizes, kind, tell)
        for kind in (_Direct("direct_ca_file", ca_file=True), _Direct("direct_bundle", ca_file=False))
    ]


def _direct(place: Place, sizes: Sizes, kind: _Direct, tell: Callable[[str], None]) -> Measured:
    ours, floors, whole = [], [], []
    pairs = max(sizes.processes // 2, 2)
    with place.sink() as sink, place.installed({"main": sink.url}, ca_file=kind.ca_file) as scene:
        actions = _Actions(place, scene)
        trust = scene.certs.ca_file if kind.ca_file else str(place.bundle(scene))
        asked_before = len(scene.splunkd.requests)
        body = Path(scene.home.path / "body")
        for number in range(-_WARM_UP, pairs):
            tell(f"{kind.key} {max(number, 0)} of {pairs}")
            ran = actions.action(actions.given())
            answered = _answered(sink, ran)
            body.write_text(TOKEN + "\n" + sink.ask("last"), encoding="utf-8")
            floor = actions.floor("post.py", "localhost", str(sink.port), sink.path, trust, given=body)
            if number >= 0:
                ours.append(answered)
                whole.append(ran.seconds * 1000)
                floors.append(_answered(sink, floor))
        asked = (len(scene.splunkd.requests) - asked_before) / (pairs + _WARM_UP)
    note = f"the whole process took {spread(whole).median:.0f} ms; it asked splunkd {asked:.0f} times"
    return Measured(kind.key, "ms", spread(ours), spread(floors), spread(ratios(ours, floors)), note)


def _answered(sink: Sink, ran: Ran) -> float:
    """Milliseconds from a process's start to the answer that it got last."""
    return (sink.ask("times")[-1] - ran.began) * 1000
