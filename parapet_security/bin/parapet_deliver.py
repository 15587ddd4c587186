"""The deliver handler's entry, a persistent REST handler. Must not do anything but hand over."""

import os
import sys

_BIN = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(_BIN), "lib"), _BIN]

from parapet import app, handler  # noqa: E402  the path comes first
from splunk.persistconn.application import PersistentServerConnectionApplication  # noqa: E402  part of Splunk's own Python


class Deliver(PersistentServerConnectionApplication):  # type: ignore[misc]  # Splunk's own class has no types
    """POST /services/parapet_security/deliver."""

    def __init__(self, _command_line: str, _command_arg: str) -> None:
        """Take what splunkd passes; nothing of it is needed."""
        super().__init__()

    def handle(self, in_string: str) -> object:
        """Answer one call."""
        call = handler.Call(in_string)
        app.run(call.run)
        return call.reply
