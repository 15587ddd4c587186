"""Which version a Kibana has, and whether that is new enough. Must not change anything."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from parapet_elastic.errors import Exit, Failure

if TYPE_CHECKING:
    from parapet_elastic.kibana import Kibana

    Version = tuple[int, int]

OLDEST = (8, 8)
SERVERLESS = (99, 0)
"""Serverless has no version; it counts as the newest."""


def read(kibana: Kibana) -> Version:
    """Return Kibana's version as (major, minor).

    Raises:
        Failure: What answers does not say a version, or is older than 8.8.
    """
    answer = kibana.get("/api/status")
    stated = answer.get("version") if isinstance(answer, dict) else None
    if not isinstance(stated, dict):
        raise Failure(f"what answers at {kibana.access.url} does not say its version", exit=Exit.UNREACHABLE)
    if stated.get("build_flavor") == "serverless":
        return SERVERLESS
    found = re.match(r"(\d+)\.(\d+)", str(stated.get("number")))
    if not found:
        raise Failure(f"what answers at {kibana.access.url} does not say its version", exit=Exit.UNREACHABLE)
    version = int(found[1]), int(found[2])
    if version < OLDEST:
        raise Failure(
            f"this Kibana is {version[0]}.{version[1]}; actions for each alert exist since 8.8",
            exit=Exit.REFUSED,
            todo="Update the Elastic Stack to 8.8 or newer.",
        )
    return version
