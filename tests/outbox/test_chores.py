"""What the lock's holder does besides delivering: requests, dead letters, counts. Must not deliver anything."""

from __future__ import annotations

import errno
import json
import os
import re
from pathlib import Path

import pytest
from parapet import disk
from parapet.backlog import Hold
from parapet.entry import Header, header_line, new_state

from tests.outbox.conftest import HEAD, TRIGGER, files, make_alert, put

DAY_S = 86400


@pytest.mark.parametrize("parked", [True, False])
def test_waiting_entry_can_be_dropped(made, outbox, parked):
    """It lies in dead/ too until it expires, and says why."""
    scene = made()
    name = put(outbox)
    if parked:
        scene.look()
    path = scene.ask(name, "drop")
    scene.look()
    assert files(outbox, "new", "pending", "dead") == [f"dead/{name}.alert"]
    assert not path.exists()
    assert "reason=dropped" in scene.log.lines("delivery.dead")[0]
    assert name not in scene.turn.backlog


def test_waiting_entry_can_be_told_to_go(made, outbox):
    """Its own wait is over; its tenant's is not."""
    scene = made()
    name = put(outbox)
    scene.look()
    scene.turn.backlog.lane("main").blocked = ""
    scene.turn.backlog.again(scene.turn.backlog.next(scene.time.steady).name, scene.time.steady + 900)
    scene.turn.backlog.lane("main").blocked = "paused"
    path = scene.ask(name, "retry")
    scene.look()
    scene.turn.backlog.lane("main").blocked = ""
    assert not path.exists()
    assert scene.turn.backlog.entry_time(name) <= scene.time.steady


def test_dead_letter_can_be_retried(made, outbox):
    """It waits again where it was, and its refusals count anew."""
    scene = made()
    name = put(outbox)
    scene.holder.save(
        name, new_state(HEAD, 1048576)._replace(rows=500, refusals=20, others_went=True, refused_since_ms=1), first=True
    )
    scene.holder.bury(name, None)
    scene.ask(name, "retry")
    scene.look()
    assert files(outbox, "new", "pending", "dead") == [f"pending/{name}.alert", f"pending/{name}.state"]
    state = scene.holder.read(name).state
    assert (state.rows, state.refusals, state.others_went, state.refused_since_ms) == (500, 0, False, 0)
    assert name in scene.turn.backlog
    assert len(scene.log.lines("delivery.revived")) == 1


def test_dropping_a_dead_letter_leaves_it(made, outbox):
    """It is what a drop makes of an entry."""
    scene = made()
    name = scene.dead(1)
    path = scene.ask(name, "drop")
    scene.look()
    assert files(outbox, "dead") == [f"dead/{name}.alert", f"dead/{name}.state"]
    assert not path.exists()


def test_entry_that_is_on_its_way_is_asked_again_later(made, outbox):
    """Nothing touches an entry that a worker has; the request stays until it is back."""
    scene = made()
    name = put(outbox)
    scene.look()
    scene.turn.backlog.lane("main").blocked = ""
    pick = scene.turn.backlog.next(scene.time.steady)
    path = scene.ask(name, "drop")
    scene.time.turn(61)
    scene.chores()
    assert path.exists()
    assert files(outbox, "pending") == [f"pending/{name}.alert"]
    scene.turn.backlog.again(pick.name, float("-inf"))
    scene.time.turn(61)
    scene.chores()
    assert not path.exists()
    assert files(outbox, "dead") == [f"dead/{name}.alert"]


@pytest.mark.parametrize("request_", ["retry", "drop"])
def test_request_for_an_entry_that_is_not_there_is_told(made, request_):
    """The administrator mistyped, or it was delivered meanwhile."""
    scene = made()
    path = scene.ask("1769614200000-" + "0" * 20, request_)
    scene.look()
    assert not path.exists()
    assert len(scene.log.lines("request.unknown")) == 1


def test_dropping_and_retrying_at_once_ends_with_a_retry(made, outbox):
    """Two administrators; nothing breaks, and nothing is lost."""
    scene = made()
    name = put(outbox)
    scene.look()
    scene.ask(name, "drop")
    scene.ask(name, "retry")
    scene.look()
    assert files(outbox, "new", "pending", "dead", "requests") == [f"pending/{name}.alert"]


