"""What the administrator configured, checked: every problem at once, each in one line. Must not read a file, a clock or splunkd."""

from __future__ import annotations

import ipaddress
import re
from types import MappingProxyType
from typing import Mapping, NamedTuple
from urllib.parse import urlsplit

from .alert import TENANT_NAME
from .secret import Secret

APP = "parapet_security"
TOKEN_START = "pst_"  # noqa: S105  what every token starts with
_TRUE = {"1", "true", "t", "yes", "y", "on", "enabled"}
_FALSE = {"0", "false", "f", "no", "n", "off", "disabled"}
_BLANK = re.compile(r"[\s\x00-\x20\x7f-\x9f]")
# What is no host's name for this would be none for the client either, and then each attempt fails.
_HOST = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?\Z")
_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,6})?\Z")
# What may be a token, where none belongs: in a text about the place it is not shown, nor is what may be a user name and a password.
_TOKEN = re.compile(r"pst_\S*")
_WEBHOOK_PATH = re.compile(r"(?:/[^/]+)*/webhook/[^/]+/?\Z")
LOG_LEVELS = ("DEBUG", "INFO", "WARN", "ERROR")


class Range(NamedTuple):
    """What a number of `[delivery]` may be."""

    default: float
    low: float
    high: float
    unit: str
    whole: bool = True


NUMBERS = {
    "connect_timeout": Range(10, 1, 60, "seconds", whole=False),
    "read_timeout": Range(30, 1, 300, "seconds", whole=False),
    "max_body_bytes": Range(1048576, 16384, 16777216, "bytes"),
    "workers": Range(4, 1, 16, "connections"),
    "retry_first": Range(1, 0.1, 60, "seconds", whole=False),
    "retry_max": Range(300, 1, 3600, "seconds", whole=False),
    "hold_retry": Range(60, 1, 3600, "seconds", whole=False),
    "direct_deadline": Range(60, 5, 240, "seconds", whole=False),
    "outbox_max_bytes": Range(1073741824, 1048576, 999999999999999, "bytes"),
    "dead_days": Range(14, 1, 365, "days"),
    "retry_dead": Range(0, 0, 9999999999, "seconds since the epoch"),
}
TEXTS = ("proxy_url", "proxy_username", "ca_file", "log_level")
TENANT_KEYS = ("webhook_url", "disabled")


class Delivery(NamedTuple):
    """The `[delivery]` stanza. Units and ranges are those of NUMBERS."""

    connect_timeout: float = 10
    read_timeout: float = 30
    max_body_bytes: int = 1048576
    workers: int = 4
    retry_first: float = 1
    retry_max: float = 300
    hold_retry: float = 60
    direct_deadline: float = 60
    outbox_max_bytes: int = 1073741824
    dead_days: int = 14
    retry_dead: int = 0
    proxy_url: str = ""
    proxy_username: str = ""
    ca_file: str = ""
    log_level: str = "INFO"


class Tenant(NamedTuple):
    """One tenant.

    Attributes:
        name: matches TENANT_NAME.
        webhook_url: where its alerts go.
        token: its bearer token; None where there is none that can be used.
        disabled: whether an administrator paused it.
        fault: why nothing can be sent to it until its configuration changes; "" where something can.
    """

    name: str
    webhook_url: str = ""
    token: Secret | None = None
    disabled: bool = False
    fault: str = ""


class Settings(NamedTuple):
    """All that is configured.

    Attributes:
        delivery: how.
        tenants: where, by name.
        proxy_password: for `proxy_username`.
        problems: what is wrong with the configuration, one line each, for an administrator.
    """

    delivery: Delivery = Delivery()
    tenants: Mapping[str, Tenant] = MappingProxyType({})
    proxy_password: Secret | None = None
    problems: tuple[str, ...] = ()

    @property
    def secrets(self) -> list[Secret]:
        """Everything that must appear nowhere."""
        tokens = [tenant.token for tenant in self.tenants.values() if tenant.token]
        return tokens + ([self.proxy_password] if self.proxy_password else [])


def delivery_from(stanza: Mapping[str, str]) -> tuple[Delivery, list[str]]:
    """Check the `[delivery]` stanza; a value that cannot be used falls back to its default, and is reported."""
    values: dict[str, object] = {}
    problems: list[str] = []
    for name, given in stanza.items():
        text = given.strip()
        if name in NUMBERS:
            number = _number(name, text, problems)
            if number is not None:
                values[name] = number
        elif name not in TEXTS:
            problems.append(f"[delivery] {printable(name)}: there is no such setting; see parapet_security.conf.spec")
        elif text:
            wrong = _TEXT_RULES[name](text)
            if wrong:
                problems.append(f"[delivery] {name} {wrong}")
            else:
                values[name] = text.upper() if name == "log_level" else text
    delivery = Delivery(**values)  # type: ignore[arg-type]  # the names and types are those of NUMBERS and TEXTS
    if delivery.proxy_username and not delivery.proxy_url:
        problems.append("[delivery] proxy_username is set without proxy_url: set both, or neither")
    return delivery, problems


