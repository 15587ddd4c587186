"""The ways in which published advisories reach the HTTP libraries that we ship: none of them is open."""

from __future__ import annotations

import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import urllib3.response
from parapet import webhook as module

from tests.delivery.client import QUICK, client
from tests.standins.proxy import Proxy
from tests.standins.tenant import Answer, Mode, Tenant

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
    """CVE-2025-66418, CVE-2025-66471, CVE-2026-21441: there is no decoder to feed."""
    monkeypatch.setattr(urllib3.response.HTTPResponse, "_decode", refuse_decoding)
    tenant.script(
        Answer(status, headers={"Location": tenant.url}, mode=Mode.GZIP_BOMB),
        Answer(status, headers={"Location": tenant.url, "Content-Encoding": "gzip"}, body=b"\x1f\x8b" + b"x" * 100),
    )
    with client(tenant.ca_file, **QUICK) as post:
        assert [post(tenant.url).status for _ in range(3)] == [status, status, 200]
    assert tenant.requests[0].headers["accept-encoding"] == "identity"


def refuse_decoding(self, data, decode_content, flush_decoder):
    """Let raw bytes through, and nothing else."""
    assert not decode_content
    return data


@pytest.mark.parametrize("mode", [Mode.GZIP_BOMB, Mode.ENDLESS_BODY, Mode.HUGE_BODY])
@pytest.mark.parametrize("status", [200, 302])
def test_memory_does_not_follow_the_answer(tenant, mode, status):
    """A second answer without end costs no more memory than the first ordinary one."""
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
