"""What the shipped searches find: run over an hour and a half of three search heads (`tests.spl.day`).

They must not look into a search; rows are what they compare. Sentences for the reader are compared by what they begin with.
"""

from __future__ import annotations

import pytest

from tests.conf import APP
from tests.spl import day, pipeline, shipped
from tests.spl.views import View

PREFIX = "Parapet Security - "
VIEW = (APP / "default/data/ui/views/delivery_health.xml").read_text(encoding="utf-8")
SHIPPED = shipped.searches()
WHOLE = [one for one in SHIPPED if not one.is_part]


@pytest.fixture(scope="module", name="world")
def world_fixture(tmp_path_factory):
    """The day, read by Splunk's extractions from the lines that the app's log wrote."""
    with pytest.MonkeyPatch.context() as patch:
        return day.world(tmp_path_factory.mktemp("day"), patch)


def found(world, text, earliest="", latest=""):
    """The rows of a search."""
    return pipeline.run(text, world.over(earliest, latest))


def shipped_rows(world, file, name):
    """The rows of the search of this name in a file."""
    (one,) = [one for one in SHIPPED if one.file.endswith(file) and one.name == name]
    return found(world, one.text, one.earliest, one.latest)


def panel(world, name, **chosen):
    """The rows of one panel of the dashboard, with tokens that somebody has chosen."""
    return found(world, *View(VIEW, **chosen).by_name()[name][1:])


def columns(rows, *names):
    """Some columns of rows, "" where a row has none."""
    return [tuple(row.get(name, "") for name in names) for row in rows]


@pytest.mark.parametrize("one", WHOLE, ids=[f"{one.file}: {one.name}" for one in WHOLE])
def test_every_search_runs(world, one):
    """No search uses what nobody here can run: whoever adds one to a dashboard adds it to tests/spl, and says what it finds."""
    found(world, one.text, one.earliest, one.latest)


def test_alerts_that_wait_are_told_of_each_host(world):
    """Of the one that fell silent too: its alert waits on; the one that is well is not in it."""
    rows = shipped_rows(world, "savedsearches.conf", PREFIX + "Alerts have waited for more than 15 minutes")
    assert columns(rows, "host", "waiting", "waited_min", "held", "paused", "blocked", "role") == [
        ("sh2", "1", "45", "", "", "", "action"),
        ("sh3", "3", "60", "eu", "old", "lab", "forwarder"),
    ]
    assert all(row["todo"] for row in rows)


def test_nothing_is_told_while_all_is_well(world):
    """The same searches, on the host that is well, find nothing."""
    well = world._replace(events=tuple(event for event in world.events if event["host"] == "sh1"))
    for name in ("Alerts have waited for more than 15 minutes", "Alerts were dead-lettered", "Alerts were lost"):
        assert shipped_rows(well, "savedsearches.conf", PREFIX + name) == []


def test_dead_letters_are_told_once_each_but_those_that_somebody_dropped(world):
    """By host, event, tenant, search and reason; a removed one, whose tenant nobody knows any more, too."""
    rows = shipped_rows(world, "savedsearches.conf", PREFIX + "Alerts were dead-lettered")
    assert columns(rows, "host", "event", "tenant", "search", "reason", "count") == [
        ("sh3", "delivery.dead", "main", 'Say "hi"', "status_400", "1"),
        ("sh3", "delivery.expired", "-", "-", "space", "1"),
        ("sh3", "delivery.row_dead", "main", "Big rows", "status_413", "1"),
    ]
    assert all(row["todo"] and row["_time"] for row in rows)


def test_what_is_wrong_with_the_app_itself_is_told(world):
    """A forwarder that was ended half a minute ago is for the next run, or the one after it."""
    name, later = PREFIX + "Alerts were lost", world._replace(now=day.NOW + 240)
    assert shipped_rows(world, "savedsearches.conf", name) == []
    rows = shipped_rows(later, "savedsearches.conf", name)
    assert columns(rows, "host", "event", "reason", "count") == [("sh3", "forwarder.stuck", "-", "1")]


def test_a_dead_letter_is_in_one_run_and_one_only(world):
    """Whenever its line was indexed: the runs of a day together find each line once."""
    (one,) = [one for one in SHIPPED if one.name == PREFIX + "Alerts were dead-lettered"]
    told = 0
    for minutes in range(0, 120, 15):
        later = world._replace(now=day.NOW - 1800 + minutes * 60)
        told += sum(int(row["count"]) for row in found(later, one.text, one.earliest, one.latest))
    assert told == 3


def test_the_risk_search_takes_what_is_high_enough_and_indexed(world):
    """The threshold itself counts; what is too new is for the next run. MITRE ids stay lists."""
    rows = shipped_rows(world, "savedsearches.conf", PREFIX + "Risk events")
    assert columns(rows, "risk_object", "risk_score", "severity") == [
        ("alice", "80", "critical"),
        ("bob", "50", "medium"),
    ]
    assert rows[0]["annotations.mitre_attack"] == ["T1110", "T1078"]


