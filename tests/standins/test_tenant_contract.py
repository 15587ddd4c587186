"""The scripted tenant refuses what breaks the wire contract, and takes what keeps it.

It must not use the product: requests and bytes come from the tests alone.
"""

from __future__ import annotations

import copy
import json
import socket

import pytest
import requests

from tests.standins.tenant import Tenant
from tests.standins.tenant_contract import CONTRACT

AGENT = "parapet-security-splunk/1.0.0"


def sample(name):
    """A parsed sample of the contract."""
    return json.loads((CONTRACT / "samples" / name).read_text(encoding="utf-8"))


def headers(tenant, body):
    """What a good sender sends with `body`."""
    return {
        "Authorization": f"Bearer {tenant.token}",
        "Content-Type": "application/json",
        "User-Agent": AGENT,
        "Idempotency-Key": body.get("id", "none-that-matters"),
    }


def post(tenant, body, raw=None, **changed):
    """POST a body as a good sender would but for `changed` headers (None leaves one out)."""
    sent = headers(tenant, body)
    sent.update({name.replace("_", "-"): value for name, value in changed.items()})
    # Not json=: that would set a Content-Type where a test wants none.
    data = json.dumps(body).encode() if raw is None else raw
    return requests.post(tenant.url, data=data, headers=sent, verify=tenant.ca_file or True, timeout=10)


@pytest.fixture
def tenant(certs):
    """A tenant without a script."""
    with Tenant(certs) as running:
        yield running


@pytest.mark.parametrize("name", ["first-row.json", "every-row.json", "test.json"])
def test_a_sample_is_accepted(tenant, name):
    """Every document of the contract is a 200, and recorded as it came."""
    answer = post(tenant, sample(name))
    assert (answer.status_code, answer.json()) == (200, {"status": "accepted"})
    (record,) = tenant.accepted
    assert record.json == sample(name)
    assert (record.method, record.path, record.connection) == ("POST", "/webhook/acme", 1)
    assert record.tls.startswith("TLSv1.")
    assert record.headers["user-agent"] == AGENT
    assert tenant.refusals == []


def test_the_guides_curl_test_is_accepted_without_an_id(tenant):
    """With curl's own User-Agent and no Idempotency-Key."""
    body = {"source": "splunk", "test": True}
    assert post(tenant, body, User_Agent="curl/8.5.0", Idempotency_Key=None).status_code == 200
    assert post(tenant, body, User_Agent="curl/8.5.0", Idempotency_Key="x" * 20).status_code == 400


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"Authorization": None}, 401),
        ({"Authorization": "Bearer pst_another"}, 401),
        ({"Authorization": "bearer pst_stand-in-tenant"}, 401),
        ({"Content_Type": None}, 415),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "application/json; charset=utf-8"}, 415),
        ({"Content_Encoding": "gzip"}, 415),
        ({"User_Agent": "python-requests/2.31.0"}, 400),
        ({"User_Agent": "parapet-security-splunk/1.0"}, 400),
        ({"User_Agent": "parapet-security-splunk/01.0.0"}, 400),
        ({"User_Agent": "parapet-security-splunk/1.0.0 python-requests"}, 400),
        ({"Idempotency_Key": None}, 400),
        ({"Idempotency_Key": "2f6c1b0e9d4a7f13c5b9"}, 400),
    ],
)
def test_a_wrong_header_is_refused(tenant, changed, status):
    """Each with the status that the contract's table of answers knows, and a JSON message."""
    answer = post(tenant, sample("first-row.json"), **changed)
    assert answer.status_code == status
    assert tenant.refusals == [answer.json()["error"]]
    assert tenant.accepted == []
    assert tenant.token not in answer.text


def test_only_post_to_its_own_path_is_served(tenant):
    """405 names what is allowed; another path, a query and a slash at the end are 404."""
    got = requests.get(tenant.url, verify=tenant.ca_file, timeout=10)
    assert (got.status_code, got.headers["Allow"]) == (405, "POST")
    for other in (tenant.url + "/", tenant.url + "?a=1", tenant.url[:-1]):
        answer = requests.post(other, data=b"{}", verify=tenant.ca_file, timeout=10)
        assert answer.status_code == 404


def test_the_token_can_be_changed_while_running(tenant):
    """The old one is refused from then on."""
    old = headers(tenant, {})["Authorization"]
    tenant.token = "pst_rotated"
    assert post(tenant, sample("test.json"), Authorization=old).status_code == 401
    assert post(tenant, sample("test.json")).status_code == 200


def test_a_body_over_the_byte_limit_is_413(tenant):
    """Exactly the limit is still taken, and the connection lives on."""
    body = sample("first-row.json")
    tenant.max_bytes = len(json.dumps(body).encode())
    assert post(tenant, body).status_code == 200
    tenant.max_bytes -= 1
    assert post(tenant, body).status_code == 413


FIRST = json.dumps(sample("first-row.json"))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\xff" + FIRST.encode(),
        b"\xef\xbb\xbf" + FIRST.encode(),
        FIRST.replace('"user": "root"', '"user": "root", "user": "root"').encode(),
        FIRST.replace('"user": "root"', '"user": "\\ud800"').encode(),
        FIRST.replace('"result_count": 5', '"result_count": NaN').encode(),
        b"[" * 100000,
        b"[]",
        b"null",
    ],
)
def test_what_is_not_strict_json_is_400(tenant, raw):
    """Not UTF-8, a BOM, a key twice, half a surrogate pair, NaN, too deep, no object."""
    assert raw != FIRST.encode()
    answer = post(tenant, sample("first-row.json"), raw)
    assert answer.status_code == 400
    assert answer.json()["error"]


