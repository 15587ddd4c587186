"""The fault table itself, as data. Must not start anything: `worlds` does, and `test_fault_table` says whether it is so.

docs/faults.md is the same table for an administrator; a test holds the two together.
"""

from __future__ import annotations

from tests.faults import causes
from tests.faults.causes import answers
from tests.faults.kinds import LASTS, Fault, arrives, dead, refused, tenant_waits, unusable
from tests.standins.tenant import Mode

REACH = "check whether a firewall lets this host connect, or set proxy_url; where answers are slow, raise read_timeout"
CA = "the certificate does not verify: set ca_file to the CA that signed it (a proxy that opens TLS has its own), or mend the server"
CHECK_403 = "the tenant refuses the token, or something before it (a firewall, a proxy) refuses the request: check token and URL"
PROXY_407 = "the proxy wants a user name and a password, or refuses these: set proxy_username and the proxy's password"
SUPPORT = "this body will never be accepted as it is: show it to Parapet Security's support"
SMALLER = "leave out large fields with exclude_fields"
RETRY = "mend what the reason says, then retry it: parapetoutbox lists it, parapetoutboxedit retries it"

BIG = {"rows": [{"n": str(number), "text": "x" * 9000} for number in range(3)], "params": {"send": "all"}}
ONE_BIG = {
    "rows": [{"n": "1"}, {"n": "2", "text": "x" * 9000}, {"n": "3"}],
    "params": {"send": "all"},
}

TENANTS = [
    arrives("202", answers(202)),
    arrives("200, and the connection breaks off in the body", answers(mode=Mode.CUT_BODY)),
    arrives("200, and the body drips", answers(mode=Mode.DRIP_BODY, delay=0.3)),
    arrives("200, and the body never ends", answers(mode=Mode.ENDLESS_BODY)),
    arrives("200, and the body is a gzip bomb", answers(mode=Mode.GZIP_BOMB)),
    arrives("200, and the body's chunks are broken", answers(mode=Mode.BROKEN_CHUNK)),
    tenant_waits("429", answers(429), "status_429", LASTS, "HTTP 429"),
    tenant_waits("429 with `Retry-After`", answers(429, retry_after="1800"), "status_429", LASTS, "HTTP 429"),
    tenant_waits(
        "429 with a `Retry-After` of a year", answers(429, retry_after="31536000"), "status_429", LASTS, "HTTP 429"
    ),
    tenant_waits("503 with `Retry-After`", answers(503, retry_after="1800"), "status_503", LASTS, "HTTP 503"),
    Fault(
        "408, 425, 500, 502, 503, 504 or any other 5xx",
        None,
        "waits",
        "delivery.deferred",
        "status_{}",
        LASTS,
        state="waiting",
        error="HTTP {}",
        statuses=(500, 408, 425, 502, 503, 504, 507),
    ),
    tenant_waits("500 to three alerts in a row", answers(500), "status_500", LASTS, "HTTP 500", alerts=3),
    refused(
        "401",
        answers(401),
        "status_401",
        "the tenant refuses the token: store a new one for this tenant on the setup page",
        "HTTP 401",
    ),
    refused("403", answers(403), "status_403", CHECK_403, "HTTP 403"),
    refused(
        "404",
        answers(404),
        "status_404",
        "there is no webhook at this URL: compare it with Settings → Service Tokens at Parapet Security",
        "HTTP 404",
    ),
    refused("407", answers(407), "status_407", PROXY_407, "407"),
    refused(
        "301, 302 or any other 3xx",
        None,
        "status_{}",
        "the URL answers with a redirect, which is never followed (it would carry the token elsewhere): set the final webhook URL",
        "HTTP {}",
        statuses=(302, 301, 308),
    ),
    dead(
        "403 to this alert, while the connection test is accepted",
        causes.refuses_alerts(403),
        "status_403",
        "ask for this body to be let through, then retry the dead letter",
        "while the connection test is accepted",
    ),
    arrives("413 to many rows at once", causes.accepts_bytes(12000), search=BIG),
    Fault(
        "413 to one row of many",
        causes.accepts_bytes(5000),
        "dead",
        "delivery.row_dead",
        "",
        SMALLER,
        state="dead",
        error="HTTP 413",
        board="dead letter",
        said="delivery.row_dead",
        search=ONE_BIG,
    ),
    dead("413 to one row", causes.accepts_bytes(300), "status_413", SMALLER, "HTTP 413"),
    dead("400, 415, 422 or any other 4xx", None, "status_{}", SUPPORT, "HTTP {}", statuses=(400, 415, 422, 409)),
    tenant_waits(
        "the name cannot be resolved",
        causes.NO_SUCH_NAME,
        "dns",
        "check the host's name in the URL, and that this host can resolve it (through a proxy it need not: set proxy_url)",
        "the host name cannot be resolved",
    ),
    tenant_waits(
        "the connection is refused",
        causes.OUTAGE,
        "refused",
        "check host and port in the URL, and whether a firewall lets this host connect",
        "the connection was refused",
    ),
    tenant_waits("it accepts and says nothing", answers(mode=Mode.HALF_OPEN), "timeout", REACH, "no answer in time"),
    tenant_waits("it never answers", answers(delay=600), "timeout", REACH, "no answer in time"),
    tenant_waits("its headers drip", answers(mode=Mode.DRIP_HEAD, delay=0.3), "timeout", REACH, "no answer in time"),
    tenant_waits("it closes unanswered", answers(mode=Mode.CLOSE_UNANSWERED), "reset", LASTS, "", reasons=("tls",)),
    tenant_waits("it resets the connection", answers(mode=Mode.RESET), "reset", LASTS, "", reasons=("tls",)),
    tenant_waits(
        "it closes in the middle of the headers", answers(mode=Mode.CUT_HEAD), "reset", LASTS, "", reasons=("tls",)
    ),
    tenant_waits(
        "it does not speak HTTP",
        answers(mode=Mode.GARBAGE),
        "protocol",
        "check the URL's port, and proxy_url: what answers there does not speak HTTP",
        "the answer is not HTTP",
    ),
    tenant_waits(
        "it does not speak TLS",
        causes.NO_TLS,
        "tls",
        "check that the URL's port speaks TLS 1.2 or later",
        "",
        reasons=("reset",),
    ),
    refused(
        "a certificate for another name",
        causes.presents("other_host"),
        "certificate",
        CA,
        "the certificate does not verify",
    ),
    refused(
        "a certificate that has expired",
        causes.presents("expired"),
        "certificate",
        CA,
        "the certificate does not verify",
    ),
    refused(
        "a certificate of an unknown authority",
        causes.presents("unknown_ca"),
        "certificate",
        CA,
        "the certificate does not verify",
    ),
    unusable(
        "the token is removed, and stored again", causes.NO_TOKEN, "is not stored", "paste it on the app's setup page"
    ),
    unusable(
        "the tenant is removed, and added again",
        causes.NO_TENANT,
        "is not configured",
        "add it on the app's setup page",
    ),
]

