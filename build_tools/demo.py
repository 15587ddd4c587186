"""Shows the main job from nothing: the app is built, installed, configured, and an alert reaches a tenant, in three acts.

It must not be kinder than Splunk or the tenant: the stand-ins of the tests play them, and each promise is looked at again.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import signal
import sys
import tarfile
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from build_tools import package
from build_tools.demo_promises import BrokenPromise, all_kept, promise, request_kept
from build_tools.demo_screen import Screen
from build_tools.project import APP, BuildError
from tests.scene import Scene, failed_logins, wait_until
from tests.standins.certs import Certs
from tests.standins.splunk import Refusal
from tests.standins.splunk_input_conf import InputRefused
from tests.standins.splunk_web import SplunkWeb
from tests.standins.tenant import Tenant

if TYPE_CHECKING:
    from collections.abc import Sequence

_FAILED_ATTEMPTS = 2
_USER = "admin"
_BY_HAND = """\
To add a second tenant by hand: Add a tenant, Whole URL, this URL and token.
Of Splunk Web these three pages are there. The menu's others, Delivery health
and Search, need a real search engine: they open, and stay empty. An alert
that you save does not fire by itself, so "What waits" stays at 0."""


class Firing(NamedTuple):
    """One firing of the alert: what came of the action's process, when it was started, and how long it took."""

    fired: Any
    at: float
    ended_s: float

    @property
    def alert_id(self) -> str:
        """The id that the action gave the alert."""
        match = re.search(r" id=([0-9a-f]{20})\b", self.fired.stderr)
        if match is None:
            raise BrokenPromise(f"the action names no id: {self.fired.stderr.strip() or 'it says nothing'}")
        return match.group(1)


class Act(NamedTuple):
    """What came of one act; times are seconds since Splunk fired."""

    title: str
    alert_id: str
    ended_s: float
    received_s: float
    attempts: int
    exit_code: int


def main(*, keep: bool) -> int:
    """Plays the demo and returns the exit code: 0 as promised, 1 not so, 130 interrupted.

    Args:
        keep: whether it goes on at the end until Ctrl-C, with Splunk Web for a person's browser.
    """
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    screen = Screen(sys.stdout)
    # Being told to end is the same as Ctrl-C: what was started must not stay behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory(prefix="parapet-demo-") as folder:
            _play(Path(folder), screen, keep=keep)
    except KeyboardInterrupt:
        screen.line("\nInterrupted. What was started has ended, and its folder is removed.")
        return 130
    except (BrokenPromise, AssertionError, BuildError, OSError, Refusal, InputRefused) as exc:
        reason = str(exc).splitlines()
        print(f"build.py demo: {reason[0] if reason else type(exc).__name__}", file=sys.stderr)
        return 1
    return 0


def _play(folder: Path, screen: Screen, *, keep: bool) -> None:
    began = time.monotonic()
    screen.line()
    screen.line("Parapet Security for Splunk: the way of an alert", "bold")
    screen.line("Real processes, files and TLS; Splunk and the tenant are stand-ins on this machine.", "dim")
    screen.title("The stage")
    with _stage(folder, screen) as scene:
        acts = [
            _with_forwarder(scene, screen),
            _directly(scene, screen),
            _through_an_outage(scene, screen),
        ]
        all_kept(scene, [act.alert_id for act in acts])
        _sum_up(acts, screen, time.monotonic() - began)
        if keep:
            _stay(scene, screen)


@contextlib.contextmanager
def _stage(folder: Path, screen: Screen) -> Any:
    """Everything that is there before an alert fires."""
    token = "pst_" + secrets.token_urlsafe(24)
    screen.hide(token)
    with contextlib.ExitStack() as stack:
        with screen.step("build", "the package, as python3 build.py does"):
            spl = package.build(folder)
        with screen.step("install", "into a throw-away Splunk home"):
            _unpack(spl, folder)
            (folder / "certs").mkdir()
            certs = Certs(folder / "certs")
            scene = stack.enter_context(Scene(folder / "splunk", folder / APP, certs, tenant=False))
        with screen.step("tenant", "starts, https with a private CA"):
            scene.tenant = stack.enter_context(Tenant(certs, token))
        with screen.step("configure", "as an administrator, by REST"):
            scene.configure({"ca_file": certs.ca_file})
            scene.add_tenant("main", scene.tenant.url, token)
            # What the setup page's first save does; until then Splunk Web leads to that page, and not to the app.
            scene.call("POST", f"/services/apps/local/{APP}", configured="true")
        screen.note("", f"[tenant:main] webhook_url = {scene.tenant.url}")
        screen.note("", f"storage/passwords: {token}, encrypted by splunkd")
        yield scene


def _with_forwarder(scene: Scene, screen: Screen) -> Act:
    screen.title("Act 1: through the forwarder")
    _start_forwarder(scene, screen)
    firing = _fire(scene, screen, "alert.queued")
    scene.wait_until_empty()
    return _show(scene, screen, "1  through the forwarder", firing)


def _directly(scene: Scene, screen: Screen) -> Act:
    screen.title("Act 2: directly, without a forwarder")
    with screen.step("forwarder", "is told to end (SIGTERM)"):
        stopped = scene.forwarder.stop()
    promise(not stopped.killed and stopped.exit_code == 0, f"the forwarder ended with {stopped}")
    firing = _fire(scene, screen, "alert.delivered")
    return _show(scene, screen, "2  directly", firing)


