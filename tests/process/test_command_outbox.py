"""`| parapetoutbox` and `| parapetoutboxedit`, as splunkd runs them: real processes that speak the chunked protocol.

Must not test how a search is parsed.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from parapet.lock import Lock

from tests.process.driver import encode, payload, refusal, rows, run_action, search
from tests.scene import Scene, failed_logins, wait_until
from tests.standins.tenant import Answer

UNKNOWN = "0123456789abcdef0123"


@pytest.fixture
def refused(scene):
    """A scene with one dead letter, refused by the tenant for good."""
    scene.tenant.script(Answer(400))
    scene.fire(failed_logins(name="Refused"))
    assert len(scene.entries("dead")) == 1
    return scene


@pytest.fixture
def paused(scene):
    """A scene with one alert that waits, for an administrator paused its tenant."""
    scene.set_tenant("main", disabled="1")
    scene.fire(failed_logins(name="Waiting"))
    assert len(scene.entries("new") + scene.entries("pending")) == 1
    return scene


def test_nothing_waits_on_a_new_host(bare_scene):
    """No row, and a summary that says so, before anything was ever stored."""
    assert rows(bare_scene, "| parapetoutbox") == []
    (row,) = rows(bare_scene, "| parapetoutbox summary=true")
    assert (row["deliverer"], row["waiting"], row["dead"], row["max_bytes"]) == ("none", "0", "0", "1073741824")
    assert not bare_scene.outbox.exists()


def test_a_waiting_alert_is_listed_with_the_reason(paused):
    """Firing time, search, tenant, rows, attempts, age and state."""
    (row,) = rows(paused, "| parapetoutbox")
    assert row["fired"] == "2026-01-28T15:30:00Z"
    assert (row["search"], row["tenant"], row["rows"], row["attempts"]) == ("Waiting", "main", "first", "0")
    assert (row["state"], row["error"]) == ("paused", "its tenant is paused")
    assert int(row["age_s"]) > 0
    (summary,) = rows(paused, "| parapetoutbox summary=true")
    assert (summary["waiting"], summary["held"].partition(":")[0]) == ("1", "main")


def test_a_dead_letter_is_listed_with_what_killed_it(refused):
    """And counted by reason in the summary."""
    (row,) = rows(refused, "| parapetoutbox")
    assert (row["search"], row["state"], row["attempts"], row["error"]) == ("Refused", "dead", "1", "HTTP 400")
    (summary,) = rows(refused, "| parapetoutbox summary=true")
    assert (summary["dead"], summary["dead_reasons"]) == ("1", "1 × HTTP 400")


def test_a_held_tenant_says_until_when_and_what_to_do(scene):
    """A token that is refused keeps every alert of the tenant waiting."""
    scene.configure({"hold_retry": "600"})
    scene.set_token("main", "pst_another_token")
    scene.fire()
    (row,) = rows(scene, "| parapetoutbox")
    assert (row["state"], row["attempts"], row["error"]) == ("held", "1", "HTTP 401")
    assert "store a new one" in row["todo"]
    assert row["next_try"].endswith("Z")


def test_an_alert_for_a_tenant_that_is_not_configured_is_held(scene):
    """The list says what to do."""
    scene.fire(failed_logins(params={"tenant": "west"}))
    (row,) = rows(scene, "| parapetoutbox")
    assert (row["tenant"], row["state"]) == ("west", "held")
    assert "not configured" in row["error"]
    (summary,) = rows(scene, "| parapetoutbox summary=true")
    assert "west" in summary["held"]


def test_a_file_that_is_no_alert_is_listed_as_unreadable(paused):
    """It hides none of the others."""
    (paused.outbox / "pending" / f"1769614200000-{UNKNOWN}.alert").write_bytes(b"nonsense")
    states = {row["id"]: row["state"] for row in rows(paused, "| parapetoutbox")}
    assert states.pop(UNKNOWN) == "unreadable"
    assert list(states.values()) == ["paused"]


def test_the_list_shows_no_row_and_no_secret(scene):
    """Neither a result nor a token that somebody put into the search's name."""
    canary = "canary-in-a-row"
    scene.set_tenant("main", disabled="1")
    scene.fire(failed_logins(name=f"leaks {scene.tenant.token}", rows=[{"src_ip": canary}]))
    text = json.dumps(rows(scene, "| parapetoutbox") + rows(scene, "| parapetoutbox summary=true"))
    assert "leaks ***" in text
    assert canary not in text
    assert scene.tenant.token not in text


