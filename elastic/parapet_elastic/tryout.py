"""Sends one rendered body through the connector, and explains the answer. Must not send what is no JSON."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NoReturn

from parapet_elastic import connector, connector_api, preview, version
from parapet_elastic.errors import Exit
from parapet_elastic.kibana import Refused, Unclear

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parapet_elastic.kibana import Kibana
    from parapet_elastic.preview import Source
    from parapet_elastic.screen import Screen

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


def tryout(kibana: Kibana, screen: Screen, connector_id: str, template: str, source: Source) -> Exit:
    """Render as `preview` does, have the connector send it, and say what came of it.

    Returns:
        DONE when it was accepted, else FOUND.

    Raises:
        Unclear: Kibana may have sent it, or not.
        Failure: There is no connector, or Kibana refuses.
    """
    version.read(kibana)
    body = preview.render(kibana, template, source)
    if not _is_json(body):
        screen.line("Nothing was sent: the template gives no valid JSON.")
        screen.line("-> `parapet-elastic lint` says where, `parapet-elastic preview` shows it.")
        screen.result({"sent": False, "problem": "no valid JSON"})
        return Exit.FOUND
    answer = _execute(kibana, connector_id, body)
    if answer.get("status") == "ok":
        screen.line(f"Parapet accepted it ({len(body.encode('utf-8', 'replace'))} bytes). It appears there soon.")
        screen.result({"sent": True, "status": "ok"})
        return Exit.DONE
    words = words_of(answer)
    problem, todo = explain(words)
    screen.line(f"It was not accepted: {problem}.")
    screen.line(f"-> {todo}")
    screen.line(f"Kibana's own words: {words}")
    screen.result({"sent": True, "status": "error", "problem": problem, "todo": todo, "kibana": words})
    return Exit.FOUND


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


def _execute(kibana: Kibana, connector_id: str, body: str) -> dict[str, Any]:
    try:
        # Not tried again by itself: the alert would arrive twice.
        answer = kibana.post(connector.path(connector_id, "/_execute"), {"params": {"body": body}})
    except Unclear as unclear:
        unclear.todo = "Kibana may have sent it: look in Parapet before you run this again."
        raise
    except Refused as refused:
        if refused.status == 404:
            raise connector_api.missing(kibana, connector_id) from None
        raise
    return answer if isinstance(answer, dict) else {"status": "ok"}


def _is_json(body: str) -> bool:
    try:
        json.loads(body, parse_constant=_no_constant)
    except ValueError:
        return False
    return True


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
