"""wire.md, Answers: what looks like a wrong configuration holds the tenant, throws nothing away, and is over as soon as it is mended."""

from __future__ import annotations

import json

import pytest

from tests.delivery import answers
from tests.delivery.answers import fire, hold, is_alert, is_test, lines, named, sent, wait_for_line
from tests.scene import wait_until
from tests.standins.proxy import Proxy
from tests.standins.tenant import Answer, Tenant

# So slow that nothing goes by itself within a test.
SLOW = {"hold_retry": "3600", "retry_first": "60", "retry_max": "3600"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory, app_tree, certs):
    """One scene for the tests that leave nothing behind."""
    with answers.running(tmp_path_factory.mktemp("shared") / "splunk", app_tree, certs) as scene:
        yield scene


@pytest.mark.parametrize("status", [401, 403, 404, 407, 302])
def test_tenant_is_held_at_the_slow_pace_with_the_connection_test_as_probe(shared, status):
    """No alert is sent at a tenant that refuses the token or the URL, and none is thrown away."""
    name = f"configuration {status}"
    tenant, dead = shared.tenant, shared.entries("dead")
    before, reported = len(tenant.requests), len(lines(shared, "tenant.refused", f"status_{status}"))
    tenant.always(Answer(status, headers={"Location": tenant.url}))
    fire(shared, name)
    tenant.wait_until(lambda: len([r for r in tenant.requests[before:] if is_test(r)]) >= 2, 20)
    assert hold(shared)["kind"] == "configuration"
    assert hold(shared)["reason"] == f"status_{status}"
    refused = lines(shared, "tenant.refused", f"reason=status_{status}")[reported:]
    assert refused
    assert all("todo=" in line for line in refused)
    tenant.always(Answer(200))
    wait_for_line(shared, "delivery.delivered", name)
    shared.wait_until_empty()
    assert hold(shared) == {}
    # The first attempt, and the one right after an accepted test: all between them were tests.
    assert [record.status for record in sent(tenant, name)] == [status, 200]
    answers.assert_one_body(sent(tenant, name))
    tests = [record.headers["idempotency-key"] for record in tenant.requests if is_test(record)]
    assert len(set(tests)) == len(tests)
    assert shared.entries("dead") == dead


@pytest.mark.parametrize("status", [401, 403, 404, 302])
def test_body_that_something_before_the_tenant_refuses_is_a_dead_letter(shared, status):
    """The connection test is accepted, the body is refused a second time: it was the body, and the others go."""
    name = f"firewall {status}"
    shared.tenant.when(named(name), Answer(status, headers={"Location": shared.tenant.url}))
    fire(shared, name)
    fire(shared, name.replace("firewall", "harmless"))
    line = wait_for_line(shared, "delivery.dead", name)
    assert f"reason=status_{status}" in line
    assert "connection test is accepted" in line
    wait_for_line(shared, "delivery.delivered", name.replace("firewall", "harmless"))
    assert len(sent(shared.tenant, name)) == 2
    assert hold(shared) == {}
    assert not lines(shared, "tenant.refused", name)


@pytest.mark.parametrize("test_status", [400, 413])
def test_connection_test_that_is_refused_for_its_own_body_throws_nothing_away(shared, test_status):
    """A tenant that takes no tests: its refusal of an alert holds it all the same, and the alert itself is the probe."""
    name, dead = f"no tests here {test_status}", shared.entries("dead")
    rules = len(shared.tenant._rules)
    shared.tenant.when(is_test, Answer(test_status))
    shared.tenant.always(Answer(401))
    fire(shared, name)
    wait_until(lambda: len(sent(shared.tenant, name)) >= 3, "two more rounds", 20, shared)
    assert hold(shared)["reason"] == "status_401"
    assert shared.entries("dead") == dead
    shared.tenant.always(Answer(200))
    wait_for_line(shared, "delivery.delivered", name)
    shared.wait_until_empty()
    assert hold(shared) == {}
    del shared.tenant._rules[rules:]


def test_everything_goes_within_seconds_after_a_token_is_replaced(scene):
    """Nothing is lost meanwhile, however slow the pace is, and the next process knows of the hold."""
    scene.configure(SLOW)
    scene.start_forwarder()
    scene.tenant.token = "pst_" + "the-new-one"
    names = [f"alert {number}" for number in range(3)]
    for name in names:
        fire(scene, name)
    wait_for_line(scene, "tenant.refused", "reason=status_401")
    scene.forwarder.stop()
    scene.start_forwarder()
    before = len(scene.tenant.requests)
    fire(scene, "alert 3")
    wait_until(lambda: len(scene.entries("pending")) == 4, "all of them parked", 15, scene)
    assert len(scene.tenant.requests) == before
    scene.set_token("main", scene.tenant.token)
    scene.wait_until_empty()
    assert len(answers.accepted_ids(scene.tenant)) == len(set(answers.accepted_ids(scene.tenant))) == 4
    assert "pst_" not in scene.log_text


@pytest.mark.parametrize("wrong", ["path", "port", "name"])
def test_everything_goes_within_seconds_after_a_url_is_mended(scene, certs, wrong):
    """A path that answers 404, a port where nobody listens, a name that does not exist."""
    right = scene.tenant.url
    with Tenant(certs) as gone:
        closed = gone.url
    urls = {"path": right + "-typo", "port": closed, "name": "https://tenant.invalid/webhook/acme"}
    scene.configure(SLOW)
    scene.set_tenant("main", webhook_url=urls[wrong])
    scene.start_forwarder()
    fire(scene, "for a wrong address")
    wait_until(lambda: hold(scene), "a hold", 15, scene)
    scene.set_tenant("main", webhook_url=right)
    scene.wait_until_empty()
    assert len(answers.accepted_ids(scene.tenant)) == 1


