"""What the demo promises, looked at once more: the guide's values in the body, the contract, the ids, no token anywhere.

It must not do anything about a broken promise but say which one it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.standins import tenant_contract

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.scene import Scene

# What the guide says that a tenant gets for this alert; the rest of the body is ours to add.
_PROMISED: dict[str, Any] = {
    "source": "splunk",
    "timestamp": "2026-01-28T15:30:00Z",
    "severity": "high",
    "result_count": 2,
}
_PROMISED_SEARCH = {
    "name": "Failed SSH Logins",
    "query": "source=/var/log/auth.log failed password | stats count by src_ip",
    "earliest": "2026-01-28T14:30:00Z",
    "latest": "2026-01-28T15:30:00Z",
}
_PROMISED_ROW = {
    "_time": "2026-01-28T15:25:00Z",
    "src_ip": "45.227.253.98",
    "count": "47",
    "user": "root",
    "host": "web-server-01",
}


class BrokenPromise(Exception):
    """Something did not happen as it should; the text is one sentence."""


def promise(kept: bool, otherwise: str) -> None:  # noqa: FBT001 - it reads as a sentence
    """Raises BrokenPromise with a sentence where something is not as it should be."""
    if not kept:
        raise BrokenPromise(otherwise)


def request_kept(record: Any, body: Any, token: str) -> None:
    """Looks at one request that the tenant accepted. Raises BrokenPromise."""
    headers = record.headers
    try:
        tenant_contract.check_schema(body)
    except tenant_contract.Refused as exc:
        raise BrokenPromise(f"the body breaks the contract: {exc}") from exc
    promise(headers.get("authorization") == f"Bearer {token}", "the token is not in the Authorization header")
    promise(headers.get("content-type") == "application/json", "Content-Type is not application/json")
    promise(headers.get("idempotency-key") == body["id"], "Idempotency-Key is not the body's id")
    promise(bool(record.tls), "the request did not come over TLS")
    for wanted, part in ((_PROMISED, body), (_PROMISED_SEARCH, body["search"]), (_PROMISED_ROW, body["results"])):
        for key, value in wanted.items():
            promise(part.get(key) == value, f"{key} should be {value!r} and is {part.get(key)!r}")


def all_kept(scene: Scene, alert_ids: Sequence[str]) -> None:
    """Looks at what is true of all alerts together. Raises BrokenPromise."""
    promise(len(set(alert_ids)) == len(alert_ids), "two firings have the same id")
    promise(len(scene.tenant.accepted) == len(alert_ids), f"the tenant accepted {len(scene.tenant.accepted)} requests")
    promise(not scene.tenant.refusals, f"the tenant refused: {'; '.join(scene.tenant.refusals)}")
    left = [f"{place}/{name}" for place in ("new", "pending", "dead") for name in scene.entries(place)]
    promise(not left, f"in the outbox there are still {left}")
    token = scene.tenant.token.encode()
    leaks = [path.name for path, content in scene.everything_written().items() if token in content]
    promise(not leaks, f"the token can be read in {leaks}")
