"""The vendor guide's own calling form: `parapet_security.py SETTINGS_FILE`, from a shell, without Splunk. Must not touch outbox or log files.

The file holds `key=value` lines (`param.webhook_url`, `param.token`, `param.ca_file`, `search_name`, `search_earliest_time`,
`search_latest_time`, `result_count`, …); stdin holds `{"result": …}`, or `{"results": […]}` for every row.
"""

from __future__ import annotations

import json
import os
import platform
import time
from typing import TYPE_CHECKING

from . import alert as alerts
from .clock import Clock
from .enrich import Enricher
from .errors import Exit, ParapetError, StdinError, UsageError
from .forward import Goal, Turn
from .log import Log
from .memory import MemoryHolder
from .settings import Settings, delivery_from, tenant_from
from .version import USER_AGENT

if TYPE_CHECKING:
    from typing import BinaryIO, TextIO

    from .rows import Row

_DEADLINE_S = 60.0
_NAMES = {"search_earliest_time": "earliest", "search_latest_time": "latest"}
_PAYLOAD = ("search_name", "sid", "app", "owner", "server_host", "results_link")


def main(path: str, stdin: BinaryIO | None, stderr: TextIO) -> int:
    """Deliver one alert at once.

    Args:
        path: the settings file.
        stdin: the payload.
        stderr: where it says what happened.

    Returns:
        An exit code: 0 delivered, 2 no such file, 3 stdin, 4 configuration, 5 refused, 6 not delivered.
    """
    log = Log("", stderr, stderr_level="INFO")
    try:
        values = _read(path)
        log.hide([values.get("param.token", "")])
        alert, rows = _alert(values, stdin.read() if stdin is not None else b"")
    except ParapetError as error:
        log.event("action.refused", reason=str(error), code=error.code)
        return error.exit_code
    settings = _settings(values)
    for problem in settings.problems:
        log.event("settings.problem", problem=problem)
    if settings.problems:
        log.event("action.refused", reason="nothing was sent: mend what is named above", code="configuration")
        return Exit.CONFIGURATION
    captured_ms = int(time.time() * 1000)
    fired_ms = alerts.trigger_ms(alert)
    # Without sid and time nothing tells this firing from the same rows an hour ago: then each call is a firing of its own.
    call = "" if alert.sid and fired_ms else os.urandom(8).hex()
    content = json.dumps([rows, alert.row, call], sort_keys=True)
    name = f"{fired_ms:013d}-{alerts.firing_id(alert, content)}"
    clock = Clock()
    holder = MemoryHolder(name, alert, captured_ms=captured_ms, rows=rows)
    turn = Turn(
        holder,
        settings,
        clock=clock,
        log=log,
        enricher=Enricher(None, log, clock.monotonic),
        user_agent=USER_AGENT,
        workers=1,
    )
    turn.run(Goal(turn.now() + _DEADLINE_S, first=name))
    return _exit(turn, name, log)


def _exit(turn: Turn, name: str, log: Log) -> int:
    counts = turn.custody.counts
    if counts["delivered"]:
        return Exit.OK
    if counts["dead"]:
        return Exit.REFUSED
    needs_person, reason, todo = turn.obstacle(name)
    # Nothing is kept here, so what was deferred until the end is lost, and the last line says so.
    log.event("alert.lost", id=name[14:], reason=reason, todo=todo)
    return Exit.CONFIGURATION if needs_person else Exit.LOST


def _read(path: str) -> dict[str, str]:
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as stream:
            lines = stream.read().splitlines()
    except OSError as error:
        raise UsageError(f"the settings file {path} cannot be read: {error.strerror}") from error
    values: dict[str, str] = {}
    for line in lines:
        key, equals, value = line.partition("=")
        if equals and not line.lstrip().startswith("#"):
            values[key.strip()] = value.strip() if key.strip() != "param.token" else value.lstrip(" ")
    return values


def _alert(values: dict[str, str], data: bytes) -> tuple[alerts.Alert, list[Row] | None]:
    try:
        payload = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise StdinError("stdin must hold one JSON document, as the guide shows") from error
    if not isinstance(payload, dict):
        raise StdinError("stdin must hold a JSON object")
    rows = payload.get("results")
    if rows is not None and not (isinstance(rows, list) and all(isinstance(row, dict) for row in rows)):
        raise StdinError("`results` on stdin must be a list of objects")
    configuration = {_NAMES.get(key, key.partition("param.")[2] or key): value for key, value in values.items()}
    configuration.update({"tenant": "main", "send": "first" if rows is None else "all"})
    first = payload.get("result") if rows is None else (rows[0] if rows else None)
    known = {name: payload.get(name) or values.get(name, "") for name in _PAYLOAD}
    # Without Splunk nobody else says where this comes from, and the wire wants to know.
    known["server_host"] = known["server_host"] or platform.node() or "unknown"
    alert, _ = alerts.from_payload({**known, "configuration": configuration, "result": first})
    return alert, None if rows is None else [alerts.clean_row(row) for row in rows]


def _settings(values: dict[str, str]) -> Settings:
    delivery, problems = delivery_from({"ca_file": values.get("param.ca_file", "")})
    tenant, wrong = tenant_from("main", {"webhook_url": values.get("param.webhook_url", "")}, values.get("param.token"))
    shown = [
        text.replace("[tenant:main] webhook_url", "param.webhook_url").replace(
            "the token of tenant main", "param.token"
        )
        for text in wrong
    ]
    shown = [text.replace("paste it on the app's setup page", "put it into the settings file") for text in shown]
    return Settings(delivery, {"main": tenant}, None, tuple(problems + shown))
