"""The parameters of the alert action are one set, wherever they are written down. Must not say what any of them means."""

from __future__ import annotations

import re
from pathlib import Path

from parapet import alert, configuration, severity

from tests.conf import CONFS, SPECS
from tests.test_alert_form import INPUTS
from tests.test_alert_form import PREFIX as FORM_PREFIX

STANZA = {
    key[len("param.") :]: value
    for key, value in CONFS["alert_actions.conf"]["parapet_security"].items()
    if key.startswith("param.") and key != "param._cam"  # what Enterprise Security reads; no alert sets it
}
# The vendor guide's Option B: read from the global stanza, never from an alert.
OPTION_B = {"webhook_url", "token"}
FORM = [str(node.get("name"))[len(FORM_PREFIX) :] for node in INPUTS]
# What Enterprise Security needs; the one tells it of the action, the other stands in `command`.
ABOUT_THE_ACTION = {"_cam", "action_name"}
RULES = {key[len(FORM_PREFIX) :] for key in CONFS["restmap.conf"]["validation:savedsearch"]}


def test_stanza_specs_and_code_have_the_same_parameters() -> None:
    """A parameter that one of them has and another has not would be ignored, refused or undocumented."""
    code = {*alert.USER_PARAMS, *alert.TOKEN_PARAMS}
    assert set(STANZA) == code | OPTION_B
    specified = {key[len("param.") :] for key in SPECS["alert_actions.conf"]["parapet_security"]}
    assert specified == set(STANZA) | ABOUT_THE_ACTION
    described = set(SPECS["savedsearches.conf"][""]) - {"action.parapet_security"}
    assert described == {FORM_PREFIX + name for name in STANZA}


def test_the_form_offers_what_the_code_lets_an_analyst_choose_but_for_the_map() -> None:
    """In the order of the code; the map of severities is one for all alerts, or set by hand."""
    assert [name for name in alert.USER_PARAMS if name != "severity_map"] == FORM


def test_what_an_alert_may_set_or_must_not_is_checked_on_save() -> None:
    """What Splunk fills in is not."""
    assert set(alert.USER_PARAMS) | OPTION_B == RULES


def test_the_defaults_of_the_stanza_are_those_of_the_code() -> None:
    """An alert that Splunk sends without a parameter is sent on like one that has the default."""
    values = {name: alert.DEFAULTS.get(name, "") for name in alert.USER_PARAMS}
    # Empty is `main` in the code; in the stanza it stays empty, so that the form's list begins with nothing chosen.
    values.update(tenant="", severity_map=severity.DEFAULT_MAP)
    assert {name: STANZA[name] for name in alert.USER_PARAMS} == values


def test_what_splunk_fills_in_is_a_token_and_option_b_is_empty() -> None:
    """Nobody needs to set the one, and the other is the customer's."""
    assert all(STANZA[name].startswith("$") and STANZA[name].endswith("$") for name in alert.TOKEN_PARAMS)
    assert {STANZA[name] for name in OPTION_B} == {""}


def test_the_code_reads_option_b_from_the_stanza_and_nothing_else() -> None:
    """An alert's own parameters reach the code through its payload only."""
    text = Path(configuration.__file__).read_text(encoding="utf-8")
    assert set(re.findall(r'get\("param\.(\w+)"', text)) == OPTION_B
