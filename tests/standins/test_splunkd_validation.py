"""Tests of the stand-in's validation: eval expressions as splunkd evaluates them, and restmap.conf's rules over every app."""

from __future__ import annotations

from itertools import product

import pytest

from tests.standins.splunk_home import SplunkHome
from tests.standins.splunkd_eval import EvalError, Reading, Scope, compiled
from tests.standins.splunkd_validation import Validation

READINGS = [Reading(*parts) for parts in product(("null", "name"), ("sent", "all"), ("unknown", "strict"))]

# The rules that Splunk ships for its own webhook (9.0.3, etc/apps/alert_webhook/default/restmap.conf).
WEBHOOK = """[validation:savedsearch]
action.webhook = case('action.webhook' != "1", null(), 'action.webhook.param.url' == "action.webhook.param.url" OR \
'action.webhook.param.url' == "", "No Webhook URL specified",  1==1, null())
action.webhook.param.url = validate( match('action.webhook.param.url', "^https?://[^\\s]+$"), "Webhook URL is invalid")
"""


def evaluated(text, reading=None, **fields):
    """The value of an expression."""
    return compiled(text)(Scope(fields, reading or Reading()))


@pytest.fixture
def rules(tmp_path):
    """A function that installs apps with these restmap.conf texts and returns the check of a saved search."""

    def install(*texts, export="system", reading=None):
        home = SplunkHome(tmp_path / "splunk")
        for number, text in enumerate(texts):
            folder = home.apps / f"app{number}"
            for name, content in (
                ("default/restmap.conf", text),
                ("metadata/default.meta", f"[restmap]\nexport = {export}\n"),
            ):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(content, encoding="utf-8")
        return Validation(home, reading or Reading()).check

    return install


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"a\\"b\\\\s\\s"', 'a"b\\s\\s'),
        ("'a.b'", None),
        ("'n' == 10", True),
        ("'n' == \"10.0\"", True),
        ("'n' < \"9\"", False),
        ('"b" > "a"', True),
        ("NOT 'n' == 10", False),
        ("1==1 OR 1==2 AND 1==2", True),
        ("(1==1 OR 1==2) AND 1==2", False),
        ('case(1==2, "a", 1==1, "b")', "b"),
        ('case(\'absent\' == "x", "a")', None),
        ('if(\'absent\' == "x", "a", "b")', "b"),
        ('validate(1==1, "a", 1==2, "b")', "b"),
        ('validate(1==1, "a")', None),
        ("match('n', \"^1\")", True),
        ("match('absent', \"^1\")", None),
        ("isnull('absent') AND isnotnull('n') AND NOT isnull('n')", True),
        ("coalesce('absent', null(), 'n')", "10"),
        ("len('n') == 2 AND like('n', \"1%\") AND NOT like('n', \"1\")", True),
        ('replace(lower("ABC"), "b", "x")', "axc"),
        ("isbool('n')", False),
        ("true()", True),
    ],
)
def test_an_expression_has_the_value_that_spl_gives_it(text, value):
    """Precedence, numbers in strings, NULLs and escapes are those of eval."""
    assert evaluated(text, n="10") == value


@pytest.mark.parametrize(
    "text",
    [
        "matches('n', \"1\")",
        "match('n')",
        "case(1==1)",
        'if(\'n\', "a", "b")',
        'case("text", "a")',
        "'n' ==",
        "('n'",
        "'n' 'n'",
        "bare",
        '"open',
        "'n' & 1",
        "match('n', \"a++\")",
        "match('n', \"\\\\h\")",
        "true(1)",
    ],
)
def test_what_splunkd_would_not_run_is_an_error(text):
    """Unknown functions, wrong arguments, broken syntax, and patterns that the stand-in cannot read as PCRE."""
    with pytest.raises(EvalError):
        evaluated(text, n="10")


def test_null_in_a_junction_is_read_in_both_ways():
    """Whether NULL makes a whole AND or OR NULL is not documented."""
    assert [evaluated("1==1 OR 'absent'==1", r) for r in (Reading(), Reading(logic="strict"))] == [True, None]
    assert [evaluated("1==2 AND 'absent'==1", r) for r in (Reading(), Reading(logic="strict"))] == [False, None]
    assert evaluated("1==1 AND 'absent'==1") is None


@pytest.mark.parametrize("reading", READINGS)
def test_splunks_own_rules_do_what_they_are_for(rules, reading):
    """The webhook's rules refuse a missing and a wrong URL, and leave every other saved search alone."""
    check = rules(WEBHOOK, reading=reading._replace(rules="sent"))
    assert check({"search": "index=main"}) is None
    assert check({"action.webhook": "0", "action.webhook.param.url": "https://a.example"}) is None
    assert check({"action.webhook": "1", "action.webhook.param.url": "https://a.example"}) is None
    assert check({"action.webhook": "1", "action.webhook.param.url": ""}) is not None
    assert check({"action.webhook.param.url": "ftp://x"}) == "Webhook URL is invalid"
    if reading.absent == "name":
        assert check({"action.webhook": "1"}) == "No Webhook URL specified"


def test_rules_of_every_app_count_and_only_for_fields_that_are_sent(rules):
    """An app's rules are in force for the saved searches of all apps."""
    one = '[validation:savedsearch]\na = validate(\'a\' == "1", "a is wrong")\n'
    two = "[validation:savedsearch]\nb = 'b' == \"1\"\n"
    check = rules(one, two)
    assert check({"c": "2"}) is None
    assert check({"a": "2"}) == "a is wrong"
    assert check({"a": "1", "b": "2"}) == "Invalid value for 'b'."
    assert check({"a": "1", "b": "1"}) is None


def test_a_rule_that_is_not_exported_does_not_count(rules):
    """Another app does not see it."""
    assert rules('[validation:savedsearch]\na = validate(1==2, "never")\n', export="none")({"a": "1"}) is None


def test_a_broken_rule_stops_the_check_even_where_its_field_is_not_sent(rules):
    """A mistake in a rule does not wait for somebody's alert to come to light."""
    with pytest.raises(EvalError, match="nosuch"):
        rules("[validation:savedsearch]\na = nosuch('a')\n")({"b": "1"})
