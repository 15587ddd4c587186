"""What the tests of answers share: firings by name, and what a tenant and the outbox know of one. Must not hold a test."""

from __future__ import annotations

import contextlib
import json

from tests.scene import Scene, decode, failed_logins, wait_until


def is_test(record):
    """Whether a request is a connection test."""
    return b'"test":true' in record.body


def is_alert(record):
    """Whether a request is an alert."""
    return not is_test(record)


def named(name):
    """A predicate for `Tenant.when`: the requests of the alert of this name."""
    return lambda record: json.dumps(name).encode() in record.body


def fire(scene, name, tenant="main", **changes):
    """Fire the guide's example under a name of its own."""
    changes.setdefault("params", {})["tenant"] = tenant
    return scene.fire(failed_logins(name=name, **changes))


def sent(tenant, name):
    """The requests of one alert, in order."""
    return [record for record in tenant.requests if named(name)(record)]


def hold(scene, tenant="main"):
    """What is noted on disk about a tenant that is held; {} where nothing is."""
    with contextlib.suppress(FileNotFoundError):
        return json.loads((scene.outbox / "holds" / (tenant + ".json")).read_text(encoding="ascii"))
    return {}


def lines(scene, event, text):
    """The lines of an event that hold a text."""
    return [line for _, line in scene.events(event) if text in line]


def wait_for_line(scene, event, text, timeout=15):
    """Wait for such a line, and return it."""
    wait_until(lambda: lines(scene, event, text), f"{event} with {text!r}", timeout, scene)
    return lines(scene, event, text)[-1]


def assert_one_body(records):
    """One id, one body, however often it was sent."""
    assert len({(record.headers["idempotency-key"], record.body) for record in records}) == 1


@contextlib.contextmanager
def running(folder, app_tree, certs, **settings):
    """A scene with a forwarder at work."""
    with Scene(folder, app_tree, certs) as scene:
        if settings:
            scene.configure(settings)
        scene.start_forwarder()
        yield scene


def accepted_ids(tenant):
    """The ids of the alerts that were accepted."""
    return [decode(record)["id"] for record in tenant.accepted if is_alert(record)]
