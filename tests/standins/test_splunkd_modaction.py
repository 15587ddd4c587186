"""The stand-in runs an action from a notable as Enterprise Security does, and `| sendalert` as splunkd does.

Must not test what the product makes of it.
"""

from __future__ import annotations

import csv
import gzip
import json
import time

import pytest

from tests.standins.enterprise_security import install_cim, notable
from tests.standins.splunkd_fixtures import (  # noqa: F401  # pytest finds the fixtures by their names
    call_fixture,
    home_fixture,
    splunkd_fixture,
    texts,
)

pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")

URL = "/services/alerts/modaction_adhoc"
SEARCH = 'index=notable rule_name="Excessive Failed Logins"'
STANZA = {
    "command": 'sendalert $action_name$ results_file="$results.file$" results_link="$results.url$" '
    "param.action_name=$action_name$ | stats count",
    "param._cam": '{"supports_adhoc": true}',
    "param.note": "",
}
SCRIPT = """\
import json, os, shutil, sys
given = json.load(sys.stdin)
place = os.path.join(os.environ["SPLUNK_HOME"], "given.json")
with open(place, "w") as stream:
    json.dump({k: v for k, v in given.items() if k != "session_key"}, stream)
shutil.copy(given["results_file"], place + ".csv.gz")
sys.exit(int(given["configuration"].get("note") or 0))
"""


@pytest.fixture(name="es")
def es_fixture(home, splunkd):
    """The tiny app's action in a form that can be run by hand, the CIM app, and two notables."""
    install_cim(home)
    (home.app / "bin/parapet_security.py").write_text(SCRIPT, encoding="utf-8")
    configure(home)
    splunkd.notables.extend([notable(1), notable(2), notable(3, rule_name="Another")])
    return home


def configure(home, **changes):
    """Write the action's local stanza."""
    home.conf.update("alert_actions", "parapet_security", "parapet_security", {**STANZA, **changes})


def respond(call, search=SEARCH, user="power", **form):
    """One click."""
    return call("POST", URL, {"action_name": "parapet_security", "search": search, **form}, user=user)


def given(home):
    """What the action was given, and the rows of its results file."""
    place = home.path / "given.json"
    with gzip.open(str(place) + ".csv.gz", "rt", encoding="utf-8", newline="") as stream:
        return json.loads(place.read_text(encoding="utf-8")), list(csv.DictReader(stream))


def test_an_action_runs_on_the_notables_that_the_search_finds(call, es, splunkd):
    """As the user who clicked, under an ad-hoc sid, with all rows in the file and the first in the payload."""
    answer = respond(call)
    assert answer.status_code == 201
    sid = answer.json()["sid"]
    assert answer.json()["command"] == (
        f"search {SEARCH} | sendalert parapet_security param.action_name=parapet_security | stats count"
    )
    payload, rows = given(es)
    assert (payload["search_name"], payload["search_uri"], payload["sid"]) == ("", "", sid)
    assert (payload["owner"], payload["app"]) == ("power", "search")
    assert payload["results_file"].endswith(f"/{sid}/sendalert_temp_results.csv.gz")
    # No order but that of the index: newest first.
    assert [row["event_id"] for row in rows] == [notable(2)["event_id"], notable(1)["event_id"]]
    assert payload["result"]["event_id"] == notable(2)["event_id"]
    assert payload["result"]["annotations.mitre_attack"] == ["T1110", "T1110.003"]
    assert rows[0]["__mv_annotations.mitre_attack"] == "$T1110$;$T1110.003$"
    assert payload["configuration"]["_cam"] == '{"supports_adhoc": true}'
    assert payload["configuration"]["action_name"] == "parapet_security"
    assert splunkd.sendalert.fired[0].payload == payload
    job = splunkd.jobs[sid]
    assert (job["dispatchState"], job["isFailed"], job["resultCount"]) == ("DONE", False, 1)


