"""What several targets hold the product to: bodies on the wire, lines on stderr, and secrets that stay where they are. Must not make input."""

from __future__ import annotations

import json
import re

from parapet.deliver import Means, Result, deliver
from parapet.message import Facts
from parapet.verdict import Answer

from tests.core.make import WIRE
from tests.fuzz.place import promise

# As tests/process has it for whole processes.
LINE = re.compile(r"(DEBUG|INFO|WARN|ERROR|FATAL) event=([a-z_.]+)( [a-z_]+=([^\s\"]+|\"(\\.|[^\"\\])*\"))*\Z")
_LONG_ENOUGH = 12


def lines_are_whole(text):
    """Everything that was said is lines of events, none of them a fault of ours. Returns the events."""
    found = []
    for line in text.split("\n")[:-1]:
        match = LINE.match(line)
        promise(match, f"a line that is none: {line[:300]!r}")
        promise(match.group(2) != "process.bug", line)
        found.append(match.group(2))
    promise(text.endswith("\n") or not text, "the last line has no end")
    return found


def stays_secret(secret, source, *told):
    """A value that the source names once, long enough to be told from others, is nowhere in what was told."""
    if isinstance(secret, str) and len(secret) >= _LONG_ENOUGH:
        hidden = secret.encode("utf-8", "surrogatepass")
        if source.count(hidden) == 1:
            promise(not any(hidden in text for text in told), "a secret is shown")


def bodies(entry, open_rows, log, *, facts=None, limit=1048576):
    """Deliver an entry to a tenant that accepts everything: every body is of the wire's form. Returns the bodies."""
    sent = []

    def post(body, key):
        document = json.loads(body.decode("utf-8"))
        WIRE.validate(document)
        promise(document["id"] == key, "the id in the body is not the Idempotency-Key")
        sent.append(document)
        return Answer(200)

    means = Means(
        post=post,
        save=lambda state, **_: None,
        rows=open_rows,
        bury_row=lambda *_: None,
        facts=lambda: facts or Facts(),
        stopped=lambda: False,
        log=log,
        limit=limit,
    )
    outcome = deliver(entry, means)
    promise(outcome.result is Result.DELIVERED, f"{outcome.result} where every body was accepted")
    promise(bool(sent), "nothing was sent")
    return sent


def one_line(text):
    """A text for a line: one line of what a person can read."""
    promise(isinstance(text, str) and text and "\n" not in text and "\r" not in text, f"not one line: {text!r}")
