"""No object that holds a secret shows it when it is printed, and no error that is raised around one carries it in its text.

In this process, over real sockets; what real processes write is in test_secrets.
"""

from __future__ import annotations

import contextlib
import io
import json
import traceback

import pytest
import requests
from parapet import configuration, webhook
from parapet.clock import Clock
from parapet.commands import Session
from parapet.direct import _Session
from parapet.errors import SplunkdError
from parapet.forward import Turn
from parapet.log import Log
from parapet.memory import MemoryHolder
from parapet.secret import Secret
from parapet.settings import Delivery, Settings, Tenant
from parapet.splunkd import Splunkd
from parapet.webhook import Webhook

from tests.delivery.client import AGENT, body
from tests.outbox.conftest import make_alert
from tests.process.canaries import find
from tests.standins import tenant
from tests.standins.proxy import Proxy
from tests.standins.tenant import Answer, Mode

TOKEN = "pst_" + "canary0of1the2tenant3"
PASSWORD = "canary-of-the-proxy"
KEY = "canary^of^the^session"
SECRETS = [TOKEN, PASSWORD, KEY]


def assert_silent(text, what):
    """None of the secrets is in a text."""
    assert find(SECRETS, text.encode("utf-8", "replace")) is None, what


def settings():
    """Settings with every secret that they can hold."""
    one = Tenant("main", "https://localhost:1/webhook/acme", Secret(TOKEN))
    return Settings(
        Delivery(proxy_url="http://localhost:1", proxy_username="kim"), {"main": one}, Secret(PASSWORD), ("a problem",)
    )


def holders():
    """Every object of ours, and of the libraries, that a secret goes through, by name."""
    all_of_it = settings()
    log = Log("", io.StringIO())
    log.hide(SECRETS)
    client = Webhook(all_of_it.delivery, all_of_it.proxy_password, "agent")
    client.post(all_of_it.tenants["main"].webhook_url, Secret(TOKEN), b"{}", "key", budget_s=1)
    name = "1769614200000-" + "0" * 20
    turn = Turn(
        MemoryHolder(name, make_alert(), captured_ms=1),
        all_of_it,
        clock=Clock(),
        log=log,
        enricher=None,
        user_agent="x",
    )
    payload = json.dumps({"session_key": KEY, "server_uri": "https://localhost:1"}).encode()
    session = client._sessions[0]
    splunkd = Splunkd("https://localhost:1", Secret(KEY))
    request = requests.Request("POST", "https://localhost:1/x", headers={"Authorization": "Bearer " + TOKEN})
    return {
        "Secret": Secret(TOKEN),
        "Settings": all_of_it,
        "Tenant": all_of_it.tenants["main"],
        "secrets": all_of_it.secrets,
        "Log": log,
        "Webhook": client,
        "requests.Session": session,
        "adapter": session.get_adapter("https://x"),
        "Request": request,
        "PreparedRequest": session.prepare_request(request),
        "Turn": turn,
        "Crew": turn._crew,
        "Splunkd": splunkd,
        "splunklib's Context": splunkd._context,
        "direct._Session": _Session(payload, log),
        "commands.Session": Session("https://localhost:1", Secret(KEY)),
    }


HOLDERS = holders()


@pytest.mark.parametrize("name", HOLDERS)
def test_object_that_holds_a_secret_does_not_show_it(name):
    """Nor where it stands in a list or a message."""
    held = HOLDERS[name]
    for text in (repr(held), str(held), f"{held}", repr([held]), repr({"x": held}), f"{ValueError(held)!r}"):
        assert_silent(text, name)


def _wrong_certificate(world):
    world.tenant.use(world.certs.expired)


def _closed_port(world):
    world.tenant.pause()


def _proxy_refuses(world):
    world.proxy = world.enter_context(Proxy("kim", "another"))


def _proxy_gone(world):
    _proxy_refuses(world)
    world.proxy._listener.pause()  # nobody else is given its port


def _header_that_cannot_be(world):
    world.token = TOKEN + "\n"


def _answer(mode):
    def prepare(world):
        world.tenant.always(Answer(mode=mode))

    return prepare


FAULTS = {
    "certificate": _wrong_certificate,
    "refused": _closed_port,
    "proxy's 407": _proxy_refuses,
    "proxy gone": _proxy_gone,
    "line break in the header": _header_that_cannot_be,
    **{mode.name: _answer(mode) for mode in (Mode.RESET, Mode.CUT_HEAD, Mode.GARBAGE, Mode.HALF_OPEN)},
}


class World(contextlib.ExitStack):
    """A tenant, perhaps a proxy, and the token that goes out."""

    def __init__(self, certs):
        """Nothing is wrong yet."""
        super().__init__()
        self.certs, self.token, self.proxy = certs, TOKEN, None
        self.tenant = self.enter_context(tenant.Tenant(certs, TOKEN))


@pytest.mark.parametrize("fault", FAULTS)
def test_error_of_an_attempt_carries_no_secret(certs, monkeypatch, fault):
    """Its whole chain, as a traceback would show it. A header that cannot be is quoted by requests itself: that text goes nowhere."""
    shown, really = [], webhook.explain

    def explain(error):
        # The text alone: an exception that is kept keeps its sockets open.
        shown.extend(traceback.format_exception(type(error), error, error.__traceback__))
        shown.extend(repr(link) for link in webhook._chain(error))
        return really(error)

    monkeypatch.setattr(webhook, "explain", explain)
    with World(certs) as world:
        FAULTS[fault](world)
        proxied = {"proxy_url": world.proxy.url, "proxy_username": "kim"} if world.proxy else {}
        limits = Delivery(ca_file=certs.ca_file, connect_timeout=0.5, read_timeout=0.5, **proxied)
        client = Webhook(limits, Secret(PASSWORD), AGENT)
        answer = client.post(world.tenant.url, Secret(world.token), body(), json.loads(body())["id"])
        client.close()
    assert answer.status in (None, 407)
    assert_silent(repr(answer), "the answer")
    assert shown
    if fault == "line break in the header":
        assert find(SECRETS, repr(shown).encode()), "requests has stopped quoting it: drop the exception from this test"
    else:
        assert_silent("\n".join(shown), fault)


@pytest.mark.parametrize("how", [401, 403, 404, 500, "close", "not JSON", "gone"])
def test_error_of_splunkd_carries_no_session_key(bare_scene, how):
    """Nor does what it came from."""
    scene = bare_scene
    key = scene.splunkd.session("admin")
    uri = "https://localhost:1" if how == "gone" else scene.splunkd.uri
    client = Splunkd(uri, Secret(key), timeout_s=2)
    if how == "not JSON":
        client._call = lambda *_, **__: b"<html>"
    elif how != "gone":
        scene.splunkd.fail("/", how)
    with pytest.raises(SplunkdError) as caught:
        configuration.load(client)
    shown = "".join(traceback.format_exception(caught.type, caught.value, caught.tb))
    assert find([key], shown.encode()) is None
