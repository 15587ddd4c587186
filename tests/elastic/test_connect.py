"""connect: creates or updates the connector, and keeps the token where it belongs."""

from __future__ import annotations

import pytest
import yaml

from tests.elastic.person import TOKEN, Person
from tests.elastic.standins.kibana import Kibana

URL = "https://webhook-us.parapetsecurity.com/webhook/acme"
ID = "parapet-security"
CALL = ("connect", "--webhook-url", URL)
OLD_VERSIONS = ("8.8.0", "8.19.4", "9.1.5")


def stored(url=URL, headers=None, **more):
    """A webhook connector as somebody else may have made it."""
    config = {"url": url, "method": "post", "hasAuth": False, "headers": headers}
    return {"name": "old", "connector_type_id": ".webhook", "config": config, "secrets": {}, **more}


def put(kibana, connector, connector_id=ID):
    """Have Kibana hold this connector."""
    kibana.world.spaces["default"].connectors[connector_id] = connector


def test_from_9_2_on_the_token_is_stored_encrypted(kibana):
    """And the body is called JSON."""
    result = Person(kibana)(*CALL)
    assert result.code == 0
    assert kibana.connectors() == {
        ID: {
            "name": "Parapet Security",
            "connector_type_id": ".webhook",
            "config": {"url": URL, "method": "post", "hasAuth": False, "headers": {"Content-Type": "application/json"}},
            "secrets": {"secretHeaders": {"Authorization": f"Bearer {TOKEN}"}},
        }
    }
    assert "created" in result.out
    assert "encrypted" in result.out


def test_serverless_counts_as_the_newest():
    """Whatever number it says."""
    with Kibana(version="8.11.0", serverless=True) as kibana:
        assert Person(kibana)(*CALL).code == 0
        assert kibana.connectors()[ID]["secrets"]


def test_region_and_tenant_are_as_good_as_the_url():
    """With a name and an id of one's own, in a space."""
    with Kibana(spaces=("default", "soc")) as kibana:
        result = Person(kibana, KIBANA_SPACE="soc")(
            "connect", "--region", "eu", "--tenant-id", "acme", "--name", "My Parapet", "--connector-id", "mine"
        )
        assert result.code == 0
        found = kibana.connectors("soc")["mine"]
        assert kibana.connectors() == {}
    assert found["config"]["url"] == "https://webhook-eu.parapetsecurity.com/webhook/acme"
    assert found["name"] == "My Parapet"


def test_run_again_it_updates_what_is_there(kibana):
    """The secrets are sent each time, or Kibana would lose them."""
    person = Person(kibana)
    person(*CALL)
    before = kibana.connectors()
    again = person(*CALL)
    assert (again.code, kibana.connectors()) == (0, before)
    assert "updated: the token, and nothing else" in again.out
    other = person("connect", "--region", "eu", "--tenant-id", "acme", "--json")
    assert other.json["changed"] == ["url"]
    assert other.json["change"] == "updated"
    assert kibana.connectors()[ID]["secrets"] == before[ID]["secrets"]


@pytest.mark.parametrize("version", OLD_VERSIONS)
def test_before_9_2_it_says_who_can_read_the_token_and_stops(version):
    """--yes alone is no answer to that, and neither is no terminal."""
    with Kibana(version=version) as kibana:
        for words in ((), ("--yes",)):
            result = Person(kibana)(*CALL, *words)
            assert result.code == 6
            assert "in the clear" in result.out
            assert "everybody who may read connectors" in result.out.lower()
            assert "kibana.yml" in result.out
            assert "--token-in-clear" in result.err
        assert kibana.connectors() == {}
        assert all(record.method == "GET" for record in kibana.requests)


