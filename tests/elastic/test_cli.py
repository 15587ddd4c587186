"""The command line: help that teaches, one line for what goes wrong, the right exit code, and no secret in an argument."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from build_tools.project import ROOT
from parapet_elastic import cli, cli_commands, cli_parser
from parapet_elastic.cli_help import COMMANDS
from parapet_elastic.errors import Exit, Failure

from tests.elastic.person import Person
from tests.elastic.standins.kibana import Kibana
from tests.standins.proxy import Proxy

CANARY = "pst_canary-in-an-argument"


def process(*words, kibana=None, **more):
    """Start it as a process; the environment has the stand-in's address and key."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "elastic"), **Person(kibana).environment, "COLUMNS": "200"}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "parapet_elastic", *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **more,
    )


def test_every_command_has_a_parser_a_help_and_a_call():
    """None is forgotten."""
    assert set(COMMANDS) == set(cli_parser._OPTIONS) == set(cli_commands.COMMANDS)
    assert set(COMMANDS) == {
        "doctor", "connect", "preview", "lint", "test", "attach", "detach", "update", "rollback", "status", "backfill",
        "uninstall",
    }  # fmt: skip


def test_help_says_the_order_the_variables_the_exit_codes_and_where_more_is():
    """Whoever has read it can begin."""
    text = Person()("--help").out
    for word in (
        "doctor",
        "connect",
        "test",
        "attach",
        "status",
        "KIBANA_URL",
        "PARAPET_TOKEN",
        "exit codes",
        "--help",
    ):
        assert word in text
    order = [text.index(f"parapet-elastic {word}") for word in ("doctor", "connect", "test", "attach", "status")]
    assert order == sorted(order)
    for code in Exit:
        assert re.search(rf"^ +{int(code)}  ", text, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples_that_parse(command):
    """They can be copied."""
    result = Person()(command, "--help")
    assert result.code == 0
    assert "examples:" in result.out
    for line in result.out.partition("examples:")[2].splitlines():
        words = cli_words(line)
        if words:
            assert cli_parser.parser("parapet-elastic").parse_args(words).command == command


def cli_words(line):
    """The words of an example, without the program's name and a remark behind it."""
    words = shlex.split(line.partition("    (")[0])
    return words[1:]


def test_the_version_can_be_asked_for():
    """As of any program."""
    assert Person()("--version").out.split()[0] == "parapet-elastic"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "COMMAND"),
        (("nothing",), "invalid choice"),
        (("attach",), "--rule-id, --name, --tag, --kql, or --all"),
        (("attach", "--all", "--frequency", "often"), "often"),
        (("attach", "--all", "--template", "/nothing"), "/nothing"),
        (("attach", "--all", "--only", "foo: ("), "--only"),
        (("attach", "--all", "--only", "foo: a)("), "--only"),
        (("update", "--all", "--only", 'foo: "a'), "--only"),
        (("attach", "--enabled-only"), "no rules are named"),
        (("detach",), "no rules are named"),
        (("lint",), "required"),
        (("lint", "basic", "--kibana", "new"), "8.19"),
        (("backfill", "--all"), "--from"),
        (("backfill", "--all", "--from", "2026-01-28", "--to", "2026-01-29T00:00:00Z"), "zone"),
        (("backfill", "--all", "--from", "yesterday", "--to", "2026-01-29T00:00:00Z"), "not a time"),
        (("status", "--days", "0"), "number"),
        (("doctor", "--timeout", "nan"), "number"),
        (("doctor", "--timeout", "soon"), "number"),
        (("doctor", "--connector-id", "../x"), "connector's id"),
        (("doctor", "--web", "x"), "there is no option --web"),
        (("doctor", "canary"), "too many"),
        (("doctor", "--api-keys=canary"), "there is no option --api-keys"),
    ],
)
def test_a_mistake_in_the_arguments_is_one_line_and_2(kibana, words, said):
    """It says what is wrong, and what to do; a value that may be a secret is not repeated."""
    result = Person(kibana)(*words)
    assert (result.code, result.out) == (2, "")
    assert result.err.count("\n") == 1
    assert said in result.err
    assert "canary" not in result.err
    assert kibana.requests == []


@pytest.mark.parametrize("query", ["", 'a: "("', r"a: \(", "a: (b or (c and d))"])
def test_a_filter_whose_parentheses_are_even_is_taken(query):
    """Those in quotes do not count."""
    assert cli_parser.parser("x").parse_args(["attach", "--all", "--only", query]).only == query


def test_a_query_that_kibana_does_not_take_is_a_mistake_in_the_arguments(kibana):
    """In Kibana's words, which may be about a field."""
    kibana.add_rule("One")
    for query in ("foo:((", "nonsense: x"):
        result = Person(kibana)("status", "--kql", query)
        assert result.code == 2
        assert "--kql" in result.err
        assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ("connect", "--token", CANARY),
        ("connect", f"--token={CANARY}"),
        ("connect", "--webhook-url", f"https://localhost/webhook/{CANARY}"),
        ("attach", "--all", CANARY),
        (CANARY,),
        ("doctor", "--api-key", "canary"),
        ("doctor", "--password=canary"),
        ("doctor", "--secret", "canary", "--json"),
    ],
)
def test_a_secret_in_an_argument_is_refused_and_not_repeated(words):
    """It is in the shell's history by now: that is said."""
    result = Person()(*words)
    assert result.code == 2
    assert "canary" not in result.out + result.err
    assert "history" in result.err


