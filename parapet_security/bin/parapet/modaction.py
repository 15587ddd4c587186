"""What the CIM data model Splunk_Audit and Enterprise Security read of an action, as lines of text. Must not write them: `log` does.

A line is `sendmodaction - key="value" …` (contract: log line the data model reads). Each row that was handled has one line whose
signature is exactly INVOKED, and one with the outcome. Splunk takes such a line apart at its quotes and knows no escapes there, so a
quote inside a value becomes an apostrophe. Until it is `text` a line is its pairs: secrets are taken out of a value before it is cut.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Sequence

    from .alert import Alert
    from .rows import Row

ACTION = "parapet_security"
INVOKED = "Invoking modular action"
STORED = "Stored; it waits for delivery"
# Words of ours, which no secret can make unreadable: the data model looks for them.
OURS = {ACTION, INVOKED, STORED, "pending", "success", "failure", "saved", "adhoc", "0", "1"}
# Of one run by hand, so many rows are told at most.
ROWS_MOST = 100
_VALUE_MOST = 600
# As the CIM library tells the snapshots of a real-time search apart; a cluster's member puts its GUID behind them.
_SNAPSHOT = re.compile(r"(rt_scheduler.*)\.(\d+)(_.*)?\Z", re.DOTALL)
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def is_told_by_row(alert: Alert) -> bool:
    """Whether each row has lines of its own: a run by hand is for its rows, one of a search for the search."""
    return bool(alert.action_mode == "adhoc" and alert.send == "all")


def stored(alert: Alert, firing: str) -> list[dict[str, str]]:
    """The line of an alert that waits for its delivery."""
    extra = {"id": firing, "tenant": alert.tenant}
    return [_pairs(alert, alert.rid, alert.row or {}, {"signature": STORED, "action_status": "pending", **extra})]


def settled(alert: Alert, firing: str, rows: Sequence[tuple[Row, str]], *, duration_ms: int) -> list[dict[str, str]]:
    """The lines of an alert that is delivered, or will not be.

    Args:
        alert: the firing.
        firing: its id.
        rows: what it was for, in their order: the first row, or all (`is_told_by_row`); each with why it is not delivered, "" where it is.
        duration_ms: from the firing to now.
    """
    extra = {"duration": str(duration_ms), "id": firing, "tenant": alert.tenant}
    lines = []
    for number, (row, failure) in enumerate(rows[:ROWS_MOST]):
        rid = str(number) if is_told_by_row(alert) else alert.rid
        lines.append(_pairs(alert, rid, row, {"signature": INVOKED, **extra}))
        signature = f"Not delivered: {failure}" if failure else f"Delivered to tenant {alert.tenant}"
        status = "failure" if failure else "success"
        lines.append(_pairs(alert, rid, row, {"signature": signature, "action_status": status, **extra}))
    return lines


def text(pairs: dict[str, str]) -> str:
    """A line as it is written, but for its time and level; empty values are left out."""
    plain = ((key, _plain(value)) for key, value in pairs.items())
    return "sendmodaction - " + " ".join(f'{key}="{value}"' for key, value in plain if value)


def _pairs(alert: Alert, rid: str, row: Row, told: dict[str, str]) -> dict[str, str]:
    snapshot = _SNAPSHOT.match(alert.sid)
    return {
        "worker": alert.server_host,
        "signature": "",
        "action_name": ACTION,
        "search_name": alert.search_name,
        "sid": snapshot.group(1) + (snapshot.group(3) or "") if snapshot else alert.sid,
        "orig_sid": _first(row.get("orig_sid")),
        "rid": f"{rid}.{snapshot.group(2)}" if snapshot else rid,
        "orig_rid": _first(row.get("orig_rid")),
        "app": alert.app,
        "user": alert.user,
        "digest_mode": alert.digest_mode,
        "action_mode": alert.action_mode,
        "action_status": "",
        **told,
    }


def _first(value: str | list[str] | None) -> str:
    return (value[0] if isinstance(value, list) else value) or ""


def _plain(text: str) -> str:
    if len(text) > _VALUE_MOST:
        text = text[:_VALUE_MOST] + "…"
    text = _UNPRINTABLE.sub(" ", text.replace('"', "'"))
    # A backslash before the closing quote could be taken for an escape of it.
    return text + " " if text.endswith("\\") else text
