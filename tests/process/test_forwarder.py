"""The forwarder's life as splunkd runs it: start, lock, end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.scene import failed_logins, wait_until
from tests.standins.splunk import ModularInput
from tests.standins.tenant import Answer, Mode


def another(scene, **changes):
    """One more forwarder of the same home, entered and not started."""
    how = {"server_uri": scene.splunkd.uri, "session_key": scene.splunkd.system_session, "python": scene.python}
    return scene.enter_context(ModularInput(scene.home, **{**how, **changes}))


def test_scheme_is_what_the_spec_describes(scene):
    """The arguments of `--scheme` are the settings of README/inputs.conf.spec, and the instance mode is the design's."""
    scheme = another(scene).scheme()
    spec = (scene.home.app / "README/inputs.conf.spec").read_text(encoding="utf-8")
    assert sorted(scheme.arguments) == sorted(re.findall(r"^(\w+) *=", spec, re.MULTILINE))
    assert scheme.elements["use_single_instance"] == "false"
    assert scheme.elements["title"]
    assert another(scene).validate({}) == ""


def test_forwarder_writes_nothing_that_splunkd_would_index(scene):
    """Its stdout is for events, and it has none."""
    forwarder = scene.start_forwarder()
    scene.fire()
    scene.tenant.wait_for(1)
    forwarder.stop()
    assert re.sub(r"\s|</?stream>", "", forwarder.stdout()) == ""


def test_forwarder_ends_at_once_when_it_is_told_to_and_idle(scene):
    """SIGTERM is enough."""
    forwarder = scene.start_forwarder()
    assert forwarder.stop() == (0, False)
    scene.wait_for_log("event=forwarder.ended")


def test_forwarder_ends_within_ten_seconds_with_work_in_flight(scene):
    """A tenant that does not answer does not keep it; nor does an alert that came meanwhile. Both are kept."""
    scene.tenant.always(Answer(mode=Mode.HALF_OPEN))
    forwarder = scene.start_forwarder()
    scene.fire()
    scene.tenant.wait_until(lambda: scene.tenant.connections)
    forwarder.process.send_signal(signal.SIGTERM)
    scene.fire()
    assert forwarder.stop() == (0, False)
    assert len(scene.entries("new") + scene.entries("pending")) == 2
    scene.wait_for_log("event=forwarder.ended")


def test_forwarder_ends_while_splunkd_does_not_answer(scene):
    """At a shutdown splunkd accepts connections and says nothing any more."""
    scene.splunkd.fail("/", "hang")
    forwarder = another(scene)
    forwarder.start()
    scene.splunkd.wait_for("GET", "/")
    assert not forwarder.stop().killed


def test_forwarder_outlives_a_splunkd_that_is_down_or_slow_at_its_start(scene):
    """It waits, and delivers when splunkd answers; it says so once."""
    scene.append("service", "_RETRY_S = 0.5")
    scene.splunkd.fail("/", 503, times=1)
    scene.splunkd.delay("configs", 1.0, times=1)
    scene.start_forwarder()
    assert scene.fire().exit_code == 0
    scene.tenant.wait_for(1)
    assert len(scene.events("settings.failed")) == 1


@pytest.mark.parametrize("occasion", ["configuration", "bulletin", "enrichment", "start"])
def test_forwarder_ends_when_its_session_has_ended(scene, occasion):
    """The answer was 401, to whatever was asked: Splunk starts it again with a new one."""
    key = scene.splunkd.system_session()
    forwarder = another(scene, session_key=key)
    if occasion == "start":
        scene.splunkd.expire(key)
        forwarder.start(settle=0)
    else:
        forwarder.start()
        scene.wait_for_log("forwarder.started")
        scene.splunkd.wait_for("GET", "/services/messages")
        scene.splunkd.expire(key)
    if occasion == "configuration":
        scene.configure({"retry_max": "2"})
    elif occasion == "bulletin":
        scene.fire(failed_logins(params={"tenant": "lab"}))
    elif occasion == "enrichment":
        scene.fire(failed_logins(job_tokens=False))
    assert forwarder.process.wait(10) == 0
    scene.wait_for_log("session has ended")