@pytest.mark.usefixtures("impatient")
def test_with_json_a_failure_is_a_document_too(kibana):
    """A script reads one thing only."""
    kibana.pause()
    result = Person(kibana)("status", "--json")
    assert result.code == result.json["exit"] == 3
    assert result.json["error"]
    assert result.json["todo"]
    assert Person()("nothing", "--json").json["exit"] == 2


@pytest.mark.parametrize(
    "words",
    [("doctor",), ("preview",), ("lint", "basic"), ("status",), ("rollback", "--list"), ("uninstall", "--dry-run")],
)
def test_with_json_standard_output_is_one_document(kibana, words, tmp_path):
    """With the exit code in it."""
    result = Person(kibana, PARAPET_ELASTIC_STATE=str(tmp_path))(*words, "--json")
    assert json.loads(result.out)["exit"] == result.code


def test_a_mistake_of_ours_is_one_line_without_what_it_knew(kibana, monkeypatch):
    """The exception's own text may hold anything."""

    def broken(options, screen):
        raise ValueError("canary of an exception")

    monkeypatch.setitem(cli_commands.COMMANDS, "doctor", broken)
    result = Person(kibana)("doctor", "--json")
    assert result.code == result.json["exit"] == 70
    assert "ValueError in cli.py, line" in result.err
    assert result.err.count("\n") == 1
    assert "canary" not in result.err + result.out
    assert "Traceback" not in result.err


def test_a_failures_sentence_and_advice_are_one_line(monkeypatch):
    """Also when its parts have line ends and control characters in them."""

    def failing(options, screen):
        raise Failure("a\nb\x1b", exit=Exit.REFUSED, todo="Do it.")

    monkeypatch.setitem(cli_commands.COMMANDS, "doctor", failing)
    result = Person()("doctor")
    assert result.err == "parapet-elastic: a\\nb\\x1b. Do it.\n"
    assert result.code == 4


def test_ctrl_c_is_one_line_and_130(kibana):
    """Wherever it happens; here while it waits for an answer."""
    kibana.script("latency", count=9, seconds=60)
    with process("status", kibana=kibana) as running:
        while not kibana.requests:
            assert running.poll() is None
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=30)
    assert running.returncode == 130
    assert out == b""
    assert err.decode().count("\n") == 1
    assert "interrupted" in err.decode()


def test_a_reader_who_has_gone_is_no_failure(kibana):
    """`status | head -1`."""
    for number in range(300):
        kibana.add_rule(f"Rule {number} " + "x" * 200)
    with process("status", kibana=kibana) as running:
        running.stdout.readline()
        running.stdout.close()
        err = running.stderr.read()
        assert running.wait(30) == 1, "no rule sends"
    assert err == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
