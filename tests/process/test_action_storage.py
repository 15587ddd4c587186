"""What the action does where the outbox cannot take its alert: deliver from memory, and cry out where that fails too."""

from __future__ import annotations

import contextlib
import json
import os
import resource

import pytest

from tests.process.driver import encode, payload, run_action
from tests.scene import decode, failed_logins
from tests.standins.tenant import Answer

OTHER_USER = 4242


@contextlib.contextmanager
def _file_in_place_of_the_outbox(scene):
    scene.outbox.parent.mkdir(parents=True)
    scene.outbox.write_text("not a folder")
    yield {}


@contextlib.contextmanager
def _file_in_place_of_new(scene):
    scene.outbox.mkdir(parents=True)
    (scene.outbox / "new").write_text("not a folder")
    yield {}


@contextlib.contextmanager
def _usage_says_full(scene):
    scene.outbox.mkdir(parents=True)
    (scene.outbox / "usage").write_text(json.dumps({"v": 1, "bytes": 999, "max": 1000}))
    yield {}


@contextlib.contextmanager
def _file_size_limit(scene):
    # Writing beyond it is EFBIG, in the middle of the alert: as near to a full disk as one comes without one.
    yield {"before": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))}


@contextlib.contextmanager
def _var_of_another_user(scene):
    os.chown(str(scene.home.path / "var"), OTHER_USER, OTHER_USER)
    yield {}


@contextlib.contextmanager
def _place_that_cannot_be_made(scene):
    yield {"env": {"PARAPET_OUTBOX": "/proc/none/outbox"}}


UNWRITABLE = pytest.mark.parametrize(
    "fault",
    [
        _file_in_place_of_the_outbox,
        _file_in_place_of_new,
        _usage_says_full,
        _file_size_limit,
        pytest.param(
            _var_of_another_user, marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
        ),
        _place_that_cannot_be_made,
    ],
    ids=lambda fault: fault.__name__,
)


@UNWRITABLE
def test_alert_that_cannot_be_stored_is_delivered_from_memory(scene, fault):
    """Exit 0, an ERROR that names the place, and the tenant has it."""
    document = encode(payload(scene, failed_logins()))
    with fault(scene) as how:
        ended = run_action(scene, document, **how)
    assert ended.exit_code == 0, ended.stderr
    assert ended.lines[0] == ("ERROR", "outbox.unavailable")
    assert ("INFO", "alert.delivered") in ended.lines
    assert len(scene.tenant.accepted) == 1


@UNWRITABLE
def test_alert_that_is_neither_stored_nor_delivered_ends_with_6_and_a_fatal_line(scene, fault):
    """The one case in which an alert is lost: the line holds what somebody needs to run the search again."""
    scene.tenant.always(Answer(401))
    search = failed_logins()
    document = encode(payload(scene, search))
    with fault(scene) as how:
        ended = run_action(scene, document, **how)
    _assert_lost(ended, search)


def test_row_that_is_too_large_is_a_loss_where_it_cannot_be_kept(scene):
    """The other rows are delivered; this one has no place to stay, so the code is 6 and the line says how many."""
    scene.tenant.max_bytes = 20000
    search = failed_logins(rows=[{"n": "1"}, {"n": "2", "raw": "x" * 30000}, {"n": "3"}], params={"send": "all"})
    scene.splunk.write_files(search)
    with _file_in_place_of_the_outbox(scene):
        ended = run_action(scene, encode(payload(scene, search)))
    assert ended.exit_code == 6, ended.stderr
    assert "1 row was too large" in ended.stderr
    assert [row["n"] for row in scene.tenant.rows(kept_back={1})] == ["1", "3"]


def test_tenant_that_stays_down_is_a_loss_when_the_deadline_comes(scene):
    """Nobody else will try again what only this process has."""
    scene.configure({"direct_deadline": "5"})
    scene.tenant.pause()
    search = failed_logins()
    document = encode(payload(scene, search))
    with _usage_says_full(scene):
        ended = run_action(scene, document)
    _assert_lost(ended, search)


@pytest.mark.parametrize("answer", [Answer(400), Answer(422)], ids=lambda answer: str(answer.status))
def test_refusal_of_what_could_not_be_stored_is_a_loss(scene, answer):
    """There is no dead letter to keep, so it says so."""
    scene.tenant.always(answer)
    search = failed_logins()
    document = encode(payload(scene, search))
    with _usage_says_full(scene):
        ended = run_action(scene, document)
    _assert_lost(ended, search)
    assert str(answer.status) in ended.stderr


@pytest.mark.parametrize("trouble", ["splunkd", "rights", "tenant", "tenant's name", "token"])
def test_loss_for_other_reasons_says_the_same(scene, trouble):
    """Whatever stands between the alert and its tenant, the line is there."""
    search = failed_logins(params={"tenant": {"tenant": "lab", "tenant's name": "../../x"}.get(trouble, "")})
    if trouble == "token":
        scene.delete_token("main")
    document = encode(payload(scene, search, user="user" if trouble == "rights" else "admin"))
    if trouble == "splunkd":
        scene.splunkd.fail("/", 503)
    with _usage_says_full(scene):
        ended = run_action(scene, document)
    _assert_lost(ended, search)


def test_paused_tenant_without_an_outbox_is_a_loss_at_once(scene):
    """There is nothing to wait for: nobody will come back to this process's memory."""
    scene.set_tenant("main", disabled="1")
    search = failed_logins()
    document = encode(payload(scene, search))
    with _usage_says_full(scene):
        ended = run_action(scene, document, timeout=20)
    _assert_lost(ended, search)


def test_all_rows_go_from_memory_too(scene):
    """They are read where Splunk left them."""
    document = encode(payload(scene, failed_logins(params={"send": "all"})))
    with _usage_says_full(scene):
        ended = run_action(scene, document)
    assert ended.exit_code == 0, ended.stderr
    assert len(scene.tenant.rows()) == 2
    assert decode(scene.tenant.accepted[-1])["batch"]["last"] is True


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_somebody_who_does_not_own_splunks_files_leaves_nothing_there(scene):
    """A file of root's in var/ would be one that Splunk cannot write."""
    document = encode(payload(scene, failed_logins()))
    with _var_of_another_user(scene):
        before = sorted(scene.home.path.joinpath("var").rglob("*"))
        ended = run_action(scene, document)
        assert sorted(scene.home.path.joinpath("var").rglob("*")) == before
    assert ended.exit_code == 0, ended.stderr
    assert len(scene.tenant.accepted) == 1


def test_refused_put_leaves_no_temporary_file(scene):
    """What was begun when the disk was full does not make it fuller."""
    scene.fire()
    document = encode(payload(scene, failed_logins()))
    with _file_size_limit(scene) as how:
        run_action(scene, document, **how)
    assert list(scene.outbox.rglob(".*")) == []


def _assert_lost(ended, search):
    assert ended.exit_code == 6, ended.stderr
    assert ended.lines[0] == ("ERROR", "outbox.unavailable")
    assert ended.lines.count(("FATAL", "alert.lost")) == 1
    (line,) = [line for line in ended.stderr.splitlines() if line.startswith("FATAL")]
    for identity in (search.sid, search.name, str(search.trigger_time)):
        assert identity in line
    assert "reason=" in line
