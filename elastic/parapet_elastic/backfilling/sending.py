"""Sends rendered bodies through the connector, one after the other, as slowly as it has to be. Must not choose what to send.

The answers of _execute (contract kibana.md, "Response handling"): HTTP 200 with `status` "ok" or "error". An error that passes (429, 5xx,
no connection) is waited for, and the same body is sent again; one that is about the body (400, 413, …) is this body's only; one that is
about token, URL, licence or rights stops, since the next body would fare no better.
"""

from __future__ import annotations

import re
import time
from datetime import datetime, timezone
from enum import Enum
from typing import TYPE_CHECKING, Any

from parapet_elastic import answers, connector, waits
from parapet_elastic.errors import Exit, Failure
from parapet_elastic.kibana import Refused, Unclear
from parapet_elastic.times import moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from parapet_elastic.kibana import Kibana

_TRIES = 8
_FIRST_WAIT_S = 2.0
_LONGEST_WAIT_S = 300.0
_LONGEST_ASKED_S = 3600.0
_BODY = {"400", "413", "415", "422"}
_SETTINGS = {"401", "403", "404", "407"}


class Verdict(Enum):
    """What an answer means."""

    SENT = "sent"
    LATER = "later"
    TOO_LARGE = "too large"
    REFUSED = "refused"
    STOP = "stop"


def verdict(answer: Any) -> Verdict:
    """Return what an answer of _execute means."""
    outcome = answers.outcome(answer)
    if outcome is not None and outcome["status"] == "ok":
        return Verdict.SENT
    if outcome is None or outcome.get("retry"):
        return Verdict.LATER  # what is no answer is as a lost one: nobody knows whether it was sent
    found = re.search(r"\[(\w+)\]", str(outcome.get("service_message") or ""))
    code = found[1] if found else ""
    if code == "413":
        return Verdict.TOO_LARGE
    if code in _BODY:
        return Verdict.REFUSED
    if code in _SETTINGS or code.startswith("3") or not found:
        return Verdict.STOP
    return Verdict.REFUSED if re.fullmatch(r"4(?!08|25|29)\d\d", code) else Verdict.LATER


class Sender:
    """One connector, and how fast it may be used.

    Attributes:
        refusal: Kibana's words about the last body that was refused.
    """

    def __init__(
        self, kibana: Kibana, connector_id: str, rate: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin at once; `rate` is requests a second at most."""
        self._kibana = kibana
        self._path = connector.path(connector_id, "/_execute")
        self._every = 1 / rate
        self._clock = clock
        self._next = clock()
        self.refusal = ""

    def send(self, body: str) -> Verdict:
        """Send one body until it is sent or refused (SENT, REFUSED, TOO_LARGE).

        Raises:
            Failure: It is not sent, and the next one would not be: nothing is lost, run it again.
        """
        for attempt in range(_TRIES):
            self._pace()
            found, asked = self._try(body)
            if found is not Verdict.LATER:
                return found
            if attempt < _TRIES - 1:
                self._wait(attempt, asked)
        raise Failure(
            f"it is still not accepted after {_TRIES} attempts: {self.refusal}",
            exit=Exit.INCOMPLETE,
            todo="Nothing is lost: run the same command again later, it goes on where it stopped.",
        )

    def _try(self, body: str) -> tuple[Verdict, float]:
        """Send it once; return the verdict, and the seconds that were asked for."""
        try:
            # Sent again after a lost answer, too: the alert's id is in it, and the receiver knows it.
            answer = self._kibana.post(self._path, {"params": {"body": body}}, again=True)
        except Unclear as unclear:
            self.refusal = str(unclear)
            return Verdict.LATER, 0.0
        except Refused as refused:
            return self._refused(refused), 0.0
        found = verdict(answer)
        if found is Verdict.SENT:
            return found, 0.0
        outcome = answers.outcome(answer)
        if outcome is None:
            self.refusal = "Kibana's answer is not what its API promises"
            return found, 0.0
        self.refusal = answers.words_of(outcome)
        if found is Verdict.STOP:
            problem, todo = answers.explain(self.refusal)
            raise Failure(
                f"{problem} ({self.refusal})", exit=Exit.REFUSED, todo=f"{todo} Nothing is lost: run it again then."
            )
        return found, _seconds(outcome.get("retry"))

    def _refused(self, refused: Refused) -> Verdict:
        self.refusal = str(refused)
        if refused.status == 413:
            return Verdict.TOO_LARGE  # Kibana's own limit (server.maxPayload)
        if refused.status == 429 or refused.status >= 500:
            return Verdict.LATER
        raise refused

    def _pace(self) -> None:
        now = self._clock()
        if self._next > now:
            self._kibana.sleep(self._next - now)
        self._next = max(self._next, now) + self._every

    def _wait(self, attempt: int, asked: float) -> None:
        seconds = max(waits.spread(attempt + 1, _FIRST_WAIT_S, _LONGEST_WAIT_S), asked)
        self._kibana.on_wait(seconds, f"not accepted yet: {self.refusal}")
        self._kibana.sleep(seconds)


def _seconds(retry: Any) -> float:
    """Return how long Kibana says to wait: `retry` is true, or the time of the receiver's Retry-After."""
    if not isinstance(retry, str):
        return 0.0
    try:
        seconds = (moment(retry) - datetime.now(timezone.utc)).total_seconds()
    except ValueError:
        return 0.0
    return min(max(seconds, 0.0), _LONGEST_ASKED_S)
