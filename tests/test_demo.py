"""`build.py demo` as a process: three acts seen to work, no secret on the screen, nothing left behind.

Must not look inside a run that goes well: what counts is what a person at the terminal gets.
"""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from build_tools.demo_screen import Screen
from build_tools.project import ROOT, child_environment

START = "import sys; from build_tools.demo import main; sys.exit(main(keep='--keep' in sys.argv))"
SABOTAGE = 'from build_tools import demo_promises; demo_promises._PROMISED["severity"] = "low"; '
ACTS = ("Act 1: through the forwarder", "Act 2: directly, without a forwarder", "Act 3: an outage")


def start(tmp_path, *arguments, before=""):
    """Start the demo; its throw-away folders are below `tmp_path`."""
    return subprocess.Popen(
        [sys.executable, "-c", before + START, *arguments],
        cwd=str(ROOT),
        env=child_environment(TMPDIR=str(tmp_path), PYTHONIOENCODING="utf-8"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        # A shell starts what it runs in the background with SIGINT ignored; a terminal, where people press Ctrl-C, does not.
        preexec_fn=None if os.name == "nt" else obey_sigint,  # noqa: PLW1509  it only sets a signal
    )


def obey_sigint():
    """Take SIGINT as a process on a terminal does."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def interrupt_after(process, text, visit=None):
    """Press Ctrl-C once the demo has written this, and `visit` has seen its output; returns all of it, and stderr."""
    seen = []
    try:
        for line in process.stdout:
            seen.append(line)
            if text in line:
                break
        if visit:
            visit("".join(seen))
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    return "".join(seen) + rest, errors


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """One run from the start to the end: its exit code, its output, stderr, and what is left in its folder."""
    folder = tmp_path_factory.mktemp("demo")
    process = start(folder)
    output, errors = process.communicate(timeout=120)
    return process.returncode, output, errors, list(folder.iterdir())


def bodies(output):
    """The JSON documents that the demo showed, in order."""
    return [json.loads(text) for text in re.findall(r"^    \{\n.*?^    \}\n", output, re.MULTILINE | re.DOTALL)]


def test_the_demo_ends_well_and_leaves_nothing_behind(played):
    """Exit code 0, no word on stderr, no folder left."""
    code, _, errors, left = played
    assert (code, errors, left) == (0, "", [])


def test_each_act_shows_the_request_that_the_tenant_received(played):
    """Three acts, three POSTs with all headers, three bodies with the guide's values under ids of their own."""
    output = played[1]
    acts = re.split("|".join(ACTS), output)[1:]
    assert len(acts) == len(ACTS)
    for act in acts:
        assert "\n    POST /webhook/acme\n" in act
        assert "\n    Content-Type: application/json\n" in act
        (body,) = bodies(act)
        assert f"\n    Idempotency-Key: {body['id']}\n" in act
        assert body["search"]["name"] == "Failed SSH Logins"
        assert body["results"]["src_ip"] == "45.227.253.98"
        assert "exit code     0\n" in act
        assert f"id={body['id']} " in act
    assert len({body["id"] for body in bodies(output)}) == len(ACTS)


def test_the_acts_go_the_three_ways(played):
    """Queued for the forwarder; delivered by the action; deferred while the tenant is away, then delivered."""
    first, second, third = re.split("|".join(ACTS), played[1])[1:]
    assert "splunkd.log   INFO event=alert.queued" in first
    assert "splunkd.log   INFO event=alert.delivered" in second
    assert third.count("WARN event=delivery.deferred") >= 2
    assert re.search(r"outbox +(new|pending)/\d{13}-[0-9a-f]{20}\.alert", third)


def test_the_summary_counts_what_happened(played):
    """The last lines say what was seen, with a time for each act."""
    end = played[1].split("In short", 1)[1]
    assert "3 alerts fired, 3 received" in end
    assert len(re.findall(r"^  [123]  .*\d\.\d\d s +\d\.\d\d s +[1-9]\d* +0$", end, re.MULTILINE)) == len(ACTS)


def test_no_token_and_no_escape_sequence_reaches_a_plain_output(played):
    """Three Authorization headers are shown, and no character of the token; colours are for terminals."""
    output = played[1]
    assert output.count("Authorization: Bearer pst_…\n") == len(ACTS)
    assert re.findall(r"pst_[^…]", output) == []
    assert "\x1b" not in output


def test_a_broken_promise_is_one_line_and_exit_code_1(tmp_path):
    """Here the demo expects another severity than the app sends."""
    process = start(tmp_path, before=SABOTAGE)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert errors == "build.py demo: severity should be 'low' and is 'high'\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send")
