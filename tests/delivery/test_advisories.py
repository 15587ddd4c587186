"""The ways in which published advisories reach the HTTP libraries that we ship: none of them is open."""

from __future__ import annotations

import inspect
import json
import re
import ssl
import subprocess
import sys
from pathlib import Path

import idna
import pytest
import requests
import requests.utils
import urllib3.connectionpool
import urllib3.response
from parapet import alert
from parapet import webhook as module

from tests.delivery.client import QUICK, client
from tests.doc_pages import table
from tests.standins.proxy import Proxy
from tests.standins.tenant import Answer, Mode, Tenant

# What docs/security.md says of each, in one test or more: a test's first line names the advisories that it is about.
ADVISORY = re.compile(r"CVE-\d{4}-\d+")
BIN = Path(module.__file__).resolve().parent
PEAK = """
import resource, sys
sys.path[:0] = sys.argv[1:3]
from tests.delivery.client import client
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with client(sys.argv[3]) as post:
    post(sys.argv[4], budget_s=20)
    first = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = post(sys.argv[4], budget_s=20)
print(answer.status, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - first)
"""


@pytest.fixture
def tenant(certs):
    """A tenant over https."""
    with Tenant(certs) as found:
        yield found


def test_verification_is_on_in_every_session_and_cannot_be_turned_off(tenant, monkeypatch):
    """CVE-2024-35195 needs a first request without it; there is no such request."""
    seen = []
    real = requests.Session.send

    def send(self, request, **kwargs):
        seen.append((self.verify, kwargs["verify"], self.trust_env))
        return real(self, request, **kwargs)

    monkeypatch.setattr(requests.Session, "send", send)
    with client(tenant.ca_file, **QUICK) as post:
        post(tenant.url)
    assert seen == [(True, True, False)]
    assert "verify=False" not in "".join(path.read_text(encoding="utf-8") for path in BIN.glob("*.py"))


def test_netrc_is_never_opened(tenant, monkeypatch):
    """CVE-2024-47081 is in the code that reads it."""

    def refuse(*_args, **_kwargs):
        raise AssertionError("netrc was asked for")

    monkeypatch.setattr(requests.sessions, "get_netrc_auth", refuse)
    with client(tenant.ca_file, **QUICK) as post:
        assert post(tenant.url).status == 200


@pytest.mark.parametrize("through_proxy", [False, True])
def test_redirect_resolution_is_never_reached(tenant, certs, monkeypatch, through_proxy):
    """CVE-2025-50181, CVE-2026-44431: nothing builds the request that a redirect asks for."""

    def refuse(*_args, **_kwargs):
        raise AssertionError("a redirect is looked at")

    monkeypatch.setattr(requests.Session, "rebuild_auth", refuse)
    monkeypatch.setattr(requests.Session, "rebuild_method", refuse)
    monkeypatch.setattr(requests.Session, "rebuild_proxies", refuse)
    with Proxy() as proxy, Tenant(certs) as other:
        tenant.script(Answer(307, headers={"Location": other.url}))
        with client(tenant.ca_file, proxy_url=proxy.url if through_proxy else "", **QUICK) as post:
            assert post(tenant.url).status == 307
        assert other.connections == 0


@pytest.mark.parametrize("status", [200, 302, 500])
def test_nothing_of_an_answer_is_unpacked(tenant, monkeypatch, status):
    """CVE-2025-66418, CVE-2025-66471, CVE-2026-21441, CVE-2026-44432, CVE-2026-97688: there is no decoder to feed."""
    monkeypatch.setattr(urllib3.response.HTTPResponse, "_decode", refuse_decoding)
    tenant.script(
        Answer(status, headers={"Location": tenant.url}, mode=Mode.GZIP_BOMB),
        Answer(status, headers={"Location": tenant.url, "Content-Encoding": "gzip"}, body=b"\x1f\x8b" + b"x" * 100),
    )
    # The bomb takes its time to be made.
    with client(tenant.ca_file, connect_timeout=10, read_timeout=10) as post:
        assert [post(tenant.url).status for _ in range(3)] == [status, status, 200]
    assert tenant.requests[0].headers["accept-encoding"] == "identity"


def refuse_decoding(self, data, decode_content, flush_decoder):
    """Let raw bytes through, and nothing else."""
    assert not decode_content
    return data


@pytest.mark.parametrize("mode", [Mode.GZIP_BOMB, Mode.ENDLESS_BODY, Mode.ENDLESS_CHUNK_LINE, Mode.HUGE_BODY])
@pytest.mark.parametrize("status", [200, 302])
def test_memory_does_not_follow_the_answer(tenant, mode, status):
    """CVE-2026-97689, CVE-2025-66471: a second answer without end costs no more memory than the first ordinary one."""
    pytest.importorskip("resource")
    tenant.script(Answer(), Answer(status, headers={"Location": tenant.url}, mode=mode))
    root = str(Path(__file__).resolve().parents[2])
    arguments = [str(BIN.parent), root, tenant.ca_file, tenant.url]
    done = subprocess.run([sys.executable, "-c", PEAK, *arguments], stdout=subprocess.PIPE, timeout=60, check=True)
    answered, grown_kib = done.stdout.decode().split()
    assert answered == str(status)
    assert int(grown_kib) < 4096


