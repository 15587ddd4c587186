"""The templates that come with the package."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
from parapet_elastic.errors import Failure
from parapet_elastic.rendering import templates
from parapet_elastic.rendering.renderer import render
from parapet_elastic.rendering.samples import ALERTS, FULL, LISTS, PLACE, RULE, contexts
from parapet_elastic.rendering.templates import NAMES, load
from parapet_elastic.rendering.variables import per_alert, summary

_SCHEMA = jsonschema.Draft202012Validator(
    json.loads((Path(__file__).parents[1] / "contract" / "elastic.schema.json").read_text("utf-8"))
)
_GUIDE = {
    "basic": {
        "source",
        "timestamp",
        "rule.id",
        "rule.name",
        "rule.severity",
        "rule.risk_score",
        "alert.id",
        "alert.status",
        "context.kibana_url",
        "context.host",
        "context.user",
        "context.source_ip",
        "signals",
    },
    "custom_fields": {
        "source",
        "timestamp",
        "rule.name",
        "rule.severity",
        "rule.tags",
        "alert.id",
        "alert.original_time",
        "host.name",
        "host.os",
        "host.ip",
        "user.name",
        "user.domain",
        "process.name",
        "process.pid",
        "process.command_line",
        "network.direction",
        "network.protocol",
        "destination.ip",
        "destination.port",
    },
    "bulk": {"source", "timestamp", "summary.total_alerts", "summary.rule_name", "alerts"},
}


def _body(name, variables):
    return json.loads(render(load(name).text, variables))


def _at(body, path):
    for part in path.split("."):
        body = body[part]
    return body


def _empty(value):
    if isinstance(value, dict):
        return [f"{name}.{inner}".rstrip(".") for name, item in value.items() for inner in _empty(item)]
    if isinstance(value, list):
        return (
            [f"{at}.{inner}".rstrip(".") for at, item in enumerate(value) for inner in _empty(item)] if value else [""]
        )
    return [""] if value == "" else []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("context", contexts())
def test_each_template_keeps_the_contract_in_each_situation(name, context):
    """Valid JSON, exactly our names, numbers that are numbers."""
    _SCHEMA.validate(_body(name, contexts()[context]))


@pytest.mark.parametrize("name", NAMES)
def test_each_template_has_the_guides_keys_filled(name):
    """With an alert that has all the fields, none of the guide's keys is empty."""
    body = _body(name, contexts()["one alert"])

    assert not {path for path in _GUIDE[name] if _at(body, path) in ("", [], None)}


@pytest.mark.parametrize("name", NAMES)
def test_each_template_fills_every_field_that_kibana_can_fill(name):
    """Nothing is empty where the alert has it all."""
    body = _body(name, contexts()["one alert"])
    body.pop("signals", None)

    assert _empty(body) == []


def test_the_source_of_the_network_does_not_hide_the_source_of_the_body():
    """The guide has the key twice, and JSON keeps the last."""
    body = _body("custom_fields", contexts()["one alert"])

    assert body["source"] == "elastic"
    assert body["source_endpoint"] == {"ip": "192.168.1.50", "port": "51234", "geo": {"country": "Côte d'Ivoire"}}


def test_the_bulk_alerts_have_the_guides_keys():
    """One object for each alert, with its own id, severity and host."""
    body = _body("bulk", contexts()["a summary of 3 alerts"])

    assert [alert["id"] for alert in body["alerts"]] == [alert["_id"] for alert in ALERTS]
    assert [alert["severity"] for alert in body["alerts"]] == ["high"] * 3
    assert [alert["host"] for alert in body["alerts"]] == ["workstation-42", "", "workstation-42,workstation-43"]


@pytest.mark.parametrize("name", ["basic", "custom_fields"])
def test_an_alerts_id_is_the_documents_in_a_summary_too(name):
    """There `alert.id` is the rule's, and all alerts of a rule would look like one."""
    body = _body(name, contexts()["a summary of 1 alert"])

    assert body["alert"]["id"] == body["dedup_key"] == FULL["_id"]


@pytest.mark.parametrize(("name", "path"), [("basic", "alert_count"), ("bulk", "summary.total_alerts")])
def test_alerts_that_kibana_did_not_hand_over_are_counted(name, path):
    """Kibana before 8.18 hands over 100 of a summary; both numbers go out."""
    body = _body(name, summary(RULE, ALERTS, PLACE, total=250))

    assert _at(body, path) == 250
    assert _at(body, path.rpartition(".")[0] + ".alerts_sent" if "." in path else "alerts_sent") == 3


