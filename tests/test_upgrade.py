"""What version 1 of the formats left behind is read by this code, and what a later one left is not touched. Must not write today's files.

`golden/outbox-v1` and `golden/conf-v1` are copies that never change: what wrote them is installed somewhere. They were made once, by the
app's own code as it was then: alerts by `alert.from_payload` and `Outbox.put`, heads by `message.build_head`, states, holds, dead letters
and the usage by `Holder`, requests by `Outbox.ask`; the conf files by splunkd's REST calls as the setup page makes them. What they meant,
`golden/outbox-v1.json` and `golden/conf-v1.json`, is what that code delivered and read.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from parapet import configuration
from parapet.secret import Secret
from parapet.splunkd import Splunkd

from tests.scene import decode, wait_until
from tests.standins.tenant import Answer

GOLDEN = Path(__file__).resolve().parent / "golden"
OUTBOX = GOLDEN / "outbox-v1"
BODIES = json.loads((GOLDEN / "outbox-v1.json").read_text(encoding="utf-8"))
MEANS = json.loads((GOLDEN / "conf-v1.json").read_text(encoding="utf-8"))
NEW = "1769614201000-1b327a4a6c1ddaf5e786"
HALF_WAY = "1769614203000-e29510c0120b8991693c"
TRIED = "1769614204000-8b31c389880b8d9620a2"
HELD = "1769614205000-7589f5e9af130b2fdd43"
DROPPED = "1769614206000-829cb8d8783ffe1eab22"
RETRIED = "1769614207000-643ae3f66c17bf8a51ca"
DEAD = {
    "4593c2743b8433e4dcb8": "HTTP 413",
    "829cb8d8783ffe1eab22": "dropped by an administrator",
    "9dfe674c1dae6bb13953": "'../../x' is no tenant's name",
    "a13016c1030ee77103f0": "HTTP 400: unknown field",
}


@pytest.fixture
def found(scene):
    """A host with this app on which the earlier version has left its outbox."""
    for name in ("eu", "slow"):
        scene.add_tenant(name, scene.tenant.url, scene.tenant.token)
    for folder in ("new", "pending", "dead", "holds", "requests"):
        (scene.outbox / folder).mkdir(parents=True)
    for path in OUTBOX.rglob("*"):
        if path.is_file():
            # Not its time: how old a dead letter is counts from when it was put there.
            shutil.copyfile(str(path), str(scene.outbox / path.relative_to(OUTBOX)))
    return scene


def delivered(scene):
    """What the tenant accepted: {id: body}."""
    return {record.headers["idempotency-key"]: decode(record) for record in scene.tenant.accepted}


def wait_until_only(scene, *names):
    """Wait until nothing but these entries waits."""
    wanted = sorted(name + ".alert" for name in names)
    wait_until(lambda: sorted(scene.entries("new") + scene.entries("pending")) == wanted, f"only {wanted}", scene=scene)


def test_every_alert_that_waits_is_delivered_under_its_id_and_from_where_it_was(found):
    """A head that was fixed stays fixed, acknowledged rows are not sent again, and what is new is what it was."""
    found.start_forwarder()
    wait_until_only(found, HELD)
    bodies = delivered(found)
    assert sorted(bodies) == sorted(BODIES)
    for key, body in bodies.items():
        if key[:20] in (HALF_WAY[14:], TRIED[14:], RETRIED[14:]):
            assert body == BODIES[key]
        # This code may have more to say in a head that it makes itself.
        assert {name: body[name] for name in BODIES[key]} == BODIES[key]
    assert found.tenant.refusals == []
    assert min(key for key in bodies if key.startswith(HALF_WAY[14:])).split(".")[1] == "2"


def test_hold_that_the_tenant_asked_for_is_kept_and_one_that_was_mended_is_not(found):
    """429 holds tenant slow; tenant main was held for a certificate, with another configuration than it has now."""
    found.start_forwarder()
    wait_until_only(found, HELD)
    assert [path.name for path in (found.outbox / "holds").iterdir()] == ["slow.json"]
    (summary,) = found.call(
        "POST", "/services/search/jobs", exec_mode="oneshot", search="| parapetoutbox summary=true"
    )["results"]
    assert "slow: HTTP 429" in json.dumps(summary["held"])


def test_requests_are_done_and_dead_letters_stay_readable(found):
    """Each says why it is dead."""
    found.start_forwarder()
    wait_until_only(found, HELD)
    wait_until(lambda: len(found.entries("dead")) == len(DEAD), "the dead letters", scene=found)
    assert list((found.outbox / "requests").iterdir()) == []
    rows = found.call("POST", "/services/search/jobs", exec_mode="oneshot", search="| parapetoutbox")["results"]
    assert {row["id"]: row["error"] for row in rows if row["state"] == "dead"} == DEAD
    assert found.events("outbox.swept") == []
    assert found.events("outbox.too_new") == []


def newer(path):
    """Make a file one of the next version of its format."""
    data = path.read_bytes()
    for old, new in ((b'{"v":1,', b'{"v":2,'), (b'{"v": 1,', b'{"v": 2,')):
        data = data.replace(old, new, 1)
    assert data != path.read_bytes()
    path.write_bytes(data)
    return path


def test_what_a_later_version_left_stays_as_it_is_and_stops_nothing_else(found):
    """An alert, a state and a hold: one error each. The usage is only a count, valid for a minute: whoever holds the outbox tells it anew."""
    later = [
        newer(found.outbox / "new" / (NEW + ".alert")),
        newer(found.outbox / "pending" / (HALF_WAY + ".state")),
        newer(found.outbox / "holds/slow.json"),
    ]
    later.append(found.outbox / "pending" / (HALF_WAY + ".alert"))
    before = [path.read_bytes() for path in later]
    usage = newer(found.outbox / "usage")
    # The first answer would hold a tenant: that must not replace what the later version noted about it.
    found.tenant.script(*[Answer(429, retry_after="1")] * 4)
    found.start_forwarder()
    wait_until_only(found, NEW, HALF_WAY)
    found.forwarder.stop()
    assert [path.read_bytes() for path in later] == before
    errors = [line for _, line in found.events("outbox.too_new")]
    assert len(errors) == 3, errors
    for name in (NEW, HALF_WAY, "holds/slow.json"):
        assert sum(name in line for line in errors) == 1
    assert {HELD[14:], TRIED[14:], RETRIED[14:]} <= set(delivered(found))
    assert json.loads(usage.read_text())["v"] == 1


def read(scene):
    """What the configuration means to this code, and what it finds wrong with it."""
    settings = configuration.load(Splunkd(scene.splunkd.uri, Secret(scene.splunkd.system_session())))
    tenants = {
        name: {
            "webhook_url": tenant.webhook_url,
            "token": tenant.token.reveal() if tenant.token else None,
            "paused": tenant.disabled,
            "usable": not tenant.fault,
        }
        for name, tenant in settings.tenants.items()
    }
    # This code may know more settings, not fewer.
    delivery = {name: getattr(settings.delivery, name) for name in MEANS["delivery"]}
    password = settings.proxy_password.reveal() if settings.proxy_password else None
    return {"delivery": delivery, "tenants": tenants, "proxy_password": password}, list(settings.problems)


@pytest.fixture
def configured(bare_scene):
    """An installation with the earlier version's configuration."""
    shutil.copytree(str(GOLDEN / "conf-v1/local"), str(bare_scene.home.app / "local"))
    bare_scene.set_token("eu", "pst_" + "example_of_eu")
    bare_scene.set_token("lab-2", "pst_" + "example_of_lab")
    bare_scene.call(
        "POST",
        "/servicesNS/nobody/parapet_security/storage/passwords",
        name="EXAMPLE\\splunk",
        realm="parapet_security_proxy",
        password="example of a proxy",
    )
    return bare_scene


def test_settings_mean_what_they_meant(configured):
    """Several tenants, one paused, two that cannot be used, the guide's Option B, and every setting."""
    means, problems = read(configured)
    assert means == MEANS
    assert len(problems) == 4, problems


def test_setting_of_a_later_version_is_a_problem_and_changes_nothing_else(configured):
    """A line for each, so that an administrator sees what this version does not do."""
    path = configured.home.app / "local/parapet_security.conf"
    text = path.read_text(encoding="utf-8")
    for stanza in ("delivery", "tenant:eu"):
        text = text.replace(f"[{stanza}]\n", f"[{stanza}]\ncompression = zstd\n")
    known = read(configured)[1]
    path.write_text(text + "[routing]\nby = severity\n", encoding="utf-8")
    means, problems = read(configured)
    more = [problem for problem in problems if problem not in known]
    assert [problem.split(": there is no such")[0] for problem in more] == [
        "[delivery] compression",
        "[routing]",
        "[tenant:eu] compression",
    ]
    assert means == MEANS
