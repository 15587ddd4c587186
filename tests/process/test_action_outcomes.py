"""What the action says and answers when it delivers by itself and that does not go well: exit codes 0, 4 and 5."""

from __future__ import annotations

import json

import pytest

from tests.process.driver import encode, ended, payload, run_action
from tests.scene import Scene, failed_logins, wait_until
from tests.standins.tenant import Answer

STARS = "******"


def test_tenant_that_is_not_configured_waits_and_goes_when_it_is(scene):
    """The alert is kept, the owner gets a 4, and it leaves once the administrator has added the tenant."""
    fired = ended(scene.fire(failed_logins(params={"tenant": "lab"})))
    assert fired.exit_code == 4
    assert ("ERROR", "alert.undeliverable") in fired.lines
    assert "lab" in fired.stderr
    assert scene.tenant.requests == []
    scene.add_tenant("lab", scene.tenant.url, scene.tenant.token)
    scene.start_forwarder()
    scene.wait_until_empty()
    assert len(scene.tenant.accepted) == 1


def test_forwarder_that_runs_takes_up_a_tenant_that_is_added(scene):
    """Nobody has to restart anything."""
    scene.start_forwarder()
    assert scene.fire(failed_logins(params={"tenant": "lab"})).exit_code == 0
    scene.wait_for_log("event=tenant.unusable")
    scene.add_tenant("lab", scene.tenant.url, scene.tenant.token)
    scene.wait_until_empty()
    assert len(scene.tenant.accepted) == 1


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "Main", "x" * 65, "a\nb"])
def test_name_that_is_no_tenants_becomes_a_dead_letter(scene, name):
    """It ends with 4, the firing is kept, and nothing is written outside the outbox."""
    before = {path for path in scene.home.path.rglob("*") if "__pycache__" not in path.parts}
    fired = ended(scene.fire(failed_logins(params={"tenant": name})))
    assert fired.exit_code == 4
    assert fired.lines == [("ERROR", "delivery.dead")]
    assert len(scene.entries("dead")) == 1
    assert scene.entries("new") == []
    after = {path for path in scene.home.path.rglob("*") if "__pycache__" not in path.parts}
    outside = {path for path in after - before if scene.outbox not in [path, *path.parents]}
    assert {path.name for path in outside} <= {
        "parapet_security",
        "parapet_security.log",
        "parapet_security_modalert.log",
        "results.csv.gz",
        failed_sid(outside),
    }
    assert scene.tenant.requests == []


def failed_sid(paths):
    """The name of the dispatch directory among these paths."""
    return next((path.name for path in paths if path.parent.name == "dispatch"), "")


def test_tenant_without_a_token_ends_with_4(scene):
    """The URL is there, the token is not: no request goes without one."""
    scene.delete_token("main")
    fired = ended(scene.fire())
    assert fired.exit_code == 4
    assert ("ERROR", "alert.undeliverable") in fired.lines
    assert "token" in fired.stderr
    assert len(scene.entries("new") + scene.entries("pending")) == 1
    assert scene.tenant.requests == []


def test_masked_token_never_goes_into_a_header(tmp_path, app_tree, certs):
    """A splunkd that masks secrets gives stars: that is a matter for a person, not a token."""
    with Scene(tmp_path / "splunk", app_tree, certs, splunkd={"mask": True}) as scene:
        fired = ended(scene.fire())
        assert fired.exit_code == 4
        assert ("ERROR", "alert.undeliverable") in fired.lines
        assert "pst_" in fired.stderr
        assert scene.tenant.requests == []


def test_app_that_nobody_configured_keeps_the_alert_and_says_what_to_do(bare_scene):
    """The first alert comes before the administrator."""
    fired = ended(bare_scene.fire(failed_logins()))
    assert fired.exit_code == 4
    assert ("ERROR", "alert.undeliverable") in fired.lines
    assert "main" in fired.stderr
    assert "setup page" in fired.stderr
    assert len(bare_scene.entries("new") + bare_scene.entries("pending")) == 1


@pytest.mark.parametrize("status", [400, 422])
def test_alert_that_the_tenant_refuses_for_good_ends_with_5(scene, status):
    """It is a dead letter, and the line says what the tenant answered."""
    scene.tenant.always(Answer(status))
    fired = ended(scene.fire())
    assert fired.exit_code == 5
    assert ("ERROR", "delivery.dead") in fired.lines
    assert str(status) in fired.stderr
    assert len(scene.entries("dead")) == 1
    assert len(scene.tenant.requests) == 1


@pytest.mark.parametrize("status", [401, 404])
def test_configuration_that_the_tenant_refuses_ends_with_4(scene, status):
    """It waits for a person: the action does not try for a minute, and the alert is kept."""
    scene.tenant.always(Answer(status))
    fired = ended(scene.fire())
    assert fired.exit_code == 4
    assert ("ERROR", "alert.undeliverable") in fired.lines
    assert len(scene.entries("new") + scene.entries("pending")) == 1


