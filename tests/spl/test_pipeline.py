"""Tests of the search language that the tests speak: what each command does with a few rows.

They must not use what the app ships.
"""

from __future__ import annotations

import pytest

from tests.spl import pipeline
from tests.spl.syntax import SplError
from tests.spl.world import Kind, World

NOW = 1769616000.0
EVENTS = (
    {"_time": NOW - 300, "host": "b", "n": "10", "name": "x y", "_raw": "a FAILED log-in", "index": "main"},
    {"_time": NOW - 200, "host": "a", "n": "9", "tags": ["red", "blue"], "_raw": "all is well", "index": "main"},
    {"_time": NOW - 100, "host": "b", "n": "2.5", "_raw": "failed again", "index": "main"},
)
KIND = Kind({"index": ("main",)}, frozenset(["n", "name", "tags", "none"]))
WORLD = World(
    {"m": "index=main"}.get,
    (KIND,),
    {},
    {},
    {"makeresults": frozenset(["_time"])},
    EVENTS,
    {},
    NOW,
    0.0,
    NOW,
    {
        "rooms": [
            {"host": "b", "room": "1", "floor": ""},
            {"host": "b", "room": "2", "floor": "top"},
            {"host": "c", "room": "3", "floor": ""},
        ]
    },
)


def rows(search, *names):
    """Some columns of what a search finds."""
    return [tuple(row.get(name, "") for name in names) for row in pipeline.run(search, WORLD)]


def value(expression):
    """What an expression is."""
    (row,) = pipeline.run(f"| makeresults | eval x={expression}", WORLD)
    return row.get("x", "")


@pytest.mark.parametrize(
    ("terms", "found"),
    [
        ("index=main", "2.5 9 10"),
        ("`m` failed", "2.5 10"),
        ('"failed log"', "10"),
        ("host=B", "2.5 10"),
        ("host=b n<10", "2.5"),
        ("n>=9 n<=10", "9 10"),
        ('name="x y"', "10"),
        ("name=x*", "10"),
        ("name!=z", "10"),
        ("NOT name=z", "2.5 9 10"),
        ("tags=blue", "9"),
        ("host=a OR n=10 failed", "10"),
        ("(host=a OR n=10) AND NOT failed", "9"),
        ("n IN (9, 10, 11)", "9 10"),
        ("earliest=-250s latest=-100s", "2.5 9"),
        ("earliest=1769615701", "2.5 9"),
    ],
)
def test_terms_choose_events(terms, found):
    """Newest first; words without regard to case; OR binds closer than AND."""
    assert " ".join(n for (n,) in rows(terms, "n")) == found


@pytest.mark.parametrize(
    ("command", "names", "found"),
    [
        ("where n > 9", "n", [("10",)]),
        ('where n > 9 OR host="a"', "n", [("9",), ("10",)]),
        ("where isnull(name) AND n < 5", "n", [("2.5",)]),
        ("where none > 5", "n", []),
        ("sort n", "n", [("2.5",), ("9",), ("10",)]),
        ("sort - n", "n", [("10",), ("9",), ("2.5",)]),
        ("sort host, -n", "host n", [("a", "9"), ("b", "10"), ("b", "2.5")]),
        ("sort -name", "name", [("x y",), ("",), ("",)]),
        ("sort name", "name", [("x y",), ("",), ("",)]),
        ("sort 1 -n", "n", [("10",)]),
        ("head 1", "n", [("2.5",)]),
        ("tail 2", "n", [("10",), ("9",)]),
        ("reverse", "n", [("10",), ("9",), ("2.5",)]),
        ("dedup host", "n", [("2.5",), ("9",)]),
        ("dedup 2 host", "n", [("2.5",), ("9",), ("10",)]),
        ("dedup name keepempty=true", "n", [("2.5",), ("9",), ("10",)]),
        ("table n", "n host", [("2.5", ""), ("9", ""), ("10", "")]),
        ("fields n | head 1", "n host _time", [("2.5", "", "1769615900")]),
        ("fields - n, _raw | head 1", "n host _raw", [("", "b", "")]),
        ("rename n as m, host as h | head 1", "m h n", [("2.5", "b", "")]),
        ("rename _* as hidden_* | head 1", "hidden_raw", [("failed again",)]),
        ('fillnull value="-" name | sort n', "name", [("-",), ("-",), ("x y",)]),
        ("mvexpand tags | where isnotnull(tags)", "tags", [("red",), ("blue",)]),
        ('eval parts=split(host . ",c", ",") | mvexpand parts | head 2', "parts", [("b",), ("c",)]),
        ('rex "(?<what>\\w+)$" | head 2', "what", [("again",), ("well",)]),
        ('rex field=host "(?<letter>a)"', "letter", [("",), ("a",), ("",)]),
        ("search host=a", "n", [("9",)]),
        ("addinfo | head 1", "info_max_time", [("1769616000",)]),
        ("bin _time span=5m | head 1", "_time", [("1769615700",)]),
        ("eventstats max(n) as most by host | head 2", "n most", [("2.5", "10"), ("9", "9")]),
        ("append [search index=main host=a]", "n", [("2.5",), ("9",), ("10",), ("9",)]),
        ("join host [search index=main host=a | rename n as m | table host m]", "n m", [("9", "9")]),
        ("join type=left host [search index=main host=a | rename n as m | table host m] | head 2", "n m", [("2.5", ""), ("9", "9")]),
        ("appendcols [search index=main | stats count] | head 2", "n count", [("2.5", "3"), ("9", "")]),
        ("head 2 | lookup rooms host OUTPUT floor AS level", "n level", [("2.5", "top"), ("9", "")]),
        ('eval where="c" | lookup rooms host AS where OUTPUTNEW room floor | head 1', "room floor", [("3", "")]),
        ("head 1 | lookup rooms host OUTPUT room | mvexpand room", "room", [("1",), ("2",)]),
    ],
)  # fmt: skip
def test_a_command_does_what_it_does_in_splunk(command, names, found):
    """One at a time."""
    assert rows("index=main | " + command, *names.split()) == found


