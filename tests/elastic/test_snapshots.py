"""The files that a rollback reads. Must not need a Kibana."""

import json
import os
import stat
import sys

import pytest
from parapet_elastic.access import Access
from parapet_elastic.editing.snapshot_file import Entry, load
from parapet_elastic.editing.snapshots import ROLLBACK, Snapshots
from parapet_elastic.errors import Failure
from parapet_elastic.secret import Secret
from parapet_elastic.state import Place, state_dir

US = "parapet-security"
PLACE = Place("https://kibana.example.com", "default", US)
SLACK = {"id": "slack", "params": {"message": "x"}, "uuid": "1"}
OURS = {"id": US, "params": {"body": "pst_in_a_body"}, "uuid": "2"}


@pytest.fixture
def snapshots(tmp_path):
    """A folder that is not there yet."""
    return Snapshots(tmp_path / "deep" / "state")


def test_a_snapshot_comes_back_as_it_was_kept(snapshots):
    """Actions come back byte for byte, in their order, whatever is in them."""
    actions = [{"z": 1, "a": "\ud800 é \u2028", "uuid": "u"}, OURS]
    kept = snapshots.keep(PLACE, "attach", [Entry("1", "Name\n", actions)])

    read = load(kept.path)

    assert json.dumps(read.entries[0].actions) == json.dumps(actions)
    assert read == kept
    assert not read.finished
    snapshots.finish(read)
    assert load(kept.path).finished


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX rights")
def test_only_the_owner_may_read_a_snapshot(snapshots):
    """File 0600, folders 0700."""
    kept = snapshots.keep(PLACE, "attach", [Entry("1", "n", [])])

    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(kept.path.parent.parent.stat().st_mode) == 0o700


def test_no_credential_is_in_a_snapshot(snapshots):
    """It knows the address and the space of an access, and no more."""
    access = Access("https://kibana.example.com", api_key=Secret("canary-key"), password=Secret("canary-password"))

    kept = snapshots.keep(Place.of(access, US), "attach", [Entry("1", "n", [])])

    assert "canary" not in kept.path.read_text()


def test_a_run_takes_over_what_an_interrupted_one_left(snapshots):
    """The older "before" wins, its other rules come along, and the older file is closed."""
    first = snapshots.keep(PLACE, "attach", [Entry("1", "a", [SLACK]), Entry("2", "b", [])])

    second = snapshots.keep(PLACE, "attach", [Entry("1", "a", [SLACK, OURS]), Entry("3", "c", [OURS])])

    assert {entry.id: entry.actions for entry in second.entries} == {"1": [SLACK], "2": [], "3": [OURS]}
    assert load(first.path).finished
    assert load(first.path).taken_over_by == second.path.name
    assert snapshots.newest(PLACE) == second


def test_what_another_command_left_is_not_taken_over(snapshots):
    """Taking back an update must not take our action off, because an attach was interrupted before it."""
    first = snapshots.keep(PLACE, "attach", [Entry("1", "a", [])])

    second = snapshots.keep(PLACE, "update", [Entry("1", "a", [OURS])])

    assert second.entries == (Entry("1", "a", [OURS]),)
    assert snapshots.unfinished(PLACE) == [first, second]


@pytest.mark.parametrize("ahead", ["20991231T235959.999999Z", "99991231T235959.999999Z", "20261399T000000.000000Z"])
def test_a_clock_that_was_ahead_does_not_hide_what_is_made_later(snapshots, ahead):
    """A new name is greater than all that are there; one that no moment can follow, or that is none, does not count."""
    snapshots.finish(snapshots.keep(PLACE, "attach", [Entry("1", "a", [])]))
    old = snapshots.paths()[0]
    old.rename(old.with_name(f"{ahead}-attach.json"))

    kept = [snapshots.keep(PLACE, "update", [Entry("1", "a", [])]) for _ in range(3)]

    assert [one.path for one in kept] == [path for path in snapshots.paths() if path.stem.endswith("update")]
    if ahead.startswith("2099"):
        assert snapshots.newest(PLACE) == kept[-1]
        assert kept[0].time == "21000101T000000.000000Z"


def test_a_newest_file_that_is_torn_is_named_and_so_is_the_one_before_it(snapshots):
    """It may be of this place; going back further must be said."""
    good = snapshots.keep(PLACE, "attach", [Entry("1", "a", [])])
    torn = snapshots.keep(PLACE, "update", [Entry("1", "a", [OURS])])
    torn.path.write_text("{")

    with pytest.raises(Failure) as caught:
        snapshots.newest(PLACE)
    assert str(torn.path) in str(caught.value)
    assert str(good.path) in caught.value.todo
    good.path.unlink()
    with pytest.raises(Failure) as caught:
        snapshots.newest(PLACE)
    assert str(torn.path) in str(caught.value)