def test_parameters_of_the_click_win_over_those_of_the_stanza(call, es):
    """Quotation marks inside are escaped, and come out again."""
    answer = respond(
        call, **{"action.parapet_security.param.note": "0", "action.parapet_security.param.tenant": 'a "b" | c'}
    )
    assert 'param.note="0" param.tenant="a \\"b\\" | c" param.action_name=' in answer.json()["command"]
    assert given(es)[0]["configuration"]["tenant"] == 'a "b" | c'


@pytest.mark.parametrize(("unknown", "value"), [("empty", ""), ("keep", "$search$")])
def test_tokens_without_a_value_come_empty_or_stay(call, es, splunkd, unknown, value):
    """Which of both is not confirmed."""
    splunkd.sendalert.unknown_tokens = unknown
    configure(es, **{"param.note": "$result.nothing$", "param.send": "$result.rule_name$"})
    respond(call)
    configuration = given(es)[0]["configuration"]
    assert configuration["search_query"] == value
    assert (configuration["note"], configuration["send"]) == ("", "Excessive Failed Logins")


@pytest.mark.parametrize(
    ("command", "becomes"),
    [
        ("sendalert $action_name$", 'sendalert parapet_security action_name="parapet_security" param.note="x"'),
        (
            "sendalert $action_name$ name=$name$ 'a'= \"$name$\" param.note=$name_hash$",
            'sendalert parapet_security action_name="parapet_security" param.note=',
        ),
        (
            "sendalert other param.action_name=$action_name$ | table a",
            'sendalert other param.note="x" param.action_name=parapet_security | table a',
        ),
    ],
)
def test_the_commands_tokens_are_replaced_and_parameters_added_once(call, es, command, becomes):
    """`action_name` counts as a parameter, unless the command names it."""
    configure(es, command=command)
    answer = respond(call, **{"action.parapet_security.param.note": "x"})
    assert answer.json()["command"].partition(" | ")[2] == becomes


def test_the_time_of_the_click_is_in_the_command(call, es):
    """As epoch seconds."""
    configure(es, command="sendalert $action_name$ param.action_name=a param.note=$trigger_time$")
    before = int(time.time())
    note = respond(call).json()["command"].rpartition("=")[2]
    assert before <= int(note) <= time.time() + 1


@pytest.mark.parametrize(
    ("changes", "form", "words"),
    [
        ({"param._cam": "{}"}, {}, "Alert action does not support adhoc invocation."),
        ({"param._cam": '{"supports_adhoc": false}'}, {}, "Alert action does not support adhoc invocation."),
        ({"param._cam": "{supports_adhoc: true}"}, {}, "param._cam is no JSON"),
        ({"command": "sendemail to=a"}, {}, "Mismatch between modular action name and sendalert clause."),
        ({}, {"search": ""}, "Missing parameters for adhoc modular action."),
        ({}, {"action_name": "nobody"}, "Alert action could not be read."),
        ({}, {"action.parapet_security.param.none": "1"}, "Invalid parameter for adhoc modular action."),
        ({}, {"action.parapet_security.maxtime": "1s"}, "Invalid parameter for adhoc modular action."),
        ({}, {"action.other.param.note": "1"}, "Invalid parameter for adhoc modular action."),
        ({}, {"output_mode": "json"}, "Invalid parameter for adhoc modular action."),
    ],
)
def test_what_the_handler_refuses_runs_nothing(call, es, changes, form, words):
    """400 in its words."""
    configure(es, **changes)
    answer = respond(call, **form)
    assert (answer.status_code, answer.text[: len("ModularActionException: ")]) == (400, "ModularActionException: ")
    assert words in answer.text
    assert not (es.path / "given.json").exists()


@pytest.mark.parametrize("value", ["a\\", 'a" | delete "'])
def test_a_search_that_does_not_parse_is_not_run(call, es, splunkd, value):
    """A backslash at the end of a value eats the quotation mark: the handler escapes quotation marks only."""
    answer = respond(call, **{"action.parapet_security.param.note": value})
    if value.endswith("\\"):
        assert (answer.status_code, "Unbalanced quotes" in answer.text) == (500, True)
        assert splunkd.sendalert.fired == []
    else:
        assert given(es)[0]["configuration"]["note"] == value.strip('"')


