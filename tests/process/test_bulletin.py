"""What needs a person stands on Splunk Web's bulletin board, once, and goes when it is mended. How often it is told: tests/outbox/test_matters.py."""

from __future__ import annotations

import pytest
from parapet.outbox import Outbox

from tests.outbox.conftest import make_alert
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


def fire(scene, **search):
    """Fire an alert whose owner may not read the token: without a forwarder, the deliver handler has its turn."""
    return scene.fire(failed_logins(**search), user="user")


def hurry(scene):
    """A message that nobody needs any more goes sooner, and a board that failed is asked again sooner."""
    scene.append("bulletin", "_SETTLED_S = _RETRY_S = 1.5")


def _token_refused(scene, tmp_path):
    token, scene.tenant.token = scene.tenant.token, "pst_" + "rotated"
    fire(scene)

    def mend():
        scene.tenant.token = token

    return mend, "held_main", ["1 alert for tenant main waits, the oldest since 2026-01-28 15:30 UTC", "setup page"]


def _certificate_not_trusted(scene, tmp_path):
    (tmp_path / "other").mkdir()
    scene.configure({"ca_file": Certs(tmp_path / "other").ca_file})
    if scene.forwarder:
        wait_until(lambda: len(scene.events("settings.loaded")) == 2, "the new settings", scene=scene)
    fire(scene)
    words = ["1 alert for tenant main waits", "The certificate does not verify: set ca_file", "setup page"]
    return lambda: scene.configure({"ca_file": scene.certs.ca_file}), "held_main", words


def _unknown_tenant(scene, tmp_path):
    fire(scene, params={"tenant": "lab"})
    if not scene.forwarder:
        fire(scene)  # for a tenant that is not there no token is wanted, so the action itself saw to the first
    words = ["1 alert waits", "for a tenant that is not configured: lab. Add what is missing on the app's setup page"]
    return lambda: scene.add_tenant("lab", scene.tenant.url, scene.tenant.token), "unconfigured", words


def _dead_letters(scene, tmp_path):
    scene.tenant.script(Answer(400), Answer(400))
    fire(scene)
    fire(scene)

    def mend():
        for name in scene.entries("dead"):
            (scene.outbox / "requests" / f"{name[14:34]}.retry").write_text("")

    return mend, "dead", ["dead letter", "Run | parapetoutbox on this host", "kept 14 days"]


def _nearly_full(scene, tmp_path):
    scene.set_tenant("main", disabled="1")
    scene.configure({"outbox_max_bytes": "1048576"})
    if scene.forwarder:
        wait_until(lambda: len(scene.events("settings.loaded")) == 2, "the new settings", scene=scene)
        scene.forwarder.stop()  # the outbox is counted once a minute, and by each that begins to deliver
    Outbox(str(scene.outbox)).put(make_alert(description="x" * 900000), results_path="", captured_ms=1)
    if scene.forwarder:
        scene.start_forwarder()
    else:
        fire(scene)
    return lambda: scene.set_tenant("main", disabled="0"), "full", ["the outbox is 8", "% full", "outbox_max_bytes"]


TROUBLES = [_token_refused, _certificate_not_trusted, _unknown_tenant, _dead_letters, _nearly_full]


def _cases():
    """Every trouble with a forwarder, and with the handler those that end within a turn of its: it does not read the settings anew."""
    for trouble in TROUBLES:
        for who in ("forwarder", "handler"):
            if (trouble, who) != (_certificate_not_trusted, "handler"):
                yield pytest.param(trouble, who, id=trouble.__name__[1:] + "-" + who)


@pytest.mark.parametrize(("trouble", "who"), _cases())
def test_message_appears_once_and_goes_when_it_is_mended(scene, tmp_path, trouble, who):
    """It names the host, what is the matter in numbers, and what to do; it is not repeated while it stands."""
    hurry(scene)
    if who == "forwarder":
        scene.start_forwarder()
    mend, name, words = trouble(scene, tmp_path)
    wait_for_board(scene, 1)
    ((shown, text),) = board(scene).items()
    assert shown == "parapet_security_" + name
    assert text.startswith("Parapet Security on stand-in: ")
    assert [word for word in words if word not in text] == []
    for _ in range(2):
        fire(scene, params={"tenant": "lab" if name == "unconfigured" else "main"})
    assert (len(board(scene)), posts(scene)) == (1, 1)
    mend()
    if who == "handler":
        fire(scene)
    elif name == "full":
        scene.wait_until_empty()
        scene.forwarder.stop()
        scene.start_forwarder()
    wait_for_board(scene, 0)
    scene.wait_until_empty()
    assert posts(scene) == 1