def test_an_older_state_does_not_win_over_what_others_have_changed_since(snapshots):
    """Restoring it would undo the work of somebody else."""
    snapshots.keep(PLACE, "update", [Entry("1", "a", [])])

    second = snapshots.keep(PLACE, "update", [Entry("1", "a", [SLACK, OURS])])

    assert second.entries == (Entry("1", "a", [SLACK, OURS]),)


@pytest.mark.parametrize(
    "other",
    [Place("https://kb.example.com", "default", US), Place(PLACE.url, "soc", US), Place(PLACE.url, "default", "x")],
)
def test_other_places_are_left_alone(snapshots, other):
    """Another Kibana, space or connector is neither taken over nor found."""
    theirs = snapshots.keep(other, "attach", [Entry("1", "a", [])])
    ours = snapshots.keep(PLACE, "attach", [Entry("2", "b", [])])

    assert [entry.id for entry in ours.entries] == ["2"]
    assert not load(theirs.path).finished
    assert snapshots.newest(other) == theirs


def test_a_finished_run_is_not_taken_over(snapshots):
    """Its rollback is its own."""
    snapshots.finish(snapshots.keep(PLACE, "attach", [Entry("1", "a", [])]))

    assert [entry.id for entry in snapshots.keep(PLACE, "update", [Entry("2", "b", [])]).entries] == ["2"]


def test_a_rollbacks_own_snapshot_is_found_by_name_only(snapshots):
    """Else a second rollback would undo the first."""
    first = snapshots.keep(PLACE, "attach", [Entry("1", "a", [])])
    second = snapshots.keep(PLACE, ROLLBACK, [Entry("1", "a", [OURS])])

    assert snapshots.newest(PLACE) == first
    assert second.entries[0].actions == [OURS]
    assert not load(first.path).finished


def test_interrupted_runs_are_settled_when_nothing_is_left_to_do(snapshots):
    """Only of the same command, and only when each of its rules has been looked at."""
    attach = snapshots.keep(PLACE, "attach", [Entry("1", "a", []), Entry("2", "b", [])])

    snapshots.settle(PLACE, "detach", ["1", "2"])
    snapshots.settle(PLACE, "attach", ["1"])
    assert not load(attach.path).finished
    snapshots.settle(PLACE, "attach", ["1", "2", "3"])
    assert load(attach.path).finished


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "broken"),
        ("{", "broken"),
        ("[]", "no snapshot"),
        ("{}", "no snapshot"),
        ('{"format": 2}', "newer"),
        ('{"format": 1}', "broken"),
        pytest.param("[" * 100_000, "broken", id="deep"),
        pytest.param('{"format": 1, "x": ' + "[" * 300 + "]" * 300 + "}", "too deep", id="nested"),
        ("rule", "not complete"),
    ],
)
def test_a_file_that_cannot_be_used_gets_one_clear_line(snapshots, text, says):
    """And does not keep a new run from being kept."""
    kept = snapshots.keep(PLACE, "attach", [Entry("1", "a", [])])
    if text == "rule":
        text = json.dumps({**kept.to_json(), "rules": [{"id": "1"}]})
    kept.path.write_text(text)

    with pytest.raises(Failure) as caught:
        load(kept.path)

    assert says in str(caught.value)
    assert str(kept.path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert snapshots.keep(PLACE, "attach", [Entry("2", "b", [])]).entries[0].id == "2"


def test_without_any_snapshot_the_line_says_where_it_looked(snapshots):
    """Another state folder is the usual reason."""
    with pytest.raises(Failure) as caught:
        snapshots.newest(PLACE)

    assert str(snapshots.folder) in str(caught.value)


def test_a_folder_that_cannot_be_written_stops_before_anything_is_changed(tmp_path):
    """A snapshot that is not on disk is no snapshot."""
    (tmp_path / "state").write_text("a file")

    with pytest.raises(Failure) as caught:
        Snapshots(tmp_path / "state").keep(PLACE, "attach", [Entry("1", "a", [])])

    assert "nothing is changed" in str(caught.value)


def test_a_write_that_fails_leaves_the_older_file_whole(snapshots, monkeypatch):
    """And no half of a new one beside it."""
    kept = snapshots.keep(PLACE, "attach", [Entry("1", "a", [])])

    def full(_file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Failure) as caught:
        snapshots.finish(kept)

    assert "finished" in str(caught.value)
    assert load(kept.path) == kept
    assert [path.name for path in kept.path.parent.iterdir()] == [kept.path.name]


def test_where_the_state_is(monkeypatch, tmp_path):
    """The option, then the environment, then the home folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))

    assert str(state_dir("here", {"PARAPET_ELASTIC_STATE": "there"})) == "here"
    assert str(state_dir(None, {"PARAPET_ELASTIC_STATE": "there"})) == "there"
    assert state_dir(None, {}) == tmp_path / ".parapet-elastic"