def test_without_the_cim_app_there_is_no_such_endpoint(call, home):
    """It is not Splunk's own."""
    assert respond(call).status_code == 404


def test_the_endpoint_takes_posts_only(call, es):
    """As the handler says."""
    assert call("GET", URL).status_code == 405


def test_a_failed_action_fails_the_job(call, es, splunkd):
    """In the words that the user sees."""
    sid = respond(call, **{"action.parapet_security.param.note": "4"}).json()["sid"]
    job = splunkd.jobs[sid]
    assert (job["dispatchState"], job["isFailed"], job["isDone"]) == ("FAILED", True, True)
    wanted = "Error in 'sendalert' command: Alert script returned error code 4."
    assert job["messages"] == [{"type": "fatal", "text": wanted}]


def test_the_name_that_the_handler_adds_is_no_argument_of_sendalert(call, es, splunkd):
    """Its documentation names none such, so a command does well to have `param.action_name=$action_name$`."""
    configure(es, command="sendalert $action_name$ | stats count")
    job = splunkd.jobs[respond(call).json()["sid"]]
    wanted = "Error in 'sendalert' command: the stand-in does not know the argument 'action_name'."
    assert [message["text"] for message in job["messages"]] == [wanted]


def test_sendalert_in_a_search_passes_its_rows_on(call, es):
    """`| stats count` after it counts them, and nothing is left in the dispatch directory."""
    answer = oneshot(call, f"search {SEARCH} | sendalert parapet_security param.note=0 | stats count")
    assert answer.json()["results"] == [{"count": "2"}]
    assert list(es.dispatch.iterdir()) == []
    assert len(given(es)[1]) == 2


def oneshot(call, search, user="power"):
    """One search, answered at once."""
    return call("POST", "/services/search/jobs", {"search": search, "exec_mode": "oneshot"}, user=user)


@pytest.mark.parametrize(
    ("search", "user", "words"),
    [
        ("| sendalert parapet_security", "user", "insufficient privileges"),
        ("| sendalert webhooks", "power", "not found"),
        ("| sendalert", "power", "not found"),
        ("| sendalert parapet_security note=1", "power", "does not know the argument 'note'"),
        ("| sendalert parapet_security stray", "power", "does not know the argument 'stray'"),
        ("| sendalert parapet_security param.note=3", "power", "Alert script returned error code 3."),
    ],
)
def test_what_sendalert_refuses_ends_the_search(call, es, search, user, words):
    """400, as an error of the search."""
    answer = oneshot(call, search, user)
    assert answer.status_code == 400
    assert texts(answer)[0].startswith("Error in 'sendalert' command: ")
    assert words in texts(answer)[0]


def test_a_disabled_action_is_not_run(call, es):
    """In the words of the scheduler."""
    configure(es, disabled="1")
    assert "is disabled" in texts(oneshot(call, "| sendalert parapet_security"))[0]


def test_notables_are_events_of_an_index_of_their_own(call, es, splunkd):
    """Found by their fields, and only by who may search that index."""
    query = 'search index=notable event_id="{}" | table rule_title index _time'.format(notable(1)["event_id"])
    (row,) = oneshot(call, query).json()["results"]
    assert (row["rule_title"], row["index"]) == ("Excessive failed logins on host-1", "notable")
    assert len(oneshot(call, "search index=* | stats count").json()["results"]) == 1
    assert oneshot(call, "search index=n* | stats count by rule_name").json()["results"] == [
        {"rule_name": "Another", "count": "1"},
        {"rule_name": "Excessive Failed Logins", "count": "2"},
    ]
    assert oneshot(call, "search index=_* | stats count").json()["results"] == [{"count": "0"}]
    splunkd.access.add_role("blind", ["search"])
    splunkd.access.add_user("blind", ["blind"])
    assert oneshot(call, "search index=notable", "blind").json()["results"] == []