def test_what_the_tenant_asked_for_outlives_a_change_of_settings(scene):
    """A new token is no way around Retry-After."""
    scene.tenant.script(Answer(429, retry_after="1800"))
    scene.start_forwarder()
    fire(scene, "rate limited")
    wait_for_line(scene, "tenant.held", "reason=status_429")
    loaded = len(scene.events("settings.loaded"))
    scene.tenant.token = "pst_" + "the-new-one"
    scene.set_token("main", scene.tenant.token)
    wait_until(lambda: len(scene.events("settings.loaded")) > loaded, "new settings", 15, scene)
    fire(scene, "rate limited as well")
    wait_until(lambda: len(scene.entries("pending")) == 2, "both of them parked", 15, scene)
    assert len(scene.tenant.requests) == 1


def test_certificate_that_does_not_verify_holds_at_the_slow_pace_and_is_said_in_the_same_words(shared, certs):
    """Swapped to a bad one and back: nothing is lost, nobody is sent a byte meanwhile."""
    shared.tenant.pause()
    shared.tenant.use(certs.expired)
    shared.tenant.resume()
    before = len(shared.tenant.requests)
    fire(shared, "certificate")
    wait_until(lambda: len(lines(shared, "tenant.refused", "reason=certificate")) >= 2, "two rounds", 20, shared)
    assert hold(shared)["kind"] == "slow"
    said = lines(shared, "tenant.refused", "reason=certificate")
    assert len({line[line.index("reason=") : line.index(" next_s=")] for line in said}) == 1
    assert len(shared.tenant.requests) == before
    shared.tenant.use(certs.server)
    wait_for_line(shared, "delivery.delivered", "certificate")
    assert len(sent(shared.tenant, "certificate")) == 1


def test_proxy_that_wants_a_password_holds_until_it_has_it(scene):
    """407 is the administrator's to mend: user name and password, and everything goes."""
    proxy = scene.enter_context(Proxy("somebody", "let-me-through"))
    scene.configure({**SLOW, "proxy_url": proxy.url})
    scene.start_forwarder()
    fire(scene, "through the proxy")
    wait_for_line(scene, "tenant.refused", "reason=status_407")
    assert scene.tenant.connections == 0
    path = "/servicesNS/nobody/parapet_security/storage/passwords"
    scene.call("POST", path, name="somebody", password="let-me-through", realm="parapet_security_proxy")
    scene.configure({"proxy_username": "somebody"})
    scene.wait_until_empty()
    assert len(answers.accepted_ids(scene.tenant)) == 1
    assert not any(
        b"let-me-through" in data for path, data in scene.everything_written().items() if "etc" not in path.parts
    )


def test_entry_that_alone_is_refused_for_a_day_is_a_dead_letter(scene):
    """Twenty answers, twenty-four hours, and others that went: all three, or it goes on."""
    cases = {
        "a-day": (19, 25, True),
        "too-few": (10, 25, True),
        "too-soon": (19, 23, True),
        "nobody-went": (19, 25, False),
    }
    for name in cases:
        scene.add_tenant(name, scene.tenant.url, scene.tenant.token)
        scene.tenant.when(named("poison " + name), Answer(503))
    forwarder = scene.start_forwarder()
    for name in cases:
        fire(scene, "poison " + name, tenant=name)
        wait_for_line(scene, "delivery.deferred", "poison " + name)
    forwarder.kill()
    deferred = {name: len(lines(scene, "delivery.deferred", "poison " + name)) for name in cases}
    for path in (scene.outbox / "pending").glob("*.state"):
        age(path, scene, cases)
    scene.start_forwarder()
    line = wait_for_line(scene, "delivery.dead", "poison a-day")
    assert "reason=status_503" in line
    for name in list(cases)[1:]:
        wait_until(
            lambda name=name: len(lines(scene, "delivery.deferred", "poison " + name)) > deferred[name],
            "another attempt",
            15,
            scene,
        )
    assert len(scene.entries("dead")) == len(scene.events("delivery.dead")) == 1


def age(path, scene, cases):
    """Make a state look as if its entry had been refused so often, since then."""
    written = path.read_bytes().splitlines()
    alert = json.loads(path.with_suffix(".alert").read_bytes().splitlines()[0])["alert"]
    refusals, hours, others_went = cases[alert["tenant"]]
    progress = json.loads(written[-1])
    progress.update(refusals=refusals, others_went=others_went, not_before_ms=0)
    progress["refused_since_ms"] -= hours * 3600 * 1000
    path.write_bytes(written[0] + b"\n" + json.dumps(progress).encode() + b"\n")


def test_progress_of_a_long_entry_clears_its_count(scene):
    """Answers in a row: a batch that was accepted in between begins anew."""
    scene.configure({"max_body_bytes": "16384"})
    rows = [{"n": str(number), "text": "x" * 9000} for number in range(3)]
    scene.tenant.script(Answer(503), Answer(200), Answer(503))
    scene.tenant.when(lambda record: is_alert(record) and len(scene.tenant.requests) > 3, Answer(429, retry_after="99"))
    scene.start_forwarder()
    fire(scene, "long", rows=rows, params={"send": "all"})
    wait_for_line(scene, "tenant.held", "reason=status_429")
    wait_until(lambda: not scene.entries("new"), "a parked entry", 15, scene)
    (path,) = (scene.outbox / "pending").glob("*.state")
    progress = json.loads(path.read_bytes().splitlines()[-1])
    assert (progress["batches"], progress["refusals"], progress["attempts"]) == (1, 1, 3)