def _through_an_outage(scene: Scene, screen: Screen) -> Act:
    screen.title("Act 3: an outage of the tenant, and its end")
    _start_forwarder(scene, screen)
    with screen.step("tenant", "goes down: it refuses every connection"):
        scene.tenant.pause()
    firing = _fire(scene, screen, "alert.queued")
    with screen.step("forwarder", "tries, fails, and tries again later"):
        failed = _failures(scene, firing)
    for line in failed:
        said = re.findall(r'((?:event|attempts|reason|next_s)="?[^\s"]+)', line)
        screen.note("", "WARN " + " ".join(said))
    waiting = [f"{place}/{name}" for place in ("new", "pending") for name in scene.entries(place)]
    promise(len(waiting) == 1, f"one alert should wait in the outbox, and these do: {waiting}")
    screen.note("outbox", waiting[0])
    with screen.step("tenant", "is back, and the alert arrives"):
        scene.tenant.resume()
        scene.wait_until_empty(timeout=30)
    return _show(scene, screen, "3  after an outage", firing)


def _failures(scene: Scene, firing: Firing) -> list[str]:
    """Waits until some attempts have failed, and returns what the log says of them."""

    def failed() -> list[str]:
        return _lines(scene, "delivery.deferred", firing.alert_id)

    wait_until(lambda: len(failed()) >= _FAILED_ATTEMPTS, "failed attempts in the log", scene=scene)
    return failed()


def _start_forwarder(scene: Scene, screen: Screen) -> None:
    before = len(scene.events("forwarder.started"))
    with screen.step("forwarder", "starts, and takes the outbox's lock"):
        scene.start_forwarder()
        wait_until(lambda: len(scene.events("forwarder.started")) > before, "a running forwarder", scene=scene)


def _fire(scene: Scene, screen: Screen, says: str) -> Firing:
    """Fires the guide's alert as Splunk does, to the end of the action, which should say this event."""
    with screen.step("Splunk", 'fires the alert "Failed SSH Logins"'):
        at = time.monotonic()
        fired = scene.fire(failed_logins())
        ended_s = time.monotonic() - at
    said = fired.stderr.strip() or "(nothing)"
    screen.note("exit code", str(fired.exit_code), "bad" if fired.exit_code else "good")
    screen.note("splunkd.log", said)
    promise(fired.exit_code == 0 and f"event={says} " in said, f"the action should say {says}, and says {said}")
    return Firing(fired, at, ended_s)


def _show(scene: Scene, screen: Screen, title: str, firing: Firing) -> Act:
    """Shows the request that the tenant accepted for a firing, and looks whether it is what was promised."""
    name = firing.alert_id
    found = [record for record in scene.tenant.accepted if record.headers.get("idempotency-key") == name]
    promise(len(found) == 1, f"the tenant should have accepted {name} once, and did so {len(found)} times")
    record, received_s = found[0], found[0].time - firing.at
    screen.note("received", f"{received_s:.2f} s after Splunk fired, and answered {record.status}:")
    screen.request(record.method, record.path, record.headers, record.json)
    request_kept(record, record.json, scene.tenant.token)
    screen.note("checked", "body (schema, the guide's values), headers, TLS, ids", "good")
    attempts = len(_lines(scene, "delivery.deferred", name)) + 1
    return Act(title, name, firing.ended_s, received_s, attempts, firing.fired.exit_code)


def _sum_up(acts: Sequence[Act], screen: Screen, took_s: float) -> None:
    screen.title("In short")
    head = ("", "action ended after", "tenant had it after", "attempts", "exit code")
    rows = [
        (act.title, f"{act.ended_s:.2f} s", f"{act.received_s:.2f} s", str(act.attempts), str(act.exit_code))
        for act in acts
    ]
    screen.table([head, *rows])
    screen.line()
    screen.line(f"  {len(acts)} alerts fired, {len(acts)} received, each once, each under an id of its own.", "good")
    screen.line("  The outbox is empty, and the token is in no file that this demo wrote.", "good")
    screen.line(f"  All of it took {took_s:.1f} s.", "dim")


def _stay(scene: Scene, screen: Screen) -> None:
    """Starts Splunk Web, and waits for Ctrl-C, which is the ordinary end here."""
    with contextlib.suppress(KeyboardInterrupt), SplunkWeb(scene.splunkd) as web:
        screen.title("Still running, until Ctrl-C")
        screen.note("setup page", web.url(f"app/{APP}/setup"), "bold")
        screen.note("home page", web.url(f"app/{APP}"))
        screen.note("alert form", web.url("app/search/alert"))
        screen.note("log in as", _USER)
        # Both in clear on purpose: they were made for this run, and nobody but this machine can use them.
        screen.note("password", scene.splunkd.access.users[_USER].password)
        screen.note("tenant", scene.tenant.url)
        screen.reveal("token", scene.tenant.token)
        screen.note("", _BY_HAND)
        screen.note("forwarder", "is running")
        screen.note("splunkd", scene.splunkd.uri)
        screen.note("Splunk home", str(scene.home.path))
        screen.note("log", str(scene.home.log / "parapet_security.log"))
        screen.note("outbox", str(scene.outbox))
        threading.Event().wait()
    screen.line("\nEnded, and removed.")


def _lines(scene: Scene, event: str, alert_id: str) -> list[str]:
    return [line for _, line in scene.events(event) if f"id={alert_id} " in line]


def _unpack(spl: Path, folder: Path) -> None:
    with tarfile.open(str(spl)) as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extractall(str(folder), filter="data")  # type: ignore[call-arg]  # typeshed knows it from 3.8 on
        else:
            archive.extractall(str(folder))  # noqa: S202 - our own package, on a Python without filters