@pytest.mark.parametrize("version", OLD_VERSIONS)
def test_before_9_2_it_goes_on_when_told_to(version):
    """By the option or at the terminal; the header goes into the config, the only place there is."""
    for words, types in ((("--token-in-clear",), None), ((), "y\n"), (("--yes",), "y\n")):
        with Kibana(version=version) as kibana:
            assert Person(kibana)(*CALL, *words, types=types).code == 0
            found = kibana.connectors()[ID]
            assert found["config"]["headers"] == {
                "Content-Type": "application/json",
                "Authorization": f"Bearer {TOKEN}",
            }
            assert found["secrets"] == {}


def test_the_block_for_kibana_yml_is_yaml_and_has_no_token():
    """It can be copied as it is printed."""
    with Kibana(version="8.19.0") as kibana:
        result = Person(kibana)(*CALL)
    start = result.out.index("xpack.actions.preconfigured:")
    block = result.out[start:].partition("\n\n")[0]
    found = yaml.safe_load(block)["xpack.actions.preconfigured"][ID]
    assert found["config"]["url"] == URL
    assert found["config"]["headers"]["Authorization"] == "Bearer pst_YOUR_TOKEN_HERE"
    assert TOKEN not in result.out + result.err
    with Kibana(version="8.19.0") as kibana:
        told = Person(kibana)(*CALL, "--json")
    assert told.json["kibana_yml"] == block.strip()
    assert "in the clear" in told.err
    assert "kibana-keystore add xpack.actions.preconfigured.parapet-security.config.headers.Authorization" in result.out


def test_a_token_in_the_clear_is_moved_and_to_be_replaced(kibana):
    """After an upgrade to 9.2: who has read it still has it."""
    put(kibana, stored(headers={"Authorization": "Bearer pst_an-old-token"}))
    result = Person(kibana)(*CALL)
    assert result.code == 0
    assert kibana.connectors()[ID]["config"]["headers"] == {"Content-Type": "application/json"}
    assert kibana.connectors()[ID]["secrets"]["secretHeaders"]["Authorization"] == f"Bearer {TOKEN}"
    assert "new one" in result.err
    assert "pst_an-old-token" not in result.out + result.err


def test_what_an_administrator_has_added_is_kept(kibana):
    """An authority and a header for a proxy on the way; how it authenticates is ours."""
    found = stored(headers={"X-Team": "soc", "content-type": "text/plain", "AUTHORIZATION": "Bearer pst_old"})
    found["config"].update(
        ca="LS0t", verificationMode="certificate", hasAuth=True, authType="webhook-authentication-basic"
    )
    put(kibana, found)
    result = Person(kibana)(*CALL)
    assert result.code == 0
    assert kibana.connectors()[ID]["config"] == {
        "url": URL,
        "method": "post",
        "hasAuth": False,
        "headers": {"X-Team": "soc", "Content-Type": "application/json"},
        "ca": "LS0t",
        "verificationMode": "certificate",
    }
    assert "add them again" in result.err


def test_a_preconfigured_connector_is_left_to_kibana_yml():
    """The API cannot change it."""
    preconfigured = {
        ID: {"name": "x", "actionTypeId": ".webhook", "config": {"url": URL, "hasAuth": False}, "secrets": {}}
    }
    with Kibana(preconfigured=preconfigured) as kibana:
        result = Person(kibana)(*CALL)
        assert result.code == 0
        assert "kibana.yml" in result.out
        assert f"{URL} was not compared" in result.out
        assert "keystore" in result.out
        assert result.out.endswith("Next: parapet-elastic test\n")
        assert all(record.method == "GET" for record in kibana.requests)


def test_somebody_elses_connector_is_asked_about(kibana):
    """Of the same id, and sending elsewhere."""
    put(kibana, stored("https://me:canary@relay.example.com:8443/hook"))
    before = kibana.connectors()
    for types in (None, "n\n"):
        result = Person(kibana)(*CALL, types=types)
        assert result.code == 6
        assert "sends to relay.example.com:8443." in result.out
        assert "to webhook-us.parapetsecurity.com instead of relay.example.com:8443?" in result.err
        assert "canary" not in result.out + result.err
        assert kibana.connectors() == before
    assert Person(kibana)(*CALL, types="y\n").code == 0
    assert kibana.connectors()[ID]["config"]["url"] == URL