@pytest.mark.parametrize(
    ("arguments", "text", "code"),
    [((), "The stage", 130), (("--keep",), "  outbox        /", 0)],
    ids=["early", "kept"],
)
def test_ctrl_c_ends_the_demo_cleanly(tmp_path, arguments, text, code):
    """In the middle it was interrupted; after --keep it is the ordinary end. Either way nothing is left."""
    process = start(tmp_path, *arguments)
    output, errors = interrupt_after(process, text)
    assert process.returncode == code
    assert "Traceback" not in output + errors
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send")
def test_keep_leaves_the_setup_page_for_whoever_logs_in_as_it_says(tmp_path):
    """The URL leads to the login form, the password opens it, and behind it is the page; the forwarder still runs."""

    def visit(output):
        said = dict(re.findall(r"^  (setup page|home page|log in as|password|log) +(\S+)$", output, re.MULTILINE))
        with requests.Session() as browser:
            browser.trust_env = False
            form = browser.get(said["setup page"], timeout=10)
            assert "/account/login?return_to=" in form.url
            (cval,) = re.findall('name="cval" value="([0-9]+)"', form.text)
            data = {"username": said["log in as"], "password": said["password"], "cval": cval}
            data["return_to"] = urlsplit(said["setup page"]).path
            page = browser.post(form.url, data=data, timeout=10)
            home = browser.get(said["home page"], timeout=10)
        assert (page.status_code, page.url) == (200, said["setup page"])
        assert "setup.js" in page.text
        # The app is marked as configured, or Splunk Web would lead to the setup page.
        assert (home.status_code, home.url) == (200, said["home page"] + "/home")
        log = Path(said["log"]).read_text(encoding="utf-8")
        assert re.findall(r"event=(forwarder\.\S+)", log)[-1] == "forwarder.started"

    process = start(tmp_path, "--keep")
    _, errors = interrupt_after(process, "  outbox        /", visit)
    assert (process.returncode, errors) == (0, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send")
def test_keep_shows_the_token_once_so_that_a_second_tenant_can_be_added_by_hand(tmp_path):
    """At the end only, and it is the one that the tenant accepts; no file has it."""
    answers, leaks = [], []

    def visit(output):
        said = dict(
            re.findall(r"^  (tenant|token) +(https://\S+|pst_\S+)$", output.split("Still running")[1], re.MULTILINE)
        )
        (ca_file,) = tmp_path.glob("*/certs/ca.pem")
        test = (ROOT / "tests/contract/samples/test.json").read_bytes()
        headers = {"Authorization": "Bearer " + said["token"], "Content-Type": "application/json"}
        headers["Idempotency-Key"] = json.loads(test.decode("utf-8"))["id"]
        with requests.Session() as client:
            client.trust_env = False
            answer = client.post(said["tenant"], data=test, headers=headers, verify=str(ca_file), timeout=10)
        answers.append(answer.status_code)
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        leaks.extend(path.name for path in files if said["token"].encode() in path.read_bytes())

    process = start(tmp_path, "--keep")
    output, errors = interrupt_after(process, "  outbox        /", visit)
    assert (answers, leaks, errors) == ([400], [], "")  # the sample is not of this run; a wrong token would be a 401
    assert len(re.findall(r"pst_[^…]", output)) == 1
    assert "To add a second tenant by hand" in output
    assert "does not fire by itself" in output


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        """Say so."""
        return True


def test_a_terminal_gets_colours_unless_it_wants_none(monkeypatch):
    """NO_COLOR is how people say that they want none."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    colourful, plain = Terminal(), Terminal()
    Screen(colourful).title("Act")
    monkeypatch.setenv("NO_COLOR", "1")
    Screen(plain).title("Act")
    assert "\x1b[1mAct\x1b[0m" in colourful.getvalue()
    assert "\x1b" not in plain.getvalue()


def test_a_hidden_token_is_shown_nowhere():
    """In a header, in a body, in a note."""
    stream = io.StringIO()
    screen = Screen(stream)
    screen.hide("pst_canary")
    screen.note("token", "it is pst_canary")
    screen.request("POST", "/", {"authorization": "Bearer pst_canary"}, {"note": "pst_canary"})
    assert "canary" not in stream.getvalue()
    assert stream.getvalue().count("pst_…") == 3


def test_a_hidden_token_is_revealed_only_where_it_is_asked_for():
    """Once, and hidden again in the next line."""
    stream = io.StringIO()
    screen = Screen(stream)
    screen.hide("pst_canary")
    screen.reveal("token", "pst_canary")
    screen.note("token", "pst_canary")
    assert [line.split()[1] for line in stream.getvalue().splitlines()] == ["pst_canary", "pst_…"]