@pytest.mark.parametrize(
    ("items", "found"),
    [
        ("count", {"count": "3"}),
        ("count(name) as c", {"c": "1"}),
        ("count(eval(n > 5)) as many", {"many": "2"}),
        ("sum(n) avg(n) as mean", {"sum(n)": "21.5", "mean": "7.166667"}),
        ("median(n), perc95(n), min(n), max(n)", {"median(n)": "9", "perc95(n)": "10", "min(n)": "2.5", "max(n)": "10"}),
        ("dc(host) values(host) list(host)", {"dc(host)": "2", "values(host)": ["a", "b"], "list(host)": ["b", "a", "b"]}),
        ("latest(n) earliest(n) first(n) last(n)", {"latest(n)": "2.5", "earliest(n)": "10", "first(n)": "2.5", "last(n)": "10"}),
        ("latest(na*) as old_*", {"old_me": "x y"}),
        ("range(n) avg(eval(n * 2)) as d", {"range(n)": "7.5", "d": "14.333333"}),
        ("sum(name) as s count", {"count": "3"}),
    ],
)  # fmt: skip
def test_stats_counts(items, found):
    """Over all rows: there is one row then, of no rows too."""
    assert pipeline.run("index=main | stats " + items, WORLD) == [found]
    assert pipeline.run("index=main n=77 | stats count", WORLD) == [{"count": "0"}]


def test_stats_by_gives_a_row_for_each_value():
    """In their order; of several values each; rows without the field are dropped, and so is no row at all."""
    assert rows("index=main | stats count by host", "host", "count") == [("a", "1"), ("b", "2")]
    assert rows("index=main | stats count by tags host", "tags", "host") == [("blue", "a"), ("red", "a")]
    assert rows("index=main n=77 | stats count by host", "count") == []


