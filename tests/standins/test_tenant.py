"""The scripted tenant answers as scripted, goes wrong in each way it can, and leaves no thread behind.

It must not use the product, nor assert how long anything takes.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import socket
import ssl
import threading

import pytest
import requests

from tests.standins.tenant import Answer, Mode, Tenant
from tests.standins.test_tenant_contract import headers, post, sample

TEST = sample("test.json")


@pytest.fixture(params=[True, False], ids=["https", "http"])
def tenant(request, certs):
    """A tenant, over TLS and without; at its end no thread of it may be left."""
    before = set(threading.enumerate())
    with Tenant(certs, tls=request.param) as running:
        yield running
    assert set(threading.enumerate()) <= before


def keeping():
    """A session that keeps its connection, and takes nothing from the environment."""
    session = requests.Session()
    session.trust_env = False
    return session


def send(session, tenant, body=TEST):
    """POST a good body on a kept connection; the status."""
    return session.post(
        tenant.url, json=body, headers=headers(tenant, body), verify=tenant.ca_file or True, timeout=10
    ).status_code


def stream(tenant):
    """A POST whose answer's body is not read yet."""
    return requests.post(
        tenant.url,
        json=TEST,
        headers=headers(tenant, TEST),
        verify=tenant.ca_file or True,
        timeout=10,
        stream=True,
    )


def test_scripted_answers_come_in_order_and_then_the_default(tenant):
    """Headers and Retry-After as told; `always` changes the default."""
    tenant.script(Answer(503, retry_after="7"), Answer(204), Answer(299, body=b"{}"))
    first = post(tenant, TEST)
    assert (first.status_code, first.headers["Retry-After"]) == (503, "7")
    assert [post(tenant, TEST).status_code for _ in range(3)] == [204, 299, 200]
    tenant.always(Answer(500))
    assert post(tenant, TEST).status_code == 500
    assert [record.status for record in tenant.requests] == [503, 204, 299, 200, 500]
    assert len(tenant.accepted) == 3


def test_a_breach_of_the_contract_uses_up_no_scripted_answer(tenant):
    """It is refused as itself, and the script waits for a good request."""
    tenant.script(Answer(503))
    assert post(tenant, TEST, Authorization=None).status_code == 401
    assert post(tenant, TEST).status_code == 503


def test_a_rule_comes_before_the_script(tenant):
    """As a firewall in front of the tenant would."""
    tenant.script(Answer(503))
    tenant.when(lambda record: b"45.227.253.98" in record.body, Answer(403))
    assert post(tenant, sample("first-row.json")).status_code == 403
    assert post(tenant, TEST).status_code == 503


def test_a_redirect_leads_where_it_says(tenant):
    """A client that follows it reaches the other server."""
    with Tenant(None, tls=False) as other:
        tenant.script(Answer(307, headers={"Location": other.url}))
        answer = post(tenant, TEST)
        assert answer.history[0].status_code == 307
        (record,) = other.requests
        # requests takes the token off for another host or port; the other one refuses, and says so.
        assert (answer.status_code, record.status) == (401, 401)


@pytest.mark.parametrize(
    "mode", [Mode.CLOSE_UNREAD, Mode.CLOSE_UNANSWERED, Mode.RESET, Mode.GARBAGE], ids=lambda mode: mode.name
)
def test_an_answer_without_complete_headers_accepts_nothing(tenant, mode):
    """The client sees a broken connection; the request counts as seen where it was read."""
    tenant.script(Answer(mode=mode))
    with pytest.raises(requests.ConnectionError):
        post(tenant, TEST)
    seen = 0 if mode is Mode.CLOSE_UNREAD else 1
    assert (len(tenant.requests), tenant.accepted) == (seen, [])
    assert post(tenant, TEST).status_code == 200


