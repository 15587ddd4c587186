"""The measurements' arithmetic, goals and tables, the light tenant, and one cheap measurement. Must not assert a time."""

from __future__ import annotations

import json
import platform
import subprocess
import sys

import pytest
import requests
from parapet.rows import Rows

import bench.__main__ as command
from bench import goals, place, processes, report, sizes, stats, volume_rows
from bench.report import Measured
from bench.stats import Spread
from build_tools import bench as build_bench
from build_tools import cli, environment
from build_tools.project import BuildError
from tests.doc_pages import table as doc_table

MACHINE = {"processor": "Abacus", "cores": 2, "system": "Linux 6", "file_system": "ext4", "load_before": 0.5}


@pytest.fixture
def ground(tmp_path):
    """A place to measure in."""
    folder = tmp_path / "place"
    folder.mkdir()
    return place.Place(folder)


def line(key, figure, note=""):
    """A measured line."""
    return Measured(
        key, "ms", Spread(24.04, 23.0, 26.5, 5), Spread(20.0, 19.0, 21.0, 5), Spread(figure, 1.1, 1.3, 5), note
    )


# -- statistics -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "share", "found"),
    [([7], 0.95, 7), ([1, 3], 0.5, 2), ([4, 1, 3, 2], 0.5, 2.5), ([1, 2, 3, 4, 5], 0.25, 2), (range(101), 0.95, 95)],
)
def test_a_percentile_lies_between_its_neighbours(values, share, found):
    """In whatever order the values come."""
    assert stats.percentile(list(values), share) == found


def test_nothing_has_no_median():
    """A measurement without a value is a fault, not a zero."""
    with pytest.raises(ValueError, match="nothing to rank"):
        stats.spread([])


def test_a_spread_is_median_quartiles_and_count():
    """Half of the values lie between the quartiles."""
    assert stats.spread([5, 1, 4, 2, 3]) == Spread(3, 2, 4, 5)


def test_a_ratio_is_of_what_was_measured_side_by_side():
    """Pair by pair, before the median: a slow minute slows both."""
    assert stats.ratios([2, 30], [1, 10]) == [2, 3]
    with pytest.raises(ValueError, match="2 and 1 values are no pairs"):
        stats.ratios([1, 2], [1])


# -- goals ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "at", "beyond", "text"),
    [("action", 1.2, 1.21, "≤ 1.2 ×"), ("eight_workers", 7.0, 6.99, "≥ 7 ×"), ("wait", 150, 150.5, "≤ 150 ms more")],
)
def test_a_goal_is_reached_up_to_its_bound(key, at, beyond, text):
    """The bound itself counts as reached, on either side."""
    goal = goals.BY_KEY[key]
    assert (goal.reached(at), goal.reached(beyond), goal.text) == (True, False, text)


def test_what_has_no_goal_neither_reaches_nor_misses():
    """It is measured only to be known."""
    goal = goals.BY_KEY["far_rows"]
    assert (goal.reached(1e9), goal.text) == (None, "–")


def test_every_goal_has_its_own_name():
    """The JSON's readers look lines up by it."""
    assert len(goals.BY_KEY) == len(goals.GOALS)


def test_every_group_that_can_be_asked_for_is_measured():
    """In the order of the list."""
    assert tuple(command.MEASURES) == goals.GROUPS


# -- table and JSON ---------------------------------------------------------------------------------


def test_the_lines_stand_in_the_order_of_the_goals():
    """Whatever was measured first."""
    told = report.run("3.9.18", "1.0.0", MACHINE, [line("idle", 0.3), line("action", 1.0)])
    assert [row["key"] for row in told["rows"]] == ["action", "idle"]


def test_a_line_tells_numbers_goal_and_whether_it_is_reached():
    """Median and quartiles, of what is ours, of the floor, and of the figure that counts."""
    told = report.document(
        [report.run("3.9.18", "1.0.0", MACHINE, [line("action", 1.25, "cold disk"), line("wait", 9)])], quick=False
    )
    text = report.text(told)
    assert text.startswith("Python 3.9.18, app 1.0.0; Abacus, 2 cores, load 0.5 before; Linux 6, ext4\n\n| what |")
    assert "| 24.0 (23.0 to 26.5) ms | write, fsync, rename | 20.0 (19.0 to 21.0) ms | 1.25 (1.10 to 1.30) × |" in text
    assert "| ≤ 1.2 × | not reached |\n" in text
    assert "| ≤ 150 ms more | reached |\n" in text
    assert "\n| one alert, forwarder alive: the action's whole process [1] |" in text
    assert text.endswith("\n* [1] cold disk\n")
    assert report.missed(told) == ["3.9.18 action"]


def test_a_line_without_a_floor_or_a_goal_leaves_them_open():
    """One number has no spread."""
    one = Spread(4.25, 4.25, 4.25, 1)
    told = report.run("3.9.18", "1.0.0", MACHINE, [Measured("far_rows", "s", one, None, one)])
    assert "| 4.25 s |  |  | 4.25 s | – |  |\n" in report.text(report.document([told], quick=False))


