"""No secret is anywhere but where it must be: canaries are looked for in every byte that anything of ours wrote or sent."""

from __future__ import annotations

import pytest

from tests.process.canaries import PROXY_PASSWORD, bug_with_a_secret_in_its_text, bug_with_every_secret_in_its_text
from tests.process.driver import encode, payload, run_action
from tests.scene import failed_logins, wait_until
from tests.standins.certs import Certs
from tests.standins.proxy import Proxy
from tests.standins.splunk import ModularInput
from tests.standins.tenant import Answer, Tenant

DELIVER = "/services/parapet_security/deliver"


@pytest.mark.parametrize("user", ["admin", "user"])
@pytest.mark.parametrize("forwarder", [True, False], ids=["forwarder", "none"])
def test_alert_that_goes_well_shows_no_secret(canaries, forwarder, user):
    """Through the forwarder, directly, and through the handler, at DEBUG."""
    scene = canaries.scene
    said = [scene.start_forwarder()] if forwarder else []
    fired = scene.fire(failed_logins(params={"send": "all"}, job_tokens=False), user=user)
    assert fired.exit_code == 0
    scene.tenant.wait_for(1)
    scene.wait_until_empty()
    for one in said:
        one.stop()  # and what it had not written out yet is written
    canaries.assert_nowhere(fired.stderr, fired.stdout, *(one.stderr() + one.stdout() for one in said))


def test_processes_that_run_show_no_secret_to_the_host(canaries):
    """Action, forwarder and handler, while they are at work, from outside."""
    scene = canaries.scene
    scene.tenant.latency = 1.5
    with scene.splunk.start(failed_logins(), scene.splunkd.session("admin")) as action:
        scene.tenant.wait_for(1)
        canaries.assert_not_shown_by(action.pid)
        action.communicate(timeout=30)
    scene.fire(user="user")
    (handler,) = scene.splunkd.handler_pids()
    canaries.assert_not_shown_by(handler)
    scene.wait_until_empty()
    forwarder = scene.start_forwarder()
    scene.fire()
    scene.tenant.wait_for(3)
    canaries.assert_not_shown_by(forwarder.process.pid)
    scene.wait_until_empty()
    forwarder.stop()
    canaries.assert_nowhere(forwarder.stderr())


def _bad_url(scene):
    scene.set_tenant("main", webhook_url=f"https://kim:{PROXY_PASSWORD}@localhost:1/webhook/x?{scene.tenant.token}")


def _bad_token(scene):
    scene.tenant.token = scene.tenant.token[4:] + " "
    scene.set_token("main", scene.tenant.token)


def _certificate_not_trusted(scene):
    folder = scene.home.path.parent / "other"
    folder.mkdir()
    scene.configure({"ca_file": Certs(folder).ca_file})


def _token_refused(scene):
    scene.tenant.always(Answer(401, body=scene.tenant.token.encode()))


def _token_in_the_answer(scene):
    echo = f"no such token: {scene.tenant.token}"
    scene.tenant.always(Answer(400, headers={"X-Token": echo}, body=echo.encode()))


def _redirect(scene):
    scene.tenant.always(Answer(302, headers={"Location": f"https://localhost:1/{scene.tenant.token}"}))


def _proxy_refuses(scene):
    proxy = scene.enter_context(Proxy("kim", "another"))
    scene.configure({"proxy_url": proxy.url, "proxy_username": "kim"})


def _proxy_with_credentials_in_its_url(scene):
    scene.configure({"proxy_url": f"http://kim:{PROXY_PASSWORD}@localhost:1"})


def _tenant_down(scene):
    scene.tenant.pause()


def _splunkd_fails(scene):
    scene.splunkd.fail("storage/passwords", 503)


def _session_ended(scene):
    scene.splunkd.fail("configs", 401)


TROUBLES = [
    _bad_url,
    _bad_token,
    _certificate_not_trusted,
    _token_refused,
    _token_in_the_answer,
    _redirect,
    _proxy_refuses,
    _proxy_with_credentials_in_its_url,
    _tenant_down,
    _splunkd_fails,
    _session_ended,
    bug_with_a_secret_in_its_text,
    bug_with_every_secret_in_its_text,
]


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__)
def test_trouble_shows_no_secret(canaries, trouble):
    """Neither directly nor through handler and forwarder, in whatever goes wrong."""
    scene = canaries.scene
    scene.configure({"direct_deadline": "5", "connect_timeout": "1", "read_timeout": "1"})
    trouble(scene)
    said = [scene.fire().stderr, scene.fire(failed_logins(params={"send": "all"}), user="user").stderr]
    with ModularInput(
        scene.home, server_uri=scene.splunkd.uri, session_key=scene.splunkd.system_session, python=scene.python
    ) as forwarder:
        forwarder.start(settle=0)
        wait_until(
            lambda: any(sign in scene.log_text for sign in ("forwarder.", "settings.failed", "process.bug")),
            "a life sign",
            scene=scene,
        )
        forwarder.stop()
        said += [forwarder.stderr(), forwarder.stdout()]
    # What an administrator wrote into a conf file by mistake is the administrator's.
    (scene.home.app / "local/parapet_security.conf").unlink()
    canaries.assert_nowhere(*said)


@pytest.mark.parametrize("stdin", ["cut", "wrong configuration", "list"])
def test_payload_that_cannot_be_read_shows_no_session_key(canaries, stdin):
    """The line about it quotes nothing of it."""
    scene = canaries.scene
    document = encode(payload(scene, failed_logins()))
    if stdin == "cut":
        document = document[:-20]
    elif stdin == "wrong configuration":
        document = encode(payload(scene, failed_logins(), configuration=[scene.tenant.token]))
    else:
        document = b"[" + document + b"]"
    said = run_action(scene, document)
    assert said.exit_code == 3
    canaries.assert_nowhere(said.stderr, said.stdout)


def test_handlers_answer_holds_no_secret(canaries):
    """Whoever may call it learns counts."""
    scene = canaries.scene
    scene.fire(user="user")
    canaries.assert_not_in(repr(scene.call("POST", DELIVER, user="user")).encode(), "the handler's answer")


@pytest.mark.parametrize("user", ["admin", "user"])
def test_session_key_goes_to_the_server_uri_only(canaries, certs, user):
    """Neither to the tenant, nor to a host that a payload's links name, nor through the proxy."""
    scene = canaries.scene
    with Proxy("kim", PROXY_PASSWORD) as proxy, Tenant(certs) as elsewhere:
        scene.configure({"proxy_url": proxy.url, "proxy_username": "kim"})
        links = {"search_uri": elsewhere.url, "results_link": elsewhere.url, "server_host": "localhost"}
        said = run_action(scene, encode(payload(scene, failed_logins(job_tokens=False), user=user, **links)))
        assert said.exit_code == 0, said.stderr
        scene.tenant.wait_for(1)
        scene.wait_until_empty()
        assert elsewhere.connections == 0
        assert proxy.requests
        for seen in proxy.requests:
            canaries.assert_not_in(seen.rest.encode(), "what the proxy saw")
    canaries.assert_nowhere(said.stderr)
