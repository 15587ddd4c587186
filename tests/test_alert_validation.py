"""Tests of restmap.conf's [validation:savedsearch]: what a saved search is refused for, and what it is never refused for.

They must not settle what Splunk leaves open: every case runs under every reading of it.
"""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parapet.alert import TENANT_NAME, from_payload

from tests.conf import APP, CONFS, SPECS
from tests.standins.splunk_home import SplunkHome
from tests.standins.splunkd_eval import Reading
from tests.standins.splunkd_validation import Validation

PREFIX = "action.parapet_security"
DEFAULTS = {
    f"{PREFIX}.{key}": value
    for key, value in CONFS["alert_actions.conf"]["parapet_security"].items()
    if key.startswith("param.")
}
RULES = CONFS["restmap.conf"]["validation:savedsearch"]
READINGS = [Reading(*parts) for parts in product(("null", "name"), ("sent", "all"), ("unknown", "strict"))]
TOKEN = "pst_" + "0123456789abcdef" * 2
LISTS = ("severity_fields", "fields", "exclude_fields")
# Names of fields with Pacific time in them.
PACIFIC = (
    "pst_timezone_offset_minutes",
    "user, pst_timestamp_converted",
    "pst_timezoneOffsetInMinutesOfTheHost",
    "pst_convertedTimestampOfTheHost2",
    "pst_h2o2_concentration_in_the_pool",
    "pst_202601281530000000000000",
)
# What str.strip() removes, and \s of a regular expression not always.
ENDS = ("\u00a0", "\u2003 ", "\u3000", "\u0085", "\x1c")
# What Splunk Web sends for an alert with our action: everything that the alert inherits.
INHERITED = {"name": "Failed logins", "search": "index=main", PREFIX: "1", **DEFAULTS}


@pytest.fixture(scope="module")
def checks(tmp_path_factory):
    """The check of a saved search, under each reading."""
    home = SplunkHome(tmp_path_factory.mktemp("splunk"))
    home.install(APP)
    return [Validation(home, reading).check for reading in READINGS]


@pytest.fixture(scope="module")
def refusal(checks):
    """A function: why an alert with these parameters is refused, or None, under every reading alike."""

    def said(base=(("action.parapet_security", "1"),), **params):
        settings = {**dict(base), **{f"{PREFIX}.param.{name}": value for name, value in params.items()}}
        answers = {check(settings) for check in checks}
        assert len(answers) == 1, answers
        return answers.pop()

    return said


def ignored(name, value):
    """Whether the code would not go by the value of a parameter."""
    alert, wrong = from_payload({"configuration": {name: value}, "result": None})
    return bool(wrong) or (name == "tenant" and not TENANT_NAME.match(alert.tenant))


def as_bytes(value):
    """A value as a regular expression sees it that compares bytes; which it is in Splunk is not settled."""
    return value.encode("utf-8").decode("latin-1")


def test_every_parameter_that_an_alert_may_set_and_both_that_it_may_not_have_a_rule() -> None:
    """What Splunk fills in is not judged: it is a token until the alert fires."""
    chosen = {"tenant", "send", "severity", "severity_fields", "severity_map", "fields", "exclude_fields"}
    assert set(RULES) == {f"{PREFIX}.param.{name}" for name in (*chosen, "webhook_url", "token")}


def test_an_alert_without_our_action_is_never_refused(refusal):
    """Whatever lies in our parameters: an alert of somebody else must be saved."""
    wrong = dict.fromkeys(("tenant", "severity_fields", "fields", "exclude_fields", "webhook_url", "token"), TOKEN)
    wrong.update(send="none", severity="5", severity_map="x")
    for base in ({}, {PREFIX: "0"}, {PREFIX: ""}, {PREFIX: "false"}, {"action.webhook": "1"}):
        assert refusal(base.items()) is None
        assert refusal(base.items(), **wrong) is None


def test_what_an_alert_inherits_is_never_refused(refusal):
    """Splunk Web sends along all defaults, and the two of the guide's Option B where they are set."""
    assert refusal(INHERITED.items()) is None
    assert refusal(INHERITED.items(), webhook_url="https://a.example/webhook/1", token=TOKEN) is None


@pytest.mark.parametrize("on", ["1", "true", "T", "yes", " 1 "])
def test_the_rules_hold_however_the_action_is_switched_on(refusal, on):
    """A saved search can say it in every way that Splunk takes for true."""
    assert refusal([(PREFIX, on)], send="none")


@pytest.mark.parametrize("name", sorted(key.rpartition(".")[2] for key in RULES))
def test_an_empty_or_absent_value_passes(refusal, name):
    """It means the default."""
    assert refusal() is None
    assert refusal(**{name: ""}) is None
    assert refusal(**{name: "  "}) is None


