"""The index of what waits: which entry goes next. Pure: time is a number here."""

from __future__ import annotations

import pytest
from parapet.backlog import STRIKES, Backlog, Hold, Pick

NEVER = float("inf")
NOW = float("-inf")


def name(number):
    """The name of an entry; a larger number is younger."""
    return f"{number:013d}-{number:020x}"


def backlog_of(workers=4, **tenants):
    """A backlog with entries that were read, given as tenant=[numbers], of tenants that have accepted something before."""
    found = Backlog(workers)
    for tenant, numbers in tenants.items():
        found.lane(tenant).last_success = 0.0
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


def test_slow_tenant_leaves_a_worker_however_many_others_there_are():
    """A third tenant changes nothing."""
    backlog = backlog_of(4, slow=range(10))
    for other in ("b", "c"):
        backlog.lane(other)
    assert len(picked(backlog)) == 3


def test_tenant_that_has_accepted_nothing_yet_begins_with_one():
    """It may be dead: its alerts must not take the workers of one that is well until they have waited in vain."""
    backlog = backlog_of(4, well=range(100, 110))
    for number in range(10):
        backlog.add(name(number))
        backlog.assign(name(number), "silent", due=NOW)
    assert picked(backlog) == [0, 100, 101, 102]
    backlog.succeeded(Pick(name(0), "silent"), 1.0)
    backlog.remove(name(0))
    assert picked(backlog) == [1]
    backlog.remove(name(100))
    assert picked(backlog) == [2]


def test_entry_that_goes_beside_the_workers_lets_no_other_follow():
    """An action sends its own entry, whoever is busy: then one more than all is on its way, and that is enough."""
    backlog = backlog_of(2, a=[1], b=[2], c=[4], d=[5])
    assert picked(backlog) == [1, 2]
    assert backlog.can_go(name(4), 0.0)
    backlog.pick(name(4))
    assert backlog.running() == 3
    assert picked(backlog) == []


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


def test_every_further_entry_is_a_strike_as_well():
    """The tenant is held as long as none is accepted."""
    backlog = backlog_of(a=[1, 2, 3, 4])
    picks = [backlog.next(0.0) for _ in range(4)]
    assert [backlog.strike(pick) for pick in picks] == [False, False, True, True]


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


def test_answer_from_before_the_mend_is_no_round():
    """It was sent with the old token."""
    backlog = backlog_of(a=[1, 2])
    early = backlog.next(0.0)
    backlog.release("a")
    assert backlog.rounds(early) == 0
    assert backlog.rounds(backlog.next(0.0)) == 1


def test_mended_tenant_has_no_strikes():
    """What its old configuration did says nothing."""
    backlog = backlog_of(a=[1, 2, 3])
    picks = [backlog.next(0.0) for _ in range(3)]
    assert [backlog.strike(pick) for pick in picks[:2]] == [False, False]
    backlog.release("a")
    assert not backlog.strike(picks[2])


def test_time_of_an_entry_is_its_own():
    """Whoever waits for one entry learns when that one can go, whatever its neighbours wait for."""
    backlog = backlog_of(a=[1, 2, 3])
    for due in (20.0, 10.0, 30.0):
        backlog.again(backlog.next(0.0).name, due)
    assert [backlog.entry_time(name(number)) for number in (1, 2, 3)] == [20.0, 10.0, 30.0]
    backlog.hold("a", held(until=25.0))
    assert [backlog.entry_time(name(number)) for number in (1, 2, 3)] == [25.0, 25.0, 30.0]


def test_time_of_an_entry_that_is_not_read_is_now_and_of_one_that_is_gone_never():
    """The one has to be read to learn more, for the other nobody need wait."""
    backlog = backlog_of(a=[1])
    backlog.add(name(2))
    assert (backlog.entry_time(name(2)), backlog.entry_time(name(3))) == (NOW, NEVER)
    assert (backlog.is_read(name(1)), backlog.is_read(name(2)), backlog.is_read(name(3))) == (True, False, False)
    assert backlog.lane_of(name(2)) is None


def test_all_are_read_when_none_is_left_to_be():
    """One that is gone before it was read does not count."""
    backlog = backlog_of(a=[1])
    assert backlog.all_read is True
    backlog.add(name(2))
    assert backlog.all_read is False
    backlog.remove(name(2))
    assert backlog.all_read is True


def test_entry_can_go_when_it_is_read_and_nothing_holds_it():
    """An action asks for its own before it sends it."""
    backlog = backlog_of(a=[1])
    backlog.add(name(2))
    assert [backlog.can_go(name(number), 0.0) for number in (1, 2, 3)] == [True, False, False]
    backlog.hold("a", held(until=10.0))
    assert (backlog.can_go(name(1), 9.9), backlog.can_go(name(1), 10.0)) == (False, True)
    assert list(backlog.lanes) == ["a"]


def test_entry_that_must_be_read_first_has_nothing_of_a_tenant():
    """No generation, no connection test: neither is known."""
    backlog = Backlog(4)
    backlog.add(name(1))
    assert backlog.next(0.0) == Pick(name(1), "", 0, test_first=False)


def test_entry_can_be_told_not_to_wait():
    """An administrator asked for it, read or not."""
    backlog = backlog_of(a=[1])
    backlog.again(backlog.next(0.0).name, 1e9)
    backlog.now(name(1))
    backlog.add(name(2))
    backlog.now(name(2))
    assert picked(backlog) == [1, 2]
    assert list(backlog.lanes) == ["a"]


def test_others_go_on_waiting_when_one_need_not():
    """An administrator asked for that one."""
    backlog = backlog_of(a=[1, 2, 3])
    for _ in range(3):
        backlog.again(backlog.next(0.0).name, 50.0)
    backlog.now(name(2))
    assert picked(backlog, 0.0) == [2]


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


def test_neighbours_of_an_entry_that_is_gone_stay():
    """Older or younger, ready or waiting for their time."""
    ready, waiting = backlog_of(a=[1, 2, 3]), backlog_of(a=[])
    assert ready.can_go(name(1), 0.0)
    for number in (1, 2, 3):
        waiting.add(name(number))
        waiting.assign(name(number), "a", due=5.0)
    for backlog in (ready, waiting):
        backlog.remove(name(2))
        assert picked(backlog, 5.0) == [1, 3]


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


def test_next_time_of_a_tenant_that_has_accepted_is_now_until_it_has_no_more_workers():
    """And never while its probe is on its way: only the answer can change anything."""
    backlog = backlog_of(4, a=range(10), b=[])
    backlog.lane("b")
    first = backlog.next(0.0)
    backlog.succeeded(first, 0.0)
    assert backlog.next_time() == NOW
    assert len(picked(backlog)) == 2
    assert backlog.next_time() == NEVER
    backlog.remove(first.name)
    assert backlog.next_time() == NOW
    backlog.hold("a", held(until=5.0))
    assert backlog.next_time() == NEVER
    for number in (1, 2):
        backlog.remove(name(number))
    assert backlog.next_time() == 5.0


def test_entry_that_was_read_out_of_turn_is_not_read_again():
    """An action reads its own entry first; twice in its lane, it would go twice."""
    backlog = backlog_of(a=[1])
    assert backlog.can_go(name(1), 0.0)
    assert backlog.pick(name(1)).tenant == "a"
    assert picked(backlog) == []
