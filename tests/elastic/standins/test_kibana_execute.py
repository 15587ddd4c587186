"""The stand-in executes connectors: nothing is rendered, axios's habits, Kibana's words for what came of it."""

from __future__ import annotations

import json
import re

import pytest
import requests

from tests.elastic.standins.kibana import Kibana
from tests.elastic.standins.talk import Talk
from tests.elastic.standins.tenant import Answer, ElasticTenant

TEST = '{"source": "elastic", "test": true}'


def connector(kibana, url, *, headers=None, secrets=None, **config):
    """Create the connector "p"."""
    config = {"url": url, "hasAuth": False, "headers": headers or {}, **config}
    sent = {"name": "P", "connector_type_id": ".webhook", "config": config, "secrets": secrets or {}}
    status, answer = Talk(kibana)("POST", "/api/actions/connector/p", sent)
    assert status == 200, answer


def ours(kibana, tenant, **config):
    """Create the connector "p" as it should be."""
    secrets = {"secretHeaders": {"Authorization": "Bearer " + tenant.token}}
    connector(kibana, tenant.url, headers={"Content-Type": "application/json"}, secrets=secrets, **config)


def execute(kibana, body=TEST, **params):
    """The result; HTTP is 200 whatever it is."""
    status, result = Talk(kibana)("POST", "/api/actions/connector/p/_execute", {"params": {"body": body, **params}})
    assert status == 200
    assert result.pop("connector_id") == "p"
    return result


def test_a_good_answer_is_ok_and_gives_back_the_body(kibana, tenant):
    """Not the tenant's answer: that cannot be seen."""
    ours(kibana, tenant)
    assert execute(kibana) == {"status": "ok", "data": TEST}
    (record,) = tenant.accepted
    assert record.body == TEST.encode()
    assert re.match("axios/1[.]", record.headers["user-agent"])
    assert record.headers["accept"] == "application/json, text/plain, */*"


def test_nothing_is_rendered(kibana, tenant):
    """Tags go out as they stand."""
    ours(kibana, tenant)
    execute(kibana, '{"source": "elastic", "name": "{{rule.name}}"}')
    assert json.loads(tenant.requests[0].body)["name"] == "{{rule.name}}"


def test_without_a_content_type_it_is_a_form_and_the_tenant_refuses_it(kibana, tenant):
    """Which is what the guide's connector does."""
    connector(kibana, tenant.url, secrets={"secretHeaders": {"Authorization": "Bearer " + tenant.token}})
    result = execute(kibana)
    assert tenant.requests[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert result["service_message"].startswith("[415] Unsupported Media Type: Content-Type must be")


def test_invalid_json_becomes_one_json_string(kibana, tenant):
    """And the tenant says what that means."""
    ours(kibana, tenant)
    result = execute(kibana, '{"a":[1,]}')
    assert tenant.requests[0].body == b'"{\\"a\\":[1,]}"'
    assert result["message"] == "error calling webhook, invalid response"
    assert "your template is broken" in result["service_message"]
    execute(kibana, '{"source":"elastic","n":NaN}')
    assert isinstance(json.loads(tenant.requests[1].body), str)


def test_valid_json_is_trimmed(kibana, tenant):
    """As axios does."""
    ours(kibana, tenant)
    execute(kibana, "\n " + TEST + "\r\n")
    assert tenant.accepted[0].body == TEST.encode()


def test_basic_auth_stands_over_headers(kibana, tenant):
    """User and password make the Authorization header."""
    secrets = {"user": "u", "password": "p", "secretHeaders": {"authorization": "Bearer x"}}
    connector(kibana, tenant.url, secrets=secrets, hasAuth=True)
    execute(kibana)
    assert tenant.requests[0].headers["authorization"] == "Basic dTpw"


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (Answer(401, body=b'{"message": "no"}'), ("invalid response", "[401] Unauthorized: no", None)),
        (Answer(404, body=b'{"error": "no"}'), ("invalid response", "[404] Not Found", None)),
        (Answer(400, body=b"no"), ("invalid response", "[400] Bad Request", None)),
        (Answer(500, body=b'{"message": "no"}'), ("retry later", "[500] Internal Server Error: no", True)),
        (Answer(429), ("retry later", "[429] Too Many Requests", True)),
        (Answer(429, retry_after="Wed, 21 Oct 2099 07:28:00 GMT"), ("retry later", "[429] Too Many Requests", True)),
    ],
)
def test_refusals_are_worded_as_kibana_does(kibana, tenant, answer, wanted):
    """Of the body only `message` is shown."""
    ours(kibana, tenant)
    tenant.script(answer)
    result, (message, service, retry) = execute(kibana), wanted
    assert (result["status"], result["message"]) == ("error", f"error calling webhook, {message}")
    assert (result["service_message"], result.get("retry")) == (service, retry)


