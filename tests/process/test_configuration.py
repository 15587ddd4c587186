"""The configuration as splunkd gives it: everything that is wrong is said at once, and a change counts within seconds."""

from __future__ import annotations

import re

import pytest

from tests.process.driver import encode, ended, payload, run_action
from tests.raw_splunkd import ENDLESS, RawSplunkd
from tests.scene import CONF, PASSWORDS, failed_logins, wait_until
from tests.standins.proxy import Proxy
from tests.standins.splunk import ModularInput
from tests.standins.tenant import Tenant

WRONG = {
    "connect_timeout": "0",
    "read_timeout": "301",
    "max_body_bytes": "12.5",
    "workers": "seventeen",
    "retry_first": "-1",
    "retry_max": "1e9",
    "hold_retry": "nan",
    "direct_deadline": "4",
    "outbox_max_bytes": "10",
    "dead_days": "0",
    "retry_dead": "yesterday",
    "log_level": "LOUD",
    "proxy_user": "x",
}


def test_everything_that_is_wrong_is_said_at_once(scene):
    """Each in a line with its name, its range and what counts instead; the alert goes all the same."""
    scene.configure(WRONG)
    scene.call("POST", CONF, name="tennant:main", webhook_url="x")
    scene.set_tenant("main", token="pst_" + "misplaced", colour="red")
    fired = ended(scene.fire())
    assert fired.exit_code == 0, fired.stderr
    problems = [line for line in fired.stderr.splitlines() if "event=settings.problem" in line]
    for name in [*WRONG, "tennant:main", "colour", "[tenant:main] token"]:
        assert len([line for line in problems if re.search(rf"{re.escape(name)}\b", line)]) == 1, name
    assert len(problems) == len(WRONG) + 3
    assert "misplaced" not in fired.stderr
    assert scene.tenant.refusals == []


def test_proxy_that_cannot_be_used_is_not_gone_past(scene):
    """The administrator wants a proxy to be taken: alerts wait until it can be, and go then."""
    scene.configure({"proxy_url": "socks5://localhost:1"})
    fired = ended(scene.fire())
    assert fired.exit_code == 4
    assert "proxy_url must be of the form" in fired.stderr
    assert scene.tenant.requests == []
    scene.configure({"proxy_url": ""})
    scene.start_forwarder()
    scene.wait_until_empty()
    assert len(scene.tenant.accepted) == 1


def test_forwarder_says_them_too(scene):
    """Once for each reading, in the log."""
    scene.configure(WRONG)
    scene.start_forwarder()
    wait_until(lambda: len(scene.events("settings.problem")) == len(WRONG), "every problem", scene=scene)


@pytest.mark.parametrize("user", ["kim", "CORP\\kim"])
def test_proxys_password_comes_from_its_own_realm(scene, user):
    """Realm parapet_security_proxy, the name is the user's."""
    with Proxy(user, "proxy-" + "canary") as proxy:
        scene.call("POST", PASSWORDS, name=user, password="proxy-" + "canary", realm="parapet_security_proxy")
        scene.configure({"proxy_url": proxy.url, "proxy_username": user})
        fired = ended(scene.fire())
        assert fired.lines == [("INFO", "alert.delivered")], fired.stderr
        assert len(proxy.requests) == 1


def test_proxy_user_without_a_password_is_a_problem(scene):
    """It is named before the proxy refuses it."""
    with Proxy("kim", "proxy-" + "canary") as proxy:
        scene.configure({"proxy_url": proxy.url, "proxy_username": "kim", "direct_deadline": "5"})
        fired = ended(scene.fire())
        assert "no password is stored" in fired.stderr
        assert scene.tenant.requests == []


def test_forwarder_takes_up_a_new_token(scene):
    """The tenant refuses the old one; when the new one is stored the alert goes, without a restart."""
    scene.configure({"hold_retry": "3600"})
    scene.start_forwarder()
    scene.tenant.token = "pst_" + "rotated"
    assert scene.fire().exit_code == 0
    scene.wait_for_log("event=tenant.refused")
    scene.set_token("main", "pst_" + "rotated")
    scene.wait_until_empty()
    assert len(scene.tenant.accepted) == 1


def test_forwarder_takes_up_a_new_url(scene, certs):
    """From one tenant's address to another."""
    scene.start_forwarder()
    with Tenant(certs) as moved:
        scene.set_tenant("main", webhook_url=moved.url)
        wait_until(lambda: len(scene.events("settings.loaded")) == 2, "the new settings", scene=scene)
        assert scene.fire().exit_code == 0
        moved.wait_for(1)
    assert scene.tenant.requests == []


def test_paused_tenant_waits_and_resumes(scene):
    """`disabled = 1` keeps its alerts, and no other tenant's."""
    scene.add_tenant("lab", scene.tenant.url, scene.tenant.token)
    scene.set_tenant("main", disabled="1")
    scene.start_forwarder()
    scene.fire()
    scene.fire(failed_logins(params={"tenant": "lab"}))
    scene.tenant.wait_for(1)
    wait_until(lambda: len(scene.entries("new") + scene.entries("pending")) == 1, "one that waits", scene=scene)
    scene.set_tenant("main", disabled="0")
    scene.wait_until_empty()
    assert len(scene.tenant.accepted) == 2


def test_splunkd_that_cannot_answer_leaves_the_last_settings_in_force(scene):
    """A reload that fails changes nothing, and is said once, not every second."""
    scene.start_forwarder()
    scene.splunkd.fail("configs", 503)
    conf = scene.home.app / "local/parapet_security.conf"
    conf.write_text(conf.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    wait_until(
        lambda: len([request for request in scene.splunkd.requests if request.status == 503]) == 3,
        "more than one try",
        scene=scene,
    )
    assert len(scene.events("settings.failed")) == 1
    assert scene.fire().exit_code == 0
    scene.tenant.wait_for(1)
    scene.splunkd.heal()
    scene.configure({"retry_max": "2"})
    wait_until(lambda: len(scene.events("settings.loaded")) == 2, "a reload", scene=scene)


STRANGE = {
    "encoding": ("500 x", b'<?xml version="1.0" encoding="foo"?><a/>'),
    "endless": ("200 OK", ENDLESS),
}


@pytest.mark.parametrize("name", STRANGE)
def test_answer_that_nobody_can_use_is_as_none_for_the_action(scene, name):
    """It ends like an action whose splunkd is not there: the alert is kept, and the reason said in one line."""
    with RawSplunkd(*STRANGE[name]) as raw:
        action = run_action(scene, encode(payload(scene, failed_logins(), server_uri=raw.uri)))
    assert action.exit_code == 4
    assert action.lines == [("ERROR", "alert.undeliverable")]
    assert len(scene.entries("new")) == 1
    assert raw.sent < ENDLESS // 2


@pytest.mark.parametrize("name", STRANGE)
def test_answer_that_nobody_can_use_is_as_none_for_the_forwarder(scene, name):
    """It says why it cannot begin, and asks again."""
    scene.append("service", "_RETRY_S = 0.5")
    with RawSplunkd(*STRANGE[name]) as raw, ModularInput(
        scene.home, server_uri=raw.uri, session_key=scene.splunkd.system_session, python=scene.python
    ) as forwarder:
        forwarder.start()
        scene.wait_for_log("event=settings.failed")
        wait_until(lambda: len(raw.asked) > 1, "another question", 20, scene)
        stopped = forwarder.stop()
    assert (stopped.exit_code, stopped.killed) == (0, False)
    assert len(scene.events("settings.failed")) == 1
    assert "process.bug" not in scene.log_text