def test_flood_of_dead_letters_is_one_message_with_the_right_number_in_the_end(scene):
    """Not two hundred; and one that begins to deliver puts up nothing that is up."""
    outbox = Outbox(str(scene.outbox))
    for number in range(200):
        outbox.put(make_alert(number), results_path="", captured_ms=1)
    scene.tenant.script(*[Answer(400)] * 200)
    scene.start_forwarder()
    wait_until(lambda: len(scene.entries("dead")) == 200, "200 dead letters", timeout=60, scene=scene)
    wait_for_board(scene, 1)
    assert posts(scene) <= 2
    scene.forwarder.stop()
    scene.splunkd.message_times["parapet_security_dead"] -= 60  # a minute has passed
    scene.start_forwarder()
    wait_until(lambda: ": 200 dead letters: " in board(scene)["parapet_security_dead"], "the number", scene=scene)
    before = posts(scene)
    assert before <= 3
    scene.splunkd.message_times["parapet_security_dead"] -= 3600
    scene.forwarder.stop()
    scene.start_forwarder()
    fire(scene)
    scene.wait_until_empty()
    scene.forwarder.stop()
    assert posts(scene) == before


def test_forwarder_that_is_restarted_puts_up_nothing_that_is_up(scene):
    """Splunk starts it anew each hour; what waits is as it was."""
    scene.tenant.token = "pst_" + "rotated"
    scene.start_forwarder()
    for tenant in ("main", "lab"):
        fire(scene, params={"tenant": tenant})
    wait_for_board(scene, 2)
    before = board(scene)
    for _ in range(2):
        for name in before:
            scene.splunkd.message_times[name] -= 3600
        scene.forwarder.stop()
        asked = len(scene.splunkd.requests)
        scene.start_forwarder()
        wait_until(
            lambda asked=asked: ("GET", "/services/messages") in [r[:2] for r in scene.splunkd.requests[asked:]],
            "a look at the board",
            scene=scene,
        )
    scene.forwarder.stop()
    assert board(scene) == before
    assert posts(scene) == 2


def test_message_of_a_process_that_has_ended_goes_when_it_is_mended(scene):
    """The next forwarder takes over what stands on the board; messages of others stay."""
    hurry(scene)
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
    hurry(scene)
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


def test_board_that_hangs_delays_no_alert_of_the_handlers(scene):
    """It is asked aside: the handler delivers meanwhile, and does not wait for the board with the lock held."""
    scene.configure({"log_level": "DEBUG"})
    scene.tenant.script(Answer(400))
    fire(scene)
    wait_for_board(scene, 1)
    scene.splunkd.fail("messages", "hang")
    fire(scene)
    assert len(scene.tenant.accepted) == 1
    wait_until(lambda: scene.events("bulletin.failed"), "the board's failure", scene=scene)
    names = [name for name, _ in scene.events() if name in ("delivery.delivered", "bulletin.failed")]
    assert names == ["delivery.delivered", "bulletin.failed"]


def test_board_that_hangs_delays_no_settings(scene):
    """What an administrator mends counts at once."""
    scene.configure({"log_level": "DEBUG"})
    scene.splunkd.fail("messages", "hang")
    scene.start_forwarder()
    fire(scene, params={"tenant": "lab"})
    scene.splunkd.wait_for("GET", "/services/messages")
    scene.add_tenant("lab", scene.tenant.url, scene.tenant.token)
    scene.wait_until_empty()
    assert len(scene.tenant.accepted) == 1
    assert [name for name, _ in scene.events() if name == "bulletin.failed"] == []


def test_forwarder_that_ends_gives_its_last_message_the_time_it_needs(scene):
    """It is asked aside, and does not go with the process."""
    scene.splunkd.delay("messages", 0.3)
    scene.splunkd.delay("server/info", 0.3)
    scene.tenant.script(Answer(400))
    scene.start_forwarder()
    fire(scene)
    scene.wait_for_log("event=delivery.dead")
    scene.forwarder.stop()
    assert list(board(scene)) == ["parapet_security_dead"]
