"""One POST to a tenant: what goes over the wire, and how an answer is judged."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from tests.core.make import PACKAGE
from tests.delivery.client import AGENT, QUICK, TOKEN, body, client
from tests.standins.tenant import Answer, Mode, Tenant


@pytest.fixture
def tenant(certs):
    """A tenant over https."""
    with Tenant(certs) as found:
        yield found


def test_request_is_the_one_of_the_wire_contract(tenant):
    """Its headers are those of wire.md and what HTTP needs, nothing else."""
    with client(tenant.ca_file) as post:
        assert post(tenant.url, "test-0000000000000007").status == 200
    request = tenant.requests[0]
    assert (request.method, request.path, request.body) == ("POST", "/webhook/acme", body("test-0000000000000007"))
    assert request.headers == {
        "host": f"localhost:{tenant.port}",
        "authorization": "Bearer " + TOKEN,
        "content-type": "application/json",
        "idempotency-key": "test-0000000000000007",
        "user-agent": AGENT,
        "content-length": str(len(body("test-0000000000000007"))),
        "accept": "application/json",
        "accept-encoding": "identity",
        "connection": "keep-alive",
    }


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["same", "http://[broken", "//", "file:///etc/passwd"])
def test_redirect_is_an_answer_and_is_not_followed(tenant, certs, status, location):
    """The token goes nowhere but to the configured URL, however the Location looks."""
    with Tenant(certs) as other, client(tenant.ca_file) as post:
        to = other.url if location == "same" else location
        tenant.script(Answer(status, headers={"Location": to}))
        assert post(tenant.url).status == status
        assert len(tenant.requests) == 1
        assert other.connections == 0


def test_netrc_and_proxy_environment_are_ignored(tenant, tmp_path, monkeypatch):
    """Neither can change where a body goes, or with which credentials."""
    (tmp_path / ".netrc").write_text("machine localhost login somebody password else\n", encoding="utf-8")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "absent.pem"))
    with client(tenant.ca_file) as post:
        assert post(tenant.url).status == 200
    assert tenant.requests[0].headers["authorization"] == "Bearer " + TOKEN


def test_cookies_of_a_tenant_are_not_sent_back(tenant):
    """A session of a load balancer is nothing that the contract knows, and a jar would grow for ever."""
    tenant.script(Answer(headers={"Set-Cookie": "lb=1; Path=/"}))
    with client(tenant.ca_file) as post:
        assert [post(tenant.url).status, post(tenant.url).status] == [200, 200]
    assert "cookie" not in tenant.requests[1].headers


@pytest.mark.parametrize(
    "mode",
    [
        Mode.CUT_BODY,
        Mode.ENDLESS_BODY,
        Mode.HUGE_BODY,
        Mode.DRIP_BODY,
        Mode.GZIP_BOMB,
        Mode.BROKEN_CHUNK,
        Mode.CONTINUE,
    ],
)
@pytest.mark.parametrize("status", [200, 302, 503])
def test_answer_counts_once_its_headers_are_complete(tenant, mode, status):
    """Whatever its body does: the status is what the tenant said, and the next attempt goes as usual."""
    tenant.script(Answer(status, headers={"Location": tenant.url}, retry_after="7", mode=mode))
    with client(tenant.ca_file, **QUICK) as post:
        answer = post(tenant.url, budget_s=20)
        assert (answer.status, answer.retry_after) == (status, "7")
        assert post(tenant.url).status == 200
    assert len(tenant.requests) == 2


def test_body_of_an_answer_that_never_ends_does_not_keep_a_worker(tenant):
    """A body that drips is given up long before the attempt's own deadline would end it."""
    tenant.script(Answer(mode=Mode.DRIP_BODY, delay=0.2))
    done = threading.Event()

    def send():
        with client(tenant.ca_file, connect_timeout=30, read_timeout=300) as post:
            assert post(tenant.url).status == 200
            done.set()

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    assert done.wait(30), "the attempt goes on although its answer is known"
    thread.join(10)


def test_connection_is_used_again_after_an_ordinary_answer(tenant):
    """One TLS handshake for many alerts, whether an answer has a body or not."""
    tenant.script(
        Answer(200, body=b'{"status":"accepted"}'), Answer(204), Answer(202, body=b"x" * 2000), Answer(500, body=b"no")
    )
    with client(tenant.ca_file) as post:
        assert [post(tenant.url).status for _ in range(5)] == [200, 204, 202, 500, 200]
    assert tenant.connections == 1


def test_connection_that_the_tenant_closed_meanwhile_is_opened_anew(tenant):
    """An idle connection that ended says nothing about the tenant."""
    tenant.script(Answer(200, headers={"Connection": "close"}))
    with client(tenant.ca_file) as post:
        assert [post(tenant.url).status, post(tenant.url).status] == [200, 200]
    assert tenant.connections == 2


@pytest.mark.parametrize("value", ["120", "Wed, 21 Oct 2026 07:28:00 GMT", "soon", "1.5", "-1"])
def test_retry_after_comes_back_as_it_was(tenant, value):
    """Reading it is not this module's business, and it never fails an attempt."""
    tenant.script(Answer(429, retry_after=value))
    with client(tenant.ca_file) as post:
        assert post(tenant.url)[:4] == (429, "", "HTTP 429", value)


def test_token_is_in_no_answer(certs):
    """What is said about a failure can be logged."""
    with client(certs.ca_file, **QUICK) as post:
        answer = post("https://localhost:1/webhook/acme")
    assert "pst_" not in repr(answer)


def test_what_guesses_encodings_is_not_loaded_with_the_client():
    """It costs every process milliseconds and megabytes. A text can be read without it, and whoever imports it later gets the real one."""
    code = """
import sys
sys.path.insert(0, sys.argv[1])
import parapet.webhook, requests
print([name for name in sys.modules if name.split(".")[0] in ("chardet", "charset_normalizer")])
answer = requests.Response()
answer._content = b"text"
import charset_normalizer
print(answer.text, answer.apparent_encoding, charset_normalizer.from_bytes.__name__)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(PACKAGE.parent)],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.splitlines() == ["[]", "text None from_bytes"]
