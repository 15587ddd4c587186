"""Tests of the dashboard Delivery health: where its searches look, what its panels wait for, and what they say of a log.

They must not judge the search language, nor how the page looks; that is looked at elsewhere.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from tests.conf import APP, CONFS
from tests.spl import pipeline, sources
from tests.spl.views import View
from tests.standins.splunk_web_simplexml import check

TEXT = (APP / "default/data/ui/views/delivery_health.xml").read_text(encoding="utf-8")
ROOT = ET.fromstring(TEXT)  # noqa: S314  # the app's own file
SEARCHES = list(ROOT.iter("search"))
PANELS = {panel.findtext("title"): panel for panel in ROOT.iter("panel")}
VISUAL = ("single", "table", "chart")
NOW = 1800000000
ID = "75634c09ed0b49925052"
WELL = {"role": "forwarder", "waiting": "0", "dead": "0", "oldest_s": "0", "bytes": "5", "max_bytes": "100"}


def query(search):
    """The text of a search, in one line."""
    return " ".join((search.findtext("query") or "").split())


def test_it_is_simple_xml_without_scripts():
    """Nothing in it is beyond what Splunk documents."""
    check(ROOT, "delivery_health")
    assert ROOT.tag == "form"
    assert set(ROOT.keys()) == {"version"}


def test_every_search_looks_where_a_macro_says():
    """A customer moves the logs in one place; what continues another search looks nowhere itself."""
    starts = {f"`{name}`" for name in CONFS["macros.conf"]}
    for search in SEARCHES:
        start = query(search).partition(" ")[0]
        assert start == "|" if search.get("base") else start in starts
        assert not re.search(r"\bindex\s*=", query(search))


def test_what_continues_another_search_has_rows_and_not_events_to_go_on():
    """Splunk drops events beyond 500,000, and fields that nobody named, without a word."""
    bases = {search.get("base") for search in SEARCHES} - {None}
    for search in SEARCHES:
        if search.get("id") in bases:
            assert re.search(r"\| stats .* BY ", query(search))


def test_every_token_that_something_waits_for_is_set_by_something():
    """A panel that waits for a token that nothing sets never appears."""
    given = {each.get("token") for each in ROOT.iter("input")} | {each.get("token") for each in ROOT.iter("set")}
    given |= {"time.earliest", "time.latest"}
    text = ET.tostring(ROOT, encoding="unicode")
    asked = set(re.findall(r"\$([\w.]+)(?:\|s)?\$", text)) - {"row.id", "click.value2"}
    assert asked <= given
    assert {"host", "tenant", "id", "nothing"} <= asked


def test_what_somebody_types_or_chooses_stays_one_value():
    """Quoted, it cannot end the search, nor add to it."""
    for search in SEARCHES:
        assert not re.search(r"\$(host|tenant|id)\$", query(search))


def test_every_panel_says_what_it_means_when_it_is_empty():
    """A single value has no room for it: the panel above all of them says it for them."""
    for title, panel in PANELS.items():
        text = " ".join("".join(panel.find("html").itertext()).split()) if panel.find("html") is not None else ""
        if panel.find("single") is None and any(panel.find(kind) is not None for kind in VISUAL):
            assert "Empty: " in text, title
    nothing = " ".join("".join(PANELS["Nothing to show"].itertext()).split())
    assert "your role may not search the index" in nothing
    assert "_internal" in nothing


def test_no_number_is_told_by_its_colour_alone():
    """A coloured number says beneath what it should be."""
    for panel in PANELS.values():
        options = {option.get("name"): option.text for option in panel.iter("option")}
        assert options.get("useColors") != "true" or "should be" in options["underLabel"]


def test_nobody_without_the_log_is_told_that_all_is_well():
    """Where no line is found, a number is not 0 but absent: a count of nothing would be 0."""
    for panel in PANELS.values():
        for search in panel.findall("single/search"):
            text = query(search)
            assert not re.search(r"\b(count|dc)\b", text) or "where hosts > 0" in text


def test_an_alert_leads_to_its_lines():
    """A click fills the input, whose token opens the panel; the lines come in their order."""
    for title in ("Recent alerts", "Last errors and warnings"):
        assert PANELS[title].find(".//drilldown//set").get("token") == "form.id"
    (row,) = (row for row in ROOT.findall("row") if row.get("depends") == "$id$")
    assert "id=$id|s$ | sort 0 _time" in query(row.find(".//search"))


def test_a_host_without_a_forwarder_is_told_where_to_start_one():
    """By the name that the input has in Splunk Web."""
    source = (APP / "bin/parapet/modular_input.py").read_text(encoding="utf-8")
    (title,) = re.findall(r'Scheme\("(.+)"\)', source)
    assert f"Settings, Data inputs, {title}." in query(PANELS["Hosts"].find(".//search"))


def line(ago_s, event, host="sh1", **fields):
    """A line of the log, as Splunk has it."""
    found = {"host": host, "event": event, "index": "_internal", "sourcetype": "parapet_security:log"}
    return {"_time": float(NOW - ago_s), "_raw": event, **found, **fields}


def state(ago_s, host="sh1", **fields):
    """A state line; what is not said is as it should be."""
    return line(ago_s, "outbox.state", host, **{**WELL, **fields})


def shown(title, *lines, **chosen):
    """The rows of a panel over a log."""
    view = View(TEXT, **{"host": "*", "tenant": "*", **chosen})
    _, search, earliest, latest = view.by_name()[title]
    events = tuple(sorted(lines, key=lambda each: -each["_time"]))
    return pipeline.run(search, sources.world()._replace(events=events, now=float(NOW)).over(earliest, latest))


@pytest.mark.parametrize(
    ("lines", "verdict"),
    [
        ([state(30)], "Delivers."),
        ([state(30), state(90, held="main", waiting="9")], "Delivers."),
        ([state(30, dead="2")], "Delivers. Look at its dead letters"),
        ([state(30, held="eu")], "Delivers, but a tenant is held: eu."),
        ([state(30, waiting="1", oldest_s="1000")], "Alerts wait for 17 min."),
        ([state(30, blocked="eu")], "Tenants that cannot be called, so that their alerts wait: eu."),
        ([state(30, role="handler")], "No forwarder: "),
        ([state(720)], "No deliverer for 12 min. Start the forwarder: "),
        ([state(720), line(60, "handler.finished", dead="7")], "No deliverer for 12 min. Start the forwarder: "),
        ([state(720, waiting="1")], "Alerts wait, and nobody has delivered for 12 min. Start the forwarder: "),
        ([state(720), line(60, "alert.kept", id=ID)], "Alerts wait, and nobody has delivered for 12 min. "),
        ([line(60, "alert.undeliverable", id=ID)], "Nobody delivers: "),
    ],
)
def test_a_host_is_judged_by_its_newest_state_and_what_came_after(lines, verdict):
    """In words, and first in the table where nobody delivers."""
    rows = shown("Hosts", state(30, "sh2"), *lines)
    assert {row["Host"] for row in rows} == {"sh1", "sh2"}
    (row,) = (row for row in rows if row["Host"] == "sh1")
    assert row["Verdict"].startswith(verdict)
    (single,) = shown("Hosts without a deliverer", state(30, "sh2"), *lines)
    alone = int(single["alone"])
    assert alone == ("forwarder: " in verdict or "Nobody" in verdict or "nobody" in verdict)
    assert alone == 0 or rows[0] == row


def test_the_numbers_of_now_are_those_of_the_newest_state_of_each_host():
    """What a host said before does not count, nor what another event says in a field of the same name."""
    log = [
        *(state(30, waiting="2", oldest_s="90", dead="1", held="eu"), state(90, waiting="50", dead="9", held="us")),
        *(state(40, "sh2", held="eu", blocked="test"), line(10, "handler.finished", "sh2", dead="4")),
    ]
    found = {title: shown(title, *log) for title in ("Waiting now", "Oldest waits now", "Dead letters now")}
    assert found == {
        "Waiting now": [{"waiting": "2"}],
        "Oldest waits now": [{"oldest": "2"}],
        "Dead letters now": [{"dead": "1"}],
    }
    assert shown("Held tenants now", *log) == [{"tenants": "2"}]
    assert shown("Waiting now", *log, host="sh2") == [{"waiting": "0"}]


@pytest.mark.parametrize("title", ["Delivered", *(title for title in PANELS if title.endswith(" now"))])
def test_a_number_of_nothing_is_none(title):
    """Whoever cannot see the log is not told that all is well."""
    assert not [row for row in shown(title) if row]


def test_a_delivery_counts_for_its_tenant_its_search_and_its_host():
    """Each table has all of them; a name with a word of another table in front stays in its own."""
    log = [
        line(60, "delivery.delivered", tenant="main", search="tenant host", attempts="1", delay_s="1.0"),
        line(50, "delivery.delivered", tenant="main", search="tenant host", attempts="3", delay_s="3.0"),
        line(40, "delivery.delivered", "sh2", tenant="eu", attempts="1", delay_s="5.0"),
    ]
    assert shown("Delivered", *log) == [{"alerts": "3"}]
    for kind, first, second in (
        ("Tenant", "main", "eu"),
        ("Search", "tenant host", "(no name)"),
        ("Host", "sh1", "sh2"),
    ):
        rows = [(row[kind], row["Alerts"], row["Attempts"]) for row in shown("Delivered by " + kind.lower(), *log)]
        assert rows == [(first, "2", "4"), (second, "1", "1")]


@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        (["alert.queued"], "stored"),
        (["delivery.delivered", "alert.queued"], "delivered"),
        (["alert.queued", "delivery.deferred"], "waits, an attempt failed"),
        (["delivery.dead", "delivery.revived"], "waits, to be tried again"),
        (["delivery.dead"], "dead letter"),
        (["delivery.delivered", "delivery.row_dead"], "delivered"),
        (["alert.undeliverable"], "stored, needs somebody"),
        (["alert.lost"], "lost"),
    ],
)
def test_an_alert_is_where_its_last_delivery_says(events, wanted):
    """Not where the action says, which may write later than who delivered."""
    log = [line(60 - ago, event, id=ID, tenant="main") for ago, event in enumerate(events)]
    (row,) = shown("Recent alerts", *log)
    assert (row["id"], row["State"]) == (ID, wanted)
    assert shown("Recent alerts", *log, tenant="eu") == []


def test_errors_that_concern_every_tenant_are_there_for_each():
    """A tenant that is chosen hides those of the others only; each says what to do."""
    log = [
        line(60, "settings.failed", log_level="ERROR", reason="401"),
        line(50, "delivery.dead", log_level="ERROR", tenant="eu", reason="status_400", id=ID),
        line(40, "tenant.refused", log_level="ERROR", tenant="main", reason="status_401", todo="replace the token"),
        line(30, "forwarder.started", log_level="INFO"),
    ]
    rows = shown("Last errors and warnings", *log, tenant="main")
    assert [row["Reason"] for row in rows] == ["status_401", "401"]
    assert rows[0]["What to do"] == "replace the token"
    assert "settings.failed in operate.md" in rows[1]["What to do"]
