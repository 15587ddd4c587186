"""What a row of the fault table is, and the kinds of rows that there are. Must not hold a row: that is `table`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Optional

from tests.faults.causes import answers

if TYPE_CHECKING:
    from tests.faults.causes import Cause

# What an event says there is to do where its line has no `todo`: the lookup parapet_security_events, which every shipped search asks.
LASTS = "nothing, unless it lasts: then look at the reason"
NOTHING = ""


class Fault(NamedTuple):
    """One row.

    Attributes:
        fault: what goes wrong, as docs/faults.md calls it.
        cause: how it begins and ends.
        fate: `arrives` though the fault lasts, `waits` until it has ended, or `dead`: until somebody retries it.
        event, reason: the line that the log has about it; `reason` is "" where it is a sentence.
        todo: what that line, or the event's own row in the lookup, says there is to do.
        state, error: what `| parapetoutbox` shows while it lasts; "" where the alert is gone.
        board: words of the message in Splunk Web, "" for none.
        exit, said: an action that delivers by itself: its exit code and the event on its stderr.
        search: how the alert differs from the guide's example.
        alerts: how many fire.
        reasons: further reasons, where Python and OpenSSL decide which.
        statuses: of a row for several, those that are tried; `reason` and `error` then leave a gap for them.
    """

    fault: str
    cause: Optional[Cause]
    fate: str
    event: str
    reason: str
    todo: str
    state: str = ""
    error: str = ""
    board: str = ""
    exit: Optional[int] = 0
    said: str = "alert.kept"
    search: Optional[dict] = None
    alerts: int = 1
    reasons: tuple = ()
    statuses: tuple = ()

    def each(self):
        """The row, or one for each of its statuses."""
        if not self.statuses:
            return [self]
        return [
            self._replace(
                cause=answers(status),
                reason=self.reason.format(status),
                error=self.error.format(status),
            )
            for status in self.statuses
        ]


def arrives(fault, cause, reason="", **more):
    """The tenant has it, whatever else happens."""
    return Fault(fault, cause, "arrives", "delivery.delivered", reason, NOTHING, said="alert.delivered", **more)


def tenant_waits(fault, cause, reason, todo, error, **more):
    """Its tenant waits, and nobody needs to be told."""
    return Fault(fault, cause, "waits", "tenant.held", reason, todo, state="held", error=error, **more)


def refused(fault, cause, reason, todo, error, **more):
    """Its tenant waits for an administrator."""
    board = todo[0].upper() + todo[1:]
    return Fault(
        fault,
        cause,
        "waits",
        "tenant.refused",
        reason,
        todo,
        state="held",
        error=error,
        board=board,
        exit=4,
        said="alert.undeliverable",
        **more,
    )


def dead(fault, cause, reason, todo, error, **more):
    """It is kept, and not tried again by itself."""
    return Fault(
        fault,
        cause,
        "dead",
        "delivery.dead",
        reason,
        todo,
        state="dead",
        error=error,
        board="dead letter",
        **{"exit": 5, "said": "delivery.dead", **more},
    )


def unusable(fault, cause, error, todo):
    """Its tenant cannot be called with what is configured."""
    return Fault(
        fault,
        cause,
        "waits",
        "tenant.unusable",
        "",
        todo,
        state="held",
        error=error,
        board=error,
        exit=4,
        said="alert.undeliverable",
    )
