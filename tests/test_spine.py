"""The main job from end to end, with real processes, TLS and sockets: an alert goes from Splunk to its tenant."""

from __future__ import annotations

from tests.scene import decode, failed_logins


def test_alert_reaches_the_tenant_through_the_forwarder(scene):
    """The action stores it and ends; the forwarder delivers it."""
    scene.start_forwarder()
    fired = scene.fire()
    assert fired.exit_code == 0, fired.stderr
    assert "event=alert.queued" in fired.stderr
    scene.tenant.wait_for(1)
    scene.wait_until_empty()
    body = decode(scene.tenant.requests[0])
    assert body["search"]["name"] == "Failed SSH Logins"
    assert scene.tenant.refusals == []


def test_alert_reaches_the_tenant_directly_without_a_forwarder(scene):
    """Nobody holds the outbox: the action delivers by itself."""
    fired = scene.fire()
    assert fired.exit_code == 0, fired.stderr
    assert "event=alert.delivered" in fired.stderr
    assert len(scene.tenant.accepted) == 1
    assert scene.entries("new") == scene.entries("pending") == scene.entries("dead") == []


def test_firing_that_is_started_twice_has_one_body_whoever_delivers_it(scene):
    """First the action by itself, then the forwarder: at least once, under one id, and the same bytes."""
    search = failed_logins()
    assert scene.fire(search).exit_code == 0
    scene.start_forwarder()
    assert scene.fire(search).exit_code == 0
    scene.tenant.wait_for(2)
    scene.wait_until_empty()
    assert len({record.body for record in scene.tenant.requests}) == 1
    scene.tenant.assert_no_alert_under_two_ids()
