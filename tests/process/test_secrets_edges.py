"""Secrets in what seldom happens: input that breaks off, a process that is ended, a search, a token of strange characters, a bug."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from tests.process.canaries import bug_with_a_secret_in_its_text, bug_with_every_secret_in_its_text
from tests.process.driver import refusal, rows
from tests.scene import failed_logins
from tests.standins.splunk import ModularInput
from tests.standins.tenant import Answer

# Characters that are written differently in JSON, in a URL, in Python's repr and in a shell.
STRANGE = "pst_\"can'ary\\of%25the;tenant&=$(x)<y>|{z}"


@pytest.mark.parametrize("script", ["parapet_forwarder.py", "parapettest.py"])
@pytest.mark.parametrize("cut", [20, 150])
def test_input_of_splunkd_that_breaks_off_shows_no_session_key(canaries, script, cut):
    """What the forwarder and the commands get on stdin holds the system's key, or the user's."""
    scene = canaries.scene
    key = scene.splunkd.system_session()
    if script == "parapet_forwarder.py":
        how = {"server_uri": scene.splunkd.uri, "session_key": key, "python": scene.python}
        document = ModularInput(scene.home, **how)._document("input", "<configuration/>")
    else:
        asked = json.dumps({"action": "getinfo", "searchinfo": {"session_key": key, "args": [], "search": "x" * 200}})
        document = f"chunked 1.0,{len(asked)},0\n{asked}".encode()
    done = subprocess.run(
        [scene.python, str(scene.home.app / "bin" / script)],
        input=document[:-cut],
        capture_output=True,
        env=scene.home.env(),
        timeout=60,
        check=False,
    )
    canaries.assert_nowhere(done.stderr.decode(), done.stdout.decode())


def test_search_commands_show_no_secret_while_they_run(canaries):
    """Neither to the host nor to whoever searches; and the same when something breaks in them."""
    scene = canaries.scene
    scene.tenant.latency = 1.0
    found = []
    searching = threading.Thread(target=lambda: found.append(rows(scene, "| parapettest")))
    searching.start()
    scene.tenant.wait_for(1)
    (pid,) = _processes_of(scene, b"parapettest.py")
    canaries.assert_not_shown_by(pid)
    searching.join(30)
    assert found[0][0]["outcome"] == "ok"
    scene.set_tenant("main", disabled="1")
    scene.fire()
    found += [rows(scene, "| parapetoutbox"), rows(scene, "| parapetoutboxedit action=retry id=all")]
    bug_with_every_secret_in_its_text(scene)
    said = [refusal(scene, "| parapettest"), refusal(scene, "| parapetoutbox")]
    assert all("process.bug" in text for text in said)
    canaries.assert_nowhere(repr(found), *said)
    assert canaries.sent_to_splunkd


def _processes_of(scene, script):
    """The processes of this home that run a script."""
    folder, found = str(scene.home.path).encode(), []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue  # it has ended meanwhile
        if any(word.startswith(folder) and word.endswith(script) for word in words):
            found.append(int(path.parent.name))
    return found


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_process_that_is_ended_in_the_middle_leaves_no_secret(canaries, how):
    """While the tenant has the request and has not answered: action and forwarder."""
    scene = canaries.scene
    scene.append("forward", "_PATIENCE_S = 0.2")
    scene.tenant.always(Answer(delay=60))
    action = scene.splunk.start(failed_logins(), scene.splunkd.session("admin"))
    with action:
        scene.tenant.wait_for(1)
        action.send_signal(how)
        said = [text.decode() for text in action.communicate(timeout=30)]
    forwarder = scene.start_forwarder()
    scene.fire()
    scene.tenant.wait_for(2)
    forwarder.process.send_signal(how)
    forwarder.process.wait(30)
    canaries.assert_nowhere(*said, forwarder.stderr(), forwarder.stdout())


@pytest.mark.parametrize("user", ["admin", "user"])
def test_token_of_strange_characters_shows_in_no_spelling(canaries, user):
    """Accepted, refused, and in the text of a bug; what masks a token by its looks would stop at the quote."""
    scene = canaries.scene
    scene.tenant.token = STRANGE
    scene.set_token("main", STRANGE)
    assert scene.fire(user=user).exit_code == 0
    scene.tenant.wait_for(1)
    scene.wait_until_empty()
    scene.tenant.always(Answer(401, body=STRANGE.encode()))
    said = [scene.fire(user=user).stderr]
    bug_with_a_secret_in_its_text(scene)
    said.append(scene.fire(user=user).stderr)
    canaries.assert_nowhere(*said)


@pytest.mark.parametrize(
    "token",
    [
        "pst_canary0of1the2\nX-Forged: yes",
        "pst_canary0of1the2\r\n\r\nGET /",
        "pst_canärypst_of_the_tenant",
        "pst_canary\x00of_the_tenant",
    ],
    ids=["newline", "end of headers", "not ASCII", "NUL"],
)
def test_token_that_no_header_can_hold_goes_nowhere(canaries, token):
    """Nothing is sent, the alert waits, and what is said of the token holds nothing of it."""
    scene = canaries.scene
    scene.tenant.token = token
    scene.set_token("main", token)
    said = scene.fire()
    assert said.exit_code == 4
    assert scene.tenant.connections == 0
    forwarder = scene.start_forwarder()
    scene.wait_for_log("tenant.unusable")
    canaries.assert_nowhere(said.stderr, forwarder.stderr(), json.dumps(rows(scene, "| parapetoutbox")))


def test_nothing_of_ours_prints_what_an_error_holds():
    """No traceback, no crash handler of Python's, and no log of the HTTP libraries is turned on."""
    app = Path(__file__).resolve().parents[2] / "parapet_security/bin"
    for path in app.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(
            r"\b(faulthandler|import traceback|format_exc|print_exc|import logging|set_debuglevel|print\()", text
        ), path
