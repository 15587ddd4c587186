"""The frame around every process: what ends it, and with which code. Must not know what the process is for."""

from __future__ import annotations

import os
import sys

from . import places
from .errors import Exit
from .log import Log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, NoReturn


def run(use_case: Callable[[], int]) -> int:
    """Run a use case; a fault of ours becomes one line and an exit code of its own, never a traceback at a user.

    Args:
        use_case: what to do; returns an exit code.
    """
    # Where it is set, Python writes the keys of every TLS connection into a file, and with them the token.
    os.environ.pop("SSLKEYLOGFILE", None)
    try:
        return use_case()
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001  the one place where everything of a process is caught
        tell_bug(error)
        return Exit.BUG


def end(code: int) -> NoReturn:
    """End this process now.

    Python's own end takes longer than a put, and waits for a worker that hangs in a name look-up. Nothing of ours is left to its end:
    what must last is on disk, and a log line is written when it is said.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass  # whoever reads it is gone, or it was never there
    os._exit(code)


def tell_bug(error: BaseException) -> None:
    """Log a fault of ours: its kind and its place only, for the text of an unforeseen error may hold anything, a secret too."""
    where = places.find(os.environ)
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    at = f"{os.path.basename(last.tb_frame.f_code.co_filename)}:{last.tb_lineno}" if last else ""
    Log(where.logs if where.ours else "", sys.stderr).event("process.bug", error=type(error).__name__, at=at)
