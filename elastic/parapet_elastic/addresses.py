"""Which addresses of Kibana and of a tenant's webhook are taken. Must not look whether anybody answers there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from parapet_elastic.errors import Failure

if TYPE_CHECKING:
    from urllib.parse import SplitResult

_LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|::1")
_PORTS = {"http": 80, "https": 443}
_VISIBLE = re.compile(r"[!-~]+")
# What the guide and our examples write where the tenant's own id belongs.
_PLACEHOLDERS = ("your-tenant-id", "tenant-id")
_WEBHOOK_PATH = re.compile(r"(/[^/?#]+)*/webhook/(?!\.{1,2}$)[A-Za-z0-9._~-]+")


def kibana_url(text: str) -> str:
    """Return Kibana's address in its one spelling: what was done there is known by it.

    Raises:
        Failure: It is not https (http for this machine), or is more than an address.
    """
    parts = _address(text, "Kibana's address")
    if parts.query or parts.fragment or "/app/" in parts.path + "/":
        raise Failure("Kibana's address goes on after the base path", todo="Leave out what begins with /app, ? or #.")
    space = re.search(r"/s/([^/]+)/?$", parts.path)
    if space:
        raise Failure(
            "Kibana's address has a space in it", todo=f"Give it without /s/{space[1]}, and --space {space[1]}."
        )
    host = (parts.hostname or "").removesuffix(".")
    host = f"[{host}]" if ":" in host else host
    port = "" if parts.port in {None, _PORTS[parts.scheme]} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"


def webhook_url(text: str) -> str:
    """Return a tenant's webhook address as it is.

    Raises:
        Failure: It is not https (http for this machine), or its path does not end in /webhook/{tenant-id}, or ends in just that.
    """
    parts = _address(text, "the webhook's address")
    if parts.query or parts.fragment or not _WEBHOOK_PATH.fullmatch(parts.path):
        raise Failure(
            "the webhook's address does not end in /webhook/ and the tenant's id",
            todo="Copy it from Parapet: https://webhook-{region}.parapetsecurity.com/webhook/{tenant-id}.",
        )
    if parts.path.rpartition("/")[2].lower() in _PLACEHOLDERS:
        raise Failure(
            "the webhook's address has a placeholder in the place of the tenant's id",
            todo="Put in the id of your tenant, as Parapet shows it.",
        )
    return text


def webhook_url_of(region: str, tenant_id: str) -> str:
    """Return the webhook address of a tenant in a region, as the guide spells it; raises as `webhook_url`."""
    if not re.fullmatch(r"[a-z0-9-]+", region):
        raise Failure("a region has small letters, digits and hyphens only", todo="For example --region us.")
    return webhook_url(f"https://webhook-{region}.parapetsecurity.com/webhook/{tenant_id}")


def _address(text: str, what: str) -> SplitResult:
    parts = split(text, what)
    if not _VISIBLE.fullmatch(text) or not parts.hostname or "\\" in text:
        raise Failure(f"{what} is no URL")
    if parts.username is not None or parts.password is not None:
        raise Failure(f"{what} has credentials in it", todo="Give them as KIBANA_USERNAME and KIBANA_PASSWORD.")
    if parts.scheme != "https" and not (parts.scheme == "http" and of_this_machine(parts)):
        raise Failure(f"{what} is not https", todo="Plain http is for this machine (localhost) only.")
    return parts


def of_this_machine(parts: SplitResult) -> bool:
    """Whether nothing that is sent there leaves this machine."""
    return bool(_LOOPBACK.fullmatch(parts.hostname or ""))


def split(text: str, what: str) -> SplitResult:
    """Return the parts of a URL; the Failure says `what` is none."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise Failure(f"{what} is no URL") from None
    if not all(0 < len(label) < 64 for label in (parts.hostname or "-").removesuffix(".").split(".")):
        raise Failure(f"{what} is no URL: there is no such name of a host")
    return parts
