"""Asks Splunk what a firing did not say. Must not delay an alert for longer than two seconds, and never fails it: it goes without.

Every question is a daemon thread's, so that neither an alert nor the end of the process waits for a splunkd that is silent or drips. Whoever
asks the same meanwhile waits for the same answer; one that comes too late is there for the next alert.
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

from . import notable
from .errors import Forbidden, NotFound, SplunkdError
from .message import Facts, count

if TYPE_CHECKING:
    from typing import Callable, Dict

    from .alert import Alert
    from .log import Log
    from .splunkd import Splunkd

    Ask = Callable[[Splunkd], Dict[str, str]]

# All that one alert waits, for all of its questions.
_PATIENCE_S = 2.0
# After a failure splunkd is left alone for so long: an alert that waits for it again and again would wait for nothing.
_QUIET_S = 30.0
# So long a saved search counts as it was, also one that is not there or not for us to see.
_KEPT_S = 300.0
_KEPT_MOST = 256
# Threads that a dripping splunkd can hold; sixteen workers ask three questions each at most.
_THREADS_MOST = 48
_SEARCH = ("search", "description", "alert.severity", *notable.ATTRIBUTES)
# search/v2/jobs came with 9.0.1.
_WITHOUT_V2 = re.compile(r"[0-8]\.|9\.0\.0(?:\.|\Z)")


class _Question:
    """One question: `answer` is {} until it is `done`, and where there was none. From `until` on it is asked anew."""

    def __init__(self, until: float) -> None:
        self.done = threading.Event()
        self.answer: dict[str, str] = {}
        self.until = until


_NOT_ASKED = _Question(0.0)
_NOT_ASKED.done.set()


class Enricher:
    """Facts for alerts, from one splunkd; safe to use from many threads."""

    def __init__(self, splunkd: Splunkd | None, log: Log, monotonic: Callable[[], float]) -> None:
        """Ask nothing yet.

        Args:
            splunkd: a session with a short time-out, or None where there is none.
            log: where failures are told, at DEBUG.
            monotonic: the clock for pauses, and for how long an answer counts.
        """
        self._splunkd, self._log, self._monotonic = splunkd, log, monotonic
        self._questions: dict[str, _Question] = {}
        self._threads = 0
        self._quiet_until = float("-inf")
        self._lock = threading.Lock()

    def facts(self, alert: Alert) -> Facts:
        """What could be learned within two seconds; Facts() where splunkd does not answer."""
        started = self._monotonic()
        is_quiet = started < self._quiet_until
        asked_server = self._ask("server", lambda splunkd: splunkd.server_info(), keep_s=float("inf"))
        asked_search = asked_job = _NOT_ASKED
        if alert.search_uri:
            asked_search = self._ask(alert.search_uri, lambda splunkd: _search(splunkd, alert), keep_s=_KEPT_S)
        if alert.sid and not (alert.result_count and alert.search_query and alert.earliest and alert.latest):
            asked_job = self._ask("job " + alert.sid, lambda splunkd: _job(splunkd, alert, asked_server), keep_s=0.0)
        asked = (asked_server, asked_search, asked_job)
        ends = started if is_quiet else started + _PATIENCE_S
        in_time = all(question.done.wait(max(ends - self._monotonic(), 0.0)) for question in asked)
        if not in_time and not is_quiet:
            self._leave_alone(f"splunkd did not answer within {_PATIENCE_S:g} s")
        server, search, job = [question.answer for question in asked]
        return Facts(
            search_query=search.get("search", "") or job.get("search", ""),
            earliest=job.get("earliestTime", ""),
            latest=job.get("latestTime", ""),
            description=search.get("description", ""),
            alert_severity=search.get("alert.severity", ""),
            result_count=count(job.get("resultCount", "")) if alert.action_mode == "saved" else None,
            server_guid=server.get("guid", ""),
            server_version=server.get("version", ""),
            correlation=notable.attributes(search),
        )

    def _ask(self, name: str, ask: Ask, *, keep_s: float) -> _Question:
        """The question of this name: a new one, unless it is asked already or its answer still counts."""
        with self._lock:
            now = self._monotonic()
            known = self._questions.get(name)
            if known is not None and now < known.until:
                return known
            if self._splunkd is None or now < self._quiet_until or self._threads >= _THREADS_MOST:
                return _NOT_ASKED
            self._questions.pop(name, None)
            if len(self._questions) >= _KEPT_MOST:
                del self._questions[next(iter(self._questions))]
            question = self._questions[name] = _Question(now + _QUIET_S)
            self._threads += 1
        thread = threading.Thread(target=self._run, args=(question, ask, keep_s), name="enrich", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            self._settle(question, 0.0)
            self._log.event("enrichment.failed", reason=str(error))
        return question

    def _run(self, question: _Question, ask: Ask, keep_s: float) -> None:
        counts_s = 0.0
        try:
            question.answer = ask(self._splunkd)  # type: ignore[arg-type]  # nothing is asked without one
            counts_s = keep_s
        except (NotFound, Forbidden) as error:
            counts_s = min(keep_s, _KEPT_S)
            self._log.event("enrichment.failed", reason=str(error))
        except Exception as error:  # noqa: BLE001  # a question costs its facts at most, and nobody is there to catch a thread's error
            self._leave_alone(str(error) if isinstance(error, SplunkdError) else type(error).__name__)
        finally:
            self._settle(question, counts_s)

    def _settle(self, question: _Question, counts_s: float) -> None:
        with self._lock:
            self._threads -= 1
            question.until = self._monotonic() + counts_s
            if not counts_s:
                self._questions = {name: other for name, other in self._questions.items() if other is not question}
        question.done.set()

    def _leave_alone(self, reason: str) -> None:
        with self._lock:
            self._quiet_until = self._monotonic() + _QUIET_S
        self._log.event("enrichment.failed", reason=reason)


def _search(splunkd: Splunkd, alert: Alert) -> dict[str, str]:
    content = splunkd.saved_search(alert.search_uri)
    return {name: content[name] for name in _SEARCH if content.get(name)}


def _job(splunkd: Splunkd, alert: Alert, server: _Question) -> dict[str, str]:
    try:
        return splunkd.job(alert.sid)
    except NotFound:
        if not server.done.wait(_PATIENCE_S) or not _WITHOUT_V2.match(server.answer.get("version", "")):
            raise
        return splunkd.job(alert.sid, v2=False)
