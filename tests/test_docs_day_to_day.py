"""What the documentation says of Enterprise Security, alerts, saved searches, access and capacity, held against the app.

Must not judge the prose; what it can compare, it compares in full.
"""

from __future__ import annotations

import json
import re

import jsonschema
import pytest
from parapet import chores, entry, matters, modaction, notable, severity
from parapet.rows import Selector
from parapet.settings import Delivery

from bench import capacity, place
from tests.conf import APP, CONFS, META
from tests.doc_pages import PAGES, bare, read, table
from tests.spl import pipeline, shipped, sources
from tests.standins import splunk, tenant_contract
from tests.test_contract_samples import SCHEMA

SAVED = CONFS["savedsearches.conf"]
ACTION = CONFS["alert_actions.conf"]["parapet_security"]
VIEW = (APP / "default/data/ui/views/delivery_health.xml").read_text(encoding="utf-8")
ES = "docs/enterprise-security.md"
# Enterprise Security's own.
MACROS_OF_OTHERS = {"notable"}


def one_line(name):
    """A page without its line breaks."""
    return " ".join(read(name).split())


def row(name, first_cell, begin):
    """The row of a table whose first cell is this."""
    (found,) = [cells for cells in table(name, first_cell) if bare(cells[0]) == begin]
    return found


def test_every_key_about_enterprise_security_is_explained():
    """Those that the app can send, and the contract knows."""
    keys = [bare(cells[0]) for cells in table("docs/enterprise-security.md", "`enterprise_security`")]
    assert sorted(keys) == sorted([*notable._KEYS, "annotations"])
    assert set(keys) == set(tenant_contract.ENTERPRISE_SECURITY)


def test_the_body_of_the_page_is_one_that_the_app_sends():
    """It keeps the contract, and the code makes its severity and its object of its row."""
    (block,) = re.findall(r"^    \{\n(?:     .*\n)+    \}\n", read("docs/enterprise-security.md"), re.MULTILINE)
    body = json.loads(block)
    jsonschema.Draft202012Validator(SCHEMA).validate(body)
    assert body["enterprise_security"] == notable.describe(body["results"], {}, Selector("*", ""))
    fields = ACTION["param.severity_fields"]
    assert body["severity"] == severity.resolve("auto", fields, "", body["results"], "")[0]


def test_the_order_of_severities_is_told_alike_wherever_it_stands():
    """The row, then what a correlation search gives its notables, then the alert's own."""
    row_first = severity.resolve("auto", "urgency", "", {"urgency": "low"}, "5", notable_severity="high")
    notable_next = severity.resolve("auto", "urgency", "", {}, "5", notable_severity="high")
    assert (row_first[0], notable_next[0]) == ("low", "high")
    app = APP.name
    for name in (
        *("docs/alerts.md", "docs/configure.md", f"{app}/README/alert_actions.conf.spec"),
        *(f"{app}/README/savedsearches.conf.spec", f"{app}/default/data/ui/alerts/parapet_security.html"),
    ):
        page = re.sub(r"\s\*? *", " ", one_line(name))
        assert re.search(r"what a correlation search gives its notables[,;] (?:then|else)", page), name


def test_the_bands_of_the_risk_searchs_severity_are_those_that_are_shipped():
    """Who sets a threshold by them must not be told of others."""
    search = SAVED["Parapet Security - Risk events"]["search"]
    bands = re.findall(r'risk_score\)? *>= *(\d+), *"(\w+)"', search)
    told = re.search(r"of the risk score: (\w+) from (\d+) on, (\w+) from (\d+) on, else (\w+)", one_line(ES))
    critical, at_80, high, at_60, rest = told.groups()
    assert bands == [(at_80, critical), (at_60, high)]
    assert f'"{rest}"' in search


def test_every_status_of_a_response_is_explained():
    """The words are those of the lines that ES reads."""
    described = [bare(cells[0]) for cells in table("docs/enterprise-security.md", "status")]
    source = (APP / "bin/parapet/modaction.py").read_text(encoding="utf-8")
    assert set(described) == set(re.findall(r'"(pending|success|failure)"', source))
    page = one_line("docs/enterprise-security.md")
    assert f'("{modaction.INVOKED}", and the outcome)' in page
    assert f"{modaction.ROWS_MOST} at most" in page


