"""`build.py demo --elastic`: it shows all of it, and it notices when something is not as promised."""

from __future__ import annotations

import sys

import pytest
from build_tools import demo_elastic, environment
from build_tools.demo_elastic import Kibana


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """parapet-elastic runs in the tests' own environment, where its packages are too."""
    monkeypatch.setattr(environment, "for_elastic", lambda: sys.executable)


def test_the_demo_shows_each_step_and_ends_well(capsys):
    """300 rules, an alert in each mode, and every rule as it was; no token on the screen."""
    assert demo_elastic.main() == 0
    said = capsys.readouterr().out
    for step in ("doctor", "connect", "test", "attach --all --yes", "status", "rollback"):
        assert f"$ parapet-elastic {step}" in said
    assert "0 changes, 300 rules stay as they are." in said
    # Both streams as at a terminal.
    assert said.index("Change the actions of 300 rules? yes") < said.index("300 done")
    assert said.rstrip().endswith("every rule is as it was, byte for byte.")
    assert "Bearer pst_…" in said


def test_the_demo_notices_an_alert_that_did_not_arrive(capsys, monkeypatch):
    """A Kibana that leaves one alert of a summary out."""
    whole = Kibana.fire
    monkeypatch.setattr(Kibana, "fire", lambda self, rule, sources: whole(self, rule, sources[:2]))
    assert demo_elastic.main() == 1
    assert "Not as promised: 3 alerts should have arrived" in capsys.readouterr().out