@pytest.mark.parametrize("words", [("preview",), ("preview", "--json"), ("lint", "basic"), ("lint", "basic", "--json")])
def test_a_result_that_cannot_be_written_is_one_line_and_2(words):
    """`preview > body.json` with a full disk must not look as if it had worked."""
    with Path("/dev/full").open("wb") as full:
        found = subprocess.run(
            [sys.executable, "-m", "parapet_elastic", *words],
            env={**os.environ, "PYTHONPATH": str(ROOT / "elastic")},
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert found.returncode == 2
    assert found.stderr.decode().count("\n") == 1
    assert "No space left" in found.stderr.decode()


def test_words_come_in_their_order_where_both_streams_are_one(kibana, tmp_path):
    """`attach > log 2>&1`: the plan stands before the question about it."""
    kibana.add_rule("Of the plan")
    person = Person(kibana, PARAPET_ELASTIC_STATE=str(tmp_path), PYTHONPATH=str(ROOT / "elastic"))
    person("connect", "--webhook-url", "http://localhost:8080/webhook/acme")
    found = subprocess.run(
        [sys.executable, "-m", "parapet_elastic", "attach", "--all"],
        env={**os.environ, **person.environment, "PYTHONUNBUFFERED": ""},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    said = found.stdout.decode()
    assert -1 < said.index("Of the plan") < said.index("There is no terminal")


def test_a_name_that_the_terminal_cannot_show_stops_nothing(kibana):
    """An ASCII terminal, as in a cron job."""
    kibana.add_rule("Müller \U0001f600")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "elastic"), **Person(kibana).environment}
    found = subprocess.run(
        [sys.executable, "-m", "parapet_elastic", "status"],
        env={**environment, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert found.returncode == 1, "no rule sends"
    assert b"M\\xfcller" in found.stdout


def test_the_credentials_file_may_say_where_snapshots_are(kibana, tmp_path):
    """Its other lines are of that Kibana, too."""
    file = tmp_path / "credentials"
    file.write_text(f"PARAPET_ELASTIC_STATE={tmp_path / 'here'}\n")
    file.chmod(0o600)
    kibana.add_rule("One")
    person = Person(kibana, PARAPET_ELASTIC_STATE=str(tmp_path / "elsewhere"))
    url = "http://localhost:8080/webhook/acme"
    assert person("connect", "--webhook-url", url).code == 0
    assert person("attach", "--all", "--yes", "--credentials", str(file)).code == 0
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["here"]


def test_user_and_password_work_as_well_as_a_key(kibana):
    """And say so before rules are changed."""
    person = Person(kibana, KIBANA_API_KEY=None, KIBANA_USERNAME=kibana.username, KIBANA_PASSWORD=kibana.password)
    assert person("doctor").code == 0


def test_a_space_a_proxy_and_an_authority_are_used(certs, tmp_path):
    """All from options."""
    with Kibana(certs=certs, spaces=("default", "soc")) as kibana, Proxy() as proxy:
        kibana.add_rule("One", space="soc")
        person = Person(kibana, KIBANA_CA_FILE=None)
        words = ("--space", "soc", "--proxy", proxy.url, "--ca-file", kibana.ca_file, "--kibana-url", kibana.url)
        result = person("status", "--json", *words)
        assert [each["name"] for each in result.json["silent"]] == ["One"]
        assert proxy.requests[0].method == "CONNECT"
        assert all(record.path.startswith("/s/soc/") for record in kibana.requests)


def test_lint_prints_file_line_and_what(tmp_path):
    """An editor can jump there."""
    path = tmp_path / "mine.mustache"
    path.write_text('{\n  "a": "{{rule.name}}",\n  "b": "{{rule.nothing_like_it}}"\n}\n')
    result = Person()("lint", str(path))
    assert re.search(rf"^{re.escape(str(path))}:3: (warning|error): .*nothing_like_it", result.out, re.MULTILINE)
    path.write_text('{"a": "{{#rule.name}}"}')
    result = Person()("lint", str(path), "--json")
    assert result.code == 1
    assert result.json["findings"][0]["level"] == "error"


def test_the_shipped_templates_have_no_error():
    """On any Kibana that the tool knows."""
    result = Person()("lint", "basic", "custom_fields", "bulk", "--json")
    assert result.code == 0, result
    assert [each for each in result.json["findings"] if each["level"] == "error"] == []


def test_main_reads_the_processes_own_arguments(monkeypatch, capsys):
    """As the installed command calls it."""
    monkeypatch.setattr(sys, "argv", ["parapet-elastic", "nothing"])
    assert cli.main() == 2
    assert "COMMAND: invalid choice (choose from" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["attach", "update"])
def test_a_template_with_errors_is_put_on_no_rule_unless_it_is_forced(kibana, tmp_path, command):
    """The first error is named, and where all of them are."""
    broken = tmp_path / "mine.mustache"
    broken.write_text('{"a": }\n')
    person = Person(kibana, PARAPET_ELASTIC_STATE=str(tmp_path / "state"))
    assert person("connect", "--webhook-url", "https://webhook-us.parapetsecurity.com/webhook/t").code == 0
    rule = kibana.add_rule("A")
    if command == "update":
        assert person("attach", "--all", "--yes").code == 0
    before = kibana.rules()

    refused = person(command, "--all", "--yes", "--template", str(broken))

    assert refused.code == 2
    assert "line 1" in refused.err
    assert f"`parapet-elastic lint {broken}` shows all" in refused.err
    assert kibana.rules() == before
    assert person(command, "--all", "--yes", "--template", str(broken), "--force").code == 0
    assert kibana.rule(rule)["actions"][0]["params"]["body"] == '{"a": }\n'


@pytest.mark.parametrize("command", ["attach", "update"])
def test_a_template_with_a_token_is_put_on_no_rule_even_if_it_is_forced(kibana, tmp_path, command):
    """Everybody who reads rules would see it, and the next snapshot would hold it."""
    told = tmp_path / "told.mustache"
    told.write_text('{"source": "elastic", "token": "pst_canary_in_a_template"}', encoding="utf-8")
    ran = Person(kibana)(command, "--all", "--yes", "--template", str(told), "--force")
    assert ran.code == 2
    assert "a service token (pst_…) is written into the template" in ran.err
    assert "canary" not in ran.out + ran.err


@pytest.mark.parametrize("words", [("canary-x (choose from y",), ("attach", "--all=canary-x")])
def test_an_argument_that_means_nothing_is_not_repeated(words):
    """It may be a secret in the wrong place."""
    result = Person()(*words)
    assert result.code == 2
    assert "canary" not in result.out + result.err


@pytest.mark.parametrize(
    "words",
    [
        ("doctor", "--kibana-url", "https://a..b"),
        ("backfill", "--from", "2026-01-01T00:00:00Z", "--to", "0001-01-01T00:00:00+23:59"),
    ],
)
def test_a_value_at_the_edge_is_a_mistake_of_usage(words):
    """What Python cannot compute with is refused where it is read."""
    assert Person()(*words).code == 2