NO_ROWS = dict(
    sample("every-row.json"),
    id="2f6c1b0e9d4a7f13c5b8.0.0",
    result_count=0,
    results=[],
    batch={"index": 0, "offset": 0, "rows": 0, "last": True},
)


def test_every_row_of_a_search_without_rows_is_accepted(tenant):
    """An empty array, in a batch that is the last."""
    assert post(tenant, NO_ROWS).status_code == 200
    assert [firing.complete for firing in tenant.firings()] == [True]
    assert tenant.rows() == []


def _change(*path):
    """A body that breaks one rule: the last of `path` is the value (None removes), the others lead there."""
    name, *keys, value = path
    body = NO_ROWS if name == "no-rows" else sample(name)
    body = copy.deepcopy(body)
    part = body
    for key in keys[:-1]:
        part = part.setdefault(key, {}) if isinstance(part, dict) else part[key]
    if value is None:
        del part[keys[-1]]
    else:
        part[keys[-1]] = value
    return body


@pytest.mark.parametrize(
    "path",
    [
        ("first-row.json", "severity", "info"),
        ("first-row.json", "search", None),
        ("first-row.json", "surplus", 1),
        ("first-row.json", "results", "_cd", "1:2"),
        ("first-row.json", "results", "user", ""),
        ("first-row.json", "results", "user", []),
        ("first-row.json", "id", "short"),
        ("first-row.json", "timestamp", "2026-01-28 15:30:00"),
        ("first-row.json", "timestamp", "2026-02-31T15:30:00Z"),
        ("first-row.json", "search", "latest", "2026-01-28T15:30:00Z\n"),
        ("first-row.json", "links", "alert", ""),
        ("first-row.json", "splunk", "guid", ""),
        ("first-row.json", "enterprise_security", "colour", "red"),
        ("first-row.json", "batch", {"index": 0, "offset": 0, "rows": 1, "last": True}),
        ("every-row.json", "batch", None),
        ("every-row.json", "search_name", "Another"),
        ("every-row.json", "batch", "rows", 3),
        ("every-row.json", "id", "2f6c1b0e9d4a7f13c5b8.0.3"),
        ("every-row.json", "id", "2f6c1b0e9d4a7f13c5b8"),
        ("every-row.json", "batch", {"index": 0, "offset": 0, "rows": 2, "last": False, "truncated": True}),
        ("test.json", "extra", 1),
        ("no-rows", "batch", "last", False),
    ],
)
def test_a_body_against_the_contract_is_400(tenant, path):
    """The schema, and what wire.md says beyond it."""
    answer = post(tenant, _change(*path))
    assert answer.status_code == 400
    assert answer.json()["error"] == tenant.refusals[0]


def test_a_lenient_tenant_leaves_out_the_schema_only(certs):
    """For load tests; token, headers and strict JSON still count."""
    with Tenant(certs, strict=False) as tenant:
        body = _change("first-row.json", "severity", "info")
        assert post(tenant, body).status_code == 200
        assert post(tenant, body, Idempotency_Key="other").status_code == 400
        assert post(tenant, body, Authorization="Bearer pst_no").status_code == 401
        assert post(tenant, body, b"{").status_code == 400
        not_json = dict(body, result_count=float("nan"))
        assert post(tenant, body, json.dumps(not_json).encode()).status_code == 400


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"POST /webhook/acme HTTP/1.0\r\nHost: localhost\r\n\r\n", b"400"),
        (b"hello\r\n\r\n", b"400"),
        (b"POST /webhook/acme HTTP/1.1\r\n\r\n", b"400"),
        (b"POST /webhook/acme HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n", b"400"),
        (b"POST /webhook/acme HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", b"400"),
        (b"POST /webhook/acme HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: +1\r\n\r\n", b"400"),
        (b"POST /webhook/acme HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: 1\r\nContent-Length: 1\r\n\r\n", b"400"),
        (b"POST /webhook/acme HTTP/1.1\r\nHost: localhost\r\n%s\r\n", b"411"),
        (b"POST /webhook/acme HTTP/1.1\r\nHost: localhost\r\n%sTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"411"),
    ],
)
def test_a_request_that_is_not_well_formed_is_refused(request_bytes, status):
    """Raw bytes over plain http; the refusal is remembered too."""
    good = b"Authorization: Bearer pst_stand-in-tenant\r\nContent-Type: application/json\r\n"
    with Tenant(None, tls=False) as tenant, socket.create_connection(("127.0.0.1", tenant.port), 10) as client:
        client.sendall(request_bytes.replace(b"%s", good))
        assert client.recv(65536).split(b" ")[1] == status
        assert len(tenant.refusals) == 1


def test_a_sender_that_expects_100_continue_gets_it():
    """As curl asks before a large body."""
    body = (CONTRACT / "samples" / "test.json").read_bytes()
    with Tenant(None, tls=False) as tenant, socket.create_connection(("127.0.0.1", tenant.port), 10) as client:
        lines = [f"{name}: {value}" for name, value in headers(tenant, json.loads(body.decode())).items()]
        lines += ["Host: localhost", f"Content-Length: {len(body)}", "Expect: 100-continue"]
        client.sendall(("POST /webhook/acme HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode())
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body)
        assert client.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_record_shows_no_token(tenant):
    """A failed assertion prints records."""
    post(tenant, sample("test.json"))
    assert tenant.token not in repr(tenant.requests)
