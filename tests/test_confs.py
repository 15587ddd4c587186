"""Tests of everything in the app that Splunk reads and that is no Python: confs, specs, metadata, manifest.

They must not look into the Python code; that code and confs agree is tested elsewhere.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote

import pytest

from tests.conf import APP, CONFS, SPECS

ACTION = CONFS["alert_actions.conf"]["parapet_security"]

# What an alert may set, what Splunk fills in when it fires, and what the vendor's guide calls Option B.
CHOSEN = {
    "tenant": "",
    "send": "first",
    "severity": "auto",
    "severity_fields": "urgency, severity",
    "severity_map": (
        "info=low, low=low, medium=medium, high=high, critical=critical, "
        "informational=low, unknown=low, debug=low, warn=medium, warning=medium, error=high, severe=critical, "
        "fatal=critical"
    ),
    "fields": "*",
    "exclude_fields": "",
}
FILLED_IN = {
    "alert_severity": "$alert.severity$",
    "trigger_time": "$trigger_time$",
    "search_query": "$search$",
    "earliest": "$job.earliestTime$",
    "latest": "$job.latestTime$",
    "result_count": "$job.resultCount$",
    "description": "$description$",
    "view_link": "$view_link$",
    "server_guid": "$server.guid$",
}
OPTION_B = {"webhook_url": "", "token": ""}
PARAMETERS = dict(CHOSEN, **FILLED_IN, **OPTION_B)

FILES = {
    "app.manifest",
    *(f"README/{name}.conf.spec" for name in ("alert_actions", "inputs", "parapet_security", "savedsearches")),
    "default/alert_actions.conf",
    "default/app.conf",
    "default/commands.conf",
    "default/data/ui/alerts/parapet_security.html",
    "default/data/ui/nav/default.xml",
    *(f"default/data/ui/views/{name}.xml" for name in ("delivery_health", "home", "setup")),
    "default/inputs.conf",
    "default/macros.conf",
    "default/parapet_security.conf",
    "default/props.conf",
    "default/restmap.conf",
    "default/savedsearches.conf",
    "default/searchbnf.conf",
    "default/server.conf",
    "default/times.conf",
    "default/transforms.conf",
    "lookups/parapet_security_events.csv",
    "metadata/default.meta",
}

# Splunk or AppInspect refuses an app that ships one of these, or they would carry somebody's settings along.
FORBIDDEN = (
    "local/*",
    "metadata/local.meta",
    "appserver/templates/*",
    "**/passwords.conf",
    "**/collections.conf",
    "**/limits.conf",
    "**/outputs.conf",
    "**/authorize.conf",
    "default/setup.xml",
    "default/data/ui/html/*",
)

PYTHON = {"python.version": "python3", "python.required": "3.9, 3.13"}


def manifest() -> dict[str, Any]:
    """Return app.manifest, parsed."""
    return json.loads((APP / "app.manifest").read_text(encoding="utf-8"))


def test_the_app_has_exactly_these_files_for_splunk_to_read() -> None:
    """A file that nobody decided on does not get into the app, and none goes missing."""
    folders = [APP / "default", APP / "README", APP / "lookups", APP / "metadata"]
    found = {path for folder in folders for path in folder.rglob("*") if path.is_file()}
    found.add(APP / "app.manifest")
    assert {path.relative_to(APP).as_posix() for path in found} == FILES


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_nothing_that_splunk_cloud_refuses_is_in_the_app(pattern: str) -> None:
    """Somebody's local settings, secrets and removed technologies stay out."""
    assert list(APP.glob(pattern)) == []


@pytest.mark.parametrize("name", sorted(CONFS))
def test_no_conf_changes_splunk_outside_of_this_app(name: str) -> None:
    """A [default] stanza, or settings above the first stanza, would be for every app."""
    assert not {"", "default"} & set(CONFS[name])


def test_nothing_that_is_shipped_looks_like_a_token_or_names_a_tenant() -> None:
    """Tokens and tenants are the customer's; the guide's placeholder must not be mistaken for one either."""
    values = [value for file in CONFS.values() for stanza in file.values() for value in stanza.values()]
    assert not [value for value in values if re.search("pst_[A-Za-z0-9]", value) or "://" in value]


def test_the_alert_action_has_the_keys_of_the_vendor_guide() -> None:
    """Whoever followed the guide finds the same label, description and icon."""
    guide = {
        "is_custom": "1",
        "label": "Parapet Security",
        "description": "Forward alerts to Parapet Security for AI triage",
        "icon_path": "parapet_icon.png",
        "payload_format": "json",
    }
    assert {key: ACTION.get(key) for key in guide} == guide


