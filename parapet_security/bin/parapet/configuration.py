"""Reads the configuration and its secrets from splunkd into `Settings`. Must not check values itself (that is `settings`), nor keep a session.

A stanza that another app owns is ignored: whoever may write to some app must not be able to redirect alerts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import NotFound
from .secret import Secret
from .settings import APP, Settings, delivery_from, printable, tenant_from

if TYPE_CHECKING:
    from .settings import Tenant
    from .splunkd import Splunkd

REALM = APP
PROXY_REALM = f"{APP}_proxy"
_TENANT = "tenant:"
# What splunkd adds to every stanza on its own.
_SPLUNKS = ("eai:acl", "eai:acl.app", "eai:appName", "eai:userName", "eai:attributes")
_PLAIN_TEXT = (
    "param.token in local/alert_actions.conf lies in plain text for every user to read: "
    "move it into storage/passwords on the app's setup page"
)


def load(splunkd: Splunkd, *, only: str = "") -> Settings:
    """Read everything.

    Args:
        splunkd: the session to read with.
        only: the one tenant whose token is needed; the others come without one, and cannot be used. "" reads all.

    Raises:
        SplunkdError: Forbidden where the session may not read tokens, and so on: then nothing is known.
    """
    stanzas = splunkd.conf(APP)
    problems: list[str] = []
    tenants: dict[str, Tenant] = {}
    delivery, wrong = delivery_from(_ours("delivery", stanzas.get("delivery", {}), problems) or {})
    problems += wrong
    for stanza in sorted(stanzas):
        if stanza.startswith(_TENANT):
            own = _ours(stanza, stanzas[stanza], problems)
            name = stanza[len(_TENANT) :]
            if own is not None and only in ("", name):
                tenants[name], wrong = tenant_from(name, own, _password(splunkd, REALM, name))
                problems += wrong
        elif stanza not in ("delivery", "default"):
            problems.append(f"[{printable(stanza)}]: there is no such stanza; see parapet_security.conf.spec")
    if "main" not in tenants and only in ("", "main"):
        option_b = _from_alert_actions(splunkd, problems)
        if option_b is not None:
            tenants["main"] = option_b
    bypassed = [text for text in problems if text.startswith("[delivery] proxy_url ")]
    if bypassed:
        # Without a fault, alerts would go past the proxy that the administrator wants them to take.
        tenants = {name: tenant._replace(fault=tenant.fault or bypassed[0]) for name, tenant in tenants.items()}
    password = _password(splunkd, PROXY_REALM, delivery.proxy_username) if delivery.proxy_username else None
    if delivery.proxy_username and not password:
        problems.append(
            f"no password is stored for proxy_username {delivery.proxy_username!r}: set it on the app's setup page"
        )
    return Settings(delivery, tenants, Secret(password) if password else None, tuple(problems))


def _from_alert_actions(splunkd: Splunkd, problems: list[str]) -> Tenant | None:
    """The guide's Option B: URL and token together in the global stanza of this app; never from one alert's parameters."""
    try:
        stanza = splunkd.stanza("alert_actions", APP)
    except NotFound:
        return None
    url, token = stanza.get("param.webhook_url", "").strip(), stanza.get("param.token", "")
    if not url and not token:
        return None
    if stanza.get("eai:acl.app") != APP:
        problems.append(
            f"[{APP}] in alert_actions.conf belongs to the app {stanza.get('eai:acl.app')!r} and is ignored: set it in this app"
        )
        return None
    if not url or not token:
        problems.append(f"[{APP}] in alert_actions.conf needs both param.webhook_url and param.token; it is ignored")
        return None
    tenant, wrong = tenant_from("main", {"webhook_url": url}, token)
    names = {
        "[tenant:main] webhook_url": "param.webhook_url in alert_actions.conf",
        "the token of tenant main": "param.token in alert_actions.conf",
    }
    for stored, shown in names.items():
        wrong = [text.replace(stored, shown) for text in wrong]
        tenant = tenant._replace(fault=tenant.fault.replace(stored, shown))
    problems += [*wrong, _PLAIN_TEXT]
    return tenant


def _ours(name: str, stanza: dict[str, str], problems: list[str]) -> dict[str, str] | None:
    owner = stanza.get("eai:acl.app", APP)
    if owner != APP:
        problems.append(
            f"[{printable(name)}] in parapet_security.conf belongs to the app {owner!r} and is ignored: set it in this app"
        )
        return None
    return {
        key: value
        for key, value in stanza.items()
        if key not in _SPLUNKS and not (key == "disabled" and not name.startswith(_TENANT))
    }


def _password(splunkd: Splunkd, realm: str, name: str) -> str | None:
    # Whether splunkd escapes a backslash (DOMAIN\\user, at a proxy) in an entry's name is not documented: both are asked for.
    for written in dict.fromkeys((name, name.replace("\\", "\\\\"))):
        try:
            return splunkd.password(realm, written) or None
        except NotFound:
            continue
    return None
