"""One POST to a tenant: the only importer of requests. Must not retry, follow a redirect, decide what an answer means, or log.

TLS is always verified, against one trust source: `ca_file` or the CA bundle that ships with the app. Neither .netrc nor proxy variables of
the environment are consulted. An attempt has three limits: connect, read (between two reads), and a deadline over all, kept by closing the
socket from outside, since a peer that sends a byte now and then keeps every read alive.
"""

from __future__ import annotations

import base64
import http.client
import re
import socket
import ssl
import threading
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, NamedTuple

from . import unguessed  # noqa: F401  before anybody imports requests

# isort: split
import requests
import requests.adapters
import requests.certs
import requests.exceptions as failures
from urllib3 import exceptions as urllib3_failures
from urllib3.util.ssl_ import create_urllib3_context
from urllib3.util.ssl_match_hostname import CertificateError

from . import deadline
from .connections import POOLS, finish, is_address, peer
from .verdict import Answer

if TYPE_CHECKING:
    from typing import Callable

    import urllib3

    from .secret import Secret
    from .settings import Delivery

# The words of Answer.error, each with what it says to a person.
ERRORS = {
    "dns": "the host name cannot be resolved",
    "connect": "no connection",
    "refused": "the connection was refused",
    "timeout": "no answer in time",
    "reset": "the connection was closed before the answer was whole",
    "tls": "TLS failed",
    "certificate": "the certificate does not verify",
    "proxy": "the proxy cannot be used",
    "protocol": "the answer is not HTTP",
    "ca_file": "ca_file cannot be read",
    "request": "the request could not be made",
}
_GRACE_S = 10.0
# The body of an answer says nothing; it is read, and for so long, only to use the connection again.
_BODY_S = 1.0
_TUNNEL_STATUS = re.compile(r"Tunnel connection failed: (\d{3})")


class Limits(NamedTuple):
    """How long one attempt may take, in seconds."""

    connect_s: float
    read_s: float

    def within(self, budget_s: float) -> Limits:
        """The same, cut to what is left."""
        return Limits(max(min(self.connect_s, budget_s), 0.05), max(min(self.read_s, budget_s), 0.05))


