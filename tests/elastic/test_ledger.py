"""The file that remembers what was sent. Must not need a Kibana."""

import os
import stat
import sys

import pytest
from parapet_elastic.backfilling.ledger import Ledger
from parapet_elastic.errors import Failure
from parapet_elastic.state import Place

PLACE = Place("https://kibana.example.com", "default", "parapet-security")


def _noted(state, *ids):
    with Ledger(state, PLACE) as ledger:
        for one in ids:
            ledger.note(one)
    return ledger


def test_what_was_noted_is_there_the_next_time(tmp_path):
    """Over several runs, whatever is in an id."""
    _noted(tmp_path, "a", "b\n", '"')
    ledger = _noted(tmp_path, "é\u2028", "\ud800")

    assert ledger.read() == {"a", "b\n", '"', "é\u2028", "\ud800"}


def test_without_a_file_nothing_was_sent(tmp_path):
    """And reading makes none."""
    assert Ledger(tmp_path, PLACE).read() == set()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cut", [1, 2, 4, 6])
def test_a_torn_last_line_is_no_id_and_spoils_no_other(tmp_path, cut):
    """What a crash leaves is ended by the next run; its own lines stay whole."""
    ledger = _noted(tmp_path, "first", "second")
    with ledger.path.open("r+b") as file:
        file.truncate(ledger.path.stat().st_size - cut)

    assert ledger.read() == {"first"}
    _noted(tmp_path, "third")
    assert ledger.read() >= {"first", "third"}
    assert ledger.read() <= {"first", "second", "third"}


def test_a_torn_first_line_does_not_matter(tmp_path):
    """It names the place for people only."""
    ledger = _noted(tmp_path)
    with ledger.path.open("r+b") as file:
        file.truncate(10)

    _noted(tmp_path, "a")
    assert ledger.read() == {"a"}


@pytest.mark.parametrize(
    "other",
    [
        Place("https://kb.example.com", "default", PLACE.connector_id),
        Place(PLACE.url, "soc", PLACE.connector_id),
        Place(PLACE.url, "default", "x"),
    ],
)
def test_each_place_has_its_own(tmp_path, other):
    """What one tenant has got, another one has not."""
    _noted(tmp_path, "a")

    assert Ledger(tmp_path, other).read() == set()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX rights")
def test_only_the_owner_may_read_it(tmp_path):
    """File 0600, folder 0700."""
    ledger = _noted(tmp_path / "state", "a")

    assert stat.S_IMODE(ledger.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(ledger.path.parent.stat().st_mode) == 0o700


def test_a_ledger_of_a_newer_version_is_not_taken_for_empty(tmp_path):
    """Everything would be sent again."""
    ledger = _noted(tmp_path, "a")
    ledger.path.write_text('{"format": 2}\n"b"\n')

    with pytest.raises(Failure) as caught:
        ledger.read()
    assert "newer" in str(caught.value)


@pytest.mark.parametrize("line", ["[" * 100_000, '{"format": ' * 10_000, "5", "null"])
def test_a_line_that_is_no_id_is_passed_over(tmp_path, line):
    """Wherever it stands, and whatever it is."""
    ledger = _noted(tmp_path, "a")
    ledger.path.write_text(f'{line}\n"a"\n{line}\n')

    assert ledger.read() == {"a"}


@pytest.mark.parametrize("odd", ['"1"', "[]", "{}"])
def test_a_format_that_is_no_number_is_not_ours(tmp_path, odd):
    """One clear line."""
    ledger = _noted(tmp_path, "a")
    ledger.path.write_text('{"format": ' + odd + '}\n"b"\n')

    with pytest.raises(Failure, match="newer"):
        ledger.read()


def test_it_reaches_the_disk_every_so_often_and_at_the_end(tmp_path, monkeypatch):
    """Not for each id, and not only when all is done."""
    synced = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(ledger.read()) or fsync(file))

    with Ledger(tmp_path, PLACE) as ledger:
        for number in range(45):
            ledger.note(str(number))

    assert [len(ids) for ids in synced] == [20, 40, 45]


def test_a_ledger_that_cannot_be_written_says_so(tmp_path):
    """Without it the next run would not know."""
    (tmp_path / "ledger").write_text("")

    with pytest.raises(Failure) as caught, Ledger(tmp_path, PLACE):
        pass
    assert "--state-dir" in caught.value.todo
