"""wire.md, Answers, as they happen through a forwarder: what is sent again, what waits, and for how long."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from tests.delivery import answers
from tests.delivery.answers import fire, hold, lines, named, sent, wait_for_line
from tests.scene import wait_until
from tests.standins.tenant import Answer, Mode, Tenant


@pytest.fixture(scope="module")
def shared(tmp_path_factory, app_tree, certs):
    """One scene for the tests that leave nothing behind."""
    with answers.running(tmp_path_factory.mktemp("shared") / "splunk", app_tree, certs) as scene:
        yield scene


@pytest.fixture
def calm(shared):
    """The shared scene, and the check that nothing is left behind."""
    yield shared
    shared.wait_until_empty()
    assert hold(shared) == {}
    assert shared.tenant.refusals == []
    shared.tenant.assert_no_id_with_two_bodies()


@pytest.mark.parametrize("status", [408, 425, 500, 501, 502, 503, 504, 599])
def test_entry_waits_by_itself_and_goes_again_under_its_id(calm, status):
    """One such answer holds nobody."""
    name = f"waits {status}"
    calm.tenant.script(Answer(status))
    assert fire(calm, name).exit_code == 0
    wait_for_line(calm, "delivery.delivered", name)
    assert [record.status for record in sent(calm.tenant, name)] == [status, 200]
    answers.assert_one_body(sent(calm.tenant, name))
    assert f"reason=status_{status}" in lines(calm, "delivery.deferred", name)[0]
    assert not lines(calm, "tenant.held", f"status_{status}")


@pytest.mark.parametrize(
    ("mode", "reasons"),
    [
        (Mode.RESET, ("reset",)),
        (Mode.CLOSE_UNANSWERED, ("reset", "tls")),
        (Mode.CUT_HEAD, ("reset", "tls")),
        (Mode.GARBAGE, ("protocol",)),
    ],
)
def test_no_answer_holds_the_tenant_and_the_body_goes_again_under_its_id(calm, mode, reasons):
    """Nobody knows whether the tenant has it: the id makes a second one harmless."""
    name = f"no answer {mode.name}"
    before = len(calm.events("tenant.held"))
    calm.tenant.script(Answer(mode=mode))
    fire(calm, name)
    wait_for_line(calm, "delivery.delivered", name)
    assert len(sent(calm.tenant, name)) == 2
    answers.assert_one_body(sent(calm.tenant, name))
    held = calm.events("tenant.held")[before:]
    assert len(held) == 1
    assert any(f"reason={reason}" in held[0][1] for reason in reasons)
    assert lines(calm, "tenant.released", "tenant=main")


@pytest.mark.parametrize("status", [400, 402, 405, 409, 410, 415, 422, 451])
def test_body_that_is_refused_is_a_dead_letter_and_holds_nobody(shared, status):
    """It is kept and reported, and the next alert goes."""
    name, next_one = f"refused {status}", f"after {status}"
    shared.tenant.when(named(name), Answer(status))
    dead = len(shared.entries("dead"))
    fire(shared, name)
    line = wait_for_line(shared, "delivery.dead", name)
    assert f"reason=status_{status}" in line
    assert "todo=" in line
    fire(shared, next_one)
    wait_for_line(shared, "delivery.delivered", next_one)
    assert len(sent(shared.tenant, name)) == 1
    assert len(shared.entries("dead")) == dead + 1
    assert hold(shared) == {}


@pytest.mark.parametrize(
    ("status", "retry_after", "most_s"),
    [(429, "1800", 1801), (503, "1800", 1801), (429, "date", 1801), (429, "999999", 3601)],
)
def test_retry_after_holds_the_whole_tenant_and_outlives_the_process(scene, certs, status, retry_after, most_s):
    """At least so long, an hour at most, on disk; another tenant is not held."""
    scene.add_tenant("other", scene.enter_context(Tenant(certs)).url, scene.tenant.token)
    value = formatdate(time.time() + 1800, usegmt=True) if retry_after == "date" else retry_after
    scene.tenant.script(Answer(status, retry_after=value))
    scene.start_forwarder()
    fire(scene, "first")
    wait_for_line(scene, "tenant.held", f"reason=status_{status}")
    noted = hold(scene)
    assert noted["kind"] == "wait"
    assert most_s - 100 < noted["until_ms"] / 1000 - time.time() < most_s
    for name in ("second", "third"):
        fire(scene, name)
        fire(scene, name + " of the other", tenant="other")
        wait_for_line(scene, "delivery.delivered", name + " of the other")
        scene.forwarder.stop()
        scene.start_forwarder()
    assert len(scene.tenant.requests) == 1
    assert len(scene.entries("new") + scene.entries("pending")) == 3


@pytest.mark.parametrize(("status", "retry_after"), [(429, None), (429, "soon"), (503, "1.5")])
def test_tenant_is_held_for_the_back_off_where_retry_after_says_nothing(calm, status, retry_after):
    """It is the tenant that waits, and not for longer than the back-off."""
    name, before = f"says {retry_after}", len(calm.events("tenant.held"))
    calm.tenant.script(Answer(status, retry_after=retry_after))
    fire(calm, name)
    wait_for_line(calm, "delivery.delivered", name)
    assert len(sent(calm.tenant, name)) == 2
    assert [f"reason=status_{status}" in line for _, line in calm.events("tenant.held")[before:]] == [True]


def test_retry_after_is_waited_for(calm):
    """Not a moment less than the tenant asked for."""
    calm.tenant.script(Answer(429, retry_after="1"))
    fire(calm, "a second later")
    wait_for_line(calm, "delivery.delivered", "a second later")
    first, second = sent(calm.tenant, "a second later")
    assert second.time - first.time >= 0.99


def test_three_different_entries_in_a_row_hold_the_tenant_then_one_is_the_probe(calm):
    """While it is held one body at a time is tried; a success lets all go."""
    calm.tenant.always(Answer(502))
    held_before = len(calm.events("tenant.held"))
    names = [f"overload {number}" for number in range(5)]
    for name in names:
        fire(calm, name)
    wait_until(lambda: len(calm.events("tenant.held")) >= held_before + 3, "three rounds", 30, calm)
    assert hold(calm)["reason"] == "status_502"
    # From here on a probe takes a moment: the next one is not sent before it is answered.
    calm.tenant.latency = 0.1
    begun = len(calm.tenant.requests)
    requests = calm.tenant.wait_for(begun + 5, 20)[begun + 1 :]
    calm.tenant.latency = 0.0
    assert all(later.time - earlier.time >= 0.1 for earlier, later in zip(requests, requests[1:]))
    calm.tenant.always(Answer(200))
    for name in names:
        wait_for_line(calm, "delivery.delivered", name)
        answers.assert_one_body(sent(calm.tenant, name))


def test_outage_loses_nothing_and_sends_nothing_twice(calm):
    """Refused connections hold the tenant; when it is back everything goes, once."""
    calm.tenant.pause()
    names = [f"outage {number}" for number in range(4)]
    for name in names:
        assert fire(calm, name).exit_code == 0
    wait_for_line(calm, "tenant.held", "reason=refused")
    assert hold(calm)["reason"] == "refused"
    calm.tenant.resume()
    for name in names:
        wait_for_line(calm, "delivery.delivered", name)
        assert len(sent(calm.tenant, name)) == 1


def test_forwarder_that_is_told_to_end_does_not_wait_for_a_hanging_tenant(scene):
    """It is gone before Splunk would kill it, and the alert is still there."""
    scene.append("forward", "_PATIENCE_S = 1.0")
    scene.tenant.script(Answer(delay=60))
    scene.start_forwarder()
    fire(scene, "hanging")
    scene.tenant.wait_for(1)
    assert not scene.forwarder.stop(grace=10).killed
    assert len(scene.entries("new") + scene.entries("pending")) == 1
    scene.start_forwarder()
    wait_for_line(scene, "delivery.delivered", "hanging")
    answers.assert_one_body(sent(scene.tenant, "hanging"))