class Webhook:
    """A client for all tenants, safe to use from many threads; each keeps its own connections alive."""

    def __init__(self, delivery: Delivery, proxy_password: Secret | None, user_agent: str) -> None:
        """Prepare; nothing is opened before the first POST.

        Args:
            delivery: time-outs, proxy and ca_file.
            proxy_password: for `proxy_username`.
            user_agent: the header.
        """
        self._limits = Limits(delivery.connect_timeout, delivery.read_timeout)
        self._proxy = delivery.proxy_url
        self._proxy_headers: dict[str, str] = {}
        if delivery.proxy_username:
            pair = f"{delivery.proxy_username}:{proxy_password.reveal() if proxy_password else ''}".encode(
                "utf-8", "replace"
            )
            self._proxy_headers = {"Proxy-Authorization": "Basic " + base64.b64encode(pair).decode("ascii")}
        self._ca_file = delivery.ca_file
        self._user_agent = user_agent
        self._trust: dict[bool, ssl.SSLContext] = {}
        self._lock = threading.Lock()
        self._threads = threading.local()
        self._sessions: list[requests.Session] = []
        self._deadlines = deadline.Deadlines()

    def post(self, url: str, token: Secret, body: bytes, key: str, *, budget_s: float | None = None) -> Answer:
        """Send one body.

        Args:
            url: where.
            token: the bearer token.
            body: UTF-8 JSON.
            key: the Idempotency-Key.
            budget_s: seconds after which the attempt must be over, where that is sooner than the settings say.

        Returns:
            The answer: a status once its headers are complete, whatever happens to the body; else the reason.
        """
        limits = self._limits.within(budget_s) if budget_s is not None else self._limits
        whole_s = min(sum(self._limits) + _GRACE_S, budget_s if budget_s is not None else float("inf"))
        headers = {
            "Authorization": "Bearer " + token.reveal(),
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        with self._deadlines.over(whole_s) as attempt:
            try:
                session = self._session()
                answer = session.post(
                    url,
                    data=body,
                    headers=headers,
                    timeout=(limits.connect_s, limits.read_s),
                    allow_redirects=False,
                    stream=True,
                )
            except (failures.RequestException, urllib3_failures.HTTPError, OSError, ValueError) as error:
                found = Answer(None, "timeout", ERRORS["timeout"]) if attempt.expired else explain(error)
                if found.error == "certificate":
                    self._forget_trust()
                return found
            status, retry_after = answer.status_code, answer.headers.get("Retry-After")
            tls, issuer = peer(answer.raw)
            attempt.shorten(_BODY_S)
            if status < 200 or not finish(answer.raw, answer.headers.get("Content-Length")):
                answer.close()
        return Answer(status, "", f"HTTP {status}", retry_after, tls, issuer)

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for session in self._sessions:
                session.close()
            self._sessions.clear()
        self._deadlines.close()

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._threads, "session", None)
        if session is None:
            session = _Session()
            session.trust_env = False
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
            session.headers.update(
                {"User-Agent": self._user_agent, "Accept": "application/json", "Accept-Encoding": "identity"}
            )
            session.mount("https://", _Adapter(self._context, self._proxy_headers))
            session.mount("http://", _Adapter(self._context, self._proxy_headers))
            if self._proxy:
                session.proxies = {"http": self._proxy, "https": self._proxy}
            self._threads.session = session
            with self._lock:
                self._sessions.append(session)
        return session

    def _context(self, *, by_name: bool = True) -> ssl.SSLContext:
        # Loading a bundle takes some 20 ms: once for all connections of all threads.
        with self._lock:
            if by_name not in self._trust:
                context: ssl.SSLContext = create_urllib3_context()  # type: ignore[no-untyped-call]
                if hasattr(ssl.SSLContext, "minimum_version"):
                    context.minimum_version = ssl.TLSVersion.TLSv1_2
                else:  # Splunk up to 9.4 has OpenSSL 1.0.2
                    context.options |= ssl.OP_NO_TLSv1 | ssl.OP_NO_TLSv1_1
                context.verify_mode = ssl.CERT_REQUIRED
                # For an IP address urllib3 gives OpenSSL no name, which this would refuse; it compares by itself then.
                context.check_hostname = by_name
                try:
                    context.load_verify_locations(self._ca_file or requests.certs.where())  # type: ignore[attr-defined]  # its types lack it
                except OSError as error:
                    raise _TrustError(self._ca_file) from error
                self._trust[by_name] = context
            return self._trust[by_name]

    def _forget_trust(self) -> None:
        # ca_file may be mended under its own name: it is read again at the next attempt.
        with self._lock:
            self._trust.clear()


class _Session(requests.Session):
    """Resolves no redirect, not even for `Response.next`: requests would read the answer's body for that, unpacked and without a limit."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """There is none."""


class _TrustError(ValueError):
    """ca_file cannot be used."""


def explain(error: BaseException) -> Answer:
    """Turn an exception of requests or urllib3 into an answer without a status. A test enumerates both libraries' classes."""
    chain = _chain(error)
    tunnel = next((found for found in (_TUNNEL_STATUS.search(str(item)) for item in chain) if found), None)
    if tunnel and tunnel.group(1) == "407":
        return Answer(407, "", "the proxy answered 407")
    found = [(word, item) for classes, word in _WORDS for item in chain if isinstance(item, classes)]
    word, item = found[0] if found else ("request", error)
    more = ""
    if word in ("certificate", "ca_file"):
        more = f": {getattr(item, 'verify_message', '') or item}"
    elif tunnel:
        more = f" (it answered {tunnel.group(1)})"
    elif word == "proxy":
        more = next((f" ({ERRORS[other]})" for other, _ in found if other in ("dns", "refused", "tls")), "")
    return Answer(None, word, ERRORS[word] + more)


