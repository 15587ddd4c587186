"""What the CIM app reads in the modalert log of searches that fire by themselves. Those that are run by hand: test_enterprise_security."""

from __future__ import annotations

import pytest

from tests.scene import failed_logins
from tests.standins import cim
from tests.standins.tenant import Answer

# As the CIM library writes the sid of a real-time search, without its snapshot.
REAL_TIME = "rt_scheduler__admin__search__RMD5a1b2c3_at_1769614200_1"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ('Say "hello" = now', "Say 'hello' = now"),
        ('x" action_status="success', "x' action_status='success"),
        ("two\nlines\r\nof it", None),
        ("ends with a backslash\\", None),
        ('both \\"', None),
        ("tab\tand null\0 and bell\x07", None),
        ("Überschrift \u2028 und 日本", None),
        ("status=failure, sid=1 signature=none", "status=failure, sid=1 signature=none"),
        ("leaks pst_0123456789abcdef here", None),
    ],
)
def test_no_name_of_a_search_can_break_a_line(scene, name, shown):
    """Whatever somebody calls it, each line has the same fields, and no token."""
    scene.fire(failed_logins(name=name))
    found = scene.wait_for_modalert(3)
    names = {frozenset(event) - {"action_status", "duration"} for event in found}
    assert len(names) == 1
    assert [event.get("action_status") for event in found] == ["pending", None, "success"]
    if shown is not None:
        assert {event["search_name"] for event in found} == {shown}
    assert all("pst_" not in event["_raw"] for event in found)
    assert all(event["sid"].startswith("scheduler__admin__search__RMD5") for event in found)


def test_a_scheduled_search_is_one_invocation(scene):
    """Also with every row: the search ran once. Its name is there, and no orig_sid."""
    scene.fire(failed_logins(params={"send": "all"}))
    first, *rest = scene.wait_for_modalert(3)
    assert cim.handled(rest) == [("0", None, None, "success")]
    for event in (first, *rest):
        assert (event["action_mode"], event["digest_mode"]) == ("saved", "1")
        assert event["search_name"] == "Failed SSH Logins"


def test_each_result_of_a_search_is_an_invocation_of_its_own(scene):
    """In per-result mode the number of the result tells them apart."""
    search = failed_logins(digest=False)
    search.owner = "admin"
    scene.splunk.fire_each(search, scene.splunkd.session("admin"))
    found = scene.wait_for_modalert(6)
    assert sorted(event["rid"] for event in cim.invocations(found)) == ["0", "1"]
    assert sorted(event["rid"] for event in cim.outcomes(found, "success")) == ["0", "1"]
    assert {(event["digest_mode"], event["action_mode"]) for event in found} == {("0", "saved")}


def test_a_search_whose_rows_did_not_all_arrive_is_a_failure(scene):
    """The one outcome of a scheduled search says how many are missing, and where they are."""
    scene.start_forwarder()
    rows = [{"src": "10.0.0.1"}, {"src": "10.0.0.2", "big": "x" * 30000}]
    scene.tenant.when(lambda request: len(request.body) > 25000, Answer(413))
    scene.fire(failed_logins(rows=rows, params={"send": "all"}))
    *_, last = scene.wait_for_modalert(3)
    assert last["action_status"] == "failure"
    assert "1 row was too large for the tenant, see delivery.row_dead" in last["signature"]


def test_the_same_firing_is_pending_once(scene):
    """Splunk starts an action twice now and then: what was settled does not seem to wait again."""
    scene.start_forwarder()
    scene.tenant.always(Answer(422))
    search = failed_logins()
    scene.fire(search)
    scene.wait_for_modalert(3)
    scene.splunk.fire(search, scene.splunkd.session("admin"))
    assert [event.get("action_status") for event in scene.modalert] == ["pending", None, "failure"]


@pytest.mark.parametrize(("sid", "shown"), [(REAL_TIME + ".7", REAL_TIME), (REAL_TIME, REAL_TIME)])
def test_the_snapshot_of_a_real_time_search_goes_from_the_sid_to_the_rid(scene, sid, shown):
    """As the CIM library does it, so that both find each other."""
    scene.fire(failed_logins(sid=sid))
    for event in scene.wait_for_modalert(3):
        assert event["sid"] == shown
        assert event["rid"] == ("0" if sid == shown else "0.7")
        assert event["action_mode"] == "saved"


def test_the_guid_that_a_cluster_appends_stays_with_the_sid(scene):
    """On a search head cluster the snapshot stands before the GUID of the member (CIM-665 in cim_actions.py)."""
    guid = "_5B9A2E6C-7F38-4C0D-9E51-3B6D0A4E8F17"
    scene.fire(failed_logins(sid=REAL_TIME + ".7" + guid))
    assert {(event["sid"], event["rid"]) for event in scene.wait_for_modalert(3)} == {(REAL_TIME + guid, "0.7")}
