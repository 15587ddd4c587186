"""`parapet_security.py SETTINGS_FILE`, as the vendor's guide calls it: from a shell, without Splunk."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import requests

from tests.delivery import answers
from tests.scene import decode
from tests.standins.tenant import Answer, Tenant

RESULT = {
    "_time": "2026-01-28T15:25:00Z",
    "src_ip": "45.227.253.98",
    "count": "47",
    "user": "root",
    "host": "web-server-01",
}
# The lines that the guide's script reads.
GUIDE = {
    "search_name": "Failed SSH Logins",
    "search_earliest_time": "2026-01-28T14:30:00Z",
    "search_latest_time": "2026-01-28T15:30:00Z",
    "result_count": "5",
}


@pytest.fixture
def tenant(certs):
    """A tenant over https."""
    with Tenant(certs) as found:
        yield found


@pytest.fixture
def call(tmp_path, app_tree, tenant):
    """A function that writes a settings file, runs the script in an empty home, and returns the finished process."""

    def run(payload=None, *, stdin=None, argument=None, **changes):
        values = {
            "param.webhook_url": tenant.url,
            "param.token": tenant.token,
            "param.ca_file": tenant.ca_file,
            **GUIDE,
            **changes,
        }
        path = tmp_path / "settings"
        lines = [f"{name}={value}\n" for name, value in values.items() if value is not None]
        path.write_text("".join(lines), encoding="utf-8")
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        script = app_tree / "bin" / "parapet_security.py"
        before = files(app_tree)
        done = subprocess.run(
            [sys.executable, str(script), argument or str(path)],
            input=json.dumps({"result": RESULT} if payload is None else payload).encode() if stdin is None else stdin,
            capture_output=True,
            env={"PATH": os.environ["PATH"], "HOME": str(home)},
            cwd=str(home),
            timeout=90,
            check=False,
        )
        assert list(home.iterdir()) == []
        assert files(app_tree) == before
        assert done.stdout == b""
        assert tenant.token.encode() not in done.stderr
        return done

    return run


def files(folder):
    """Every file of the app, but for what Python itself compiles."""
    return sorted(str(found) for found in folder.rglob("*") if found.is_file() and found.suffix != ".pyc")


def test_one_result_is_delivered(call, tenant):
    """The guide's example arrives as the guide shows it, and the exit code is 0."""
    done = call()
    assert done.returncode == 0, done.stderr
    assert b"event=delivery.delivered" in done.stderr
    (record,) = tenant.requests
    body = decode(record)
    assert (body["source"], body["results"], body["result_count"]) == ("splunk", RESULT, 5)
    assert body["search"]["name"] == "Failed SSH Logins"
    assert (body["search"]["earliest"], body["search"]["latest"]) == ("2026-01-28T14:30:00Z", "2026-01-28T15:30:00Z")
    assert tenant.refusals == []


def test_several_results_are_delivered_as_the_guide_s_multiple_results(call, tenant):
    """An array, with the search's name at the top as well."""
    done = call({"results": [RESULT, {**RESULT, "user": ["guest", "admin"]}]}, result_count="2")
    assert done.returncode == 0, done.stderr
    (firing,) = tenant.firings()
    assert [row["user"] for row in firing.rows] == ["root", ["guest", "admin"]]
    assert (firing.head["search_name"], firing.head["result_count"]) == ("Failed SSH Logins", 2)
    assert tenant.refusals == []


@pytest.mark.parametrize(("payload", "results"), [({}, {}), ({"result": None}, {}), ({"results": []}, [])])
def test_no_result_is_delivered_too(call, tenant, payload, results):
    """The search fired without rows."""
    done = call(payload, result_count="0")
    assert done.returncode == 0, done.stderr
    assert decode(tenant.requests[0])["results"] == results
    assert tenant.refusals == []


def test_guide_s_severity_map_applies(call, tenant):
    """Lines of the settings file are the parameters of the action."""
    assert call({"result": {"severity": "info"}}).returncode == 0
    assert call({"result": {"severity": "odd"}}, **{"param.severity": "critical"}).returncode == 0
    assert [decode(record)["severity"] for record in tenant.requests] == ["low", "critical"]


