"""A disk that is full when an alert's turn comes: what is on it must still get away. Must not fill a disk."""

from __future__ import annotations

import errno
import io

import pytest
from parapet.alert import Alert
from parapet.deliver import Means, Result, deliver
from parapet.entry import Header
from parapet.holder import Entry
from parapet.log import Log
from parapet.message import Facts
from parapet.verdict import Answer


def entry(send):
    """An entry that was never tried."""
    values = dict.fromkeys(Alert._fields, "")
    values.update(tenant="main", send=send, severity="auto", fields="*", row={"n": "1"}, server_host="sh1")
    return Entry("1769614200000-" + "a" * 20, Header(Alert(**values), rows=False, captured_ms=1, fault=""), None)


def means(posted, text):
    """Everything works but the disk."""

    def refuse(_state, **_how):
        raise OSError(errno.ENOSPC, "No space left on device")

    def accept(body, key):
        posted.append((key, body))
        return Answer(200)

    def no_rows():
        raise FileNotFoundError

    return Means(accept, refuse, no_rows, None, Facts, lambda: False, Log("", text), 1048576)


def test_alert_of_one_body_is_delivered_without_its_state():
    """It needs no state to be finished, and its delivery makes room."""
    posted, text = [], io.StringIO()
    assert deliver(entry("first"), means(posted, text)).result is Result.DELIVERED
    assert len(posted) == 1
    assert "event=outbox.failed" in text.getvalue()


def test_alert_of_many_bodies_waits_for_room():
    """What was acknowledged could not be noted, so nothing is sent."""
    posted = []
    with pytest.raises(OSError, match="No space left"):
        deliver(entry("all"), means(posted, io.StringIO()))
    assert posted == []
