"""doctor: what is missing is named, with what to do; nothing is changed."""

from __future__ import annotations

import pytest

from tests.elastic.person import Person
from tests.elastic.standins.kibana import Kibana

URL = "https://webhook-us.parapetsecurity.com/webhook/acme"
ID = "parapet-security"


def looked(kibana, *words, **environment):
    """Run doctor; returns the result and its checks by name, the last one of each."""
    result = Person(kibana, **environment)("doctor", "--json", *words)
    return result, {check["check"]: check for check in result.json["checks"]}


def hold(kibana, headers, **more):
    """Have Kibana hold a connector of ours."""
    config = {"url": URL, "method": "post", "hasAuth": False, "headers": headers}
    kibana.world.spaces["default"].connectors[ID] = {
        "name": "x",
        "connector_type_id": ".webhook",
        "config": config,
        "secrets": {},
        **more,
    }


def test_where_all_is_well_it_says_so_line_by_line(kibana):
    """And ends with 0, also before there is a connector."""
    kibana.add_rule("one")
    result = Person(kibana)("doctor")
    assert result.code == 0
    lines = result.out.splitlines()
    assert [line.split()[0] for line in lines] == ["ok"] * 8 + ["unknown"]
    assert "Kibana 9.2.0" in result.out
    assert "connect" in result.out
    assert "--webhook-url" in lines[-1]
    assert result.err == ""


def test_it_changes_nothing(kibana):
    """What it sends to find out about rights is nothing that Kibana does."""
    rule = kibana.add_rule("one")
    hold(kibana, {"Content-Type": "application/json"})
    before = kibana.connectors(), kibana.rule(rule)
    looked(kibana, "--webhook-url", URL)
    assert (kibana.connectors(), kibana.rule(rule)) == before
    bulk = [record for record in kibana.requests if record.path.endswith("_bulk_action")]
    assert [record.query for record in bulk] == [{"dry_run": "true"}]


@pytest.mark.parametrize("version", ["8.8.0", "8.19.2", "9.1.0", "9.2.0"])
def test_every_version_is_looked_at_with_what_it_has(version):
    """And told whether it encrypts headers."""
    with Kibana(version=version) as kibana:
        kibana.add_rule("one")
        result, checks = looked(kibana, "--webhook-url", URL)
    assert result.code == 0, result
    assert ("in the clear" in checks["version"]["text"]) is (version != "9.2.0")
    assert {check["state"] for check in checks.values()} == {"ok"}


def test_serverless_is_called_so():
    """It has no version that says anything."""
    with Kibana(serverless=True) as kibana:
        _, checks = looked(kibana)
    assert checks["version"]["text"].startswith("serverless Kibana")


def test_an_old_kibana_is_told_to_be_updated():
    """And nothing more is looked at."""
    with Kibana(version="8.7.0") as kibana:
        result, checks = looked(kibana)
    assert result.code == 1
    assert list(checks) == ["address", "version"]
    assert "8.8" in checks["version"]["todo"]


def test_credentials_that_are_not_accepted_end_it_with_4(kibana):
    """Nothing else can be seen."""
    result, checks = looked(kibana, KIBANA_API_KEY="bm86Ym9keQ==")
    assert result.code == 4
    assert checks["credentials"]["state"] == "missing"
    assert "API key" in checks["credentials"]["todo"]


@pytest.mark.usefixtures("impatient")
def test_without_kibana_it_ends_with_3(kibana):
    """With what to look at."""
    kibana.pause()
    result, checks = looked(kibana)
    assert result.code == 3
    assert "KIBANA_URL" in checks["address"]["todo"]


def test_a_licence_that_has_no_webhooks_is_told():
    """And so is a kibana.yml that has not."""
    with Kibana(license="standard") as kibana:
        result, checks = looked(kibana)
        assert result.code == 1
        assert "gold" in checks["licence"]["text"]
    with Kibana(enabled_types=(".index",)) as kibana:
        _, checks = looked(kibana)
        assert "enabledActionTypes" in checks["licence"]["todo"]


def test_without_the_licence_the_rights_are_not_blamed():
    """Kibana answers 403 to the probe for both."""
    with Kibana(license="basic") as kibana:
        result, checks = looked(kibana, "--webhook-url", URL)
    assert result.code == 1
    assert checks["allowed hosts"]["state"] == "unknown"
    assert "licence" in checks["allowed hosts"]["text"]
    assert "role" not in checks["allowed hosts"]["todo"]


@pytest.mark.parametrize(
    ("right", "check", "word"),
    [
        ("connectors:read", "connectors", "read"),
        ("connectors:write", "connectors", "write"),
        ("rules:read", "rules", "read"),
        ("rules:write", "rules", "change"),
    ],
)
def test_a_right_that_is_missing_is_named(kibana, right, check, word):
    """With what the role needs."""
    kibana.add_rule("one")
    kibana.rights.discard(right)
    result, checks = looked(kibana)
    assert result.code == 1
    assert checks[check]["state"] == "missing"
    assert word in checks[check]["text"]
    assert "All" in checks[check]["todo"]


def test_who_has_no_right_at_all_is_not_sent_to_doctor_again(kibana):
    """It is what is running."""
    kibana.add_rule("one")
    kibana.rights.clear()
    result, checks = looked(kibana, "--webhook-url", URL)
    assert result.code == 1
    assert "doctor" not in result.out
    assert all(check["todo"] for check in checks.values() if "answered 403" in check["text"])


