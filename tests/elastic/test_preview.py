"""preview: exactly the body that Kibana would send, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from build_tools.project import ROOT
from parapet_elastic.preview import _SAMPLES
from parapet_elastic.rendering import samples, templates
from parapet_elastic.rendering.renderer import render

from tests.elastic.person import Person
from tests.elastic.standins.kibana import Kibana

EVENT = {
    "host": {"name": 'host"1"', "ip": ["10.0.0.1", "10.0.0.2"]},
    "process": {"name": "a\nb\u2028{{rule.name}}\x01"},
    "user": {"name": "jörg"},
}


def test_it_needs_no_kibana_and_prints_the_render_and_nothing_else():
    """No line end, no word; the bytes are UTF-8."""
    for name in templates.NAMES:
        for sample, situation in _SAMPLES.items():
            result = Person()("preview", "--template", name, "--sample", sample)
            assert result.code == 0
            assert result.raw == render(templates.load(name).text, samples.contexts()[situation]).encode()
            assert result.err == ""


def test_variables_come_from_a_file(tmp_path):
    """Whatever is in it."""
    template, context = tmp_path / "t.mustache", tmp_path / "c.json"
    template.write_text('{"a": "{{x}}", "b": {{{y}}}}\n')
    context.write_text(json.dumps({"x": 'q"\n\u2028ü', "y": {"z": 1}}))
    result = Person()("preview", "--template", str(template), "--context", str(context))
    assert result.raw == '{"a": "q\\"\\n\u2028ü", "b": {"z":1}}\n'.encode()


def test_half_a_character_is_sent_as_node_sends_it(tmp_path):
    """A lone surrogate has no UTF-8: Node writes U+FFFD."""
    template, context = tmp_path / "t.mustache", tmp_path / "c.json"
    template.write_text("{{{x}}}")
    context.write_text('{"x": "a\\ud800b\\ud83d\\ude00"}')
    result = Person()("preview", "--template", str(template), "--context", str(context))
    assert result.raw == "a\ufffdb\U0001f600".encode()


def test_as_a_process_it_prints_the_same_bytes_whatever_the_locale():
    """A pipe into another program gets what Kibana would send."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "elastic"),
        "PYTHONIOENCODING": "ascii",
        "LC_ALL": "C",
    }
    found = subprocess.run(
        [sys.executable, "-W", "error", "-m", "parapet_elastic", "preview", "--template", "bulk"],
        env=environment,
        capture_output=True,
        check=True,
    )
    assert found.stdout == render(templates.load("bulk").text, samples.contexts()["a summary of 3 alerts"]).encode()
    assert found.stderr == b""


def test_every_built_in_alert_has_a_name_that_is_listed():
    """One on each line, with what it is."""
    assert sorted(_SAMPLES.values()) == sorted(samples.contexts())
    lines = Person()("preview", "--list").out.splitlines()[1:]
    assert [line.split()[0] for line in lines] == list(_SAMPLES)
    assert Person()("preview", "--list", "--json").json["samples"] == list(_SAMPLES)


def test_with_json_the_body_is_in_the_document():
    """For scripts that want to look at it."""
    result = Person()("preview", "--json")
    assert result.json["body"] == render(templates.load("basic").text, samples.contexts()["one alert"])
    assert result.json["exit"] == 0


@pytest.mark.parametrize("space", ["default", "soc"])
def test_the_newest_real_alert_gives_what_the_rule_sends(tenant, space):
    """Byte for byte what arrives when the rule runs, but for the date of the run."""
    with Kibana(spaces=("default", "soc")) as kibana:
        person = Person(kibana, KIBANA_SPACE=space, PARAPET_TOKEN=tenant.token)
        assert person("connect", "--webhook-url", tenant.url).code == 0
        rule = kibana.add_rule("Rule", tags=["a", "b"], space=space)
        kibana.set_actions(rule, [action(templates.load("custom_fields").text)], space=space)
        kibana.fire(rule, [EVENT], space=space)
        (sent,) = tenant.bodies
        result = person("preview", "--real", "--template", "custom_fields")
    shown = json.loads(result.raw)
    assert shown.pop("timestamp")
    sent.pop("timestamp")
    assert shown == sent


def action(body):
    """Our action, for each alert."""
    return {
        "id": "parapet-security",
        "action_type_id": ".webhook",
        "group": "default",
        "params": {"body": body},
        "frequency": {"summary": False, "notifyWhen": "onActiveAlert", "throttle": None},
        "uuid": "1",
    }


def test_a_real_alert_of_one_rule_can_be_chosen(kibana):
    """The newest of this rule, not of all."""
    first, second = kibana.add_rule("First"), kibana.add_rule("Second")
    kibana.add_alerts(first, [EVENT])
    kibana.add_alerts(second, [EVENT])
    person = Person(kibana)
    for rule, name in ((first, "First"), (second, "Second")):
        assert json.loads(person("preview", "--real", "--rule-id", rule).raw)["rule"]["name"] == name


def test_without_any_alert_it_says_so(kibana):
    """And that there are built-in ones."""
    rule = kibana.add_rule("one")
    for words in ((), ("--rule-id", rule)):
        result = Person(kibana)("preview", "--real", *words)
        assert result.code == 2
        assert "no alert" in result.err
        assert result.raw == b""


def test_an_alert_whose_rule_is_gone_says_so(kibana):
    """Its variables cannot be known."""
    rule = kibana.add_rule("one")
    kibana.add_alerts(rule, [EVENT])
    kibana.remove_rule(rule)
    result = Person(kibana)("preview", "--real")
    assert (result.code, result.raw) == (2, b"")
    assert "rule" in result.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--sample", "nothing"), "per-alert"),
        (("--sample", "sparse", "--real"), "exclude"),
        (("--context", "x", "--sample", "sparse"), "exclude"),
        (("--rule-id", "x"), "--real"),
        (("--context", "/nothing/here"), "cannot be read"),
        (("--template", "/nothing/here"), "/nothing/here"),
    ],
)
def test_what_cannot_be_is_refused_with_one_line(words, said):
    """And nothing on standard output, which somebody may send on."""
    result = Person()("preview", *words)
    assert (result.code, result.raw) == (2, b"")
    assert said in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(("text", "said"), [("[1]", "no JSON object"), ("{", ":1:2:"), ("\xff", "no JSON")])
def test_a_context_that_is_none_is_refused(tmp_path, text, said):
    """With the place, where there is one."""
    path = tmp_path / "c.json"
    path.write_bytes(text.encode("latin-1"))
    result = Person()("preview", "--context", str(path))
    assert result.code == 2
    assert said in result.err


@pytest.mark.parametrize("name", templates.NAMES)
def test_a_template_is_shown_with_the_alerts_that_it_is_for(name):
    """A bulk body without a summary would hold no alert."""
    sample = "summary" if name == "bulk" else "per-alert"
    shown = Person()("preview", "--template", name)
    assert shown.raw == Person()("preview", "--template", name, "--sample", sample).raw
    assert shown.raw != Person()("preview", "--template", name, "--sample", "summary-of-0").raw


def test_a_body_that_is_no_json_is_shown_and_said(tmp_path):
    """On standard error: the bytes stay those that Kibana would send."""
    path = tmp_path / "mine.mustache"
    path.write_text('{"a": }')
    shown = Person()("preview", "--template", str(path))
    assert (shown.code, shown.raw) == (0, b'{"a": }')
    assert shown.err.count("\n") == 1
    assert "no valid JSON" in shown.err
