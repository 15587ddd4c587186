"""Alerts of owners who may not read the token: somebody with the system's rights delivers, or the action says what to do."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from parapet import handler

from tests.process.driver import ended
from tests.scene import Scene, failed_logins, wait_until
from tests.standins.tenant import Answer

DELIVER = "/services/parapet_security/deliver"


@pytest.fixture
def unloaded(tmp_path, app_tree, certs):
    """An installation whose splunkd was not restarted since, so that it does not know the deliver handler yet."""
    with Scene(tmp_path / "splunk", app_tree, certs, splunkd={"handlers_loaded": False}) as scene:
        yield scene


@pytest.mark.parametrize("owner", ["user", "power"])
def test_forwarder_delivers_for_an_owner_without_rights(scene, owner):
    """The action needs no right at all."""
    scene.start_forwarder()
    fired = ended(scene.fire(user=owner))
    assert (fired.exit_code, fired.lines) == (0, [("INFO", "alert.queued")])
    scene.tenant.wait_for(1)
    assert not [request for request in scene.splunkd.requests if request.user == owner]


@pytest.mark.parametrize("owner", ["user", "power"])
def test_handler_delivers_for_an_owner_without_rights(scene, owner):
    """No forwarder: the action asks the handler, which has the system's rights."""
    fired = ended(scene.fire(user=owner))
    assert fired.exit_code == 0, fired.stderr
    scene.tenant.wait_for(1)
    scene.wait_until_empty()
    assert scene.tenant.refusals == []
    scene.wait_for_log("event=handler.finished")


def test_nobody_who_may_deliver_ends_with_4_and_says_what_to_do(unloaded):
    """The alert is kept; once a forwarder starts, it goes."""
    fired = ended(unloaded.fire(user="user"))
    assert fired.exit_code == 4
    assert fired.lines == [("ERROR", "alert.undeliverable")]
    assert "parapet_forwarder" in fired.stderr
    assert "restart" in fired.stderr
    assert len(unloaded.entries("new")) == 1
    unloaded.start_forwarder()
    unloaded.wait_until_empty()
    assert len(unloaded.tenant.accepted) == 1


def test_handler_whose_time_is_over_has_another_call_go_on(scene, monkeypatch):
    """A tenant that is slow has a backlog: nobody else would come for it before the next alert."""
    scene.configure({"workers": "1"})
    scene.set_tenant("main", disabled="1")
    for number in range(5):
        scene.fire(failed_logins(name=f"Old {number}", trigger_time=1769614000 + number))
    scene.set_tenant("main", disabled="0")
    scene.tenant.latency = 0.7
    monkeypatch.setattr(handler, "_TURN_S", 1.0)
    call = {
        "method": "POST",
        "system_authtoken": scene.splunkd.system_session(),
        "server": {"rest_uri": scene.splunkd.uri},
    }
    status, counts = handler.answer(call, scene.home.env())
    assert (status, counts["held_by_other"]) == (200, False)
    assert counts["delivered"] < 5
    scene.wait_until_empty(timeout=30)
    assert len({record.headers["idempotency-key"] for record in scene.tenant.accepted}) == 5


def test_handler_that_fails_ends_with_4(scene):
    """Whatever it answers that is not 200, nobody delivers."""
    scene.splunkd.fail("parapet_security/deliver", 503)
    fired = ended(scene.fire(user="user"))
    assert fired.exit_code == 4
    assert fired.lines == [("ERROR", "alert.undeliverable")]


def test_handler_that_is_busy_ends_with_0_and_a_warning(scene):
    """A tenant that takes its time: the action does not wait for it, and the handler goes on."""
    scene.tenant.script(Answer(delay=3.0))
    fired = ended(scene.fire(user="user"))
    assert (fired.exit_code, fired.lines) == (0, [("WARN", "alert.kept")])
    scene.wait_until_empty()
    assert len(scene.tenant.accepted) == 1


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_handler_answers_post_only(scene, method):
    """Anything else is 405, and delivers nothing."""
    scene.splunkd.fail("parapet_security/deliver", 503, times=1)
    scene.fire(user="user")
    with pytest.raises(requests.HTTPError) as refused:
        scene.call(method, DELIVER)
    assert refused.value.response.status_code == 405
    assert scene.tenant.requests == []


