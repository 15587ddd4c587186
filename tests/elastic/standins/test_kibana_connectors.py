"""The stand-in's connectors: schema by version, licence, allowed hosts, secrets, preconfigured ones."""

from __future__ import annotations

import pytest

from tests.elastic.standins.kibana import Kibana
from tests.elastic.standins.talk import Talk

ONE = "/api/actions/connector/p"
URL = "https://webhook-us.parapetsecurity.com/webhook/acme"
PLAIN = {"url": URL, "method": "post", "hasAuth": False, "headers": {"Content-Type": "application/json"}}
BLOCK = {"kept": {"name": "Parapet", "actionTypeId": ".webhook", "config": PLAIN, "secrets": {}}}


def body(config=None, secrets=None, **more):
    """What creates a connector."""
    config = PLAIN if config is None else config
    return {"name": "P", "connector_type_id": ".webhook", "config": config, "secrets": secrets or {}, **more}


def refusal(kibana, sent, method="POST", path=ONE):
    """The words with which this is refused with 400."""
    status, answer = Talk(kibana)(method, path, sent)
    assert status == 400
    return answer["message"]


def test_a_connector_is_created_with_ones_own_id_and_shown_without_secrets(kibana):
    """Once: the second time it is a conflict."""
    status, shown = Talk(kibana)("POST", ONE, body(secrets={"secretHeaders": {"Authorization": "Bearer pst_x"}}))
    assert status == 200
    assert (shown["id"], shown["config"], shown["is_preconfigured"]) == ("p", PLAIN, False)
    assert "secrets" not in shown
    assert Talk(kibana)("POST", ONE, body())[0] == 409
    for path in (ONE, "/api/actions/connectors"):
        assert "pst_x" not in str(Talk(kibana)("GET", path))


def test_without_an_id_the_server_picks_one(kibana):
    """POST /api/actions/connector."""
    status, shown = Talk(kibana)("POST", "/api/actions/connector", body())
    assert status == 200
    assert list(kibana.connectors()) == [shown["id"]]


def test_put_replaces_everything_and_what_is_not_sent_again_is_gone(kibana):
    """The secrets too."""
    talk = Talk(kibana)
    talk("POST", ONE, body(secrets={"secretHeaders": {"Authorization": "Bearer pst_x"}}))
    status, shown = talk("PUT", ONE, {"name": "Q", "config": PLAIN})
    assert (status, shown["name"]) == (200, "Q")
    assert kibana.connectors()["p"]["secrets"] == {}
    assert "connector_type_id" in refusal(kibana, body(), "PUT")
    assert talk("PUT", "/api/actions/connector/q", {"name": "Q", "config": PLAIN})[0] == 404


def test_delete_answers_204_and_then_it_is_gone(kibana):
    """And then 404."""
    talk = Talk(kibana)
    talk("POST", ONE, body())
    assert talk("DELETE", ONE) == (204, None)
    assert [talk("DELETE", ONE)[0], talk("GET", ONE)[0]] == [404, 404]


def test_the_list_counts_the_rules_that_refer_to_a_connector(kibana):
    """Rules, not actions."""
    Talk(kibana)("POST", ONE, body())
    action = {"id": "p", "action_type_id": ".webhook", "params": {}}
    rule = kibana.add_rule("A")
    Talk(kibana)("PATCH", "/api/detection_engine/rules", {"id": rule, "actions": [action, action]})
    kibana.add_rule("B")
    (shown,) = Talk(kibana)("GET", "/api/actions/connectors")[1]
    assert shown["referenced_by_count"] == 1


def test_a_preconfigured_connector_is_in_every_space_without_config_and_cannot_be_changed():
    """Its config is shown with exposeConfig only."""
    path = "/api/actions/connector/kept"
    with Kibana(preconfigured=BLOCK, spaces=("default", "soc")) as kibana:
        for space in ("default", "soc"):
            (shown,) = Talk(kibana, space)("GET", "/api/actions/connectors")[1]
            assert (shown["is_preconfigured"], "config" in shown) == (True, False)
        assert "can not be updated" in refusal(kibana, {"name": "Q", "config": PLAIN}, "PUT", path)
        assert "not allowed to delete" in refusal(kibana, None, "DELETE", path)
        assert "already exists" in refusal(kibana, body(), "POST", path)
    with Kibana(preconfigured={"kept": {**BLOCK["kept"], "exposeConfig": True}}) as kibana:
        assert Talk(kibana)("GET", path)[1]["config"] == PLAIN


@pytest.mark.parametrize("version", ["8.8.0", "8.19.0", "9.1.0"])
def test_secret_headers_are_unknown_before_9_2(version):
    """And so is OAuth2."""
    with Kibana(version) as kibana:
        assert "[secretHeaders]" in refusal(kibana, body(secrets={"secretHeaders": {"A": "b"}}))
        assert "[clientId]" in refusal(kibana, body({**PLAIN, "clientId": "x"}))


