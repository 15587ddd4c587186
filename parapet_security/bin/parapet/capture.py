"""The alert action: puts its alert into the outbox, and is done when somebody is there to deliver it. Must not deliver by itself.

Every alert of every search pays for this module, so it imports only what a put needs; `direct` and all that talks is imported where
nobody else delivers.
"""

from __future__ import annotations

import os
import time

from . import alert as alerts
from . import modaction, places
from .errors import Exit, LockUnavailable, OutboxUnavailable, ParapetError, UsageError
from .log import Log
from .outbox import Outbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO, Mapping, TextIO

    from .alert import Alert

_USAGE = "usage: parapet_security.py --execute (the payload on stdin), or parapet_security.py SETTINGS_FILE (key=value lines)"


def main(argv: list[str], stdin: BinaryIO | None, stderr: TextIO, env: Mapping[str, str]) -> int:
    """Handle one alert.

    Args:
        argv: the command line, program first: `--execute`, or a settings file (the guide's own form).
        stdin: the payload; None where the process was started without one.
        stderr: splunkd reads it into splunkd.log.
        env: the environment.

    Returns:
        An exit code of `errors.Exit`.
    """
    if len(argv) == 2 and not argv[1].startswith("-"):
        from . import guide

        return guide.main(argv[1], stdin, stderr)
    where = places.find(env)
    log = Log(where.logs if where.ours else "", stderr)
    try:
        if argv[1:] != ["--execute"]:
            raise UsageError(_USAGE)
        data = stdin.read() if stdin is not None else b""
        alert, wrong = alerts.parse(data)
    except ParapetError as error:
        log.event("action.refused", reason=str(error), code=error.code)
        return error.exit_code
    for name, value, instead in wrong:
        log.event(
            "alert.setting_ignored", setting=f"param.{name}", value=value, instead=instead, search=alert.search_name
        )
    return _keep(alert, data, where, log)


def _captured_ms(alert: Alert) -> int:
    """A time for a firing that names none: its results file's, which is the same when Splunk starts the action twice; else the clock."""
    try:
        return int(os.path.getmtime(alert.results_file) * 1000)
    except (OSError, ValueError):
        return int(time.time() * 1000)


def _keep(alert: Alert, data: bytes, where: places.Places, log: Log) -> int:
    outbox = Outbox(where.outbox)
    captured_ms = _captured_ms(alert)
    identity = {"tenant": alert.tenant, "search": alert.search_name, "sid": alert.sid}
    try:
        if not where.ours:
            raise OutboxUnavailable("$SPLUNK_HOME/var belongs to another user: run this as the user that runs Splunk")  # noqa: TRY301
        if not alerts.TENANT_NAME.match(alert.tenant):
            fault = f"{alert.tenant[:80]!r} is no tenant's name: 1 to 64 of a-z, 0-9, _ and -, starting with a letter or digit"
            told = [(alert.row or {}, fault)]
            name = outbox.put_dead(
                alert,
                captured_ms=captured_ms,
                fault=fault,
                announce=lambda name: log.modaction(modaction.settled(alert, name[14:], told, duration_ms=0)),
            )
            todo = "mend the alert's tenant; this firing is kept as a dead letter"
            log.event("delivery.dead", id=name[14:], **identity, reason="tenant_name", detail=fault, todo=todo)
            return Exit.CONFIGURATION
        name = outbox.put(
            alert,
            results_path=alert.results_file if alert.send == "all" else "",
            captured_ms=captured_ms,
            announce=lambda name: log.modaction(modaction.stored(alert, name[14:])),
        )
    except OutboxUnavailable as error:
        log.event("outbox.unavailable", **identity, reason=str(error))
        from . import direct

        return direct.from_memory(alert, data, captured_ms, log)
    try:
        if not outbox.lock.is_free():
            log.event("alert.queued", tell=True, id=name[14:], **identity)
            return Exit.OK
    except LockUnavailable as error:
        log.event("outbox.lock_failed", reason=str(error))
        from . import direct

        return direct.without_lock(outbox, name, alert, data, log)
    from . import direct

    return direct.from_outbox(outbox, name, alert, data, log)
