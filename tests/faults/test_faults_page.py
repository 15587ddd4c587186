"""docs/faults.md is the fault table for an administrator: held against the table in code. Must not judge the prose."""

from __future__ import annotations

import pytest
from parapet import webhook
from parapet.log import EVENTS

from tests.doc_pages import bare, read, table
from tests.faults.table import FAULTS

PAGE = "docs/faults.md"
# Nothing brings these about on purpose: a route that is gone, and a fault of the HTTP library's.
UNTRIED = {"connect", "request"}


def cells(fault):
    """What the page must say of a row, but for the sentence about the alert."""
    reason = f" `reason={fault.reason.format('…')}`" if fault.reason else ""
    return [
        fault.fault,
        f"`{fault.event}`{reason}",
        f"`{fault.state}`" if fault.state else "–",
        "yes" if fault.board else "–",
        "–" if fault.exit is None else str(fault.exit),
        fault.todo or "nothing",
    ]


def test_the_page_has_each_row_of_the_table_in_its_order():
    """Name, event and reason, state, message, exit code and what to do."""
    found = [[row[0], *row[2:]] for row in table(PAGE, "fault")]
    wanted = [cells(fault) for fault in FAULTS]
    assert found == wanted, "the table needs:\n" + "\n".join(
        "| " + " | ".join([row[0], "…", *row[1:]]) + " |" for row in wanted if row not in found
    )


@pytest.mark.parametrize("row", table(PAGE, "fault"), ids=lambda row: row[0])
def test_the_page_says_what_happens_to_the_alert(row):
    """Each begins with its fate, and none is lost."""
    (fault,) = [fault for fault in FAULTS if fault.fault == row[0]]
    assert row[1].startswith({"arrives": "arrives", "waits": "waits", "dead": "dead letter"}[fault.fate])


def test_the_table_tries_every_reason_for_no_answer():
    """A new word of the client's needs a row."""
    reasons = {reason for fault in FAULTS for reason in (fault.reason, *fault.reasons)}
    assert set(webhook.ERRORS) - reasons == UNTRIED


def test_every_event_of_the_table_is_one_of_the_log():
    """And an action's own events are."""
    assert {fault.event for fault in FAULTS} | {fault.said for fault in FAULTS if fault.said} <= set(EVENTS)


def test_nobody_is_sent_to_the_board_for_what_mends_itself():
    """The message is for what needs a person; the page says so once."""
    for fault in FAULTS:
        assert bool(fault.board) == (
            fault.event in ("tenant.refused", "tenant.unusable", "delivery.row_dead", "delivery.dead")
        )
    assert bare("`parapet_security_dead`") in read(PAGE)
