"""Runs rows of the fault table against the whole product, and says what is not as the table has it. Must not know a row by its name.

Real processes over real sockets: a forwarder, and actions that find nobody at work and deliver by themselves. Many faults go on at once,
each with a tenant of its own, so a run also shows that none of them concerns another tenant.
"""

from __future__ import annotations

import contextlib
import functools
import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor

from parapet.log import EVENTS

from tests.conf import CONFS
from tests.delivery.answers import is_alert
from tests.faults import causes
from tests.faults.kinds import LASTS
from tests.process.driver import encode, payload, rows, run_action
from tests.scene import decode, failed_logins, wait_until
from tests.spl import reading, sources
from tests.standins.tenant import Tenant

ADVICE = {row["event"]: row["todo"] for row in sources.lookups()["parapet_security_events"]}
# There are two processors, and most of an action's time is a wait.
_AT_ONCE = 4
_HOUR_MS = 3600 * 1000
# A second attempt comes so late that no action waits for it; what the forwarder is to try again is aged (`time_passes`).
_SETTINGS = {
    "connect_timeout": "2",
    "read_timeout": "2.5",
    "workers": "16",
    "direct_deadline": "5",
    "retry_first": "60",
    "retry_max": "3600",
    "hold_retry": "1800",
}


class Case:
    """One fault at work: the tenant that it concerns, the alerts that were fired for it, and what was wrong."""

    def __init__(self, scene, fault, number):
        """Configure a tenant of its own, and fire nothing yet."""
        self.scene, self.fault, self.name = scene, fault, f"tenant-{number}"
        self.tenant = scene.enter_context(Tenant(scene.certs))
        scene.add_tenant(self.name, self.tenant.url, self.tenant.token)
        self.outbox = scene.home.path.parent / "outboxes" / self.name
        self.ids, self.queued, self.wrong, self.proxy = [], [], [], None

    def search(self, name):
        """An alert for the tenant."""
        more = dict(self.fault.search or {})
        params = {**more.pop("params", {}), "tenant": self.name}
        return failed_logins(name=f"{self.name} {name}", params=params, **more)

    def check(self, is_so, what):
        """Note what is not as the table says."""
        if not is_so:
            self.wrong.append(f"{self.fault.fault} ({self.fault.reason}): {what}")

    def lines(self):
        """What the log says of this fault, as fields."""
        event, reasons = self.fault.event, (self.fault.reason, *self.fault.reasons)
        of_tenant = [self.name] if "tenant" in EVENTS[event][3] else [None]
        return [
            line
            for line in logged(self.scene.log_text)
            if line["event"] == event
            and line.get("tenant") in of_tenant
            and (not self.fault.reason or line["reason"] in reasons)
        ]

    def check_line(self):
        """There is a line, and it says what to do: by itself, or by its event."""
        for line in self.lines()[:1]:
            said = line.get("todo") or ADVICE[line["event"]]
            in_words = not self.fault.reason and self.fault.todo in line.get("reason", "")
            other = line.get("reason") in self.fault.reasons
            self.check(said == self.fault.todo or in_words or other, f"what to do: {said!r}")
        self.check(self.lines(), f"no line of {self.fault.event}")

    def accepted(self):
        """The ids of what the tenant has accepted, those of batches without their place."""
        return {name.partition(".")[0] for name in self.answered()}

    def answered(self):
        """The ids of the requests that the tenant has accepted, in order."""
        return [decode(record)["id"] for record in self.tenant.accepted if is_alert(record)]

    def lost(self):
        """The alerts that have not arrived, of those of the forwarder (`queued`) and those of actions that delivered by themselves."""
        return set(self.queued + self.ids) - self.accepted()


@functools.lru_cache(maxsize=1)
def logged(text):
    """The app's log as Splunk reads it: a dict of fields for each line."""
    sourcetype = CONFS["props.conf"]["parapet_security:log"]
    return [event.fields for event in reading.events(text.encode("utf-8"), sourcetype)]


def the_id(stderr):
    """The id that an action named."""
    return re.search(r" id=([0-9a-f]{20})", stderr).group(1)


def time_passes(outbox, ms=_HOUR_MS):
    """Make the files of an outbox look as if so much time had passed since they were written."""
    for path in (outbox / "holds").glob("*.json"):
        note = json.loads(path.read_text(encoding="ascii"))
        path.write_text(json.dumps({**note, "until_ms": note["until_ms"] - ms}), encoding="ascii")
    for path in (outbox / "pending").glob("*.state"):
        written = path.read_bytes().splitlines()
        progress = json.loads(written[-1])
        progress["not_before_ms"] = max(progress["not_before_ms"] - ms, 0)
        path.write_bytes(written[0] + b"\n" + json.dumps(progress).encode() + b"\n")


