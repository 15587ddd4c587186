"""What a hostile or a broken host can put in the way of the processes: none of it may lose an alert, hang, or show a secret."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from parapet.errors import Unreachable
from parapet.secret import Secret
from parapet.splunkd import Splunkd

from tests.process.driver import encode, payload, run_action
from tests.scene import decode, failed_logins


def test_keys_of_tls_connections_are_written_nowhere(scene, tmp_path):
    """With SSLKEYLOGFILE set, Python would write them into a file, and whoever reads it could read the token."""
    keys = tmp_path / "keys"
    ended = run_action(scene, encode(payload(scene, failed_logins())), env={"SSLKEYLOGFILE": str(keys)})
    assert ended.exit_code == 0, ended.stderr
    assert len(scene.tenant.accepted) == 1
    assert not keys.exists()


@pytest.mark.skipif(os.name == "nt", reason="descriptors are closed with a call that Windows has not")
def test_closed_stdin_is_stdin_that_splunk_does_not_send(scene):
    """One line, exit 3."""
    ended = run_action(scene, None, before=lambda: os.close(0))
    assert ended.exit_code == 3, ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_result_that_is_nested_beyond_reason_is_refused(scene):
    """Whatever depth Python's parser still takes, no traceback and no other exit code comes of it."""
    document = payload(scene, failed_logins())
    marker = "nested-beyond-reason"
    document["result"] = {"x": marker}
    for depth in (900, 985, 990, 995, 5000):
        text = json.dumps(document).replace(f'"{marker}"', "[" * depth + "]" * depth)
        ended = run_action(scene, text.encode())
        assert ended.exit_code in (0, 3), ended.stderr
        assert "Traceback" not in ended.stderr


def test_file_that_cannot_be_moved_stops_no_other_alert(scene):
    """A broken entry whose place in dead/ is taken by a folder: it is told, and the next alert goes."""
    scene.fire()
    name = "1769614200000-" + "0" * 20 + ".alert"
    (scene.outbox / "new" / name).write_text("garbage\n")
    (scene.outbox / "dead" / name).mkdir()
    scene.start_forwarder()
    search = failed_logins(name="The next one")
    assert scene.fire(search).exit_code == 0
    scene.tenant.wait_until(lambda: len(scene.tenant._records) >= 2)
    assert decode(scene.tenant.requests[-1])["search"]["name"] == "The next one"
    scene.wait_for_log("event=outbox.failed")
    assert scene.forwarder.starts == 1


def test_folder_among_the_requests_keeps_none_of_them_from_being_answered(scene):
    """It cannot be removed like a file; the one behind it is answered all the same."""
    scene.fire()
    requests = scene.outbox / "requests"
    (requests / ("0" * 20 + ".retry")).mkdir()
    Path(str(requests / ("1" * 20 + ".retry"))).write_text("")
    scene.start_forwarder()
    scene.wait_for_log("id=" + "1" * 20)
    assert [path.name for path in requests.iterdir()] == ["0" * 20 + ".retry"]


@pytest.mark.parametrize(
    "answer",
    [b'{"entry": null}', b'{"entry": 5}', b"[]", b"", b"[" * 200000],
    ids=["null", "number", "list", "empty", "deep"],
)
def test_answer_of_splunkd_that_makes_no_sense_is_its_failure(monkeypatch, answer):
    """Not ours: the alert is kept, and the reason said."""
    splunkd = Splunkd("https://127.0.0.1:1", Secret("canary"))
    monkeypatch.setattr(splunkd, "_call", lambda *_args, **_query: answer)
    with pytest.raises(Unreachable, match="is not what its REST interface gives"):
        splunkd.conf("parapet_security")
