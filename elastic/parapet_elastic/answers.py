"""What Kibana's words about a failed execution of the connector mean. Must not send anything, nor print."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST = 300
_CONNECT = "Run `parapet-elastic connect` again"
_STATUS = {
    "400": ("Parapet does not understand the body", "Run `parapet-elastic lint` on the template."),
    "401": ("Parapet does not accept the token", f"{_CONNECT}, with the token as Parapet showed it."),
    "403": ("the token may not send to this tenant", f"{_CONNECT}, with a token of this very tenant."),
    "404": ("Parapet does not know this webhook", f"{_CONNECT}: look at region and tenant id of the URL."),
    "413": ("the body is too large", "Send one request for each alert, or choose fewer fields in the template."),
    "415": ("Parapet was not told that the body is JSON", f"{_CONNECT}: it sets Content-Type."),
    "429": ("Parapet is rate limited", "Wait. If it goes on: `update --frequency 1h`, or a larger plan."),
}
_CODES = {
    "ENOTFOUND": ("Kibana cannot resolve the host's name", "Look at the region in the URL, and at Kibana's DNS."),
    "EAI_AGAIN": ("Kibana cannot resolve the host's name at the moment", "Look at Kibana's DNS."),
    "ECONNREFUSED": (
        "nobody listens at that address",
        "Look at the URL, and at xpack.actions.proxyUrl if Kibana needs a proxy.",
    ),
    "ECONNRESET": ("the connection was cut", "Look at firewalls and proxies between Kibana and Parapet."),
    "ECONNABORTED": ("no answer in time", "Look at firewalls and proxies, and at xpack.actions.responseTimeout."),
    "ETIMEDOUT": ("no connection in time", "Look at firewalls, and at xpack.actions.proxyUrl if Kibana needs a proxy."),
    "ERR_FR_MAX_BODY_LENGTH_EXCEEDED": ("the body is too large for Kibana", "Choose fewer fields in the template."),
}
_TRUST = (
    "If a proxy inspects TLS, give its authority in xpack.actions.customHostSettings (ssl.certificateAuthoritiesFiles)."
)
# Codes that are many: a pattern, what it means, what to do.
_KINDS = (
    (r"5\d\d", "Parapet is in trouble ({})", "Try again in a few minutes; nothing here is wrong."),
    (r"3\d\d", "the address leads elsewhere ({})", f"{_CONNECT}, with the URL as Parapet shows it."),
    (r"4\d\d", "Parapet refuses ({})", "Look at the URL, and at Kibana's words below."),
    (
        r".*(CERT|SELF_SIGNED|VERIFY|ISSUER|TLS|SSL|EPROTO).*",
        "Kibana does not trust what answers at that address ({})",
        _TRUST,
    ),
)


def shortened(words: str) -> str:
    """Return as much of Kibana's words as anybody reads: some hold the whole request."""
    return words if len(words) <= _LONGEST else words[:_LONGEST] + "…"


def outcome(answer: Any) -> Mapping[str, Any] | None:
    """Return an answer of _execute as an object with a `status`; None for what Kibana's API does not promise."""
    if answer is None:
        # 204 has no words; what went wrong has some.
        return {"status": "ok"}
    return answer if isinstance(answer, dict) and "status" in answer else None


def words_of(answer: Mapping[str, Any]) -> str:
    """Return what Kibana says about a failed execution."""
    return " ".join(str(answer.get(key) or "") for key in ("message", "service_message")).strip()


def explain(words: str) -> tuple[str, str]:
    """Return what Kibana's words about a failed execution mean, and what to do about it."""
    if "xpack.actions.allowedHosts" in words:
        return (
            "Kibana may not send to that host",
            "Add it to xpack.actions.allowedHosts in kibana.yml, and restart Kibana.",
        )
    found = re.search(r"\[([A-Z0-9_]+)\]", words)
    code = found[1] if found else ""
    known = {**_STATUS, **_CODES}
    for pattern, problem, todo in (*((re.escape(name), *known[name]) for name in known), *_KINDS):
        if re.fullmatch(pattern, code):
            return problem.format(code), todo
    if "secrets" in words:
        return "the connector's secrets are missing or cannot be read", f"{_CONNECT}: it sends the token again."
    return "Kibana could not send it", "Look at Kibana's words below, and at Kibana's log."