HOSTS = [
    tenant_waits(
        "the proxy is not there",
        causes.PROXY_ABSENT,
        "proxy",
        "check proxy_url, and that the proxy is up and lets this host through",
        "the proxy cannot be used",
    ),
    tenant_waits(
        "the proxy refuses",
        causes.PROXY_REFUSES,
        "proxy",
        "check proxy_url, and that the proxy is up and lets this host through",
        "it answered 502",
    ),
    tenant_waits("the proxy hangs", causes.PROXY_HANGS, "timeout", REACH, "no answer in time"),
    refused(
        "the proxy wants a password", causes.PROXY_WANTS_PASSWORD, "status_407", PROXY_407, "the proxy answered 407"
    ),
    refused(
        "`ca_file` is not there",
        causes.CA_FILE_ABSENT,
        "ca_file",
        "ca_file cannot be read, or holds no certificate: set it to a PEM file that the user who runs Splunk can read, on every host",
        "ca_file cannot be read",
    ),
    Fault(
        "splunkd is down",
        causes.SPLUNKD_DOWN,
        "arrives",
        "settings.failed",
        "",
        "nothing, unless it lasts: then look for errors of splunkd on this host",
        exit=4,
        said="alert.undeliverable",
    ),
    arrives("splunkd is slow", causes.SPLUNKD_SLOW),
]

# What only a clock that a test turns can show; an action's life is too short for them.
TIMES = [
    dead(
        "503 to one alert for a day, while others go",
        answers(503),
        "status_503",
        RETRY,
        "times in more than a day",
        exit=None,
        said="",
    ),
    arrives("the clock jumps forward by a year", None, exit=None),
    arrives("the clock jumps back by a year", None, exit=None),
]

FAULTS = [*TENANTS, *HOSTS, *TIMES]
