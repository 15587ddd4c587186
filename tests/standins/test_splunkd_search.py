"""The splunkd stand-in runs a oneshot search as splunkd does: real command processes, and a strict little SPL.

Must not test what a command of the product does.
"""

from __future__ import annotations

import contextlib
import json
import threading

import pytest
import requests

from tests.scene import wait_until
from tests.standins import splunkd_chunked
from tests.standins.splunkd import Splunkd
from tests.standins.splunkd_fixtures import (  # noqa: F401  # pytest finds the fixtures by their names
    Caller,
    call_fixture,
    splunkd_fixture,
    texts,
)
from tests.standins.splunkd_search_fixtures import JOBS, LINES, home_fixture, search_fixture  # noqa: F401  # the same

pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")


def test_a_command_answers_its_rows_as_splunkd_writes_them(search, splunkd, home):
    """Strings, lists for multivalue fields, no empty fields, `_time` as a date; stderr goes to search.log only."""
    answer = search("| parapetsay").json()
    assert answer == {
        "preview": False,
        "init_offset": 0,
        "messages": [],
        "fields": [{"name": "name"}, {"name": "tags"}, {"name": "_time"}],
        "results": [
            {"name": 'one "1"\nline', "tags": ["a", "b$c"], "_time": "2026-01-28T15:30:00.500+00:00"},
            {"name": "two"},
        ],
    }
    assert splunkd.search_logs == ["stderr of rows\n"]
    assert list(home.dispatch.iterdir()) == []


def test_a_command_is_told_what_splunkd_tells(search, splunkd, call):
    """Getinfo names the call, the caller's own session, and a dispatch directory that exists."""
    text = '| parapetsay how=info "x y" tenant="a \\"b\\"", z'
    (row,) = search(text, user="sc_admin", earliest_time="5").json()["results"]
    info = json.loads(row["info"])
    assert info["args"] == ["how=info", "x y", 'tenant=a "b"', "z"]
    assert info["raw_args"] == ["how=info", '"x y"', 'tenant="a \\"b\\""', "z"]
    assert (info["app"], info["owner"], info["username"]) == ("parapet_security", "nobody", "sc_admin")
    assert info["key"] == call.keys["sc_admin"]
    assert (info["splunkd_uri"], info["splunk_version"]) == (splunkd.uri, "9.2.1")
    assert (info["command"], info["maxresultrows"]) == ("parapetsay", 50000)
    assert info["search"].startswith("%7C%20parapetsay%20how%3Dinfo")
    assert (info["earliest_time"], info["latest_time"]) == ("5.000", "0")
    assert info["ls"] is True
    assert info["dispatch_dir"].endswith(info["sid"])
    assert info["argv"] == []
    assert not {"PYTHONPATH", "HOME"} & set(info["environ"])


def test_the_real_sdks_commands_run(search):
    """A GeneratingCommand of Splunk's SDK gets its options and splunkd's service, and sends multivalue fields."""
    (row,) = search("| parapetsdk tenant=main").json()["results"]
    assert row == {"tenant": "main", "who": "admin", "held": ["a: b", "c; $d$"], "name": "stand-in"}


def test_an_error_while_it_runs_is_a_message_and_the_search_is_done(search):
    """Measured on 9.4: splunkd keeps the message and ignores the exit code, once `finished` was said."""
    answer = search("| parapetsay how=complain")
    assert answer.status_code == 200
    wanted = [{"type": "ERROR", "text": "no such tenant"}, {"type": "INFO", "text": "try main"}]
    assert answer.json()["messages"] == wanted
    assert answer.json()["results"] == []
    assert search("| parapetsdk tenant=none").json()["messages"] == wanted[:1]
    (crash,) = search("| parapetsdk tenant=boom").json()["messages"]
    assert (crash["type"], "boom" in crash["text"]) == ("ERROR", True)


def test_a_refused_option_is_lost_and_only_the_exit_is_told(search, splunkd):
    """Measured on 9.4: what a command says before it runs is in search.log alone."""
    words = ["Error in 'parapetsay' command: External search command exited unexpectedly with non-zero error code 1."]
    answer = search("| parapetsay how=refuse")
    assert (answer.status_code, texts(answer)) == (400, words)
    assert answer.json()["messages"][0]["type"] == "FATAL"
    assert "Unrecognized option: x=1" in splunkd.search_logs[0]
    assert texts(search("| parapetsdk colour=red")) == [words[0].replace("parapetsay", "parapetsdk")]


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ("exit", "External search command exited unexpectedly with non-zero error code 3."),
        ("gone", "External search command exited unexpectedly."),
        ("error", "cannot"),
        ("streaming", "This command cannot be the first command of a search."),
        ("print", "Invalid message received from external search command during setup, see search.log."),
        ("type", "Invalid message received from external search command during setup, see search.log."),
        ("body", "Invalid message received from external search command during setup, see search.log."),
        ("list", "Invalid message received from external search command during setup, see search.log."),
        ("cut", "Invalid message received from external search command during search, see search.log."),
        ("csv", "Invalid message received from external search command during search, see search.log."),
        ("twice", "Invalid message received from external search command during search, see search.log."),
        ("nameless", "Invalid message received from external search command during search, see search.log."),
        ("stray", "Invalid message received from external search command during search, see search.log."),
        ("half", "Invalid message received from external search command during search, see search.log."),
        ("level", "Invalid message received from external search command during search, see search.log."),
        ("unfinished", "Invalid message received from external search command during search, see search.log."),
        ("late", "Invalid message received from external search command during search, see search.log."),
    ],
)
def test_a_command_that_breaks_the_protocol_ends_the_search(search, splunkd, how, text):
    """400 in splunkd's words; the reason is in search.log."""
    answer = search("| parapetsay how=" + how)
    assert (answer.status_code, texts(answer)) == (400, ["Error in 'parapetsay' command: " + text])
    assert splunkd.search_logs[0].startswith("stderr of " + how)


