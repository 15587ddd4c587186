"""The stand-in's gate: credentials, rights, kbn-xsrf, spaces, unknown keys, faults."""

from __future__ import annotations

import base64
import threading

import pytest
import requests

from tests.elastic.standins.kibana import Kibana
from tests.elastic.standins.talk import Talk

FIND = "/api/detection_engine/rules/_find"


def test_a_route_answers_401_without_credentials_and_with_wrong_ones(kibana):
    """Nobody, a wrong key, a wrong password, and bytes that are no credentials."""
    for credentials in (None, "ApiKey bm86", "Basic ZWxhc3RpYzpubw==", "Bearer x", "ApiKey %%%"):
        status, body = Talk(kibana, Authorization=credentials)("GET", FIND)
        assert status == 401
        assert body["statusCode"] == 401
        assert body["error"] == "Unauthorized"


def test_the_id_of_a_key_without_its_secret_is_worth_nothing(kibana):
    """Both halves count."""
    key_id = base64.b64decode(kibana.api_key).partition(b":")[0]
    forged = base64.b64encode(key_id + b":" + b"0" * 22).decode()
    assert Talk(kibana, Authorization="ApiKey " + forged)("GET", FIND)[0] == 401


def test_user_and_password_open_the_same_door(kibana):
    """Basic authentication works too."""
    answer = requests.get(kibana.url + FIND, auth=(kibana.username, kibana.password), timeout=10)
    assert answer.status_code == 200


def test_a_revoked_key_opens_nothing(kibana):
    """An API key that was deleted is as good as none."""
    kibana.accounts.revoke_key(kibana.api_key)
    assert Talk(kibana)("GET", FIND)[0] == 401


@pytest.mark.parametrize(
    ("right", "method", "path", "body"),
    [
        ("connectors:read", "GET", "/api/actions/connectors", None),
        ("connectors:write", "DELETE", "/api/actions/connector/x", None),
        ("rules:read", "GET", FIND, None),
        ("rules:write", "PATCH", "/api/detection_engine/rules", {"rule_id": "x"}),
        ("alerts:read", "POST", "/api/detection_engine/signals/search", {}),
        ("rules:read", "GET", "/internal/alerting/rule/x/_action_error_log?date_start=1h", None),
    ],
)
def test_each_right_is_needed(kibana, right, method, path, body):
    """Without the right 403, with it anything else."""
    talk = Talk(kibana)
    assert talk(method, path, body)[0] != 403
    kibana.rights.discard(right)
    status, answer = talk(method, path, body)
    assert (status, answer["error"]) == (403, "Forbidden")


def test_a_write_without_kbn_xsrf_is_refused(kibana):
    """And a read is not."""
    talk = Talk(kibana, kbn_xsrf=None)
    assert talk("GET", FIND)[0] == 200
    status, body = talk("DELETE", "/api/actions/connector/x")
    assert (status, body["message"]) == (400, "Request must contain a kbn-xsrf header.")


def test_what_is_not_there_is_404(kibana):
    """An unknown route, and an unknown space."""
    assert Talk(kibana)("GET", "/api/detection_engine/nothing")[0] == 404
    assert Talk(kibana, "other")("GET", FIND)[0] == 404


def test_spaces_keep_their_rules_apart():
    """A rule of one space is in no other."""
    with Kibana(spaces=("default", "soc")) as kibana:
        kibana.add_rule("A", space="soc")
        assert Talk(kibana)("GET", FIND)[1]["total"] == 0
        assert Talk(kibana, "soc")("GET", FIND)[1]["total"] == 1


def test_unknown_parameters_and_keys_are_refused(kibana):
    """In the query string and in the body."""
    status, body = Talk(kibana)("GET", FIND, size="3")
    assert (status, body["message"]) == (400, "[request query.size]: definition for this key is missing")
    status, body = Talk(kibana)("PATCH", "/api/detection_engine/rules", {"id": "x", "throttle": "1h"})
    assert (status, body["message"]) == (400, "[request body.throttle]: definition for this key is missing")