def test_context_verifies(tenant, monkeypatch):
    """The one context of all connections demands a certificate, and no TLS below 1.2."""
    contexts = []
    real = module.create_urllib3_context

    def create(*args, **kwargs):
        contexts.append(real(*args, **kwargs))
        return contexts[-1]

    monkeypatch.setattr(module, "create_urllib3_context", create)
    with client(tenant.ca_file, **QUICK) as post:
        assert [post(tenant.url).status, post(tenant.url).status] == [200, 200]
    (context,) = contexts
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert len(context.get_ca_certs()) == 1


def refuse(what):
    """A function that must not be called."""

    def called(*_args, **_kwargs):
        raise AssertionError(what)

    return called


def test_pools_follow_no_redirect_and_retry_nothing(tenant, monkeypatch):
    """CVE-2025-50181 is about a pool whose `retries` say one thing and whose `redirect` another: here both are off, for each request."""
    asked = []
    real = urllib3.connectionpool.HTTPConnectionPool.urlopen

    def urlopen(self, *args, **kwargs):
        asked.append((kwargs["redirect"], kwargs["retries"].total, kwargs["decode_content"], kwargs["preload_content"]))
        return real(self, *args, **kwargs)

    monkeypatch.setattr(urllib3.connectionpool.HTTPConnectionPool, "urlopen", urlopen)
    tenant.script(Answer(302, headers={"Location": tenant.url}))
    with client(tenant.ca_file, **QUICK) as post:
        assert [post(tenant.url).status, post(tenant.url).status] == [302, 200]
    assert asked == [(False, 0, False, False)] * 2


def test_nothing_is_taken_out_of_a_zip_file(tenant, monkeypatch):
    """CVE-2026-25645: `extract_zipped_paths` is what requests would look for its bundle with."""
    for place in (requests.utils, requests.adapters):
        monkeypatch.setattr(place, "extract_zipped_paths", refuse("a bundle is looked for in a zip file"))
    with client(tenant.ca_file, **QUICK) as post:
        assert post(tenant.url).status == 200
    with client(**QUICK) as post:
        assert post(tenant.url).error == "certificate"


@pytest.mark.parametrize("mode", [Mode.PLAIN, Mode.BROKEN_CHUNK, Mode.ENDLESS_CHUNK_LINE])
def test_streaming_interface_of_urllib3_is_not_used(tenant, monkeypatch, mode):
    """CVE-2026-97689, CVE-2026-44432, CVE-2026-97688: chunks are read by the standard library, which limits their length lines."""
    for name in ("stream", "read_chunked", "_update_chunk_length"):
        monkeypatch.setattr(urllib3.response.HTTPResponse, name, refuse(name + " is used"))
    tenant.script(Answer(mode=mode), Answer(503, mode=mode))
    with client(tenant.ca_file, **QUICK) as post:
        assert [post(tenant.url, budget_s=20).status for _ in range(3)] == [200, 503, 200]


@pytest.mark.parametrize("tls", [True, False], ids=["https", "http"])
@pytest.mark.parametrize("name", ["unknown_ca", "other_host", "expired", "self_signed"])
def test_proxy_over_tls_is_never_taken_unverified(certs, name, tls):
    """CVE-2026-97687: whatever the tenant's own settings are, forwarded or through a tunnel."""
    with Tenant(certs, tls=tls) as target, Tenant(certs) as proxy:
        proxy.use(getattr(certs, name))
        proxy_url = proxy.url.replace("/webhook/acme", "")
        with client(certs.ca_file, "a password", proxy_url=proxy_url, proxy_username="kim", **QUICK) as post:
            assert post(target.url).error == "certificate"
        assert proxy.requests == []
        assert target.connections == 0


def test_no_host_name_of_an_alert_is_encoded(tenant, monkeypatch):
    """CVE-2026-45409 needs a long host name from outside; those are configured, and an alert's are not read."""
    monkeypatch.setattr(idna, "encode", refuse("a host name is encoded"))
    monkeypatch.setattr(idna.core, "encode", refuse("a host name is encoded"))
    with client(tenant.ca_file, **QUICK) as post:
        assert post(tenant.url).status == 200
    host = "\u00e4" * 60 + ".example"
    url = f"https://{host}/webhook/acme"
    chosen = {"param.webhook_url": url, "webhook_url": url, "param.token": "pst_" + "x" * 9}
    document = {
        "configuration": chosen,
        "result": {},
        "sid": "1",
        "search_name": "x",
        "server_uri": url,
    }
    parsed, _ = alert.parse(json.dumps(document).encode())
    assert host not in repr(parsed)


def test_each_advisory_of_the_documentation_has_a_test():
    """Each row of docs/security.md that says that something is not reached; and no test is about one that is not told."""
    tests = [found for name, found in globals().items() if name.startswith("test_")]
    tested = {number for test in tests for number in ADVISORY.findall(inspect.getdoc(test))}
    assert tested == {row[1] for row in table("docs/security.md", "package")}
