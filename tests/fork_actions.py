"""Runs alert actions as forked processes that start in the same instant, many rounds without an interpreter's start each.

A script for the tests, started as Splunk starts the app: FOLDER is the app's. Must not touch the outbox itself.
Each line of stdin is a JSON list of [seconds after the start signal, payload]; for each comes a line with the exit codes and stderr.
"""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
import time
from pathlib import Path

APP = Path(sys.argv[1])
sys.path[:0] = [str(APP / "bin"), str(APP / "lib")]

from parapet import app, capture, direct  # noqa: E402, F401  imported once, before the forks


def main():
    """Answer rounds until the end of stdin."""
    for line in sys.stdin:
        actions = json.loads(line)
        # Every child waits for this pipe's end, which comes for all at once.
        gate, opener = os.pipe()
        with tempfile.TemporaryFile("w+") as stderr:
            children = [_start(action, gate, opener, stderr) for action in actions]
            os.close(gate)
            os.close(opener)
            codes = [os.waitpid(child, 0)[1] >> 8 for child in children]
            stderr.seek(0)
            print(json.dumps([codes, stderr.read()]), flush=True)  # noqa: T201  its answer


def _start(action, gate, opener, stderr):
    child = os.fork()
    if child:
        return child
    code = 99
    try:
        os.close(opener)
        os.read(gate, 1)
        time.sleep(action[0])
        stdin = io.BytesIO(json.dumps(action[1]).encode())
        code = app.run(lambda: capture.main(["parapet_security.py", "--execute"], stdin, stderr, os.environ))
        stderr.flush()
    finally:
        os._exit(code)
    return 0


if __name__ == "__main__":
    main()
