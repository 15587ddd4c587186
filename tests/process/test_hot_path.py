"""What an action costs while somebody else delivers: it must import nothing that only a delivery needs."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.process.driver import encode, payload
from tests.scene import failed_logins
from tests.standins.splunk import Splunk

SLOW = {
    "requests",
    "urllib3",
    "splunklib",
    "certifi",
    "idna",
    "charset_normalizer",
    "logging",
    "csv",
    "gzip",
    "typing",
    "dataclasses",
    "http",
    "urllib",
    "ssl",
    "socket",
    "threading",
    "concurrent",
    "subprocess",
    "tempfile",
    "pathlib",
    "inspect",
    "email",
}
# Tells what is imported when the process ends: in place of the script, which it runs as the interpreter would.
_TEACHER = """
import os, sys
os._exit = sys.exit
script = sys.argv[1]
sys.argv = sys.argv[1:]
sys.path[0] = script.rpartition("/")[0]
before = set(sys.modules)
try:
    with open(script, encoding="utf-8") as source:
        exec(compile(source.read(), script, "exec"), {"__name__": "__main__", "__file__": script})
except SystemExit as end:
    import json
    with open(script + ".modules", "w", encoding="utf-8") as file:
        json.dump([end.code, sorted(set(sys.modules) - before)], file)
"""


def imported(scene, params):
    """The names of all modules that an action had imported when it ended."""
    script = scene.home.app / "bin/parapet_security.py"
    # -S -E: what a developer's site-packages import at start is none of the action's.
    subprocess.run(
        [scene.python, "-S", "-E", "-c", _TEACHER, str(script), "--execute"],
        input=encode(payload(scene, failed_logins(params=params))),
        env=scene.home.env(),
        check=True,
        timeout=30,
    )
    code, modules = json.loads((script.parent / (script.name + ".modules")).read_text(encoding="utf-8"))
    assert code == 0
    return modules


@pytest.mark.parametrize(("send", "slow"), [("first", {*SLOW, "hashlib"}), ("all", SLOW)])
def test_action_imports_nothing_slow_while_the_forwarder_lives(scene, send, slow):
    """Neither the HTTP stack, nor Splunk's SDK, nor what costs milliseconds in the standard library; OpenSSL where a file is read only."""
    scene.start_forwarder()
    modules = imported(scene, {"send": send})
    assert sorted({name.partition(".")[0] for name in modules} & slow) == []
    scene.tenant.wait_for(1)


def test_a_direct_delivery_imports_no_more_than_it_needs(scene):
    """Nothing for chores that are not due, for an outbox in memory, or for dataclasses: each alert would wait for it."""
    assert scene.fire().exit_code == 0  # from now on somebody has counted what is in the outbox
    modules = imported(scene, {})
    scene.tenant.wait_for(2)
    assert "requests" in modules
    assert {"parapet.chores", "parapet.memory", "dataclasses"} & set(modules) == set()


def test_action_reads_nothing_from_splunkd_while_the_forwarder_lives(scene):
    """No call, so no session key leaves the process, and a slow splunkd delays no alert."""
    scene.start_forwarder()
    before = len(scene.splunkd.requests)
    splunk = Splunk(scene.home, server_uri="https://127.0.0.1:1", python=scene.python)
    fired = splunk.fire(failed_logins(), scene.splunkd.session("user"))
    assert fired.exit_code == 0, fired.stderr
    scene.tenant.wait_for(1)
    asked = [request for request in scene.splunkd.requests[before:] if request.user != "splunk-system-user"]
    assert asked == []
