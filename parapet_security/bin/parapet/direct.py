"""Delivery by the action itself, where nobody holds the outbox. Must not be imported by an action whose alert somebody else delivers.

First the action's own entry, until its deadline; then whatever else is due, for ten seconds at most. An owner who may not read the token
asks the deliver handler instead, which has the system's rights.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from . import configuration, modaction
from .alert import firing_id, trigger_ms
from .clock import Clock
from .enrich import Enricher
from .errors import Exit, Forbidden, LockUnavailable, SplunkdError, Unreachable
from .forward import Goal, Turn
from .holder import Holder
from .outbox import digest
from .report import skipped
from .secret import Secret
from .splunkd import Splunkd
from .version import USER_AGENT

if TYPE_CHECKING:
    from .alert import Alert
    from .log import Log
    from .memory import MemoryHolder
    from .outbox import Outbox
    from .settings import Settings

_OTHERS_S = 10.0
_SPLUNKD_S = 10.0
_HANDLER_S = 1.0
_USAGE_OLD_S = 60.0
_RIGHTS = "enable the forwarder (the modular input parapet_forwarder), or restart splunkd once so that the deliver handler is there"


class _Session:
    """What the payload says about splunkd; the session key stays in here."""

    def __init__(self, data: bytes, log: Log) -> None:
        payload = json.loads(data.decode("utf-8-sig", "replace"))
        self._key, self._uri = str(payload.get("session_key") or ""), str(payload.get("server_uri") or "")
        log.hide([self._key])

    def splunkd(self, timeout_s: float) -> Splunkd:
        if not self._key or not self._uri:
            raise Unreachable("the payload names no session_key and server_uri")
        return Splunkd(self._uri, Secret(self._key), timeout_s=timeout_s)


def from_outbox(outbox: Outbox, name: str, alert: Alert, data: bytes, log: Log) -> int:
    """Deliver an entry of the outbox, then others; returns an exit code."""
    session = _Session(data, log)
    try:
        settings = configuration.load(session.splunkd(_SPLUNKD_S), only=alert.tenant)
    except Forbidden as error:
        return _ask_handler(session, name, alert, log, str(error))
    except SplunkdError as error:
        log.event("alert.undeliverable", **_identity(name, alert), reason=str(error), todo=_RIGHTS)
        return Exit.CONFIGURATION
    try:
        return _hold_and_deliver(outbox, name, alert, session=session, settings=settings, log=log)
    except LockUnavailable as error:
        log.event("outbox.lock_failed", reason=str(error))
        return _own(_turn(Holder(outbox), settings, session, log), name, alert, log)


def _hold_and_deliver(
    outbox: Outbox, name: str, alert: Alert, *, session: _Session, settings: Settings, log: Log
) -> int:
    code: int = Exit.OK
    first, others_until = name, 0.0
    while outbox.lock.try_acquire():
        turn, can_go_on = None, False
        try:
            turn = _turn(Holder(outbox), settings, session, log)
            if first:
                code, first = _own(turn, name, alert, log), ""
                others_until = turn.now() + _OTHERS_S
            can_go_on = _others(turn, Holder(outbox), session, log, until=others_until)
        except OSError as error:
            log.event("outbox.failed", **_identity(name, alert), reason=str(error))
        finally:
            outbox.lock.release()
            if turn is not None:
                turn.close()
        # Whoever lets go looks once more: an alert that was put meanwhile saw the lock held, and relies on us.
        if turn is None or not turn.left_behind():
            break
        if not can_go_on:
            _pass_on(session)
            break
    else:
        if first:
            log.event("alert.queued", tell=True, **_identity(name, alert))
    return code


def without_lock(outbox: Outbox, name: str, alert: Alert, data: bytes, log: Log) -> int:
    """Deliver one entry where the file system cannot lock: its id makes a second delivery harmless."""
    session = _Session(data, log)
    try:
        settings = configuration.load(session.splunkd(_SPLUNKD_S), only=alert.tenant)
    except SplunkdError as error:
        log.event("alert.undeliverable", **_identity(name, alert), reason=str(error), todo=_RIGHTS)
        return Exit.CONFIGURATION
    return _own(_turn(Holder(outbox), settings, session, log), name, alert, log)


def from_memory(alert: Alert, data: bytes, captured_ms: int, log: Log) -> int:
    """Deliver an alert that could not be stored: it is lost where that fails too, and the log says so."""
    session = _Session(data, log)
    content = digest(alert.results_file) if alert.send == "all" else ""
    name = f"{trigger_ms(alert):013d}-{firing_id(alert, content)}"
    try:
        settings = configuration.load(session.splunkd(_SPLUNKD_S), only=alert.tenant)
    except SplunkdError as error:
        return _lost(name, alert, log, str(error))
    from .memory import MemoryHolder

    holder = MemoryHolder(name, alert, captured_ms=captured_ms)
    turn = _turn(holder, settings, session, log)
    code = _own(turn, name, alert, log, lasting=False)
    if code == Exit.OK and not holder.lost_rows:
        return code
    # A refusal is a loss here too: there is no place for a dead letter.
    reason = {
        Exit.OK: skipped(len(holder.lost_rows)),
        Exit.REFUSED: "refused for good, see delivery.dead",
    }.get(Exit(code)) or turn.obstacle(name)[1]
    return _lost(name, alert, log, reason, settled=any(turn.custody.counts[kind] for kind in ("delivered", "dead")))


def _lost(name: str, alert: Alert, log: Log, reason: str, *, settled: bool = False) -> int:
    log.event("alert.lost", **_identity(name, alert), fired=alert.trigger_time, reason=reason)
    if not settled:
        log.modaction(modaction.settled(alert, name[14:], [(alert.row or {}, reason)], duration_ms=0))
    return Exit.LOST


def _turn(holder: Holder | MemoryHolder, settings: Settings, session: _Session, log: Log) -> Turn:
    for problem in settings.problems:
        log.event("settings.problem", problem=problem)
    clock = Clock()
    enricher = Enricher(session.splunkd(2.0), log, clock.monotonic)
    return Turn(holder, settings, clock=clock, log=log, enricher=enricher, user_agent=USER_AGENT, workers=1)


def _own(turn: Turn, name: str, alert: Alert, log: Log, *, lasting: bool = True) -> int:
    """Deliver the action's own entry; returns an exit code."""
    deadline_s = turn.settings.delivery.direct_deadline
    turn.run(Goal(turn.now() + deadline_s, first=name))
    counts = turn.custody.counts
    identity = _identity(name, alert)
    if counts["dead"]:
        return Exit.REFUSED  # `delivery.dead` said why
    if counts["delivered"]:
        log.event("alert.delivered", tell=True, **identity)
        return Exit.OK
    needs_person, reason, todo = turn.obstacle(name)
    if needs_person:
        log.event("alert.undeliverable", **identity, reason=reason, todo=todo)
        return Exit.CONFIGURATION
    if lasting:
        log.event("alert.kept", **identity, reason=reason, todo=todo)
    return Exit.OK if lasting else Exit.LOST


