"""Finding rules: each way to name them. Must not change any."""

import pytest
from parapet_elastic.editing.rules import Selection, listing, read, select
from parapet_elastic.errors import Exit, Failure

from tests.elastic.changing import Person


@pytest.fixture
def person(kibana, tmp_path):
    """Somebody with access."""
    return Person(kibana, tmp_path)


def _names(person, **how):
    return [rule["name"] for rule in select(person.kibana, Selection(**how))]


def test_rules_are_found_by_each_way_to_name_them(person, kibana):
    """Within one kind any may match, of several kinds each must; sorted by name."""
    a = kibana.add_rule("b Suspicious", tags=["x", "OS: Windows"])
    kibana.add_rule("A suspicious [1]", tags=["y"], enabled=False)
    kibana.add_rule("C", tags=["x"])

    assert _names(person, everything=True) == ["A suspicious [1]", "b Suspicious", "C"]
    assert _names(person, ids=(a,)) == ["b Suspicious"]
    assert _names(person, ids=(kibana.rule(a)["rule_id"],)) == ["b Suspicious"]
    assert _names(person, names=("*SUSP*", "c")) == ["A suspicious [1]", "b Suspicious", "C"]
    assert _names(person, tags=("x", "y")) == ["A suspicious [1]", "b Suspicious", "C"]
    assert _names(person, tags=("OS: Windows",)) == ["b Suspicious"]
    assert _names(person, tags=("x",), names=("c*",)) == ["C"]
    assert _names(person, kql="alert.attributes.enabled: true") == ["b Suspicious", "C"]
    assert _names(person, kql="alert.attributes.enabled: true", ids=(a,)) == ["b Suspicious"]


def test_a_bracket_in_a_name_is_a_bracket(person, kibana):
    """Only * and ? stand for something else."""
    kibana.add_rule("[Duplicate] a")
    kibana.add_rule("D")
    kibana.add_rule("d a")

    assert _names(person, names=("[DUPLICATE]*",)) == ["[Duplicate] a"]
    with pytest.raises(Failure):
        _names(person, names=("[d]",))


def test_a_rule_id_that_is_no_uuid_is_found(person, kibana):
    """Kibana refuses to look for it as an id, in every rule that was imported with a name of its own."""
    kibana.add_rule("A", rule_id="my-rule")

    assert _names(person, ids=("my-rule",)) == ["A"]


def test_a_selection_of_nothing_is_not_everything():
    """It says what can be given."""
    with pytest.raises(Failure) as caught:
        Selection()

    assert "--all" in caught.value.todo


def test_no_match_and_an_unknown_id_end_with_one_line(person, kibana):
    """Nothing is not a success."""
    kibana.add_rule("A")

    for how in ({"names": ("x",)}, {"tags": ("A",)}, {"ids": ("nobody",)}):
        with pytest.raises(Failure) as caught:
            _names(person, **how)
        assert caught.value.exit is Exit.USAGE


def test_a_query_that_kibana_does_not_take_is_refused_in_its_words(person, kibana):
    """Kibana knows the fields, not we."""
    kibana.add_rule("A")

    with pytest.raises(Failure, match=r"--kql.*nonsense") as caught:
        _names(person, kql="nonsense: 1")

    assert caught.value.exit is Exit.USAGE


def test_all_pages_are_read(person, kibana):
    """In pages of 100, names that are equal included."""
    ids = {kibana.add_rule("Same name") for _ in range(250)}

    assert {rule["id"] for rule in listing(person.kibana)} == ids
    assert [one.query["page"] for one in kibana.requests] == ["1", "2", "3"]


def test_a_rule_that_goes_while_pages_are_read_costs_no_other(person, kibana):
    """The others move up by one, so one of them would be between two pages."""
    ids = [kibana.add_rule(f"{number:03}") for number in range(150)]
    original = person.kibana.get

    def get(path, query=None):
        answer = original(path, query)
        if query["page"] == 1 and kibana.rules()[0]["id"] == ids[0]:
            kibana.remove_rule(ids[0])
        return answer

    person.kibana.get = get

    assert {rule["id"] for rule in listing(person.kibana)} == set(ids[1:])


def test_a_list_that_never_keeps_still_is_not_taken_for_whole(person, kibana):
    """Three attempts, then a line that says so."""
    for number in range(101):
        kibana.add_rule(f"{number}")
    original = person.kibana.get

    def get(path, query=None):
        answer = original(path, query)
        kibana.add_rule("another")
        return answer

    person.kibana.get = get

    with pytest.raises(Failure) as caught:
        listing(person.kibana)

    assert caught.value.exit is Exit.INCOMPLETE


@pytest.mark.parametrize("many", [3, 30])
def test_rules_are_read_again_and_those_that_are_gone_left_out(person, kibana, many):
    """A few one by one, many by the list."""
    ids = [kibana.add_rule(f"{number}") for number in range(many)]
    kibana.remove_rule(ids[0])

    assert set(read(person.kibana, ids)) == set(ids[1:])
