"""The forwarder's process: waits for the lock, delivers as long as it lives, reads the configuration anew. Must not parse Splunk's XML."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from . import configuration, disk, places
from .bulletin import Bulletin
from .chores import Chores
from .clock import Clock
from .enrich import Enricher
from .errors import Exit, LockUnavailable, SplunkdError
from .forward import Goal, Turn
from .holder import Holder
from .log import Log
from .outbox import FOLDERS, Outbox
from .splunkd import Splunkd, conf_times
from .version import USER_AGENT, VERSION

if TYPE_CHECKING:
    from concurrent.futures import Future
    from typing import Callable, Mapping, TextIO

    from .secret import Secret
    from .settings import Settings

_LIFE_S = 3600.0
_LOOK_S = 0.25
_RELOAD_LOOK_S = 1.0
_RETRY_S = 5.0
_STUCK_S = 120.0
_WATCH_S = 0.5
# Splunk waits ten seconds, and then kills. Before it holds the lock, a process has nothing to bring to an end.
_END_S = 8.5
_END_IDLE_S = 1.0
_LAST_LOOK_S = 3.0


class Service:
    """One life of the forwarder."""

    def __init__(self, server_uri: str, session_key: Secret, stderr: TextIO, env: Mapping[str, str]) -> None:
        """Prepare; nothing is read or locked yet. Raises SplunkdError where `server_uri` is no address."""
        self._where = places.find(env)
        self._log = Log(self._where.logs if self._where.ours else "", stderr)
        self._log.hide([session_key.reveal()])
        self._clock = Clock()
        self._splunkd = Splunkd(server_uri, session_key)
        self._enrich = Splunkd(server_uri, session_key, timeout_s=2.0)
        self._outbox = Outbox(self._where.outbox)
        self._stop = threading.Event()
        self._parent = os.getppid()
        self._ends = self._clock.monotonic() + _LIFE_S
        self._beat = self._clock.monotonic()
        self._board = Bulletin(self._splunkd, self._log, self._clock)
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="aside")
        self._loading: Future[Settings] | None = None
        self._times: tuple[float, ...] = ()
        self._looked = float("-inf")
        self._failure = ""
        self._end_s = _END_IDLE_S

    def run(self) -> int:
        """Deliver until splunkd wants this process to end, or an hour has passed; returns an exit code."""
        if not self._where.ours:
            self._log.event(
                "action.refused", reason="$SPLUNK_HOME/var belongs to another user: the forwarder is Splunk's to start"
            )
            return Exit.USAGE
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()
        try:
            disk.make_folders(self._outbox.root, FOLDERS)
            settings = self._first_settings()
            if settings is not None and self._lock():
                self._end_s = _END_S
                try:
                    turn = self._deliver(settings)
                finally:
                    self._outbox.lock.release()
                self._look_once_more(turn)
                self._board.wait()
        except (OSError, LockUnavailable) as error:
            self._log.event(
                "outbox.lock_failed" if isinstance(error, LockUnavailable) else "outbox.failed", reason=str(error)
            )
            self._stop.wait(_RETRY_S)
        self._log.event("forwarder.ended", reason=self._why())
        return Exit.OK

    def _first_settings(self) -> Settings | None:
        while not self._is_over():
            self._times = conf_times(self._where.app)
            try:
                settings = configuration.load(self._splunkd)
            except SplunkdError as error:
                self._tell_failure(str(error))
                self._pause(0.0 if self._splunkd.session_ended else _RETRY_S)
            else:
                self._failure = ""
                return settings
        return None

    def _lock(self) -> bool:
        told = False
        while not self._is_over():
            if self._outbox.lock.try_acquire():
                return True
            if not told:
                self._log.event("forwarder.waiting")
                told = True
            self._pause(_LOOK_S)
        return False

    def _new_turn(self, settings: Settings, stopped: Callable[[], bool]) -> Turn:
        enricher = Enricher(self._enrich, self._log, self._clock.monotonic)
        return Turn(
            Holder(self._outbox),
            settings,
            clock=self._clock,
            log=self._log,
            enricher=enricher,
            user_agent=USER_AGENT,
            stopped=stopped,
        )

    def _deliver(self, settings: Settings) -> Turn:
        if conf_times(self._where.app) != self._times:
            # The wait for the lock can be long.
            settings = self._first_settings() or settings
        turn = self._new_turn(settings, self._is_over)
        chores = Chores(turn, Holder(self._outbox), self._clock, self._log, role="forwarder", tell=self._board.tell)
        self._tell_problems(settings)
        self._log.event("forwarder.started", version=VERSION, pid=os.getpid())

        def each_turn() -> None:
            self._beat = turn.beat
            self._reload(turn)
            chores()

        turn.run(Goal(self._ends, idle_ends=False), each_turn)
        chores.census()
        turn.close()
        return turn

    def _look_once_more(self, before: Turn) -> None:
        """An alert that was put while the lock was held relies on its holder, also on one that is ending."""
        turn, until = before, before.now() + _LAST_LOOK_S
        while turn.left_behind() and turn.now() < until and self._outbox.lock.try_acquire():
            try:
                turn = self._new_turn(before.settings, lambda: False)
                turn.run(Goal(until, wait=False))
                turn.close()
            finally:
                self._outbox.lock.release()

    def _reload(self, turn: Turn) -> None:
        now = self._clock.monotonic()
        if self._loading is None and now - self._looked >= _RELOAD_LOOK_S:
            self._looked = now
            times = conf_times(self._where.app)
            if times != self._times or turn.refused_by_token:
                self._times, turn.refused_by_token = times, False
                self._loading = self._aside.submit(configuration.load, self._splunkd)
        elif self._loading is not None and self._loading.done():
            done, self._loading = self._loading, None
            error = done.exception()
            if error is None:
                self._failure = ""
                settings = done.result()
                if settings != turn.settings:
                    self._tell_problems(settings)
                    turn.apply(settings)
            else:
                self._tell_failure(str(error) if isinstance(error, SplunkdError) else type(error).__name__)
                self._times = ()  # asked again a second later

    def _tell_failure(self, reason: str) -> None:
        if reason != self._failure:
            self._failure = reason
            self._log.event("settings.failed", reason=reason)

    def _tell_problems(self, settings: Settings) -> None:
        self._log.hide([secret.reveal() for secret in settings.secrets])
        self._log.event("settings.loaded", tenants=",".join(sorted(settings.tenants)), problems=len(settings.problems))
        for problem in settings.problems:
            self._log.event("settings.problem", problem=problem)

    def _is_over(self) -> bool:
        return bool(self._why())

    def _why(self) -> str:
        if self._stop.is_set():
            return "told to stop"
        if os.getppid() != self._parent:
            return "splunkd is gone"
        if self._splunkd.session_ended or self._enrich.session_ended:
            return "its session has ended"
        return "its hour is over" if self._clock.monotonic() >= self._ends else ""

    def _pause(self, seconds: float) -> None:
        self._beat = self._clock.monotonic()
        self._stop.wait(seconds)

    def _watch(self) -> None:
        """The watchdog: ends a process that makes no progress, or does not come to its end. What it was at stays in the outbox."""
        over_since = float("inf")
        while True:
            time.sleep(_WATCH_S)
            now = self._clock.monotonic()
            if now - self._beat > _STUCK_S:
                self._log.event("forwarder.stuck", silent_s=int(now - self._beat))
                os._exit(Exit.BUG)
            if self._is_over():
                over_since = min(over_since, now)
            if now - over_since > self._end_s:
                self._log.event("forwarder.ended", reason=self._why())
                os._exit(Exit.OK)
