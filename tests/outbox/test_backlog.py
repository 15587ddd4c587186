"""The index of what waits: which entry goes next. Pure: time is a number here."""

from __future__ import annotations

import pytest
from parapet.backlog import STRIKES, Backlog, Hold

NEVER = float("inf")
NOW = float("-inf")


def name(number):
    """The name of an entry; a larger number is younger."""
    return f"{number:013d}-{number:020x}"


def backlog_of(workers=4, **tenants):
    """A backlog with entries that were read, given as tenant=[numbers]."""
    found = Backlog(workers)
    for tenant, numbers in tenants.items():
        for number in numbers:
            found.add(name(number))
            found.assign(name(number), tenant, due=NOW)
    return found


def picked(backlog, now=0.0, most=100):
    """The numbers of the entries that go now, in order."""
    found = []
    while len(found) < most:
        pick = backlog.next(now)
        if pick is None:
            return found
        found.append(int(pick.name[:13]))
    return found


def held(kind="wait", until=10.0):
    """A hold."""
    return Hold(kind, until, attempts=1, reason="status_503", since=0.0)


def test_oldest_goes_first_over_all_tenants():
    """An alert's age counts, not its tenant or when it was found."""
    assert picked(backlog_of(a=[5, 1], b=[4, 2])) == [1, 2, 4, 5]


def test_what_is_not_read_goes_by_its_age_too():
    """Its name tells when it fired."""
    backlog = backlog_of(a=[2, 4])
    for number in (3, 1):
        backlog.add(name(number))
    assert picked(backlog, most=3) == [1, 2, 3]


def test_entry_that_waits_by_itself_lets_younger_ones_pass():
    """One body that alone is refused holds nobody."""
    backlog = backlog_of(a=[1, 2])
    pick = backlog.next(0.0)
    backlog.again(pick.name, 5.0)
    assert picked(backlog, 0.0) == [2]
    assert picked(backlog, 4.9) == []
    assert picked(backlog, 5.0) == [1]


@pytest.mark.parametrize(("workers", "slow_at_once"), [(1, 1), (2, 1), (4, 3), (16, 15)])
def test_slow_tenant_leaves_a_worker_for_the_others(workers, slow_at_once):
    """As soon as there is another tenant, whether or not anything of it waits."""
    backlog = backlog_of(workers, slow=range(100, 200), other=[1])
    assert picked(backlog, most=1) == [1]
    backlog.remove(name(1))
    assert len(picked(backlog)) == slow_at_once
    backlog.add(name(2))
    backlog.assign(name(2), "other", due=NOW)
    assert picked(backlog) == ([2] if workers > 1 else [])


def test_tenant_that_is_configured_has_its_worker_before_its_first_alert():
    """The slow one must not have taken all of them by then."""
    backlog = backlog_of(4, slow=range(10))
    backlog.configured = 2
    assert len(picked(backlog)) == 3
    backlog.add(name(50))
    assert backlog.next(0.0).name == name(50)


def test_only_tenant_has_all_workers():
    """Nobody else needs one."""
    assert len(picked(backlog_of(4, only=range(10)))) == 4


def test_held_tenant_offers_nothing_and_others_go():
    """It alone waits."""
    backlog = backlog_of(a=[1, 2], b=[3, 4])
    backlog.hold("a", held(until=10.0))
    assert picked(backlog, 9.9) == [3, 4]


def test_held_tenant_offers_one_probe_at_a_time():
    """Until one is accepted."""
    backlog = backlog_of(a=[1, 2, 3])
    backlog.hold("a", held(until=10.0))
    pick = backlog.next(10.0)
    assert picked(backlog, 10.0) == []
    backlog.hold("a", held(until=20.0))
    backlog.again(pick.name, 10.0)
    assert picked(backlog, 19.9) == []
    probe = backlog.next(20.0)
    backlog.succeeded(probe, 20.0)
    backlog.remove(probe.name)
    assert len(picked(backlog, 20.0)) == 2


def test_probe_is_the_one_that_was_tried_least():
    """An entry that alone is refused must not be the probe for ever: the others would wait behind it."""
    backlog = backlog_of(a=[1, 2, 3])
    order = []
    for number in range(6):
        backlog.hold("a", held(until=float(number)))
        pick = backlog.next(float(number))
        order.append(int(pick.name[:13]))
        backlog.again(pick.name, float(number))
    assert order == [1, 2, 3, 1, 2, 3]