def test_the_list_beside_a_running_forwarder_disturbs_nobody(scene):
    """It keeps the lock, and delivers what fires meanwhile."""
    scene.start_forwarder()
    (summary,) = rows(scene, "| parapetoutbox summary=true")
    assert summary["deliverer"] == "forwarder"
    scene.fire()
    scene.wait_until_empty()
    assert len(scene.events("forwarder.started")) == 1


@pytest.mark.parametrize("handlers_loaded", [True, False])
def test_an_alert_that_met_the_looking_command_is_passed_on(tmp_path, app_tree, certs, handlers_loaded):
    """Who saw the lock held by the look relies on it: the deliver handler takes the alert along, or the command where there is none."""
    with Scene(tmp_path / "splunk", app_tree, certs, splunkd={"handlers_loaded": handlers_loaded}) as scene:
        scene.fire()
        lock = Lock(str(scene.outbox / "lock"))
        assert lock.try_acquire()
        scene.fire(failed_logins(name="Met the look"))
        lock.release()
        assert len(scene.entries("new")) == 1
        rows(scene, "| parapetoutbox summary=true")
        scene.wait_until_empty()


@pytest.mark.parametrize("cancelled", [False, True])
def test_an_alert_that_met_the_editing_command_is_passed_on(scene, cancelled):
    """It holds the outbox for a while; what fired meanwhile goes, also when the search is cancelled."""
    scene.append("commands", "_ANSWER_S = 2.5")
    scene.configure({"workers": "1"})
    scene.set_tenant("main", disabled="1")
    for number in range(8):
        scene.fire(failed_logins(name=f"Old {number}", trigger_time=1769614000 + number))
    scene.set_tenant("main", disabled="0")
    scene.tenant.latency = 0.5
    with ThreadPoolExecutor(1) as pool:
        edited = pool.submit(search, scene, "| parapetoutboxedit action=retry id=all")
        scene.tenant.wait_for(1)
        assert "alert.queued" in scene.fire(failed_logins(name="Fresh")).stderr
        if cancelled:
            for pid in processes(scene, "parapetoutboxedit"):
                os.kill(pid, signal.SIGTERM)
        edited.result()
    scene.tenant.latency = 0
    scene.wait_until_empty(timeout=30)