def test_the_guides_example_finds_who_guesses_passwords(world):
    """More than ten, by address and user, read from the line itself: no add-on gives these fields."""
    bare = world._replace(
        events=tuple({k: v for k, v in event.items() if k not in ("user", "src_ip")} for event in world.events)
    )
    rows = shipped_rows(bare, "savedsearches.conf", PREFIX + "Failed passwords")
    assert columns(rows, "src_ip", "user", "host", "count") == [("198.51.100.7", "root", "web1", "12")]
    assert rows[0]["_time"] == str(int(day.NOW - 120))


DELIVERED = ("5", "0.5", "10", "6")
PANELS = {
    "search names": (("host", "tenant"), [
        ("sh1", "-"), ("sh1", "main"), ("sh2", "-"), ("sh2", "main"), ("sh3", "-"), ("sh3", "eu"), ("sh3", "lab"), ("sh3", "main"),
    ]),
    "search hosts": (("host", "role", "waiting", "dead", "held", "blocked"), [
        ("sh1", "forwarder", "0", "0", "", ""), ("sh2", "action", "1", "0", "", ""), ("sh3", "forwarder", "3", "2", "eu", "lab"),
    ]),
    "search delivered": (("group", "alerts"), [("host sh1", "5"), ("search Failed SSH Logins", "5"), ("tenant main", "5")]),
    "search outcome": (("host", "delivered", "lost"), [("sh1", "5", "0"), ("sh2", "0", "0"), ("sh3", "0", "0")]),
    "input host": (("host",), [("sh1",), ("sh2",), ("sh3",)]),
    "input tenant": (("tenant",), [("eu",), ("lab",), ("main",)]),
    "Delivered": (("alerts",), [("5",)]),
    "Lost": (("lost",), [("0",)]),
    "Waiting now": (("waiting",), [("4",)]),
    "Oldest alert has waited": (("oldest",), [("60",)]),
    "Dead letters now": (("dead",), [("2",)]),
    "Tenants not called now": (("tenants",), [("2",)]),
    "Hosts without a deliverer": (("alone",), [("1",)]),
    "Hosts": (("Host", "Delivered by", "Waiting", "Oldest waits (min)", "Dead letters", "Outbox full (%)", "Last state line"), [
        ("sh2", "action", "1", "45", "0", "0", "2026-01-28 15:20:00"),
        ("sh3", "forwarder", "3", "60", "2", "25", "2026-01-28 16:00:00"),
        ("sh1", "forwarder", "0", "", "0", "0", "2026-01-28 16:00:00"),
    ]),
    "Delivered by tenant": (("Tenant", "Alerts", "Median (s)", "95th percentile (s)", "Attempts"), [("main", *DELIVERED)]),
    "Delivered by host": (("Host", "Alerts", "Median (s)", "95th percentile (s)", "Attempts"), [("sh1", *DELIVERED)]),
    "Delivered by search": (("Search", "Alerts", "Median (s)", "95th percentile (s)", "Attempts"), [("Failed SSH Logins", *DELIVERED)]),
    "Response actions in Enterprise Security": (("Status", "Mode", "Invocations", "Median (ms)"), [
        ("failure", "adhoc", "2", "300"), ("success", "saved", "1", "1000"),
    ]),
    "Last errors and warnings": (("Level", "Lines", "Host", "Event", "Tenant", "Reason"), [
        ("FATAL", "1", "sh3", "forwarder.stuck", "-", "-"),
        ("ERROR", "1", "sh3", "delivery.dead", "main", "dropped"),
        ("ERROR", "1", "sh3", "delivery.row_dead", "main", "status_413"),
        ("ERROR", "1", "sh3", "delivery.dead", "main", "status_400"),
        ("ERROR", "1", "sh2", "alert.undeliverable", "main", "no right to read the token"),
        ("ERROR", "1", "sh3", "tenant.unusable", "lab", "tenant lab is not configured"),
        ("ERROR", "1", "sh3", "tenant.refused", "eu", "certificate"),
        ("ERROR", "1", "sh3", "tenant.refused", "main", "status_401"),
        ("WARN", "1", "sh3", "settings.problem", "-", "[delivery] workers: abc is no number; 4 counts"),
        ("WARN", "1", "sh3", "delivery.expired", "-", "space"),
        ("WARN", "3", "sh3", "delivery.deferred", "eu", "certificate"),
    ]),
    "Recent alerts": (("id", "Host", "State"), [
        *[("1" + f"{number:019d}", "sh1", "delivered") for number in (4,)],
        ("3" + f"{5:019d}", "sh3", "dead letter"),
        ("3" + f"{6:019d}", "sh3", "removed"),
        ("3" + f"{8:019d}", "sh3", "stored"),
        ("3" + f"{7:019d}", "sh3", "dead letter"),
        ("1" + f"{3:019d}", "sh1", "delivered"),
        ("1" + f"{2:019d}", "sh1", "delivered"),
        ("2" + f"{0:019d}", "sh2", "stored, needs somebody"),
        *[("3" + f"{number:019d}", "sh3", "waits, an attempt failed") for number in (2, 1, 0)],
        ("1" + f"{1:019d}", "sh1", "delivered"),
        ("1" + f"{0:019d}", "sh1", "delivered"),
    ]),
}  # fmt: skip
ELSEWHERE = {"Seconds from trigger to delivery", "Lines of alert $id$"}


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_shows_what_happened(world, name):
    """With nothing chosen: every host, every tenant, the last day."""
    names, rows = PANELS[name]
    assert columns(panel(world, name), *names) == rows


