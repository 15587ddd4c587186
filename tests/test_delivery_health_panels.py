"""Tests of what the dashboard Delivery health says of a log: a few lines, and the rows of one panel.

They must not look at the page itself, which test_delivery_health does.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from tests.conf import APP
from tests.spl import pipeline, sources
from tests.spl.views import View

TEXT = (APP / "default/data/ui/views/delivery_health.xml").read_text(encoding="utf-8")
TITLES = [panel.findtext("title") for panel in ET.fromstring(TEXT).iter("panel")]  # noqa: S314  # the app's own file
NOW = 1800000000
ID = "75634c09ed0b49925052"
WELL = {"role": "forwarder", "waiting": "0", "dead": "0", "oldest_s": "0", "bytes": "5", "max_bytes": "100"}


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
        (
            [state(30, paused="eu", waiting="1", oldest_s="60")],
            "Delivers. Paused: eu. Resume it on the setup page, or ignore",
        ),
        ([state(30, paused="eu", waiting="1", oldest_s="1000")], "Alerts wait for 17 min. Paused: eu. Resume it"),
        ([state(30, bytes="79.9")], "Delivers."),
        ([state(30, bytes="80")], "Delivers. The outbox is 80 % full; "),
        ([state(30, bytes="99", blocked="eu")], "Tenants that cannot be called, so that their alerts wait: eu."),
        ([state(30, waiting="1", oldest_s="1000", held="eu")], "Alerts wait for 17 min. Held for a while: eu."),
        ([state(30), line(20, "outbox.unavailable")], "The outbox takes no alerts: "),
        ([state(30), line(800, "outbox.unavailable")], "The outbox takes no alerts: "),
        ([state(30), line(1000, "outbox.unavailable")], "Delivers."),
        ([line(1000, "outbox.unavailable")], "The outbox takes no alerts: "),
        ([state(30), line(20, "outbox.unavailable"), line(19, "alert.lost")], "An alert was lost: "),
        ([state(3000), line(2000, "alert.lost")], "An alert was lost: "),
        ([state(30), line(1000, "alert.lost")], "Delivers."),
        ([line(60, "outbox.lock_failed"), line(50, "alert.lost")], "The file system of the outbox cannot lock: "),
        ([state(720), line(60, "outbox.lock_failed")], "The file system of the outbox cannot lock: "),
        ([state(30), line(60, "outbox.lock_failed")], "Delivers."),
        ([line(60, "forwarder.started")], "Nobody delivers: "),
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
    states = [each for each in lines if each["event"] == "outbox.state" and each["_time"] > NOW - 300]
    has_forwarder = bool(states) and max(states, key=lambda each: each["_time"])["role"] == "forwarder"
    can_lock = "cannot lock" not in verdict
    assert int(single["alone"]) == (can_lock and not has_forwarder)
    assert "forwarder" not in row["Verdict"] or can_lock
    assert rows[0] == row or verdict.startswith("Delivers")


def test_the_verdict_keeps_what_else_there_is_to_know():
    """A fault does not hide an outbox that fills up, nor dead letters, nor a pause."""
    (row,) = shown("Hosts", state(30, bytes="99", blocked="lab", held="us", paused="eu", dead="1"))
    (both,) = shown("Hosts", state(720), line(60, "alert.lost"))
    assert "was lost" in both["Verdict"]
    assert "No deliverer for 12 min. Start the forwarder" in both["Verdict"]
    for part in ("wait: lab.", "Held for a while: us.", "is 99 % full", "Paused: eu.", "dead letters"):
        assert part in row["Verdict"]


def test_the_numbers_of_now_are_those_of_the_newest_state_of_each_host():
    """What a host said before does not count, nor what another event says in a field of the same name."""
    log = [
        *(state(30, waiting="2", oldest_s="90", dead="1", held="eu"), state(90, waiting="50", dead="9", held="us")),
        *(state(40, "sh2", held="eu", blocked="test"), line(10, "handler.finished", "sh2", dead="4")),
    ]
    found = {title: shown(title, *log) for title in ("Waiting now", "Oldest alert has waited", "Dead letters now")}
    assert found == {
        "Waiting now": [{"waiting": "2"}],
        "Oldest alert has waited": [{"oldest": "2"}],
        "Dead letters now": [{"dead": "1"}],
    }
    assert shown("Tenants not called now", *log) == [{"tenants": "2"}]
    assert shown("Waiting now", *log, host="sh2") == [{"waiting": "0"}]


@pytest.mark.parametrize(
    "title", ["Delivered", "Lost", "Oldest alert has waited", *(title for title in TITLES if title.endswith(" now"))]
)
def test_a_number_of_nothing_is_none(title):
    """Whoever cannot see the log is not told that all is well."""
    assert not [row for row in shown(title) if row]


def test_tenants_that_a_state_line_does_not_name_count_too():
    """It names as many as fit, and how many more there are."""
    log = [state(30, held="eu,us", blocked="eu,lab (33 more)"), state(40, "sh2", held="eu (2 more)", blocked="9")]
    assert shown("Tenants not called now", *log) == [{"tenants": "37"}]
    assert shown("Tenants not called now", *log, host="sh2") == [{"tenants": "4"}]


def test_a_pause_is_no_tenant_that_cannot_be_called():
    """Somebody wanted it."""
    assert shown("Tenants not called now", state(30, paused="eu", waiting="5")) == [{"tenants": "0"}]


def test_nothing_delivered_and_nothing_lost_is_0_where_the_log_can_be_seen():
    """A tenant narrows both; an alert that was lost without one counts for each."""
    log = [state(30), line(20, "delivery.delivered", tenant="main"), line(10, "alert.lost", tenant="main")]
    assert (shown("Delivered", *log), shown("Lost", *log)) == ([{"alerts": "1"}], [{"lost": "1"}])
    assert (shown("Delivered", *log, tenant="eu"), shown("Lost", *log, tenant="eu")) == (
        [{"alerts": "0"}],
        [{"lost": "0"}],
    )
    assert shown("Lost", line(10, "alert.lost"), tenant="eu") == [{"lost": "1"}]
    assert (shown("Delivered", state(30)), shown("Lost", state(30))) == ([{"alerts": "0"}], [{"lost": "0"}])


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
        (["alert.lost"], "LOST: not stored, not delivered"),
        (["delivery.deferred", "alert.lost"], "LOST: not stored, not delivered"),
        (["delivery.dead", "alert.lost"], "LOST: not stored, not delivered"),
        (["alert.lost", "delivery.deferred"], "LOST: not stored, not delivered"),
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
    assert "look for errors of splunkd" in rows[1]["What to do"]


def test_many_warnings_do_not_bury_what_is_fatal():
    """Lines that say the same are one row, with what is newest of them; the worst come first."""
    log = [
        *(line(30 + ago, "delivery.deferred", log_level="WARN", tenant="eu", reason="timeout", id=str(ago)) for ago in range(40)),
        line(500, "delivery.deferred", log_level="WARN", tenant="us", reason="timeout", id="us"),
        line(900, "delivery.dead", log_level="ERROR", tenant="eu", reason="status_400", id="dead"),
        line(3000, "alert.lost", log_level="FATAL", tenant="eu", reason="HTTP 503, until the time was up", id="lost", search="S"),
        line(2000, "process.bug", log_level="FATAL", error="KeyError"),
    ]  # fmt: skip
    rows = shown("Last errors and warnings", *log)
    assert [(row["Level"], row.get("id", ""), row["Lines"]) for row in rows] == [
        ("FATAL", "", "1"), ("FATAL", "lost", "1"), ("ERROR", "dead", "1"), ("WARN", "0", "40"), ("WARN", "us", "1"),
    ]  # fmt: skip
    assert (rows[1]["Search"], rows[1]["_time"]) == ("S", str(NOW - 3000))
    assert (rows[0]["Reason"], rows[0]["Meaning"]) == ("KeyError", "a fault of this app")
    assert all(row["What to do"] for row in rows)
