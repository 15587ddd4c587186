"""The Splunk stand-in starts actions and modular inputs as the contract says, and refuses what Splunk refuses.

Must not need splunkd: what is started here asks nobody.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
from pathlib import Path

import pytest

from tests.standins.fake_app import write_app
from tests.standins.splunk import Refusal, Search, Splunk, SplunkHome, seconds
from tests.standins.splunk_conf import ConfError, read_conf, write_conf
from tests.standins.splunk_search import substitute

KEY = "session-key-canary"
ROWS = [
    {"user": "ann", "src{}.ip": "10.0.0.1", "tags": ["a$b", "c;d\n"], "_raw": 'x "y", z'},
    {"user": "böb", "tags": ["one"], "extra": "1"},
]


@pytest.fixture(name="home")
def _home(tmp_path):
    home = SplunkHome(tmp_path / "splunk")
    home.install(write_app(tmp_path / "source"))
    return home


@pytest.fixture(name="splunk")
def _splunk(home):
    return Splunk(home, server_uri="https://127.0.0.1:8089", guid="GUID")


def local(home, conf, text):
    """Write a file of the app's local folder."""
    (home.app / "local").mkdir(exist_ok=True)
    (home.app / "local" / (conf + ".conf")).write_text(text)


def table(path):
    """Header and rows of a results file."""
    with gzip.open(str(path), "rt", encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def test_the_action_gets_the_payload_on_stdin_and_execute_in_argv(splunk, home):
    """What the process saw is what the contract lists, and its environment is Splunk's alone."""
    search = Search(name="My rule", rows=ROWS, params={"tenant": "eu"}, severity=5, spl="search x")
    fired = splunk.fire(search, KEY)
    seen = json.loads(fired.stdout)
    assert seen["argv"] == ["--execute"]
    assert {"SPLUNK_HOME", "PATH"} <= set(seen["env"])
    assert not {"PYTHONPATH", "HOME", "PYTEST_CURRENT_TEST"} & set(seen["env"])
    given = json.loads(seen["given"])
    assert given.pop("session_key") == KEY
    assert given == fired.payload
    assert list(given) == [
        "app", "owner", "results_file", "results_link", "search_uri", "server_host", "server_uri",
        "sid", "search_name", "configuration", "result",
    ]  # fmt: skip
    assert given["search_uri"] == "/servicesNS/admin/search/saved/searches/My+rule"
    assert given["sid"].startswith("scheduler__admin__search__RMD5")
    assert given["results_file"] == str(home.dispatch / given["sid"] / "results.csv.gz")
    assert given["result"] == {**ROWS[0], "tags": ["a$b", "c;d\n"]}


def test_the_configuration_has_filled_in_params_only(splunk):
    """Empty ones are not sent, tokens are replaced, `_cam` is there, and the alert's own params win."""
    search = Search(rows=ROWS, severity=5, spl="search a=$b", params={"send": "all", "fields": ""})
    assert splunk.payload(search, KEY)["configuration"] == {
        "send": "all",
        "search_query": "search a=$b",
        "severity": "5",
        "_cam": '{"task": ["create"], \n"subject": ["splunk.event"]}'.replace("\n", "\n  "),
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$result.user$", "ann"),
        ("$result.tags$", "a$b\nc;d\n"),
        ("$result.none$|", "|"),
        ("$result.src{}.ip$|", "|"),
        ("$$sid$$ costs $5 and $6", "$sid$ costs $5 and $6"),
        ("$trigger_time$", "1700000000"),
        ("$job.resultCount$", "2"),
        ("$server.guid$", "GUID"),
        ("$nonsense$|", "|"),
    ],
)
def test_tokens_come_out_as_in_splunk(splunk, text, expected):
    """First row, double dollars, braces that never resolve, names that are not there."""
    search = Search(rows=ROWS, trigger_time=1700000000, params={"x": text})
    assert splunk.payload(search, KEY)["configuration"]["x"] == expected