def test_cut_headers_have_no_end():
    """The status line is whole, so Python's http.client takes it for an answer; the tenant does not count it as one."""
    with Tenant(None, tls=False) as tenant:
        tenant.script(Answer(mode=Mode.CUT_HEAD))
        answer = post(tenant, TEST)
        assert (answer.status_code, "Content-Length" in answer.headers) == (200, False)
        assert [record.status for record in tenant.requests] == [None]


def test_a_reset_is_a_reset(tenant):
    """Not an orderly end."""
    tenant.script(Answer(mode=Mode.RESET))
    with pytest.raises(requests.ConnectionError) as caught:
        post(tenant, TEST)
    assert "ConnectionResetError" in repr(caught.value)


def _is_whole(answer):
    # Of a body that is too short requests says nothing; a TLS end without a goodbye is an error to Python 3.7 only.
    try:
        return len(answer.content) == int(answer.headers["Content-Length"])
    except requests.RequestException:
        return False


@pytest.mark.parametrize("mode", [Mode.CUT_BODY, Mode.BROKEN_CHUNK], ids=lambda mode: mode.name)
def test_an_answer_with_complete_headers_counts_even_when_its_body_breaks(tenant, mode):
    """Status 200 is seen, then the body cannot be read to its end."""
    tenant.script(Answer(mode=mode))
    with stream(tenant) as answer:
        assert answer.status_code == 200
        assert not _is_whole(answer)
    assert len(tenant.accepted) == 1


@pytest.mark.parametrize("mode", [Mode.DRIP_HEAD, Mode.DRIP_BODY, Mode.CONTINUE], ids=lambda mode: mode.name)
def test_an_odd_answer_is_whole_in_the_end(tenant, mode):
    """A patient client gets it, and the connection carries the next one."""
    tenant.script(Answer(201, body=b"{}", delay=0.0001, mode=mode))
    with keeping() as session:
        assert [send(session, tenant), send(session, tenant)] == [201, 200]
    assert tenant.connections == 1


def test_headers_that_drip_are_no_answer_before_their_end(tenant):
    """The first byte is there, the status is not yet recorded."""
    tenant.script(Answer(delay=600, mode=Mode.DRIP_HEAD))
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            tenant.url, json=TEST, headers=headers(tenant, TEST), verify=tenant.ca_file or True, timeout=(10, 0.2)
        )
    assert [record.status for record in tenant.requests] == [None]


@pytest.mark.parametrize(
    "mode",
    [Mode.ENDLESS_BODY, Mode.ENDLESS_CHUNK_LINE, Mode.HUGE_BODY, Mode.DRIP_BODY, Mode.GZIP_BOMB],
    ids=lambda mode: mode.name,
)
def test_a_body_that_nobody_reads_to_its_end_does_not_outlive_the_tenant(tenant, mode):
    """The client holds on while the tenant closes."""
    tenant.script(Answer(mode=mode))
    answer = stream(tenant)
    assert answer.status_code == 200
    tenant.close()
    answer.close()


def test_the_endless_chunk_line_is_one_line(tenant):
    """A megabyte of it, and no end of line."""
    tenant.script(Answer(mode=Mode.ENDLESS_CHUNK_LINE))
    with stream(tenant) as answer:
        assert answer.headers["Transfer-Encoding"] == "chunked"
        line = answer.raw._fp.fp.read(1024 * 1024)
    assert line.startswith(b"5;x")
    assert b"\n" not in line


def test_the_bomb_unpacks_to_far_more_than_it_weighs(tenant):
    """Its first 64 KiB on the wire are more than 16 MiB."""
    tenant.script(Answer(mode=Mode.GZIP_BOMB))
    with stream(tenant) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert int(answer.headers["Content-Length"]) < 2 * 1024 * 1024
        assert len(answer.raw.read(65536, decode_content=True)) > 16 * 1024 * 1024


def test_the_huge_body_is_as_long_as_it_says(tenant):
    """64 MiB, whole."""
    tenant.script(Answer(mode=Mode.HUGE_BODY))
    with stream(tenant) as answer:
        assert sum(len(part) for part in answer.iter_content(1024 * 1024)) == 64 * 1024 * 1024


