"""Two runs at the same time. Must not test what they do."""

import subprocess
import sys

import pytest
from build_tools.project import ROOT
from parapet_elastic.errors import Exit, Failure
from parapet_elastic.state import Place, lock

from tests.elastic.changing import Person

PLACE = Place("https://kibana.example.com", "default", "parapet-security")
HOLD = (
    "import sys; from pathlib import Path; from parapet_elastic.state import Place, lock\n"
    "with lock(Path(sys.argv[1]), Place(*sys.argv[2:])): print('held', flush=True); sys.stdin.read()"
)


def test_only_one_at_a_time_and_a_crash_frees_the_place(tmp_path):
    """Another process holds it until it is killed; other places are free meanwhile."""
    words = [sys.executable, "-c", HOLD, str(tmp_path), PLACE.url, PLACE.space, PLACE.connector_id]
    where = {"PYTHONPATH": str(ROOT / "elastic")}
    with subprocess.Popen(words, env=where, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline().strip() == b"held"
        with pytest.raises(Failure) as caught, lock(tmp_path, PLACE):
            pass
        with lock(tmp_path, Place(PLACE.url, "soc", PLACE.connector_id)):
            process.kill()
            process.communicate()

    assert "another parapet-elastic is at work" in str(caught.value)
    assert caught.value.exit is Exit.INCOMPLETE
    for _ in range(2):
        with lock(tmp_path, PLACE):
            pass


def test_a_folder_without_locks_gets_one_line(tmp_path):
    """Nothing may be changed then."""
    (tmp_path / "state").write_text("a file")

    with pytest.raises(Failure) as caught, lock(tmp_path / "state", PLACE):
        pass

    assert "nothing is changed" in str(caught.value)


def test_a_second_attach_beside_one_at_work_changes_nothing(kibana, tmp_path):
    """It ends with a line; each rule has one action of ours."""
    first, second = Person(kibana, tmp_path), Person(kibana, tmp_path)
    first.connector()
    for number in range(3):
        kibana.add_rule(f"{number}")
    send = first.kibana._send
    said = []

    def meanwhile(method, path, *arguments, **how):
        if path.endswith("_bulk_action"):
            with pytest.raises(Failure) as caught:
                second.attach()
            said.append(str(caught.value))
        return send(method, path, *arguments, **how)

    first.kibana._send = meanwhile

    assert first.attach() is Exit.DONE
    assert "another parapet-elastic is at work" in said[0]
    assert first.ours() == [1] * 3
    assert second.attach() is Exit.DONE


def test_a_rollback_to_a_snapshot_of_another_address_keeps_others_out_of_this_kibana(kibana, tmp_path):
    """The lock is about the Kibana that is talked to, whatever the file calls it."""
    person = Person(kibana, tmp_path)
    person.connector()
    kibana.add_rule("A")
    person.attach()
    file = next((tmp_path / "snapshots").iterdir())
    file.write_text(file.read_text().replace(kibana.url, PLACE.url))

    with lock(tmp_path, Place.of(person.kibana.access, PLACE.connector_id)), pytest.raises(Failure) as caught:
        person.rollback(file)

    assert "another parapet-elastic is at work" in str(caught.value)
    assert person.rollback(file) is Exit.DONE