def test_a_body_that_is_no_json_or_too_large_is_refused(kibana):
    """The type 415, the syntax 400, the size 413."""
    url, key = kibana.url + "/api/actions/connector", {"Authorization": "ApiKey " + kibana.api_key, "kbn-xsrf": "x"}
    assert requests.post(url, "{}", headers=key, timeout=10).status_code == 415
    key["Content-Type"] = "application/json"
    assert requests.post(url, "{", headers=key, timeout=10).status_code == 400
    assert requests.post(url, b" " * 1048577, headers=key, timeout=10).status_code == 413


def test_status_tells_the_version_to_those_who_may_know_it(kibana):
    """Without credentials only that it is up; with wrong ones nothing."""
    assert Talk(kibana)("GET", "/api/status")[1]["version"]["number"] == "9.2.0"
    assert "version" not in Talk(kibana, Authorization=None)("GET", "/api/status")[1]
    assert Talk(kibana, Authorization="ApiKey bm86")("GET", "/api/status")[0] == 401


def test_serverless_says_so():
    """In build_flavor."""
    with Kibana(serverless=True) as kibana:
        assert Talk(kibana)("GET", "/api/status")[1]["version"]["build_flavor"] == "serverless"


def test_https_is_spoken_with_the_certificate_given(certs):
    """And a client that does not trust it gets nowhere."""
    with Kibana(certs=certs) as kibana:
        assert Talk(kibana)("GET", "/api/status")[0] == 200
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(kibana.url, timeout=10)


def test_a_connection_is_kept(kibana):
    """Two requests of one session come over one connection."""
    talk = Talk(kibana)
    talk("GET", "/api/status")
    talk("GET", "/api/status")
    assert kibana.connections == 1


def test_a_scripted_status_is_answered_and_nothing_is_done(kibana):
    """So many times, then all is well."""
    rule = kibana.add_rule("A")
    talk = Talk(kibana)
    kibana.script("status:429", count=2, headers={"Retry-After": "2"})
    body = {"id": rule, "enabled": False}
    found = [talk("PATCH", "/api/detection_engine/rules", body)[0] for _ in range(3)]
    assert found == [429, 429, 200]
    assert kibana.rule(rule)["revision"] == 1
    assert [each.status for each in kibana.requests] == found


def test_a_cut_before_does_nothing_and_a_cut_after_has_acted(kibana):
    """The client sees the same."""
    rule = kibana.add_rule("A")
    for fault, revision in (("cut-before", 0), ("cut-after", 1)):
        kibana.script(fault, when=lambda record: record.method == "PATCH")
        with pytest.raises(requests.exceptions.ConnectionError):
            Talk(kibana)("PATCH", "/api/detection_engine/rules", {"id": rule, "enabled": False})
        assert kibana.rule(rule)["revision"] == revision


def test_a_gateway_may_time_out_on_what_was_done(kibana):
    """status-after acts, and answers something else."""
    rule = kibana.add_rule("A")
    kibana.script("status-after:504")
    assert Talk(kibana)("PATCH", "/api/detection_engine/rules", {"id": rule, "enabled": False})[0] == 504
    assert kibana.rule(rule)["enabled"] is False


def test_a_starting_kibana_answers_in_plain_text(kibana):
    """503 is not JSON."""
    kibana.script("status:503")
    assert Talk(kibana)("GET", "/api/status") == (503, "Kibana server is not ready yet")


def test_more_than_five_bulk_edits_at_once_are_429(kibana):
    """The sixth does not get in while five are at work."""
    rule = kibana.add_rule("A")
    kibana.script("latency", count=6, seconds=2)
    body = {"action": "edit", "ids": [rule], "edit": [{"type": "set_rule_actions", "value": {"actions": []}}]}
    found = []

    def call():
        found.append(Talk(kibana)("POST", "/api/detection_engine/rules/_bulk_action", body)[0])

    threads = [threading.Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [200] * 5 + [429]


def test_a_fault_or_setting_that_is_not_there_is_the_tests_mistake(kibana):
    """It must not pass unseen."""
    with pytest.raises(ValueError, match="no fault"):
        kibana.script("explode")
    with pytest.raises(TypeError, match="no setting"):
        Kibana(colour="red")
    with pytest.raises(ValueError, match="no \\['colour'\\]"):
        kibana.add_rule("A", colour="red")
