"""The connection test: one small body that says whether URL, token, TLS and proxy are right. Must not touch the outbox."""

from __future__ import annotations

import os

from .message import test_body

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from .verdict import Answer


def run(post: Callable[[bytes, str], Answer]) -> Answer:
    """Send a test, with an id of its own each time.

    Args:
        post: sends a body under an id to the tenant.
    """
    name = "test-" + os.urandom(8).hex()
    return post(test_body(name), name)
