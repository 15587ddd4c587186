"""An hour and a half on three search heads, as the app's own log writes it and Splunk's extractions read it. Must not know a search.

- sh1 is well: a forwarder, a state line a minute, everything delivered.
- sh2 has no forwarder: its last state line is of an action, 40 minutes ago, and an alert has waited since.
- sh3 delivers, but tenant `eu` is held and has three alerts; tenant `lab` is not configured, and `old` is paused; there are dead letters. `main` was
  held for a minute at the start: that is over, and only an old state line says so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from parapet import log as logs
from parapet import modaction
from parapet.alert import Alert
from parapet.log import FILE, MODACTION_FILE, Log

from tests.conf import CONFS
from tests.spl import reading, sources

if TYPE_CHECKING:
    from pathlib import Path

    from tests.spl.world import World

#: 2026-01-28 16:00:00 UTC.
NOW = 1769616000.0
START = NOW - 5400
GIB = 1073741824
ALERT = Alert(**dict.fromkeys(Alert._fields, ""))._replace(
    tenant="main", send="first", search_name="Failed SSH Logins", sid="scheduler__admin__search__RMD5a_at_1769612400_1",
    app="search", owner="admin", user="admin", digest_mode="1", action_mode="saved", rid="0", server_host="sh1",
)  # fmt: skip


class _Host:
    """A search head: writes its logs as the app does, at a time of our choice."""

    def __init__(self, folder: Path, name: str, patch) -> None:
        self.name, self.folder = name, folder / name
        self.folder.mkdir()
        self._log, self._patch = Log(str(self.folder), level="DEBUG"), patch

    def at(self, minute: float, event: str, **fields: object) -> None:
        """One event, so many minutes before the end."""
        self._patch.setattr(logs.time, "time", lambda: NOW - minute * 60)
        self._log.event(event, **fields)

    def state(self, minute: int, **fields: object) -> None:
        """One state line of a forwarder; what is not named is 0, or not there."""
        default = {"role": "forwarder", "waiting": 0, "dead": 0, "oldest_s": 0, "bytes": 1000, "max_bytes": GIB}
        self.at(minute, "outbox.state", **{**default, **fields})

    def modaction(self, minute: float, lines: list[dict[str, str]]) -> None:
        """Lines of the modalert log."""
        self._patch.setattr(logs.time, "time", lambda: NOW - minute * 60)
        self._log.modaction(lines)

    def events(self):
        """What Splunk reads."""
        for file, facts in ((FILE, sources.LOG), (MODACTION_FILE, sources.MODALERT)):
            path = self.folder / file
            (sourcetype,), (source,), index = facts["sourcetype"], facts["source"], facts["index"][-1]
            if path.exists():
                for event in reading.events(path.read_bytes(), CONFS["props.conf"][sourcetype]):
                    yield {
                        **event.fields, "_time": event.time, "_indextime": str(int(event.time) + 2), "_raw": event.raw,
                        "host": self.name, "source": source, "sourcetype": sourcetype, "index": index,
                    }  # fmt: skip


def world(folder: Path, patch) -> World:
    """The day, written below a folder."""
    hosts = [_Host(folder, name, patch) for name in ("sh1", "sh2", "sh3")]
    for host, write in zip(hosts, (_well, _alone, _in_trouble)):
        write(host)
    patch.undo()
    events = [event for host in hosts for event in host.events()] + list(_auth())
    return sources.world(events=tuple(events), rows=_rows(), now=NOW, latest=NOW)


def _well(host: _Host) -> None:
    host.at(89, "forwarder.started", version="1.0.0", pid=4711)
    for minute in range(88, -1, -1):
        host.state(minute)
    for number, (minute, delay) in enumerate([(80, "0.2"), (60, "0.3"), (40, "0.5"), (20, "1.0"), (10, "10.0")]):
        identity = {"id": f"1{number:019d}", "tenant": "main", "search": "Failed SSH Logins", "sid": "s1"}
        host.at(minute + 0.01, "alert.queued", **identity)
        host.at(minute, "delivery.delivered", **identity, attempts=1 + (number == 4), batches=1, delay_s=delay)
    host.modaction(20.01, modaction.stored(ALERT, f"1{3:019d}"))
    host.modaction(20, modaction.settled(ALERT, f"1{3:019d}", [({}, "")], duration_ms=1000))
    by_hand = ALERT._replace(search_name="", action_mode="adhoc", rid="", send="all", sid="1769612400.7")
    rows = [({"orig_sid": "s9", "orig_rid": rid}, "status_400") for rid in "01"]
    host.modaction(5, modaction.settled(by_hand, f"1{8:019d}", rows, duration_ms=300))


def _alone(host: _Host) -> None:
    identity = {"id": f"2{0:019d}", "tenant": "main", "search": "Brute force", "sid": "s2"}
    host.at(45, "alert.undeliverable", **identity, reason="no right to read the token", todo="enable the forwarder")
    host.at(40, "outbox.state", role="action", waiting=1, dead=0, oldest_s=300, bytes=500, max_bytes=GIB)


def _in_trouble(host: _Host) -> None:
    host.at(
        85,
        "tenant.refused",
        tenant="main",
        reason="status_401",
        detail="401",
        todo="store the token again",
        next_s="60.0",
    )
    host.state(84, waiting=1, oldest_s=60, held="eu,main", blocked="lab")
    host.at(84, "tenant.released", tenant="main", reason="status_401", held_s=60)
    host.at(
        60, "tenant.refused", tenant="eu", reason="certificate", detail="not trusted", todo="set ca_file", next_s="60.0"
    )
    host.at(59.8, "tenant.unusable", tenant="lab", reason="tenant lab is not configured")
    for number in range(3):
        identity = {"id": f"3{number:019d}", "tenant": "eu", "search": "Malware", "sid": "s3"}
        host.at(59.5 - number / 10, "alert.queued", **identity)
        why = {"reason": "certificate", "detail": "not trusted", "todo": "set ca_file", "next_s": "60.0"}
        host.at(59 - number / 10, "delivery.deferred", **identity, attempts=1, **why)
    dead = {"tenant": "main", "search": 'Say "hi"', "sid": "s4"}
    host.at(14, "delivery.dead", id=f"3{7:019d}", **dead, reason="status_400", detail="400 Bad Request")
    host.at(
        13,
        "delivery.row_dead",
        id=f"3{8:019d}",
        row_id=f"3{9:019d}",
        row=7,
        tenant="main",
        search="Big rows",
        reason="status_413",
    )
    host.at(12, "delivery.expired", id=f"3{6:019d}", reason="space")
    host.at(11, "delivery.dead", id=f"3{5:019d}", **dead, reason="dropped", detail="an administrator asked for it")
    for minute in range(58, -1, -1):
        host.state(
            minute,
            waiting=3,
            dead=2,
            oldest_s=3600 - minute * 60,
            bytes=GIB // 4,
            held="eu",
            paused="old",
            blocked="lab",
        )
    host.at(1, "settings.problem", problem="[delivery] workers: abc is no number; 4 counts")
    host.at(0.5, "forwarder.stuck", silent_s=301)


def _auth():
    """A log that is not ours: twelve failures of one user from one address, ten of another, one log-in."""
    lines = [("sshd[9]: Failed password for invalid user root from 198.51.100.7 port 4242 ssh2", 12)]
    lines += [("sshd[9]: Failed password for guest from 203.0.113.5 port 4242 ssh2", 10)]
    lines += [("sshd[9]: Accepted password for admin from 192.0.2.1 port 4242 ssh2", 1)]
    for number, line in enumerate(line for line, count in lines for _ in range(count)):
        user, address = re.search(r"for (?:invalid user )?(\S+) from (\S+)", line).groups()
        yield {
            "_time": NOW - 120 - number * 10, "_indextime": str(int(NOW) - 100), "_raw": "Jan 28 15:50:00 web1 " + line, "host": "web1",
            "source": "/var/log/auth.log", "sourcetype": "linux_secure", "index": "main", "user": user, "src_ip": address,
        }  # fmt: skip


def _rows():
    """Tables that are not events."""
    risk = [
        {"_time": NOW - 400, "_indextime": str(int(NOW) - 300), "risk_score": score, "risk_object": name, "risk_object_type": "user",
         "source": "Threat - Rule", "risk_message": f"{name} did it", "annotations.mitre_attack": ["T1110", "T1078"]}
        for name, score in (("alice", "80"), ("bob", "50"), ("carol", "49.5"))
    ]  # fmt: skip
    late = {**risk[0], "_indextime": str(int(NOW) - 60), "risk_object": "not yet"}
    entry = {
        "_time": NOW - 3600,
        "id": "3" + "0" * 19,
        "state": "held",
        "tenant": "eu",
        "search": "Malware",
        "host": "sh3",
    }
    dead = {
        **entry,
        "id": "3" + "0" * 18 + "7",
        "state": "dead",
        "tenant": "main",
        "error": "status_400",
        "todo": "retry it",
    }
    return {
        "datamodel:Risk.All_Risk": [*risk, late],
        "parapetoutbox": [entry, dead],
        "parapetoutbox summary=true": [{"host": "sh3", "waiting": 1, "dead": 1, "deliverer": "forwarder"}],
        "parapetoutboxedit": [{"id": entry["id"], "action": "retry", "outcome": "done", "state": "waiting"}],
        "parapettest": [{"tenant": "main", "outcome": "ok", "status": 200, "ms": 12, "host": "sh3"}],
        "rest /servicesNS/nobody/parapet_security/configs/conf-parapet_security": [
            {"title": "tenant:main"}, {"title": "delivery"}, {"title": "tenant:eu"},
        ],
    }  # fmt: skip
