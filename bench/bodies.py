"""Turns a results file into request bodies with the product's core, as fast as it goes: a script, started by `volume_rows`.

Must not send or keep a body. Arguments: the app's bin/ folder, the results file. It ends when its stdin does, so that its peak memory can be read.
"""

from __future__ import annotations

import sys

_LIMIT = 1048576
_HEAD = {"timestamp": "2026-01-28T15:30:00Z", "severity": "high", "search": {"name": "Failed SSH Logins"}}


def main() -> None:
    """Make every body, say how many rows and bodies there were, and wait for the end of stdin."""
    sys.path.insert(0, sys.argv[1])
    from parapet import message  # noqa: PLC0415  its place is an argument
    from parapet.rows import Rows, Selector  # noqa: PLC0415

    with open(sys.argv[2], "rb") as stream:  # noqa: PTH123  pathlib's memory is not the core's
        rows = iter(Rows(stream))
        cutter = message.Cutter("0" * 20, _HEAD, rows, Selector("*", ""), offset=0, index=0)
        last = False
        while not last:
            batch = cutter.batch(cutter.cut(_LIMIT), truncated=False)
            cutter.done(batch.rows, batches=1)
            last = batch.last
    sys.stdout.write(f"{cutter.offset} {cutter.index}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
