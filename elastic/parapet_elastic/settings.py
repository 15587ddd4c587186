"""Where the address and the credentials come from: options, a file, the environment, a prompt. Must not repeat a value that is secret."""

from __future__ import annotations

import base64
import os
import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from parapet_elastic import files
from parapet_elastic.access import Access
from parapet_elastic.addresses import kibana_url, of_this_machine, split
from parapet_elastic.connector import PLACEHOLDER
from parapet_elastic.errors import Failure
from parapet_elastic.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parapet_elastic.screen import Screen

NAMES = (
    "KIBANA_URL",
    "KIBANA_API_KEY",
    "KIBANA_USERNAME",
    "KIBANA_PASSWORD",
    "KIBANA_SPACE",
    "KIBANA_CA_FILE",
    "KIBANA_PROXY",
    "PARAPET_TOKEN",
    "PARAPET_ELASTIC_STATE",
)
_LARGEST = 100_000
_SPACE = re.compile(r"[a-z0-9_-]+")
_VISIBLE = re.compile(r"[!-~]+")


@dataclass(frozen=True)
class Given:
    """What the command line says of Kibana; None and empty where it says nothing.

    Attributes:
        url, space, ca_file, proxy, username: As in `Access`.
        credentials: The file of `--credentials`.
        timeout: Seconds to wait for an answer.
    """

    url: str | None = None
    space: str | None = None
    ca_file: str | None = None
    proxy: str | None = None
    username: str | None = None
    credentials: str | None = None
    timeout: float = 60.0


