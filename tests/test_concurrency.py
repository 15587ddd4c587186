"""Several processes at one outbox: who delivers, who does not wait, and that nobody's alert is left. Must not use a clock."""

from __future__ import annotations

import io
import json
import os
import random
import subprocess
import threading
from pathlib import Path

import pytest
from parapet import capture
from parapet.lock import Lock

from tests.scene import failed_logins, wait_until
from tests.standins.splunk import ModularInput
from tests.standins.tenant import Answer

# In the three Pythons that `build.py test` runs these are 200 rounds. Forked ones hit the same instant better than
# real starts, and take a tenth of the time.
FORKED_ROUNDS = int(os.environ.get("PARAPET_ROUNDS", "67"))
STARTED_ROUNDS = 4
AT_ONCE = 4
SEED = int(os.environ.get("PARAPET_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)


@pytest.fixture
def chance():
    """Random moments, from a seed that is printed."""
    print(f"PARAPET_SEED={SEED}")  # noqa: T201  for whoever repeats a run
    return random.Random(SEED)  # noqa: S311  nothing secret is drawn


def start_actions(scene, count):
    """Start alert actions at once; returns the processes."""
    key = scene.splunkd.session("admin")
    return [scene.splunk.start(failed_logins(), key) for _ in range(count)]


def finish(processes):
    """Wait for actions; returns what they wrote to stderr, and fails unless each exited with 0."""
    said = [process.communicate(timeout=60)[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), said
    return said


def assert_everything_arrived(scene, count):
    """So many alerts, each under one id with one body, and nothing waits or died."""
    assert scene.entries("new") == scene.entries("pending") == scene.entries("dead") == []
    assert len({record.headers["idempotency-key"] for record in scene.tenant.accepted}) == count
    scene.tenant.assert_no_id_with_two_bodies()
    scene.tenant.assert_no_alert_under_two_ids(lambda body: body["search"]["sid"])


def another_forwarder(scene):
    """A second modular input on the same home; it is not started yet."""
    return scene.enter_context(
        ModularInput(
            scene.home, server_uri=scene.splunkd.uri, session_key=scene.splunkd.system_session, python=scene.python
        )
    )


def test_actions_without_a_forwarder_leave_no_alert_behind(scene):
    """Each puts before it tries the lock, and whoever lets go looks once more: in no round an alert stays."""
    for number in range(1, STARTED_ROUNDS + 1):
        finish(start_actions(scene, AT_ONCE))
        assert_everything_arrived(scene, number * AT_ONCE)


def test_actions_that_start_at_almost_the_same_time_leave_no_alert_behind(scene, chance):
    """The same in many rounds, half of them in one instant, half while the first delivers; before the first there is no outbox."""
    driver = [scene.python, str(Path(__file__).with_name("fork_actions.py")), str(scene.home.app)]
    key = scene.splunkd.session("admin")
    with subprocess.Popen(
        driver, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=scene.home.env(), universal_newlines=True
    ) as process:
        for number in range(FORKED_ROUNDS):
            spread_s = 0.1 * (number % 2)
            actions = [(chance.random() * spread_s, scene.splunk.payload(failed_logins(), key)) for _ in range(AT_ONCE)]
            process.stdin.write(json.dumps(actions) + "\n")
            process.stdin.flush()
            codes, stderr = json.loads(process.stdout.readline())
            assert codes == [0] * AT_ONCE, f"round {number}: {stderr}"
            assert scene.entries("new") == scene.entries("pending") == [], f"round {number}: {stderr}"
        process.stdin.close()
        assert process.wait(10) == 0
    assert scene.events("outbox.unavailable") == []
    assert_everything_arrived(scene, FORKED_ROUNDS * AT_ONCE)


def test_alert_that_is_put_just_before_the_lock_is_free_again_is_delivered(scene, monkeypatch):
    """Its own action saw the lock held and has ended: whoever lets go looks once more, after it has let go."""
    late, key = [], scene.splunkd.session("admin")

    def put_late_and_release(lock):
        if lock._descriptor >= 0 and not late:
            late.append(scene.splunk.fire(failed_logins(), key))
        real_release(lock)

    real_release = Lock.release
    monkeypatch.setattr(Lock, "release", put_late_and_release)
    monkeypatch.setattr(Lock, "is_free", lambda lock: True)
    payload = json.dumps(scene.splunk.payload(failed_logins(), key)).encode()
    environment = {"SPLUNK_HOME": str(scene.home.path)}
    assert capture.main(["", "--execute"], io.BytesIO(payload), io.StringIO(), environment) == 0
    assert "event=alert.queued" in late[0].stderr
    assert_everything_arrived(scene, 2)


def test_a_second_forwarder_waits_and_takes_over(scene):
    """One of two delivers; the operating system frees the lock of the one that is killed."""
    first = scene.start_forwarder()
    second = another_forwarder(scene)
    second.start()
    scene.wait_for_log("event=forwarder.waiting")
    assert len(scene.events("forwarder.started")) == 1
    scene.fire()
    scene.tenant.wait_for(1)
    first.kill()
    wait_until(lambda: len(scene.events("forwarder.started")) == 2, "the second took over", scene=scene)
    assert "event=alert.queued" in scene.fire().stderr
    scene.tenant.wait_for(2)
    scene.wait_until_empty()
    assert_everything_arrived(scene, 2)


def test_no_action_waits_for_the_tenant_while_a_forwarder_delivers(scene):
    """The tenant answers nobody before every action has ended; each said that its alert is stored."""
    answers = threading.Event()
    scene.tenant.when(lambda record: not answers.wait(60), Answer(503))
    scene.start_forwarder()
    said = finish(start_actions(scene, 12))
    answers.set()
    assert ["event=alert.queued" in text for text in said] == [True] * 12
    scene.wait_until_empty()
    assert_everything_arrived(scene, 12)


@pytest.mark.parametrize("running", [1, 5], ids=["one at a time", "five at once"])
def test_a_forwarder_that_is_told_to_end_leaves_no_alert_behind(scene, chance, running):
    """Whoever sees the lock held relies on its holder, also on one that ends; nobody comes after it here."""
    count = 0
    for _ in range(6):
        seen = len(scene.events("forwarder.started"))
        forwarder = another_forwarder(scene)
        forwarder.start()
        wait_until(lambda: len(scene.events("forwarder.started")) > seen, "the forwarder holds it", scene=scene)  # noqa: B023  called at once
        pause = threading.Event()
        processes = start_actions(scene, running)
        pause.wait(chance.random() * 0.2)
        processes += start_actions(scene, running)
        forwarder.process.terminate()
        finish(processes)
        assert forwarder.process.wait(10) == 0
        count += 2 * running
        assert_everything_arrived(scene, count)


def test_what_is_on_its_way_is_finished_when_the_forwarder_is_told_to_end(scene):
    """The tenant has the body and thinks: the forwarder waits for its word, and sends nothing twice."""
    answers = threading.Event()
    scene.tenant.when(lambda record: not answers.wait(60), Answer(503))
    forwarder = scene.start_forwarder()
    scene.fire()
    scene.tenant.wait_for(1)
    forwarder.process.terminate()
    with pytest.raises(subprocess.TimeoutExpired):
        forwarder.process.wait(0.5)
    answers.set()
    assert forwarder.process.wait(10) == 0
    assert_everything_arrived(scene, 1)
    assert len(scene.tenant.requests) == 1


def test_what_is_on_its_way_is_left_when_the_tenant_does_not_answer(scene):
    """A forwarder does not wait for ever, whatever the tenant does; the next one delivers under the same id."""
    scene.append("forward", "_PATIENCE_S = 1.0")
    answers = threading.Event()
    scene.tenant.when(lambda record: not answers.wait(60), Answer(503))
    forwarder = scene.start_forwarder()
    scene.fire()
    scene.tenant.wait_for(1)
    stopped = forwarder.stop(grace=12)
    assert (stopped.exit_code, stopped.killed) == (0, False)
    assert len(scene.entries("new") + scene.entries("pending")) == 1
    answers.set()
    another_forwarder(scene).start()
    scene.wait_until_empty()
    assert_everything_arrived(scene, 1)