def test_retry_after_in_seconds_is_a_moment(kibana, tenant):
    """In message and in `retry`."""
    ours(kibana, tenant)
    tenant.script(Answer(429, retry_after="30"))
    result = execute(kibana)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", result["retry"])
    assert result["message"] == f"error calling webhook, retry at {result['retry']}"


def test_a_null_body_makes_the_handler_throw(kibana, tenant):
    """It takes `message` out of nothing."""
    ours(kibana, tenant)
    tenant.script(Answer(400, body=b"null"))
    assert execute(kibana)["message"] == "an error occurred while running the action"


def test_no_answer_is_a_failed_request(kibana, tenant):
    """Refused, and too late."""
    ours(kibana, tenant)
    kibana.world.response_timeout = 0.2
    tenant.script(Answer(delay=5))
    assert execute(kibana)["service_message"].startswith("[ECONNABORTED] timeout of 200ms")
    tenant.pause()
    result = execute(kibana)
    assert result["message"] == "error calling webhook, request failed"
    assert result["service_message"].startswith("[ECONNREFUSED]")


def test_a_certificate_is_checked(certs):
    """Against the authorities that the stand-in was given."""
    with Kibana(trust=certs.ca_file) as kibana, ElasticTenant(certs) as tenant:
        ours(kibana, tenant)
        assert execute(kibana)["status"] == "ok"
        tenant.use(certs.unknown_ca)
        assert execute(kibana)["service_message"].startswith("[UNABLE_TO_VERIFY_LEAF_SIGNATURE]")


def test_an_answer_of_more_than_a_megabyte_is_a_failure(kibana, tenant):
    """xpack.actions.maxResponseContentLength."""
    ours(kibana, tenant)
    tenant.script(Answer(body=b" " * 1048577))
    assert execute(kibana)["service_message"].startswith("[ERR_BAD_RESPONSE] maxContentLength")


def test_a_redirect_is_followed_to_allowed_hosts_only(tenant):
    """As a GET, without the token where the host is another."""
    with ElasticTenant(None, tls=False) as other, Kibana(allowed_hosts=("localhost",)) as kibana:
        ours(kibana, tenant)
        tenant.script(Answer(302, headers={"Location": other.url}))
        execute(kibana)
        assert other.requests[0].method == "GET"
        assert "authorization" not in other.requests[0].headers
        tenant.script(Answer(307, headers={"Location": "http://127.0.0.1:1/"}))
        assert "ERR_FR_REDIRECTION_FAILURE" in execute(kibana)["service_message"]


def test_what_the_stand_in_cannot_send_with_is_the_tests_mistake(tenant):
    """It must not look as if a certificate had been used."""
    kibana = Kibana()
    ours(kibana, tenant, ca="x")
    with pytest.raises(requests.exceptions.ConnectionError):
        execute(kibana)
    with pytest.raises(NotImplementedError):
        kibana.close()


def test_params_are_strict(kibana, tenant):
    """`body`, a string; the request holds params and nothing else."""
    ours(kibana, tenant)
    assert "[headers]" in execute(kibana, headers={})["message"]
    assert "[body]" in execute(kibana, {"a": 1})["message"]
    assert tenant.requests == []
    path = "/api/actions/connector/p/_execute"
    assert Talk(kibana)("POST", path, {"body": TEST})[0] == 400
    assert Talk(kibana)("POST", "/api/actions/connector/q/_execute", {"params": {}})[0] == 404


def test_a_preconfigured_connector_is_executed_too(tenant):
    """With its own config and secrets."""
    config = {"url": tenant.url, "method": "post", "hasAuth": False, "headers": {"Content-Type": "application/json"}}
    secrets = {"secretHeaders": {"Authorization": "Bearer " + tenant.token}}
    block = {"name": "P", "actionTypeId": ".webhook", "config": config, "secrets": secrets}
    with Kibana(preconfigured={"p": block}) as kibana:
        assert execute(kibana)["status"] == "ok"