def test_a_space_that_is_not_there_is_told(kibana):
    """And nothing in it is looked at."""
    result, checks = looked(kibana, "--space", "soc")
    assert result.code == 1
    assert "soc" in checks["space"]["text"]
    assert "rules" not in checks


def test_without_rules_the_right_to_change_them_is_unknown(kibana):
    """There is nothing to try it on."""
    result, checks = looked(kibana)
    assert (result.code, checks["rules"]["state"]) == (0, "unknown")


def test_a_rule_that_nobody_can_change_does_not_hide_the_right(kibana):
    """The dry run answers 500 then, with its own body."""
    kibana.fail_rule(kibana.add_rule("one"), "mistake", "MACHINE_LEARNING_AUTH")
    _, checks = looked(kibana)
    assert checks["rules"]["state"] == "ok"


def test_a_token_in_the_clear_is_told_where_it_need_not_be(kibana):
    """And that it has to be replaced; the token is not shown."""
    hold(kibana, {"Content-Type": "application/json", "Authorization": "Bearer pst_canary-stored"})
    result, checks = looked(kibana)
    assert result.code == 1
    assert "in the clear" in checks["connector"]["text"]
    assert "revoke" in checks["connector"]["todo"]
    assert "canary" not in result.out + result.err
    with Kibana(version="9.1.0") as old:
        hold(old, {"Content-Type": "application/json", "Authorization": "Bearer pst_canary-stored"})
        result, checks = looked(old)
        assert (result.code, checks["connector"]["state"]) == (0, "ok")
        assert "canary" not in result.out + result.err


@pytest.mark.parametrize(
    ("headers", "more", "word"),
    [
        (None, {}, "Content-Type"),
        ({"Content-Type": "text/plain"}, {}, "Content-Type"),
        ({}, {"connector_type_id": ".slack"}, "no webhook"),
    ],
)
def test_a_connector_that_cannot_work_is_told(kibana, headers, more, word):
    """Each with what is wrong with it."""
    hold(kibana, headers, **more)
    result, checks = looked(kibana)
    assert result.code == 1
    assert word in checks["connector"]["text"]


def test_a_connector_without_a_token_is_told_where_that_can_be_seen():
    """Before 9.2 the header is in the config or nowhere."""
    with Kibana(version="9.1.0") as kibana:
        hold(kibana, {"Content-Type": "application/json"})
        result, checks = looked(kibana)
    assert result.code == 1
    assert "Authorization" in checks["connector"]["text"]


def test_a_connector_that_sends_elsewhere_is_told(kibana):
    """With --webhook-url there is something to compare it with."""
    hold(kibana, {"Content-Type": "application/json"})
    kibana.world.spaces["default"].connectors[ID]["config"]["url"] = "https://relay.example.com/x"
    result, checks = looked(kibana, "--webhook-url", URL)
    assert result.code == 1
    assert "relay.example.com" in checks["connector"]["text"]


def test_allowed_hosts_are_found_out_with_a_connector_that_is_removed_again():
    """It has no token and an id of its own."""
    with Kibana(allowed_hosts=("other.example.com",)) as kibana:
        result, checks = looked(kibana, "--webhook-url", URL)
        assert result.code == 1
        assert "xpack.actions.allowedHosts" in checks["allowed hosts"]["todo"]
        kibana.world.allowed_hosts = ("webhook-us.parapetsecurity.com",)
        result, checks = looked(kibana, "--webhook-url", URL)
        assert (result.code, checks["allowed hosts"]["state"]) == (0, "ok")
        assert kibana.connectors() == {}
        probes = [record for record in kibana.requests if record.method == "POST" and "probe" in record.path]
        assert len(probes) == 2
        assert all(b"Authorization" not in record.body for record in probes)


@pytest.mark.parametrize("fault", ["cut-after", "status-after:504"])
@pytest.mark.usefixtures("impatient")
def test_a_probe_whose_answer_is_lost_is_removed_too(kibana, fault):
    """The second attempt says 409: it is there."""
    kibana.script(fault, when=lambda record: record.method == "POST" and "probe" in record.path)
    _, checks = looked(kibana, "--webhook-url", URL)
    assert kibana.connectors() == {}
    assert checks["allowed hosts"]["state"] == "ok"


def test_a_probe_that_cannot_be_removed_is_named(kibana):
    """Nothing of ours stays without being told."""
    kibana.script("status:500", count=9, when=lambda record: record.method == "DELETE")
    result, _ = looked(kibana, "--webhook-url", URL)
    assert result.code == 1
    (left,) = kibana.connectors()
    assert f"Delete {left}." in result.out


def test_a_preconfigured_connector_is_called_one():
    """What is in it cannot be seen."""
    preconfigured = {
        ID: {"name": "x", "actionTypeId": ".webhook", "config": {"url": URL, "hasAuth": False}, "secrets": {}}
    }
    with Kibana(preconfigured=preconfigured) as kibana:
        result, checks = looked(kibana)
    assert (result.code, checks["connector"]["state"]) == (0, "ok")
    assert "kibana.yml" in checks["connector"]["text"]
