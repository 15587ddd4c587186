"""The action as Enterprise Security runs it: on notables by hand, and on a correlation search; and what it can read of the outcome."""

from __future__ import annotations

import json

import pytest
import requests
from parapet import alert

from tests.scene import decode, failed_logins, wait_until
from tests.standins import cim
from tests.standins.enterprise_security import install_cim, notable
from tests.standins.tenant import Answer

ON_ONE = 'index=notable event_id="{}"'
ON_ALL = 'index=notable rule_name="Excessive Failed Logins"'
RULE = "Access - Excessive Failed Logins - Rule"


@pytest.fixture(name="quiet")
def quiet_fixture(scene):
    """Enterprise Security, two notables, an analyst who may run actions and read no token, and no forwarder."""
    install_cim(scene.home)
    scene.splunkd.access.add_role("analyst", ["search", "run_sendalert"], indexes=["notable"])
    scene.splunkd.access.add_user("ana", ["analyst"])
    scene.splunkd.notables.extend([notable(1), notable(2)])
    return scene


@pytest.fixture(name="es")
def es_fixture(quiet):
    """The same with a forwarder."""
    quiet.start_forwarder()
    return quiet


def click(scene, search, **params):
    """One click of the analyst, after which the search has said nothing; returns its job."""
    job = scene.respond(search, user="ana", **params)
    assert job["messages"] == []
    return job


def test_a_notable_reaches_the_tenant_with_its_identity(es):
    """From the click of an analyst; the first row as an object, and the notable's own words beside it."""
    wanted = notable(1)
    job = click(es, ON_ONE.format(wanted["event_id"]))
    assert (job["dispatchState"], job["isFailed"]) == ("DONE", False)
    es.tenant.wait_for(1)
    es.wait_until_empty()
    (body,) = map(decode, es.tenant.accepted)
    assert es.tenant.refusals == []
    security = body["enterprise_security"]
    for name in ("event_id", "rule_title", "rule_description", "security_domain", "urgency", "orig_sid", "orig_rid"):
        assert security[name] == wanted[name]
    for name in ("risk_score", "risk_object", "risk_object_type", "drilldown_search"):
        assert security[name] == wanted[name]
    assert security["annotations"]["mitre_attack"] == ["T1110", "T1110.003"]
    assert body["results"]["src"] == wanted["src"]
    assert (body["severity"], body["result_count"]) == ("high", 1)
    assert (body["search"]["name"], body["search"]["owner"]) == ("Unknown", "ana")


def test_a_notable_that_was_handled_is_told_to_the_data_model(es):
    """Pending when it was stored; one invocation and one success, of the row that the notable is."""
    wanted = notable(1)
    click(es, ON_ONE.format(wanted["event_id"]))
    first, *rest = found = es.wait_for_modalert(3)
    sid = es.splunkd.sendalert.fired[0].payload["sid"]
    assert (first["action_status"], "duration" in first) == ("pending", False)
    assert cim.handled(rest) == [("0", wanted["orig_sid"], wanted["orig_rid"], "success")]
    assert all(int(event["duration"]) >= 0 for event in rest)
    for event in found:
        assert (event["rid"], event["orig_sid"], event["orig_rid"]) == ("0", wanted["orig_sid"], wanted["orig_rid"])
        assert (event["sid"], event["user"], event["app"]) == (sid, "ana", "search")
        assert (event["action_mode"], event["digest_mode"]) == ("adhoc", "1")
        assert (event["action_name"], event["worker"], event["tenant"]) == ("parapet_security", "stand-in", "main")
        assert "search_name" not in event
    assert rest[1]["signature"] == "Delivered to tenant main"
    assert {event["id"] for event in found} == {decode(es.tenant.accepted[0])["id"]}


def test_every_row_of_a_run_by_hand_travels_and_is_told(es):
    """Two notables with one click: an array, and a pair of lines for each."""
    click(es, ON_ALL, send="all")
    first, *rest = es.wait_for_modalert(5)
    assert first["action_status"] == "pending"
    newest_first = [notable(2), notable(1)]
    assert cim.handled(rest) == [
        (str(number), event["orig_sid"], event["orig_rid"], "success") for number, event in enumerate(newest_first)
    ]
    assert [row["event_id"] for row in es.tenant.rows()] == [event["event_id"] for event in newest_first]
    (body,) = map(decode, es.tenant.accepted)
    # The job itself has one result: the command ends with `| stats count`.
    assert (body["result_count"], body["batch"]["last"]) == (2, True)
    assert body["enterprise_security"]["event_id"] == newest_first[0]["event_id"]


