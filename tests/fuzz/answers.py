"""Targets at the network's side: what a tenant answers, what splunkd answers, and what is configured. Must not talk to another machine."""

from __future__ import annotations

import json
import logging
import re
from urllib.parse import urlsplit

import requests
from parapet import backoff, configuration, message, verdict
from parapet.backlog import Backlog
from parapet.bulletin import Bulletin
from parapet.clock import Clock
from parapet.custody import Custody
from parapet.direct import _Session as PayloadSession
from parapet.enrich import Enricher
from parapet.errors import SplunkdError, Unreachable
from parapet.log import Log
from parapet.rows import Selector
from parapet.secret import Secret, mask
from parapet.settings import NUMBERS, Delivery, Settings, delivery_from, is_loopback, tenant_from
from parapet.splunkd import Splunkd
from parapet.version import USER_AGENT
from parapet.webhook import ERRORS, Webhook

from tests.core.make import WIRE, alert
from tests.fuzz.peers import KEY, speaker, splunkd
from tests.fuzz.place import joined, parts, promise
from tests.fuzz.promises import one_line, stays_secret

TOKEN = "pst_" + "token-canary-51c8"
_STATUS = re.compile(rb"(?:\A|\n)[^\n]*?(?<![0-9])2[0-9][0-9](?![0-9])")


def tenant(data):
    """What a tenant answers, byte for byte: one verdict, with a wait that ends; delivered only where a 2xx came with its headers."""
    there = speaker().says(data)
    # One for each input: a connection that is kept could have been closed by the other side at the moment of the next request.
    client = Webhook(Delivery(connect_timeout=2, read_timeout=2), None, USER_AGENT)
    said = _Overheard()
    logging.getLogger().addHandler(said)
    try:
        answer = client.post(f"http://127.0.0.1:{there.port}/webhook/acme", Secret(TOKEN), b"{}", "id")
    finally:
        logging.getLogger().removeHandler(said)
        client.close()
    promise(not said.records, f"a library speaks: {said.records}")
    found = verdict.classify(answer)
    promise(len(there.asked) == 1, f"{len(there.asked)} requests for one body: {answer}")
    promise(answer.error in ERRORS or answer.status is not None, f"{answer.error!r} is no known reason")
    promise(answer.error != "request", "what the tenant says is not a fault of the request")
    one_line(answer.detail)
    one_line(found.reason)
    stays_secret(TOKEN, TOKEN.encode(), repr(answer).encode("utf-8", "replace"))
    if found.kind is verdict.Kind.DELIVERED:
        promise(_STATUS.search(data), "delivered without a 2xx")
        promise(b"\n\n" in data or b"\n\r\n" in data, "delivered without whole headers")
    wait_s = backoff.retry_after_s(answer.retry_after, now_s=1769614200.0)
    promise(wait_s is None or 0 <= wait_s <= backoff.RETRY_AFTER_MAX_S, f"a wait of {wait_s} s")


class _Overheard(logging.Handler):
    """What a library logs, and who has set up logging (splunklib does) would have on stderr."""

    def __init__(self):
        """Nothing was said yet."""
        super().__init__(logging.WARNING)
        self.records = []

    def emit(self, record):
        """Keep what was said."""
        self.records.append(record.getMessage())


def retry_after(data):
    """A Retry-After header: a wait from nothing to an hour, or none."""
    wait_s = backoff.retry_after_s(data.decode("latin-1"), now_s=1769614200.0)
    promise(wait_s is None or 0 <= wait_s <= backoff.RETRY_AFTER_MAX_S, f"a wait of {wait_s} s")


def splunkd_wire(data):
    """What splunkd answers, byte for byte: something to read, or one of our errors without the session key."""
    there = speaker().says(data)
    session = Splunkd(f"http://127.0.0.1:{there.port}", Secret(KEY), timeout_s=2.0)
    for ask in (
        session.server_info,
        lambda: session.set_message("name", "text", "warn"),
        session.ask_to_deliver,
    ):
        try:
            promise(isinstance(ask() or {}, dict), "no dictionary")
        except SplunkdError as error:
            stays_secret(KEY, KEY.encode(), str(error).encode("utf-8", "replace"))


def splunkd_json(data):
    """Documents of splunkd: settings whose every problem is one line and that can be used, facts of the wire's form, messages."""
    status, body = parts(data, 2)
    session = splunkd(int(status) if status.isdigit() and len(status) == 3 else 200, body)
    for read in (_settings, _facts, _messages):
        try:
            read(session)
        except SplunkdError as error:
            stays_secret(KEY, KEY.encode(), str(error).encode("utf-8", "replace"))


def _settings(session):
    found = configuration.load(session)
    for problem in found.problems:
        one_line(problem)
    for one in found.tenants.values():
        _is_usable(one)
    _is_used(found)


def _facts(session):
    told = Enricher(session, Log(), Clock().monotonic).facts(alert())
    head = message.build_head(alert(), {}, every_row=False, row_count=1, fired_ms=1, facts=told)[0]
    body = message.single("0123456789abcdef0123", head, {}, Selector("*", "")).body
    WIRE.validate(json.loads(body.decode("utf-8")))


def _messages(session):
    Bulletin(session, Log(), Clock())._taken_over()


