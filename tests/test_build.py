"""The command line of build.py, the Pythons and environments behind it, and the sum of the tests' outcomes.

It must not install anything.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from build_tools import cli, environment, suite
from build_tools.project import ROOT, BuildError, child_environment


def build_py(*arguments, **extra):
    """Runs build.py as a user does."""
    return subprocess.run(
        [sys.executable, "build.py", *arguments],
        cwd=str(ROOT),
        env=child_environment(**extra),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_wrong_usage_and_expected_failures_are_one_line_without_a_traceback():
    """Exit code 2 for the one, 1 for the other."""
    usage, failure = build_py("dance"), build_py(SOURCE_DATE_EPOCH="never")
    assert (usage.returncode, failure.returncode) == (2, 1)
    assert "invalid choice: 'dance'" in usage.stderr
    assert failure.stderr == "build.py: SOURCE_DATE_EPOCH must be a whole number of seconds (got 'never')\n"


def test_what_build_py_does_not_know_goes_to_pytest_in_its_order(monkeypatch):
    """Selecting tests is pytest's language, not ours."""
    asked = []
    monkeypatch.setattr(suite, "run", lambda versions, arguments: asked.append((versions, arguments)))
    cli.main(["test", "tests/test_x.py", "-k", "a or b", "--python", "3.9", "-x", "-n", "0", "--lf"])
    assert asked == [(["3.9"], ["tests/test_x.py", "-k", "a or b", "-x", "-n", "0", "--lf"])]


def test_a_python_that_is_not_there_is_named():
    """Asking for a Python does not silently run another."""
    done = build_py("test", "--python", "3.1")
    assert done.returncode == 1
    assert "build.py: Python 3.1 was not found" in done.stderr


def test_the_help_names_every_command():
    """Who types --help learns what there is."""
    text = build_py("--help").stdout
    assert all(f"\n  {command} " in text for command in ("demo", "test", "check"))
    assert "--splunkbase" in text


def test_a_program_that_only_looks_like_the_interpreter_is_passed_over(tmp_path, monkeypatch):
    """Pyenv puts a shim on the PATH for every version it has, also for those that are switched off."""
    shim = tmp_path / "python3.8"
    shim.write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert environment.interpreter("3.8") is None
    kept = tmp_path / "versions" / "3.8.18" / "bin" / "python"
    kept.parent.mkdir(parents=True)
    kept.write_text("#!/bin/sh\necho Python 3.8.18\n", encoding="utf-8")
    kept.chmod(0o755)
    assert environment.interpreter("3.8") == kept


def test_an_environment_is_made_once_and_again_when_its_pins_change(tmp_path, monkeypatch):
    """A new pin reaches the tools without anybody removing .venv; an unfinished environment is not taken for one."""
    made = []
    pins = tmp_path / "pins.txt"
    pins.write_text("a==1", encoding="utf-8")
    monkeypatch.setattr(environment, "VENV", tmp_path)

    def make(folder, base):
        made.append(base)
        python = folder / environment._BIN / Path("python.exe" if os.name == "nt" else "python")
        python.parent.mkdir(parents=True, exist_ok=True)
        python.touch()

    def fail(command, what):
        raise BuildError(what)

    monkeypatch.setattr(environment, "_make", make)
    monkeypatch.setattr(environment, "run_quietly", fail)
    with pytest.raises(BuildError, match=r"installing requirements/pins\.txt"):
        environment._environment("one", Path(sys.executable), pins)
    monkeypatch.setattr(environment, "run_quietly", lambda command, what: "")
    for text, times in (("a==1", 2), ("a==1", 2), ("a==2", 3)):
        pins.write_text(text, encoding="utf-8")
        environment._environment("one", Path(sys.executable), pins)
        assert len(made) == times


@pytest.mark.parametrize(
    ("report", "code", "words"),
    [
        ('tests="10" failures="0" errors="0" skipped="0"', 0, "10 passed, 0 failed"),
        ('tests="10" failures="2" errors="1" skipped="3"', 1, "4 passed, 3 failed, 3 skipped"),
        ('tests="0" failures="0" errors="0" skipped="0"', 5, "0 passed, 1 failed"),
        (None, 4, "0 passed, 1 failed"),
    ],
)
def test_the_sum_counts_a_run_that_ended_badly_as_a_failure(tmp_path, report, code, words):
    """No interpreter can fail and leave "0 failed" in the last line."""
    path = tmp_path / "report.xml"
    if report:
        path.write_text(f"<testsuites><testsuite {report}/></testsuites>", encoding="utf-8")
    assert str(suite.read(path, code)) == words
