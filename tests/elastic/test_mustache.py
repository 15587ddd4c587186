"""Templates and values, as mustache.js and JavaScript take them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from parapet_elastic.rendering import javascript as js
from parapet_elastic.rendering import mustache
from parapet_elastic.rendering.javascript import Unsupported
from parapet_elastic.rendering.mustache_parser import parse
from parapet_elastic.rendering.renderer import render

_RECORDED = json.loads((Path(__file__).parents[1] / "contract" / "mustache_renders.json").read_text("utf-8"))["cases"]


@pytest.mark.parametrize("case", _RECORDED, ids=[case["about"] for case in _RECORDED])
def test_what_mustache_js_gives_is_given(case):
    """Each is what mustache.js 4.2 gave for it, to the character."""
    assert render(case["template"], case["variables"]) == case["body"]


@pytest.mark.parametrize(
    ("template", "variables"),
    [
        ("{{__proto__}}", {}),
        ("{{a.pop}}", {"a": [1]}),
        ("{{hasOwnProperty}}", {"hasOwnProperty": 1}),
        ("{{FormatDate}}", {}),
        ("{{FormatDate.name}}", {}),
        ("{{a.toString.length}}", {"a": {}}),
        ("{{#EvalMath}}1 + 1{{/EvalMath}}", {}),
        ("{{#FormatNumber}}1; en{{/FormatNumber}}", {}),
        ("", {"a.__proto__.b": 1}),
        ("", {"a": [1], "a.9": 1}),
        ("", {"a": [1], "a.length": 1}),
        ("", {"x.a": {"length": 1}, "x": {"a": [1]}}),
        ("", {"a.length": 2, "a": [1]}),
        ("", {"a": object()}),
    ],
)
def test_what_is_not_followed_is_said_and_not_guessed(template, variables):
    """A wrong text would be taken for Kibana's."""
    with pytest.raises(Unsupported):
        render(template, variables)


@pytest.mark.parametrize("name", ["length", "join", "toJSON", "constructor"])
def test_an_object_may_have_any_field_but_its_prototype(name):
    """The merge of lodash does nothing special then: network.packet.length is a field like others."""
    assert render(f"{{{{a.{name}}}}} {{{{a.b}}}} {{{{a}}}}", {f"a.{name}": 5, "a": {"b": 1}}).startswith("5 1 {")


def test_variables_that_are_nested_too_deeply_are_one_clear_line():
    """Not a RecursionError."""
    value = {}
    for _ in range(5000):
        value = {"a": value}

    with pytest.raises(Unsupported, match="nested more than"):
        render("{{a}}", value)


def test_loops_in_loops_end_with_a_clear_line(monkeypatch):
    """They would take for ever: each one takes three times as long as the one in it."""
    template = "{{#a}}" * 50 + "x" + "{{/a}}" * 50
    monkeypatch.setattr(mustache, "_MOST_WORK", 10_000)

    with pytest.raises(Unsupported, match="too much work"):
        render(template, {"a": [1, 2, 3]})
    with pytest.raises(Unsupported, match="too much work"):
        render("{{#a}}{{{b}}}{{/a}}", {"a": [1] * 20, "b": "x" * 1000})


def test_what_a_rendering_costs_grows_as_the_template_does():
    """Counted, not timed."""
    costs = []
    for times in (100, 200):
        template = '"{{b}}" {{#a}}{{.}}{{/a}}\n' * times
        context = mustache.Context({"a": [1, 2, 3], "b": "x"})
        mustache.render(template, context, str)
        costs.append(context.work.done)

    assert costs[1] == pytest.approx(2 * costs[0], rel=0.01)


def test_white_space_before_the_end_of_a_tag_is_no_part_of_it():
    """Of whatever length, also where nothing else is in the tag."""
    spaces = " \u2003\n" * 1000
    assert (
        render(f"{{{{ a{spaces}}}}}{{{{{{ a {spaces}}}}}}}{{{{={spaces}<% %>{spaces}=}}}}<%a %><% %>", {"a": 1})
        == "111"
    )


def test_sections_that_are_nested_too_deeply_are_one_clear_line():
    """Not a RecursionError."""
    with pytest.raises(Unsupported, match="nested more than"):
        render("{{#a}}" * 5000, {})


def test_variables_as_deep_as_we_follow_are_rendered():
    """The limit does not come before its number."""
    value = "x"
    for _ in range(js.DEEPEST):
        value = [value]

    assert render("{{{a}}}{{a.asJSON}}", {"a": value[0]})


def test_the_variables_are_not_changed():
    """The same ones are rendered with many templates."""
    variables = {"a.b": 1, "c": [{"d.e": 2}]}
    render("{{a.b}}", variables)

    assert variables == {"a.b": 1, "c": [{"d.e": 2}]}


def test_two_halves_of_a_character_become_one():
    """They come from two values, and JavaScript's texts are joined unit by unit."""
    assert render("{{{a}}}{{{b}}}", {"a": "\ud83d", "b": "\udee1"}) == "\U0001f6e1"


def test_a_token_knows_its_place_in_the_template():
    """Lint tells the line from it."""
    text, section = parse("ab\n{{#x}}{{y}}{{/x}}")

    assert (text.kind, text.value, text.start) == ("text", "ab\n", 0)
    assert (section.kind, section.value, section.start, section.close) == ("#", "x", 3, 14)
    assert [(token.kind, token.start, token.end) for token in section.children] == [("name", 9, 14)]
