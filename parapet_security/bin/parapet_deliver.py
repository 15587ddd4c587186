"""The deliver handler's entry, a persistent REST handler. Must not do anything but translate between splunkd's interface and ours."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

_BIN = os.path.dirname(os.path.abspath(__file__))
for _folder in (os.path.join(os.path.dirname(_BIN), "lib"), _BIN):
    if _folder not in sys.path:
        sys.path.insert(0, _folder)

from parapet import app, handler  # noqa: E402  the path comes first
from splunk.persistconn.application import PersistentServerConnectionApplication  # noqa: E402  part of Splunk's own Python


class Deliver(PersistentServerConnectionApplication):  # type: ignore[misc]  # Splunk's own class has no types
    """POST /services/parapet_security/deliver."""

    def __init__(self, _command_line: str, _command_arg: str) -> None:
        """Take what splunkd passes; nothing of it is needed."""
        super().__init__()

    def handle(self, in_string: str) -> dict[str, Any]:
        """Answer one call."""
        answer: tuple[int, dict[str, Any]] = (500, {"error": "a fault of the app; see parapet_security.log"})

        def call() -> int:
            nonlocal answer
            answer = handler.answer(json.loads(in_string))
            return 0

        app.run(call)
        return handler.to_text(*answer)
