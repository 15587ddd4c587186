"""What needs a person stands on Splunk Web's bulletin board, once, and goes when it is mended."""

from __future__ import annotations

import json

import pytest

from tests.scene import failed_logins, wait_until
from tests.standins.certs import Certs
from tests.standins.tenant import Answer


def board(scene):
    """Our messages: {name: text}."""
    return {name: text for name, (text, _) in scene.splunkd.messages.items() if name.startswith("parapet_security")}


def wait_for_board(scene, count):
    """Wait until so many of our messages are up."""
    wait_until(lambda: len(board(scene)) == count, f"{count} messages, not {board(scene)}", scene=scene)


def posts(scene):
    """How often something was put on the board."""
    return len([request for request in scene.splunkd.requests if request[:2] == ("POST", "/services/messages")])


def _token_refused(scene, tmp_path):
    token, scene.tenant.token = scene.tenant.token, "pst_" + "rotated"
    scene.fire()

    def mend():
        scene.tenant.token = token

    return mend, "main"


def _certificate_not_trusted(scene, tmp_path):
    (tmp_path / "other").mkdir()
    scene.configure({"ca_file": Certs(tmp_path / "other").ca_file})
    wait_until(lambda: len(scene.events("settings.loaded")) == 2, "the new settings", scene=scene)
    scene.fire()
    return lambda: scene.configure({"ca_file": scene.certs.ca_file}), "main"


def _unknown_tenant(scene, tmp_path):
    scene.fire(failed_logins(params={"tenant": "lab"}))
    return lambda: scene.add_tenant("lab", scene.tenant.url, scene.tenant.token), "lab"


@pytest.mark.parametrize(
    "trouble", [_token_refused, _certificate_not_trusted, _unknown_tenant], ids=lambda t: t.__name__
)
def test_message_appears_once_and_goes_when_it_is_mended(scene, tmp_path, trouble):
    """It names the tenant, is not repeated while it stands, and the alert goes with it."""
    scene.start_forwarder()
    mend, word = trouble(scene, tmp_path)
    wait_for_board(scene, 1)
    (text,) = board(scene).values()
    assert word in text
    scene.fire(failed_logins(params={"tenant": word}))
    wait_until(lambda: len(scene.entries("new") + scene.entries("pending")) == 2, "both wait", scene=scene)
    mend()
    scene.wait_until_empty()
    wait_for_board(scene, 0)
    assert posts(scene) == 1


def test_dead_letter_is_told_and_taken_back(scene):
    """By the handler as well as by the forwarder, whoever is there when it is mended."""
    scene.tenant.script(Answer(400))
    assert scene.fire(user="user").exit_code == 0
    wait_for_board(scene, 1)
    assert "parapetoutbox" in next(iter(board(scene).values()))
    (name,) = scene.entries("dead")
    (scene.outbox / "requests" / f"{name[14:34]}.retry").write_text("")
    forwarder = scene.start_forwarder()
    wait_until(lambda: not scene.entries("dead"), "no dead letter", scene=scene)
    scene.wait_until_empty()
    # Dead letters are counted once a minute, and when a forwarder starts.
    forwarder.stop()
    scene.start_forwarder()
    wait_for_board(scene, 0)


def test_outbox_that_is_nearly_full_is_told(scene):
    """Before alerts have to be delivered from memory."""
    scene.set_tenant("main", disabled="1")
    scene.fire()
    (path,) = scene.outbox.rglob("*.alert")
    document, _, rows = path.read_bytes().partition(b"\n")
    header = json.loads(document)
    header["alert"]["row"] = {"padding": "x" * 900000}
    path.write_bytes(json.dumps(header).encode() + b"\n" + rows)
    scene.configure({"outbox_max_bytes": "1048576"})
    scene.start_forwarder()
    wait_for_board(scene, 1)
    assert "full" in next(iter(board(scene).values()))


def test_message_of_a_process_that_has_ended_goes_when_it_is_mended(scene):
    """The next forwarder takes over what stands on the board; messages of others stay."""
    scene.splunkd.messages["restart_required"] = ("Splunk must be restarted", "warn")
    first = scene.start_forwarder()
    scene.fire(failed_logins(params={"tenant": "lab"}))
    wait_for_board(scene, 1)
    first.stop()
    scene.add_tenant("lab", scene.tenant.url, scene.tenant.token)
    scene.start_forwarder()
    wait_for_board(scene, 0)
    assert "restart_required" in scene.splunkd.messages


def test_board_that_cannot_be_written_delays_nothing_and_is_tried_again(scene):
    """What troubles splunkd is no trouble of the tenant's."""
    scene.splunkd.fail("messages", 503)
    scene.start_forwarder()
    scene.fire(failed_logins(params={"tenant": "lab"}))
    scene.fire()
    scene.tenant.wait_for(1)
    scene.wait_for_log("event=tenant.unusable")
    tried = len(scene.splunkd.requests)
    wait_until(lambda: len(scene.splunkd.requests) > tried + 1, "another try", scene=scene)
    assert board(scene) == {}
    scene.splunkd.heal()
    wait_for_board(scene, 1)