def test_a_half_open_connection_never_gets_to_speak(tenant):
    """TCP connects, and then nothing, not even TLS; the next connection is served."""
    tenant.script(Answer(mode=Mode.HALF_OPEN))
    with socket.create_connection(("127.0.0.1", tenant.port), 10) as client:
        tenant.wait_until(lambda: tenant.connections == 1)
        assert post(tenant, TEST).status_code == 200
        client.settimeout(0.2)
        client.sendall(b"anybody?")
        with pytest.raises(socket.timeout):
            client.recv(1)
        tenant.pause()
        client.settimeout(10)
        with contextlib.suppress(ConnectionResetError):  # it never read what was sent, so Linux resets
            assert client.recv(1) == b""


@pytest.mark.parametrize(("latency", "delay"), [(3600, 0), (0, 3600)])
def test_a_late_answer_ends_with_the_tenant(tenant, latency, delay):
    """An hour's latency or delay, and close returns."""
    tenant.latency = latency
    tenant.always(Answer(delay=delay))
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(post, tenant, TEST)
        tenant.wait_for(1)
        tenant.close()
        assert isinstance(waiting.exception(10), requests.ConnectionError)


def test_an_outage_refuses_connections_and_ends_on_the_same_port(tenant):
    """Idle kept connections are cut as well."""
    with keeping() as session:
        assert send(session, tenant) == 200
        for _ in range(2):
            tenant.pause()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", tenant.port), 10)
            tenant.resume()
            assert send(session, tenant) == 200
    assert tenant.connections == 3


def test_nobody_else_can_take_the_port_during_an_outage(tenant):
    """Not even where no old connection lingers on it."""
    tenant.pause()
    with socket.socket() as thief, pytest.raises(OSError, match="in use"):
        thief.bind(("127.0.0.1", tenant.port))


def test_another_certificate_counts_from_the_next_connection(certs):
    """The kept one goes on, a new one does not verify, and no request comes over it."""
    with Tenant(certs) as tenant, keeping() as session:
        assert send(session, tenant) == 200
        tenant.use(certs.expired)
        assert send(session, tenant) == 200
        with pytest.raises(requests.exceptions.SSLError):
            post(tenant, TEST)
        assert len(tenant.requests) == 2


def test_tls_below_1_2_is_refused(certs):
    """The tenant speaks 1.2 and 1.3 only."""
    assert certs.server.context().minimum_version is ssl.TLSVersion.TLSv1_2


def test_waiting_in_vain_says_what_came(tenant):
    """The time-out is an AssertionError with the requests so far."""
    post(tenant, TEST)
    assert len(tenant.wait_for(1)) == 1
    with pytest.raises(AssertionError, match="POST /webhook/acme"):
        tenant.wait_for(2, timeout=0.01)


def test_a_predicate_that_fails_fails_the_test(certs):
    """A bug in a thread is raised where the tenant closes."""
    tenant = Tenant(certs)
    tenant.when(lambda record: record.no_such_thing, Answer(403))
    with pytest.raises(requests.ConnectionError):
        post(tenant, TEST)
    with pytest.raises(AttributeError):
        tenant.close()


def test_many_senders_at_once_are_all_served(tenant):
    """Eight connections, each kept, none refused; requests on one connection stay in order."""
    tenant.latency = 0.001
    bodies = [dict(TEST, id=f"test-{number:016}") for number in range(200)]

    def send_all(part):
        with keeping() as session:
            return [send(session, tenant, body) for body in part]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = [status for part in pool.map(send_all, [bodies[place::8] for place in range(8)]) for status in part]
    assert statuses == [200] * 200
    assert tenant.connections == 8
    assert sorted(record.json["id"] for record in tenant.accepted) == [body["id"] for body in bodies]