def test_timechart_has_a_row_for_each_span_and_a_column_for_each_value():
    """Spans without events too; a count is 0 there, anything else nothing."""
    world = WORLD.over("-4m", "now")
    found = pipeline.run("index=main | timechart span=2m count by host", world)
    assert found == [
        {"_time": "1769615760", "a": "1", "b": "0"},
        {"_time": "1769615880", "a": "0", "b": "1"},
        {"_time": "1769616000", "a": "0", "b": "0"},
    ]
    found = pipeline.run("index=main | timechart span=2m max(n)", world)
    assert [row.get("max(n)", "") for row in found] == ["9", "2.5", ""]
    found = pipeline.run("index=main | chart sum(n) over host", world)
    assert found == [{"host": "a", "sum(n)": "9"}, {"host": "b", "sum(n)": "2.5"}]


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("1 + 2 * 3 - 4 / 2", "5"),
        ("-(2 + 3) % 3", "1"),
        ('"a" . 1 . 1', "a11"),
        ('"1" + "2"', "3"),
        ("1 / 0", ""),
        ("none . 1", ""),
        ('if(1 < 2 AND NOT 3 > 4, "yes", "no")', "yes"),
        ('if("b" > "a" OR none = 1, "yes", "no")', "yes"),
        ('if(10 > "9", "number", "text")', "number"),
        ('case(1 > 2, "a", true(), "b")', "b"),
        ('case(1 > 2, "a")', ""),
        ("coalesce(none, null(), 7)", "7"),
        ("round(2.5)", "3"),
        ("round(-2.345, 2)", "-2.35"),
        ("floor(-1.5) . ceiling(1.2)", "-22"),
        ('max(1, "x", 3) . min(4, 2)', "32"),
        ('tostring(3661, "duration") . tostring(1234567, "commas")', "01:01:011,234,567"),
        ('strftime(1769614200.25, "%Y-%m-%d %H:%M:%S.%3N %z")', "2026-01-28 15:30:00.250 +0000"),
        ("now() - 60", "1769615940"),
        ('relative_time(now(), "-1h@h")', "1769612400"),
        ('replace("a-b-c", "-(\\w)", ".\\1")', "a.b.c"),
        ('if(match("abc", "^a.c$"), 1, 0) + if(like("abc", "a%"), 1, 0)', "2"),
        ('if("b" IN ("a", "b"), 1, 0) + if(in("c", "a", "b"), 1, 0)', "1"),
        ('mvjoin(mvsort(mvdedup(split("b,a,b", ","))), "-") . mvcount(split("a,b", ","))', "a-b2"),
        ('mvindex(split("a,b,c", ","), -1) . mvjoin(mvindex(split("a,b,c", ","), 0, 1), "")', "cab"),
        ('substr("abcdef", 2, 3) . substr("abc", -2) . len("abc") . upper("x") . lower("Y")', "bcdbc3Xy"),
        ('tonumber("12") + 1', "13"),
        ('tonumber("x")', ""),
        ('nullif("a", "a")', ""),
        ('urldecode("a%20b") . trim(" c ")', "a bc"),
        ("'_time' - now()", "0"),
    ],
)  # fmt: skip
def test_an_expression_is_worked_out(expression, wanted):
    """NULL makes NULL; what looks like a number is one where it is compared or added up."""
    if "none" in expression:
        expression = expression.replace("none", "null()")
    assert value(expression) == wanted


@pytest.mark.parametrize(
    "search",
    [
        "sort",
        "dedup",
        "table",
        "fields",
        "rename n h",
        "rename",
        "head x",
        "mvexpand a b",
        "bin _time",
        "lookup",
        "lookup rooms host",
    ],
)
def test_a_command_without_what_it_needs_is_refused(search):
    """As Splunk refuses it."""
    with pytest.raises(SplError, match="it takes"):
        pipeline.check("index=main | " + search, WORLD)


@pytest.mark.parametrize(
    "search",
    ["dedup n sortby n", "dedup n consecutive=true", 'rex mode=sed "s/a/b/"', "reverse 5", "makemv n m", "append n"],
)
def test_what_is_not_known_here_is_said(search):
    """Nothing is guessed."""
    with pytest.raises(SplError):
        pipeline.check("index=main | " + search, WORLD)


@pytest.mark.parametrize(
    ("search", "words"),
    [
        ("lookup room host OUTPUT floor", "no lookup is named 'room'"),
        ("lookup rooms house OUTPUT floor", "the lookup has no field 'house'"),
        ("lookup rooms host OUTPUT flor", "the lookup has no field 'flor'"),
        ("lookup rooms host AS house OUTPUT floor", "nobody gives the field 'house'"),
        ("lookup rooms host OUTPUT room AS name", "there is a field 'name' already"),
        ("lookup rooms host OUTPUT room | where floor=1", "nobody gives the field 'floor'"),
    ],
)
def test_a_lookup_has_what_is_asked_of_it(search, words):
    """Splunk would refuse it, or add nothing and say nothing."""
    with pytest.raises(SplError, match=words):
        pipeline.check("index=main | " + search, WORLD)


def test_a_column_can_have_any_name_in_quotes():
    """As a dashboard's heads have them."""
    assert rows('index=main | rename n as "how many" | head 1', "how many") == [("2.5",)]
    assert rows("index=main | eval \"how many\"=n * 2 | where 'how many' > 19", "how many") == [("20",)]


def test_a_macro_that_names_itself_ends():
    """It is one that is not there, some turns later."""
    with pytest.raises(SplError, match="no macro is named 'm'"):
        pipeline.check("`m`", WORLD._replace(macros=lambda _: "`m`"))


def test_a_comment_is_no_search():
    """And its place is kept for what comes after it."""
    search = "index=main ``` | stas ``` | stas"
    with pytest.raises(SplError) as caught:
        pipeline.check(search, WORLD)
    assert search[caught.value.place :] == "stas"