@dataclass
class Settings:
    """What is configured; an option goes before the file, the file before the environment.

    Attributes:
        given: From the command line.
        screen: Asks for what is missing, and is told each secret so that it can hide it.
        environment: The process's, by default.
    """

    given: Given
    screen: Screen
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def __post_init__(self) -> None:
        """Read the file, and tell the screen every secret there is."""
        self._file = read_file(Path(self.given.credentials)) if self.given.credentials else {}
        for source in (self._file, self.environment):
            for name in ("KIBANA_API_KEY", "KIBANA_PASSWORD", "PARAPET_TOKEN"):
                self.screen.hide(source.get(name, ""))
                self.screen.hide(source.get(name, "").strip())

    def access(self) -> Access:
        """Return where Kibana is and how to get in.

        Raises:
            Failure: Something is missing or cannot be right (exit code USAGE).
        """
        url = self.given.url or self._value("KIBANA_URL")
        if not url:
            raise Failure(
                "no address of Kibana", todo="Set KIBANA_URL, or give --kibana-url https://kibana.example.com."
            )
        key, username, password = self._credentials()
        url, proxy = kibana_url(url), self._proxy()
        if url.startswith("http:") and proxy and not of_this_machine(split(proxy, "the proxy's address")):
            raise Failure(
                "plain http, and a proxy that is not on this machine: it would see the credentials",
                todo="Leave out the proxy (--proxy, KIBANA_PROXY), or give Kibana's address with https.",
            )
        return Access(
            url=url,
            space=_space(self.given.space or self._value("KIBANA_SPACE") or "default"),
            api_key=key,
            username=username,
            password=password,
            ca_file=_ca_file(self.given.ca_file or self._value("KIBANA_CA_FILE")),
            proxy=proxy,
            timeout=self.given.timeout,
        )

    def token(self) -> Secret:
        """Return Parapet's service token; asks for it when it is nowhere.

        Raises:
            Failure: There is none, or it cannot be one.
        """
        text = (self._value("PARAPET_TOKEN") or self.screen.ask_secret("Parapet's service token (pst_…)") or "").strip()
        if not text:
            raise Failure("no service token", todo="Set PARAPET_TOKEN, or write it into the file of --credentials.")
        self.screen.hide(text)
        if not text.startswith("pst_") or len(text) == len("pst_") or not _VISIBLE.fullmatch(text):
            raise Failure(
                "PARAPET_TOKEN is no service token: one starts with pst_ and has no white space",
                todo="Copy it again, from Settings > Service Tokens in Parapet.",
            )
        if f"Bearer {text}" == PLACEHOLDER:
            raise Failure(
                "the service token is the placeholder of the examples",
                todo="Put in your own, from Settings > Service Tokens in Parapet.",
            )
        return Secret(text)

    def _value(self, name: str) -> str | None:
        return self._file.get(name) or self.environment.get(name, "").strip() or None

    def _credentials(self) -> tuple[Secret | None, str | None, Secret | None]:
        key, username = self._value("KIBANA_API_KEY"), self.given.username or self._value("KIBANA_USERNAME")
        # A password may begin or end with a blank.
        password = self._file.get("KIBANA_PASSWORD") or self.environment.get("KIBANA_PASSWORD") or None
        # The option and the file say whether it is a key or a user; what the environment has of the other is not meant.
        in_file = {name for name, value in self._file.items() if value}
        if self.given.username or ("KIBANA_PASSWORD" in in_file and "KIBANA_API_KEY" not in in_file):
            key = None
        elif "KIBANA_API_KEY" in in_file and not in_file & {"KIBANA_USERNAME", "KIBANA_PASSWORD"}:
            username = password = None
        if key and username:
            raise Failure("both KIBANA_API_KEY and KIBANA_USERNAME are set", todo="Keep the one that is meant.")
        if username:
            return None, *self._user(username, password)
        if password and not key:
            raise Failure(
                "there is a KIBANA_PASSWORD, and no name of its user", todo="Set KIBANA_USERNAME, or give --username."
            )
        key = (key or self.screen.ask_secret("Kibana's API key (encoded)") or "").strip()
        if not key:
            raise Failure(
                "no credentials for Kibana",
                todo="Set KIBANA_API_KEY, or KIBANA_USERNAME and KIBANA_PASSWORD, or give --credentials FILE.",
            )
        return self._key(key), None, None

    def _key(self, key: str) -> Secret:
        self.screen.hide(key)
        if not _VISIBLE.fullmatch(key) or ":" in key:
            raise Failure(
                "KIBANA_API_KEY is no encoded API key: it has a colon or white space, or is not ASCII",
                todo='Copy the one that Kibana shows as "Encoded".',
            )
        return Secret(key)

    def _user(self, username: str, password: str | None) -> tuple[str, Secret]:
        if ":" in username or not username.isprintable():
            raise Failure(
                "the user's name has a colon or a character that cannot be shown: basic authentication forbids it"
            )
        password = password or self.screen.ask_secret(f"Password of {username}")
        if not password:
            raise Failure(
                f"no password for {username}", todo="Set KIBANA_PASSWORD, or write it into the file of --credentials."
            )
        self.screen.hide(password)
        self.screen.hide(base64.b64encode(f"{username}:{password}".encode()).decode())
        return username, Secret(password)

    def _proxy(self) -> str | None:
        if self.given.proxy and split(self.given.proxy, "--proxy").password is not None:
            raise Failure(
                "--proxy has a password in it, which every user of this machine can see",
                todo="Set KIBANA_PROXY, or write it into the file of --credentials.",
            )
        text = self.given.proxy or self._value("KIBANA_PROXY")
        if not text:
            return None
        parts = split(text, "the proxy's address")
        if parts.password:
            self.screen.hide(parts.password)
            self.screen.hide(text)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise Failure("the proxy's address is none", todo="Give it as http://proxy.example.com:3128.")
        return text


def read_file(path: Path) -> dict[str, str]:
    """Read lines of NAME=value; `#` starts a comment line, a pair of quotes around a value is taken off.

    Raises:
        Failure: It cannot be read, others can read it, or a line is none of these.
    """
    try:
        text = files.read(path, _LARGEST, private=True).decode("utf-8-sig")
    except OSError as exc:
        raise Failure(f"{path} cannot be read: {exc.strerror}") from None
    except UnicodeDecodeError:
        raise Failure(f"{path} is not UTF-8 text") from None
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, equals, value = (part.strip() for part in line.partition("="))
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not equals or name not in NAMES:
            raise Failure(f"{path}:{number}: not one of {', '.join(NAMES)}, an equals sign, and a value")
        if name in found:
            raise Failure(f"{path}:{number}: {name} is there twice")
        found[name] = value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
    return found


def _space(text: str) -> str:
    if not _SPACE.fullmatch(text):
        raise Failure("a space's id has small letters, digits, - and _ only", todo="It is in the address: /s/{id}/.")
    return text


def _ca_file(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        ssl.create_default_context().load_verify_locations(text)
    except (OSError, ssl.SSLError) as exc:
        reason = "no certificate in PEM form" if isinstance(exc, ssl.SSLError) else exc.strerror
        raise Failure(f"{text} cannot be used as the authorities to trust: {reason}") from None
    return text
