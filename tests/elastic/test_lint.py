"""What is wrong with a template, said before Kibana sends it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from parapet_elastic.rendering.lint import lint
from parapet_elastic.rendering.lint_tags import Tags
from parapet_elastic.rendering.mustache_parser import parse
from parapet_elastic.rendering.templates import NAMES, load

_GOLDENS = json.loads((Path(__file__).parents[1] / "contract" / "kibana_renders.json").read_text("utf-8"))
_GUIDE = {name: text for name, text in _GOLDENS["templates"].items() if name.startswith("guide/")}


def _said(text, kibana=None):
    return [f"{finding.level} {finding.line}: {finding.text}" for finding in lint(text, kibana)]


def _only(text, kibana=None):
    said = _said(text, kibana)
    assert len(said) == 1, said
    return said[0]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kibana", [None, (8, 8), (9, 2)])
def test_our_templates_give_no_finding(name, kibana):
    """On any Kibana that we work with."""
    assert _said(load(name).text, kibana) == []


@pytest.mark.parametrize("name", [name for name in _GOLDENS["templates"] if name.startswith("ours/")])
def test_a_template_that_works_gives_no_finding(name):
    """The contract's own, which were proved on Kibana's renderer."""
    assert _said(_GOLDENS["templates"][name]) == []


@pytest.mark.parametrize(
    ("template", "line", "name", "use"),
    [
        ("guide/1_basic", 7, "rule.severity", "context.rule.severity"),
        ("guide/1_basic", 8, "rule.risk_score", "context.rule.risk_score"),
        ("guide/1_basic", 12, "alert.status", "context.alerts.0.kibana.alert.workflow_status"),
        ("guide/1_basic", 15, "context.alerts_url", "context.alerts.0.kibana.alert.url"),
        ("guide/1_basic", 16, "context.host.name", "context.alerts.0.host.name"),
        ("guide/1_basic", 17, "context.user.name", "context.alerts.0.user.name"),
        ("guide/1_basic", 18, "context.source.ip", "context.alerts.0.source.ip"),
        ("guide/2_custom", 6, "rule.severity", "context.rule.severity"),
        ("guide/2_custom", 11, "alert.original_time", "context.alerts.0.kibana.alert.original_time"),
        ("guide/2_custom", 14, "host.name", "context.alerts.0.host.name"),
        ("guide/2_custom", 15, "host.os.name", "context.alerts.0.host.os.name"),
        ("guide/2_custom", 19, "user.name", "context.alerts.0.user.name"),
        ("guide/2_custom", 24, "process.pid", "context.alerts.0.process.pid"),
        ("guide/2_custom", 28, "network.direction", "context.alerts.0.network.direction"),
        ("guide/2_custom", 32, "source.ip", "context.alerts.0.source.ip"),
        ("guide/2_custom", 40, "destination.port", "context.alerts.0.destination.port"),
    ],
)
def test_a_placeholder_of_the_guide_that_is_always_empty_has_another_to_use(template, line, name, use):
    """At its line, by its name."""
    start = f"error {line}: {{{{{name}}}}} is always empty"

    assert [said for said in _said(_GUIDE[template]) if said.startswith(start) and said.endswith(f"use {{{{{use}}}}}")]


@pytest.mark.parametrize(
    ("template", "start", "end"),
    [
        ("guide/1_basic", "warning 8: the number rule.risk_score is sent as a text", "without quotes"),
        ("guide/1_basic", "warning 11: {{alert.id}} is the rule's id in summary mode", "{{context.alerts.0._id}}"),
        (
            "guide/1_basic",
            "error 20: {{context.signals}} is always empty",
            "{{{context.alerts.asJSON}}} without quotes",
        ),
        ("guide/2_custom", "error 7: the elements of rule.tags are glued to one text", "{{/ParseHjson}}"),
        ("guide/2_custom", "error 16: the elements of host.ip are glued to one text", "{{/ParseHjson}}"),
        ("guide/2_custom", 'error 31: the key "source" is twice', "with one alert and 7 more"),
        ("guide/3_bulk", "warning 5: the number context.alerts.length is sent as a text", "without quotes"),
        ("guide/3_bulk", "error 9: the body is not valid JSON", "with one alert and 6 more"),
        ("guide/3_bulk", "error 14: Kibana does not know the last element", "a comma at its end"),
    ],
)
def test_the_guides_other_mistakes_are_found(template, start, end):
    """Lists, numbers, commas, and a name that is there twice."""
    assert [said for said in _said(_GUIDE[template]) if said.startswith(start) and said.endswith(end)]


def test_a_guides_template_gives_no_more_than_it_has():
    """The third uses `_id`, `kibana.alert.severity` and `host.name` in the loop, which work."""
    assert len(_said(_GUIDE["guide/3_bulk"])) == 3


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("{{rule.id}}", "error 1: {{rule.id}} is without quotes, and gives invalid JSON"),
        (
            "{{context.alerts.0.source.port}}",
            "write {{#context.alerts.0.source.port}}{{.}}{{/context.alerts.0.source.port}}",
        ),
        ("{{#rule.params.version}}{{.}}{{/rule.params.version}}", "error 1: nothing is left of rule.params.version"),
        ("{{rule.tags.asJSON}}", "error 1: {{rule.tags.asJSON}} without quotes needs three braces"),
        ('"{{{rule.name}}}"', "error 1: {{{rule.name}}} in quotes breaks the body"),
        ('"{{&rule.name}}"', "error 1: {{{rule.name}}} in quotes breaks the body"),
        ("{{{rule.tags}}}", "warning 1: {{{rule.tags}}} gives invalid JSON"),
        ("{{{context.rule.threat}}}", "error 1: {{{context.rule.threat}}} is a list without its brackets"),
        ('"{{winlog_custom}}"', "error 1: {{winlog_custom}} is always empty"),
        (
            '"{{context.alerts.0.acme.field}}"',
            "warning 1: {{context.alerts.0.acme.field}} is no field that Kibana or ECS",
        ),
        ('"{{alert.uuid}}"', "warning 1: {{alert.uuid}} is not the alert's id"),
        ('"{{alerts.new.count}}"', "warning 1: {{alerts.new.count}} is there in summary mode only"),
        ('"{{>header}}"', "warning 1: {{>header}} is always empty: Kibana has no partials"),
        ('"{{context.alerts.0.host.ip.0}}"', "warning 1: {{context.alerts.0.host.ip.0}} is one character"),
        ('"{{context.rule.nmae}}"', "error 1: {{context.rule.nmae}} is always empty"),
    ],
)
def test_a_value_that_goes_wrong_is_named(value, words):
    """With what to write instead."""
    assert [said for said in _said(f'{{"x": {value}}}') if words in said]


@pytest.mark.parametrize(
    "value",
    [
        '"{{date}}"',
        "{{context.alerts.length}}",
        "{{state.signals_count}}",
        "{{context.rule.risk_score}}",
        "[{{{context.alerts}}}]",
        '"{{rule.params.severity}}"',
        '"{{context.alerts.0.winlog.event_id}}"',
        '"{{#FormatDate}}{{{date}}}; UTC; YYYY{{/FormatDate}}"',
        "{{#context.rule.version}}{{.}}{{/context.rule.version}}{{^context.rule.version}}0{{/context.rule.version}}",
        '"{{#context.rule}}{{name}} {{severity}}{{/context.rule}}"',
    ],
)
def test_a_value_that_works_is_not_named(value):
    """No finding without a reason."""
    assert _said(f'{{"x": {value}}}') == []


@pytest.mark.parametrize(
    ("inner", "words"),
    [
        (
            "{{rule.name}}",
            "{{rule.name}} is the event's own field where it has one, else the rule's; use {{context.rule.name}}",
        ),
        ("{{tags}}", "{{tags}} is the event's own field where it has one, else the rule's"),
        ("{{context.alerts.0._id}}", "is the first alert's each time; use {{_id}}"),
        ("{{host.name.length}}", "is empty before Kibana 8.19"),
    ],
)
def test_a_name_that_means_another_thing_in_the_alerts_section_is_named(inner, words):
    """Mustache looks in the alert first, then further up."""
    text = '{{#ParseHjson}}{"x": [\n{{#context.alerts}}"HERE",{{/context.alerts}}]}{{/ParseHjson}}'.replace(
        "HERE", inner
    )

    assert words in _only(text)
    assert _only(text).startswith("warning 2: ")


@pytest.mark.parametrize("level", [(8, 8), (8, 17), None])
def test_a_feature_that_the_kibana_does_not_have_is_named(level):
    """An error for that Kibana, a warning where it is not known which."""
    said = _only('{"x": "{{#EncodeURI}}{{rule.id}}{{/EncodeURI}}"}', level)

    assert said.startswith(
        "error 1: EncodeURI is new in Kibana 8.18.1" if level else "warning 1: EncodeURI needs Kibana 8.18.1"
    )


def test_a_feature_that_the_kibana_has_is_fine():
    """From 8.19 on EncodeURI is there in every release."""
    assert _said('{"x": "{{#EncodeURI}}{{rule.id}}{{/EncodeURI}}"}', (8, 19)) == []


def test_what_only_kibana_can_do_is_said():
    """The rest of the template is judged all the same."""
    said = _said('{"a": "{{rule.severity}}",\n"x": "{{#EvalMath}}1+1{{/EvalMath}}"}', (9, 2))

    assert [each.split(":")[0] for each in said] == ["error 1", "warning 2"]
    assert "what it gives was not checked" in said[1]


@pytest.mark.parametrize("name", ["EvalMath", "FormatNumber"])
def test_the_json_around_what_only_kibana_can_do_is_checked(name):
    """A number stands in for it."""
    inside = f"{{{{#{name}}}}}1+1{{{{/{name}}}}}"
    said = _said(f'{{"a": {inside},\n"b": }}', (9, 2))

    assert [each.split(":")[0] for each in said] == ["warning 1", "error 2"]
    assert "not valid JSON" in said[1]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('{"a": 1,\n"b": "{{#rule.id}}"}', 2, 'Unclosed section "rule.id"'),
        ('{"a": 1,\n"b": "{{rule.id"}', 2, "Unclosed tag at"),
        ('{"a": 1,\n\n"b": "{{/rule.id}}"}', 3, 'Unopened section "rule.id"'),
    ],
)
def test_a_template_that_cannot_be_read_is_one_error_at_its_tag(text, line, words):
    """In mustache.js's words."""
    said = _only(text)

    assert said.startswith(f"error {line}: the template cannot be read ({words}")