def test_file_that_is_no_request_is_left_alone(made, outbox):
    """Whatever somebody put there, it is no path."""
    scene = made()
    for item in ("x.retry", "0" * 20 + ".delete", "x.drop", "0" * 19 + ".retry"):
        Path(outbox.path("requests", item)).write_bytes(b"")
    scene.look()
    assert len(files(outbox, "requests")) == 4
    assert scene.log.lines("request.unknown") == []


@pytest.mark.parametrize("content", [b"", b"garbage\n", b'{"v": 99}\n'], ids=["empty", "broken", "newer"])
@pytest.mark.parametrize("how", ["request", "retry_dead"])
def test_dead_letter_that_cannot_be_read_stays_and_stops_no_other(made, outbox, how, content):
    """Broken entries go to dead/: asking for all of them must not end the holder, now and at every start."""
    scene = made(retry_dead=TRIGGER + 30 if how == "retry_dead" else 0)
    bad, good = scene.dead(1, age_s=60), scene.dead(2, age_s=60)
    Path(outbox.path("dead", bad + ".alert")).write_bytes(content)
    scene.age(bad, 60)
    if how == "request":
        scene.ask(bad, "retry")
        scene.ask(good, "retry")
    scene.look()
    assert scene.holder.names("dead") == [bad]
    assert scene.holder.names("pending") == [good]
    assert files(outbox, "requests") == []


def test_dead_letters_older_than_retry_dead_are_tried_again_once(made):
    """On every member of a cluster, by one setting; a later one, and what died since, stays."""
    scene = made(retry_dead=TRIGGER - 100)
    old, fresh = scene.dead(1, age_s=200), scene.dead(2, age_s=50)
    scene.look()
    assert (scene.holder.names("pending"), scene.holder.names("dead")) == ([old], [fresh])
    scene.holder.bury(old, None)
    scene.age(old, -1)
    scene.look()
    assert len(scene.holder.names("dead")) == 2


@pytest.mark.parametrize("way", ["requests", "retry_dead"])
def test_many_dead_letters_are_revived_a_part_at_a_time(made, way):
    """Alerts go on between the parts, and none is forgotten."""
    scene = made(retry_dead=TRIGGER + 10) if way == "retry_dead" else made()
    names = [scene.dead(number) for number in range(450)]
    scene.time.turn(60)
    if way == "requests":
        for name in names:
            scene.ask(name, "retry")
    left = []
    for _ in range(4):
        scene.chores()
        left.append(len(scene.holder.names("dead")))
    assert left == [250, 50, 0, 0]
    assert not scene.holder.requests()


def test_retry_dead_that_is_to_come_waits(made):
    """Set for tonight."""
    scene = made(retry_dead=TRIGGER + 1000)
    name = scene.dead(1, age_s=200)
    scene.look()
    assert scene.holder.names("dead") == [name]
    scene.time.turn(1000)
    scene.look()
    assert scene.holder.names("pending") == [name]


def test_dead_letters_expire_after_their_days(made):
    """Each one is logged with what identifies it."""
    scene = made(dead_days=14)
    old, fresh = scene.dead(1, age_s=14 * DAY_S + 60), scene.dead(2, age_s=14 * DAY_S - 3600)
    scene.look()
    assert scene.holder.names("dead") == [fresh]
    (line,) = scene.log.lines("delivery.expired")
    assert f"id={old[14:]}" in line
    assert "reason=dead_days" in line
    assert make_alert(1).sid in line
    assert 'search="Failed SSH Logins"' in line


def test_dead_letters_have_a_fifth_of_the_space_and_the_oldest_go_first(made):
    """They must not take the room of alerts that can still be delivered."""
    scene = made(outbox_max_bytes=1048576)
    names = [scene.dead(number, age_s=1000 - number, size=60000) for number in range(5)]
    waiting = put(scene.outbox, 50)
    scene.look()
    assert sorted(scene.holder.names("dead")) == sorted(names[2:])
    assert [f"id={name[14:]}" in line for name, line in zip(names, scene.log.lines("delivery.expired"))] == [True, True]
    assert scene.holder.names("new") + scene.holder.names("pending") == [waiting]
    assert sum(scene.holder.sizes("dead").values()) <= 1048576 // 5


