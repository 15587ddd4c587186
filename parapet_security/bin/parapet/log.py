"""The app's log: one line an event, on stderr for splunkd.log and in a file of its own. Must not hold a secret, nor fail an alert.

A line is `<UTC time> LEVEL event=<noun.verb> key=value …` (on stderr without the time: splunkd adds its own), values quoted where they
need it and every control character escaped.
"""

from __future__ import annotations

import os
import re
import time

from . import modaction
from .events import EVENTS
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

_PLAIN = re.compile(r"[^\s\"'=\\,;&\[\]{}()|<>!?\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+\Z")
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

    def modaction(self, lines: list[dict[str, str]]) -> None:
        """Write lines of `modaction` into a file whose name tells the CIM app, and so Enterprise Security, what it is."""
        if self._modaction_path:
            now = _now()
            stamp = f"{now[:10]} {now[11:19]},{now[20:23]}+0000 INFO"
            _append(self._modaction_path, [f"{stamp} {modaction.text(self._clean_pairs(pairs))}" for pairs in lines])

    def rotate(self) -> None:
        """Start new files where these are large. Only the lock's holder calls this; every writer opens a file by its name each time."""
        for path in (self._path, self._modaction_path):
            try:
                if path and os.path.getsize(path) >= _MAX_BYTES:
                    _rotate(path)
            except OSError:
                pass  # it is not there yet; or it is tried again a minute later

    def _clean_pairs(self, pairs: dict[str, str]) -> dict[str, str]:
        return {key: value if value in modaction.OURS else self._clean(value) for key, value in pairs.items()}

    def _clean(self, value: object) -> str:
        text = value if isinstance(value, str) else str(value)
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return mask(text)


def _append(path: str, lines: list[str]) -> None:
    """Each line is one write, so that those of several processes stay whole; one that a full disk cut off does not take the next along."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | _FLAGS, 0o600)
        try:
            is_cut = os.lseek(descriptor, 0, os.SEEK_END) > 0 and _last_byte(descriptor) != b"\n"
            for line in lines:
                data = f"{line}\n".encode("utf-8", "replace")
                is_cut = os.write(descriptor, b"\n" + data if is_cut else data) < len(data)
        finally:
            os.close(descriptor)
    except OSError:
        pass  # a log that cannot be written never fails an alert


def _last_byte(descriptor: int) -> bytes:
    os.lseek(descriptor, -1, os.SEEK_END)
    return os.read(descriptor, 1)


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