def test_a_token_in_a_template_is_an_error_that_does_not_show_it():
    """Nor does any other finding about its place."""
    text = '{"a": 1,\n"token": "pst_canary0123456789", "b": }\n'
    said = _said(text)

    assert said[0].startswith("error 2: a service token is written into the template")
    assert any("not valid JSON" in each for each in said)
    assert not any("canary" in each for each in said)


def test_a_token_in_a_tag_that_does_not_close_is_not_shown():
    """mustache.js's message has the section's name in it."""
    assert not any("canary" in each for each in _said("{{#pst_canary0123456789}}"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('["{{rule.id}}"]', "the body is not a JSON object"),
        ('{"a": NaN}', "NaN is no number of JSON"),
        ('{"a": }', "not valid JSON"),
        ('{"a": ' + "[" * 100_000, "the body is"),
    ],
)
def test_a_body_that_is_no_object_is_an_error(text, words):
    """Whatever it is, there is one finding and no traceback."""
    assert words in _only(text)


def test_the_situation_in_which_a_body_is_invalid_is_named():
    """Only one of them has no alert."""
    said = _only('{"a": [{{#context.alerts}}"{{_id}}"{{/context.alerts}}]}')

    assert said.endswith("seen with a summary of 3 alerts and 1 more")


def test_sections_that_are_nested_too_deeply_are_one_error():
    """A clear line, no traceback."""
    assert "nested more than" in _only("{{#a}}" * 500 + "{{/a}}" * 500)