def test_tls_options_are_unknown_to_8_8():
    """They are documented for 8.14."""
    with Kibana("8.8.0") as kibana:
        assert "[authType]" in refusal(kibana, body({**PLAIN, "authType": None}))
    with Kibana("8.19.0") as kibana:
        assert Talk(kibana)("POST", ONE, body({**PLAIN, "authType": None}))[0] == 200


def test_methods_beyond_post_and_put_come_with_9_3():
    """Serverless has them too."""
    for settings, wanted in (({"version": "9.2.0"}, 400), ({"version": "9.3.0"}, 200), ({"serverless": True}, 200)):
        with Kibana(**settings) as kibana:
            assert Talk(kibana)("POST", ONE, body({**PLAIN, "method": "patch"}))[0] == wanted


@pytest.mark.parametrize("key", ["timeout", "maxRetries", "body", "authorization"])
def test_config_takes_no_other_keys(kibana, key):
    """There is no such field on a webhook connector."""
    assert f"[{key}]" in refusal(kibana, body({**PLAIN, key: "x"}))


def test_auth_must_agree_with_has_auth(kibana):
    """HasAuth is true unless it is sent as false."""
    silent = {name: value for name, value in PLAIN.items() if name != "hasAuth"}
    assert "user and password" in refusal(kibana, body(silent))
    wrong = refusal(kibana, body({**PLAIN, "authType": "webhook-authentication-basic"}))
    assert "authType must be null or undefined if hasAuth is false" in wrong
    assert Talk(kibana)("POST", ONE, body(silent, {"user": "u", "password": "p"}))[0] == 200


def test_what_is_missing_or_of_the_wrong_type_is_refused(kibana):
    """In config, in headers, in the body."""
    assert "[url]" in refusal(kibana, body({"hasAuth": False}))
    assert "unable to parse url" in refusal(kibana, body({**PLAIN, "url": "webhook-us.parapetsecurity.com"}))
    assert "[headers.A]" in refusal(kibana, body({**PLAIN, "headers": {"A": 1}}))
    assert "[secretHeaders.A]" in refusal(kibana, body(secrets={"secretHeaders": {"A": None}}))
    assert "[request body.name]" in refusal(kibana, {"connector_type_id": ".webhook"})
    assert "not registered" in refusal(kibana, body(connector_type_id=".nothing"))


@pytest.mark.parametrize(("version", "words"), [("8.19.0", "error configuring"), ("9.2.0", "error validation")])
def test_a_host_that_is_not_allowed_is_refused_in_kibanas_words(version, words):
    """When it is created, and when it is executed."""
    with Kibana(version, allowed_hosts=("hooks.example.com",)) as kibana:
        message = refusal(kibana, body())
        assert f'target url "{URL}" is not added to the Kibana config xpack.actions.allowedHosts' in message
        assert words in message
        kibana.world.allowed_hosts = ("*",)
        Talk(kibana)("POST", ONE, body())
        kibana.world.allowed_hosts = ()
        status, result = Talk(kibana)("POST", ONE + "/_execute", {"params": {"body": "{}"}})
        assert (status, result["status"]) == (200, "error")
        assert "xpack.actions.allowedHosts" in result["message"]


@pytest.mark.parametrize("licence", ["basic", "standard"])
def test_a_licence_below_gold_has_no_webhook(licence):
    """Neither to create nor to execute; the list of types says so."""
    words = f"Action type .webhook is disabled because your {licence} license does not support it."
    with Kibana(license="gold") as kibana:
        talk = Talk(kibana)
        talk("POST", ONE, body())
        kibana.world.license = licence
        for method, path, sent in (("POST", ONE, body()), ("POST", ONE + "/_execute", {"params": {}})):
            status, answer = talk(method, path, sent)
            assert status == 403
            assert answer["message"].startswith(words)
        entry = next(each for each in talk("GET", "/api/actions/connector_types")[1] if each["id"] == ".webhook")
        assert (entry["enabled"], entry["enabled_in_config"], entry["enabled_in_license"]) == (False, True, False)
        assert entry["minimum_license_required"] == "gold"


def test_a_type_that_the_configuration_leaves_out_cannot_be_created():
    """xpack.actions.enabledActionTypes."""
    with Kibana(enabled_types=(".email",)) as kibana:
        status, answer = Talk(kibana)("POST", ONE, body())
        assert (status, "enabledActionTypes" in answer["message"]) == (403, True)
        entry = next(x for x in Talk(kibana)("GET", "/api/actions/connector_types")[1] if x["id"] == ".webhook")
        assert (entry["enabled"], entry["enabled_in_config"], entry["enabled_in_license"]) == (False, False, True)


def test_the_list_of_types_needs_no_right(kibana):
    """Only somebody who is somebody."""
    kibana.rights.clear()
    assert Talk(kibana)("GET", "/api/actions/connector_types")[0] == 200
    assert Talk(kibana, Authorization=None)("GET", "/api/actions/connector_types")[0] == 401
