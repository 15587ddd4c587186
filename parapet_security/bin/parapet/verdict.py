"""What an answer of a tenant means: a pure table (wire.md, Answers). Must not wait, count or log.

| answer | verdict |
|---|---|
| 2xx | DELIVERED |
| 429; 503 with Retry-After | TENANT_WAITS |
| no answer (DNS, refused, reset, timeout, TLS, cut off, proxy) | TENANT_WAITS |
| a certificate that does not verify, a ca_file that cannot be used | TENANT_SLOW |
| 408, 425, any 5xx, and what is no HTTP status | ENTRY_WAITS |
| 3xx, 401, 403, 404, 407 | CONFIGURATION |
| 413 | TOO_LARGE |
| any other 4xx | REFUSED |
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """The seven things that can follow from an answer."""

    DELIVERED = "delivered"
    TENANT_WAITS = "tenant_waits"
    TENANT_SLOW = "tenant_slow"
    ENTRY_WAITS = "entry_waits"
    CONFIGURATION = "configuration"
    TOO_LARGE = "too_large"
    REFUSED = "refused"


class Answer(NamedTuple):
    """What one attempt brought: a status, or the reason why there is none.

    Attributes:
        status: the HTTP status, or None without complete headers.
        error: without a status one word of `webhook.ERRORS`, else "".
        detail: one line for a person, without a secret.
        retry_after: the header as it came, or None.
        tls: the version of TLS that was spoken, "" for none.
        issuer: who issued the server's certificate, by its name.
    """

    status: int | None
    error: str = ""
    detail: str = ""
    retry_after: str | None = None
    tls: str = ""
    issuer: str = ""


class Verdict(NamedTuple):
    """What follows, and why.

    Attributes:
        kind: what follows.
        reason: a word for the log: `status_503`, `timeout`, …
        todo: what a person can do about it, "" where nothing needs doing.
    """

    kind: Kind
    reason: str
    todo: str = ""


_CONFIGURATION = {
    401: "the tenant refuses the token: store a new one for this tenant on the setup page",
    403: "the tenant refuses the token, or something before it (a firewall, a proxy) refuses the request: check token and URL",
    404: "there is no webhook at this URL: compare it with Settings → Service Tokens at Parapet Security",
    407: "the proxy wants a user name and a password, or refuses these: set proxy_username and the proxy's password",
}
_REDIRECT = "the URL answers with a redirect, which is never followed (it would carry the token elsewhere): set the final webhook URL"
# Without an answer: it is tried again by itself, and may be an outage; where it lasts, this is what to look at.
_NO_ANSWER = {
    "dns": "check the host's name in the URL, and that this host can resolve it (through a proxy it need not: set proxy_url)",
    "refused": "check host and port in the URL, and whether a firewall lets this host connect",
    "connect": "check whether a firewall lets this host connect, or set proxy_url",
    "timeout": "check whether a firewall lets this host connect, or set proxy_url; where answers are slow, raise read_timeout",
    "proxy": "check proxy_url, and that the proxy is up and lets this host through",
    "protocol": "check the URL's port, and proxy_url: what answers there does not speak HTTP",
    "tls": "check that the URL's port speaks TLS 1.2 or later",
}
# Without an answer, and somebody has to mend something.
_SLOW = {
    "certificate": "the certificate does not verify: set ca_file to the CA that signed it (a proxy that opens TLS has its own), or mend the server",
    "ca_file": "ca_file cannot be read, or holds no certificate: set it to a PEM file that the user who runs Splunk can read, on every host",
}


def classify(answer: Answer) -> Verdict:
    """Decide what an answer means.

    Args:
        answer: what one attempt brought.

    Returns:
        The verdict; every possible answer has one.
    """
    status = answer.status
    if status is None:
        if answer.error in _SLOW:
            return Verdict(Kind.TENANT_SLOW, answer.error, _SLOW[answer.error])
        return Verdict(Kind.TENANT_WAITS, answer.error or "no_answer", _NO_ANSWER.get(answer.error, ""))
    reason = f"status_{status}"
    if 200 <= status < 300:
        return Verdict(Kind.DELIVERED, reason)
    if status == 429 or (status == 503 and answer.retry_after is not None):
        return Verdict(Kind.TENANT_WAITS, reason)
    if status in _CONFIGURATION:
        return Verdict(Kind.CONFIGURATION, reason, _CONFIGURATION[status])
    if 300 <= status < 400:
        return Verdict(Kind.CONFIGURATION, reason, _REDIRECT)
    if status == 413:
        return Verdict(Kind.TOO_LARGE, reason)
    if 400 <= status < 500 and status not in (408, 425):
        return Verdict(
            Kind.REFUSED,
            reason,
            "this body will never be accepted as it is: show it to Parapet Security's support",
        )
    return Verdict(Kind.ENTRY_WAITS, reason)