def test_tenant_that_is_down_until_the_deadline_ends_with_0_and_a_warning(scene):
    """The alert is safe, and goes at a later turn."""
    scene.configure({"direct_deadline": "5"})
    scene.tenant.pause()
    fired = ended(scene.fire())
    assert fired.exit_code == 0
    assert ("WARN", "alert.kept") in fired.lines
    scene.tenant.resume()
    assert scene.fire().exit_code == 0
    scene.wait_until_empty()
    assert len(scene.tenant.accepted) == 2


def test_alert_whose_time_was_up_says_what_kept_it(scene):
    """That the time was up says nothing about why it was not enough."""
    scene.configure({"direct_deadline": "5"})
    scene.tenant.script(*[Answer(503)] * 50)
    fired = ended(scene.fire())
    assert fired.exit_code == 0
    assert 'reason="HTTP 503' in fired.stderr
    assert "until the time was up" in fired.stderr


def test_paused_tenant_ends_with_0_and_a_warning(scene):
    """Its alerts wait, which is what the administrator asked for."""
    scene.set_tenant("main", disabled="1")
    fired = ended(scene.fire())
    assert fired.exit_code == 0
    assert ("WARN", "alert.kept") in fired.lines
    assert "paused" in fired.stderr
    scene.set_tenant("main", disabled="0")
    assert scene.fire().exit_code == 0
    assert len(scene.tenant.accepted) == 2


def test_splunkd_that_fails_keeps_the_alert(scene):
    """No settings, no delivery: exit 4, and a forwarder takes it when splunkd is back."""
    scene.splunkd.fail("/", 503)
    fired = ended(scene.fire())
    assert fired.exit_code == 4
    assert ("ERROR", "alert.undeliverable") in fired.lines
    scene.splunkd.heal()
    scene.start_forwarder()
    scene.wait_until_empty()


@pytest.mark.parametrize("fault", [503, "close", "fault of settings"])
def test_others_that_wait_do_not_keep_an_action_that_cannot_read_the_settings(scene, fault):
    """Its own alert is out; that it may not do more for the others must not make it go on for ever."""
    scene.set_tenant("main", disabled="1")
    scene.fire()
    (waiting,) = scene.entries("new") or scene.entries("pending")
    if waiting in scene.entries("pending"):
        (scene.outbox / "pending" / waiting).rename(scene.outbox / "new" / waiting)
    scene.add_tenant("lab", scene.tenant.url, scene.tenant.token)
    if fault == "fault of settings":
        # The owner may read the token of lab, and not that of main.
        scene.splunkd.fail("/servicesNS/nobody/parapet_security/storage/passwords/parapet_security%3Amain", 403)
    else:
        scene.splunkd.fail("/servicesNS/nobody/parapet_security/storage/passwords/parapet_security%3Amain", fault)
    said = run_action(scene, encode(payload(scene, failed_logins(params={"tenant": "lab"}))), timeout=30)
    assert said.exit_code == 0, said.stderr
    assert len(scene.tenant.accepted) == 1


def test_entry_of_a_newer_version_does_not_keep_an_action(scene):
    """What this code cannot read is left alone, and the action ends."""
    scene.set_tenant("main", disabled="1")
    scene.fire()
    (name,) = scene.entries("new") + scene.entries("pending")
    found = next(scene.outbox.rglob(name))
    first, _, rest = found.read_bytes().partition(b"\n")
    newer = scene.outbox / "new" / name
    newer.write_bytes(json.dumps({**json.loads(first), "v": 99}).encode() + b"\n" + rest)
    scene.set_tenant("main", disabled="0")
    said = run_action(scene, encode(payload(scene, failed_logins())), timeout=30)
    assert said.exit_code == 0, said.stderr
    assert ("ERROR", "outbox.too_new") in said.lines
    assert newer.exists()
    assert len(scene.tenant.accepted) == 1


def test_bug_of_ours_is_one_line_and_ends_with_70(scene):
    """No traceback at a user, and no text that an unforeseen error could hold."""
    scene.append(
        "outbox", "def _broken(self, alert, **_):\n    raise ZeroDivisionError(alert.search_name)\nOutbox.put = _broken"
    )
    fired = ended(scene.fire())
    assert fired.exit_code == 70
    assert fired.lines == [("FATAL", "process.bug")]
    assert "Failed SSH" not in fired.stderr
    wait_until(lambda: "process.bug" in scene.log_text, "the log's line", scene=scene)


def test_shell_user_gets_the_same_words(bare_scene):
    """`--execute` typed into a shell, with nothing on stdin, says what was expected."""
    said = run_action(bare_scene, b"")
    assert said.exit_code == 3
    assert "payload_format" in said.stderr