def test_a_quick_look_says_that_it_is_one():
    """Nobody is to quote it."""
    assert report.text(report.document([], quick=True)).startswith("A quick look")


def test_the_document_is_json_and_comes_back_whole():
    """What is written beside the table."""
    told = report.document([report.run("3.9.18", "1.0.0", MACHINE, [line("action", 1.0)])], quick=True)
    assert json.loads(json.dumps(told)) == told
    assert told["runs"][0]["rows"][0]["figure"] == {"unit": "×", "median": 1.0, "low": 1.1, "high": 1.3, "of": 5}


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0.00"), (2.414, "2.41"), (-23.44, "-23.4"), (234.4, "234"), (23456.7, "23,457")]
)
def test_a_number_has_three_digits_that_count(value, text):
    """More would pretend."""
    assert report.number(value) == text


# -- the command ------------------------------------------------------------------------------------


@pytest.fixture
def measured(monkeypatch):
    """Does as if it measured: a function that takes each Python's exit code, or that it measures nothing, and gives what was started."""

    def prepare(**codes):
        started = []

        def run_openly(arguments, **_extra):
            started.append(arguments)
            if codes.get("nothing"):
                return 1
            version = arguments[0]
            with open(arguments[3], "w", encoding="utf-8") as file:  # noqa: PTH123
                json.dump(report.run(version, "1.0.0", MACHINE, [line("action", 1.25)]), file)
            return codes.get("code", 0)

        monkeypatch.setattr(build_bench, "run_openly", run_openly)
        monkeypatch.setattr(environment, "interpreter", lambda version: version == "3.9" or None)
        monkeypatch.setattr(environment, "for_tests", lambda version: version)
        return started

    return prepare


def test_the_command_measures_in_what_is_there_and_says_what_is_not(measured, tmp_path, capsys):
    """The table on the terminal, JSON where it was asked for; a goal that is not reached is no failure."""
    started = measured()
    file = tmp_path / "found.json"
    assert cli.main(["bench", "--quick", "--only", "action", "--json", str(file)]) == 0
    assert [(command[0], command[1:3], command[4:]) for command in started] == [
        ("3.9", ["-m", "bench"], ["--quick", "--only=action"])
    ]
    told = json.loads(file.read_text(encoding="utf-8"))
    output = capsys.readouterr().out
    assert report.text(told) in output
    assert "Python 3.13: not found on this machine, so not measured" in output
    assert "goals not reached: 1 (3.9 action)" in output


def test_what_was_measured_before_a_failure_is_shown(measured, tmp_path, capsys):
    """And the exit code says that it is not all."""
    measured(code=1)
    assert cli.main(["bench", "--python", "3.9", "--json", str(tmp_path / "found.json")]) == 1
    captured = capsys.readouterr()
    assert "not reached" in captured.out
    assert "measuring in Python 3.9 broke off" in captured.err


def test_a_run_that_measured_nothing_leaves_the_last_one_alone(measured, tmp_path, capsys):
    """Nor does it say that all goals are reached."""
    measured(nothing=True)
    file = tmp_path / "found.json"
    file.write_text("before", encoding="utf-8")
    assert cli.main(["bench", "--json", str(file)]) == 1
    out, err = capsys.readouterr()
    assert (out, file.read_text(encoding="utf-8")) == ("", "before")
    assert err == "build.py: measuring broke off in Python 3.9 before there was a number; no JSON was written\n"


def test_without_a_python_to_measure_in_it_says_so(monkeypatch, tmp_path):
    """It does not measure in another one."""
    monkeypatch.setattr(environment, "interpreter", lambda version: None)
    with pytest.raises(BuildError, match=r"one of Python 3\.9, 3\.13"):
        build_bench.run([], quick=True, only=[], file=tmp_path / "found.json")


def test_what_was_measured_is_written_after_each_group(ground, tmp_path, monkeypatch):
    """A group that fails does not take the others with it."""

    def broken(*_):
        raise processes.Failed("broken")

    monkeypatch.setitem(command.MEASURES, "action", lambda *_: [line("action", 1.0)])
    monkeypatch.setitem(command.MEASURES, "direct", broken)
    file = tmp_path / "part.json"
    with pytest.raises(processes.Failed):
        command.measure(ground, sizes.QUICK, ["action", "direct"], file)
    told = json.loads(file.read_text(encoding="utf-8"))
    assert [row["key"] for row in told["rows"]] == ["action"]
    assert told["python"] == platform.python_version()
    assert told["machine"]["cores"] > 0


# -- what it measures with --------------------------------------------------------------------------


