"""What is printed and asked: one JSON document or lines, nothing that steers a terminal, no secret."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import pytest
from build_tools.project import ROOT
from parapet_elastic.screen import Screen, plain

from tests.elastic.person import Terminal


class Told:
    """A screen and what was printed on it."""

    def __init__(self, answers=None, **options):
        """`answers` is what is typed at a terminal; None for no terminal."""
        self._out, self._err = io.StringIO(), io.StringIO()
        stdin = io.StringIO() if answers is None else Terminal(answers)
        self.screen = Screen(out=self._out, err=self._err, answers=stdin, **options)

    @property
    def out(self):
        """Standard output."""
        return self._out.getvalue()

    @property
    def err(self):
        """Standard error."""
        return self._err.getvalue()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Müller \U0001f600 “x”", "Müller \U0001f600 “x”"),
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("a\x9b31mb\x7f", r"a\x9b31mb\x7f"),
        ("a\u202eb\u2066c\u200fd", r"a\u202eb\u2066c\u200fd"),
        ("a\u061cb\u200bc\u2060d\ufeffe\u00adf", r"a\u061cb\u200bc\u2060d\ufeffe\xadf"),
        ("a\u2028b\u2029", r"a\u2028b\u2029"),
        ("a\ud800b", r"a\ud800b"),
        (7, "7"),
    ],
)
def test_what_would_steer_the_terminal_is_spelt_out(text, shown):
    """A rule's name is written by whoever may write rules."""
    assert plain(text) == shown


def test_every_way_to_print_is_made_harmless():
    """Lines, notes, warnings, tables, questions."""
    told = Told(answers="n\n")
    for show in (told.screen.line, told.screen.note, told.screen.warn, told.screen.ask):
        show("a\x1b[2J\u202eb")
    told.screen.table(("a\x1b",), [("b\x1b\n",)])
    assert "\x1b" not in told.out + told.err
    assert "\u202e" not in told.out + told.err


def test_results_go_to_standard_output_and_words_about_the_work_to_standard_error():
    """A pipe gets the result only."""
    told = Told()
    told.screen.line("result")
    told.screen.table(("a", "b"), [("x", 1), ("longer", 22)])
    told.screen.note("note")
    told.screen.warn("careful")
    told.screen.result({"a": 1})
    told.screen.finish({"exit": 0})
    assert told.out == "result\na       b\nx       1\nlonger  22\n"
    assert told.err == "note\nWarning: careful\n"


def test_with_json_there_is_one_document_and_nothing_else():
    """However many commands one is made of; the last words count."""
    told = Told(json=True)
    told.screen.line("result")
    told.screen.table(("a",), [("b",)])
    told.screen.result({"a": 1, "exit": 9})
    told.screen.result({"b": "\x1b\u202e"})
    told.screen.note("note")
    told.screen.finish({"exit": 0})
    assert json.loads(told.out) == {"a": 1, "b": "\x1b\u202e", "exit": 0}
    assert told.out.isascii()
    assert told.err == "note\n"


def test_a_secret_is_shown_nowhere_in_any_spelling():
    """As it is, in JSON, in a URL, and spelt out."""
    secret = 'canary"pass\\word/\x1b%é'
    told = Told(json=True, answers="y\n")
    told.screen.hide(secret)
    told.screen.note(f"a {secret} b")
    told.screen.ask(secret)
    told.screen.note("canary%22pass%5Cword%2F%1B%25%C3%A9")
    told.screen.result({"x": secret})
    told.screen.finish({})
    assert "canary" not in told.out + told.err
    assert json.loads(told.out) == {"x": "***"}


def test_a_secret_within_another_is_hidden_with_it():
    """The longer one first, or its end would stay."""
    told = Told()
    told.screen.hide("canary-one")
    told.screen.hide("canary-one-and-more")
    told.screen.line("canary-one-and-more")
    assert told.out == "***\n"


def test_a_secret_of_four_characters_is_hidden():
    """A password may be as short."""
    told = Told()
    told.screen.hide("s3cr")
    told.screen.line("[s3cr]")
    assert told.out == "[***]\n"


