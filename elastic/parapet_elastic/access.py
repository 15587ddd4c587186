"""Where a Kibana is, and how to get in. Must not show a secret."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from parapet_elastic.secret import Secret


@dataclass(frozen=True)
class Access:
    """Where a Kibana is, and how to get in.

    Attributes:
        url: Its address without a slash at the end, with its base path if it has one.
        space: The space's id; "default" is the one without a prefix.
        api_key: The encoded key (base64 of id:key), or None.
        username, password: Basic authentication instead, or None.
        ca_file: A PEM file to trust instead of the platform's authorities, or None.
        proxy: A forward proxy's URL, or None.
        timeout: Seconds to wait for an answer.
    """

    url: str
    space: str = "default"
    api_key: Secret | None = None
    username: str | None = None
    password: Secret | None = None
    ca_file: str | None = None
    proxy: str | None = field(default=None, repr=False)  # it may have a password in it
    timeout: float = 60.0

    def authorization(self) -> str | None:
        """Return the value of the Authorization header, None without credentials."""
        if self.api_key is not None:
            return f"ApiKey {self.api_key.reveal()}"
        if self.username is not None and self.password is not None:
            pair = f"{self.username}:{self.password.reveal()}".encode()
            return "Basic " + base64.b64encode(pair).decode()
        return None