def run(scene, faults):
    """Let the faults begin, fire, look, let them end, and see that everything arrives; returns what was not as the table says."""
    scene.configure(_SETTINGS)
    for module, line in (("webhook", "_GRACE_S = 0.0"), ("bulletin", "_SETTLED_S = 0.2")):
        scene.append(module, line)
    cases = [Case(scene, fault, number) for number, fault in enumerate(faults)]
    for case in cases:
        if not case.fault.cause.live:
            case.fault.cause.begin(case)
    scene.start_forwarder()
    for case in cases:
        if case.fault.cause.live:
            case.fault.cause.begin(case)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(_queue, cases))
        list(pool.map(_look_at_log, cases))
        list(pool.map(_deliver, _first_of_each(cases)))
    _look_at_board(scene, cases)
    _look_at_outbox(scene, cases)
    for case in cases:
        case.fault.cause.end(case)
    mended = [case for case in cases if case.fault.cause.mended]
    wait_until(lambda: not any(set(case.queued) & case.lost() for case in mended), "what was mended", scene=scene)
    scene.forwarder.stop()
    _later(scene, cases)
    return [text for case in cases for text in case.wrong]


def _first_of_each(cases):
    """One case of a row for several statuses: to an action they are all the same."""
    return list({case.fault.fault: case for case in reversed(cases)}.values())


def _queue(case):
    """An action that finds the forwarder at work."""
    for number in range(case.fault.alerts):
        fired = case.scene.fire(case.search(number))
        case.queued.append(the_id(fired.stderr))
        case.check((fired.exit_code, "event=alert.queued" in fired.stderr) == (0, True), fired.stderr)


def _deliver(case):
    """An action that finds nobody at work: its exit code, its event, what is to be done, and where the alert is then."""
    fault, scene = case.fault, case.scene
    stdin = encode(payload(scene, case.search("by itself")))
    done = run_action(scene, stdin, env={"PARAPET_OUTBOX": str(case.outbox)})
    case.ids.append(the_id(done.stderr))
    said = {event for _, event in done.lines}  # and each line is one
    case.check((done.exit_code, fault.said in said) == (fault.exit, True), f"exit {done.exit_code}, {done.stderr}")
    if fault.exit == 4:  # a person is wanted, who reads splunkd.log
        case.check("todo=" in done.stderr or fault.todo in done.stderr, done.stderr)
    left = {path.parent.name for path in case.outbox.glob("*/*.alert")} - {"dead"}
    case.check(bool(left) == (fault.said in ("alert.kept", "alert.undeliverable")), f"left in {left}")


def _look_at_log(case):
    with contextlib.suppress(AssertionError):
        wait_until(case.lines, "a line of it")
    case.check_line()


def _board(scene):
    return {name: text for name, (text, _) in scene.splunkd.messages.items() if name.startswith("parapet_security")}


def _message(case):
    if case.fault.cause is causes.NO_TENANT:
        return "parapet_security_unconfigured"  # one for all such tenants
    return "parapet_security_" + ("dead" if case.fault.fate == "dead" else f"held_{case.name}")


def _look_at_board(scene, cases):
    wanted = {_message(case): case for case in cases if case.fault.board}
    with contextlib.suppress(AssertionError):
        wait_until(lambda: set(wanted) <= set(_board(scene)), "the messages", 5)
    board = _board(scene)
    for name, case in wanted.items():
        text = board.pop(name, "")
        case.check(case.fault.board.lower() in text.lower(), f"the board says {text!r}")
    for case in cases:
        case.check(_message(case) not in board, "the board tells of it")


def _look_at_outbox(scene, cases):
    if not any(case.fault.state for case in cases):
        return
    listed = rows(scene, "| parapetoutbox")
    for case in cases:
        own = [row for row in listed if row["tenant"] == case.name]
        case.check(len(own) == (case.fault.alerts if case.fault.state else 0), f"listed: {own}")
        for row in own:
            case.check((row["state"], case.fault.error in row["error"]) == (case.fault.state, True), row)
            if row["state"] == "held" and case.fault.reason and not case.fault.reasons:
                case.check(row.get("todo", "") == case.fault.todo.replace(LASTS, ""), row)


def _see_it_arrive(cases):
    with contextlib.suppress(AssertionError):
        wait_until(lambda: not any(case.lost() for case in cases), "the alerts")
    for case in cases:
        case.check(not case.lost(), f"lost: {case.lost()}")


def _later(scene, cases):
    """An hour later a forwarder delivers what is left here and by the actions; dead letters go when they are retried."""
    for path in sorted((scene.home.path.parent / "outboxes").glob("*/*/*")):
        shutil.move(str(path), str(_folder(scene.outbox / path.parent.name) / path.name))
    dead = {name[14:34]: _tenant(scene.outbox / "dead" / name) for name in scene.entries("dead")}
    for case in cases:
        own = [firing for firing, tenant in dead.items() if tenant == case.name]
        case.check(bool(own) == (case.fault.fate == "dead"), f"dead letters: {own}")
        case.ids += own
    time_passes(scene.outbox)
    for firing in dead:
        (_folder(scene.outbox / "requests") / f"{firing}.retry").write_text("")
    scene.start_forwarder()
    _see_it_arrive(cases)
    wait_until(lambda: scene.entries("dead") == [], "no dead letter", scene=scene)
    scene.wait_until_empty()
    wait_until(lambda: _board(scene) == {}, "an empty board", scene=scene)
    for case in cases:
        case.tenant.assert_no_id_with_two_bodies()
        twice = len(case.answered()) - len(set(case.answered()))
        case.check(not twice or case.fault.fate != "arrives", f"accepted, and sent again: {case.answered()}")


def _tenant(path):
    return json.loads(path.read_bytes().partition(b"\n")[0])["alert"]["tenant"]


def _folder(path):
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path