def test_the_alert_action_gets_all_rows_as_csv_and_time_to_deliver_them() -> None:
    """The limits fit what `send = all` and the longest direct deadline need."""
    limits = {"maxresults": "50000", "maxtime": "5m", "forceCsvResults": "true"}
    assert {key: ACTION.get(key) for key in limits} == limits
    assert SPECS["parapet_security.conf"]["delivery"]["direct_deadline"].high < 5 * 60


def test_every_parameter_has_its_default_line() -> None:
    """Enterprise Security accepts only parameters that are there, also where they are empty."""
    assert {key: value for key, value in ACTION.items() if key.startswith("param.") and key != "param._cam"} == {
        "param." + name: value for name, value in PARAMETERS.items()
    }


def test_enterprise_security_knows_what_the_action_is_and_may_run_it_by_hand() -> None:
    """`_cam` is JSON with what CIM requires, in its own words, and its drill-down is a search for one run."""
    cam = json.loads(ACTION["param._cam"])
    assert set(cam["category"]) <= {
        "Information Conveyance",
        "Information Gathering",
        "Information Tracking",
        "Permissions Control",
        "Device Control",
    }
    assert set(cam["task"]) <= {"block", "allow", "create", "update", "delete", "scan"}
    assert cam["subject"] == ["splunk.event"]
    assert [set(item) for item in cam["technology"]] == [{"vendor", "product", "version"}]
    assert cam["supports_adhoc"] is cam["supports_cloud"] is True
    search = unquote(cam["drilldown_uri"].partition("q=")[2].partition("&")[0])
    assert search == ('search `parapet_security_modalert` action_name=parapet_security sid="$sid$" rid="$rid$"')


def test_a_run_by_hand_leaves_one_row_and_not_the_results_again() -> None:
    """The command begins with sendalert, so that the results come as CSV, and holds what Enterprise Security takes out."""
    assert ACTION["command"] == (
        'sendalert $action_name$ results_file="$results.file$" results_link="$results.url$" param.action_name=$action_name$ | stats count'
    )


def test_every_parameter_is_described_for_the_stanza_and_for_one_alert() -> None:
    """Both spec files describe exactly the parameters that there are."""
    stanza = SPECS["alert_actions.conf"]["parapet_security"]
    alert = SPECS["savedsearches.conf"][""]
    assert set(stanza) == {"param." + name for name in (*PARAMETERS, "_cam", "action_name")}
    assert set(alert) == {"action.parapet_security"} | {"action.parapet_security.param." + name for name in PARAMETERS}


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_the_described_default_of_a_parameter_is_the_real_one(name: str) -> None:
    """The specs say what alert_actions.conf does."""
    assert SPECS["alert_actions.conf"]["parapet_security"]["param." + name].default == PARAMETERS[name]
    assert SPECS["savedsearches.conf"][""]["action.parapet_security.param." + name].default == PARAMETERS[name]


def test_every_delivery_setting_has_a_default_and_a_description() -> None:
    """parapet_security.conf and its spec are in step, both ways."""
    assert set(CONFS["parapet_security.conf"]) == {"delivery"}
    assert set(CONFS["parapet_security.conf"]["delivery"]) == set(SPECS["parapet_security.conf"]["delivery"])


@pytest.mark.parametrize("name", sorted(CONFS["parapet_security.conf"]["delivery"]))
def test_the_described_default_of_a_setting_is_the_real_one_and_in_range(name: str) -> None:
    """The spec names the default that is shipped, and a number comes with a range that holds it."""
    value = CONFS["parapet_security.conf"]["delivery"][name]
    entry = SPECS["parapet_security.conf"]["delivery"][name]
    assert entry.default == value
    assert (entry.low is not None) == (entry.form in ("<integer>", "<number>"))
    if entry.low is not None:
        assert entry.low <= float(value)
        assert entry.high is None or float(value) <= entry.high


def test_a_choice_is_described_with_its_default_among_the_choices() -> None:
    """A form like [first|all] holds the default that the conf ships."""
    entries = [entry for file in SPECS.values() for stanza in file.values() for entry in stanza.values()]
    choices = [entry for entry in entries if entry.form.startswith("[")]
    assert len(choices) == 5
    assert not [entry for entry in choices if entry.default not in entry.form.strip("[]").split("|")]


