"""The action in each way in which Splunk calls it, and what it makes of every parameter."""

from __future__ import annotations

import pytest

from tests.process.driver import encode, ended, payload, run_action
from tests.scene import decode, failed_logins


@pytest.mark.parametrize(
    ("name", "value", "instead"),
    [
        ("send", "everything", "first"),
        ("severity", "urgent", "auto"),
        ("severity", "6", "auto"),
        ("severity_map", "high", "left out"),
        ("severity_map", "high=worst", "left out"),
    ],
)
def test_value_outside_its_list_falls_back_with_a_warning(scene, name, value, instead):
    """The alert goes, and the line names parameter, value and what counts instead."""
    fired = ended(scene.fire(failed_logins(params={name: value})))
    assert fired.exit_code == 0, fired.stderr
    assert ("WARN", "alert.setting_ignored") in fired.lines
    (line,) = [line for line in fired.stderr.splitlines() if "setting_ignored" in line]
    assert f"param.{name}" in line
    assert value in line
    assert instead in line
    assert decode(scene.tenant.accepted[0])["severity"] == "high"


@pytest.mark.parametrize(
    "params",
    [
        {"send": "FIRST", "severity": " High "},
        {"send": "", "severity": "", "fields": "", "tenant": " main "},
        {"tenant": "", "severity_fields": "", "severity_map": ""},
        {"tenant": "$nonsense$", "send": "$nonsense$"},
    ],
    ids=["another case", "empty", "all empty", "a token that nobody filled in"],
)
def test_value_that_is_meant_well_is_taken_without_a_warning(scene, params):
    """Case and white space at the ends are nobody's mistake; empty is the default."""
    fired = ended(scene.fire(failed_logins(params=params, unknown_tokens="keep")))
    assert fired.lines == [("INFO", "alert.delivered")], fired.stderr
    assert decode(scene.tenant.accepted[0])["severity"] == "high"


def test_per_result_mode_delivers_each_row_as_an_alert(scene):
    """One process a row, each with an id of its own."""
    scene.start_forwarder()
    search = failed_logins(digest=False)
    search.owner = "admin"
    runs = scene.splunk.fire_each(search, scene.splunkd.session("admin"))
    assert [run.exit_code for run in runs] == [0, 0]
    scene.tenant.wait_for(2)
    scene.wait_until_empty()
    bodies = [decode(record) for record in scene.tenant.accepted]
    assert {body["results"]["src_ip"] for body in bodies} == {"45.227.253.98", "198.51.100.7"}
    assert len({body["id"] for body in bodies}) == 2


def test_two_equal_rows_in_per_result_mode_are_two_alerts(scene):
    """The result's id tells them apart."""
    search = failed_logins(digest=False, rows=[{"a": "1"}, {"a": "1"}])
    search.owner = "admin"
    scene.splunk.fire_each(search, scene.splunkd.session("admin"))
    assert len({decode(record)["id"] for record in scene.tenant.accepted}) == 2


@pytest.mark.parametrize("send", ["first", "all"])
def test_ad_hoc_sendalert_is_delivered(scene, send):
    """No name, another sid, another results file."""
    fired = ended(scene.fire(failed_logins(ad_hoc=True, params={"send": send}, job_tokens=False)))
    assert fired.exit_code == 0, fired.stderr
    assert len(scene.tenant.rows()) == (2 if send == "all" else 1)
    assert scene.tenant.refusals == []


def test_chunks_of_an_ad_hoc_search_are_all_kept(scene):
    """Splunk calls once per chunk, under one sid: other content is another firing."""
    scene.set_tenant("main", disabled="1")
    for rows in ([{"a": "1"}], [{"a": "2"}]):
        scene.fire(failed_logins(ad_hoc=True, sid="1769614200.77", rows=rows, params={"send": "all"}))
    assert len(scene.entries("new") + scene.entries("pending")) == 2


@pytest.mark.parametrize("send", ["first", "all"])
def test_same_payload_twice_puts_one_entry(scene, send):
    """Splunk starts it twice for the same chunk: one firing."""
    scene.set_tenant("main", disabled="1")
    document = encode(payload(scene, failed_logins(params={"send": send})))
    first, second = run_action(scene, document), run_action(scene, document)
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert len(scene.entries("new") + scene.entries("pending")) == 1
    scene.set_tenant("main", disabled="0")
    assert run_action(scene, document).exit_code == 0
    assert len(scene.tenant.accepted) == 1


@pytest.mark.parametrize("no_result_key", [False, True])
@pytest.mark.parametrize("send", ["first", "all"])
def test_search_without_results_is_delivered(scene, no_result_key, send):
    """An alert on "number of results is 0" has neither row nor file."""
    search = failed_logins(rows=[], no_file=True, no_result_key=no_result_key, params={"send": send})
    fired = ended(scene.fire(search))
    assert fired.exit_code == 0, fired.stderr
    assert scene.tenant.refusals == []
    assert len(scene.tenant.accepted) == 1


def test_folder_in_place_of_the_results_file_costs_only_the_other_rows(scene):
    """The first row is in the payload."""
    document = payload(scene, failed_logins(params={"send": "all"}))
    ended_run = run_action(scene, encode({**document, "results_file": str(scene.home.dispatch)}))
    assert ended_run.exit_code == 0, ended_run.stderr
    assert [row["src_ip"] for row in scene.tenant.rows()] == ["45.227.253.98"]
