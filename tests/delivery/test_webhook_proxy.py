"""A forward proxy between the host and its tenant."""

from __future__ import annotations

import pytest

from tests.delivery.client import QUICK, TOKEN, client
from tests.standins.proxy import Proxy
from tests.standins.tenant import Answer, Tenant

PASSWORD = "sesam-öffne-dich"


@pytest.fixture(params=[True, False], ids=["https", "http"])
def tenant(request, certs):
    """A tenant over https, and one over http on loopback."""
    with Tenant(certs, tls=request.param) as found:
        yield found


def test_everything_goes_through_the_proxy(tenant):
    """CONNECT for https, the absolute form for http; the tenant sees the request of the contract."""
    with Proxy() as proxy, client(tenant.ca_file, proxy_url=proxy.url) as post:
        assert post(tenant.url).status == 200
        seen = proxy.requests[0]
        assert seen.method == ("CONNECT" if tenant.ca_file else "POST")
        assert not seen.credentials
        if tenant.ca_file:
            assert "authorization" not in seen.header_names
    assert tenant.requests[0].headers["authorization"] == "Bearer " + TOKEN
    assert tenant.refusals == []


def test_tunnel_is_kept_for_the_next_alert(certs):
    """One CONNECT for many alerts."""
    with Tenant(certs) as tenant, Proxy() as proxy, client(certs.ca_file, proxy_url=proxy.url) as post:
        assert [post(tenant.url).status for _ in range(3)] == [200, 200, 200]
        assert len(proxy.requests) == 1


def test_password_goes_to_the_proxy_alone(tenant):
    """The tenant never sees it."""
    with Proxy("somebody", PASSWORD) as proxy:
        with client(tenant.ca_file, PASSWORD, proxy_url=proxy.url, proxy_username="somebody") as post:
            assert post(tenant.url).status == 200
        assert proxy.requests[0].credentials
    assert "proxy-authorization" not in tenant.requests[0].headers


@pytest.mark.parametrize("password", [None, "wrong"])
def test_proxy_that_wants_another_password_answers_407(tenant, password):
    """The status is the proxy's, for http and https alike, and the tenant is not called."""
    username = "somebody" if password else ""
    with Proxy("somebody", PASSWORD) as proxy:
        with client(tenant.ca_file, password, proxy_url=proxy.url, proxy_username=username, **QUICK) as post:
            answer = post(tenant.url)
        assert answer.status == 407
        assert "wrong" not in repr(answer)
    assert tenant.connections == 0


@pytest.mark.parametrize("status", [403, 502, 503])
def test_proxy_that_refuses_a_tunnel_is_named(certs, status):
    """There is no answer of the tenant: what the proxy said stands in the words for a person."""
    with Tenant(certs) as tenant, Proxy() as proxy, client(certs.ca_file, proxy_url=proxy.url, **QUICK) as post:
        proxy.refuse(status)
        answer = post(tenant.url)
        assert (answer.status, answer.error) == (None, "proxy")
        assert str(status) in answer.detail
        proxy.behave()
        assert post(tenant.url).status == 200


def test_proxy_that_hangs_is_a_timeout(tenant):
    """It is bounded like everything else."""
    with Proxy() as proxy, client(tenant.ca_file, proxy_url=proxy.url, **QUICK) as post:
        proxy.hang()
        assert post(tenant.url, budget_s=2)[:2] == (None, "timeout")
    assert tenant.connections == 0


def test_proxy_that_is_not_there_is_not_taken_for_the_tenant(tenant):
    """The words name the proxy, and nothing goes around it."""
    with Proxy() as gone:
        url = gone.url
    with client(tenant.ca_file, proxy_url=url, **QUICK) as post:
        answer = post(tenant.url)
    assert (answer.status, answer.error) == (None, "proxy")
    assert tenant.connections == 0


def test_certificate_of_the_tenant_is_verified_through_the_proxy(certs):
    """A proxy that opens TLS is found out."""
    with Tenant(certs) as tenant, Proxy() as proxy, client(certs.ca_file, proxy_url=proxy.url, **QUICK) as post:
        tenant.use(certs.unknown_ca)
        assert post(tenant.url).error == "certificate"
        assert tenant.requests == []


def test_status_of_the_tenant_comes_through_the_proxy(tenant):
    """Only the proxy's own refusals are the proxy's."""
    tenant.script(Answer(429, retry_after="5"))
    with Proxy() as proxy, client(tenant.ca_file, proxy_url=proxy.url) as post:
        assert post(tenant.url)[:4] == (429, "", "HTTP 429", "5")


@pytest.mark.parametrize("name", ["unknown_ca", "other_host", "expired"])
def test_proxy_over_tls_is_verified_like_a_tenant(certs, name):
    """Its password goes to nobody else."""
    with Tenant(certs) as tenant, Tenant(certs) as proxy:
        url = proxy.url.replace("/webhook/acme", "")
        proxy.use(getattr(certs, name))
        with client(certs.ca_file, PASSWORD, proxy_url=url, proxy_username="somebody", **QUICK) as post:
            assert post(tenant.url).error == "certificate"
            assert proxy.requests == []
            proxy.use(certs.server)
            assert post(tenant.url).error == "proxy"
            assert len(proxy.requests) == 1
        assert tenant.connections == 0