def test_no_tenant_is_shipped_so_that_the_guides_option_b_is_one() -> None:
    """param.webhook_url and param.token are tenant main only where [tenant:main] is absent."""
    assert not [stanza for stanza in CONFS["parapet_security.conf"] if stanza.startswith("tenant:")]
    assert set(SPECS["parapet_security.conf"]["tenant:<name>"]) == {"webhook_url", "disabled"}


@pytest.mark.parametrize(
    ("name", "stanza"),
    [
        ("alert_actions.conf", "parapet_security"),
        ("commands.conf", "parapetoutbox"),
        ("commands.conf", "parapetoutboxedit"),
        ("commands.conf", "parapettest"),
        ("inputs.conf", "parapet_forwarder"),
        ("restmap.conf", "script:parapet_deliver"),
    ],
)
def test_every_stanza_that_starts_python_says_which_python(name: str, stanza: str) -> None:
    """Splunk before 10.2 reads python.version, later ones python.required; AppInspect wants both."""
    assert PYTHON.items() <= CONFS[name][stanza].items()


def test_python_keys_come_in_pairs() -> None:
    """No stanza has one of the two keys without the other."""
    stanzas = [stanza for file in CONFS.values() for stanza in file.values()]
    assert {len(PYTHON.keys() & stanza.keys()) for stanza in stanzas} == {0, 2}


def test_one_forwarder_runs_on_every_host_unless_an_administrator_says_otherwise() -> None:
    """The input is on, restarted soon after it ends, started without a shell, on every member of a cluster."""
    inputs = CONFS["inputs.conf"]
    assert set(inputs) == {"parapet_forwarder", "parapet_forwarder://default"}
    assert inputs["parapet_forwarder"] == dict(PYTHON, start_by_shell="false", run_only_one="false")
    assert inputs["parapet_forwarder://default"] == {"disabled": "0", "interval": "5"}


def test_the_forwarders_spec_has_a_setting_of_its_own() -> None:
    """Splunk registers a modular input only when its spec has one."""
    assert set(SPECS["inputs.conf"]) == {"parapet_forwarder://<name>"}
    assert set(SPECS["inputs.conf"]["parapet_forwarder://<name>"]) == {"run_only_one", "note"}


def test_the_deliver_handler_is_persistent_and_gets_the_systems_rights() -> None:
    """It delivers for owners who may not read the token, and asks who calls."""
    assert set(CONFS["restmap.conf"]) == {"script:parapet_deliver", "validation:savedsearch"}
    assert CONFS["restmap.conf"]["script:parapet_deliver"] == dict(
        PYTHON,
        match="/parapet_security/deliver",
        script="parapet_deliver.py",
        scripttype="persist",
        handler="parapet_deliver.Deliver",
        passSystemAuth="true",
        requireAuthentication="true",
        output_modes="json",
    )


def test_the_app_has_one_name_and_one_version() -> None:
    """Every place that names the app or its version names the same, as full semantic version."""
    app, info = CONFS["app.conf"], manifest()["info"]
    assert {app["package"]["id"], app["id"]["name"], info["id"]["name"]} == {APP.name}
    versions = {app["launcher"]["version"], app["id"]["version"], info["id"]["version"]}
    assert len(versions) == 1
    assert re.match(r"\d+\.\d+\.\d+$", versions.pop())
    assert app["ui"]["label"] == info["title"] == ACTION["label"]
    assert app["launcher"]["description"] == info["description"]


def test_the_app_is_shipped_unconfigured_and_without_update_checks() -> None:
    """Splunk offers the setup after the first install; a private build asks no server for updates."""
    app = CONFS["app.conf"]
    assert app["install"]["is_configured"] == "0"
    assert app["install"]["build"].isdigit()
    assert app["package"]["check_for_updates"] == "false"


def test_the_manifest_says_where_the_app_runs() -> None:
    """It is for search heads of Splunk 8.0 and later, alone or in a cluster."""
    data = manifest()
    assert data["schemaVersion"] == "2.0.0"
    assert data["info"]["license"] == {"name": "Apache-2.0", "text": "LICENSE", "uri": None}
    assert data["platformRequirements"] == {"splunk": {"Enterprise": ">=8.0"}}
    assert data["supportedDeployments"] == ["_standalone", "_distributed", "_search_head_clustering"]
    assert data["targetWorkloads"] == ["_search_heads"]


def test_our_own_conf_is_reloaded_and_replicated_and_nothing_else_is() -> None:
    """A change needs no restart and reaches every member of a cluster; Splunk's own confs are left alone."""
    assert CONFS["app.conf"]["triggers"] == {"reload.parapet_security": "simple"}
    assert CONFS["server.conf"] == {"shclustering": {"conf_replication_include.parapet_security": "true"}}
