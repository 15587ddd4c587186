"""How a fault begins and how it ends: a pair of functions that take a `Case`. Must not know what the product makes of it.

A case has a `scene`, the `tenant` (a stand-in of its own), the `name` under which it is configured, and a `proxy` once there is one.
"""

from __future__ import annotations

import os
from typing import Callable, NamedTuple
from urllib.parse import quote

from tests.delivery.answers import is_alert
from tests.scene import CONF, PASSWORDS
from tests.standins.proxy import Proxy
from tests.standins.tenant import Answer


class Cause(NamedTuple):
    """How a fault begins and ends.

    Attributes:
        begin, end: functions of a case.
        live: it begins when the forwarder runs; else splunkd would not answer it at its start.
        mended: the end is a change of the configuration, after which everything goes at once.
    """

    begin: Callable[..., None]
    end: Callable[..., None]
    live: bool = False
    mended: bool = False


def answers(status=200, **how):
    """The tenant answers so to everything."""
    headers = {"Location": "https://localhost:1/elsewhere"} if 300 <= status < 400 else None
    return Cause(
        lambda case: case.tenant.always(Answer(status, headers=headers, **how)),
        lambda case: case.tenant.always(Answer(200)),
    )


def refuses_alerts(status):
    """Something before the tenant refuses alerts, and accepts the connection test."""
    return Cause(
        lambda case: case.tenant.when(is_alert, Answer(status)),
        lambda case: case.tenant._rules.clear(),
    )


def accepts_bytes(most):
    """A body of more bytes is refused with 413."""

    def limit(count):
        return lambda case: setattr(case.tenant, "max_bytes", count)

    return Cause(limit(most), limit(1048576))


def presents(name):
    """The tenant presents another certificate."""
    return Cause(
        lambda case: case.tenant.use(getattr(case.scene.certs, name)),
        lambda case: case.tenant.use(case.scene.certs.server),
    )


def _stop_tls(case):
    case.tenant._context = None


def _set_url(case, url):
    case.scene.set_tenant(case.name, webhook_url=url)


def _remove_tenant(case):
    case.scene.call("DELETE", CONF + "/" + quote("tenant:" + case.name, safe=""))


def _add_tenant(case):
    case.scene.call("POST", CONF, name="tenant:" + case.name, webhook_url=case.tenant.url)


def _through_proxy(prepare, **account):
    """Between host and tenant stands a proxy, and `prepare(proxy)` makes it the fault."""

    def begin(case):
        case.proxy = case.scene.enter_context(Proxy(*account.values()))
        case.scene.configure({"proxy_url": case.proxy.url})
        prepare(case.proxy)

    return begin


def _leave_proxy(case):
    case.scene.configure({"proxy_url": ""})


def _give_password(case):
    case.scene.call("POST", PASSWORDS, name="kim", password="let-me-through", realm="parapet_security_proxy")
    case.scene.configure({"proxy_username": "kim"})


def _absent_ca(case):
    case.scene.configure({"ca_file": str(case.scene.home.path / "absent.pem")})


def _right_ca(case):
    case.scene.configure({"ca_file": case.scene.certs.ca_file})


def _splunkd_cuts(case):
    case.scene.splunkd.fail("/", "close")
    # As if somebody had edited it: who delivers wants to read it anew, and cannot.
    os.utime(str(case.scene.home.app / "local/parapet_security.conf"))


def _heal(case):
    case.scene.splunkd.heal()


OUTAGE = Cause(lambda case: case.tenant.pause(), lambda case: case.tenant.resume())
NO_SUCH_NAME = Cause(
    lambda case: _set_url(case, "https://tenant.invalid/webhook/acme"),
    lambda case: _set_url(case, case.tenant.url),
    mended=True,
)
NO_TLS = Cause(_stop_tls, presents("server").end)
NO_TOKEN = Cause(
    lambda case: case.scene.delete_token(case.name),
    lambda case: case.scene.set_token(case.name, case.tenant.token),
    mended=True,
)
NO_TENANT = Cause(_remove_tenant, _add_tenant, mended=True)
PROXY_ABSENT = Cause(_through_proxy(lambda proxy: proxy._listener.pause()), _leave_proxy, mended=True)
PROXY_REFUSES = Cause(_through_proxy(lambda proxy: proxy.refuse(502)), lambda case: case.proxy.behave())
PROXY_WANTS_PASSWORD = Cause(
    _through_proxy(lambda proxy: None, username="kim", password="let-me-through"), _give_password, mended=True
)
PROXY_HANGS = Cause(_through_proxy(lambda proxy: proxy.hang()), _leave_proxy, mended=True)
CA_FILE_ABSENT = Cause(_absent_ca, _right_ca, mended=True)
SPLUNKD_DOWN = Cause(_splunkd_cuts, _heal, live=True)
SPLUNKD_SLOW = Cause(lambda case: case.scene.splunkd.delay("/", 0.4), _heal, live=True)
