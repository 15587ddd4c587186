"""The tenant that receives from Elastic: what it refuses, and that it says why where Kibana shows it."""

from __future__ import annotations

import pytest
import requests

from tests.elastic.standins.tenant import Answer, ElasticTenant

TEST = b'{"source":"elastic","test":true}'


def post(tenant, body=TEST, path="", method="POST", **headers):
    """Send; headers with _ for -, None leaves one out; returns (status, message)."""
    session = requests.Session()
    session.trust_env = False
    sent = {"Authorization": "Bearer " + tenant.token, "Content-Type": "application/json"}
    sent.update({name.replace("_", "-"): value for name, value in headers.items()})
    sent = {name: value for name, value in sent.items() if value is not None}
    answer = session.request(method, tenant.url + path, data=body, headers=sent, timeout=10)
    return answer.status_code, answer.json().get("message")


def test_the_connection_test_is_accepted_and_no_alert(tenant):
    """It counts as accepted."""
    assert post(tenant)[0] == 200
    assert len(tenant.accepted) == 1
    assert tenant.bodies == []


@pytest.mark.parametrize(
    ("status", "change"),
    [
        (405, {"method": "PUT"}),
        (404, {"path": "/x"}),
        (401, {"Authorization": "Bearer pst_other"}),
        (401, {"Authorization": None}),
        (415, {"Content_Type": "application/x-www-form-urlencoded"}),
        (415, {"Content_Type": None}),
        (411, {"body": iter([TEST])}),
        (400, {"body": b'{"source":"splunk","test":true}'}),
        (400, {"body": b'{"test":true}'}),
        (400, {"body": b'{"source":"elastic","test":false}'}),
        (400, {"body": b'{"source":"elastic","template":"basic/1"}'}),
        (400, {"body": b'[{"source":"elastic"}]'}),
        (400, {"body": b'{"source":"elastic",}'}),
        (400, {"body": b'{"source":"elastic","a":"\xff"}'}),
        (400, {"body": b'{"source":"elastic","source":"elastic"}'}),
        (400, {"body": b'{"source":"elastic","n":NaN}'}),
        (400, {"body": b""}),
    ],
)
def test_what_breaks_the_contract_is_refused_with_a_message(tenant, status, change):
    """In `message`, the only key that Kibana shows."""
    found, message = post(tenant, **change)
    assert found == status
    assert message
    assert len(tenant.refusals) == 1


def test_one_json_string_means_that_the_template_is_broken(tenant):
    """That is what axios makes of a body that is no JSON."""
    status, message = post(tenant, b'"{\\"source\\":\\"elastic\\",}"')
    assert (status, "your template is broken" in message) == (400, True)


def test_a_body_that_is_too_large_is_413():
    """max_bytes."""
    with ElasticTenant(None, tls=False, max_bytes=10) as tenant:
        assert post(tenant)[0] == 413


def test_answers_can_be_scripted(tenant):
    """As with the Splunk tenant."""
    tenant.script(Answer(429, retry_after="2", body=b'{"message": "slow down"}'))
    assert post(tenant) == (429, "slow down")
    assert post(tenant)[0] == 200
