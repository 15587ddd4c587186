"""Which version a Kibana has, and whether that is new enough. Must not decide what follows from that."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from parapet_elastic.answers import shortened
from parapet_elastic.errors import Exit, Failure
from parapet_elastic.kibana import Refused

if TYPE_CHECKING:
    from parapet_elastic.kibana import Kibana

OLDEST = (8, 8)
"""The first one with actions for each alert, and with connectors that have an id of our own."""
SERVERLESS = (99, 0)
"""Serverless has no version that says anything; it counts as the newest."""


@dataclass(frozen=True)
class About:
    """A Kibana's version.

    Attributes:
        version: Major and minor; a serverless one counts as newer than all.
        text: As Kibana says it, "9.2.0".
        serverless: Whether Elastic runs it, without versions.
    """

    version: tuple[int, int]
    text: str
    serverless: bool = False

    def __str__(self) -> str:
        """Return what a person would call it."""
        return "serverless Kibana" if self.serverless else f"Kibana {self.text}"


def about(kibana: Kibana) -> About:
    """Ask Kibana what it is.

    Raises:
        Failure: It is no Kibana, or does not say (exit code UNREACHABLE, REFUSED), or there is no such space.
    """
    try:
        answer = kibana.get("/api/status")
    except Refused as refused:
        space = kibana.access.space
        if refused.status == 404 and space != "default" and _is_kibanas(refused.body):
            raise Failure(f"Kibana has no space {space}", todo="Its id is in its address: /s/{id}/.") from None
        if refused.status in {400, 404, 405}:
            raise _no_kibana(kibana, refused.message) from None
        raise
    if not isinstance(answer, dict) or "status" not in answer:
        raise _no_kibana(kibana)
    found = answer.get("version")
    if not isinstance(found, dict):
        # It tells its state to anybody, and its version only to those who have logged in.
        raise Refused(401, "it does not tell its version to somebody unknown", "GET /api/status")
    text = str(found.get("number", ""))
    numbers = re.match(r"(\d+)\.(\d+)", text)
    if found.get("build_flavor") == "serverless":
        return About(SERVERLESS, text, serverless=True)
    if not numbers:
        raise _no_kibana(kibana)
    return About((int(numbers[1]), int(numbers[2])), text)


def _is_kibanas(error: Any) -> bool:
    return isinstance(error, dict) and "statusCode" in error


def _no_kibana(kibana: Kibana, words: str = "") -> Failure:
    said = f": it says {shortened(words)}" if words else ""
    return Failure(
        f"what answers at {kibana.access.url} is not Kibana{said}",
        exit=Exit.UNREACHABLE,
        todo="Give Kibana's address, not Elasticsearch's, with its base path if it has one, and https if it speaks that.",
    )


def read(kibana: Kibana) -> tuple[int, int]:
    """Return the version as (major, minor).

    Raises:
        Failure: As `about`, or it is older than `OLDEST` (exit code REFUSED).
    """
    found = about(kibana)
    if found.version < OLDEST:
        raise Failure(
            f"{found} is too old: actions for each alert, and connectors with an id of our own, came with 8.8",
            exit=Exit.REFUSED,
            todo="Update the Elastic Stack to 8.8 or newer.",
        )
    return found.version
