"""The splunkd stand-in runs persistent REST handlers in real processes, as restmap.conf says.

Must not test what a handler of the product does.
"""

from __future__ import annotations

import os
import threading

import pytest
import requests

from tests.standins.splunkd import Splunkd
from tests.standins.splunkd_fixtures import (  # noqa: F401  # pytest finds the fixtures by their names
    DELIVER,
    MAIN,
    Caller,
    call_fixture,
    home_fixture,
    splunkd_fixture,
)

pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")


def _folder(path):
    path.mkdir()
    return path


def test_the_handler_is_one_process_that_lives_on(splunkd, home, call):
    """It gets the caller's session and the system's, keeps its state, and has the app's bin/ on its path."""
    first, second = (call("POST", DELIVER, user="user").json() for _ in range(2))
    assert (first["calls"], second["calls"]) == (1, 2)
    assert [first["pid"]] == [second["pid"]] == [*splunkd.handler_pids()]
    assert first["pid"] != os.getpid()
    assert first["session"] == {"user": "user", "authtoken": call.keys["user"]}
    assert call("GET", MAIN, key=first["system_authtoken"]).status_code == 404
    assert first["server"]["rest_uri"] == splunkd.uri
    assert first["home"] == str(home.path)
    assert "payload" not in first
    assert call("GET", DELIVER).status_code == 405


def test_the_handler_is_not_there_before_splunkds_restart(home):
    """404 after the first installation, 401 without a session, and a restart ends its processes."""
    with Splunkd(home, handlers_loaded=False) as splunkd, requests.Session() as http:
        call = Caller(splunkd, http)
        assert call("POST", DELIVER).status_code == 404
        splunkd.restart()
        assert call("POST", DELIVER, key="wrong").status_code == 401
        pid = call("POST", DELIVER).json()["pid"]
        splunkd.restart()
        assert splunkd.handler_pids() == []
        assert call("POST", DELIVER).json()["pid"] != pid


def test_a_handler_that_dies_is_a_500_and_starts_again(splunkd, call):
    """The next call gets a new process."""
    pid = call("POST", DELIVER).json()["pid"]
    assert call("DELETE", DELIVER).status_code == 500
    assert call("POST", DELIVER).json()["pid"] != pid


@pytest.mark.parametrize("processes", [1, 2])
def test_as_many_handlers_run_at_once_as_splunkd_was_told(home, tmp_path, processes):
    """Two calls run in two processes at the same time, or one after the other in one."""
    (home.app / "bin/parapet_deliver.py").write_text(
        "import os, time\n"
        "from splunk.persistconn.application import PersistentServerConnectionApplication as Base\n"
        "class Deliver(Base):\n"
        "    def __init__(self, command_line, command_arg): pass\n"
        "    def handle(self, in_string):\n"
        "        mine = os.path.join({0!r}, str(os.getpid()))\n"
        "        open(mine, 'w').close()\n"
        "        end = time.monotonic() + {1}\n"
        "        while len(os.listdir({0!r})) < 2 and time.monotonic() < end: time.sleep(0.01)\n"
        "        return {{'payload': str(len(os.listdir({0!r}))), 'status': 200}}\n".format(
            str(_folder(tmp_path / "seen")), 10 if processes == 2 else 0.2
        )
    )
    with Splunkd(home, handler_processes=processes) as splunkd:
        answers = []

        def ask():
            with requests.Session() as http:
                answers.append(http.post(splunkd.uri + DELIVER, headers=headers, verify=False, timeout=20).text)

        headers = {"Authorization": "Splunk " + splunkd.session("admin")}
        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert len(splunkd.handler_pids()) == processes
    assert answers == [str(processes)] * 2


@pytest.mark.parametrize("line", ["match", "handler", "scripttype"])
def test_a_stanza_that_splunkd_would_not_serve_is_refused(home, line):
    """restmap.conf without one of the three lines is an error of the app."""
    file = home.app / "default/restmap.conf"
    file.write_text("\n".join(one for one in file.read_text().splitlines() if not one.startswith(line)))
    with pytest.raises(ValueError, match=r"restmap\.conf"), Splunkd(home):
        pass


def test_a_capability_and_a_payload_are_given_only_as_restmap_says(home):
    """capability.post refuses with 403; passPayload and the lack of passSystemAuth change what the handler gets."""
    (home.app / "local").mkdir()
    (home.app / "local/restmap.conf").write_text(
        "[script:parapet_deliver]\ncapability.post = list_settings or nothing\npassPayload = true\npassSystemAuth = 0\n"
    )
    with Splunkd(home) as splunkd, requests.Session() as http:
        call = Caller(splunkd, http)
        assert call("POST", DELIVER, user="user").status_code == 403
        got = call("POST", DELIVER, data="raw").json()
    assert got["payload"] == "raw"
    assert "system_authtoken" not in got
