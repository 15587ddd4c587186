"""The deliver handler: for where no forwarder runs and an alert's owner may not read the token. Must not take input, nor return a secret."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from . import configuration, places
from .bulletin import Bulletin
from .chores import Chores
from .clock import Clock
from .enrich import Enricher
from .errors import LockUnavailable, SplunkdError
from .forward import Goal, Turn
from .holder import Holder
from .log import Log
from .outbox import Outbox
from .secret import Secret
from .splunkd import Splunkd
from .version import USER_AGENT

if TYPE_CHECKING:
    from typing import Any, Mapping

_TURN_S = 20.0
_SPLUNKD_S = 5.0
_NUDGE_S = 1.0


class Call:
    """One call of splunkd's persistent handler interface.

    Attributes:
        reply: in the form that the interface wants; what is there before `run`, and after it failed, says that it failed.
    """

    def __init__(self, text: str) -> None:
        """Take the call's JSON."""
        self._text = text
        self.reply = _reply(500, {"error": "a fault of the app; see parapet_security.log"})

    def run(self) -> int:
        """Answer it; returns an exit code."""
        self.reply = _reply(*answer(json.loads(self._text)))
        return 0


def answer(request: Mapping[str, Any], env: Mapping[str, str] = os.environ) -> tuple[int, dict[str, Any]]:
    """Handle one call.

    Args:
        request: what splunkd's persistent handler interface gives: `method`, `system_authtoken`, `server`.
        env: the environment.

    Returns:
        An HTTP status, and counts or the reason why nothing was delivered.
    """
    if request.get("method") != "POST":
        return 405, {"error": "only POST is answered here"}
    where = places.find(env)
    log = Log(where.logs if where.ours else "", None)
    token, server = request.get("system_authtoken"), request.get("server")
    uri = server.get("rest_uri") if isinstance(server, dict) else None
    if not isinstance(token, str) or not token or not isinstance(uri, str):
        return 500, {"error": "splunkd gave this handler no system_authtoken: check passSystemAuth in restmap.conf"}
    log.hide([token])
    outbox = Outbox(where.outbox)
    try:
        splunkd = Splunkd(uri, Secret(token), timeout_s=_SPLUNKD_S)
        total = deliver_all(outbox, splunkd, log, role="handler", turn_s=_TURN_S)
        if total.pop("unfinished"):
            _go_on(Splunkd(uri, Secret(token), timeout_s=_NUDGE_S))
    except (SplunkdError, LockUnavailable) as error:
        log.event("settings.failed", reason=str(error))
        return 503, {"error": str(error)}
    log.event("handler.finished", **total)
    return 200, total


def _go_on(splunkd: Splunkd) -> None:
    """Have another call take up what could go at once when this one's time was over."""
    try:
        splunkd.ask_to_deliver()
    except SplunkdError:
        return  # it is at work; or not to be had, and then the next alert takes along what is left


def deliver_all(outbox: Outbox, splunkd: Splunkd, log: Log, *, role: str, turn_s: float) -> dict[str, Any]:
    """Do what is due, unless another process holds the outbox.

    Args:
        outbox: the outbox.
        splunkd: a session that may read tokens.
        log: for events.
        role: who this is, for everybody to see.
        turn_s: for how long at most.

    Returns:
        How many alerts were delivered, deferred and dead-lettered, whether another process holds the outbox, and whether
        the time was over while something could go at once (`unfinished`).

    Raises:
        SplunkdError, LockUnavailable: nothing was delivered.
    """
    clock = Clock()
    ends = clock.monotonic() + turn_s
    board = Bulletin(splunkd, log, clock)
    total: dict[str, Any] = {"delivered": 0, "deferred": 0, "dead": 0}
    unfinished, held_by_other = False, not os.path.isdir(outbox.root)
    while not held_by_other and clock.monotonic() < ends:
        settings = configuration.load(splunkd)
        if not outbox.lock.try_acquire():
            held_by_other = True
            break
        turn = None
        try:
            holder = Holder(outbox)
            turn = Turn(
                holder,
                settings,
                clock=clock,
                log=log,
                enricher=Enricher(splunkd, log, clock.monotonic),
                user_agent=USER_AGENT,
            )
            chores = Chores(turn, holder, clock, log, role=role, tell=board.tell)
            turn.run(Goal(ends), chores)
            chores.census()
        finally:
            outbox.lock.release()
            if turn is not None:
                turn.close()
        for key in total:
            total[key] += turn.custody.counts[key]
        unfinished = turn.backlog.next_time() <= turn.now()
        # Whoever lets go looks once more: an alert that was put meanwhile saw the lock held, and relies on us.
        if not turn.left_behind():
            break
    if not unfinished:  # else the next call is wanted at once, and tells the board too
        board.wait()
    return {**total, "held_by_other": held_by_other, "unfinished": unfinished}


def _reply(status: int, payload: dict[str, Any]) -> dict[str, object]:
    return {"status": status, "payload": json.dumps(payload), "headers": {"Content-Type": "application/json"}}
