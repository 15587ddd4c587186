"""Tests of how searches are found: in a dashboard, a script, a page. They must not look at what the app ships."""

from __future__ import annotations

import pytest

from tests.spl import shipped
from tests.spl.views import View, ViewError

VIEW = """<form version="1.1">
  <search id="base"><query>index=main host=$host|s$</query><earliest>$t.earliest$</earliest><latest>$t.latest$</latest></search>
  <fieldset>
    <input type="time" token="t"><default><earliest>-1h</earliest><latest>now</latest></default></input>
    <input type="dropdown" token="host"><default>*</default><search base="base"><query>| stats count by host</query></search></input>
  </fieldset>
  <row><panel><title>Own</title><table><search><query>index=main id=$id$</query></search></table></panel></row>
  <row><panel><title>Built on</title><table><search base="base"><query>host=b | head</query></search>
    <drilldown><set token="form.id">$row.id$</set></drilldown></table></panel></row>
</form>"""


def test_a_dashboards_searches_have_their_base_and_their_tokens():
    """With |s as a text in quotes, whatever is in it; a search that is built on another has its time range."""
    assert list(View(VIEW).searches()) == [
        ("search base", 'index=main host="*"', "-1h", "now"),
        ("input host", 'index=main host="*"\n| stats count by host', "-1h", "now"),
        ("Own", "index=main id=x", "", ""),
        ("Built on", 'index=main host="*"\n| search host=b | head', "-1h", "now"),
    ]
    chosen = View(VIEW, host='a" OR "b\\').by_name()["search base"][1]
    assert chosen == 'index=main host="a\\" OR \\"b\\\\"'


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [("$id$", "$di$", r"nobody sets the token \$di\$"), ('base="base"', 'base="bass"', "no search has the id bass")],
)
def test_a_search_that_would_never_start_is_an_error(old, new, words):
    """SimpleXML waits for a token that nobody sets, and for a base that is not there."""
    with pytest.raises(ViewError, match=words):
        list(View(VIEW.replace(old, new)).searches())


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("x = '| head';", ["| head"]),
        ('x =\n  \'search `m` a="b"\' +\n  " | head" + `| table ${name}`;', ['search `m` a="b" | head| table main']),
        ('search(`| cmd t="${tenant.name}"`, 60)', ['| cmd t="main"']),
        ("text = 'It searches | head'; b = 'searching'", []),
        ("x = '| head \\'y\\'';", ["| head 'y'"]),
    ],
)
def test_a_script_is_looked_through(script, found):
    """Strings that are added up are one; what is filled in is a name."""
    assert [shipped._literal(script, one.start()) for one in shipped._LITERAL.finditer(script)][: len(found)] == found
    assert bool(shipped._LITERAL.search(script)) == bool(found)


@pytest.mark.parametrize(
    ("block", "found"),
    [
        ("    index=main\n    | head\n", ["index=main\n| head"]),
        ("    index=main\n    index=other | head\n", ["index=main", "index=other | head"]),
        ("    | parapetoutbox\n    | parapettest tenant=x\n", ["| parapetoutbox", "| parapettest tenant=x"]),
        ("    `m` a=b\n        c=d\n    | head\n", ["`m` a=b\n    c=d\n| head"]),
        ("    curl -X POST | head\n    index=main\n", []),
        ("    [stanza]\n    definition = index=main\n", []),
    ],
)
def test_a_block_of_a_page_is_divided_into_its_searches(block, found):
    """One begins where a search can begin; a block of something else has none."""
    assert list(shipped._of_block(block)) == found


def test_a_place_is_told_by_line_and_column():
    """Both count from one."""
    found = shipped.Found("docs/x.md", "line 3", "index=main\n| head\n| stas")
    assert found.where(20) == "docs/x.md: line 3: line 3, column 3, at 'stas'"
    assert found.where(None) == "docs/x.md: line 3"