def test_the_action_can_be_run_by_hand_as_the_page_says():
    """Otherwise the page leads to a button that is not there."""
    assert '"supports_adhoc": true' in ACTION["param._cam"]
    assert ACTION["command"].startswith("sendalert ")


def test_every_saved_search_is_listed_and_off():
    """Nothing runs that nobody switched on."""
    assert [bare(cells[0]) for cells in table("docs/operate.md", "saved search")] == list(SAVED)
    assert {settings["disabled"] for settings in SAVED.values()} == {"1"}
    with_action = [name for name, settings in SAVED.items() if settings.get("action.parapet_security") == "1"]
    assert with_action == list(SAVED)[:2]


def test_every_saved_search_that_a_page_names_is_there():
    """One of another name is not found."""
    named = {
        name
        for page in PAGES
        for name in re.findall(r"Parapet Security - [\w\- ]+", " ".join(page.read_text(encoding="utf-8").split()))
    }
    assert named == set(SAVED)


def test_schedule_and_throttling_are_quoted_as_they_are_shipped():
    """Who relies on them must not be told of others."""
    risk = SAVED["Parapet Security - Risk events"]
    rows = {cells[0]: cells[1] for cells in table("docs/enterprise-security.md", "what it does")}
    assert risk["cron_schedule"].split()[0].endswith("/5")
    assert rows["when"].startswith("every five minutes")
    assert int(re.search(r"risk_score >= (\d+)", risk["search"]).group(1)) == 50
    assert "`risk_score` of 50 or more" in rows["which events"]
    windows = re.findall(r"info_max_time - (\d+)", risk["search"])
    assert "from {:g} to {:g} minutes before".format(*(int(seconds) / 60 for seconds in windows)) in rows["when"]
    for name in risk["alert.suppress.fields"].split(", "):
        assert f"`{name}`" in rows["throttling"]
    assert rows["throttling"].endswith("once in " + risk["alert.suppress.period"])
    waits = SAVED["Parapet Security - Alerts have waited for more than 15 minutes"]
    told = row("docs/operate.md", "saved search", "Parapet Security - Alerts have waited for more than 15 minutes")[1]
    assert told.endswith("once in " + waits["alert.suppress.period"])


def test_what_a_lost_member_held_is_judged_by_the_last_that_became_of_it():
    """Line by line; a retried dead letter waits again, and the action may write after the forwarder."""
    lives = {
        "stored": ["alert.queued"],
        "delivered": ["delivery.delivered", "alert.queued"],
        "direct": ["alert.delivered"],
        "dead": ["alert.queued", "delivery.dead"],
        "revived": ["alert.queued", "delivery.dead", "delivery.revived"],
        "went": ["alert.kept", "delivery.dead", "delivery.revived", "delivery.delivered"],
    }
    facts = {"host": "MEMBER", "index": "_internal", "sourcetype": "parapet_security:log"}
    events = tuple(
        {**facts, "_time": str(1769614200 + second), "id": name, "event": event, "search": "A search", "sid": "1"}
        for name, life in lives.items()
        for second, event in enumerate(life)
    )
    (one,) = [one for one in shipped.searches() if one.file == "docs/clusters.md" and "delivery.revived" in one.text]
    rows = pipeline.run(one.text, sources.world()._replace(events=events, now=1769616000.0).over("", "now"))
    assert sorted(row["id"] for row in rows) == ["revived", "stored"]


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_macro_in_a_search_of_a_page_exists(page):
    """Splunk refuses a search with a macro that it does not know."""
    searches = re.findall(r"^ {4,}.*$", page.read_text(encoding="utf-8"), re.MULTILINE)
    named = {name for line in searches for name in re.findall(r"`(\w+)`", line)}
    assert named <= set(CONFS["macros.conf"]) | MACROS_OF_OTHERS


def test_the_dashboard_is_where_the_page_says():
    """Apps, the app's label, the view's label."""
    (label,) = re.findall(r"<label>(.+)</label>", VIEW.partition("<fieldset")[0])
    assert f"Apps → {CONFS['app.conf']['ui']['label']} → {label}" in one_line("docs/operate.md")


