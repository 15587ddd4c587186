"""The stand-in's variables and documents against the contexts of the recorded renders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.elastic.standins import kibana_variables
from tests.elastic.standins.kibana_documents import expanded, flat

CONTEXTS = json.loads((Path(__file__).parents[2] / "contract" / "kibana_renders.json").read_text("utf-8"))["contexts"]
# In the fixtures the framework's uuid is a text of its own, and is new each time in Kibana.
FRAMEWORK = "framework-generated-uuid"


def rule_of(context):
    """The rule, as the API shows it, that a context was made for."""
    return {**context["context"]["rule"], "tags": context["tags"]}


def hit_of(alert):
    """The hit that an alert of a context was made of."""
    source = {name: value for name, value in alert.items() if name not in ("_id", "_index", "signal")}
    return {"_id": alert["_id"], "_index": alert["_index"], "_source": source}


def dotted(source, head=""):
    """The same document with the keys of `kibana` dotted, as they are stored."""
    kibana = source["kibana"]
    rest = {name: value for name, value in source.items() if name != "kibana"}
    return {**rest, **{f"kibana.{name}": value for name, value in kibana.items()}}


@pytest.mark.parametrize("name", [name for name in CONTEXTS if name.startswith("per-alert")])
def test_the_variables_of_one_alert_are_those_of_the_contract(name):
    """Key by key, whether the document's keys are nested or dotted."""
    context = CONTEXTS[name]
    hit = hit_of(context["context"]["alerts"][0])
    place = {"space": "default", "base_url": context.get("kibanaBaseUrl"), "date": context["date"]}
    for source in (hit["_source"], dotted(hit["_source"])):
        found = kibana_variables.per_alert(rule_of(context), {**hit, "_source": source}, **place)
        found["alert"]["uuid"] = FRAMEWORK
        assert found == context


@pytest.mark.parametrize("name", [name for name in CONTEXTS if name.startswith("summary")])
def test_the_variables_of_a_summary_are_those_of_the_contract(name):
    """Of three alerts, of one, of none, and without publicBaseUrl."""
    context = CONTEXTS[name]
    hits = [hit_of(alert) for alert in context["context"]["alerts"]]
    found = kibana_variables.summary(
        rule_of(context),
        hits,
        total=context["state"]["signals_count"],
        space="default",
        base_url=context.get("kibanaBaseUrl"),
        date=context["date"],
    )
    assert found == context


def test_another_space_stands_in_the_url_of_the_rule_and_not_in_results_link():
    """As Kibana does it: the link of one alert is relative, and knows no space."""
    context = CONTEXTS["per-alert/full"]
    hit = hit_of(context["context"]["alerts"][0])
    found = kibana_variables.per_alert(
        rule_of(context), hit, space="soc", base_url="https://kb.example.com", date=context["date"]
    )
    assert found["rule"]["url"].startswith("https://kb.example.com/s/soc/app/security/rules/id/")
    assert found["context"]["results_link"].startswith("/app/security/rules/id/")
    assert found["spaceId"] == found["rule"]["spaceId"] == "soc"


def test_dotted_keys_are_merged_into_what_is_nested():
    """In either order."""
    wanted = {"a": {"b": {"c": 1}, "d": 2}}
    assert expanded({"a.b.c": 1, "a": {"d": 2}}) == wanted
    assert expanded({"a": {"d": 2}, "a.b": {"c": 1}}) == wanted


def test_a_flat_document_has_lists_of_values():
    """Objects in lists are taken apart as Elasticsearch does, and null is nothing."""
    assert flat({"a": [{"b": 1}, {"b": [2, None]}], "c.d": "x", "e": None}) == {"a.b": [1, 2], "c.d": ["x"]}
