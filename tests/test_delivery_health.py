"""Tests of the dashboard Delivery health: where its searches look, what its panels wait for, and what a click does.

They must not judge the search language, nor how the page looks; what it says of a log is in test_delivery_health_panels.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from tests.conf import APP, CONFS, META
from tests.standins.splunk_web_simplexml import check

TEXT = (APP / "default/data/ui/views/delivery_health.xml").read_text(encoding="utf-8")
ROOT = ET.fromstring(TEXT)  # noqa: S314  # the app's own file
SEARCHES = list(ROOT.iter("search"))
PANELS = {panel.findtext("title"): panel for panel in ROOT.iter("panel")}
VISUAL = ("single", "table", "chart")


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
            assert re.search(r"If (this table|the chart) is empty: ", text), title
            assert not re.search(r"(^|\. )Empty", text), title
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


def test_everything_is_as_new_as_the_rest():
    """A page that says "now" begins its searches again, all of them; but not what fills the inputs."""
    for search in SEARCHES:
        if not search.get("base") and search.get("id") != "names":
            assert (search.findtext("refresh"), search.findtext("refreshType")) == ("2m", "delay"), query(search)


def test_the_state_of_the_hosts_is_read_from_few_lines():
    """Deliveries are most of the log, and say nothing about it."""
    (hosts,) = (search for search in SEARCHES if search.get("id") == "hosts")
    assert "event IN (" in query(hosts).partition("|")[2].partition("| dedup")[0]
    assert "delivery" not in query(hosts)


def test_a_click_on_a_name_narrows_the_page():
    """To the host or tenant that was clicked, whatever cell of the others is."""
    for title, name in [
        *(("Hosts", "Host"), ("Last errors and warnings", "Host")),
        *(("Delivered by host", "Host"), ("Delivered by tenant", "Tenant")),
    ]:
        (chosen,) = PANELS[title].findall(f".//drilldown/condition[@field='{name}']/set")
        assert (chosen.get("token"), chosen.text) == (f"form.{name.lower()}", "$click.value2$")
        assert [list(other) for other in PANELS[title].findall(".//drilldown/condition") if not other.attrib] == [[]]
        assert PANELS[title].find(".//option[@name='drilldown']").text == "cell"


def test_a_tenant_can_be_mended_one_click_away():
    """The verdicts speak of the setup page."""
    assert [link.get("href") for link in PANELS["Hosts"].iter("a")] == ["setup"]


def test_no_line_is_drawn_over_a_time_without_deliveries():
    """It would say that all went on as before."""
    options = {option.get("name"): option.text for option in ROOT.iter("option")}
    assert options["charting.chart.nullValueMode"] == "gaps"


def test_no_time_range_can_be_chosen_that_never_ends():
    """What begins again every two minutes has to end; times.conf.spec names the setting."""
    assert CONFS["times.conf"] == {"settings": {"show_realtime": "false"}}
    assert "times" not in META


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
