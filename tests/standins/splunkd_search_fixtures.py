"""What the tests of the splunkd stand-in's searches share: a home with commands and a log, and a caller of searches.

Must not be used by the product's tests.
"""

from __future__ import annotations

import pytest

from tests.standins.fake_app import write_app
from tests.standins.fake_commands import COMMANDS
from tests.standins.splunk_home import SplunkHome
from tests.standins.splunkd_fixtures import APP

JOBS = APP + "/search/jobs"
LINES = [
    '2026-01-28T15:30:00.000Z INFO event=delivery.done tenant=main ms=5 text="a \\"b\\" c"',
    "2026-01-28T15:31:00.000Z WARN event=delivery.deferred tenant=eu ms=40",
    "2026-01-28T15:32:00.250Z ERROR event=delivery.dead tenant=main ms=300",
]


@pytest.fixture(name="home")
def home_fixture(tmp_path):
    """A Splunk home with the tiny app, its commands, and a log."""
    home = SplunkHome(tmp_path / "splunk")
    home.install(write_app(tmp_path / "source", COMMANDS))
    (home.log / "parapet_security.log").write_text("\n".join(LINES) + "\n", encoding="utf-8")
    return home


@pytest.fixture(name="search")
def search_fixture(call):
    """Run one search; returns the HTTP answer."""

    def run(text, path=JOBS, user="admin", **args):
        return call("POST", path, {"search": text, "exec_mode": "oneshot", **args}, user=user)

    return run
