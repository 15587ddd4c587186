"""What the deliverer asks Splunk for: facts that are used where they are there, and never a reason to wait or to fail."""

from __future__ import annotations

import pytest

from tests.delivery.answers import sent, wait_for_line
from tests.scene import decode, failed_logins, wait_until
from tests.standins.tenant import Answer

JOB = {
    "search": "search index=main failed | stats count",
    "earliestTime": "2026-01-28T14:00:00.000+00:00",
    "latestTime": "2026-01-28T15:00:00.000+00:00",
    "resultCount": 7,
}
SAVED = {"search": "index=main failed | stats count", "description": "Who fails to log in", "alert.severity": 5}


def silent(name):
    """A firing whose `$job.…$` tokens came empty, so that only Splunk's REST interface knows more."""
    return failed_logins(name=name, job_tokens=False, params={"search_query": "", "alert_severity": ""})


def body_of(scene, name):
    """The body of an alert that was delivered."""
    wait_for_line(scene, "delivery.delivered", name)
    return decode(sent(scene.tenant, name)[0])


def test_facts_of_splunk_fill_what_the_firing_did_not_say(scene):
    """SPL, times, description, severity, count, and which Splunk it was."""
    search = silent("known")
    scene.splunkd.jobs[search.sid] = JOB
    scene.splunkd.saved_searches["search", "known"] = SAVED
    scene.start_forwarder()
    scene.fire(search)
    body = body_of(scene, "known")
    assert body["search"]["query"] == SAVED["search"]
    assert body["search"]["earliest"] == "2026-01-28T14:00:00Z"
    assert body["search"]["latest"] == "2026-01-28T15:00:00Z"
    assert body["search"]["description"] == "Who fails to log in"
    assert (body["severity"], body["result_count"]) == ("critical", 7)
    assert body["splunk"]["version"] == "9.2.1"
    assert body["splunk"]["guid"]
    assert scene.tenant.refusals == []


@pytest.mark.parametrize("fault", [403, 404, 500, 503, "close", "hang"])
def test_alert_goes_without_facts_where_splunk_does_not_tell(scene, fault):
    """Within a bounded time, and with what the firing itself said."""
    search = silent("unknown")
    scene.start_forwarder()
    for path in ("search/v2/jobs", "search/jobs", "saved/searches", "server/info"):
        scene.splunkd.fail(path, fault)
    scene.fire(search)
    # Bounded: the limit of this wait is the most that enrichment may take.
    wait_for_line(scene, "delivery.delivered", "unknown", 10)
    body = body_of(scene, "unknown")
    assert body["search"]["earliest"] is None
    assert body["result_count"] == 2
    assert "version" not in body["splunk"]
    assert scene.tenant.refusals == []


@pytest.mark.parametrize("fault", [503, "hang"])
def test_splunk_is_left_alone_after_a_failure(scene, fault):
    """The second alert does not pay for what the first one learned."""
    scene.start_forwarder()
    for path in ("search/v2/jobs", "saved/searches", "server/info"):
        scene.splunkd.fail(path, fault)
    scene.fire(silent("first"))
    body_of(scene, "first")
    asked = len(questions(scene))
    assert asked == 1
    for name in ("second", "third"):
        scene.fire(silent(name))
        body_of(scene, name)
    assert len(questions(scene)) == asked


def test_answer_that_there_is_none_is_no_failure(scene):
    """A job that has expired is ordinary: the next alert is asked about as usual."""
    scene.start_forwarder()
    scene.fire(silent("expired"))
    body_of(scene, "expired")
    search = silent("known")
    scene.splunkd.jobs[search.sid] = JOB
    scene.fire(search)
    assert body_of(scene, "known")["result_count"] == 7


def test_facts_are_fixed_with_the_first_attempt(scene):
    """A later attempt has the same bytes, whatever Splunk says by then."""
    search = silent("fixed")
    scene.splunkd.jobs[search.sid] = JOB
    scene.tenant.script(Answer(429, retry_after="1"))
    scene.start_forwarder()
    scene.fire(search)
    wait_until(lambda: scene.events("tenant.held"), "a first attempt", 15, scene)
    scene.splunkd.jobs[search.sid] = {**JOB, "resultCount": 99}
    body_of(scene, "fixed")
    scene.tenant.assert_no_id_with_two_bodies()
    assert len(sent(scene.tenant, "fixed")) == 2


def questions(scene):
    """What was asked for the sake of facts."""
    paths = ("search/v2/jobs", "search/jobs", "saved/searches", "server/info")
    return [request for request in scene.splunkd.requests if any(path in request.path for path in paths)]
