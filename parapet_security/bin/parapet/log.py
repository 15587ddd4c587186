"""The app's log: one line an event, on stderr for splunkd.log and in a file of its own. Must not hold a secret, nor fail an alert.

A line is `<UTC time> LEVEL event=<noun.verb> key=value …` (on stderr without the time: splunkd adds its own), values quoted where they
need it and every control character escaped. The events are a closed catalogue; renaming one breaks customers' searches.
"""

from __future__ import annotations

import os
import re
import time

from .secret import mask

LEVELS = ("DEBUG", "INFO", "WARN", "ERROR", "FATAL")
FILE = "parapet_security.log"
MODACTION_FILE = "parapet_security_modalert.log"
_MAX_BYTES = 10 * 1024 * 1024
_KEEP = 5
_VALUE_MOST = 600
# As it is written: of a line, Splunk takes only the first 10240 characters apart (limits.conf, [kv] maxchars).
_ESCAPED_MOST = 900
_SECRET_LEAST = 6
# A pipe in the file's place must not hang an alert.
_FLAGS = getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)

# event: (level, what it means, what to do, which fields it may carry)
EVENTS = {
    "alert.queued": ("INFO", "the action stored an alert; a deliverer is at work", "", "id tenant search sid"),
    "alert.delivered": ("INFO", "the action delivered its alert by itself", "", "id tenant search sid"),
    "alert.kept": (
        "WARN",
        "the action stored its alert, and nobody could deliver it yet",
        "see `reason`",
        "id tenant search sid reason",
    ),
    "alert.undeliverable": (
        "ERROR",
        "the alert is stored, and nobody here can deliver it until `todo` is done",
        "see `todo`",
        "id tenant search sid reason todo",
    ),
    "alert.lost": (
        "FATAL",
        "the alert could neither be stored nor delivered",
        "see `reason`; the search can be run again with the sid named",
        "id tenant search sid fired reason todo",
    ),
    "alert.setting_ignored": (
        "WARN",
        "a parameter of the alert has a value outside its list; its default counts",
        "mend the alert's settings",
        "setting value instead search",
    ),
    "action.refused": ("ERROR", "the action was started in a way it cannot work with", "see `reason`", "reason code"),
    "outbox.unavailable": (
        "ERROR",
        "the outbox cannot take alerts; they are delivered from memory",
        "see `reason`",
        "tenant search sid reason",
    ),
    "outbox.lock_failed": (
        "ERROR",
        "the file system of the outbox cannot lock; each action delivers its own alert",
        "move $SPLUNK_HOME/var to a local file system",
        "reason",
    ),
    "outbox.state": (
        "INFO",
        "once a minute: what this host's outbox holds",
        "",
        "role waiting dead oldest_s bytes max_bytes held paused blocked",
    ),
    "outbox.swept": (
        "WARN",
        "an alert in the outbox could not be read; it was moved to dead/",
        "keep the file and report it",
        "entry reason",
    ),
    "outbox.too_new": (
        "ERROR",
        "an alert, or a note about a tenant, was written by a newer version of this app; it is left alone",
        "upgrade the app on this host",
        "entry reason",
    ),
    "outbox.failed": (
        "ERROR",
        "a file of the outbox could not be written; the delivery goes on later",
        "see `reason`",
        "id tenant search sid entry request reason",
    ),
    "delivery.delivered": (
        "INFO",
        "an alert is delivered in full",
        "",
        "id tenant search sid attempts batches rows skipped delay_s",
    ),
    "delivery.deferred": (
        "WARN",
        "an attempt failed; the alert is kept and tried again",
        "see `todo`, if any",
        "id tenant search sid attempts reason detail todo next_s",
    ),
    "delivery.dead": (
        "ERROR",
        "an alert is a dead letter: kept, and not tried again by itself",
        "see `reason`; `parapetoutbox` lists it, `parapetoutboxedit` retries it",
        "id tenant search sid reason detail todo",
    ),
    "delivery.row_dead": (
        "ERROR",
        "one row is larger than the tenant accepts; it is a dead letter of its own",
        "leave out large fields with exclude_fields",
        "id row_id row tenant search reason",
    ),
    "delivery.revived": ("INFO", "a dead letter waits again, as an administrator asked", "", "id"),
    "delivery.expired": (
        "WARN",
        "a dead letter was removed, for its age or for space",
        "see dead_days and outbox_max_bytes",
        "id reason search sid",
    ),
    "request.unknown": ("WARN", "an administrator's request names an entry that is not there", "", "id request"),
    "results.broken": (
        "ERROR",
        "the results file breaks off; the rows before the break are sent, and the last batch says truncated",
        "",
        "id reason rows",
    ),
    "results.unreadable": ("WARN", "the results file cannot be read; the first row is sent instead", "", "id reason"),
    "results.fewer": (
        "WARN",
        "Splunk wrote fewer rows than the search returned; the last batch says truncated",
        "raise maxresults, or aggregate in SPL",
        "id rows result_count",
    ),
    "severity.unknown": (
        "WARN",
        "no severity map knows the value; medium counts",
        "add the word to severity_map",
        "id field search",
    ),
    "tenant.held": (
        "WARN",
        "a tenant is not called for a while; its alerts wait",
        "see `reason`",
        "tenant reason detail next_s",
    ),
    "tenant.refused": (
        "ERROR",
        "a tenant's configuration is refused; its alerts wait until it is mended",
        "see `todo`",
        "tenant reason detail todo next_s",
    ),
    "tenant.released": ("INFO", "a tenant that was held accepts alerts again", "", "tenant reason held_s"),
    "tenant.unusable": (
        "ERROR",
        "alerts wait for a tenant that is not configured, or not so that it can be used",
        "see `reason`",
        "tenant reason",
    ),
    "settings.loaded": ("INFO", "the configuration was read", "", "tenants problems"),
    "settings.problem": ("WARN", "something in the configuration cannot be used", "see `problem`", "problem"),
    "settings.failed": (
        "ERROR",
        "the configuration could not be read from splunkd; the last one stays in force",
        "see `reason`",
        "reason",
    ),
    "enrichment.failed": ("DEBUG", "splunkd did not tell more about an alert; it goes without", "", "reason"),
    "bulletin.failed": ("DEBUG", "a message could not be put on Splunk Web's bulletin board", "", "reason"),
    "handler.finished": ("INFO", "the deliver handler ended its turn", "", "delivered deferred dead held_by_other"),
    "forwarder.started": ("INFO", "the forwarder runs and holds the outbox", "", "version pid"),
    "forwarder.waiting": ("INFO", "another process holds the outbox; the forwarder waits for it", "", ""),
    "forwarder.ended": ("INFO", "the forwarder ended; Splunk starts it again", "", "reason"),
    "forwarder.stuck": (
        "FATAL",
        "the forwarder made no progress and was ended; Splunk starts it again",
        "report it with the lines before this one",
        "silent_s",
    ),
    "process.bug": ("FATAL", "a fault of this app", "report the line", "id error at"),
}