@pytest.mark.parametrize("name", NAMES)
def test_a_risk_score_of_zero_is_a_zero(name):
    """A section takes 0 for nothing."""
    body = _body(name, per_alert({**RULE, "risk_score": 0}, ALERTS[1], PLACE))

    assert body["rule"]["risk_score"] == 0
    assert (body["alerts"][0] if name == "bulk" else body["alert"])["risk_score"] == 0


def test_a_field_that_is_missing_does_not_come_from_the_rule():
    """Inside the alerts' section Mustache would look further up; no name of ours is there."""
    bare = {"_id": "1", "_index": "i", "_source": {}}
    alert = _body("bulk", summary(RULE, [bare], PLACE))["alerts"][0]

    assert {name: value for name, value in alert.items() if value} == {"id": "1", "index": "i"}


def test_a_field_of_the_event_does_not_stand_in_for_the_rules():
    """ECS has a `rule.name` and `tags`, too."""
    body = _body("bulk", contexts()["an alert with lists"])

    assert body["rule"]["name"] == RULE["name"]
    assert body["rule"]["tags"] == RULE["tags"]


@pytest.mark.parametrize(
    ("context", "start"),
    [
        ("one alert", "https://kibana.example.com/app/security/alerts/redirect/"),
        ("a summary of 0 alerts", "https://kibana.example.com/app/security/rules/id/"),
        ("one alert without server.publicBaseUrl", "/app/security/rules/id/"),
    ],
)
def test_the_link_is_the_best_that_kibana_gives(context, start):
    """The alert's, else the rule's, else the relative one to the results."""
    assert _body("basic", contexts()[context])["context"]["kibana_url"].startswith(start)


def test_a_list_is_a_clean_list():
    """A scalar is a list of one, and nothing is a list of none: no `null` at the head."""
    ips = [_body("basic", per_alert(RULE, alert, PLACE))["host"]["ip"] for alert in ALERTS]

    assert ips == [["192.168.1.50", "fe80::1"], [], ["10.0.0.1"]]
    assert LISTS["_source"]["host.ip"] == "10.0.0.1"


def test_the_signals_are_the_whole_documents():
    """As a list of objects, the text of which is no template any more."""
    signal = _body("basic", contexts()["one alert"])["signals"][0]

    assert signal["process"] == FULL["_source"]["process"]


@pytest.mark.parametrize("name", NAMES)
def test_the_head_states_the_name_and_the_oldest_kibana(name):
    """What it says is what its features need."""
    template = load(name)
    stated = re.match(
        r"\{\{! Parapet Security for Elastic, template (\w+)/1\. Oldest Kibana: (\d+)\.(\d+)\.", template.text
    )

    assert stated.groups() == (name, *map(str, template.oldest))


def test_every_template_in_the_folder_is_known():
    """A file that is in the folder and not in NAMES would be in the wheel for nothing."""
    folder = Path(templates.__file__).parents[2] / "templates"

    assert sorted(path.stem for path in folder.iterdir()) == sorted(NAMES)


def test_a_file_is_a_template_too(tmp_path):
    """The customer's own is loaded by its path, and says what it needs."""
    path = tmp_path / "own.mustache"
    path.write_text('{"n": {{#FormatNumber}}{{rule.id}};;{{/FormatNumber}} }', "utf-8")

    assert load(str(path)).name == "own.mustache"
    assert load(str(path)).oldest == (8, 9)


def test_a_template_that_does_not_parse_can_be_loaded(tmp_path):
    """So that lint can say what is wrong."""
    path = tmp_path / "own.mustache"
    path.write_text("{{#open}}", "utf-8")

    assert load(str(path)).oldest == (8, 8)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no template"),
        (b"\xff\xfe", "not UTF-8"),
        (b" \n", "is empty"),
        (b"x" * 1_000_001, "larger than"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_clear_line(tmp_path, content, words):
    """What and where."""
    path = tmp_path / "own.mustache"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(Failure, match=words) as failure:
        load(str(path))
    assert str(path) in str(failure.value)


def test_a_folder_is_no_template(tmp_path):
    """It cannot be read."""
    with pytest.raises(Failure, match="cannot be read"):
        load(str(tmp_path))
