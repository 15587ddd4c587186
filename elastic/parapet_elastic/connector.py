"""The connector as Kibana stores it: what it should be, and what is wrong with one. Must not talk to Kibana, nor print."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parapet_elastic.secret import Secret

TYPE = ".webhook"
ENCRYPTS_HEADERS = (9, 2)
"""The first Kibana with `secrets.secretHeaders` (github.com/elastic/kibana pull request 230042)."""
JSON_TYPE = "application/json"
PLACEHOLDER = "Bearer pst_YOUR_TOKEN_HERE"
_AUTHENTICATION = ("authType", "certType", "accessTokenUrl", "clientId", "scope", "additionalFields")
_OURS = re.compile(r"webhook-[a-z0-9-]+\.parapetsecurity\.com")


def path(connector_id: str, ending: str = "") -> str:
    """Return the path of a connector in Kibana's API."""
    return f"/api/actions/connector/{quote(connector_id, safe='')}{ending}"


def payload(name: str, url: str, token: Secret | None, version: tuple[int, int]) -> dict[str, Any]:
    """Return name, config and secrets as PUT takes them; POST takes `connector_type_id` besides.

    The token is in one place only: which one Kibana takes where there are two is not known.
    """
    headers = {"Content-Type": JSON_TYPE}
    secrets: dict[str, Any] = {}
    if token is not None and version >= ENCRYPTS_HEADERS:
        secrets["secretHeaders"] = {"Authorization": f"Bearer {token.reveal()}"}
    elif token is not None:
        headers["Authorization"] = f"Bearer {token.reveal()}"
    # hasAuth has to be said: left out, it is true.
    config = {"url": url, "method": "post", "hasAuth": False, "headers": headers}
    return {"name": name, "config": config, "secrets": secrets}


def kibana_yml(connector_id: str, name: str, url: str, version: tuple[int, int]) -> list[str]:
    """Return the lines for kibana.yml that make the connector a preconfigured one, with a placeholder for the token."""
    encrypted = version >= ENCRYPTS_HEADERS
    clear = [] if encrypted else [f'        Authorization: "{PLACEHOLDER}"']
    secret = ["    secrets:", "      secretHeaders:", f'        Authorization: "{PLACEHOLDER}"'] if encrypted else []
    return [
        "xpack.actions.preconfigured:",
        f"  {connector_id}:",
        f'    name: "{_quoted(name)}"',
        f"    actionTypeId: {TYPE}",
        "    config:",
        f'      url: "{_quoted(url)}"',
        "      method: post",
        "      hasAuth: false",
        "      headers:",
        f"        Content-Type: {JSON_TYPE}",
        *clear,
        *secret,
    ]


def keystore_key(connector_id: str, version: tuple[int, int]) -> str:
    """Return the name under which Kibana's keystore holds the header, instead of kibana.yml."""
    place = "secrets.secretHeaders" if version >= ENCRYPTS_HEADERS else "config.headers"
    return f"xpack.actions.preconfigured.{connector_id}.{place}.Authorization"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def is_webhook(found: Mapping[str, Any]) -> bool:
    """Whether it is a webhook connector."""
    return bool(found.get("connector_type_id") == TYPE)


def is_preconfigured(found: Mapping[str, Any]) -> bool:
    """Whether it is set in kibana.yml: Kibana shows nothing of its configuration then."""
    return bool(found.get("is_preconfigured"))


def host(found: Mapping[str, Any]) -> str:
    """Return the host that it sends to, with its port; empty where that cannot be seen."""
    return host_of(str(_config(found).get("url") or ""))


def sends_to(found: Mapping[str, Any], url: str) -> bool:
    """Whether it may be taken for ours: it sends to this host, or to one of Parapet's."""
    return host(found) == host_of(url) or is_parapets(found)


def is_parapets(found: Mapping[str, Any]) -> bool:
    """Whether it sends to a host of Parapet's."""
    return bool(_OURS.fullmatch(host(found)))


def added_to(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is wanted with what an administrator has added to the connector: an authority, another header.

    How it authenticates is ours, so that goes; secret headers cannot be read.
    """
    ours = {name.lower() for name in (*wanted["config"]["headers"], "Authorization")}
    others = {name: text for name, text in (_config(found).get("headers") or {}).items() if name.lower() not in ours}
    kept = {key: value for key, value in _config(found).items() if key not in _AUTHENTICATION}
    return {**wanted, "config": {**kept, **wanted["config"], "headers": {**others, **wanted["config"]["headers"]}}}


def has_token_in_clear(found: Mapping[str, Any]) -> bool:
    """Whether everybody who may read connectors sees the Authorization header."""
    return "authorization" in _headers(found)


def has_json_type(found: Mapping[str, Any]) -> bool:
    """Whether it says that its bodies are JSON; without that they arrive as a form."""
    return _headers(found).get("content-type", "").split(";")[0].strip().lower() == JSON_TYPE


def differences(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Return the names of what an update changes, never a value; the secrets cannot be compared."""
    config = _config(found)
    names = [key for key in ("url", "method", "hasAuth", "headers") if config.get(key) != wanted["config"][key]]
    return (["name"] if found.get("name") != wanted["name"] else []) + names


def _config(found: Mapping[str, Any]) -> Mapping[str, Any]:
    return found.get("config") or {}


def _headers(found: Mapping[str, Any]) -> dict[str, str]:
    return {str(key).lower(): str(value) for key, value in (_config(found).get("headers") or {}).items()}


def host_of(url: str) -> str:
    """Return the host of an address with its port, without a password that may be in it; empty where there is none."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""