def tenant_from(name: str, stanza: Mapping[str, str], token: str | None) -> tuple[Tenant, list[str]]:
    """Check one `[tenant:<name>]` stanza with its token (None: none is stored)."""
    where = f"[tenant:{printable(name)}]"
    problems = [
        f"{where} {printable(key)}: there is no such setting; see parapet_security.conf.spec"
        for key in stanza
        if key not in TENANT_KEYS
    ]
    if not TENANT_NAME.match(name):
        problems.append(f"{where}: a tenant's name is 1 to 64 of a-z, 0-9, _ and -, and starts with a letter or digit")
        return Tenant(name, fault=problems[-1]), problems
    url = stanza.get("webhook_url", "").strip()
    faults = [f"{where} webhook_url {wrong}" for wrong in check_url(url)]
    faults += [f"the token of tenant {name} {wrong}" for wrong in check_token(token)]
    disabled = stanza.get("disabled", "0").strip().lower() or "0"
    if disabled not in _TRUE | _FALSE:
        problems.append(f"{where} disabled must be 0 or 1 (got {_shown(disabled)}); 0 counts")
    usable = Secret(token) if token and not check_token(token) else None
    return Tenant(name, url, usable, disabled in _TRUE, "; ".join(faults)), problems + faults


def check_url(url: str) -> list[str]:
    """What is wrong with a webhook URL, in words that follow its name."""
    if not url:
        return ["is empty: copy the webhook URL from Settings → Service Tokens at Parapet Security"]
    if _BLANK.search(url):
        return ["must hold no white space: copy it again"]
    wrong = []
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return [f"is not a URL (got {_shown(url)})"]
    if parts.scheme.lower() != "https" and not (parts.scheme.lower() == "http" and is_loopback(host)):
        wrong.append(f"must start with https:// (got {_shown(parts.scheme or url)})")
    if not _is_host(host):
        wrong.append("must name a host" + (f" (got {_shown(host)})" if host else ""))
    if parts.username is not None or parts.password is not None:
        wrong.append("must hold no user name or password: the token has its own place")
    if "?" in url or "#" in url:
        wrong.append("must end after the tenant id, without ? or #")
    if not _WEBHOOK_PATH.match(parts.path):
        wrong.append(f"must end in /webhook/ and the tenant id (got {_shown(parts.path or 'no path')})")
    elif "YOUR-TENANT-ID" in url or "{" in url:
        wrong.append("still holds the guide's placeholder: put your own region and tenant id there")
    return wrong


def check_token(token: str | None) -> list[str]:
    """What is wrong with a token, in words that follow its name, without a character of it."""
    if not token:
        return ["is not stored: paste it on the app's setup page"]
    wrong = []
    if not token.strip().startswith(TOKEN_START):
        wrong.append(f"must start with {TOKEN_START}: paste the service token itself, not a masked one")
    if token != token.strip():
        wrong.append(f"has white space at its {'start' if token[0].isspace() else 'end'}: paste it again without")
    if re.search(r"\s", token.strip()):
        wrong.append("has white space inside: paste it again in one piece")
    elif not re.match(r"[\x21-\x7e]+\Z", token.strip()):
        wrong.append("holds a character that no token has: paste it again")
    elif "YOUR_TOKEN" in token:
        wrong.append("is still the guide's placeholder: paste your own")
    return wrong


def printable(name: str) -> str:
    """A name from a conf file as it can stand in a line."""
    return "".join(char if char.isprintable() else "?" for char in name)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_host(text: str) -> bool:
    try:
        return bool(_HOST.match(text) or ipaddress.ip_address(text))
    except ValueError:
        return False


def _number(name: str, text: str, problems: list[str]) -> float | None:
    rule = NUMBERS[name]
    value = float(text) if _NUMBER.match(text) else -1.0
    if rule.low <= value <= rule.high and (value.is_integer() or not rule.whole):
        return int(value) if rule.whole else value
    if text:
        kind = "a whole number" if rule.whole else "a number"
        problems.append(
            f"[delivery] {name} must be {kind} from {rule.low:.15g} to {rule.high:.15g} {rule.unit} (got {_shown(text)});"
            f" the default {rule.default:.15g} counts"
        )
    return None


def _check_proxy(text: str) -> str:
    if "@" in text:
        return "must hold no user name or password: they have settings of their own"
    try:
        parts = urlsplit(text)
        usable = (
            parts.scheme in ("http", "https")
            and _is_host(parts.hostname or "")
            and parts.port
            and not (parts.path.strip("/") or parts.query or parts.fragment or _BLANK.search(text))
        )
    except ValueError:
        usable = False
    return "" if usable else f"must be of the form http://host:port or https://host:port (got {_shown(text)})"


def _check_user(text: str) -> str:
    return "must hold no colon and no control character" if re.search(r"[:\x00-\x1f\x7f]", text) else ""


def _check_level(text: str) -> str:
    return (
        ""
        if text.upper() in LOG_LEVELS
        else f"must be one of {', '.join(LOG_LEVELS)} (got {_shown(text)}); INFO counts"
    )


_TEXT_RULES = {
    "proxy_url": _check_proxy,
    "proxy_username": _check_user,
    "ca_file": lambda _: "",
    "log_level": _check_level,
}


def _shown(text: str) -> str:
    # No pattern looks for the last `@`: that would take minutes for a long text without one.
    _, at, rest = text.rpartition("@")
    return repr(((at and "***") + _TOKEN.sub("***", rest))[:60])