def test_splunks_limits_are_those_of_the_action_and_of_the_stand_in():
    """A reader counts on them."""
    values = {cells[0]: cells[1] for cells in table("docs/alerts.md", "limit")}
    assert values["rows that the action gets"] == ACTION["maxresults"]
    assert values["how long the action may run"] == ACTION["maxtime"]
    assert values['alerts of one run, "For each result"'] == str(splunk._MAX_PER_RESULT)


def test_who_may_do_what_is_what_the_metadata_says():
    """The page quotes the lists as they are."""
    page = one_line("docs/access.md")
    for rule in ("read : [ * ]", "write : [ admin, sc_admin ]"):
        assert f"`{rule}`" in page
        assert rule in META[""]["access"]
    (commands,) = [cells[0] for cells in table("docs/access.md", "what") if "parapettest" in cells[0]]
    assert set(re.findall(r"`\| (\w+)`", commands)) == set(CONFS["commands.conf"])


def test_the_way_to_an_index_of_its_own_begins_where_the_log_is_read():
    """With another sourcetype or macro it would change nothing, and say nothing."""
    (block,) = re.findall(r"^    # props\.conf\n(?:    .*\n|\n)+", read("docs/access.md"), re.MULTILINE)
    sourcetype, transform, macro = re.findall(r"\[(\S+)\]", block)
    assert sourcetype in CONFS["props.conf"]
    assert f"TRANSFORMS-index = {transform}\n" in block
    assert macro in CONFS["macros.conf"]
    index = re.search(r"FORMAT = (\S+)", block).group(1)
    assert f"definition = index={index}\n" in block


def test_the_tables_of_the_capacity_page_are_those_of_the_measurement():
    """So that they can be measured again and put side by side."""
    page = read("docs/capacity.md")
    for head in (capacity.SPEED, capacity.SIZE):
        assert capacity.table(head, []).splitlines()[0] in page
    rows = table("docs/capacity.md", capacity.SPEED[0])
    wanted = [
        (str(load.rows), f"{load.latency_s * 1000:.0f} ms" if load.latency_s else "at once", str(load.workers))
        for load in capacity.LOADS
    ]
    assert [tuple(cells[:3]) for cells in rows] == wanted
    assert "python -m bench.capacity" in page


def test_the_example_of_the_outboxs_size_is_right():
    """From the default and the measured bytes, step by step."""
    page = one_line("docs/capacity.md")
    size = int(row("docs/capacity.md", "alert", "one row")[2].replace(",", "").split()[0])
    share = 1 - 1 / chores._DEAD_SHARE
    count = int(share * Delivery().outbox_max_bytes / size)
    hours = count / 600
    assert f"{share:g} × outbox_max_bytes" in page
    assert f"default of {Delivery().outbox_max_bytes} bytes (1 GiB), one row an alert ({size:,} bytes)" in page
    assert f"{count:,} alerts, or {hours:.0f} hours, which is {hours / 24:.0f} days" in page
    assert f"{count:,} alerts need {2 * count:,} inodes" in page
    assert f"From {matters._FULL_FROM} % on" in page


def test_what_an_alert_takes_in_the_outbox_is_still_about_what_the_page_says(tmp_path):
    """The format of an entry decides it; a tenth more or less is another search's name."""
    bench = capacity.Bench(tmp_path)
    with bench.scene(workers=1) as scene:
        bench.put(scene, rows=1)
        (alert,) = scene.outbox.glob("new/*.alert")
        told = int(row("docs/capacity.md", "alert", "one row")[1].replace(",", "").split()[0])
        assert abs(alert.stat().st_size - told) < told / 10
        assert entry.parse_header(alert.read_bytes()).alert.row == place.row(0)


def test_the_measurement_runs(monkeypatch, capsys):
    """Small, but all of it."""
    monkeypatch.setattr(capacity, "LARGE", 4000)
    monkeypatch.setattr(capacity, "INDEXED", 10)
    capacity.main([capacity.Load(rows=2, latency_s=0.0, workers=2, count=5)])
    printed = capsys.readouterr().out
    for head in (capacity.SPEED, capacity.SIZE):
        assert capacity.table(head, []) in printed
    assert "| 2 | at once | 2 |" in printed
    assert "4,000 rows of 20 fields: 3 requests" in printed