def _others(turn: Turn, holder: Holder, session: _Session, log: Log, *, until: float) -> bool:
    """Deliver what else is due, until `until` at most; returns whether this process could do more."""
    waiting = bool(holder.names("new") or holder.names("pending") or holder.requests())
    if not waiting and turn.clock.now() - holder.usage_s() <= _USAGE_OLD_S:
        return turn.now() < until
    # Only now: importing them costs each alert that waits for its delivery, and making them sweeps the whole outbox.
    from .chores import Chores

    chores = Chores(turn, holder, turn.clock, log, role="action", tell=lambda _matters: None)
    if waiting:
        try:
            turn.apply(configuration.load(session.splunkd(_SPLUNKD_S)))
        except SplunkdError as error:
            log.event("settings.failed", reason=str(error))
            return False
        turn.run(Goal(until, wait=False), chores)
    chores.census()
    return turn.now() < until


def _pass_on(session: _Session) -> None:
    """Our time is up and alerts are left behind: the deliver handler has time; where there is none, the next alert takes them along."""
    try:
        session.splunkd(_HANDLER_S).ask_to_deliver()
    except SplunkdError:
        return


def _ask_handler(session: _Session, name: str, alert: Alert, log: Log, why: str) -> int:
    identity = _identity(name, alert)
    try:
        session.splunkd(_HANDLER_S).ask_to_deliver()
    except SplunkdError as error:
        if isinstance(error, Unreachable) and error.timed_out:
            log.event("alert.kept", **identity, reason="the deliver handler is still at work")
            return Exit.OK
        log.event("alert.undeliverable", **identity, reason=f"{why}, and {error}", todo=_RIGHTS)
        return Exit.CONFIGURATION
    log.event("alert.queued", tell=True, **identity)
    return Exit.OK


def _identity(name: str, alert: Alert) -> dict[str, Any]:
    return {"id": name[14:], "tenant": alert.tenant, "search": alert.search_name, "sid": alert.sid}