def _chain(error: BaseException) -> list[BaseException]:
    """The exception and everything that it carries or came from."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting and len(found) < 30:
        item = waiting.pop(0)
        if isinstance(item, BaseException) and not any(item is known for known in found):
            found.append(item)
            waiting += [*item.args, getattr(item, "reason", None), item.__cause__, item.__context__]
    return found


# The first line that fits any exception of a chain counts: what says most stands first. All of requests' are OSErrors.
_WORDS: list[tuple[tuple[type[BaseException], ...], str]] = [
    ((_TrustError,), "ca_file"),
    ((ssl.SSLCertVerificationError, CertificateError), "certificate"),
    # Not urllib3's TimeoutError: its NewConnectionError, whatever the reason, is one.
    ((socket.timeout, urllib3_failures.ReadTimeoutError, failures.Timeout), "timeout"),
    (
        (
            urllib3_failures.ProxyError,
            urllib3_failures.ProxySchemeUnknown,
            urllib3_failures.ProxySchemeUnsupported,
            failures.ProxyError,
            failures.InvalidProxyURL,
        ),
        "proxy",
    ),
    ((socket.gaierror,), "dns"),
    ((ConnectionRefusedError,), "refused"),
    ((ssl.SSLError, urllib3_failures.SSLError, failures.SSLError), "tls"),
    ((ConnectionError, http.client.IncompleteRead, failures.ChunkedEncodingError), "reset"),
    ((http.client.HTTPException, urllib3_failures.DecodeError, failures.ContentDecodingError), "protocol"),
    ((urllib3_failures.ProtocolError,), "reset"),
    ((urllib3_failures.NewConnectionError, failures.ConnectionError), "connect"),
    ((urllib3_failures.TimeoutError,), "timeout"),
    ((failures.RequestException, urllib3_failures.HTTPError), "request"),
    ((OSError,), "connect"),
]


class _Adapter(requests.adapters.HTTPAdapter):
    """Connections that verify against one shared trust source, know the proxy's password, and can be found by `_Deadlines`."""

    def __init__(self, context: Callable[..., ssl.SSLContext], proxy_headers: dict[str, str]) -> None:
        self._make_context, self._headers_for_proxy = context, proxy_headers
        super().__init__(pool_connections=16, pool_maxsize=2)

    def init_poolmanager(self, *args: object, **kwargs: object) -> None:
        super().init_poolmanager(*args, **kwargs)  # type: ignore[no-untyped-call]
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: object) -> urllib3.ProxyManager:
        if proxy.lower().startswith("https"):
            kwargs["proxy_ssl_context"] = self._make_context()
        manager: urllib3.ProxyManager = super().proxy_manager_for(proxy, **kwargs)  # type: ignore[no-untyped-call]
        manager.pool_classes_by_scheme = POOLS  # type: ignore[attr-defined]  # the same
        return manager

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        return self._headers_for_proxy

    def add_headers(self, request: requests.PreparedRequest, **kwargs: object) -> None:
        proxies = kwargs.get("proxies")
        if proxies and (request.url or "").startswith("http://"):
            request.headers.update(self._headers_for_proxy)

    def cert_verify(self, conn: object, url: str, verify: object, cert: object) -> None:
        # The context verifies; naming a bundle here as well would make urllib3 load it again for each connection.
        if url.lower().startswith("https"):
            by_name = not is_address(conn.host)  # type: ignore[attr-defined]  # a connection pool
            conn.conn_kw["ssl_context"] = self._make_context(by_name=by_name)  # type: ignore[attr-defined]
            conn.cert_reqs = "CERT_REQUIRED"  # type: ignore[attr-defined]
