"""Tests of how Splunk reads the app's own log: props.conf and the macro that names the index.

They must not look into the Python code that writes the log.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone

import pytest

from tests.conf import CONFS


def source_patterns() -> dict[str, str]:
    """Return {sourcetype: regular expression} of the [source::…] stanzas of props.conf, translated as its specification says."""
    tokens = {"...": ".*", "*": r"[^/\\]*", ".": r"\."}
    return {
        settings["sourcetype"]: re.sub(r"\.\.\.|\*|\.", lambda match: tokens[match.group()], stanza[len("source::") :])
        for stanza, settings in CONFS["props.conf"].items()
        if stanza.startswith("source::")
    }


@pytest.mark.parametrize(
    ("name", "sourcetype"),
    [
        ("parapet_security.log", "parapet_security:log"),
        ("parapet_security_modalert.log", "modular_alerts:parapet_security"),
    ],
)
@pytest.mark.parametrize("folder", ["/opt/splunk/var/log/splunk/", "C:\\Program Files\\Splunk\\var\\log\\splunk\\"])
@pytest.mark.parametrize("suffix", ["", ".1"])
def test_each_log_has_its_sourcetype_also_when_rotated(folder: str, name: str, suffix: str, sourcetype: str) -> None:
    """Splunk reads a file under its own name and under those of rotation, on Linux and Windows."""
    found = [each for each, pattern in source_patterns().items() if re.fullmatch(pattern, folder + name + suffix)]
    assert found == [sourcetype]
    assert sourcetype in CONFS["props.conf"]


@pytest.mark.parametrize("name", ["splunkd.log", "my_parapet_security.log", "other_modalert.log"])
def test_other_logs_keep_their_sourcetypes(name: str) -> None:
    """Nothing is said of what others write."""
    assert not [each for each in source_patterns().values() if re.fullmatch(each, "/opt/splunk/var/log/splunk/" + name)]


def test_nothing_of_the_common_information_model_app_is_overridden() -> None:
    """Its own props name the same sourcetype for the file, and route it; ours say nothing else of the file."""
    (stanza,) = (each for name, each in CONFS["props.conf"].items() if name.endswith("_modalert.log(.\\d+)?"))
    assert stanza == {"sourcetype": "modular_alerts:parapet_security"}
    assert not [key for key in CONFS["props.conf"]["modular_alerts:parapet_security"] if key.startswith("TRANSFORMS")]


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


def test_a_line_of_the_response_action_log_gives_its_time() -> None:
    """As the Common Information Model writes it, with the zone."""
    line = '2026-01-28 15:30:00,123+0000 INFO sendmodaction - worker="sh1" signature="Invoking modular action"'
    props = CONFS["props.conf"]["modular_alerts:parapet_security"]
    lookahead = line[: int(props["MAX_TIMESTAMP_LOOKAHEAD"])]
    time = datetime.strptime(lookahead, props["TIME_FORMAT"].replace("%3N", "%f"))  # noqa: DTZ007  the format has %z
    assert time == datetime(2026, 1, 28, 15, 30, 0, 123000, timezone.utc)
    assert (props["SHOULD_LINEMERGE"], props["KV_MODE"]) == ("false", "auto")


def test_no_line_is_cut_off() -> None:
    """The longest that the log can write: as many fields as an event has, each as long as a value may be, of what escapes to most."""
    most = 10 * len("result_count=") + 10 * 6 * (600 + len('"…" '))
    for name in ("parapet_security:log", "modular_alerts:parapet_security"):
        assert int(CONFS["props.conf"][name]["TRUNCATE"]) > most


def test_macros_name_where_the_logs_are() -> None:
    """Searches over the logs name the macros, so that a customer moves them in one place."""
    modalert = "(index=cim_modactions OR index=_internal) source=*parapet_security_modalert.log*"
    assert CONFS["macros.conf"] == {
        "parapet_security_index": {"definition": "index=_internal", "iseval": "0"},
        "parapet_security_modalert": {"definition": modalert, "iseval": "0"},
    }
