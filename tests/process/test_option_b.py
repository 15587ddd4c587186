"""The guide's Option B, URL and token in alert_actions.conf: it works, it warns, and nobody can turn it against the token's owner."""

from __future__ import annotations

import pytest

from tests.process.driver import ended
from tests.scene import failed_logins
from tests.standins.tenant import Tenant

STANZA = "/servicesNS/nobody/{app}/configs/conf-alert_actions"


def write_stanza(scene, app="parapet_security", **settings):
    """What an administrator writes into [parapet_security] of an app's local/alert_actions.conf."""
    path = STANZA.format(app=app)
    keys = {f"param.{name}": value for name, value in settings.items()}
    scene.call("POST", path + "/parapet_security", **keys)


@pytest.fixture
def option_b(bare_scene, certs):
    """An installation configured as the guide's Option B says."""
    scene = bare_scene
    scene.tenant = scene.enter_context(Tenant(certs))
    scene.configure({"ca_file": certs.ca_file})
    write_stanza(scene, webhook_url=scene.tenant.url, token=scene.tenant.token)
    return scene


@pytest.mark.parametrize("forwarder", [True, False], ids=["forwarder", "direct"])
def test_url_and_token_in_the_global_stanza_work_and_warn(option_b, forwarder):
    """The alert goes, and a warning says where the token lies and what to do."""
    if forwarder:
        option_b.start_forwarder()
    fired = ended(option_b.fire())
    assert fired.exit_code == 0, fired.stderr
    option_b.tenant.wait_for(1)
    option_b.wait_until_empty()
    said = option_b.log_text if forwarder else fired.stderr
    assert "event=settings.problem" in said
    assert "plain text" in said
    assert option_b.tenant.token not in fired.stderr + option_b.log_text
    assert option_b.tenant.refusals == []


@pytest.mark.parametrize("missing", ["webhook_url", "token"])
def test_half_of_it_is_ignored_with_a_warning(bare_scene, certs, missing):
    """One without the other is no tenant."""
    whole = {"webhook_url": "https://localhost:1/webhook/acme", "token": "pst_" + "half"}
    del whole[missing]
    write_stanza(bare_scene, **whole)
    fired = ended(bare_scene.fire(failed_logins()))
    assert fired.exit_code == 4
    assert "both param.webhook_url and param.token" in fired.stderr


def test_stored_token_never_goes_to_a_url_from_there(bare_scene, certs):
    """The token of tenant main in storage/passwords belongs to [tenant:main] only."""
    with Tenant(certs) as tenant:
        bare_scene.configure({"ca_file": certs.ca_file})
        bare_scene.set_token("main", tenant.token)
        write_stanza(bare_scene, webhook_url=tenant.url)
        assert bare_scene.fire(failed_logins()).exit_code == 4
        assert tenant.connections == 0


def test_configured_tenant_wins_over_it(scene, certs):
    """[tenant:main] is what counts; the other place is not even looked at."""
    with Tenant(certs, "pst_" + "other") as other:
        write_stanza(scene, webhook_url=other.url, token=other.token)
        fired = ended(scene.fire())
        assert fired.exit_code == 0
        assert len(scene.tenant.accepted) == 1
        assert other.connections == 0


@pytest.mark.parametrize("forwarder", [True, False], ids=["forwarder", "direct"])
@pytest.mark.parametrize("params", [("webhook_url",), ("token",), ("webhook_url", "token")], ids="+".join)
def test_one_alerts_parameters_cannot_move_the_token(scene, certs, params, forwarder):
    """Whoever may edit an alert may not send the token somewhere else, nor send with another."""
    if forwarder:
        scene.start_forwarder()
    with Tenant(certs, "pst_" + "thief") as thief:
        mine = {"webhook_url": thief.url, "token": thief.token}
        fired = scene.fire(failed_logins(params={name: mine[name] for name in params}))
        assert fired.exit_code == 0, fired.stderr
        scene.tenant.wait_for(1)
        scene.wait_until_empty()
        assert thief.connections == 0
    assert scene.tenant.refusals == []
    assert b"thief" not in b"".join(
        data for path, data in scene.everything_written().items() if scene.outbox in path.parents
    )


def test_one_alerts_parameters_are_no_configuration(bare_scene, certs):
    """Where nothing is configured, an alert's own URL and token are not used either."""
    with Tenant(certs) as tenant:
        bare_scene.configure({"ca_file": certs.ca_file})
        params = {"webhook_url": tenant.url, "token": tenant.token}
        assert bare_scene.fire(failed_logins(params=params)).exit_code == 4
        assert tenant.connections == 0


def test_stanza_of_another_app_is_ignored_with_a_warning(bare_scene, certs):
    """The trap: a write without a namespace lands in the caller's app, and whoever may write there must not redirect alerts."""
    with Tenant(certs, "pst_" + "thief") as thief:
        bare_scene.configure({"ca_file": certs.ca_file})
        bare_scene.start_forwarder()
        conf = bare_scene.home.apps / "search/local/alert_actions.conf"
        conf.parent.mkdir(exist_ok=True)
        conf.write_text(f"[parapet_security]\nparam.webhook_url = {thief.url}\nparam.token = {thief.token}\n")
        # As splunkd would answer once the stanza's owner has changed.
        own = bare_scene.home.app / "default/alert_actions.conf"
        action = own.read_text(encoding="utf-8")
        own.unlink()
        (bare_scene.home.app / "local").mkdir(exist_ok=True)
        bare_scene.configure({"retry_max": "2"})
        bare_scene.wait_for_log("belongs to the app")
        own.write_text(action, encoding="utf-8")
        conf.unlink()
        assert bare_scene.fire(failed_logins()).exit_code == 0
        bare_scene.wait_for_log("event=tenant.unusable")
        assert thief.connections == 0


def test_tenant_stanza_of_another_app_is_ignored_with_a_warning(bare_scene, certs):
    """The same for parapet_security.conf."""
    with Tenant(certs) as thief:
        bare_scene.configure({"ca_file": certs.ca_file})
        bare_scene.set_token("main", thief.token)
        conf = bare_scene.home.apps / "search/local/parapet_security.conf"
        conf.parent.mkdir(exist_ok=True)
        conf.write_text(f"[tenant:main]\nwebhook_url = {thief.url}\n")
        fired = ended(bare_scene.fire(failed_logins()))
        assert fired.exit_code == 4
        assert "belongs to the app" in fired.stderr
        assert "search" in fired.stderr
        assert thief.connections == 0