@pytest.mark.parametrize(("kind", "test_first"), [("wait", False), ("slow", False), ("configuration", True)])
def test_probe_of_a_refused_configuration_is_the_connection_test(kind, test_first):
    """Nothing of an alert is risked on it."""
    backlog = backlog_of(a=[1])
    assert backlog.next(0.0).test_first is False
    backlog.again(name(1), 0.0)
    backlog.hold("a", held(kind))
    assert backlog.next(10.0).test_first is test_first


def test_three_different_entries_in_a_row_are_strikes_of_the_tenant():
    """wire.md: one that is refused three times is no sign, three that are refused once are."""
    backlog = backlog_of(a=[1, 2, 3])
    picks = [backlog.next(0.0) for _ in range(3)]
    assert STRIKES == 3
    assert [backlog.strike(pick) for pick in (picks[0], picks[0], picks[0], picks[1], picks[2])] == [False] * 4 + [True]


def test_success_clears_the_strikes():
    """In a row means in a row."""
    backlog = backlog_of(a=[1, 2, 3, 4])
    picks = [backlog.next(0.0) for _ in range(4)]
    assert not backlog.strike(picks[0])
    assert not backlog.strike(picks[1])
    backlog.succeeded(picks[3], 0.0)
    assert not backlog.strike(picks[2])


def test_success_that_began_before_the_hold_does_not_end_it():
    """A 429 asks for an hour; an answer to what was on its way already says nothing about that."""
    backlog = backlog_of(a=[1, 2, 3])
    early, refused = backlog.next(0.0), backlog.next(0.0)
    assert backlog.rounds(refused) == 1
    backlog.hold("a", held(until=3600.0))
    backlog.again(refused.name, 0.0)
    assert backlog.succeeded(early, 1.0) is None
    backlog.remove(early.name)
    assert picked(backlog, 3599.0) == []
    assert picked(backlog, 3600.0) == [3]


def test_answers_of_one_round_count_once():
    """Four workers that see one outage are one failure, not four."""
    backlog = backlog_of(a=[1, 2, 3])
    first, second = backlog.next(0.0), backlog.next(0.0)
    assert backlog.rounds(first) == 1
    backlog.hold("a", held(until=1.0))
    assert backlog.rounds(second) == 0
    for pick in (first, second):
        backlog.again(pick.name, 0.0)
    assert backlog.rounds(backlog.next(1.0)) == 2


def test_blocked_tenant_waits_until_it_is_not():
    """Paused, or not configured: no time helps."""
    backlog = backlog_of(a=[1], b=[2])
    backlog.lane("a").blocked = "paused"
    assert backlog.entry_time(name(1)) == NEVER
    assert picked(backlog, 1e12) == [2]
    backlog.lane("a").blocked = ""
    assert picked(backlog) == [1]


def test_mended_tenant_goes_at_once():
    """Its hold was for the configuration's sake."""
    backlog = backlog_of(a=[1])
    backlog.hold("a", held("configuration", until=3600.0))
    backlog.release("a")
    pick = backlog.next(0.0)
    assert (pick.name, pick.test_first) == (name(1), False)


def test_entry_can_be_told_not_to_wait():
    """An administrator asked for it, read or not."""
    backlog = backlog_of(a=[1])
    backlog.again(backlog.next(0.0).name, 1e9)
    backlog.now(name(1))
    backlog.add(name(2))
    backlog.now(name(2))
    assert picked(backlog) == [1, 2]
    assert list(backlog.lanes) == ["a"]


def test_entry_that_is_gone_is_not_offered():
    """In whatever state it was."""
    backlog = backlog_of(a=[1, 2, 3])
    backlog.add(name(4))
    backlog.again(backlog.next(0.0).name, 50.0)
    running = backlog.next(0.0)
    for number in (1, 2, 3, 4):
        backlog.remove(name(number))
    assert running.name == name(2)
    assert (picked(backlog, 100.0), len(backlog), backlog.running()) == ([], 0, 0)


def test_next_time_is_never_while_only_an_answer_can_change_anything():
    """Whoever waits for it must not spin."""
    backlog = backlog_of(4, a=range(10), b=[])
    backlog.lane("b")
    assert backlog.next_time() == NOW
    assert len(picked(backlog)) == 3
    assert backlog.next_time() == NEVER
    backlog.hold("a", held(until=5.0))
    assert backlog.next_time() == NEVER
    for number in range(3):
        backlog.remove(name(number))
    assert backlog.next_time() == 5.0


def test_entry_that_was_read_out_of_turn_is_not_read_again():
    """An action reads its own entry first; twice in its lane, it would go twice."""
    backlog = backlog_of(a=[1])
    assert backlog.can_go(name(1), 0.0)
    assert backlog.pick(name(1)).tenant == "a"
    assert picked(backlog) == []
