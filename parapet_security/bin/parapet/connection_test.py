"""The connection test: one small body that says whether URL, token, TLS and proxy are right. Must not touch the outbox."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from . import verdict
from .message import test_body

if TYPE_CHECKING:
    from typing import Callable

    from .settings import Tenant
    from .verdict import Answer


class Finding(NamedTuple):
    """What a test found out about a tenant.

    Attributes:
        ok: whether the tenant accepts alerts.
        status: the HTTP status; "" without an answer.
        reason: a word: `accepted`, `configuration`, or what `verdict` says.
        detail: what happened, in words.
        todo: what to do; "" where nothing needs doing.
        ms: how long the answer took; "" where nothing was sent.
        tls, issuer: the version of TLS and the issuer of the certificate; "" where they were not seen.
    """

    ok: bool
    status: str
    reason: str
    detail: str
    todo: str
    ms: str = ""
    tls: str = ""
    issuer: str = ""


def run(post: Callable[[bytes, str], Answer]) -> Answer:
    """Send a test, with an id of its own each time.

    Args:
        post: sends a body under an id to the tenant.
    """
    name = "test-" + os.urandom(8).hex()
    return post(test_body(name), name)


def examine(tenant: Tenant, post: Callable[[bytes, str], Answer], monotonic: Callable[[], float]) -> Finding:
    """Test a tenant for an administrator.

    Args:
        tenant: as it is configured; one with a fault is not called.
        post: sends a body under an id to it.
        monotonic: seconds.
    """
    if tenant.fault:
        return unusable(tenant.fault, "mend it on the app's setup page")
    began = monotonic()
    answer = run(post)
    ms = str(int((monotonic() - began) * 1000))
    found = verdict.classify(answer)
    ok = found.kind is verdict.Kind.DELIVERED
    detail = f"the tenant accepted the test ({answer.detail})" if ok else answer.detail
    if not ok and answer.detail.startswith("HTTP "):
        detail = f"the answer was {answer.detail}"
    if ok and tenant.disabled:
        detail += "; it is paused, so its alerts wait all the same"
    return Finding(
        ok=ok,
        status="" if answer.status is None else str(answer.status),
        reason="accepted" if ok else found.reason,
        detail=detail,
        todo="" if ok else _INSTEAD.get(found.reason) or _INSTEAD.get(found.kind) or found.todo or _WAIT[found.kind],
        ms=ms,
        tls=answer.tls,
        issuer=answer.issuer,
    )


def unusable(why: str, todo: str) -> Finding:
    """What is to be said of a tenant that cannot even be called."""
    return Finding(ok=False, status="", reason="configuration", detail=why, todo=todo)


# What a person can do about a test, where an alert that gets the same answer is only tried again or given up.
_INSTEAD: dict[object, str] = {
    "timeout": "check whether a firewall lets this host connect, or set proxy_url; a test waits for 20 seconds, a delivery for read_timeout",
    verdict.Kind.REFUSED: "ask Parapet Security's support: URL and token were accepted, the test itself was not",
    verdict.Kind.TOO_LARGE: "ask Parapet Security's support: something before the tenant refuses even a small body",
}
_WAIT = {
    verdict.Kind.TENANT_WAITS: "wait: the tenant cannot take alerts at this moment, and they are kept until it can",
    verdict.Kind.ENTRY_WAITS: "wait: the tenant has a fault at this moment, and alerts are kept until it is mended",
}
