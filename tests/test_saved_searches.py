"""Tests of the saved searches that the app ships: what they are called, when they run, and what they do when they find something.

They must not judge the search language, which is looked at elsewhere; what a search finds in a few lines of log is seen here.
"""

from __future__ import annotations

import re

import pytest
from parapet.alert import CHOICES

from tests.conf import CONFS, SPECS
from tests.spl import pipeline, sources

SEARCHES = CONFS["savedsearches.conf"]
RISK, PASSWORDS, WAITED, DEAD, LOST = (
    "Parapet Security - " + name
    for name in (
        "Risk events",
        "Failed passwords",
        "Alerts have waited for more than 15 minutes",
        "Alerts were dead-lettered",
        "Alerts were lost",
    )
)
SENT, TOLD = (RISK, PASSWORDS), (WAITED, DEAD, LOST)
NOW = 1800000000 // 60 * 60
MINUTES = {"s": 1 / 60, "m": 1, "h": 60, "d": 1440}
each_search = pytest.mark.parametrize("name", sorted(SEARCHES))


def minutes(text):
    """A span such as 15m or -4h@m, in minutes; now is 0."""
    match = re.match(r"-?(\d+)([smhd])(?:@m)?\Z", text)
    if match is None:
        assert text in ("now", "@m")
        return 0
    return int(match.group(1)) * MINUTES[match.group(2)]


def runs(cron):
    """The minutes of an hour at which a schedule runs; all of its hours and days must be *."""
    match = re.match(r"(\d+)-59/(\d+) \* \* \* \*\Z", cron)
    assert match, cron
    return list(range(int(match.group(1)), 60, int(match.group(2))))


def slice_of(search):
    """The span of index time that a run takes, as (from, to) in minutes before its end."""
    spans = re.findall(r">= info_max_time - (\d+) AND \w+ < info_max_time - (\d+)", search["search"])
    assert len(spans) == 1
    return tuple(int(seconds) / 60 for seconds in spans[0])


def columns(name):
    """The columns of a search's results."""
    return set(re.split(r",\s*", SEARCHES[name]["search"].rpartition("| table ")[2].strip()))


def test_these_are_the_searches():
    """Documentation and customers name them."""
    assert set(SEARCHES) == {RISK, PASSWORDS, WAITED, DEAD, LOST}


@each_search
def test_a_search_is_off_and_one_click_turns_it_on(name):
    """Nothing runs unasked; what is turned on has its schedule, condition and description already."""
    search = SEARCHES[name]
    assert (search["disabled"], search["enableSched"]) == ("1", "1")
    assert (search["counttype"], search["relation"], search["quantity"]) == ("number of events", "greater than", "0")
    assert search["description"].endswith(".")
    assert search["alert.track"] == "1"
    assert search["alert.severity"] in "123456"