@pytest.mark.parametrize("name", ["tenant", "send", "severity", "severity_fields", "severity_map", "fields"])
def test_a_value_with_a_splunk_token_passes(refusal, name):
    """Its real value is known only when the alert fires."""
    assert refusal(**{name: "$result.my value=*$"}) is None
    assert refusal(**{name: "Abc-$result.x$"}) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tenant", "main"),
        ("tenant", " emea-2_x "),
        ("tenant", "a" * 64),
        ("tenant", "pst_abc"),
        ("tenant", "pst_emea_production_cluster_01"),
        ("tenant", "pst_losangelesdatacenterprimary2"),
        *(("tenant", f"{end}main{end}") for end in ENDS),
        *(("severity", f"{end}high{end}") for end in ENDS),
        *(("send", f"{end}all{end}") for end in ENDS),
        *(("severity_map", f"a{end}={end}high{end},{end}") for end in ENDS),
        ("severity_map", "\u00e9=low, gr\u00f6\u00dfe = high"),
        ("send", "ALL"),
        ("severity", " Critical "),
        ("severity_fields", "urgency, Source IP, src.ip{}"),
        *((name, value) for name in LISTS for value in PACIFIC),
        ("severity_map", "info=low, 5 = CRITICAL,, a=b=high,"),
        ("fields", "src_*, user, pst_time, it's"),
        ("exclude_fields", "*"),
    ],
)
def test_what_counts_as_it_stands_passes(refusal, name, value):
    """A rule refuses nothing that the code would go by."""
    assert not ignored(name, value)
    assert refusal(**{name: value}) is None
    assert refusal(**{name: as_bytes(value)}) is None


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("tenant", "Main", "Tenant: a name has lower-case letters"),
        ("tenant", "emea west", "Tenant:"),
        ("tenant", "-a", "Tenant:"),
        ("tenant", "a" * 65, "Tenant:"),
        ("tenant", "https://a.example", "Tenant:"),
        ("tenant", "pst_Abc", "Tenant: this looks like a token"),
        ("tenant", "pst_" + "a" * 61, "Tenant: this looks like a token"),
        ("tenant", "\u00a0" + TOKEN + "\u00a0", "Tenant: this looks like a token"),
        ("tenant", "z\u00fcrich", "Tenant: a name has"),
        ("tenant", TOKEN, "Tenant: this looks like a token"),
        ("send", "every", "Rows: choose first or all"),
        ("severity", "5", "Severity: choose auto, low, medium, high or critical"),
        ("severity", "low, high", "Severity:"),
        ("severity_fields", "sev*", "Severity fields: a * does not count"),
        ("severity_fields", '"Source IP", user', "Severity fields: write the names of the fields without quotation"),
        ("severity_fields", "urgency,\u00a0" + TOKEN, "Severity fields: this looks like a token"),
        ("severity_map", "info", "severity_map: write pairs"),
        ("severity_map", "info=low, 5=worst", "severity_map:"),
        ("severity_map", "=low", "severity_map:"),
        ("severity_map", "a=low=b", "severity_map:"),
        ("fields", "user, 'src'", "Fields to send: write the names"),
        ("fields", TOKEN, "Fields to send: this looks like a token"),
        ("exclude_fields", TOKEN + ",x", "Fields to leave out: this looks like a token"),
        ("exclude_fields", 'x, "y"', "Fields to leave out: write the names"),
    ],
)
def test_a_value_that_would_be_passed_over_is_refused_with_a_sentence(refusal, name, value, words):
    """The sentence names the field as the form does, what is allowed, and never the value."""
    said = refusal(**{name: value})
    assert said.startswith("Parapet Security, " + words)
    assert said.endswith(".")
    assert value not in said
    assert refusal(**{name: as_bytes(value)}) == said
    # The rest of what Splunk Web sends changes nothing.
    assert refusal(INHERITED.items(), **{name: value}) == said


@pytest.mark.parametrize("params", [{"token": TOKEN}, {"webhook_url": "https://a.example"}])
def test_a_url_or_a_token_of_one_alert_is_refused(refusal, params):
    """Nothing would read it there, and a token would lie in savedsearches.conf in plain text."""
    said = refusal(**params)
    assert "an alert cannot have a webhook URL or a token of its own" in said
    assert "setup page" in said
    assert refusal(**params, tenant="main", trigger_time="") is None


@settings(deadline=None)  # every reading reads the conf files anew
@given(st.text(alphabet="ab9Z_- .=,$\n\t\u00a0\u2003", max_size=70))
def test_a_tenants_name_is_refused_exactly_where_the_code_makes_a_dead_letter_of_it(refusal, value):
    """Rule and code draw the same line, tokens of Splunk apart."""
    if "$" not in value:
        assert bool(refusal(tenant=value)) == ignored("tenant", value)


@settings(deadline=None)  # every reading reads the conf files anew
@given(st.lists(st.sampled_from(["low", "HIGH", "x", "=", ",", " ", "1", "\n"]), max_size=12).map("".join))
def test_a_map_is_refused_exactly_where_the_code_leaves_out_a_pair(refusal, value):
    """Rule and code draw the same line."""
    assert bool(refusal(severity_map=value)) == ignored("severity_map", value)


@pytest.mark.parametrize("name", ["send", "severity"])
@settings(deadline=None)  # every reading reads the conf files anew
@given(value=st.sampled_from(["first", "all", "auto", "low", "LOW", "none"]).map(lambda text: f" {text}\t"))
def test_a_choice_is_refused_exactly_where_the_code_takes_the_default(refusal, name, value):
    """Rule, code and spec have one list."""
    assert bool(refusal(**{name: value})) == ignored(name, value)
    form = SPECS["alert_actions.conf"]["parapet_security"]["param." + name].form.strip("[]").split("|")
    assert (value.strip().lower() in form) == (not ignored(name, value))


def test_the_rules_have_no_dollar_sign() -> None:
    """restmap.conf.spec: `$` can enclose a field's name; nothing here can be taken for one."""
    assert not [rule for rule in RULES.values() if "$" in rule]
