"""Sends one request and reads the whole answer: the only importer of requests. Must not try again, nor show a credential."""

from __future__ import annotations

import concurrent.futures
import ssl
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import requests
import urllib3.exceptions

from parapet_elastic import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from parapet_elastic.access import Access

_CONNECT_S = 10
_LARGEST = 64 * 2**20
# A socket's timeout is for the next bytes only: who sends one now and then is never too late.
_TIMEOUTS = 5


class Endless(requests.exceptions.RequestException):
    """The answer is larger, or takes longer, than any of Kibana's."""


@dataclass(frozen=True)
class Answer:
    """An answer, read to its end."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def ok(self) -> bool:
        """Whether it is no error."""
        return self.status_code < 400


@dataclass
class Wire:
    """One connection that is kept."""

    access: Access
    _session: requests.Session = field(default_factory=requests.Session, repr=False)

    def __post_init__(self) -> None:
        """Set up the connection: no .netrc, no proxy variables; what is configured is what happens."""
        self._session.trust_env = False
        self._session.headers.update({"kbn-xsrf": "true", "User-Agent": f"parapet-elastic/{__version__}"})
        if self.access.ca_file:
            self._session.verify = self.access.ca_file
        if self.access.proxy:
            self._session.proxies = {"http": self.access.proxy, "https": self.access.proxy}
        credentials = self.access.authorization()
        if credentials:
            self._session.headers["Authorization"] = credentials

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def send(
        self, method: str, path: str, query: Mapping[str, Any] | None, body: Any, headers: Mapping[str, str] | None
    ) -> Answer:
        """Send, and read the answer.

        Raises:
            OSError: There is no whole answer, for one of many reasons: see `explain`.
        """
        found: concurrent.futures.Future[Answer] = concurrent.futures.Future()

        def work() -> None:
            try:
                found.set_result(self._exchange(method, path, query, body, headers))
            except BaseException as exc:  # noqa: BLE001 - raised again where it is waited for
                found.set_exception(exc)

        threading.Thread(target=work, daemon=True).start()
        try:
            return found.result(_CONNECT_S + _TIMEOUTS * self.access.timeout)
        except concurrent.futures.TimeoutError:
            raise Endless from None
        except requests.exceptions.ProxyError as exc:
            if never_sent(exc):
                raise
            # urllib3 forgets that it got through as soon as the connection is cut.
            raise requests.exceptions.ConnectionError from exc

    def _exchange(
        self, method: str, path: str, query: Mapping[str, Any] | None, body: Any, headers: Mapping[str, str] | None
    ) -> Answer:
        with self._session.request(
            method,
            self.access.url + path,
            params=query,
            json=body,
            headers=headers,
            timeout=(_CONNECT_S, self.access.timeout),
            allow_redirects=False,  # it would carry the credentials elsewhere
            stream=True,
        ) as answer:
            content = bytearray()
            for piece in answer.iter_content(65536):
                content += piece
                if len(content) > _LARGEST:
                    raise Endless
            length = answer.headers.get("Content-Length", "")
            if length.isdigit() and answer.raw.tell() < int(length):
                # Not every version of requests looks whether a body is whole.
                raise requests.exceptions.ConnectionError("the answer broke off")
            return Answer(answer.status_code, answer.headers, bytes(content))


def explain(exc: OSError, timeout: float) -> tuple[str, str]:
    """Return why there is no answer, in words of our own, and what to do: the library's hold addresses, and a proxy's may hold a password."""
    todo = next((todo for kind, todo in _REMEDIES if isinstance(exc, kind)), "")
    return _why(exc, timeout), todo


def _why(exc: OSError, timeout: float) -> str:
    for cause in _causes(exc):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({cause.verify_message})"
    for kind, words in _WORDS:
        if isinstance(exc, kind):
            return words.format(connect=_CONNECT_S, answer=timeout)
    if never_sent(exc):
        return "no connection"
    return "the connection was cut" if may_pass(exc) else "the answer cannot be read"


# The first that fits: some are kinds of others.
_WORDS = (
    (Endless, "the answer does not end"),
    (requests.exceptions.SSLError, "it does not speak TLS as it should, or was cut while it did"),
    (requests.exceptions.ProxyError, "the proxy does not let us through"),
    (requests.exceptions.ConnectTimeout, "no connection within {connect:g} s"),
    (requests.exceptions.Timeout, "no answer within {answer:g} s"),
)
_REMEDIES = (
    (Endless, "Look at the address, and at the proxy if there is one: Kibana's answers are small."),
    (
        requests.exceptions.SSLError,
        "Give the authority that signed its certificate with --ca-file FILE, or look at the address.",
    ),
    (requests.exceptions.ProxyError, "Look at --proxy or KIBANA_PROXY, and at what the proxy allows."),
    (requests.exceptions.Timeout, "Look at the address and at firewalls, or give it longer with --timeout."),
    (requests.exceptions.ConnectionError, "Look at the address (KIBANA_URL, --kibana-url), and whether Kibana runs."),
)


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """Return the exception and what it was raised for, outermost first."""
    found: BaseException | None = exc
    while found is not None:
        yield found
        # urllib3's own word for what a proxy's failure was.
        found = getattr(found, "original_error", None) or found.__cause__ or found.__context__


def never_sent(exc: OSError) -> bool:
    """Whether no byte of the request has left: there was no connection, or no trust in it, or no way to address it."""
    if isinstance(exc, (requests.exceptions.ConnectTimeout, requests.exceptions.InvalidURL)):
        return True
    # requests words a refused connection and a cut one with one class.
    never = (
        urllib3.exceptions.NewConnectionError,
        urllib3.exceptions.ConnectTimeoutError,
        ssl.SSLCertVerificationError,
    )
    # http.client has no class for a proxy that refuses CONNECT.
    return any(isinstance(cause, never) or str(cause).startswith("Tunnel connection failed") for cause in _causes(exc))


def may_pass(exc: OSError) -> bool:
    """Whether the next attempt may go better: a certificate or an address that is wrong stays so."""
    passing = (
        requests.exceptions.ConnectionError,
        requests.exceptions.Timeout,
        requests.exceptions.ChunkedEncodingError,
    )
    return isinstance(exc, passing) and not isinstance(
        exc, (requests.exceptions.SSLError, requests.exceptions.ProxyError)
    )
