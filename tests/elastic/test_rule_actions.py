"""What a rule's actions should be. Must not need a Kibana."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parapet_elastic.editing.apply import _plan_attach
from parapet_elastic.editing.plan import Plan
from parapet_elastic.editing.rule_actions import (
    EACH_ALERT,
    EACH_RUN,
    Change,
    Frequency,
    Wanted,
    alike,
    deduplicated,
    differences,
    for_bulk,
    frequency_of,
    kql_of,
    ours,
    parse_frequency,
    same,
    updated,
    without,
)
from parapet_elastic.errors import Exit, Failure

US = "parapet-security"
HOURLY = Frequency(summary=True, notify_when="onThrottleInterval", throttle="1h")
TIMEFRAME = {"days": [1], "hours": {"start": "08:00", "end": "18:00"}, "timezone": "UTC"}

texts = st.sampled_from(["", "a", "{{rule.id}}", "é\u2028"])
frequencies = st.sampled_from([EACH_ALERT, EACH_RUN, HOURLY])
filters = st.sampled_from([None, "kibana.alert.severity: high", "user.name: *"])


@st.composite
def actions(draw):
    """An action as Kibana gives it: of ours or of somebody else, with or without what may be missing."""
    action = {
        "id": draw(st.sampled_from([US, "slack", "mail"])),
        "action_type_id": ".webhook",
        "group": "default",
        "params": {"body": draw(texts)},
        "uuid": draw(st.uuids().map(str)),
    }
    if draw(st.booleans()):
        action["frequency"] = draw(frequencies).to_json()
    kql = draw(filters)
    if kql:
        action["alerts_filter"] = {"query": {"kql": kql, "filters": []}}
    if draw(st.booleans()):
        action.setdefault("alerts_filter", {})["timeframe"] = TIMEFRAME
    return action


lists = st.lists(actions(), max_size=6)
changes = st.builds(
    Change,
    body=st.none() | texts,
    frequency=st.none() | frequencies,
    kql=st.none() | st.just("") | st.just("host.name: *"),
)


@given(lists, changes)
def test_an_update_leaves_one_of_ours_as_wanted_and_all_others_untouched(before, change):
    """Whatever there was, in any order: others keep uuid and order, ours keeps its place and uuid."""
    kept = copy.deepcopy(before)

    after = updated(before, US, change)

    assert before == kept
    assert [one for one in after if one["id"] != US] == [one for one in before if one["id"] != US]
    had = ours({"actions": before}, US)
    have = ours({"actions": after}, US)
    assert len(have) == min(len(had), 1)
    for old, new in zip(had, have):
        wanted = Wanted(
            US,
            change.body if change.body is not None else old["params"]["body"],
            change.frequency or frequency_of(old),
            change.kql if change.kql is not None else kql_of(old),
        )
        assert same(new, wanted)
        assert new["uuid"] == old["uuid"]
        assert (new.get("alerts_filter") or {}).get("timeframe") == (old.get("alerts_filter") or {}).get("timeframe")
    assert updated(after, US, change) == after


@given(lists, st.builds(Wanted, st.just(US), texts, frequencies, filters))
def test_an_attach_ends_with_ours_on_the_rule_and_nothing_else_changed(before, wanted):
    """A plan, carried out as Kibana would, leaves ours without copies; a second plan has nothing to do."""
    rule = {"id": "1", "name": "A", "actions": before}
    plan = Plan("attach")
    _plan_attach(plan, rule, wanted)

    for step in plan.steps:
        rule = {**rule, "actions": [*before, wanted.to_json()] if step.after is None else step.after}

    had, have = ours({"actions": before}, US), ours(rule, US)
    assert deduplicated(have, US) == have
    assert have if had else [same(one, wanted) for one in have] == [True]
    assert without(rule["actions"], US) == without(before, US)
    again = Plan("attach")
    _plan_attach(again, rule, wanted)
    assert again.steps == []


@given(lists)
def test_a_detach_takes_ours_and_nothing_else(before):
    """The others stay as they are, in their order."""
    after = without(before, US)

    assert ours({"actions": after}, US) == []
    assert after == [one for one in before if one["id"] != US]


@given(lists, st.randoms())
def test_copies_of_ours_go_and_what_differs_stays(before, random):
    """Copies come back out wherever they are; somebody else's copies are not our business."""
    clean = deduplicated(before, US)
    doubled = [*clean]
    for one in ours({"actions": clean}, US):
        doubled.insert(random.randint(doubled.index(one) + 1, len(doubled)), {**one, "uuid": "another"})

    assert deduplicated(doubled, US) == clean
    assert without(clean, US) == without(before, US)


def test_a_change_of_nothing_leaves_the_action_as_it_came():
    """An update without options, or with what is there already, is no change, down to the order of the keys."""
    action = {"uuid": "u", "id": US, "params": {"body": "x"}, "group": "default", "frequency": EACH_RUN.to_json()}

    assert list(Change(body="x", frequency=EACH_RUN, kql="").apply(action).items()) == list(action.items())


def test_a_query_is_taken_away_and_filters_beside_it_stay():
    """An empty --only removes the query; a filter that was built in Kibana is not ours to remove."""
    plain = {"id": US, "alerts_filter": {"query": {"kql": "a: b", "filters": []}}}
    built = {"id": US, "alerts_filter": {"query": {"kql": "a: b", "filters": [{"meta": {}}]}}}

    assert Change(kql="").apply(plain) == {"id": US}
    assert Change(kql="").apply(built) == {"id": US, "alerts_filter": {"query": {"kql": "", "filters": [{"meta": {}}]}}}


@pytest.mark.parametrize(
    ("word", "frequency"),
    [("alert", EACH_ALERT), ("run", EACH_RUN), ("1h", HOURLY), ("30m", Frequency(True, "onThrottleInterval", "30m"))],
)
def test_the_words_for_a_frequency(word, frequency):
    """They are the ones of the command line."""
    assert parse_frequency(word) == frequency


@pytest.mark.parametrize("word", ["", "0h", "1", "1w", "h", "1h ", "-1h", "Alert", "rule"])
def test_other_words_are_no_frequency(word):
    """The sentence says which there are."""
    with pytest.raises(Failure) as caught:
        parse_frequency(word)

    assert caught.value.exit is Exit.USAGE
    assert "alert" in caught.value.todo


def test_an_action_without_frequency_counts_as_each_run():
    """Kibana takes it for that when the frequency is left out."""
    assert same({"id": US, "params": {"body": "x"}}, Wanted(US, "x", EACH_RUN))
    assert not same({"id": US, "params": {"body": "x"}}, Wanted(US, "x", EACH_ALERT))


def test_a_bulk_action_has_only_the_keys_that_are_taken():
    """action_type_id and uuid are refused there."""
    wanted = Wanted(US, "x", EACH_ALERT, "a: b").to_json()
    stored = {**wanted, "uuid": "u", "action_type_id": ".webhook", "extra": 1}

    assert for_bulk([stored]) == [wanted]
    assert "uuid" not in wanted
    assert alike([stored], [{**stored, "uuid": "other"}])
    assert not alike([stored], [stored, stored])


def test_differences_name_what_changes_and_no_template():
    """A body may hold a token that somebody wrote into it."""
    before = Wanted(US, "pst_canary", EACH_RUN).to_json()
    after = Wanted(US, "other pst_canary", HOURLY, "a: b").to_json()

    assert differences(before, after) == "template own -> another own, each run -> every 1h, filter: a: b"
    assert differences(after, before) == "template own -> another own, every 1h -> each run, filter: none"