def test_hiccups_are_retried_inside_a_minute(call, tenant):
    """Two failures, then it works: one id, one body."""
    tenant.script(Answer(503), Answer(429, retry_after="1"))
    done = call()
    assert done.returncode == 0, done.stderr
    assert [record.status for record in tenant.requests] == [503, 429, 200]
    answers.assert_one_body(tenant.requests)


def test_each_call_is_a_firing_of_its_own(call, tenant):
    """The same rows an hour later are another alert, which a tenant must not take for a repetition."""
    assert [call().returncode, call().returncode] == [0, 0]
    assert len({decode(record)["id"] for record in tenant.requests}) == 2


def test_call_that_names_its_search_job_is_that_firing(call, tenant):
    """With a sid and a time the same call again has the same id and the same body."""
    known = {"sid": "scheduler__admin__search__RMD5c0ffee_at_1769614200_42"}
    assert [call(**known).returncode, call(**known).returncode] == [0, 0]
    answers.assert_one_body(tenant.requests)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"param.webhook_url": None}, "param.webhook_url"),
        ({"param.webhook_url": "http://webhook-us.parapetsecurity.com/webhook/x"}, "param.webhook_url"),
        ({"param.webhook_url": "https://webhook-us.parapetsecurity.com/webhook/YOUR-TENANT-ID"}, "placeholder"),
        ({"param.token": None}, "param.token"),
        ({"param.token": "********"}, "param.token"),
        ({"param.token": "pst_YOUR_TOKEN"}, "placeholder"),
        ({"param.token": "pst_with space"}, "white space"),
    ],
)
def test_settings_that_cannot_be_used_are_named(call, tenant, changes, words):
    """4, in the words of the settings file."""
    done = call(**changes)
    assert done.returncode == 4, done.stderr
    assert words in done.stderr.decode()
    assert b"setup page" not in done.stderr
    assert tenant.connections == 0


@pytest.mark.parametrize("status", [401, 403, 404, 302, 407])
def test_configuration_that_the_tenant_refuses_is_4(call, tenant, status):
    """It says what to do, and does not try for a minute."""
    tenant.always(Answer(status, headers={"Location": tenant.url}))
    done = call()
    assert done.returncode == 4, done.stderr
    assert f"reason=status_{status}".encode() in done.stderr
    assert b"todo=" in done.stderr


def test_certificate_that_does_not_verify_is_4(call, tenant, certs):
    """With param.ca_file wrong, or missing."""
    assert call(**{"param.ca_file": None}).returncode == 4
    tenant.use(certs.other_host)
    assert call().returncode == 4
    assert tenant.requests == []


@pytest.mark.parametrize("status", [400, 413, 422])
def test_body_that_is_refused_is_5(call, tenant, status):
    """Nothing is kept: the words say so much as why."""
    tenant.always(Answer(status))
    done = call()
    assert done.returncode == 5, done.stderr
    assert f"reason=status_{status}".encode() in done.stderr
    assert len(tenant.requests) == 1


def test_alert_that_was_not_delivered_is_6(call, tenant):
    """The tenant asks for more time than there is."""
    tenant.always(Answer(429, retry_after="3000"))
    done = call()
    assert done.returncode == 6, done.stderr
    assert b"reason=status_429" in done.stderr
    assert len(tenant.requests) == 1


@pytest.mark.parametrize("stdin", [b"", b"no json", b"[]", b'{"results": {}}', b'{"results": [1]}', b'{"result": 1}'])
def test_stdin_that_holds_no_payload_is_3(call, tenant, stdin):
    """Said in one line."""
    done = call(stdin=stdin)
    assert done.returncode == 3, done.stderr
    assert b"event=action.refused" in done.stderr
    assert b"Traceback" not in done.stderr
    assert tenant.connections == 0


def test_settings_file_that_is_not_there_is_2(call, tenant):
    """As every wrong command line."""
    assert call(argument="absent-settings").returncode == 2
    assert call(argument="--execut").returncode == 2
    assert tenant.connections == 0


def test_guide_s_own_test_with_curl_is_accepted_by_the_stand_in(tenant):
    """What people type first must work against what we test with."""
    headers = {"Authorization": "Bearer " + tenant.token, "Content-Type": "application/json"}
    body = b'{"source": "splunk", "test": true}'
    answer = requests.post(tenant.url, data=body, headers=headers, verify=tenant.ca_file, timeout=10)
    assert answer.status_code == 200
