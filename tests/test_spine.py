"""The main job from end to end, with real processes, TLS and sockets: an alert goes from Splunk to its tenant."""

from __future__ import annotations

from tests.scene import decode


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