def test_forwarder_ends_when_splunkd_is_gone(scene, tmp_path):
    """Its parent changed: nobody is left to tell it to end, and the next splunkd starts its own."""
    middle = (
        "import subprocess, sys\n"
        "with open(sys.argv[1], 'rb') as stdin:\n"
        "    child = subprocess.Popen(sys.argv[2:], stdin=stdin)\n"
        "sys.stdout.write(str(child.pid) + '\\n')\n"
        "sys.stdout.flush()\n"
        "sys.stdin.read()\n"
    )
    stdin = tmp_path / "stdin.xml"
    stdin.write_bytes(
        another(scene)._document("input", '<configuration><stanza name="parapet_forwarder://default"/></configuration>')
    )
    command = [scene.python, "-c", middle, str(stdin), scene.python, str(scene.home.app / "bin/parapet_forwarder.py")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=scene.home.env(), cwd="/"
    ) as parent:
        pid = int(parent.stdout.readline())
        try:
            scene.wait_for_log("forwarder.started")
            parent.kill()
            scene.wait_for_log("splunkd is gone")
            wait_until(lambda: not _lives(pid), "the end of the process", scene=scene)
        finally:
            if _lives(pid):
                os.kill(pid, signal.SIGKILL)


def _lives(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_second_forwarder_waits_for_the_lock_and_takes_over(scene):
    """With the settings of the moment in which it takes over, not of the one in which it began to wait."""
    first = scene.start_forwarder()
    second = another(scene)
    second.start()
    scene.wait_for_log("event=forwarder.waiting")
    scene.set_tenant("main", disabled="1")
    wait_until(lambda: len(scene.events("settings.loaded")) == 2, "the first one's reload", scene=scene)
    first.kill()
    wait_until(lambda: len(scene.events("forwarder.started")) == 2, "the second one", scene=scene)
    assert len(scene.events("forwarder.waiting")) == 1
    assert scene.fire().exit_code == 0
    wait_until(lambda: scene.entries("new") + scene.entries("pending"), "the alert", scene=scene)
    scene.set_tenant("main", disabled="0")
    scene.wait_until_empty()
    states = [line for _, line in scene.events("settings.loaded")]
    assert len(states) == 4
    assert second.stop() == (0, False)


def test_splunkd_starts_it_again_and_nothing_is_lost(scene):
    """Killed in the middle, it comes back and goes on."""
    scene.tenant.script(Answer(mode=Mode.DRIP_HEAD, delay=5.0))
    forwarder = another(scene)
    forwarder.supervise(interval=0.2)
    scene.wait_for_log("forwarder.started")
    scene.fire()
    scene.tenant.wait_for(1)
    forwarder.process.kill()
    forwarder.wait_for_start(2)
    scene.wait_until_empty()
    scene.tenant.assert_no_id_with_two_bodies()
    assert len(scene.tenant.accepted) == 1
    assert forwarder.stop() == (0, False)


def test_somebody_elses_process_is_no_forwarder(scene):
    """Started by a user who does not own Splunk's files, it ends at once and leaves nothing there."""
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    forwarder = another(scene)
    os.chown(str(scene.home.path / "var"), 4242, 4242)
    before = sorted(path for path in scene.home.path.joinpath("var").rglob("*") if "parapet" in path.name)
    forwarder.start(settle=0)
    assert forwarder.process.wait(10) == 2
    after = sorted(path for path in scene.home.path.joinpath("var").rglob("*") if "parapet" in path.name)
    assert {path.name for path in set(after) - set(before)} <= {
        "parapet_forwarder.stderr",
        "parapet_forwarder.stdout",
        "parapet_forwarder",
    }


WATCHDOG = """
import os, sys, time
sys.path[:0] = sys.argv[1:3]
from parapet import service
from parapet.secret import Secret
service._STUCK_S = 1.0
service.configuration.load = lambda *_, **__: time.sleep(600)
service.Service("https://127.0.0.1:1", Secret("session-key"), sys.stderr, os.environ).run()
"""


def test_watchdog_ends_a_process_that_is_stuck(bare_scene):
    """One FATAL line, and the exit code of a bug."""
    app = bare_scene.home.app
    done = subprocess.run(
        [bare_scene.python, "-c", WATCHDOG, str(app / "bin"), str(app / "lib")],
        env=bare_scene.home.env(),
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    assert done.returncode == 70
    assert done.stderr.startswith(b"FATAL event=forwarder.stuck")
    assert "event=forwarder.stuck" in bare_scene.log_text
