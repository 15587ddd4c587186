"""The splunkd stand-in as a server: TLS, sessions, what it records, and its faults.

Must not test single endpoints.
"""

from __future__ import annotations

import threading

import pytest
import requests

from tests.standins.splunkd import Splunkd
from tests.standins.splunkd_fixtures import (  # noqa: F401  # pytest finds the fixtures by their names
    PASSWORDS,
    SECRET,
    Caller,
    call_fixture,
    home_fixture,
    splunkd_fixture,
)

pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")


def test_a_client_that_verifies_the_certificate_fails(splunkd):
    """Splunkd's certificate is nobody's."""
    with requests.Session() as http, pytest.raises(requests.exceptions.SSLError):
        http.get(splunkd.uri + "/services/server/info", timeout=10)


@pytest.mark.parametrize("header", [None, "Splunk", "Splunk wrong", "Basic YTpi"])
def test_no_session_or_a_wrong_one_is_401(splunkd, header):
    """Without a session that it knows splunkd answers nothing else."""
    with requests.Session() as http:
        headers = {"Authorization": header} if header else {}
        answer = http.get(
            splunkd.uri + "/services/server/info?output_mode=json", headers=headers, verify=False, timeout=10
        )
    assert answer.status_code == 401
    assert answer.json() == {"messages": [{"type": "WARN", "text": "call not properly authenticated"}]}


def test_an_expired_session_is_401(splunkd, call):
    """A key that worked does not any more."""
    key = splunkd.session("admin")
    assert call("GET", "/services/server/info", key=key).status_code == 200
    splunkd.expire(key)
    assert call("GET", "/services/server/info", key=key).status_code == 401


def test_requests_are_recorded_without_secrets(splunkd, call):
    """Method, path, user and status; nothing of headers, queries and bodies."""
    call("POST", PASSWORDS, {"name": "main", "password": SECRET})
    found = splunkd.wait_for("POST", PASSWORDS)
    assert found == ("POST", PASSWORDS, "admin", 201)
    assert SECRET not in repr(splunkd.requests)
    with pytest.raises(TimeoutError):
        splunkd.wait_for("GET", "/nothing", timeout=0.01)


def test_a_connection_is_kept_alive(splunkd, call):
    """One connection serves many requests."""
    for _ in range(3):
        call("GET", "/services/server/info")
    pool = next(iter(call.http.adapters["https://"].poolmanager.pools._container.values()))
    assert (pool.num_requests, pool.num_connections) == (3, 1)


def test_a_fault_strikes_as_often_as_it_was_told(splunkd, call):
    """A status and a cut connection hit the paths under the prefix, in any namespace, and then no more."""
    splunkd.fail("storage/passwords", 503, times=1)
    splunkd.fail("/services/messages", "close", times=1)
    assert call("GET", PASSWORDS).status_code == 503
    assert call("GET", PASSWORDS).status_code == 200
    with pytest.raises(requests.exceptions.ConnectionError):
        call("GET", "/services/messages")
    assert call("GET", "/services/messages").status_code == 200
    with pytest.raises(ValueError, match="hang"):
        splunkd.fail("/", "explode")


def test_a_hanging_splunkd_answers_nothing_until_healed(splunkd, call):
    """The request is recorded and stays open; heal() cuts it, and a delay only delays."""
    splunkd.fail("/", "hang")
    failed = []

    def ask():
        try:
            call("GET", "/services/server/info", key="x")
        except requests.exceptions.ConnectionError as exc:
            failed.append(exc)

    thread = threading.Thread(target=ask)
    thread.start()
    assert splunkd.wait_for("GET", "/services/server/info").status is None
    assert thread.is_alive()
    splunkd.heal()
    thread.join(10)
    assert len(failed) == 1
    splunkd.delay("/", 0.01, times=1)
    assert call("GET", "/services/server/info").status_code == 200


def test_a_closed_splunkd_is_gone(home):
    """Kept connections are cut and the port answers no more."""
    with requests.Session() as http:
        with Splunkd(home) as splunkd:
            call = Caller(splunkd, http)
            assert call("GET", "/services/server/info").status_code == 200
            key = call.keys["admin"]
        with pytest.raises(requests.exceptions.ConnectionError):
            http.get(
                splunkd.uri + "/services/server/info",
                headers={"Authorization": "Splunk " + key},
                verify=False,
                timeout=10,
            )


def test_a_bug_in_the_stand_in_is_not_hidden(home):
    """What breaks inside answers 500 and fails the test that used it."""

    def use():
        with Splunkd(home) as splunkd, requests.Session() as http:
            splunkd.saved_searches["search", "broken"] = None
            assert Caller(splunkd, http)("GET", "/services/saved/searches").status_code == 500

    with pytest.raises(AssertionError, match="TypeError"):
        use()


def test_nothing_of_a_secret_is_on_stdout(splunkd, call, capfd):
    """The stand-in prints nothing at all."""
    call("POST", PASSWORDS, {"name": "main", "password": SECRET})
    assert capfd.readouterr() == ("", "")
