"""Tenants' holds: kept on disk, taken over by the next holder, and ended when they should be. Must not talk to a tenant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from parapet.backlog import Backlog
from parapet.custody import Custody
from parapet.deliver import Outcome, Result
from parapet.entry import new_state
from parapet.secret import Secret
from parapet.settings import Delivery, Settings, Tenant

from tests.outbox.conftest import put

HOUR_S = 3600


def settings_with(url="https://localhost/webhook/acme", **delivery):
    """A configuration with one tenant."""
    return Settings(Delivery(**delivery), {"main": Tenant("main", url, Secret("pst_" + "x"))})


class Keeper:
    """One holder's custody, as it is at its start."""

    def __init__(self, outbox, holder, time, log, settings=None):
        """Take over the outbox."""
        self.outbox, self.holder, self.time = outbox, holder, time
        self.backlog = Backlog(4)
        self.custody = Custody(holder, self.backlog, time.clock, log)
        self.custody.settings = settings or settings_with()

    def find(self, *numbers):
        """Entries of the tenant were found and read."""
        names = [put(self.outbox, number) for number in numbers]
        for name in names:
            self.backlog.add(name)
            self.backlog.assign(name, "main", due=float("-inf"))
        self.custody.open_lane("main")
        return names

    def outcome(self, result, pick, **more):
        """What came of a pick."""
        state = new_state({"source": "splunk"}, 1048576)
        self.holder.save(pick.name, state, first=True)
        self.custody.settle(pick, self.holder.read(pick.name), Outcome(result, state, **more))

    def next(self):
        """What goes now."""
        return self.backlog.next(self.time.steady)


@pytest.fixture
def keeper(outbox, holder, time, log):
    """Makes a keeper; each is a later holder of the same outbox."""
    return lambda settings=None: Keeper(outbox, holder, time, log, settings)


def note(outbox, **changes):
    """The note of a hold, as a holder wrote it."""
    path = Path(outbox.path("holds", "main.json"))
    document = json.loads(path.read_text()) if path.exists() else {}
    document.update(changes)
    path.write_text(json.dumps(document))
    return document


def test_retry_after_is_kept_over_a_restart(keeper, outbox, time):
    """What a process knew (back off until 15:31) is not forgotten when it ends."""
    first = keeper()
    first.find(1, 2)
    first.outcome(Result.TENANT_WAITS, first.next(), reason="status_429", retry_after="900")
    assert first.next() is None
    time.turn(600)
    second = keeper()
    second.find(1, 2)
    assert second.next() is None
    time.turn(299)
    assert second.next() is None
    time.turn(1.1)
    assert second.next() is not None


@pytest.mark.parametrize(("ahead_s", "waits_s"), [(60, 60), (HOUR_S, HOUR_S), (30 * 86400, HOUR_S), (10**300, HOUR_S)])
def test_stored_time_far_ahead_counts_as_an_hour(keeper, outbox, time, ahead_s, waits_s):
    """Clocks jump: a tenant must not be held until the year 2040 for it."""
    first = keeper()
    first.find(1)
    first.outcome(Result.TENANT_WAITS, first.next(), reason="reset")
    note(outbox, until_ms=(int(time.wall) + ahead_s) * 1000, since_ms=(int(time.wall) + ahead_s) * 1000)
    second = keeper()
    second.find(1)
    time.turn(waits_s - 1)
    assert second.next() is None
    time.turn(2)
    assert second.next() is not None
    assert second.custody.due(ahead_s * 1000 + int(time.wall * 1000)) <= time.steady + HOUR_S + 1


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"v": 2, "kind": "wait"}', b'{"v": 1, "kind": "wait", "until_ms": "soon"}', b"[" * 60000],
)
def test_hold_that_cannot_be_read_holds_nobody(keeper, outbox, content):
    """Better one call too many than a tenant that waits for nothing."""
    Path(outbox.path("holds", "main.json")).write_bytes(content)
    found = keeper()
    found.find(1)
    assert found.next() is not None


def test_note_that_is_too_large_for_this_version_is_left_alone(keeper, outbox, holder):
    """A newer one may note more: it holds nobody here, and is neither overwritten nor removed."""
    path = Path(outbox.path("holds", "main.json"))
    content = b'{"v": 2, "kind": "wait", "more": "' + b"y" * 70000 + b'"}'
    path.write_bytes(content)
    found = keeper()
    found.find(1)
    assert holder.newer_holds() == ["main"]
    found.outcome(Result.TENANT_WAITS, found.next(), reason="status_429", retry_after="900")
    assert found.next() is None
    assert path.read_bytes() == content
    holder.set_hold("main", None)
    assert path.read_bytes() == content