def test_dead_letter_that_cannot_be_removed_stops_no_other(made, outbox):
    """A folder with an entry's name, made by a careless hand."""
    scene = made(dead_days=14)
    Path(outbox.path("dead", "1769614200000-" + "0" * 20 + ".alert")).mkdir()
    os.utime(outbox.path("dead", "1769614200000-" + "0" * 20 + ".alert"), (1, 1))
    name = scene.dead(1, age_s=15 * DAY_S)
    scene.look()
    assert name not in scene.holder.names("dead")


def test_usage_counts_all_that_is_held(made, outbox):
    """Alerts and states, waiting and dead: the actions compare it with the most that may be held."""
    scene = made(outbox_max_bytes=5000000)
    put(outbox, 1)
    parked = put(outbox, 2)
    scene.holder.park([parked])
    scene.holder.save(parked, new_state({"source": "x" * 5000}, 1), first=True)
    scene.dead(3)
    scene.look()
    usage = json.loads((Path(outbox.root) / "usage").read_text())
    held = sum(Path(outbox.root, item).stat().st_size for item in files(outbox, "new", "pending", "dead"))
    assert usage == {"v": 1, "bytes": held, "max": 5000000, "role": "forwarder"}
    assert "waiting=2 dead=1" in scene.log.lines("outbox.state")[-1]


def test_the_state_line_tells_what_is_paused_from_what_is_wrong(made, outbox):
    """Somebody paused the one and knows it; the other needs somebody."""
    scene = made()
    scene.look()
    assert "paused=" not in scene.log.lines("outbox.state")[-1]
    scene.turn.backlog.lane("lab").blocked = "paused"
    scene.turn.backlog.lane("new").blocked = "tenant new is not configured"
    scene.chores.census()
    line = scene.log.lines("outbox.state")[-1]
    assert "paused=lab" in line
    assert "blocked=" in line
    assert "lab" not in line.partition("blocked=")[2]


@pytest.mark.parametrize("state", ["held", "paused", "blocked"])
def test_the_state_line_cuts_a_list_of_tenants_at_a_whole_name_and_counts_the_rest(made, state):
    """Half a name is another tenant's name; and a search that counts them must not count wrongly."""
    scene = made()
    for number in range(150):
        lane = scene.turn.backlog.lane(f"a-tenant-{number:03}")
        lane.blocked = {"paused": "paused", "blocked": "not configured"}.get(state, "")
        lane.hold = Hold("wait", 9e9, attempts=1, reason="", since=0) if state == "held" else None
    scene.chores.census()
    (names,) = re.findall(rf' {state}="([^"]*)"', scene.log.lines("outbox.state")[-1])
    shown, rest = re.match(r"(a-tenant-\d{3}(?:,a-tenant-\d{3})*) \((\d+) more\)\Z", names).groups()
    assert len(shown.split(",")) + int(rest) == 150
    assert len(shown) > 400


def test_full_disk_ends_no_holder(made, outbox, monkeypatch):
    """What a file system refuses is told in the log; what can still be delivered must be."""
    scene = made()
    name = scene.dead(1)
    scene.ask(name, "retry")

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for call in ("replace", "append"):
        monkeypatch.setattr(disk, call, full)
    scene.look()
    scene.chores.census()
    assert os.strerror(errno.ENOSPC) in scene.log.lines("outbox.failed")[0]


def test_broken_entry_goes_to_dead_and_a_newer_one_stays_and_others_go_on(made, outbox):
    """One bad file never stops the others; each is reported once."""
    scene = made()
    bad, newer, good = put(outbox, 1), put(outbox, 2), put(outbox, 3)
    Path(outbox.path("new", bad + ".alert")).write_bytes(b"\0\0\0")
    line = header_line(Header(make_alert(2), False, 1, "")).replace(b'"v":1', b'"v":2', 1)
    Path(outbox.path("new", newer + ".alert")).write_bytes(line)
    folder = "1769614200000-" + "0" * 20
    Path(outbox.path("new", folder + ".alert")).mkdir()
    for _ in range(3):
        scene.look()
    assert scene.holder.names("dead") == [bad]
    assert newer in scene.holder.names("new")
    assert scene.holder.names("pending") == [good]
    assert len(scene.log.lines("outbox.swept")) == 1
    assert len(scene.log.lines("outbox.too_new")) == 1
    assert Path(outbox.path("new", newer + ".alert")).read_bytes() == line