def test_the_first_row_of_several_is_told_once(es):
    """With send=first only that one was handled."""
    click(es, ON_ALL)
    _, *rest = es.wait_for_modalert(3)
    assert cim.handled(rest) == [("0", notable(2)["orig_sid"], notable(2)["orig_rid"], "success")]
    (body,) = map(decode, es.tenant.accepted)
    assert body["results"]["event_id"] == notable(2)["event_id"]
    assert body["result_count"] == 2


def test_more_than_a_hundred_rows_are_a_hundred_pairs(es):
    """Everything is delivered; the log does not drown."""
    es.splunkd.notables[:] = [notable(number) for number in range(1, 131)]
    click(es, ON_ALL, send="all")
    _, *rest = es.wait_for_modalert(201)
    assert [row[:1] for row in cim.handled(rest)] == [(str(number),) for number in range(100)]
    assert len(es.tenant.rows()) == 130


@pytest.mark.parametrize("send", ["first", "all"])
def test_what_the_tenant_refuses_is_a_failure(es, send):
    """A dead letter, told once for each row that it held, with the reason."""
    es.tenant.always(Answer(400))
    click(es, ON_ALL, send=send)
    rows = [notable(2), notable(1)][: 2 if send == "all" else 1]
    _, *rest = es.wait_for_modalert(1 + 2 * len(rows))
    assert cim.handled(rest) == [
        (str(number), event["orig_sid"], event["orig_rid"], "failure") for number, event in enumerate(rows)
    ]
    assert "400" in rest[1]["signature"]
    assert len(es.entries("dead")) == 1


def outcomes(events):
    """What became of each row, in the order of the log: its number, its notable and the status."""
    return [(event["rid"], event["orig_rid"], event["action_status"]) for event in events if "action_status" in event]


def test_a_row_that_the_tenant_cannot_take_is_the_only_failure(es):
    """It is a dead letter of its own; retried and accepted, it has its success under the same number."""
    es.splunkd.notables[0]["big"] = "x" * 30000
    usual, es.tenant.max_bytes = es.tenant.max_bytes, 25000
    click(es, ON_ALL, send="all")
    large, small = notable(1)["orig_rid"], notable(2)["orig_rid"]
    _, *rest = es.wait_for_modalert(5)
    assert outcomes(rest) == [("0", small, "success"), ("1", large, "failure")]
    assert "too large for the tenant" in rest[3]["signature"]
    es.tenant.max_bytes = usual
    (letter,) = es.entries("dead")
    (es.outbox / "requests" / f"{letter[14:34]}.retry").write_text("")
    assert outcomes(es.wait_for_modalert(7)[5:]) == [("1", large, "success")]


def test_rows_that_arrived_before_a_refusal_are_no_failures(es):
    """A second batch that the tenant refuses takes nothing back of the first."""
    es.splunkd.notables[0]["big"] = "x" * 30000
    es.configure({"max_body_bytes": "16384"})
    wait_until(lambda: len(es.events("settings.loaded")) == 2, "the new settings", scene=es)
    es.tenant.when(lambda request: b'"offset":1' in request.body, Answer(422))
    click(es, ON_ALL, send="all")
    _, *rest = es.wait_for_modalert(5)
    assert outcomes(rest) == [
        ("0", notable(2)["orig_rid"], "success"), ("1", notable(1)["orig_rid"], "failure"),
    ]  # fmt: skip
    assert len(es.entries("dead")) == 1


def test_an_alert_that_waited_has_one_outcome(es):
    """What was only put off is neither a success nor a failure yet."""
    es.tenant.script(Answer(503), Answer(503))
    click(es, ON_ONE.format(notable(1)["event_id"]))
    found = es.wait_for_modalert(3)
    assert [event["action_status"] for event in cim.outcomes(found)] == ["pending", "success"]
    assert len(es.tenant.requests) == 3


@pytest.mark.parametrize("tokens", ["empty", "keep"])
def test_what_splunk_cannot_fill_in_by_hand_is_left_out(es, tokens):
    """A token without a value comes empty, or as it stands in the stanza: neither reaches the tenant."""
    es.splunkd.sendalert.unknown_tokens = tokens
    job = click(es, ON_ONE.format(notable(1)["event_id"]), severity_fields="none")
    (body,) = map(decode, es.tenant.wait_for_accepted(1))
    # What the job knows counts instead.
    assert body["search"]["query"] == job["search"]
    assert body["severity"] == "medium"
    assert body["result_count"] == 1
    assert "description" not in body["search"]
    assert "alert" not in body.get("links", {})
    head = {name: value for name, value in body.items() if name not in ("results", "enterprise_security", "search")}
    assert "$" not in json.dumps(head)


