"""Every search that the app ships: whether Splunk would run it, and whether it looks at what is there.

They must not run anything; what the searches find is in test_searches_run.
"""

from __future__ import annotations

import re

import pytest
from parapet.log import EVENTS

from tests.conf import APP, CONFS
from tests.doc_pages import PAGES
from tests.spl import pipeline, shipped, sources, syntax
from tests.spl.syntax import SplError
from tests.spl.world import Fields

SHIPPED = shipped.searches()
WORLD = sources.world()
LOG = 'index=_internal sourcetype="parapet_security:log" '


def faults(catalogue=EVENTS, found=SHIPPED):
    """What is wrong with each search, a line each: file, search, place, and why."""
    world, wrong = sources.world(catalogue), []
    for one in found:
        try:
            checked(one, world)
        except SplError as error:
            wrong.append(f"{one.where(error.place)}: {error}")
    return wrong


def checked(one, world):
    """Check one search, or a piece of one, whose fields may be any."""
    if not one.is_part:
        return pipeline.check(one.text, world)
    have = Fields(frozenset(), others=True)
    for command in pipeline.Pipeline(syntax.parse("| makeresults " + one.text, world.macros)).commands[1:]:
        have = command.flow(have, world)
    return have


@pytest.mark.parametrize("one", SHIPPED, ids=[f"{one.file}: {one.name}" for one in SHIPPED])
def test_a_search_would_run_and_reads_only_fields_that_are_there(one):
    """Brackets, quotes, commands, functions, macros, events, fields; the message says where."""
    assert faults(found=[one]) == []


def test_every_place_with_searches_is_looked_at():
    """A search that is overlooked is checked by nobody."""
    by_file = {}
    for one in SHIPPED:
        by_file.setdefault(one.file, []).append(one)
    app = "parapet_security/"
    saved = [one.name for one in by_file[app + "default/savedsearches.conf"]]
    assert saved == [name for name, settings in CONFS["savedsearches.conf"].items() if "search" in settings]
    for path in APP.glob("default/data/ui/views/*.xml"):
        queries = path.read_text(encoding="utf-8").count("<query>")
        assert len(by_file.get(shipped._path(path), [])) == queries, path
    script = (APP / "appserver/static/setup.js").read_text(encoding="utf-8")
    assert len(by_file[app + "appserver/static/setup.js"]) == len(re.findall(r"\bsearch\((?!spl\b)", script))
    assert len(by_file[app + "default/alert_actions.conf"]) == 2
    assert len(by_file[app + "default/data/ui/alerts/parapet_security.html"]) == 1
    examples = [key for stanza in CONFS["searchbnf.conf"].values() for key in stanza if key.startswith("example")]
    assert len(by_file[app + "default/searchbnf.conf"]) == len(examples)


@pytest.mark.parametrize("page", PAGES, ids=shipped._path)
def test_every_search_of_a_page_is_found(page):
    """Whatever names our sourcetype, our macros or the scheduler's log is part of a search that is checked."""
    text = page.read_text(encoding="utf-8")
    found = "\n".join(one.text for one in SHIPPED if one.file == shipped._path(page))
    for word in (
        r"sourcetype=parapet_security:log",
        r"`parapet_security_(?:index|modalert)` +\w+=",
        r"scheduler\.log\*",
    ):
        assert len(re.findall(word, found)) == len(re.findall(word, text)), word
    piped = re.findall(r"^ {4,}(\| \w+ .*)", text, re.MULTILINE)
    assert [line for line in piped if line.strip() not in found] == []


