"""Where things are on this host, from the environment and this file's own place. Must not create anything."""

from __future__ import annotations

import os
from collections import namedtuple

from . import disk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Mapping

Places = namedtuple("Places", ["home", "app", "outbox", "logs", "ours"])
Places.__doc__ = """Absolute paths.

Attributes:
    home: $SPLUNK_HOME.
    app: this app's folder.
    outbox: the outbox's root.
    logs: where Splunk and its apps write their logs.
    ours: whether this process may create files there; somebody trying the script as root must leave nothing behind that Splunk cannot write.
"""


def find(env: Mapping[str, str]) -> Places:
    """Find everything.

    Args:
        env: the environment; SPLUNK_HOME is trusted where it is set, PARAPET_OUTBOX moves the outbox (for tests).
    """
    app = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    home = env.get("SPLUNK_HOME") or os.path.dirname(os.path.dirname(os.path.dirname(app)))
    var = os.path.join(home, "var")
    outbox = env.get("PARAPET_OUTBOX") or os.path.join(var, "lib", "parapet_security", "outbox")
    try:
        ours = disk.owned_by_us(var)
    except OSError:
        ours = False
    return Places(home, app, outbox, os.path.join(var, "log", "splunk"), ours)
