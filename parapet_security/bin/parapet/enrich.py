"""Asks Splunk what a firing did not say. Must not delay an alert for long, and never fails it: it goes without."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from .errors import SplunkdError, Unauthorized
from .message import Facts

if TYPE_CHECKING:
    from typing import Callable

    from .alert import Alert
    from .log import Log
    from .splunkd import Splunkd

# After a failure splunkd is left alone for so long: an alert that waits for it again and again would wait for nothing.
_QUIET_S = 30.0


class Enricher:
    """Facts for alerts, from one splunkd; safe to use from many threads."""

    def __init__(self, splunkd: Splunkd | None, log: Log, monotonic: Callable[[], float]) -> None:
        """Ask nothing yet.

        Args:
            splunkd: a session with a short time-out, or None where there is none.
            log: where failures are told, at DEBUG.
            monotonic: the clock for pauses.
        """
        self._splunkd, self._log, self._monotonic = splunkd, log, monotonic
        self._server: dict[str, str] | None = None
        self._quiet_until = float("-inf")
        self._lock = threading.Lock()

    def facts(self, alert: Alert) -> Facts:
        """What could be learned; Facts() where splunkd does not answer."""
        server = self._ask_server()
        job: dict[str, str] = {}
        search: dict[str, str] = {}
        if alert.sid and not (alert.result_count and alert.search_query and alert.earliest and alert.latest):
            job = self._ask(lambda splunkd: splunkd.job(alert.sid))
        if alert.search_uri and not ((alert.search_query or job.get("search")) and alert.alert_severity):
            search = self._ask(lambda splunkd: splunkd.saved_search(alert.search_uri))
        count = job.get("resultCount", "")
        return Facts(
            search_query=search.get("search", "") or job.get("search", ""),
            earliest=job.get("earliestTime", ""),
            latest=job.get("latestTime", ""),
            description=search.get("description", ""),
            alert_severity=search.get("alert.severity", ""),
            result_count=int(count) if count.isascii() and count.isdigit() and alert.action_mode == "saved" else None,
            server_guid=server.get("guid", ""),
            server_version=server.get("version", ""),
        )

    def _ask_server(self) -> dict[str, str]:
        if self._server is None:
            found = self._ask(lambda splunkd: splunkd.server_info())
            self._server = found or None
        return self._server or {}

    def _ask(self, question: Callable[[Splunkd], dict[str, str]]) -> dict[str, str]:
        splunkd = self._splunkd
        with self._lock:
            if splunkd is None or self._monotonic() < self._quiet_until:
                return {}
        try:
            return question(splunkd)
        except SplunkdError as error:
            self._log.event("enrichment.failed", reason=str(error))
            if error.code in ("splunkd_unreachable", Unauthorized.code):
                with self._lock:
                    self._quiet_until = self._monotonic() + _QUIET_S
            return {}
