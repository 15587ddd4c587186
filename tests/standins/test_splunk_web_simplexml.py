"""Simple XML in the Splunk Web stand-in: what it refuses of forms and panels, and what it shows of them.

Must not need a browser.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from tests.standins.splunk_web_fixtures import (  # noqa: F401  # pytest finds the fixtures by their names
    home_fixture,
    make_web_fixture,
    visit_fixture,
    web_fixture,
)
from tests.standins.splunk_web_simplexml import ViewError, check

SEARCH = "<search><query>q</query><earliest>0</earliest><latest>now</latest></search>"
BASE = SEARCH.replace("<search>", "<search id='base'>")
FORM = f"""<form version='1.1'><label>x</label>{BASE}<fieldset submitButton='false'>
<input type='time' token='time' searchWhenChanged='true'><label>When</label>
<default><earliest>-1d</earliest><latest>now</latest></default></input>
<input type='dropdown' token='host'><label>Where</label><choice value='*'>All</choice><default>*</default>
<fieldForLabel>host</fieldForLabel><fieldForValue>host</fieldForValue>
<search base='base'><query>| stats count BY host</query></search></input>
<input type='text' token='id'><label>Id</label></input></fieldset>
<row><panel><title>Some &amp; more</title><single><title>One</title><search base='base'><query>q</query></search>
<option name='underLabel'>of many</option></single><html><p>hint</p></html></panel></row>
<row depends='$id$'><panel><title>Of $id$ and $other$</title><table>{SEARCH}<option name='drilldown'>row</option>
<drilldown><set token='form.id'>$row.id$</set></drilldown></table></panel></row>
<row rejects='$id$'><panel><title>Without</title><chart>{SEARCH}</chart></panel></row></form>"""


def panel(inner):
    """A form with one panel."""
    return f"<form><label>x</label>{BASE}<row><panel>{inner}</panel></row></form>"


def table(inner, search=SEARCH):
    """A form with one table."""
    return panel(f"<table>{search}{inner}</table>")


def an_input(inner, attributes="type='dropdown' token='x'"):
    """A form with one input."""
    return f"<form><label>x</label><fieldset><input {attributes}>{inner}</input></fieldset></form>"


def test_a_form_with_all_that_this_app_uses_is_simple_xml():
    """Nothing in it is refused."""
    check(ET.fromstring(FORM), "fake")  # noqa: S314  # written above


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<dashboard><label>x</label><fieldset/></dashboard>", "<fieldset> has no place in <dashboard>"),
        ("<form autoRun='true'><label>x</label></form>", "no attribute"),
        ("<form theme='grey'><label>x</label></form>", 'theme of <form> cannot be "grey"'),
        ("<form><label>x</label><label>y</label></form>", "<label> stands twice"),
        ("<form><label>x</label><fieldset submitButton='no'/></form>", "submitButton"),
        (an_input("", "type='dropdown'"), "lacks the attribute ['token']"),
        (an_input("", "type='slider' token='x'"), 'type of <input> cannot be "slider"'),
        (an_input("<choice>All</choice>"), "lacks the attribute ['value']"),
        (an_input("<choice value='*'>All</choice>", "type='text' token='x'"), "<choice> has no place in <input text>"),
        (an_input("<fieldForLable>x</fieldForLable>"), "no place in <input dropdown>"),
        (an_input(SEARCH + SEARCH), "<search> stands twice"),
        (panel("<title>x</title>text<html/>"), "holds text beside elements"),
        (panel("<html/>text"), "holds text beside elements"),
        (panel("<figure/>"), "<figure> has no place in <panel>"),
        (panel("<title>x</title><title>y</title>"), "<title> stands twice"),
        (table(SEARCH), "<search> stands twice"),
        (table("", "<search base='absent'><query>q</query></search>"), 'no base search "absent"'),
        (
            table("", "<search base='base'><query>q</query><latest>now</latest></search>"),
            "takes its times from its base",
        ),
        (table("", "<search><query>q</query><latest>now</latest></search>"), "lacks <earliest> or <latest>"),
        (table("", "<search><query> </query></search>"), "lacks a <query>"),
        (
            table("", SEARCH.replace("</search>", "<refreshType>never</refreshType></search>")),
            "<refreshType> cannot be",
        ),
        (table("<option name='drilldown'>rows</option>"), 'the option "drilldown" cannot be "rows"'),
        (table("<option name='drill'>row</option>"), 'no option "drill"'),
        (table("<option name='count'>1</option><option name='count'>2</option>"), 'the option "count" twice'),
        (table("<option>row</option>"), "lacks the attribute ['name']"),
        (panel(f"<single>{SEARCH}<option name='rangeValues'>0,1</option></single>"), '"rangeValues" cannot be'),
        (panel(f"<single>{SEARCH}<option name='rangeColors'>[\"red\"]</option></single>"), '"rangeColors" cannot be'),
        (panel(f"<chart>{SEARCH}<option name='charting.chart'>lines</option></chart>"), '"charting.chart" cannot be'),
        (table("<drilldown><set>x</set></drilldown>"), "lacks the attribute ['token']"),
        (table("<drilldown><link>x</link></drilldown>"), "<link> has no place in <drilldown>"),
        (
            table("<drilldown><set token='x'>1</set><condition/></drilldown>"),
            "Cannot mix <set> with explicit <condition>s",
        ),
        (table("<drilldown><condition field='x' match='y'/></drilldown>"), "cannot ask for"),
        (
            table("", SEARCH.replace("</search>", "<done><condition field='x'/></done></search>")),
            "<condition> in <done> cannot ask for ['field']",
        ),
        (panel("<single id='base'/>"), 'Duplicate panel element ID "base"'),
        (panel("<single id='1st'/>"), 'ID "1st" for panel element does not match pattern'),
    ],
)
def test_what_splunk_does_not_know_is_refused(text, reason):
    """What it passes over in silence is a mistake all the same."""
    with pytest.raises(ViewError) as caught:
        check(ET.fromstring(text), "fake")  # noqa: S314  # written above
    assert str(caught.value).startswith("fake: ")
    assert reason in str(caught.value)


def test_what_stands_inside_of_html_is_not_simple_xml():
    """A table in a text is one of HTML."""
    check(ET.fromstring(panel("<html><form id='a-b'><option/>x<table><tr/></table></form></html>")), "fake")  # noqa: S314


def show(home, visit, query=""):
    """The page of the form, and the titles of its panels."""
    (home.app / "default/data/ui/views/fake.xml").write_text(FORM, encoding="utf-8")
    text = visit().go("app/parapet_security/fake" + query).text
    return text, re.findall('<h2 class="panel-title">(.*?)</h2>', text)


def test_a_form_shows_its_inputs_and_the_titles_of_its_panels(home, visit):
    """Each input with its label; a visualisation has found nothing."""
    text, titles = show(home, visit)
    assert re.findall(r'<label for="input_(\w+)">(.*?)</label>', text) == [
        ("time", "When"),
        ("host", "Where"),
        ("id", "Id"),
    ]
    assert '<option value="*" selected>All</option>' in text
    assert titles == ["Some &amp; more", "Without"]
    assert "<h3>One</h3>" in text
    assert text.count("No results found.") == 2
    assert "<p>hint</p>" in text


def test_a_row_appears_with_the_token_that_it_depends_on(home, visit):
    """An input's value in the URL is its token; a token that nothing set stays as it is written."""
    text, titles = show(home, visit, "?form.id=75634&form.host=sh%221")
    assert titles == ["Some &amp; more", "Of 75634 and $other$"]
    assert '<option value="sh&quot;1" selected>sh&quot;1</option>' in text
    assert '<input id="input_id" type="text" value="75634">' in text