def test_accepted_entry_ends_the_hold_and_its_note(keeper, outbox, time):
    """The next holder must not wait for what is over."""
    found = keeper()
    found.find(1, 2)
    found.outcome(Result.TENANT_WAITS, found.next(), reason="status_429", retry_after="10")
    time.turn(11)
    found.outcome(Result.DELIVERED, found.next())
    assert not Path(outbox.path("holds", "main.json")).exists()
    assert found.next() is not None


def test_answer_to_what_was_on_its_way_ends_no_hold(keeper, outbox, time):
    """A 429 asks for silence; another body, sent before it, is accepted a moment later."""
    found = keeper()
    found.find(1, 2, 3)
    early, refused = found.next(), found.next()
    found.outcome(Result.TENANT_WAITS, refused, reason="status_429", retry_after="900")
    found.outcome(Result.DELIVERED, early)
    assert Path(outbox.path("holds", "main.json")).exists()
    time.turn(899)
    assert found.next() is None


def test_mended_configuration_releases_at_once_also_after_a_restart(keeper, time):
    """When token or URL is mended everything is delivered."""
    before = settings_with(hold_retry=3600)
    first = keeper(before)
    first.find(1)
    first.outcome(Result.CONFIGURATION, first.next(), reason="status_401")
    same = keeper(before)
    same.find(1)
    assert same.next() is None
    after = settings_with("https://localhost/webhook/other", hold_retry=3600)
    first.custody.settings = after
    first.custody.mended(before)
    assert first.next() is not None
    mended = keeper(after)
    mended.find(1)
    assert mended.next() is not None


def test_answer_to_an_attempt_with_the_old_token_holds_nobody_again(keeper, outbox):
    """It was on its way while the token was mended."""
    before, after = settings_with(), settings_with("https://localhost/webhook/other")
    found = keeper(before)
    found.find(1, 2, 3)
    early, refused = found.next(), found.next()
    found.outcome(Result.CONFIGURATION, refused, reason="status_401")
    found.custody.settings = after
    found.custody.mended(before)
    found.outcome(Result.CONFIGURATION, early, reason="status_401")
    assert not Path(outbox.path("holds", "main.json")).exists()
    assert found.next() is not None


def test_three_entries_that_are_refused_by_themselves_hold_the_tenant(keeper, outbox):
    """wire.md: then one entry is the probe."""
    found = keeper(settings_with(retry_first=60))
    found.find(1, 2, 3, 4, 5)
    for number in range(3):
        assert not Path(outbox.path("holds", "main.json")).exists(), number
        found.outcome(Result.ENTRY_WAITS, found.next(), reason="status_500")
    assert Path(outbox.path("holds", "main.json")).exists()
    assert found.next() is None


def test_entry_that_alone_is_refused_for_a_day_is_a_dead_letter(keeper, holder, time):
    """At least 20 times over at least 24 hours, while others went through: it cannot block its tenant for ever."""
    found = keeper(settings_with(retry_first=1, retry_max=1))
    (poison,) = found.find(1)
    state = new_state({"source": "splunk"}, 1048576)
    holder.save(poison, state, first=True)
    for number in range(2, 30):
        found.find(number)
        pick = found.next()
        while pick.name != poison:
            found.outcome(Result.DELIVERED, pick)
            pick = found.next()
        entry = holder.read(poison)
        found.custody.settle(pick, entry, Outcome(Result.ENTRY_WAITS, entry.state, "status_500"))
        if holder.names("dead"):
            break
        other = found.next()
        found.outcome(Result.DELIVERED, other)
        time.turn(2 * HOUR_S)
    assert holder.names("dead") == [poison]
    assert number == 21
    assert holder.read(poison, "dead").state.refusals == 20


def test_hold_that_is_too_far_ahead_ends_though_no_process_lives_so_long(keeper, time):
    """The clock had jumped: an hour ahead is an hour from the first holder on, not from each one's start."""
    first = keeper()
    first.holder.set_hold(
        "main", {"kind": "wait", "until_ms": int((time.wall + 400 * HOUR_S) * 1000), "since_ms": 0, "attempts": 1}
    )
    first.find(1)
    time.turn(HOUR_S / 2)
    keeper().find(1)
    time.turn(HOUR_S / 2 + 1)
    last = keeper()
    last.find(1)
    assert last.next() is not None
