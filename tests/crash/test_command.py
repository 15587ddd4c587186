"""`build.py test --crash N --seed S`: what it runs, and what it refuses."""

from __future__ import annotations

import pytest

from build_tools import cli, suite
from build_tools.project import ROOT


@pytest.fixture
def asked(monkeypatch):
    """What the command line asks the suite for."""
    found = []
    monkeypatch.setattr(suite, "run", lambda *given, **variables: found.append((*given, variables)))
    return found


def test_crash_runs_the_crash_tests_only_and_tells_them_how_much(asked):
    """N and the seed are in their environment."""
    cli.main(["test", "--crash", "1000", "--seed", "7", "--python", "3.9", "-x"])
    variables = {"PARAPET_CRASH": "1000", "PARAPET_SEED": "7"}
    assert asked == [(["3.9"], [*suite.CRASH, "-x"], variables)]
    assert all((ROOT / path).is_file() for path in suite.CRASH)


def test_seed_is_for_every_test_that_draws(asked):
    """Also in the normal run."""
    cli.main(["test", "--seed", "7"])
    assert asked == [([], [], {"PARAPET_SEED": "7"})]


@pytest.mark.parametrize("number", ["0", "-1", "many", "1.5"])
def test_number_that_is_none_is_refused_at_once(asked, number, capsys):
    """Before anything is made."""
    with pytest.raises(SystemExit):
        cli.main(["test", "--crash", number])
    assert "a whole number from 1 up" in capsys.readouterr().err or number == "-1"
    assert asked == []


def test_variables_reach_the_tests(monkeypatch):
    """They are in the environment of pytest."""
    seen = {}
    monkeypatch.setattr(suite, "run_openly", lambda command, **variables: seen.update(variables) or 5)
    monkeypatch.setattr(suite.environment, "for_tests", lambda version: ROOT)
    monkeypatch.setattr(suite.package, "build", lambda folder: ROOT)
    suite.run(["3.9"], ["tests/core"], PARAPET_CRASH="3")
    assert seen["PARAPET_CRASH"] == "3"