@pytest.mark.parametrize(
    ("search", "words", "at"),
    [
        (LOG + '| stats count by "host', "a quotation mark has no other", '"host'),
        (LOG + "| where (waiting > 0", "a bracket is not closed: (", "(waiting"),
        (LOG + "| eval x=if(waiting > 0, 1, 0))", "a bracket is closed that was not opened: )", ")"),
        (LOG + "| append [search index=_internal", "a bracket is not closed: [", "[search"),
        ("`parapet_security_indx` event=outbox.state", "no macro is named 'parapet_security_indx'", "`parapet_security_indx"),
        ("`parapet_security_index event=outbox.state", "a back-tick has no other", "`parapet"),
        (LOG + "| stas count", "the command 'stas' is not known", "stas"),
        (LOG + "| | head 5", "a command is missing after a pipe", "| head"),
        (LOG + "| makeresults", "'makeresults' must be the first", "makeresults"),
        ("| head 5", "'head' cannot be the first", "head"),
        (LOG + "| stats cuont by host", "the function 'cuont' is not known", "cuont"),
        (LOG + "| stats latest by host", "'latest' takes a field", "latest"),
        (LOG + "| eval x=rnd(waiting)", "the function 'rnd' is not known", "rnd"),
        (LOG + "| eval x=if(waiting > 0, 1)", "'if' takes another number of arguments", "if"),
        (LOG + '| eval x=case(waiting, "a")', "'case' takes what is true or false", "case"),
        (LOG + "| eval x=waiting > 0", "Fields cannot be assigned a boolean result", " x="),
        (LOG + "| where waiting", "a condition must be true or false", " waiting"),
        (LOG + "| where waiting >", "the expression ends too early", ""),
        (LOG + "event=outbox.sate", "'outbox.sate' is no value of the field 'event'", "event=outbox.sate"),
        (LOG + "event IN (outbox.state, outbox.full)", "'outbox.full' is no value", "event IN"),
        (LOG + '| where event="delivery.done"', "'delivery.done' is no value", '="delivery'),
        (LOG + '| stats count(eval(event="delivery.done")) as n', "'delivery.done' is no value", '="delivery'),
        (LOG + "log_level=WARNING", "'WARNING' is no value of the field 'log_level'", "log_level"),
        (LOG + "event=outbox.state | where oldest > 900", "nobody gives the field 'oldest'", "oldest"),
        (LOG + "event=outbox.state delay_s>5", "nobody gives the field 'delay_s'", "delay_s"),
        (LOG + "event=outbox.state | table host reason", "nobody gives the field 'reason'", "reason"),
        (LOG + "| stats count by host | table host _time", "nobody gives the field '_time'", "_time"),
        (LOG + "| stats count by host | stats latest(count)", "nobody gives the field '_time'", "count)"),
        (LOG + "| rename waiting as queued | where waiting > 0", "nobody gives the field 'waiting'", "waiting > 0"),
        (LOG + "| fields - waiting | sort waiting", "nobody gives the field 'waiting'", "waiting"),
        (LOG + "| table wait*ers", "no field fits 'wait*ers'", "wait*ers"),
        (LOG + "log_level=FATAL | stats count by reason", "it drops every forwarder.stuck", "reason"),
        (LOG + "event=outbox.state | stats latest(held) by host", "may be of an older outbox.state", "held"),
        ("sourcetype=parapet_security:log", "no event that is known here has all of these terms", "sourcetype"),
        (LOG + "earliest=-15minutes", 'Invalid unit "minutes"', "earliest"),
        (LOG + "event= ", "a value is missing after 'event='", "event="),
        (LOG + "OR", "the terms end too early", ""),
        ("| from datamodel:Risk", "it takes a data model here", "from"),
        ('| from datamodel:"Risk.All_Risk" | where score >= 50', "nobody gives the field 'score'", "score"),
        ("| parapetoutbox all", "it does not take 'all'", "parapetoutbox"),
        ("| parapetoutbox | table status", "nobody gives the field 'status'", "status"),
        (LOG + '| rex "no name"', "the regular expression names no field", '"no name'),
        (LOG + '| rex "(?<a>"', "no regular expression", '"(?<a>'),
        (LOG + "| join host [search index=_internal | stats count]", "nobody gives the field 'host'", "host"),
    ],
)  # fmt: skip
def test_a_broken_search_is_found_with_its_place(search, words, at):
    """What a reader would otherwise find out, or not even that: many of them just give no rows."""
    with pytest.raises(SplError) as caught:
        pipeline.check(search, WORLD)
    assert words in str(caught.value)
    assert search[caught.value.place :].lstrip().startswith(at.lstrip()), search[caught.value.place :]


def test_a_message_names_file_search_line_and_column():
    """Whoever reads it need not look for the place."""
    found = shipped.Found("docs/x.md", "block at line 3, search 1", LOG + "\n| stas count")
    assert faults(found=[found]) == [
        "docs/x.md: block at line 3, search 1: line 2, column 3, at 'stas count': the command 'stas' is not known"
    ]


@pytest.mark.parametrize(
    ("event", "field", "searches"),
    [
        ("outbox.state", "oldest_s", ["Alerts have waited for more than 15 minutes", "search hosts", "setup.js"]),
        ("outbox.state", "waiting", ["Alerts have waited for more than 15 minutes", "Waiting now", "setup.js"]),
        ("delivery.delivered", "delay_s", ["search delivered", "Seconds from trigger to delivery"]),
    ],
)
def test_a_field_that_is_renamed_in_the_catalogue_is_found_in_every_search(event, field, searches):
    """The catalogue follows the code (tests/core/test_log_fields.py), and the searches follow the catalogue."""
    level, meaning, todo, fields = EVENTS[event]
    renamed = " ".join("renamed" if name == field else name for name in fields.split())
    wrong = faults({**EVENTS, event: (level, meaning, todo, renamed)})
    for name in searches:
        assert any(name in line and f"'{field}'" in line for line in wrong), (name, wrong)


def test_an_event_that_is_renamed_in_the_catalogue_is_found():
    """An event's name is in more places than its fields."""
    catalogue = {("outbox.census" if name == "outbox.state" else name): entry for name, entry in EVENTS.items()}
    wrong = faults(catalogue)
    for name in ("Alerts have waited for more than 15 minutes", "search hosts", "setup.js", "docs/operate.md"):
        assert any(name in line and "'outbox.state' is no value" in line for line in wrong), name


def test_the_roles_that_searches_compare_with_are_those_of_the_code():
    """The roles that a state line can name are those that the code gives."""
    texts = " ".join(path.read_text(encoding="utf-8") for path in APP.glob("bin/parapet/*.py"))
    assert set(re.findall(r'role="(\w+)"', texts)) == sources.ROLES