def test_what_cannot_be_tried_is_a_warning_with_what_to_do():
    """The Hjson is read in two ways."""
    said = _only('{{#ParseHjson}}a: "{{rule.id}}"{{/ParseHjson}}')

    assert said.startswith("warning 1: the body could not be tried: ")
    assert said.endswith("texts in double quotes")


def test_a_template_that_is_too_much_work_is_a_warning():
    """Sections in sections, which would take for ever."""
    text = '{"a": "' + "{{#context.alerts}}" * 40 + "x" + "{{/context.alerts}}" * 40 + '"}'

    assert any("too much work" in one for one in _said(text))


class _Counting(str):
    """A text that counts how often it is compared."""

    __slots__ = ()
    compared = 0
    __hash__ = str.__hash__

    def __eq__(self, other):
        _Counting.compared += 1
        return str.__eq__(self, other)


def test_checking_the_tags_grows_as_the_template_does():
    """Each section is not looked for among all others: compared are names, and these a few times each."""
    counts = []
    for times in (100, 200):
        text = "{{#rule.tags}}{{.}}{{/rule.tags}}{{^rule.tags}}0{{/rule.tags}}" * times
        tokens = parse(text)
        for token in tokens:
            token.value = _Counting(token.value)
        _Counting.compared = 0
        Tags(text, None).check(tokens)
        counts.append(_Counting.compared)

    assert counts[1] <= 2.1 * counts[0]


def test_a_key_that_is_there_often_is_said_once():
    """The first one of many that are there twice; all are counted in one pass."""
    (said,) = _said("{" + ",".join(f'"k{number}": 1' for number in range(2000)) + ', "k7": 2}')

    assert 'the key "k7" is twice' in said
