"""The proxy passes on what it is asked for, asks for its password, and keeps no credential.

It must not use the product, nor assert how long anything takes.
"""

from __future__ import annotations

import concurrent.futures
import socket
import threading

import pytest
import requests

from tests.standins.proxy import Proxy
from tests.standins.tenant import Answer, Mode, Tenant
from tests.standins.test_tenant_contract import headers, sample

TEST = sample("test.json")
PASSWORD = "canary-p%ss"


@pytest.fixture
def threads():
    """No thread may be left at the end."""
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


@pytest.fixture(params=[True, False], ids=["https", "http"])
def tenant(request, certs, threads):
    """A tenant, reached by CONNECT and in absolute form."""
    with Tenant(certs, tls=request.param) as running:
        yield running


def post(tenant, proxy_url, body=TEST, timeout=10):
    """POST through the proxy."""
    return requests.post(
        tenant.url,
        json=body,
        headers=headers(tenant, body),
        proxies={"http": proxy_url, "https": proxy_url},
        verify=tenant.ca_file or True,
        timeout=timeout,
    )


def with_password(proxy, password):
    """The proxy's URL with credentials in it, as requests takes them."""
    return proxy.url.replace("//", f"//user:{requests.utils.quote(password)}@")


def test_a_request_reaches_the_tenant_whole(tenant):
    """By CONNECT the proxy sees the host only, and never the tenant's header names."""
    with Proxy() as proxy:
        assert post(tenant, proxy.url).json() == {"status": "accepted"}
        (seen,) = proxy.requests
    (record,) = tenant.accepted
    assert record.json == TEST
    if tenant.ca_file:
        assert (seen.method, seen.target) == ("CONNECT", f"localhost:{tenant.port}")
        assert "authorization" not in seen.header_names
    else:
        assert (seen.method, seen.target) == ("POST", tenant.url)
    assert (seen.credentials, seen.status) == (False, None)


def test_credentials_are_asked_for_and_checked(tenant):
    """None or wrong ones are a 407 with a challenge; they are neither kept, nor passed on, nor shown."""
    with Proxy("user", PASSWORD) as proxy:
        for url in (proxy.url, with_password(proxy, "wrong")):
            if tenant.ca_file:
                with pytest.raises(requests.exceptions.ProxyError, match="407"):
                    post(tenant, url)
            else:
                answer = post(tenant, url)
                assert answer.status_code == 407
                assert answer.headers["Proxy-Authenticate"] == 'Basic realm="proxy"'
        assert tenant.requests == []
        assert post(tenant, with_password(proxy, PASSWORD)).status_code == 200
        assert [(seen.credentials, seen.status) for seen in proxy.requests] == [(False, 407), (True, 407), (True, None)]
        assert PASSWORD not in repr([(seen, vars(seen)) for seen in proxy.requests])
    assert "proxy-authorization" not in tenant.accepted[0].headers


def test_all_but_the_credentials_can_be_looked_at(tenant):
    """A secret in the wrong place would be found; the right one is kept nowhere."""
    with Proxy("user", PASSWORD) as proxy:
        post(tenant, with_password(proxy, PASSWORD))
        (seen,) = [seen for seen in proxy.requests if seen.credentials]
        assert str(tenant.port) in seen.rest
        assert ("Content-Type" in seen.rest) == (seen.method == "POST")
        assert "uthorization" not in seen.rest
        assert "Basic" not in repr(vars(seen))
        assert tenant.token not in repr(vars(seen))


def test_a_connect_without_credentials_gets_a_challenge():
    """The bytes, as requests hides them."""
    with Proxy("user", PASSWORD) as proxy, socket.create_connection(("127.0.0.1", proxy.port), 10) as client:
        client.sendall(b"CONNECT localhost:1 HTTP/1.1\r\nHost: localhost:1\r\n\r\n")
        answer = client.makefile("rb")
        with answer:
            assert answer.readline().startswith(b"HTTP/1.1 407 ")
            assert answer.readline() == b'Proxy-Authenticate: Basic realm="proxy"\r\n'


def test_a_proxy_that_refuses_is_seen(tenant):
    """503 until it behaves again."""
    with Proxy() as proxy:
        proxy.refuse(503)
        if tenant.ca_file:
            with pytest.raises(requests.exceptions.ProxyError, match="503"):
                post(tenant, proxy.url)
        else:
            assert post(tenant, proxy.url).status_code == 503
        proxy.behave()
        assert post(tenant, proxy.url).status_code == 200
        assert [seen.status for seen in proxy.requests] == [503, None]


def test_a_proxy_that_hangs_ends_with_its_close(tenant):
    """The request is seen and never answered."""
    with Proxy() as proxy, concurrent.futures.ThreadPoolExecutor(1) as pool:
        proxy.hang()
        waiting = pool.submit(post, tenant, proxy.url)
        assert len(proxy.wait_for(1)) == 1
        proxy.close()
        assert isinstance(waiting.exception(10), requests.ConnectionError)
        with pytest.raises(AssertionError, match="not 2 requests"):
            proxy.wait_for(2, timeout=0.01)


def test_an_open_tunnel_ends_with_the_proxy(tenant):
    """Even while the tenant is silent, or sends without end."""
    for answer in (Answer(delay=3600), Answer(mode=Mode.ENDLESS_BODY)):
        tenant.script(answer)
        with Proxy() as proxy, concurrent.futures.ThreadPoolExecutor(1) as pool:
            seen = len(tenant.requests)
            waiting = pool.submit(post, tenant, proxy.url)
            tenant.wait_for(seen + 1)
            proxy.close()
            # Without TLS a body that ends early is a whole one to requests: it had no length.
            assert waiting.exception(10) is not None or answer.mode is Mode.ENDLESS_BODY


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"CONNECT 192.0.2.1:443 HTTP/1.1", b"403"),
        (b"GET http://192.0.2.1/ HTTP/1.1", b"403"),
        (b"GET https://localhost/ HTTP/1.1", b"400"),
        (b"GET /webhook HTTP/1.1", b"400"),
        (b"CONNECT localhost HTTP/1.1", b"400"),
        (b"CONNECT localhost:99999 HTTP/1.1", b"400"),
        (b"hello", b"400"),
    ],
)
def test_what_is_no_request_to_loopback_is_refused(threads, line, status):
    """Nothing outside is ever reached."""
    with Proxy() as proxy, socket.create_connection(("127.0.0.1", proxy.port), 10) as client:
        client.sendall(line + b"\r\nHost: localhost\r\n\r\n")
        assert client.recv(65536).split(b" ")[1] == status


def test_a_tenant_that_is_down_is_502(tenant):
    """The proxy is there, what is behind it is not."""
    tenant.pause()
    with Proxy() as proxy, socket.create_connection(("127.0.0.1", proxy.port), 10) as client:
        client.sendall(f"CONNECT localhost:{tenant.port} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert client.recv(65536).startswith(b"HTTP/1.1 502 ")