def test_a_connector_of_another_type_is_not_touched(kibana):
    """An update cannot change the type."""
    put(kibana, stored(connector_type_id=".slack"))
    result = Person(kibana)(*CALL, "--yes")
    assert result.code == 2
    assert "--connector-id" in result.err
    assert kibana.connectors()[ID]["connector_type_id"] == ".slack"


@pytest.mark.parametrize("fault", ["cut-after", "cut-before", "status:503", "status-after:504", "status:429"])
@pytest.mark.usefixtures("impatient")
def test_a_lost_answer_ends_with_one_connector(kibana, fault):
    """A second attempt finds the first (409), and updates it."""
    kibana.script(fault, when=lambda record: record.method == "POST")
    assert Person(kibana)(*CALL).code == 0
    assert list(kibana.connectors()) == [ID]
    assert kibana.connectors()[ID]["secrets"]["secretHeaders"]["Authorization"] == f"Bearer {TOKEN}"


def test_a_host_that_kibana_may_not_send_to_is_explained():
    """In both wordings that Kibana has had."""
    for version in ("8.19.0", "9.2.0"):
        with Kibana(version=version, allowed_hosts=("other.example.com",)) as kibana:
            result = Person(kibana)(*CALL, "--token-in-clear")
            assert result.code == 4
            assert "xpack.actions.allowedHosts" in result.err
            assert "kibana.yml" in result.err


def test_a_licence_without_webhooks_is_explained_before_anything_is_asked():
    """Gold is the least."""
    with Kibana(license="basic", version="8.19.0") as kibana:
        result = Person(kibana)(*CALL)
    assert result.code == 4
    assert "gold" in result.err
    assert result.out == ""
    with Kibana(enabled_types=(".index",)) as kibana:
        result = Person(kibana)(*CALL)
    assert result.code == 4
    assert "enabledActionTypes" in result.err


def test_a_missing_right_is_explained(kibana):
    """With what the role needs."""
    kibana.rights.discard("connectors:write")
    result = Person(kibana)(*CALL)
    assert result.code == 4
    assert "Actions and Connectors" in result.err


def test_a_kibana_before_8_8_is_refused():
    """It knows neither actions for each alert nor ids of our own."""
    with Kibana(version="8.7.1") as kibana:
        result = Person(kibana)(*CALL)
        assert result.code == 4
        assert "8.8" in result.err
        assert len(kibana.requests) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no webhook"),
        (("--region", "us"), "go together"),
        (("--tenant-id", "acme"), "go together"),
        (("--webhook-url", URL, "--region", "us"), "leave out"),
        (("--webhook-url", "http://relay.example.com/webhook/acme"), "not https"),
        (("--webhook-url", URL, "--connector-id", "a.b"), "connector's id"),
    ],
)
def test_an_address_that_is_none_is_refused_before_kibana_is_asked(kibana, words, said):
    """Nothing was sent."""
    result = Person(kibana)("connect", *words)
    assert result.code == 2
    assert said in result.err
    assert kibana.requests == []


def test_without_a_token_nothing_is_changed(kibana):
    """And it is said where one is looked for."""
    result = Person(kibana, PARAPET_TOKEN=None)(*CALL)
    assert result.code == 2
    assert "PARAPET_TOKEN" in result.err
    assert kibana.connectors() == {}


def test_the_token_is_asked_for_at_a_terminal(kibana, monkeypatch):
    """And not shown."""
    monkeypatch.setattr("getpass.getpass", lambda prompt, stream=None: "pst_typed-token")
    result = Person(kibana, PARAPET_TOKEN=None)(*CALL, types="")
    assert result.code == 0
    assert kibana.connectors()[ID]["secrets"]["secretHeaders"]["Authorization"] == "Bearer pst_typed-token"
    assert "typed" not in result.out + result.err