def test_handler_takes_no_input_and_answers_counts(scene):
    """What is sent along changes nothing, and what comes back is three numbers and a truth value."""
    scene.splunkd.fail("parapet_security/deliver", 503, times=1)
    scene.fire(user="user")
    form = {"tenant": "lab", "url": "https://localhost:1/", "outbox": "/", "system_authtoken": "x"}
    answer = scene.call("POST", DELIVER, user="user", **form)
    assert answer == {"delivered": 1, "deferred": 0, "dead": 0, "held_by_other": False}
    assert len(scene.tenant.accepted) == 1


def test_handler_does_nothing_before_there_is_an_outbox(bare_scene):
    """Nor does it make one."""
    assert bare_scene.call("POST", DELIVER)["delivered"] == 0
    assert not bare_scene.outbox.exists()


def test_handler_without_system_rights_says_what_is_missing(scene):
    """Somebody's local restmap.conf took passSystemAuth away."""
    (scene.home.app / "local/restmap.conf").write_text("[script:parapet_deliver]\npassSystemAuth = false\n")
    scene.splunkd.restart()
    with pytest.raises(requests.HTTPError) as refused:
        scene.call("POST", DELIVER)
    assert refused.value.response.status_code == 500
    assert "passSystemAuth" in refused.value.response.text


def test_bug_in_the_handler_is_an_answer_without_a_secret(scene):
    """500 in our words, one line in the log, and the process lives."""
    scene.append("configuration", "def load(splunkd, **_):\n    raise ZeroDivisionError(splunkd._context.token)")
    scene.outbox.mkdir(parents=True)
    for _ in range(2):
        with pytest.raises(requests.HTTPError) as refused:
            scene.call("POST", DELIVER)
        assert refused.value.response.status_code == 500
        assert json.loads(refused.value.response.text) == {"error": "a fault of the app; see parapet_security.log"}
    assert len(scene.splunkd.handler_pids()) == 1
    assert len(scene.events("process.bug")) == 2


def test_of_several_handlers_the_lock_decides(tmp_path, app_tree, certs):
    """Splunk may run many at once: each alert goes once."""
    with Scene(tmp_path / "splunk", app_tree, certs, splunkd={"handler_processes": 3}) as scene:
        scene.tenant.latency = 0.2
        with ThreadPoolExecutor(3) as pool:
            fired = list(pool.map(lambda _: scene.fire(failed_logins(), user="user"), range(4)))
        assert [run.exit_code for run in fired] == [0] * 4
        scene.wait_until_empty()
        assert len(scene.tenant.requests) == 4
        scene.tenant.assert_no_alert_under_two_ids()


def test_forwarder_that_holds_the_lock_is_left_alone_by_the_handler(scene):
    """The handler says so and returns at once."""
    scene.start_forwarder()
    assert scene.call("POST", DELIVER) == {"delivered": 0, "deferred": 0, "dead": 0, "held_by_other": True}


def test_every_member_of_a_cluster_delivers_its_own(tmp_path, app_tree, certs):
    """Three members, a forwarder on one only, owners without rights: all alerts of all members arrive, each once."""
    with Scene(tmp_path / "a", app_tree, certs) as first:
        members = [first]
        for name in ("b", "c"):
            member = first.enter_context(Scene(tmp_path / name, app_tree, certs, tenant=False))
            member.configure({"ca_file": certs.ca_file})
            member.add_tenant("main", first.tenant.url, first.tenant.token)
            members.append(member)
        first.start_forwarder()
        with ThreadPoolExecutor(3) as pool:
            fired = list(pool.map(lambda number: members[number % 3].fire(user="user"), range(6)))
        assert [run.exit_code for run in fired] == [0] * 6
        for member in members:
            member.wait_until_empty()
        wait_until(lambda: len(first.tenant.accepted) == 6, "all six", scene=first)
        first.tenant.assert_no_alert_under_two_ids()
