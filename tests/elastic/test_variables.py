"""The variables that Kibana gives to an action."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from parapet_elastic.rendering.samples import ALERTS, FULL, LISTS, PLACE, RULE
from parapet_elastic.rendering.variables import Place, alert_document, base_url, field, per_alert, summary

_CONTEXTS = json.loads((Path(__file__).parents[1] / "contract" / "kibana_renders.json").read_text("utf-8"))["contexts"]


def _rule(context):
    """The rule as the API gives it, of what the variables say about it."""
    more = {"enabled": True, "interval": "5m", "actions": [], "revision": 2, "created_by": "elastic", "throttle": None}
    return {**context["context"]["rule"], "tags": context["rule"]["tags"], **more}


def _flat(value, name=""):
    if isinstance(value, dict):
        return {k: v for key, item in value.items() for k, v in _flat(item, f"{name}.{key}" if name else key).items()}
    return {name: value}


def _hit(document):
    """The hit as Elasticsearch gives it: Kibana's own fields with dots, the event's as objects."""
    source = {key: value for key, value in document.items() if key not in ("_id", "_index", "signal", "kibana")}
    return {
        "_id": document["_id"],
        "_index": document["_index"],
        "_source": {**_flat({"kibana": document["kibana"]}), **source},
    }


def _place(context):
    return Place(context["spaceId"], context.get("kibanaBaseUrl"), context["date"])


@pytest.mark.parametrize("name", [name for name in _CONTEXTS if name.startswith("per-alert")])
def test_the_variables_of_one_alert_are_kibanas(name):
    """All are as recorded but `alert.uuid`, which Kibana makes up."""
    expected = _CONTEXTS[name]
    built = per_alert(_rule(expected), _hit(expected["context"]["alerts"][0]), _place(expected))

    assert built["alert"].pop("uuid") != expected["alert"]["id"]
    del expected["alert"]["uuid"]
    assert built == expected


@pytest.mark.parametrize("name", [name for name in _CONTEXTS if name.startswith("summary")])
def test_the_variables_of_a_summary_are_kibanas(name):
    """All are as recorded."""
    expected = _CONTEXTS[name]
    hits = [_hit(document) for document in expected["context"]["alerts"]]

    assert summary(_rule(expected), hits, _place(expected)) == expected


def test_a_summary_tells_of_more_alerts_than_it_holds():
    """Kibana before 8.18 hands over 100 documents and counts them all."""
    found = summary(RULE, ALERTS, PLACE, total=250)

    assert found["state"]["signals_count"] == 250
    assert found["alerts"]["all"]["count"] == 250
    assert len(found["context"]["alerts"]) == len(ALERTS)


def test_a_link_names_the_space_only_where_it_is_absolute():
    """As Kibana does it: the relative one leads to the default space."""
    found = per_alert(RULE, FULL, Place("soc", "https://kb.example.com", PLACE.date))

    assert found["rule"]["url"].startswith("https://kb.example.com/s/soc/app/security/rules/id/")
    assert found["context"]["results_link"].startswith("/app/security/rules/id/")


def test_an_alerts_dotted_names_become_objects_beside_the_others():
    """`host.name` and `host: {...}` in one document are one object."""
    document = alert_document({"_id": "1", "_index": "i", "_source": {"host": {"id": "x"}, "host.name": "h"}})

    assert document == {"_id": "1", "_index": "i", "host": {"id": "x", "name": "h"}}


def test_an_alert_keeps_its_lists():
    """A list is no reason to take one of its values."""
    assert alert_document(LISTS)["host"]["name"] == ["workstation-42", "workstation-43"]


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ({"a.b.c": 1}, 1),
        ({"a": {"b": {"c": 1}}}, 1),
        ({"a.b": {"c": 1}}, 1),
        ({"a": {"b.c": 1}}, 1),
        ({"a": {"b": 2}, "a.b": {"c": 1}}, 1),
        ({"a": {"b": 2}}, None),
        ({}, None),
    ],
)
def test_a_field_is_found_however_it_is_written(source, value):
    """Elasticsearch takes all of these for the same."""
    assert field(source, "a.b.c") == value


@pytest.mark.parametrize(
    ("url", "space", "base"),
    [
        ("https://kb.example.com/base/app/security/alerts/redirect/1", "default", "https://kb.example.com/base"),
        ("https://kb.example.com/base/s/soc/app/security/alerts/redirect/1", "soc", "https://kb.example.com/base"),
        (None, "default", None),
    ],
)
def test_an_alerts_own_address_says_where_kibana_is(url, space, base):
    """Without the space, with the base path."""
    assert base_url({"kibana.alert.url": url}, space) == base