def test_every_panel_has_its_test():
    """A panel that is new needs a line above."""
    assert {search[0] for search in View(VIEW).searches()} == {*PANELS, *ELSEWHERE}


def test_the_verdict_on_a_host_says_who_delivers_there(world):
    """At a glance: who does not, first."""
    verdicts = {row["Host"]: row["Verdict"] for row in panel(world, "Hosts")}
    assert verdicts["sh1"] == "Delivers."
    assert verdicts["sh2"].startswith("Alerts wait, and nobody has delivered for 40 min.")
    assert "lab" in verdicts["sh3"]


def test_the_delay_is_drawn_over_time(world):
    """One point a span; where nothing was delivered there is none."""
    _, text, *_ = View(VIEW).by_name()["Seconds from trigger to delivery"]
    rows = found(world, text, "-90m", "now")
    assert columns([row for row in rows if len(row) > 1], "Median", "95th percentile") == [
        ("0.2", "0.2"), ("0.3", "0.3"), ("0.5", "0.5"), ("1", "1"), ("10", "10"),
    ]  # fmt: skip
    assert len(rows) == 91


@pytest.mark.parametrize(
    ("name", "chosen", "names", "rows"),
    [
        ("Hosts", {"host": "sh3"}, ("Host",), [("sh3",)]),
        ("Waiting now", {"host": "sh1"}, ("waiting",), [("0",)]),
        ("Delivered", {"tenant": "eu"}, ("alerts",), [("0",)]),
        ("Delivered by tenant", {"tenant": "main", "host": "sh1"}, ("Alerts",), [("5",)]),
        ("Recent alerts", {"tenant": "eu"}, ("State",), [("waits, an attempt failed",)] * 3),
        ("Recent alerts", {"host": 'sh"1'}, ("State",), []),
        (
            "Lines of alert $id$",
            {"id": f"1{3:019d}"},
            ("Event", "Host", "Search"),
            [("alert.queued", "sh1", "Failed SSH Logins"), ("delivery.delivered", "sh1", "Failed SSH Logins")],
        ),
        ("Lines of alert $id$", {"id": f"3{7:019d}"}, ("Event", "Search"), [("delivery.dead", 'Say "hi"')]),
    ],
)
def test_a_choice_narrows_a_panel(world, name, chosen, names, rows):
    """Host, tenant and the id of a row that was clicked; a quote in one is no end of the text."""
    assert columns(panel(world, name, **chosen), *names) == rows


def test_the_setup_page_lists_the_members_by_their_newest_line(world):
    """Not a hold that is over: a line leaves out what is not."""
    (one,) = [one for one in SHIPPED if one.file.endswith("setup.js") and "outbox.state" in one.text]
    assert columns(found(world, one.text), "host", "waiting", "held", "blocked") == [
        ("sh1", "0", "", ""),
        ("sh3", "3", "eu", "lab"),
    ]


def test_the_drilldown_of_a_response_finds_its_lines(world):
    """With the sid and rid that Enterprise Security fills in: what was told of that run."""
    (one,) = [one for one in SHIPPED if one.name.endswith("drilldown_uri")]
    text = one.text.replace('sid="x"', f'sid="{day.ALERT.sid}"').replace('rid="x"', 'rid="0"')
    assert text != one.text
    rows = found(world, text, one.earliest, one.latest)
    assert columns(rows, "action_status", "search_name")[-1] == ("pending", "Failed SSH Logins")
    assert {row.get("action_status", "") for row in rows} == {"", "pending", "success"}


def test_the_searches_of_the_documentation_find_what_the_text_says(world):
    """Those of operate.md: what was delivered, what waits, who is silent, what is dead."""
    rows = [
        columns(found(world, one.text), "host", "tenant", "count", "waiting", "oldest_s")
        for one in SHIPPED
        if one.file == "docs/operate.md" and "stats" in one.text
    ]
    assert [("sh1", "main", "5", "", "")] in rows
    assert any(row[0] == "sh2" for found_rows in rows for row in found_rows)