def test_what_is_not_confirmed_about_tokens_can_be_chosen(splunk):
    """An unknown token may stay in place, and job tokens may come empty."""
    search = Search(
        rows=ROWS, unknown_tokens="keep", job_tokens=False, params={"x": "$nonsense$ $job.sid$ $result.no$|"}
    )
    assert splunk.payload(search, KEY)["configuration"]["x"] == "$nonsense$  |"
    assert substitute("a$", {}, "keep") == "a$"


def test_the_results_file_is_gzip_csv_with_companions(splunk):
    """Every field has `__mv_`; several values are dollar-quoted there and newline-joined in the column."""
    search = Search(rows=ROWS)
    splunk.write_files(search)
    header, first, second = table(search.results_file(splunk.home, None))
    names = ["user", "src{}.ip", "tags", "_raw", "extra"]
    assert header == names + ["__mv_" + name for name in names]
    assert first == ["ann", "10.0.0.1", "a$b\nc;d\n", 'x "y", z', "", "", "", "$a$$b$;$c;d\n$", "", ""]
    assert second == ["böb", "", "one", "", "1", "", "", "", "", ""]


def test_the_results_file_ends_at_maxresults(splunk, home):
    """More rows than the stanza allows are not in the file, though the job counts them."""
    local(home, "alert_actions", "[parapet_security]\nmaxresults = 1\n")
    search = Search(rows=ROWS, params={"n": "$job.resultCount$"})
    splunk.write_files(search)
    assert len(table(search.results_file(home, None))) == 2
    assert splunk.payload(search, KEY)["configuration"]["n"] == "2"


def test_zero_results_are_null_or_missing_and_may_have_no_file(splunk):
    """The two forms of zero results, and the dispatch directory that is gone."""
    search = Search(rows=[], no_file=True)
    fired = splunk.fire(search, KEY)
    assert fired.payload["result"] is None
    assert not Path(fired.payload["results_file"]).exists()
    assert "result" not in splunk.payload(Search(rows=[], no_result_key=True), KEY)


def test_per_result_mode_is_one_process_for_each_row(splunk):
    """Own file, own result_id, own tokens for each row."""
    search = Search(rows=ROWS, digest=False, params={"who": "$result.user$"})
    one, two = splunk.fire_each(search, KEY)
    assert (one.payload["result_id"], two.payload["result_id"]) == ("0", "1")
    assert [f.payload["configuration"]["who"] for f in (one, two)] == ["ann", "böb"]
    assert two.payload["results_file"].endswith("/per_result_alert/tmp_1.csv.gz")
    assert len(table(two.payload["results_file"])) == 2
    with pytest.raises(ValueError, match="fire_each"):
        splunk.fire(search, KEY)


def test_an_ad_hoc_run_has_no_name_no_search_and_no_tokens(splunk):
    """`| sendalert` outside a saved search."""
    search = Search(
        name="ignored", rows=ROWS, ad_hoc=True, info_csv=True, params={"x": "$result.user$$alert.severity$"}
    )
    fired = splunk.fire(search, KEY)
    assert (fired.payload["search_name"], fired.payload["search_uri"]) == ("", "")
    assert "scheduler" not in fired.payload["sid"]
    assert fired.payload["results_file"].endswith("/sendalert_temp_results.csv.gz")
    assert fired.payload["configuration"]["x"] == "ann"
    assert (splunk.home.dispatch / search.sid / "info.csv").exists()


def test_stderr_becomes_lines_of_splunkd_log(splunk):
    """The first word is the level, anything else is an error, DEBUG is dropped, the exit code is named."""
    fired = splunk.fire(Search(name="R", rows=ROWS), KEY)
    assert fired.exit_code == 4
    assert [(line.level, line.text.rpartition(" - ")[2]) for line in fired.log[1:]] == [
        ("INFO", "INFO done"),
        ("WARN", "WARN careful"),
        ("ERROR", "no level"),
        ("INFO", "Alert action script completed with exit code=4"),
        ("WARN", "Alert action script returned error code=4"),
    ]
    assert KEY not in repr(fired.log) + repr(fired.payload)


def test_maxtime_ends_in_sigkill(splunk, home):
    """A script that runs too long gets no chance to clean up."""
    local(home, "alert_actions", "[parapet_security]\nmaxtime = 1s\n")
    (home.app / "bin/parapet_security.py").write_text("import signal\nwhile True: signal.pause()\n")
    fired = splunk.fire(Search(rows=ROWS), KEY)
    assert (fired.timed_out, fired.exit_code) == (True, -9)


