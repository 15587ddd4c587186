"""How the CIM app reads the log of an action (contract section 4.3): its props, its eventtypes and Splunk's field extraction.

Must not forgive: a line that CIM would index, but not read in full, fails the test.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any, Dict, Iterable, Optional

Event = Dict[str, Any]

# props.conf of the CIM app, as a regular expression: "..." is any path, "." is itself, and the whole source must match.
_SOURCE = re.compile(r".*[/\\](?P<action>[^/\\]+)_mod(?:alert|workflow)\.log")
_HEAD = re.compile(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}[+-]\d{4}) (DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL) sendmodaction - "
)
# KV_MODE=auto on such a line: a name, `=`, and a value that ends at the next quotation mark, escaped or not; without quotation marks
# it ends at a blank or a comma. What is inside of a quoted value is not looked at again.
KV_AUTO = re.compile(r'([A-Za-z_][A-Za-z0-9_.]*)=(?:"([^"]*)"|([^\s,"]+))')
# What one line may hold, and nothing between: `name="value"` and one blank.
_PAIR = re.compile(r'([A-Za-z_]+)="((?:[^"\\\x00-\x1f\x7f]|\\(?!"))+)"(?: (?=.)|\Z)')
# In the order of cim_actions.py; others follow sorted by name.
FIELDS = (
    *("worker", "signature", "action_name", "search_name", "sid", "orig_sid", "rid", "orig_rid", "app", "user"),
    *("digest_mode", "action_mode", "action_status"),
)
# Data model Splunk_Audit: what Modular_Action_Invocations shows, but for the name of the search, which a run by hand has not.
_MODEL = ("action_name", "action_mode", "user", "duration", "rid", "sid")
_INVOKED = 'signature="Invoking modular action"'
_VALUES = {
    "digest_mode": ("0", "1"),
    "action_mode": ("saved", "adhoc"),
    "action_status": ("pending", "success", "failure"),
}


class Unread(AssertionError):
    """CIM would not get out of a line what was put in."""


def events(log: Path | Iterable[str], *, source: str = "", with_cim: bool = True) -> list[Event]:
    """What a search over a modalert log finds, oldest first.

    Args:
        log: the file, or its lines.
        source: where the lines are from; the file's own path otherwise.
        with_cim: the CIM app is installed; its index has the events then.

    Raises:
        Unread: the file has a name that CIM does not know, or a line another form.
    """
    lines = log.read_text(encoding="utf-8").split("\n") if isinstance(log, Path) else list(log)
    source = source or str(log)
    found = _SOURCE.fullmatch(source)
    if found is None:
        raise Unread(f"CIM takes no notice of a file called {source}")
    if isinstance(log, Path) and lines.pop() != "":
        raise Unread("the last line does not end")
    where = {
        "source": source,
        "index": "cim_modactions" if with_cim else "_internal",
        "sourcetype": "modular_alerts:" + found.group("action") if with_cim else Path(source).stem,
    }
    return [_event(line, where) for line in lines]


def invocations(found: Iterable[Event]) -> list[Event]:
    """The dataset Modular_Action_Invocations: one event for each row that was handled.

    Raises:
        Unread: one lacks a field that the data model shows.
    """
    chosen = [event for event in found if "cim_modaction_invocation" in event["eventtype"]]
    for event in chosen:
        missing = [name for name in _MODEL if name not in event]
        if missing:
            raise Unread("an invocation without {}: {}".format(", ".join(missing), event["_raw"]))
    return chosen


def outcomes(found: Iterable[Event], status: str = "") -> list[Event]:
    """The events that tell a status; `status` chooses one."""
    return [event for event in found if event.get("action_status") and status in ("", event["action_status"])]


def handled(found: Iterable[Event]) -> list[tuple[Optional[str], ...]]:
    """What became of each row: (rid, orig_sid, orig_rid, status), where every invocation is followed by its outcome.

    Raises:
        Unread: they are not in such pairs, or a pair is not about one row.
    """
    events_of, rows = list(found), []
    if invocations(events_of) != events_of[::2] or len(events_of) % 2:
        raise Unread("not one invocation and one outcome by turns")
    for invoked, outcome in zip(events_of[::2], events_of[1::2]):
        about, other = ([event.get(name) for name in ("rid", "orig_sid", "orig_rid")] for event in (invoked, outcome))
        if about != other or outcome.get("action_status") in (None, "pending"):
            raise Unread(f"an invocation of {about}, and then {outcome['_raw']!r}")
        rows.append((*about, outcome["action_status"]))
    return rows


def one(found: Iterable[Event], **wanted: Optional[str]) -> Event:
    """The one event that has these fields (None: has it not).

    Raises:
        Unread: there is none, or more than one.
    """
    fitting = [event for event in found if all(event.get(name) == value for name, value in wanted.items())]
    if len(fitting) != 1:
        raise Unread(f"{len(fitting)} events with {wanted}")
    return fitting[0]


def _event(line: str, where: dict[str, str]) -> Event:
    head = _HEAD.match(line)
    if head is None:
        raise Unread(f"neither time, level nor 'sendmodaction - ': {line!r}")
    fields: Event = {}
    place = head.end()
    while place < len(line):
        pair = _PAIR.match(line, place)
        if pair is None:
            raise Unread(f'no name="value" at {line[place:]!r}')
        fields[pair.group(1)] = pair.group(2)
        place = pair.end()
    _check(line, fields)
    return {
        **fields,
        **where,
        "_time": datetime.strptime(head.group(1), "%Y-%m-%d %H:%M:%S,%f%z").timestamp(),
        "_raw": line,
        "log_level": head.group(2),
        "eventtype": _eventtypes(line, fields, where),
    }


def _check(line: str, fields: dict[str, str]) -> None:
    seen = [(name, quoted or bare) for name, quoted, bare in KV_AUTO.findall(line)]
    if seen != list(fields.items()):
        raise Unread(f"Splunk would extract {seen} of {line!r}")
    extra = [name for name in fields if name not in FIELDS]
    if list(fields) != [name for name in FIELDS if name in fields] + sorted(extra):
        raise Unread(f"fields in another order than cim_actions.py writes them: {line!r}")
    for name, allowed in _VALUES.items():
        if fields.get(name, allowed[0]) not in allowed:
            raise Unread(f"{name} is none of {allowed}: {line!r}")


def _eventtypes(line: str, fields: dict[str, str], where: dict[str, str]) -> list[str]:
    if where["index"] != "cim_modactions" or "_modalert.log" not in where["source"]:
        return []
    invoked = _INVOKED in line and fields.get("signature") == "Invoking modular action"
    return ["cim_modaction", *(["cim_modaction_invocation"] if invoked else [])]
