"""The stand-in's alert search: the queries that it knows, and its refusals."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.elastic.standins.kibana_world import UTC
from tests.elastic.standins.talk import Talk

PATH = "/api/detection_engine/signals/search"
DAY = dt.datetime(2026, 1, 28, 12, tzinfo=UTC)


@pytest.fixture
def found(kibana):
    """Searches a Kibana that has five alerts of one rule, an hour apart, and one of another rule."""
    rule = kibana.add_rule("A")
    for hour in range(5):
        event = {"host": {"name": f"h{hour}"}, "process.pid": 10 - hour}
        kibana.add_alerts(rule, [event], at=DAY + dt.timedelta(hours=hour))
    kibana.add_alerts(kibana.add_rule("B", severity="low", risk_score=7), [{"tags": ["x", "y"]}], at=DAY)

    def search(query=None, **body):
        if query is not None:
            body["query"] = query
        status, answer = Talk(kibana)("POST", PATH, body)
        assert status == 200, answer
        return answer["hits"]

    search.kibana, search.rule = kibana, rule
    return search


def hosts(hits):
    """The hosts of what was found, None for an alert without one."""
    return [hit["_source"].get("host", {}).get("name") for hit in hits["hits"]]


def refusal(kibana, **body):
    """The words with which a search is refused with 400."""
    status, answer = Talk(kibana)("POST", PATH, body)
    assert status == 400
    return answer["message"]


def test_without_a_query_everything_is_found(found):
    """Ten at most, as Elasticsearch does."""
    assert found()["total"] == {"value": 6, "relation": "eq"}
    found.kibana.add_alerts(found.rule, [{} for _ in range(6)], at=DAY)
    assert len(found({"match_all": {}})["hits"]) == 10
    assert "total" not in found(track_total_hits=False)
    assert found(size=0)["hits"] == []


def test_terms_are_exact_and_know_dotted_and_nested_fields(found):
    """A list matches with any of its values."""
    assert hosts(found({"term": {"host.name": "h1"}})) == ["h1"]
    assert hosts(found({"term": {"kibana.alert.rule.uuid": {"value": found.rule}}})) == ["h0", "h1", "h2", "h3", "h4"]
    assert hosts(found({"terms": {"process.pid": [10, 8]}})) == ["h0", "h2"]
    assert len(found({"term": {"tags": "y"}})["hits"]) == 1
    assert hosts(found({"term": {"host.name": "H1"}})) == []
    assert len(found({"exists": {"field": "tags"}})["hits"]) == 1


def test_ranges_know_dates_date_math_and_numbers(found):
    """Of @timestamp and of any other field."""
    limits = {"gte": "2026-01-28T13:00:00Z", "lt": "2026-01-28T15:00:00.000Z"}
    assert hosts(found({"range": {"@timestamp": limits}})) == ["h1", "h2"]
    assert hosts(found({"range": {"process.pid": {"gt": 7, "lte": 9}}})) == ["h1", "h2"]
    assert hosts(found({"range": {"@timestamp": {"gte": "now-1h"}}})) == []
    found.kibana.add_alerts(found.rule, [{"host": {"name": "new"}}])
    assert hosts(found({"range": {"@timestamp": {"gte": "now-1h", "lte": "now"}}})) == ["new"]


def test_bool_joins_them(found):
    """Filter and must, must_not, should."""
    rule = {"term": {"kibana.alert.rule.name": "A"}}
    one, two = {"term": {"host.name": "h1"}}, {"term": {"host.name": "h2"}}
    assert hosts(found({"bool": {"filter": [rule], "must_not": [one, two]}})) == ["h0", "h3", "h4"]
    assert hosts(found({"bool": {"should": [one, two]}})) == ["h1", "h2"]
    assert len(found({"bool": {"must": rule, "should": [one]}})["hits"]) == 5
    assert hosts(found({"bool": {"must": rule, "should": [one], "minimum_should_match": 1}})) == ["h1"]


def test_alerts_are_found_by_their_ids(found):
    """With `ids`, and as the field `_id`."""
    alert = found({"term": {"host.name": "h3"}})["hits"][0]["_id"]
    assert hosts(found({"ids": {"values": [alert]}})) == ["h3"]
    assert (
        hosts(found({"bool": {"filter": {"term": {"host.name": "h3"}}, "must_not": {"terms": {"_id": [alert]}}}})) == []
    )


def test_hits_are_sorted_with_their_sort_values(found):
    """By one field or several of one object; what has none comes last."""
    hits = found(sort={"@timestamp": "desc", "kibana.alert.uuid": {"order": "asc"}})
    assert hosts(hits)[:4] == ["h4", "h3", "h2", "h1"]
    assert hits["hits"][0]["sort"] == ["2026-01-28T16:00:00.000Z", hits["hits"][0]["_id"]]
    for order, wanted in (
        ("asc", ["h4", "h3", "h2", "h1", "h0", None]),
        ("desc", ["h0", "h1", "h2", "h3", "h4", None]),
    ):
        assert hosts(found(sort={"process.pid": order})) == wanted


def test_of_the_source_only_what_is_wanted_is_shown(found):
    """Names, patterns, nothing."""
    assert "_source" not in found(_source=False)["hits"][0]
    assert found(_source=["host.name"])["hits"][0]["_source"] == {"host": {"name": "h0"}}
    source = found(_source="kibana.alert.risk*")["hits"][0]["_source"]
    assert source == {"kibana.alert.risk_score": 73}


def test_there_is_no_way_to_page_but_by_what_was_seen(kibana):
    """search_after and from are no keys of this route, and sort is no list: Kibana's schema has none of it."""
    assert "search_after" in refusal(kibana, search_after=["x"])
    assert "from" in refusal(kibana, **{"from": 10})
    assert "sort" in refusal(kibana, sort=[{"@timestamp": "asc"}])


def test_what_elasticsearch_would_not_do_is_refused(kibana):
    """As 400, in the detection engine's words."""
    kibana.add_alerts(kibana.add_rule("A"), [{}])
    assert "unknown query [match]" in refusal(kibana, query={"match": {"a": "b"}})
    assert "malformed" in refusal(kibana, query={})
    assert "[bool] query does not support" in refusal(kibana, query={"bool": {"filters": []}})
    assert "[range] query does not support" in refusal(kibana, query={"range": {"@timestamp": {"from": "now"}}})
    assert "failed to parse date" in refusal(kibana, query={"range": {"@timestamp": {"gte": "yesterday"}}})
    assert "single value" in refusal(kibana, query={"terms": {"a": "b"}})
    assert "Fielddata access on the _id field is disallowed" in refusal(kibana, sort={"_id": "asc"})
    assert "No mapping found for [colour]" in refusal(kibana, sort={"colour": "asc"})
    assert "unknown sort" in refusal(kibana, sort={"@timestamp": "up"})
    assert "Result window is too large" in refusal(kibana, size=10001)
    assert "size" in refusal(kibana, size=-1)
