"""Tests of how Splunk reads the app's own log: props.conf and the macro that names the index.

They must not look into the Python code that writes the log.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone

import pytest

from tests.conf import CONFS


def source_pattern() -> str:
    """Return the [source::…] stanza of props.conf as a regular expression, translated as its specification says."""
    stanza = next(name for name in CONFS["props.conf"] if name.startswith("source::"))
    tokens = {"...": ".*", "*": r"[^/\\]*", ".": r"\."}
    return re.sub(r"\.\.\.|\*|\.", lambda match: tokens[match.group()], stanza[len("source::") :])


@pytest.mark.parametrize(
    "source",
    [
        "/opt/splunk/var/log/splunk/parapet_security.log",
        "/opt/splunk/var/log/splunk/parapet_security.log.1",
        "C:\\Program Files\\Splunk\\var\\log\\splunk\\parapet_security.log",
    ],
)
def test_the_apps_log_has_its_sourcetype_also_when_rotated(source: str) -> None:
    """Splunk reads the file under its own name and under those of rotation, on Linux and Windows."""
    assert re.fullmatch(source_pattern(), source)
    assert "parapet_security:log" in [stanza.get("sourcetype") for stanza in CONFS["props.conf"].values()]


@pytest.mark.parametrize("name", ["parapet_security_modalert.log", "splunkd.log", "my_parapet_security.log"])
def test_other_logs_keep_their_sourcetypes(name: str) -> None:
    """The modalert log is for the Common Information Model to recognise."""
    assert not re.fullmatch(source_pattern(), "/opt/splunk/var/log/splunk/" + name)


def test_a_log_line_gives_its_time_and_level() -> None:
    """Time and level of a line are found as the log writes them."""
    line = '2026-01-28T15:30:00.123Z WARN event=delivery.deferred reason="a \\"b\\""'
    props = CONFS["props.conf"]["parapet_security:log"]
    lookahead = line[: int(props["MAX_TIMESTAMP_LOOKAHEAD"])]
    time = datetime.strptime(lookahead, props["TIME_FORMAT"].replace("%3N", "%f")).replace(tzinfo=timezone.utc)
    assert time == datetime(2026, 1, 28, 15, 30, 0, 123000, timezone.utc)
    level = re.search(props["EXTRACT-log_level"].replace("(?<", "(?P<"), line)
    assert level.group("log_level") == "WARN"
    assert (props["TZ"], props["SHOULD_LINEMERGE"], props["KV_MODE"]) == ("UTC", "false", "auto_escaped")


def test_a_macro_names_the_index_of_the_logs() -> None:
    """Searches over the logs name the macro, so that a customer moves them in one place."""
    assert CONFS["macros.conf"] == {"parapet_security_index": {"definition": "index=_internal", "iseval": "0"}}