def test_a_stuck_command_is_killed(search, monkeypatch):
    """After the stand-in's time limit."""
    monkeypatch.setattr(splunkd_chunked, "TIME_LIMIT", 0.5)
    assert "exited unexpectedly" in texts(search("| parapetsay how=stuck"))[0]


def test_splunkds_end_ends_its_commands(home):
    """Nobody waits for a command of a splunkd that is gone."""
    with Splunkd(home) as splunkd, requests.Session() as http:
        caller = Caller(splunkd, http)
        ended = []

        def ask():
            try:
                caller("POST", JOBS, {"search": "| parapetsay how=stuck", "exec_mode": "oneshot"})
            finally:
                ended.append(True)

        thread = threading.Thread(target=_quietly(ask))
        thread.start()
        wait_until((home.path / "stuck").exists, "a stuck command")
        splunkd.close()
        thread.join(10)
        assert ended == [True]


def _quietly(function):
    def run():
        with contextlib.suppress(requests.RequestException):
            function()

    return run


def test_chunks_are_asked_for_until_the_command_has_finished(search):
    """All rows of all chunks; an answer has 100 unless `count` says otherwise, as oneshot's default is."""
    rows = [{"n": str(number)} for number in range(120)]
    assert search("| parapetsay how=many").json()["results"] == rows[:100]
    assert search("| parapetsay how=many", count=0).json()["results"] == rows
    assert search("| parapetsay how=many", count=2, offset=119).json()["results"] == rows[119:]


@pytest.mark.parametrize("path", [JOBS, "/services/search/jobs", "/servicesNS/admin/search/search/v2/jobs"])
def test_a_command_that_the_user_may_not_read_is_unknown(search, path):
    """[commands] of the app's metadata decides; the words are those for no command at all."""
    assert search("| parapetsay", path, "sc_admin").status_code == 200
    refused = search("| parapetsay", path, "power")
    assert (refused.status_code, texts(refused)) == (400, ["Unknown search command 'parapetsay'."])
    assert refused.json()["messages"][0]["type"] == "FATAL"


def test_a_command_that_is_not_exported_is_unknown_elsewhere(search):
    """[commands/<name>] goes before [commands]."""
    assert search("| parapetsdk").status_code == 200
    assert texts(search("| parapetsdk", "/services/search/jobs")) == ["Unknown search command 'parapetsdk'."]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("| nothing", "Unknown search command 'nothing'."),
        ("index=_internal", "Unknown search command 'index'."),
        ("search index=_internal | lookup a b", "Unknown search command 'lookup'."),
        ("| parapetsay | | head 1", "Missing a search command before '|'"),
        ("|", "Missing a search command before '|'"),
        ('search "x', "Unbalanced quotes."),
        ("search [search x]", "no subsearch"),
        ("search `parapet_index(1)`", "no macro with arguments"),
        ("search a=1 OR b=2", "Unable to parse the search"),
        ("search (a=1)", "Unable to parse the search"),
        ("search a!=1", "Unable to parse the search"),
        ("search earliest=yesterday", "Invalid value \"yesterday\" for time term 'earliest'"),
        ("search `nothing`", "The search specifies a macro 'nothing' that cannot be found."),
        ("search x | parapetsay", "Error in 'parapetsay' command: This command must be the first command of a search."),
        ("| parapetlost", "Cannot find program 'parapetlost' or script 'parapetlost'."),
        ("search x | head many", "Error in 'head' command"),
        ("search x | stats sum", "Error in 'stats' command"),
        ("search x | table", "Error in 'table' command"),
        ("search x | where a", "a condition must be true or false"),
        ("search x | sort", "Error in 'sort' command"),
    ],
)
def test_what_is_no_search_is_refused_before_anything_runs(search, splunkd, text, words):
    """400 in splunkd's words, or in the stand-in's where it lacks something."""
    answer = search(text)
    assert answer.status_code == 400
    assert words in texts(answer)[0]
    assert splunkd.search_logs == []


def test_other_calls_of_the_jobs_endpoint_are_refused(search, call, splunkd):
    """No capability is 403, no `search` and another exec_mode 400, no such app 404, no such method 405."""
    splunkd.access.add_role("mute", [])
    splunkd.access.add_user("bob", ["mute"])
    assert search("| parapetsay", user="bob").status_code == 403
    assert call("POST", JOBS, {"exec_mode": "oneshot"}).status_code == 400
    assert call("POST", JOBS, {"search": "search x", "exec_mode": "normal"}).status_code == 400
    assert call("POST", JOBS, {"search": "search x", "exec_mode": "oneshot", "colour": "red"}).status_code == 400
    assert search("search x", "/servicesNS/nobody/none/search/jobs").status_code == 404
    assert call("DELETE", JOBS).status_code == 405
