"""Messages on Splunk Web's bulletin board: one for each matter that needs a person, gone when it is mended. Must not block a delivery.

A new matter is put up at once, a changed text once a minute at most, and what has ended is taken down when it has stayed so for a moment:
an attempt in between must not make a message come and go. What an earlier process put up is taken over as it stands.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from .errors import SplunkdError

if TYPE_CHECKING:
    from .clock import Clock
    from .log import Log
    from .matters import Matter, Matters
    from .splunkd import Splunkd

_NAME = "parapet_security_"
_CHANGE_S = 60.0
_SETTLED_S = 5.0
_RETRY_S = 5.0
# Who ends waits so long: the deliveries are done then, and the lock is free.
_WAIT_S = 3.0


class _Message:
    """One that is up: its text (where that is known), since when, and since when nobody needs it; monotonic seconds."""

    def __init__(self, text: str, since: float) -> None:
        self.text, self.since, self.ended = text, since, float("inf")


class Bulletin:
    """This app's part of the board."""

    def __init__(self, splunkd: Splunkd, log: Log, clock: Clock) -> None:
        """Read nothing yet.

        Args:
            splunkd: a session that may write messages.
            log: where failures are told, at DEBUG.
            clock: the time.
        """
        self._splunkd, self._log, self._clock = splunkd, log, clock
        self._one = threading.Lock()
        self._asked = False
        self._thread: threading.Thread | None = None
        self._told: Matters | None = None
        self._again = float("inf")
        self._up: dict[str, _Message] | None = None
        self._host = ""

    def tell(self, matters: Matters) -> None:
        """Have the board say this, aside: a splunkd that answers slowly, or drips, delays nobody.

        Called as often as anybody likes: only what is due is sent, and what failed is sent again.
        """
        if matters != self._told or self._clock.monotonic() >= self._again:
            self._told, self._again = matters, float("inf")
            if not self._asked:
                self._asked = True
                # It holds up nobody's end either.
                self._thread = threading.Thread(target=self._in_turn, name="board", daemon=True)
                self._thread.start()

    def wait(self, most_s: float = _WAIT_S) -> None:
        """Give what was told the time to get to the board."""
        if self._thread is not None:
            self._thread.join(most_s)

    def _in_turn(self) -> None:
        with self._one:
            self._asked = False  # what is told from now on is not seen here any more
            self._show(self._told)

    def _show(self, told: Matters | None) -> None:
        if told is None or not (told.found or told.sure):
            return  # not worth a question yet
        try:
            if self._up is None:
                self._up = self._taken_over()
            for name, matter in told.found.items():
                self._put_up(name, matter, self._up, sure=told.sure)
            if told.sure:
                for name in [name for name in self._up if name not in told.found]:
                    self._take_down(name, self._up, at_once=told.is_last)
        except SplunkdError as error:
            self._again = self._clock.monotonic() + _RETRY_S
            self._log.event("bulletin.failed", reason=str(error))

    def _put_up(self, name: str, matter: Matter, board: dict[str, _Message], *, sure: bool) -> None:
        up = board.get(name)
        if up is not None:
            up.ended = float("inf")
        if not matter.text:
            return
        text = f"Parapet Security on {self._here()}: {matter.text}"
        is_due = matter.is_news if up is None else text != up.text and sure and self._is_time(up.since + _CHANGE_S)
        if is_due:
            self._splunkd.set_message(_NAME + name, text, "warn")
            board[name] = _Message(text, self._clock.monotonic())

    def _take_down(self, name: str, board: dict[str, _Message], *, at_once: bool) -> None:
        up = board[name]
        up.ended = min(up.ended, self._clock.monotonic())
        if at_once or self._is_time(up.ended + _SETTLED_S):
            self._splunkd.delete_message(_NAME + name)
            del board[name]

    def _is_time(self, due: float) -> bool:
        if due <= self._clock.monotonic():
            return True
        self._again = min(self._again, due)
        return False

    def _taken_over(self) -> dict[str, _Message]:
        now = self._clock.monotonic()
        found: dict[str, _Message] = {}
        for name, content in self._splunkd.messages().items():
            if name.startswith(_NAME):
                # Both are in an answer of 9.1.2; the REST reference of some releases names one, of some the other.
                text = content.get("message", "") or content.get(name, "")
                created = content.get("timeCreated_epochSecs", "")
                age = max(self._clock.now() - int(created), 0.0) if created.isdecimal() else float("inf")
                found[name[len(_NAME) :]] = _Message(text, now - age)
        return found

    def _here(self) -> str:
        if not self._host:
            self._host = self._splunkd.server_info().get("serverName") or "this host"
        return self._host