_PLAIN = re.compile(r"[^\s\"'=\\,;&\[\]{}()|<>\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+\Z")
_ESCAPED = re.compile('[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"\\\\]')
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}


class Log:
    """Where events go. Every method may be called from any thread."""

    def __init__(
        self, folder: str = "", stderr: object = None, *, level: str = "INFO", stderr_level: str = "WARN"
    ) -> None:
        """Open nothing yet.

        Args:
            folder: where the file is; "" writes none.
            stderr: a text stream, or None.
            level: the least level for the file.
            stderr_level: the least level for stderr.
        """
        self._path = os.path.join(folder, FILE) if folder else ""
        self._modaction_path = os.path.join(folder, MODACTION_FILE) if folder else ""
        self._stderr = stderr
        self.level = level
        self._stderr_level = stderr_level
        self._secrets: tuple[str, ...] = ()

    def hide(self, values: list[str]) -> None:
        """From now on these values are shown as ***, wherever they would appear: the second net, under `Secret`."""
        # As it is, and as `repr` shows it inside a message.
        forms = [form for value in values if len(value) >= _SECRET_LEAST for form in (value, repr(value)[1:-1])]
        self._secrets = tuple(sorted({*self._secrets, *forms}, key=len, reverse=True))

    def event(self, name: str, *, tell: bool = False, **fields: object) -> None:
        """Write one event.

        Args:
            name: one of EVENTS.
            tell: put it on stderr whatever its level: the one line at INFO that an action has.
            fields: what it is about; None and "" are left out.
        """
        level = EVENTS[name][0]
        text = f"{level} event={name}" + "".join(
            f" {key}={_quoted(self._clean(value))}" for key, value in fields.items() if value not in (None, "")
        )
        if self._stderr is not None and (tell or LEVELS.index(level) >= LEVELS.index(self._stderr_level)):
            try:
                self._stderr.write(text + "\n")  # type: ignore[attr-defined]  # a text stream
                self._stderr.flush()  # type: ignore[attr-defined]
            except (OSError, ValueError):
                pass  # splunkd is gone, or closed the pipe: an alert does not fail for that
        # Without the state line, who wants a quiet log could not tell it from one of a host on which nobody delivers.
        if self._path and (name == "outbox.state" or LEVELS.index(level) >= LEVELS.index(self.level)):
            _append(self._path, [f"{_now()} {text}"])

    def modaction(self, lines: list[str]) -> None:
        """Write lines of `modaction` into a file whose name tells the CIM app, and so Enterprise Security, what it is."""
        if self._modaction_path:
            now = _now()
            stamp = f"{now[:10]} {now[11:19]},{now[20:23]}+0000 INFO"
            _append(self._modaction_path, [f"{stamp} {self._clean(line)}" for line in lines])

    def rotate(self) -> None:
        """Start new files where these are large. Only the lock's holder calls this; every writer opens a file by its name each time."""
        for path in (self._path, self._modaction_path):
            try:
                if path and os.path.getsize(path) >= _MAX_BYTES:
                    _rotate(path)
            except OSError:
                pass  # it is not there yet; or it is tried again a minute later

    def _clean(self, value: object) -> str:
        text = value if isinstance(value, str) else str(value)
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return mask(text)


def _append(path: str, lines: list[str]) -> None:
    """Each line is one write, so that those of several processes stay whole."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | _FLAGS, 0o600)
        try:
            for line in lines:
                os.write(descriptor, f"{line}\n".encode("utf-8", "replace"))
        finally:
            os.close(descriptor)
    except OSError:
        pass  # a log that cannot be written never fails an alert


def _rotate(path: str) -> None:
    for number in range(_KEEP - 1, 0, -1):
        if os.path.exists(f"{path}.{number}"):
            os.replace(f"{path}.{number}", f"{path}.{number + 1}")
    os.replace(path, f"{path}.1")


def _now() -> str:
    ms = int(time.time() * 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03d}Z"


def _quoted(text: str) -> str:
    if len(text) > _VALUE_MOST:
        text = text[:_VALUE_MOST] + "…"
    if _PLAIN.match(text):
        return text
    escaped = _ESCAPED.sub(_escape, text)
    if len(escaped) > _ESCAPED_MOST:
        escaped = _ESCAPED.sub(_escape, text[: _ESCAPED_MOST // 6]) + "…"
    return f'"{escaped}"'


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return _SHORT.get(match.group()) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")
