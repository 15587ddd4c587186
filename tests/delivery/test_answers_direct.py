"""wire.md, Answers, for an action that delivers its alert itself: the same answers, its exit code, and what it leaves behind."""

from __future__ import annotations

import time

import pytest

from tests.delivery import answers
from tests.delivery.answers import fire, hold, is_alert, is_test, named, sent
from tests.scene import Scene
from tests.standins.tenant import Answer, Mode


@pytest.fixture(scope="module")
def shared(tmp_path_factory, app_tree, certs):
    """One scene without a forwarder for the tests that leave nothing behind; five seconds is the shortest deadline."""
    with Scene(tmp_path_factory.mktemp("shared") / "splunk", app_tree, certs) as scene:
        scene.configure({"direct_deadline": "5"})
        yield scene


@pytest.mark.parametrize(
    "answer",
    [
        Answer(408),
        Answer(500),
        Answer(503),
        Answer(429),
        Answer(429, retry_after="1"),
        Answer(503, retry_after="0"),
        Answer(mode=Mode.RESET),
        Answer(mode=Mode.CUT_HEAD),
    ],
    ids=repr,
)
def test_action_tries_again_inside_its_deadline(shared, answer):
    """One hiccup of the tenant is not worth a warning: 0, delivered, under one id."""
    name = f"again {answer!r} {answer.headers}"
    shared.tenant.script(answer)
    fired = fire(shared, name)
    assert fired.exit_code == 0, fired.stderr
    assert "event=alert.delivered" in fired.stderr
    assert len(sent(shared.tenant, name)) == 2
    answers.assert_one_body(sent(shared.tenant, name))
    assert shared.entries("new") == shared.entries("pending") == []
    assert hold(shared) == {}


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_action_ends_with_5_where_its_body_is_refused(shared, status):
    """Kept as a dead letter, and said at ERROR."""
    name, dead = f"refused {status}", len(shared.entries("dead"))
    shared.tenant.when(named(name), Answer(status))
    fired = fire(shared, name)
    assert fired.exit_code == 5, fired.stderr
    assert f"ERROR event=delivery.dead id={shared.entries('dead')[-1][14:34]}" in fired.stderr or dead
    assert f"reason=status_{status}" in fired.stderr
    assert len(shared.entries("dead")) == dead + 1
    assert len(sent(shared.tenant, name)) == 1


def test_action_ends_with_5_where_a_firewall_refuses_its_body(shared):
    """The connection test is accepted, the body is not."""
    shared.tenant.when(named("evil"), Answer(403))
    fired = fire(shared, "evil")
    assert fired.exit_code == 5, fired.stderr
    assert [is_test(record) for record in shared.tenant.requests[-3:]] == [False, True, False]
    assert fire(shared, "harmless").exit_code == 0


@pytest.mark.parametrize("status", [401, 403, 404, 407, 302])
def test_action_ends_with_4_where_the_configuration_is_refused(scene, status):
    """It keeps the entry, does not wait, and says what to do; the next action does not even ask before it is time."""
    scene.configure({"hold_retry": "3600"})
    scene.tenant.always(Answer(status, headers={"Location": scene.tenant.url}))
    fired = fire(scene, "first")
    assert fired.exit_code == 4, fired.stderr
    assert "ERROR event=alert.undeliverable" in fired.stderr
    assert f"reason=status_{status}" in fired.stderr
    assert "todo=" in fired.stderr
    assert hold(scene)["kind"] == "configuration"
    requests = len(scene.tenant.requests)
    assert fire(scene, "second").exit_code == 4
    assert len(scene.tenant.requests) == requests
    assert len(scene.entries("new") + scene.entries("pending")) == 2
    assert scene.entries("dead") == []
    assert "pst_" not in fired.stderr


def test_action_that_finds_it_mended_delivers_what_the_others_left(scene):
    """A new token ends the hold at once, for all that waits."""
    scene.configure({"hold_retry": "3600"})
    scene.tenant.token = "pst_" + "the-new-one"
    assert [fire(scene, "first").exit_code, fire(scene, "second").exit_code] == [4, 4]
    scene.set_token("main", scene.tenant.token)
    assert fire(scene, "third").exit_code == 0
    assert len(answers.accepted_ids(scene.tenant)) == 3
    assert scene.entries("new") == scene.entries("pending") == []
    assert hold(scene) == {}


@pytest.mark.parametrize("status", [429, 503])
def test_action_does_not_wait_longer_than_it_may(scene, status):
    """Retry-After lies beyond its deadline: 0, kept, a warning; the next action respects the hold, and so does a forwarder."""
    scene.tenant.script(Answer(status, retry_after="1800"))
    fired = fire(scene, "first")
    assert fired.exit_code == 0, fired.stderr
    assert "WARN event=alert.kept" in fired.stderr
    assert 1700 < hold(scene)["until_ms"] / 1000 - time.time() < 1801
    assert fire(scene, "second").exit_code == 0
    assert len(scene.tenant.requests) == 1
    assert len(scene.entries("new") + scene.entries("pending")) == 2


def test_tenant_that_is_down_when_the_deadline_comes_keeps_the_alert(scene):
    """0 with a warning; the forwarder delivers it when the tenant is back."""
    scene.configure({"direct_deadline": "5"})
    scene.tenant.pause()
    fired = fire(scene, "down")
    assert fired.exit_code == 0, fired.stderr
    assert "WARN event=alert.kept" in fired.stderr
    assert len(scene.entries("new") + scene.entries("pending")) == 1
    scene.tenant.resume()
    scene.start_forwarder()
    scene.wait_until_empty()
    assert len([record for record in scene.tenant.accepted if is_alert(record)]) == 1