def settings(data):
    """Conf values: what is refused falls back and is told in one line; what is accepted is in range and can be used as it is."""
    stanza, tenant_lines, token = parts(data, 3)
    given = _pairs(stanza)
    delivery, problems = delivery_from(given)
    for problem in problems:
        one_line(problem)
    for name, rule in NUMBERS.items():
        value = getattr(delivery, name)
        promise(rule.low <= value <= rule.high, f"{name} is {value}")
        refused = any(problem.startswith(f"[delivery] {name} must be") for problem in problems)
        text = given.get(name, "").strip()
        promise(value == (rule.default if refused or not text else float(text)), f"{name}: {text!r} is read as {value}")
    secret = token.decode("utf-8", "replace")
    found, wrong = tenant_from("main", _pairs(tenant_lines), secret)
    for problem in wrong:
        one_line(problem)
        # As the log shows it: who sets a token where a setting's name belongs is told without it. Other texts may be words of ours.
        if secret.startswith("pst_"):
            stays_secret(secret, token, mask(problem).encode("utf-8", "replace"))
    promise(bool(found.fault) <= bool(wrong), "a fault is told")
    _is_usable(found)
    _is_used(Settings(delivery, {"main": found}, Secret(secret), ()))


def _is_usable(one):
    """What the validation accepts, the client takes as it was meant: the same host, over TLS unless it is this machine."""
    if one.fault:
        return
    headers = {"Authorization": "Bearer " + one.token.reveal()}
    prepared = requests.Request("POST", one.webhook_url, data=b"", headers=headers).prepare()
    meant, used = urlsplit(one.webhook_url), urlsplit(prepared.url)
    promise(used.scheme == "https" or is_loopback(used.hostname), f"{prepared.url} is not https")
    promise(used.port == meant.port, f"the port of {one.webhook_url!r} becomes {used.port}")
    promise(
        used.hostname == meant.hostname or not meant.hostname.isascii(),
        f"the host of {one.webhook_url!r} becomes {used.hostname}",
    )
    promise(not (used.username or used.password or used.query), "a URL that says more than where")
    prepared.headers["Authorization"].encode("ascii")


def _is_used(found):
    """The client can be made of it, and knows its proxy."""
    client = Webhook(found.delivery, found.proxy_password, USER_AGENT)
    try:
        session = client._session()
        if found.delivery.proxy_url:
            session.get_adapter("https://localhost/").proxy_manager_for(found.delivery.proxy_url)
        custody = Custody(None, Backlog(1), Clock(), Log())
        custody.settings = found
        promise(all(custody._fingerprint(name) for name in found.tenants), "a configuration can be told from another")
    finally:
        client.close()


def _pairs(text):
    found = {}
    for line in text.decode("utf-8", "surrogateescape").splitlines():
        key, equals, value = line.partition("=")
        if equals:
            found[key.strip()] = value.strip()
    return found


def server_uri(data):
    """Where a payload says that splunkd is: an address, or one of our errors."""
    document = json.dumps({"session_key": KEY, "server_uri": data.decode("utf-8", "replace")}).encode("utf-8")
    try:
        PayloadSession(document, Log()).splunkd(1.0)
    except Unreachable as error:
        one_line(str(error))


def seeds():
    """Inputs to begin with."""
    conf = {
        "entry": [
            {
                "name": "delivery",
                "acl": {"app": "parapet_security"},
                "content": {"workers": "4", "proxy_url": "", "log_level": "INFO"},
            },
            {
                "name": "tenant:main",
                "acl": {"app": "parapet_security"},
                "content": {
                    "webhook_url": "https://webhook-us.example/webhook/acme",
                    "disabled": False,
                    "clear_password": TOKEN,
                },
            },
        ]
    }
    job = {
        "entry": [
            {
                "name": "1",
                "content": {"search": "index=main", "resultCount": 3, "earliestTime": "2026-01-28T15:00:00.000+00:00"},
            }
        ]
    }
    return {
        "tenant": [
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
            b"HTTP/1.1 429 Slow\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 503 x\r\nRetry-After: Wed, 28 Jan 2026 15:30:00 GMT\r\n\r\n",
            b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
            b"HTTP/1.1 302 Found\r\nLocation: https://example/\r\nSet-Cookie: a=b\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08",
        ],
        "retry_after": [
            b"120",
            b"Wed, 28 Jan 2026 15:30:00 GMT",
            b"Sunday, 06-Nov-94 08:49:37 GMT",
            b"Sun Nov  6 08:49:37 1994",
            b"1e9",
        ],
        "splunkd_wire": [
            b"HTTP/1.1 200 OK\r\nConnection: Close\r\n\r\n" + json.dumps(job).encode(),
            b"HTTP/1.1 404 Not Found\r\nSet-Cookie: a=b\r\n\r\n<response><messages><msg type='ERROR'>x</msg></messages></response>",
            b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
        ],
        "splunkd_json": [
            joined(b"200", json.dumps(conf).encode()),
            joined(b"200", json.dumps(job).encode()),
            joined(b"403", b""),
        ],
        "settings": [
            joined(
                b"workers = 4\nretry_first = 0.1\nproxy_url = http://proxy.example:3128\nproxy_username = u\nlog_level = debug\nca_file = /x",
                b"webhook_url = https://webhook-us.example/webhook/acme\ndisabled = 0",
                TOKEN.encode(),
            ),
            joined(
                b"read_timeout = 300", b"webhook_url = http://localhost:8080/webhook/acme\ndisabled = yes", b"pst_a"
            ),
        ],
        "server_uri": [b"https://127.0.0.1:8089", b"http://[::1]:8089/x"],
    }


TARGETS = {
    "tenant": tenant,
    "retry_after": retry_after,
    "splunkd_wire": splunkd_wire,
    "splunkd_json": splunkd_json,
    "settings": settings,
    "server_uri": server_uri,
}
