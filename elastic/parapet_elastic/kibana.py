"""Talks to Kibana's HTTP API, and tries again where that is safe. Must not know what is asked for, nor show a credential."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from parapet_elastic import waits
from parapet_elastic.answers import shortened
from parapet_elastic.errors import Exit, Failure
from parapet_elastic.wire import Wire, explain, may_pass, never_sent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typing_extensions import Self

    from parapet_elastic.access import Access
    from parapet_elastic.wire import Answer

_ATTEMPTS = 5
_LATER = (502, 503, 504)
# Elastic's own marker for calls to routes that are not part of the public API; public ones ignore it.
_INTERNAL = {"x-elastic-internal-origin": "Kibana"}


class Refused(Failure):
    """Kibana answered with an error.

    Attributes:
        status: The HTTP status.
        message: Kibana's own words, all of them; empty where it had none.
        body: The JSON of the answer, None where it is none.
    """

    def __init__(self, status: int, message: str, where: str, body: Any = None) -> None:
        """Keep the three, and make the sentence of them."""
        super().__init__(
            f"Kibana answered {status} to {where}" + (f": {shortened(message)}" if message else ""),
            exit=Exit.UNREACHABLE if status == 429 or status >= 500 else Exit.REFUSED,
            todo=_TODO.get(status, ""),
        )
        self.status = status
        self.message = message
        self.body = body


class Unclear(Failure):
    """A change was sent, and nobody knows whether Kibana has made it: the answer was lost, or was a 5xx."""


_TODO = {
    401: "Check the API key, or user and password: Kibana does not accept them.",
    403: "The user or API key lacks a right; `parapet-elastic doctor` says which.",
    429: "It is busy; run the command again later.",
    503: "It is starting, stopping or overloaded; run the command again later.",
}


@dataclass
class Kibana:
    """One Kibana, one space, one connection that is kept.

    Attributes:
        access: Where and how.
        on_wait: Is told (seconds, why) before each wait, for the person who watches.
        sleep: Waits; tests put another in its place.
    """

    access: Access
    on_wait: Callable[[float, str], None] = lambda _seconds, _why: None
    sleep: Callable[[float], None] = time.sleep
    _wire: Wire = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Set up the connection."""
        self._wire = Wire(self.access)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_exc: object) -> None:
        """Close the connection."""
        self._wire.close()

    def get(self, path: str, query: Mapping[str, Any] | None = None, *, internal: bool = False) -> Any:
        """Read; tried again where that may help.

        Args:
            path: Without the space, as in "/api/actions/connectors".
            query: Parameters of the query string.
            internal: Whether the route is not part of Kibana's public API.

        Raises:
            Refused: Kibana answered with an error.
            Failure: It did not answer, or not as Kibana does (exit code UNREACHABLE).
        """
        return self._call("GET", path, query=query, internal=internal, again=True)

    def put(self, path: str, body: Any) -> Any:
        """Replace; safe to send twice, so tried again. Raises as `get`."""
        return self._call("PUT", path, body=body, again=True)

    def patch(self, path: str, body: Any) -> Any:
        """Set fields; safe to send twice, so tried again. Raises as `get`."""
        return self._call("PATCH", path, body=body, again=True)

    def delete(self, path: str) -> Any:
        """Remove; tried again. Raises as `get`: a second attempt may find nothing (404)."""
        return self._call("DELETE", path, again=True)

    def post(self, path: str, body: Any, query: Mapping[str, Any] | None = None, *, again: bool = False) -> Any:
        """Send; tried again only where Kibana has certainly not acted (429, no connection), or with `again`.

        Raises:
            Unclear: Kibana may have acted: the answer was lost, or was 502, 503, 504.
            Refused: As for `get`; a 500 is Refused with its body, for what is left to the caller.
            Failure: As for `get`.
        """
        return self._call("POST", path, query=query, body=body, again=again)

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        internal: bool = False,
        again: bool,
    ) -> Any:
        where = f"{method} {path}"
        for attempt in range(1, _ATTEMPTS + 1):
            last = attempt == _ATTEMPTS
            try:
                answer = self._send(method, path, query, body, internal=internal)
            except OSError as exc:  # all of requests' own errors are
                failure = self._failure(exc, where)
                if last or (not again and not never_sent(exc)) or not may_pass(exc):
                    raise failure from None
                self._wait(attempt, None, str(failure))
                continue
            if answer.status_code == 500 and method == "GET" and attempt == 1:
                # Once: it may have passed, as when a shard has moved; what goes on is Kibana's mistake, or ours.
                self._wait(attempt, None, "Kibana answers 500")
                continue
            if answer.status_code == 429 and not last:
                self._wait(attempt, answer.headers.get("Retry-After"), "Kibana is rate limited (429)")
                continue
            if answer.status_code in _LATER:
                if not again:
                    raise Unclear(f"Kibana answered {answer.status_code} to {where}", exit=Exit.UNREACHABLE)
                if not last:
                    self._wait(attempt, answer.headers.get("Retry-After"), f"Kibana answers {answer.status_code}")
                    continue
            return self._read(answer, where)
        raise AssertionError("the last attempt returns or raises")

    def _send(self, method: str, path: str, query: Mapping[str, Any] | None, body: Any, *, internal: bool) -> Answer:
        space = "" if self.access.space == "default" else "/s/" + quote(self.access.space, safe="")
        return self._wire.send(method, space + path, query, body, _INTERNAL if internal else None)

    def _read(self, answer: Answer, where: str) -> Any:
        if 300 <= answer.status_code < 400:
            raise Failure(
                f"{self.access.url} redirects to somewhere else, so it is not where Kibana's API is",
                exit=Exit.UNREACHABLE,
                todo="Give Kibana's own address, with its base path if it has one (server.basePath).",
            )
        try:
            body = json.loads(answer.content) if answer.content else None
        except (ValueError, RecursionError):
            if answer.ok:
                raise Failure(
                    f"what answers at {self.access.url} is not Kibana: no JSON to {where}", exit=Exit.UNREACHABLE
                ) from None
            body = None
        if answer.ok:
            return body
        message = body.get("message", "") if isinstance(body, dict) else ""
        raise Refused(answer.status_code, " ".join(str(message).split()), where, body)

    def _wait(self, attempt: int, retry_after: str | None, why: str) -> None:
        seconds = waits.seconds(attempt, retry_after)
        self.on_wait(seconds, why)
        self.sleep(seconds)

    def _failure(self, exc: OSError, where: str) -> Failure:
        why, todo = explain(exc, self.access.timeout)
        if where.startswith("POST ") and not never_sent(exc):
            return Unclear(f"no answer from {self.access.url} to {where}: {why}", exit=Exit.UNREACHABLE)
        if self.access.url.startswith("http:") and not never_sent(exc) and may_pass(exc):
            todo = f"Is it https? {todo}"
        return Failure(f"Kibana at {self.access.url}: {why}", exit=Exit.UNREACHABLE, todo=todo)