@pytest.mark.parametrize(("text", "expected"), [("5m", 300), ("7", 7), ("2s", 2), ("1h", 3600), ("1d", 86400)])
def test_maxtime_is_read_as_splunk_reads_it(text, expected):
    """An integer with a unit."""
    assert seconds(text) == expected
    with pytest.raises(ValueError, match="maxtime"):
        seconds(text + "x")


def test_a_started_action_can_be_killed_while_it_runs(splunk, home):
    """start() hands over a process whose stdin is on its way, however large it is."""
    (home.app / "bin/parapet_security.py").write_text("import signal\nprint('up', flush=True)\nsignal.pause()\n")
    process = splunk.start(Search(rows=[{"_raw": "x" * 500000}]), KEY)
    assert process.stdout.readline() == b"up\n"
    process.kill()
    process.communicate()
    assert process.returncode == -9


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("is_custom = 0", "not a custom alert action"),
        ("disabled = 1", "disabled"),
        ("alert.execute.cmd = other.py", "Unable to find alert action script"),
    ],
)
def test_splunk_refuses_an_action_that_it_could_not_start(splunk, home, text, why):
    """Each with its reason."""
    local(home, "alert_actions", "[parapet_security]\n" + text + "\n")
    with pytest.raises(Refusal, match=why):
        splunk.fire(Search(rows=ROWS), KEY)


def test_an_action_that_is_not_exported_is_not_found_from_another_app(splunk, home):
    """Without `export = system` the stanza is for its own app's searches only."""
    (home.app / "metadata/default.meta").write_text("[]\naccess = read : [ * ], write : [ admin ]\n")
    with pytest.raises(Refusal, match="Unable to find alert action"):
        splunk.fire(Search(rows=ROWS, app="search"), KEY)
    assert splunk.fire(Search(rows=ROWS, app="parapet_security"), KEY).exit_code == 4


def test_a_stanza_in_search_local_takes_the_action_over(splunk, home):
    """The trap of contract section 2.1: Splunk then looks for the script in `search`."""
    write_conf(home.apps / "search/local/alert_actions.conf", {"parapet_security": {}})
    with pytest.raises(Refusal, match='in app="search"'):
        splunk.fire(Search(rows=ROWS), KEY)


def test_without_payload_format_json_the_payload_is_xml(splunk, home):
    """Splunk's default format, with the configuration in a stanza."""
    local(home, "alert_actions", "[parapet_security]\npayload_format = xml\n")
    given = json.loads(splunk.fire(Search(rows=ROWS), KEY).stdout)["given"]
    assert given.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<alert><app>search</app>')
    assert '<param name="send">first</param>' in given


def test_a_conf_file_is_read_as_splunk_reads_it(tmp_path):
    """Comments, continuations, values with `=`, settings above the first stanza, and what it writes itself."""
    file = tmp_path / "x.conf"
    file.write_text("top = 1\n# c \\\n[a]\nk = v = w # no comment\nlong = one \\\n two\n\n[b]\n")
    stanzas = {"default": {"top": "1"}, "a": {"k": "v = w # no comment", "long": "one \n two"}, "b": {}}
    assert read_conf(file) == stanzas
    write_conf(file, stanzas)
    assert read_conf(file) == stanzas
    assert read_conf(tmp_path / "none.conf") == {}
    file.write_text("[a]\njust words\n")
    with pytest.raises(ConfError, match=r"x\.conf:2"):
        read_conf(file)


def test_the_interpreter_is_the_tests_choice(home):
    """What is not there cannot be started."""
    splunk = Splunk(home, server_uri="https://x.invalid", python=sys.executable + "-none")
    with pytest.raises(FileNotFoundError):
        splunk.fire(Search(rows=ROWS), KEY)


def test_an_app_is_installed_once_and_without_bytecode(home, tmp_path):
    """A second install is refused, as it would mix two versions."""
    assert (home.app / "bin/parapet_security.py").is_file()
    with pytest.raises(FileExistsError):
        home.install(tmp_path / "source/parapet_security")
