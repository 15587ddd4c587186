"""The pages about Elastic, held against the program: its commands, options, exit codes, and variables."""

from __future__ import annotations

import re
import shlex

import pytest
from parapet_elastic.cli_help import COMMANDS, TOP_END
from parapet_elastic.cli_parser import parser
from parapet_elastic.errors import Exit
from parapet_elastic.rendering.renderer import render
from parapet_elastic.rendering.samples import contexts
from parapet_elastic.settings import NAMES

from tests.doc_pages import PAGES, read, table

PAGE = "docs/elastic.md"
CALL = re.compile(r"(?:parapet-elastic|build\.py elastic) ([a-z][^`\n]*)")


def calls():
    """Every call of parapet-elastic that a page shows, with the page."""
    for page in PAGES:
        for text in CALL.findall(page.read_text(encoding="utf-8")):
            # A sentence may go on after the name; a call has a command of ours first.
            words = shlex.split(text.partition("#")[0], posix=True) if text.count("'") % 2 == 0 else []
            if words and words[0] in COMMANDS:
                yield page.name, words


def test_the_pages_show_every_command():
    """Whoever reads them has seen each."""
    assert {words[0] for _, words in calls()} >= set(COMMANDS)


@pytest.mark.parametrize(
    ("page", "words"), list(calls()), ids=lambda value: " ".join(value) if isinstance(value, list) else value
)
def test_every_option_that_a_page_shows_exists(page, words):
    """With a value where it wants one: the parser takes the call as it stands."""
    words = [
        "2026-01-28T14:00:00Z" if before in ("--from", "--to") else word for before, word in zip(["", *words], words)
    ]
    words = [word for word in words if word != "…"]
    needed = {"backfill": ["--from", "2026-01-28T14:00:00Z", "--to", "2026-01-28T16:00:00Z"], "lint": ["basic"]}
    more = [] if len(words) > 1 else needed.get(words[0], [])
    assert parser("parapet-elastic").parse_args([*words, *more]).command == words[0]


def test_every_exit_code_is_told_in_the_same_order():
    """In the page and in --help."""
    codes = [str(int(code)) for code in Exit]
    assert [row[0] for row in table(PAGE, "exit code")] == codes
    assert re.findall(r"^ +(\d+)  ", TOP_END, re.MULTILINE) == codes


def test_every_variable_is_told():
    """In the page and in --help, and the program reads it."""
    told = {name for row in table(PAGE, "variable") for name in re.findall(r"`([A-Z_]+)`", row[0])}
    assert told == set(re.findall(r"^  ([A-Z_]+)  ", TOP_END, re.MULTILINE)) == {*NAMES, "PARAPET_ELASTIC_STATE"}


def test_every_option_that_chooses_rules_is_told():
    """As attach has them."""
    told = {re.findall(r"--[a-z-]+", row[0])[0] for row in table(PAGE, "option")}
    group = next(group for group in _attach()._action_groups if group.title.startswith("which rules"))
    assert told == {action.option_strings[0] for action in group._group_actions}


def test_every_entry_of_the_guides_troubleshooting_has_its_answer():
    """The guide's own words, so that whoever searches for them finds the page."""
    page = read("docs/elastic-troubleshoot.md")
    for entry in (
        "Verify URL format", "Check authorization header", "Test with curl", "Check rule is enabled", "Verify action is attached",
        "Check Kibana logs", "Ensure the field exists in your data", "Check ECS field names", "Use conditional rendering",
        "Add throttling to your rules", "Reduce rule frequency", "Upgrade your Parapet Security plan", "{{field.name}}",
    ):  # fmt: skip
        assert entry in page, entry


def test_the_placeholders_that_the_page_offers_instead_are_known_to_the_renderer():
    """Each of the last column of the guide's table gives something for a whole alert."""
    whole = contexts()["one alert"]
    rows = table("docs/elastic-by-hand.md", "the guide")
    offered = [text for row in rows for text in re.findall(r"`([^`]*\{\{[^`]*)`", row[2])]
    assert len(offered) > 8
    for text in offered:
        if "ParseHjson" not in text:
            assert render(text, whole).strip("[]") != "", text


def _attach():
    return parser("parapet-elastic")._subparsers._group_actions[0].choices["attach"]
