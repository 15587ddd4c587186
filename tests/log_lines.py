"""The lines of the app's log, as real processes wrote them, held against the catalogue. Must not know what a test wanted them to say."""

from __future__ import annotations

from parapet.log import EVENTS

from tests.conf import CONFS
from tests.spl import reading


def undeclared(folder):
    """What the logs in a folder hold that the catalogue does not: a text for each line."""
    found = []
    for path in sorted(folder.glob("parapet_security.log*")):
        for event in reading.events(path.read_bytes(), CONFS["props.conf"]["parapet_security:log"]):
            name = event.fields.get("event", "")
            declared = set(EVENTS[name][3].split()) if name in EVENTS else set()
            others = set(event.fields) - declared - {"event", "log_level"}
            if others or name not in EVENTS:
                found.append(f"{', '.join(sorted(others)) or 'an event'} of: {event.raw}")
    return found