def test_a_service_token_is_hidden_whoever_it_is_of():
    """Kibana's words may hold one that nobody has told us; the placeholder is to be read."""
    told = Told(json=True)
    told.screen.note('"Bearer pst_somebody-elses.1/2+3==": pst_YOUR_TOKEN_HERE, pst_…')
    told.screen.finish({"error": "Bearer pst_another"})
    assert told.err == '"Bearer ***": pst_YOUR_TOKEN_HERE, pst_…\n'
    assert json.loads(told.out) == {"error": "Bearer ***"}


def test_a_short_secret_does_not_mark_itself_in_ordinary_words():
    """Stars in the place of "to" would tell it."""
    told = Told()
    told.screen.hide("to")
    told.screen.line("to be")
    assert told.out == "to be\n"


@pytest.mark.parametrize(
    ("typed", "answer"), [("y\n", True), (" YES \n", True), ("n\n", False), ("\n", False), ("", False)]
)
def test_a_question_takes_yes_for_yes_and_all_else_for_no(typed, answer):
    """Also the end of the input."""
    told = Told(answers=typed)
    assert told.screen.ask("Go on?") is answer
    assert told.err == "Go on? [y/N] " + ("" if answer else "Nothing was changed.\n")


def test_an_answer_that_is_neither_yes_nor_no_is_asked_again():
    """It may have been meant as either."""
    told = Told(answers="yeah\ny\n")
    assert told.screen.ask("Go on?")
    assert told.err.count("Go on?") == 2


def test_yes_answers_the_questions_that_it_may():
    """And says so; what --yes does not cover is asked all the same."""
    told = Told(answers="n\n", yes=True)
    assert told.screen.ask("Go on?")
    assert told.err == "Go on? yes (--yes)\n"
    assert not told.screen.ask("In the clear?", yes_counts=False)


def test_without_a_terminal_the_answer_is_no():
    """A script that did not say yes did not mean it."""
    told = Told()
    assert not told.screen.ask("Go on?")
    assert "--yes" in told.err
    assert told.screen.ask_secret("Password") is None


def test_a_secret_is_typed_without_being_shown(monkeypatch):
    """The terminal itself does that."""
    asked = []
    monkeypatch.setattr("getpass.getpass", lambda prompt, stream=None: asked.append(prompt) or " canary ")
    told = Told(answers="")
    assert told.screen.ask_secret("Password") == " canary "
    assert asked == ["Password: "]
    assert told.out + told.err == ""


def test_the_end_of_the_input_is_no_secret(monkeypatch):
    """Ctrl-D at the prompt."""

    def end(prompt, stream=None):
        raise EOFError

    monkeypatch.setattr("getpass.getpass", end)
    assert Told(answers="").screen.ask_secret("Password") is None


def test_progress_is_for_terminals_only():
    """A log file with a thousand bars in it helps nobody."""
    told = Told()
    with told.screen.progress(3, "rules") as bar:
        bar.advance()
        bar.advance(2)
    assert told.err == ""


def test_progress_is_shown_at_a_terminal_and_lines_go_around_it():
    """The bar has its name and its count, and no line is written into it."""
    err = Terminal()
    screen = Screen(out=io.StringIO(), err=err, answers=io.StringIO())
    with screen.progress(3, "rules\x1b") as bar:
        bar.advance()
        screen.note("a note")
        bar.advance(2)
    assert r"rules\x1b" in err.getvalue()
    assert "/3" in err.getvalue()
    assert "\ra note\n" in err.getvalue()


def test_a_reader_who_has_gone_stops_the_words_and_not_the_work():
    """`| head -1`: no traceback, no message at the end, and the work is done to its end."""
    code = (
        "import os, sys\n"
        "from parapet_elastic.screen import Screen\n"
        "screen = Screen()\n"
        "for number in range(20000): screen.line('line')\n"
        "screen.raw(b'x' * 100000)\n"
        "os.write(2, b'done')\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "elastic")}
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout.readline() == b"line\n"
        process.stdout.close()
        assert process.stderr.read() == b"done"
        assert process.wait(30) == 0