def test_without_a_forwarder_the_deliver_handler_delivers(quiet):
    """The analyst may not read the token; splunkd's own session may."""
    click(quiet, ON_ONE.format(notable(1)["event_id"]))
    found = quiet.wait_for_modalert(3)
    assert [event["action_status"] for event in cim.outcomes(found)] == ["pending", "success"]
    assert len(quiet.tenant.accepted) == 1


def test_an_action_that_fails_is_seen_by_the_analyst(es):
    """A tenant's name that cannot be one: the job fails, and the data model has the failure."""
    job = es.respond(ON_ONE.format(notable(1)["event_id"]), user="ana", tenant="No Such Tenant")
    assert job["dispatchState"] == "FAILED"
    assert job["messages"][0]["text"] == "Error in 'sendalert' command: Alert script returned error code 4."
    (first, second) = es.wait_for_modalert(2)
    assert cim.handled([first, second]) == [("0", notable(1)["orig_sid"], notable(1)["orig_rid"], "failure")]


def test_a_parameter_that_is_not_declared_is_refused(es):
    """By the handler of the CIM app, before anything runs."""
    with pytest.raises(requests.HTTPError) as refused:
        es.respond(ON_ALL, user="ana", colour="red")
    assert "Invalid parameter for adhoc modular action." in refused.value.response.text
    assert es.splunkd.sendalert.fired == []


def test_every_parameter_of_the_action_is_declared(es):
    """Enterprise Security's form may send them all."""
    every = dict.fromkeys((*alert.USER_PARAMS, *alert.TOKEN_PARAMS), "")
    click(es, ON_ONE.format(notable(1)["event_id"]), **every)
    es.tenant.wait_for(1)
    assert es.tenant.refusals == []


def correlation(scene, **changes):
    """A correlation search as Enterprise Security keeps it, with the action on it."""
    scene.splunkd.saved_searches[("search", RULE)] = {
        "search": "| from datamodel:Authentication | stats count by dest",
        "alert.severity": 3,
        "action.parapet_security": True,
        "action.correlationsearch.enabled": "1",
        "action.correlationsearch.label": "Excessive Failed Logins",
        "action.correlationsearch.annotations": json.dumps({"mitre_attack": ["T1110", "T1110.003"]}),
        "action.notable": True,
        "action.notable.param.rule_title": "Excessive failed logins on $dest$",
        "action.notable.param.rule_description": "More than usual",
        "action.notable.param.severity": "critical",
        "action.notable.param.security_domain": "access",
        **changes,
    }
    return failed_logins(name=RULE, rows=[{"dest": "web-server-01", "count": "47"}], severity=3)


def test_a_correlation_search_brings_its_rule_and_its_techniques(es):
    """The raw row has neither; the saved search does. There is no event_id yet."""
    es.fire(correlation(es), user="admin")
    (body,) = map(decode, es.tenant.wait_for_accepted(1))
    assert es.tenant.refusals == []
    assert body["search"]["name"] == RULE
    assert body["enterprise_security"] == {
        "rule_title": "Excessive failed logins on web-server-01",
        "rule_description": "More than usual",
        "security_domain": "access",
        "annotations": {"mitre_attack": ["T1110", "T1110.003"]},
    }


def test_a_correlation_search_that_splunkd_does_not_show_is_delivered_without(es):
    """Enrichment is worth waiting two seconds for, and no alert."""
    search = correlation(es)
    es.splunkd.fail("saved/searches", 403)
    es.fire(search, user="admin")
    (body,) = map(decode, es.tenant.wait_for_accepted(1))
    assert "enterprise_security" not in body


def test_nothing_secret_is_in_the_modalert_log(es):
    """Neither the token nor any session's key nor what stood in the rows."""
    es.splunkd.notables.append(notable(3, user="a very private user"))
    click(es, ON_ALL, send="all")
    es.wait_for_modalert(7)
    text = (es.home.log / "parapet_security_modalert.log").read_text(encoding="utf-8")
    assert es.tenant.token not in text
    assert "session" not in text
    assert "private" not in text