@each_search
def test_a_schedule_is_even_and_not_too_dense(name):
    """Twelve times an hour at most; the last run of an hour is as far from the next as all the others."""
    times = runs(SEARCHES[name]["cron_schedule"])
    assert len(times) <= 12
    assert {(later - earlier) % 60 for earlier, later in zip(times, times[1:] + times[:1])} == {60 // len(times)}


def test_schedules_do_not_meet_on_the_same_minute():
    """Searches that start together slow each other down, and most of all those of a full hour."""
    starts = [minute for search in SEARCHES.values() for minute in runs(search["cron_schedule"])]
    assert 0 not in starts
    assert max(starts.count(minute) for minute in starts) <= 2


@pytest.mark.parametrize("name", [RISK, DEAD, LOST])
def test_what_is_indexed_is_taken_once_however_late_it_comes(name):
    """The slices of index time touch each other, lie inside the window, and no run is skipped."""
    search = SEARCHES[name]
    since, until = slice_of(search)
    assert since - until == 60 / len(runs(search["cron_schedule"]))
    assert 0 < until < since < minutes(search["dispatch.earliest_time"])
    assert search["dispatch.latest_time"] == "@m"
    assert search["realtime_schedule"] == "0"
    assert "_indextime" in search["search"]


def test_windows_that_overlap_are_throttled_for_longer_than_they_overlap():
    """Failed passwords at the edge of a window are whole in the next one, and not sent twice."""
    search = SEARCHES[PASSWORDS]
    window = minutes(search["dispatch.earliest_time"]) - minutes(search["dispatch.latest_time"])
    assert window > 60 / len(runs(search["cron_schedule"]))
    assert minutes(search["alert.suppress.period"]) > window


@each_search
def test_an_alert_for_each_result_is_throttled_by_fields_of_the_result(name):
    """Where each result fires, a period alone would silence the second one."""
    search = SEARCHES[name]
    if search["alert.digest_mode"] == "1":
        assert search["alert.suppress"] == "0"
        return
    assert search["alert.suppress"] == "1"
    assert minutes(search["alert.suppress.period"]) >= 60
    assert set(re.split(r",\s*", search["alert.suppress.fields"])) <= columns(name)


def test_the_guides_searches_are_there():
    """The risk score of the guide with its columns; its failed passwords with a time that `stats` left."""
    risk, passwords = SEARCHES[RISK]["search"], SEARCHES[PASSWORDS]["search"]
    assert risk.startswith('| from datamodel:"Risk"."All_Risk"')
    assert "risk_score >= 50" in risk
    guide = {"_time", "src", "dest", "risk_message", "risk_score"}
    assert guide | {"risk_object", "source", "annotations.mitre_attack"} <= columns(RISK)
    assert passwords.startswith("source=/var/log/auth.log failed password")
    assert "where count > 10" in passwords
    assert "AS _time" in passwords.partition("| stats")[2].partition("|")[0]


@pytest.mark.parametrize("name", SENT)
def test_the_action_is_attached_with_settings_that_it_accepts(name):
    """As an alert has them that somebody made in Splunk Web."""
    search = SEARCHES[name]
    assert search["action.parapet_security"] == "1"
    assert search["alert.digest_mode"] == "0"
    given = {key: value for key, value in search.items() if key.startswith("action.")}
    assert set(given) <= set(SPECS["savedsearches.conf"][""])
    for key, value in given.items():
        choices = CHOICES.get(key.rpartition(".")[2])
        assert choices is None or value in choices


@pytest.mark.parametrize("name", TOLD)
def test_what_tells_of_a_standstill_does_not_need_what_stands_still(name):
    """No action of ours, and an entry under Triggered Alerts that outlives a weekend."""
    search = SEARCHES[name]
    assert not [key for key in search if key.startswith("action.")]
    assert minutes(search["alert.expires"]) >= 3 * 1440
    assert search["search"].startswith('`parapet_security_index` sourcetype="parapet_security:log" ')
    assert {"host", "todo"} <= columns(name)


@each_search
def test_no_index_is_named_but_by_the_macro(name):
    """A customer moves the log in one place."""
    assert not re.search(r"\bindex\s*(=|IN\b)", SEARCHES[name]["search"])


def line(ago_s, event, host="sh1", **fields):
    """A line of the app's log, indexed a second after it was written unless it is said when."""
    found = {"host": host, "event": event, "index": "_internal", "sourcetype": "parapet_security:log"}
    return {"_time": float(NOW - ago_s), "_indextime": float(NOW - ago_s + 1), **found, **fields}


def state(ago_s, host="sh1", *, waiting=1, oldest_s=0, **fields):
    """A state line of a host that has a forwarder."""
    given = {"role": "forwarder", "waiting": str(waiting), "oldest_s": str(oldest_s), "dead": "0", **fields}
    return line(ago_s, "outbox.state", host, **given)


def found(name, *lines, now=NOW):
    """The rows of a search over a log, run at a certain time."""
    search = SEARCHES[name]
    events = tuple(sorted(lines, key=lambda each: -each["_time"]))
    world = sources.world()._replace(events=events, now=float(now))
    return pipeline.run(search["search"], world.over(search["dispatch.earliest_time"], search["dispatch.latest_time"]))


@pytest.mark.parametrize(
    ("lines", "waited_min", "todo"),
    [
        ([state(30, oldest_s=900)], "15", "Open the app's dashboard"),
        ([state(30, oldest_s=1000, blocked="eu")], "17", "Configure the tenants under blocked"),
        (
            [state(30, oldest_s=1000, paused="eu")],
            "17",
            "Alerts wait; paused: eu. Resume it on the app's setup page, or ignore",
        ),
        ([state(30, oldest_s=1000, paused="eu", held="us")], "17", "Open the app's dashboard"),
        ([state(30, oldest_s=1000, paused="eu", blocked="us")], "17", "Configure the tenants under blocked"),
        (
            [line(1200, "alert.kept"), line(1200, "outbox.lock_failed")],
            "20",
            "The file system of the outbox cannot lock",
        ),
        ([line(1200, "outbox.lock_failed")], None, ""),
        ([state(240, oldest_s=700, role="action")], "15", "No forwarder runs on this host"),
        ([state(3600, oldest_s=60)], "61", "Nobody delivers on this host"),
        (
            [state(3600, waiting=0), line(1200, "alert.kept"), line(60, "alert.kept")],
            "20",
            "Nobody delivers on this host",
        ),
        ([line(1200, "alert.undeliverable")], "20", "Nobody delivers on this host"),
        ([state(30, waiting=0), state(90, oldest_s=9999, held="eu"), line(1200, "alert.kept")], None, ""),
        ([state(30, oldest_s=800)], None, ""),
        ([state(30, waiting=0)], None, ""),
        ([state(3600, waiting=0)], None, ""),
        ([line(600, "alert.kept")], None, ""),
    ],
)
def test_an_alert_waits_by_the_newest_state_and_the_time_since(lines, waited_min, todo):
    """A host that fell silent, or never spoke, is told of too; one whose alerts went is not."""
    rows = found(WAITED, state(30, "sh2", waiting=0), *lines)
    assert [(row["host"], row["waited_min"]) for row in rows] == ([("sh1", waited_min)] if waited_min else [])
    assert all(row["todo"].startswith(todo) for row in rows)


@pytest.mark.parametrize(("name", "event"), [(DEAD, "delivery.dead"), (LOST, "alert.lost")])
def test_a_line_is_told_of_once_however_late_it_comes(name, event):
    """Of runs that follow each other, one finds it: also where it was indexed hours later, or just between two runs."""
    every = 60 // len(runs(SEARCHES[name]["cron_schedule"])) * 60
    lines = [
        line(100 + ago, event, tenant="main", reason=f"at {ago}", _indextime=float(NOW - 100 - ago + late))
        for ago, late in ((0, 1), (19, 0), (20, 0), (21, 0), (500, 2), (40000, 39500))
    ]
    told = [row["reason"] for run in range(-2, 5) for row in found(name, *lines, now=NOW + run * every)]
    assert sorted(told) == sorted(each["reason"] for each in lines)


def test_a_dead_letter_is_told_of_with_what_to_do():
    """Also one without a name or tenant, and one that is gone; not one that an administrator dropped."""
    lines = [
        line(200, "delivery.dead", tenant="main", search="S", reason="status_400", detail="bad"),
        line(210, "delivery.dead", tenant="main", search="S", reason="status_400", detail="worse"),
        line(220, "delivery.dead", tenant="a b", reason="tenant_name", todo="mend the alert's tenant"),
        line(230, "delivery.row_dead", tenant="main", search="S", reason="status_413"),
        line(240, "delivery.expired", reason="space"),
        line(250, "delivery.dead", tenant="main", reason="dropped"),
    ]
    rows = {row["reason"]: row for row in found(DEAD, *lines)}
    assert set(rows) == {"status_400", "tenant_name", "status_413", "space"}
    assert (rows["status_400"]["count"], rows["status_400"]["detail"]) == ("2", "bad")
    assert rows["tenant_name"]["todo"] == "mend the alert's tenant"
    assert rows["space"]["tenant"] == "-"
    assert all(row["todo"] for row in rows.values())


def test_what_is_lost_is_told_of_with_what_leads_there():
    """A row for each host, event and reason, with the alerts that it was about and what to do."""
    lines = [
        *(
            line(200 + ago, "alert.lost", tenant="main", search="S", sid=f"s{ago}", reason="status_400")
            for ago in (0, 1)
        ),
        line(210, "alert.lost", "sh2", reason="no rights", todo="mend the rights"),
        line(220, "outbox.unavailable", search="S", reason="full"),
        line(230, "outbox.lock_failed", reason="no lock"),
        line(240, "forwarder.stuck", silent_s="301"),
        line(250, "process.bug", error="KeyError"),
        line(260, "delivery.deferred", reason="timeout"),
    ]
    rows = {(row["host"], row["event"], row["reason"]): row for row in found(LOST, *lines)}
    assert {key[1:]: row["count"] for key, row in rows.items() if key[0] == "sh1"} == {
        ("alert.lost", "status_400"): "2",
        ("outbox.unavailable", "full"): "1",
        ("outbox.lock_failed", "no lock"): "1",
        ("forwarder.stuck", "-"): "1",
        ("process.bug", "KeyError"): "1",
    }
    lost = rows["sh1", "alert.lost", "status_400"]
    assert (lost["sid"], lost["search"], lost["_time"]) == (["s0", "s1"], "S", str(NOW - 200))
    assert rows["sh2", "alert.lost", "no rights"]["todo"] == "mend the rights"
    assert all(row["todo"] and row["meaning"] for row in rows.values())


def test_a_failed_password_says_where_it_looks():
    """An index that its owner does not search by default, or another path, finds nothing and says nothing."""
    assert "/var/log/auth.log (Debian's path) of the owner's default indexes" in SEARCHES[PASSWORDS]["description"]
