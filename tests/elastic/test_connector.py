"""The connector as Kibana stores it: one place for the token, always JSON, and a block for kibana.yml that is YAML."""

from __future__ import annotations

import pytest
import yaml
from parapet_elastic import connector
from parapet_elastic.secret import Secret

URL = "https://webhook-us.parapetsecurity.com/webhook/acme"
TOKEN = "pst_canary-token"
OLD, NEW = (9, 1), (9, 2)


@pytest.mark.parametrize("version", [(8, 8), (8, 19), OLD])
def test_before_9_2_the_token_is_a_header_of_the_config(version):
    """There is no other place, and unknown keys are refused."""
    found = connector.payload("Parapet", URL, Secret(TOKEN), version)
    assert found == {
        "name": "Parapet",
        "config": {
            "url": URL,
            "method": "post",
            "hasAuth": False,
            "headers": {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"},
        },
        "secrets": {},
    }


@pytest.mark.parametrize("version", [NEW, (9, 4), (99, 0)])
def test_from_9_2_on_the_token_is_a_secret_and_nowhere_else(version):
    """Which of two Kibana would take is not known."""
    found = connector.payload("Parapet", URL, Secret(TOKEN), version)
    assert found["secrets"] == {"secretHeaders": {"Authorization": f"Bearer {TOKEN}"}}
    assert TOKEN not in str(found["config"])
    assert found["config"]["headers"] == {"Content-Type": "application/json"}


@pytest.mark.parametrize("version", [OLD, NEW])
def test_without_a_token_there_is_no_header(version):
    """As doctor's probe is made."""
    found = connector.payload("x", URL, None, version)
    assert found["secrets"] == {}
    assert found["config"]["headers"] == {"Content-Type": "application/json"}


@pytest.mark.parametrize("version", [OLD, NEW])
def test_the_block_for_kibana_yml_is_the_connector_with_a_placeholder(version):
    """Read back as YAML it is what the API would take."""
    name = 'Parapet "x" \\ y'
    block = "\n".join(connector.kibana_yml("parapet-security", name, URL, version))
    found = yaml.safe_load(block)["xpack.actions.preconfigured"]["parapet-security"]
    wanted = connector.payload(name, URL, Secret("pst_YOUR_TOKEN_HERE"), version)
    assert found.pop("actionTypeId") == ".webhook"
    assert {"secrets": {}, **found} == wanted


def test_the_keystore_has_the_header_under_the_path_of_the_block():
    """Kibana puts the two together by their paths."""
    start = "xpack.actions.preconfigured.parapet-security."
    assert connector.keystore_key("parapet-security", OLD) == start + "config.headers.Authorization"
    assert connector.keystore_key("parapet-security", NEW) == start + "secrets.secretHeaders.Authorization"


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        (URL, True),
        ("https://webhook-eu.parapetsecurity.com/webhook/other", True),
        ("https://relay.example.com/webhook/acme", False),
        ("https://webhook-us.parapetsecurity.com.evil.com/webhook/acme", False),
        ("https://[", False),
        (None, False),
    ],
)
def test_a_connector_that_sends_to_parapet_is_taken_for_ours(url, ours):
    """Whatever its region; anybody else's is asked about."""
    assert connector.sends_to({"config": {"url": url}}, URL) is ours


def test_names_of_headers_are_compared_without_regard_to_case():
    """As HTTP has them."""
    found = {"config": {"headers": {"AUTHORIZATION": "x", "content-TYPE": "Application/JSON; charset=utf-8"}}}
    assert connector.has_token_in_clear(found)
    assert connector.has_json_type(found)
    for headers in ({}, None, {"Content-Type": "text/plain"}):
        assert not connector.has_token_in_clear({"config": {"headers": headers}})
        assert not connector.has_json_type({"config": {"headers": headers}})


def test_differences_are_names_and_never_values():
    """A header's value may be a token."""
    wanted = connector.payload("Parapet", URL, Secret(TOKEN), OLD)
    assert connector.differences({"name": "Parapet", "config": dict(wanted["config"])}, wanted) == []
    other = {"name": "x", "config": {**wanted["config"], "headers": {"Authorization": "Bearer canary"}}}
    assert connector.differences(other, wanted) == ["name", "headers"]


def test_an_id_is_escaped_in_a_path():
    """It is one part of it, whatever is in it."""
    assert connector.path("a/../b", "/_execute") == "/api/actions/connector/a%2F..%2Fb/_execute"