def test_the_light_tenant_takes_the_right_token_on_the_right_path_only(ground):
    """Else a forwarder that is refused would look fast."""
    with ground.sink() as sink, requests.Session() as session:
        session.trust_env = False
        session.verify = ground.certs.ca_file
        for path, token, status in [
            (sink.path, place.TOKEN, 200),
            (sink.path, "pst_" + "other", 401),
            ("/other", place.TOKEN, 401),
        ]:
            url = f"https://localhost:{sink.port}{path}"
            answer = session.post(url, data=b'{"a": 1}', headers={"Authorization": "Bearer " + token})
            assert answer.status_code == status
        assert sink.ask("count") == len(sink.ask("times")) == 1
        assert sink.ask("last") == '{"a": 1}'
        assert sink.ask("cpu") > 0


def test_a_program_that_fails_is_no_measurement(tmp_path):
    """It would be a fast one."""
    with pytest.raises(processes.Failed, match="ended with 3"):
        processes.run([sys.executable, "-c", "import sys; sys.exit(3)"], env={})
    with pytest.raises(processes.Failed, match="ended with 0"):
        processes.peak_bytes([sys.executable, "-c", "pass"], env={})


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
def test_peak_memory_is_that_of_the_program_alone():
    """Not that of this process, which holds much more, and not less than the program has used and given back."""
    wait = "print(flush=True); import sys; sys.stdin.read()"
    few, many = (
        processes.peak_bytes([sys.executable, "-c", code + wait], env={})
        for code in ("", "used = bytearray(30000000); del used; ")
    )
    assert few < 20000000
    assert many > 30000000


def test_the_results_file_has_all_its_rows(ground, tmp_path):
    """Made of many gzip members, with a companion for every field and two that hold several values."""
    path = ground.results(tmp_path / "results.csv.gz", 4000)
    with path.open("rb") as stream:
        found = list(Rows(stream))
    assert len(found) == 4000
    assert {len(row) for row in found} == {20}
    assert [name for name, value in found[0].items() if isinstance(value, list)] == ["field_18", "field_19"]


def test_the_core_and_its_floor_read_all_rows(ground, tmp_path):
    """As they are started, on a file of several bodies."""
    path = ground.results(tmp_path / "results.csv.gz", 4000)
    bodies = [sys.executable, str(volume_rows.CORE), str(place.ROOT / "parapet_security/bin"), str(path)]
    done = subprocess.run(bodies, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env={}, check=True)
    rows, count = done.stdout.split()
    assert int(rows) == 4000
    assert int(count) > 1
    processes.run([sys.executable, str(processes.FLOORS / "rows_to_json.py"), str(path)], env={})


def test_what_is_filled_into_an_outbox_is_what_the_action_puts(ground):
    """Else a backlog of it would measure something else."""
    with ground.installed({"main": "https://localhost:1/webhook/acme"}) as scene:
        ground.put(scene, rows=1)
        ground.fill(scene, 3)
        (put,) = scene.outbox.glob("new/*.alert")
        filled = sorted(scene.outbox.glob("pending/*.alert"))
        assert len(filled) == 3
        assert all(abs(path.stat().st_size - put.stat().st_size) < 10 for path in filled)


@pytest.mark.skipif(sys.version_info < (3, 8), reason="nothing is measured in 3.7")
@pytest.mark.parametrize("group", ["action", "one_worker"])
def test_a_measurement_runs(ground, group):
    """With real processes, and as little of everything as can be; `bench --quick` runs the others."""
    told = []
    found = command.MEASURES[group](ground, sizes.QUICK._replace(processes=2, near=6), told.append)
    assert told
    assert all(measured.key in goals.BY_KEY and measured.figure.median > 0 for measured in found)
    assert all(measured.ours.of == measured.floor.of for measured in found)


def test_the_bare_post_is_answered(ground, tmp_path):
    """Its exit code says so: a floor that was refused would be a low one."""
    given = tmp_path / "given"
    with ground.sink() as sink:
        post = [sys.executable, str(processes.FLOORS / "post.py"), "localhost", str(sink.port), sink.path]
        given.write_text(place.TOKEN + '\n{"a": 1}', encoding="utf-8")
        processes.run([*post, ground.certs.ca_file], env={}, stdin=given)
        assert (sink.ask("count"), sink.ask("last")) == (1, '{"a": 1}')
        given.write_text("pst_other\n{}", encoding="utf-8")
        with pytest.raises(processes.Failed):
            processes.run([*post, ground.certs.ca_file], env={}, stdin=given)


def test_together_the_groups_measure_every_line():
    """Each goal's key stands in exactly one of the modules that measure."""
    modules = ("process_rows", "forwarder_rows", "volume_rows", "backlog_rows")
    source = "".join((place.ROOT / "bench" / f"{name}.py").read_text(encoding="utf-8") for name in modules)
    assert [key for key in goals.BY_KEY if f'"{key.replace("_growth", "")}"' not in source] == []


def test_the_page_names_every_line_with_its_floor_and_its_goal():
    """In the table's order, in the same words."""
    wanted = [[goal.what, goal.floor, goal.text] for goal in goals.GOALS]
    assert doc_table("docs/performance.md", "line") == wanted
