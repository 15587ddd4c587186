"""The stand-in's KQL."""

from __future__ import annotations

import pytest

from tests.elastic.standins.kibana_kql import Invalid, compile_kql

DOCUMENT = {
    "a": ["one", "two words"],
    "n": [5],
    "b": [True],
    "star": ["x*y"],
    "q": ['say "hi"'],
    "t": ["Some Text here"],
}


def matches(kql):
    """Whether the document above matches; the field `t` is analysed text."""
    return compile_kql(kql)(lambda name: (DOCUMENT.get(name, []), name == "t"))


@pytest.mark.parametrize(
    "kql",
    [
        "",
        "a: one",
        "a:one",
        'a: "two words"',
        "a: two words",
        "a: (nothing or one)",
        'a: (one and "two words")',
        "a: (one and not three)",
        "a: *",
        "a: o*e",
        "a: two*",
        "n: 5",
        "n > 4.5",
        "n <= 5 and n >= 5",
        "b: true",
        "not a: three",
        "NOT a: three AND b: true",
        "(a: three or a: one) and b: true",
        "a: three and a: four or b: true",
        r"star: x\*y",
        r'q: "say \"hi\""',
        r"a: two\ words",
        "t: text",
        't: "some text"',
        "t: (nothing or here)",
        "t: TE*",
    ],
)
def test_it_matches(kql):
    """What should."""
    assert matches(kql) is True


@pytest.mark.parametrize(
    "kql",
    [
        "a: One",
        "a: two",
        'a: "o*"',
        "a: on",
        "c: *",
        "not c: * and a: three",
        "n < 5",
        "n > 5",
        "b: false",
        r"star: a\*b",
        r"a: o\*",
        't: "text some"',
        "t: ome",
        "a: one and (b: false or n: 6)",
        "not (a: one or a: three)",
    ],
)
def test_it_does_not_match(kql):
    """What should not."""
    assert matches(kql) is False


@pytest.mark.parametrize(
    "kql",
    ["one", "a:", ": one", "a: (one", "a: one)", "a: one and", "and a: one", "a: {b: c}", 'a: "one', "n > x", "a: or"],
)
def test_it_is_refused(kql):
    """What is no KQL, or not a part that the stand-in knows."""
    with pytest.raises(Invalid):
        matches(kql)
