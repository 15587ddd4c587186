"""The built-in rule and alerts."""

from __future__ import annotations

import json

from parapet_elastic.rendering.samples import ALERTS, FULL, LISTS, RULE, SPARSE, contexts


def test_the_situations_are_the_ones_that_a_template_must_stand():
    """One alert, few fields, lists, summaries of several, one and none, and no address of Kibana."""
    found = contexts()
    counts = {name: len(each["context"]["alerts"]) for name, each in found.items()}

    assert list(counts.values()) == [1, 1, 1, 3, 1, 0, 1, 3]
    assert [name for name, each in found.items() if "kibanaBaseUrl" not in each] == list(found)[-2:]
    assert [name for name, each in found.items() if "alerts" in each] == [name for name in found if "summary" in name]


def test_the_samples_are_what_kibana_and_elasticsearch_would_give():
    """Ids of their own, and nothing that JSON does not know."""
    assert len({alert["_id"] for alert in ALERTS}) == len(ALERTS)
    assert json.loads(json.dumps([RULE, ALERTS])) == [RULE, ALERTS]


def test_the_sparse_alert_has_nothing_of_its_event():
    """And the falsy score, and lists for scalars in the other."""
    assert not {"host", "user", "source"} & SPARSE["_source"].keys()
    assert SPARSE["_source"]["kibana.alert.risk_score"] == 0
    assert isinstance(LISTS["_source"]["source.ip"], list)


def test_no_call_changes_what_the_next_one_gives():
    """They are made anew each time."""
    first = contexts()["one alert"]
    first["context"]["alerts"][0]["host"]["name"] = "changed"
    first["rule"]["tags"].append("changed")

    assert contexts()["one alert"]["context"]["alerts"][0]["host"]["name"] == FULL["_source"]["host"]["name"]
    assert contexts()["one alert"]["rule"]["tags"] == RULE["tags"]
