"""The stand-in for the CIM app reads a modalert log as its props and eventtypes do, and forgives nothing.

Must not test what the product writes.
"""

from __future__ import annotations

import pytest

from tests.standins import cim

SOURCE = "/opt/splunk/var/log/splunk/parapet_security_modalert.log"
HEAD = "2026-01-28 15:30:00,123+0000 INFO sendmodaction - "
INVOKED = (
    HEAD + 'worker="sh1" signature="Invoking modular action" action_name="parapet_security" search_name="A = b" '
    'sid="scheduler__a" rid="0" app="search" user="admin" digest_mode="1" action_mode="saved" duration="12" id="ab"'
)


def read(*lines, **more):
    """The events of these lines."""
    return cim.events(lines, source=SOURCE, **more)


def test_a_line_gives_its_fields_time_index_sourcetype_and_eventtypes():
    """As CIM's props, transforms and eventtypes have it."""
    (event,) = read(INVOKED)
    assert event["_time"] == 1769614200.123
    assert (event["search_name"], event["duration"], event["log_level"]) == ("A = b", "12", "INFO")
    assert (event["index"], event["sourcetype"]) == ("cim_modactions", "modular_alerts:parapet_security")
    assert event["eventtype"] == ["cim_modaction", "cim_modaction_invocation"]
    assert event["source"] == SOURCE


def test_without_the_cim_app_the_line_lies_in_internal():
    """No eventtype, and nobody's invocation."""
    (event,) = read(INVOKED, with_cim=False)
    assert (event["index"], event["sourcetype"], event["eventtype"]) == (
        "_internal",
        "parapet_security_modalert",
        [],
    )
    assert cim.invocations([event]) == []


def test_only_the_exact_signature_is_an_invocation():
    """A message that holds the words is none."""
    other = INVOKED.replace("Invoking modular action", "Invoking modular action again")
    found = read(INVOKED, other)
    assert cim.invocations(found) == found[:1]
    assert found[1]["eventtype"] == ["cim_modaction"]


def test_outcomes_are_chosen_by_their_status():
    """A line without a status is none."""
    lines = [INVOKED.replace(" duration", f' action_status="{status}" duration') for status in ("pending", "failure")]
    found = read(INVOKED, *lines)
    assert cim.outcomes(found) == found[1:]
    assert cim.outcomes(found, "failure") == found[2:]
    assert cim.one(found, action_status="pending") is found[1]
    with pytest.raises(cim.Unread, match="3 events"):
        cim.one(found, sid="scheduler__a")


def test_what_became_of_each_row_is_told_in_pairs():
    """An invocation, then its outcome, of the same row."""
    done = INVOKED.replace("Invoking modular action", "Done").replace(" duration", ' action_status="success" duration')
    later = done.replace('rid="0"', 'rid="1"')
    assert cim.handled(read(INVOKED, done)) == [("0", None, None, "success")]
    assert cim.handled([]) == []
    for lines in (
        [INVOKED],
        [done, INVOKED],
        [INVOKED, INVOKED],
        [INVOKED, later],
        [INVOKED, done.replace("success", "pending")],
    ):
        with pytest.raises(cim.Unread):
            cim.handled(read(*lines))


@pytest.mark.parametrize("field", ["duration", "user", "rid", "sid"])
def test_an_invocation_without_what_the_data_model_shows_fails(field):
    """The dataset would show a gap."""
    line = " ".join(pair for pair in INVOKED.split(" ") if not pair.startswith(field + "="))
    with pytest.raises(cim.Unread, match=field):
        cim.invocations(read(line))


@pytest.mark.parametrize(
    "line",
    [
        "",
        INVOKED.replace(",123+0000", ".123Z"),
        INVOKED.replace("+0000", ""),
        INVOKED.replace("INFO", "NOTICE"),
        INVOKED.replace("sendmodaction", "sendmodalert"),
        INVOKED + " ",
        INVOKED + ' rid="1"',
        INVOKED + ' zeta="a"b"',
        INVOKED + ' zeta="a\\"',
        INVOKED + ' zeta="a\\" other="b"',
        INVOKED + ' zeta="a\x07b"',
        INVOKED + ' zeta=""',
        INVOKED + " zeta=bare",
        INVOKED + ' and words zeta="a"',
        INVOKED + ' alpha="a"',
        INVOKED.replace('worker="sh1" ', "") + ' worker="sh1"',
        INVOKED.replace('rid="0"', 'rid="0"  '),
        INVOKED.replace('"saved"', '"manual"'),
        INVOKED.replace('digest_mode="1"', 'digest_mode="true"'),
        INVOKED.replace(" duration", ' action_status="done" duration'),
    ],
)
def test_a_line_that_splunk_would_read_otherwise_fails(line):
    """Whatever is not `name="value"`, in cim_actions.py's order, each name once."""
    with pytest.raises(cim.Unread):
        read(INVOKED, line)


@pytest.mark.parametrize(
    "name", ["parapet_security.log", "parapet_security_modalert.log.1", "modalert.log", "_modalert.txt"]
)
def test_a_file_of_another_name_fails(name):
    """CIM's props name it."""
    with pytest.raises(cim.Unread, match="takes no notice"):
        cim.events([INVOKED], source="/opt/splunk/var/log/splunk/" + name)


def test_a_file_is_read_whole(tmp_path):
    """And its last line has an end."""
    path = tmp_path / "parapet_security_modalert.log"
    path.write_text(INVOKED + "\n" + INVOKED + "\n", encoding="utf-8")
    assert len(cim.events(path)) == 2
    path.write_text(INVOKED + "\n" + INVOKED, encoding="utf-8")
    with pytest.raises(cim.Unread, match="does not end"):
        cim.events(path)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('a="1" b="x y"', [("a", "1", ""), ("b", "x y", "")]),
        ('a="say \\"b\\" c=2"', [("a", "say \\", ""), ("c", "", "2")]),
        ('a="b=2 c=3" d=4,e=5', [("a", "b=2 c=3", ""), ("d", "", "4"), ("e", "", "5")]),
    ],
)
def test_auto_extraction_ends_a_value_at_the_next_quote(text, wanted):
    """It knows no escapes, and does not look into a quoted value."""
    assert cim.KV_AUTO.findall(text) == wanted