def processes(scene, name):
    """The processes of a command of this scene."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
            if any(str(scene.home.path).encode() in word and name.encode() in word for word in words):
                found.append(int(entry.name))
    return found


def test_no_odd_file_breaks_the_list(paused):
    """A hold of another age, half a character in a name: each entry is listed all the same."""
    half = payload(paused, failed_logins(trigger_time=1769614201), search_name="half \ud800")
    assert run_action(paused, encode(half)).exit_code == 0
    paused.set_tenant("main", disabled="0", webhook_url="https://localhost:1/webhook/acme")
    (paused.outbox / "holds" / "main.json").write_text(
        '{"v":1,"until_ms":99999999999999999999,"detail":"x","todo":null}'
    )
    found = rows(paused, "| parapetoutbox")
    assert [row["search"] for row in found] == ["Waiting", "half ?"]
    assert {row["error"] for row in found} == {"x"}
    assert "todo" not in found[0]
    assert rows(paused, "| parapetoutbox summary=true")[0]["held"] == "main: x"


def test_a_token_in_the_place_of_a_tenants_name_is_shown_nowhere(scene):
    """Not by the commands, and not on the bulletin board, which is for everybody."""
    token = "pst_abcdefghij0123456789"
    scene.fire(failed_logins(params={"tenant": token}))
    scene.start_forwarder()
    wait_until(lambda: scene.splunkd.messages, "a message", scene=scene)
    shown = str([rows(scene, "| parapetoutbox"), rows(scene, f"| parapettest tenant={token}"), scene.splunkd.messages])
    assert "not configured" in shown
    assert token not in shown


@pytest.mark.parametrize("beside_forwarder", [True, False])
def test_a_dead_letter_is_retried(refused, beside_forwarder):
    """By the forwarder, or by the command where nobody holds the outbox."""
    if beside_forwarder:
        refused.start_forwarder()
    (row,) = rows(refused, "| parapetoutbox")
    (edited,) = rows(refused, f"| parapetoutboxedit action=retry id={row['id']}")
    assert (edited["id"], edited["action"], edited["outcome"]) == (row["id"], "retry", "done")
    wait_until(lambda: len(refused.tenant.accepted) == 1, "the retried alert", scene=refused)
    refused.wait_until_empty()
    assert not refused.entries("dead")


@pytest.mark.parametrize("beside_forwarder", [True, False])
def test_all_that_wait_are_dropped(paused, beside_forwarder):
    """They are dead letters from now on, and nothing is lost."""
    paused.fire(failed_logins(name="Another", trigger_time=1769614201))
    if beside_forwarder:
        paused.start_forwarder()
    edited = rows(paused, "| parapetoutboxedit action=drop id=all")
    assert [(row["outcome"], row["state"]) for row in edited] == [("done", "dead")] * 2
    assert len(paused.entries("dead")) == 2
    assert {row["error"] for row in rows(paused, "| parapetoutbox")} == {"dropped before its first attempt"}


def test_an_id_that_is_not_there_is_unknown(paused):
    """It asks nobody for anything."""
    (row,) = rows(paused, f"| parapetoutboxedit action=drop id={UNKNOWN}")
    assert (row["outcome"], row["state"]) == ("unknown", "gone")
    assert not list((paused.outbox / "requests").iterdir())


def test_a_request_that_nobody_could_answer_yet_stays(paused):
    """The configuration cannot be read: a later holder does what was asked."""
    paused.splunkd.fail("configs/conf-parapet_security")
    (row,) = rows(paused, "| parapetoutboxedit action=drop id=all")
    assert (row["outcome"], row["state"]) == ("asked", "waiting")
    paused.splunkd.heal()
    paused.start_forwarder()
    wait_until(lambda: paused.entries("dead"), "the dropped alert", scene=paused)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("| parapetoutboxedit action=eat id=all", "action must be retry or drop"),
        ("| parapetoutboxedit action=drop id=../../etc/passwd", "id must be all"),
        ("| parapetoutboxedit action=drop id=ABCDEF", "id must be all"),
        ('| parapettest tenant="../main"', "tenant must be"),
        ("| parapettest main", "'main' is no option: there is tenant"),
        ("| parapettest tenants=main", "'tenants=main' is no option: there is tenant"),
        ("| parapettest record=true", "is no option"),
        ("| parapetoutbox summary=perhaps", "summary must be true or false"),
        ("| parapetoutboxedit action=drop", "id must be all"),
        ("| parapetoutboxedit", "action must be retry or drop"),
        ("| parapettest pst_0123456789abcdef", "'***' is no option"),
    ],
)
def test_a_mistyped_command_says_what_it_wants(scene, query, says):
    """One sentence, and nothing is changed."""
    assert says in refusal(scene, query)


@pytest.mark.parametrize("query", ["| parapettest record=true", "| parapetoutbox logging_configuration=/etc/passwd"])
def test_options_that_would_write_the_session_key_are_not_there(scene, query):
    """The library offers them for every command; these refuse them."""
    assert "is no option" in refusal(scene, query)
    assert not list(scene.home.path.rglob("recordings"))


@pytest.mark.parametrize("user", ["power", "user"])
@pytest.mark.parametrize("command", ["parapettest", "parapetoutbox", "parapetoutboxedit action=drop id=all"])
def test_only_administrators_may_run_them(scene, user, command):
    """For anybody else there is no such command."""
    assert "Unknown search command" in refusal(scene, "| " + command, user)
    assert search(scene, "| parapetoutbox", "sc_admin") == ([], [])


def test_no_command_writes_a_secret(refused):
    """Neither into the search's log, nor anywhere on disk."""
    for query in ("| parapettest", "| parapetoutbox", "| parapetoutboxedit action=retry id=all"):
        rows(refused, query)
    token = refused.tenant.token.encode()
    assert not [path for path, content in refused.everything_written().items() if token in content]
    assert token.decode() not in "".join(map(str, refused.splunkd.search_logs))
