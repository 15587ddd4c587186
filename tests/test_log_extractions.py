"""Tests that what the app writes into its logs comes out of Splunk's extractions whole: ten thousand varied events of each log.

They must not read a line in any other way than by the shipped props.conf, or as the Common Information Model does.
"""

from __future__ import annotations

import random
import re
import string

import pytest
from parapet import log as logs
from parapet import modaction
from parapet.alert import Alert
from parapet.log import EVENTS, FILE, Log

from tests.conf import CONFS
from tests.log_lines import undeclared
from tests.spl import reading

COUNT = 10000
PROPS = CONFS["props.conf"]["parapet_security:log"]
# The sourcetype that the Common Information Model gives this file, too; KV_MODE is auto for it (contract, 4.3).
MODALERT = CONFS["props.conf"]["modular_alerts:parapet_security"]
# Fields that hold a number, a word or an id of ours, and so are short whatever happens.
SHORT_FIELDS = {
    "id", "row_id", "attempts", "batches", "rows", "skipped", "delay_s", "next_s", "held_s", "waiting", "dead", "oldest_s", "bytes",
    "max_bytes", "role", "row", "result_count", "problems", "delivered", "deferred", "held_by_other", "pid", "silent_s", "version",
    "fired", "code", "request"
}  # fmt: skip
MOST, WRITTEN_MOST = 600, 900
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
PIECES = [
    '"', "\\", '\\"', "\\\\", "=", ",", ";", "&", "|", " ", "'", "`", "$", "#", "(", "]", "{", "<", "%", "/", ":",
    "\n", "\r\n", "\t", "\0", "\x0b", "\x1b[31m", "\x85", "\x9b", "\u2028", "\u2029", "\ud800", "\udfff", "\\n", "\\x1b",
    "é", "日本", "🛡", "\u202e", "\ufeff", "\xa0", "e\u0301",
    "event=alert.lost", ' reason="x" ', "key=value", "a=b,c=d", "INFO", "2026-01-28T15:30:00.123Z WARN event=x.y ",
    "sendmodaction - signature=", '" action_status="success', "https://h.example:8089/a?b=c&d=e", "C:\\Temp\\", "0", "-1.5",
]  # fmt: skip


def varied(seed):
    """Chance that is the same in every run."""
    return random.Random(seed)  # noqa: S311  nothing secret is drawn


def value(chance):
    """Some text that may come out of a search's results."""
    if chance.random() < 0.1:
        return "".join(chance.choice(string.ascii_letters + string.digits + "_-.:/@") for _ in range(12))
    if chance.random() < 0.02:
        # The longest that a value can be, and each character the longest that it can be.
        return chance.choice(["x", "é", "🛡", '"', "\\", "\n", "\x1b", "\ud800", " "]) * chance.choice([600, 601, 5000])
    pieces = [chance.choice([*PIECES, *string.ascii_lowercase]) for _ in range(chance.randint(1, 12))]
    return chance.choice(["", " ", "\t"]) + "".join(pieces) + chance.choice(["", " ", "\\", '"'])


def cut(text):
    """What both logs keep of a value."""
    return text if len(text) <= MOST else text[:MOST] + "…"


def named(text):
    """A text whose control characters are names of themselves."""

    def name(found):
        code = ord(found.group())
        return SHORT.get(found.group()) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")

    return CONTROL.sub(name, text)


def shown(text):
    """A value of the log as it is searched for: whole, but for control characters and for what is too long with its escapes."""
    text = cut(text)
    written = len(named(text)) + text.count('"') + text.count("\\")
    return named(text) if written <= WRITTEN_MOST else named(text[: WRITTEN_MOST // 6]) + "…"


def told(text):
    """A value of the modalert log: a quote is an apostrophe, control characters are a blank, and a last backslash is not the end."""
    text = re.sub(CONTROL.pattern + "+", " ", cut(text).replace('"', "'"))
    return text + " " if text.endswith("\\") else text


def test_ten_thousand_varied_events_come_back_whole(tmp_path, monkeypatch):
    """In their order, with every field as it was written and none that was not."""
    chance = varied(4)
    monkeypatch.setattr(logs.time, "time", lambda: clock[0])
    clock, log, wanted = [1769614200.0], Log(str(tmp_path), level="DEBUG"), []
    for _ in range(COUNT):
        clock[0] += chance.random() * 10
        name = chance.choice(sorted(EVENTS))
        given = {field: value(chance) for field in EVENTS[name][3].split() if chance.random() < 0.8}
        if given and chance.random() < 0.1:
            given[chance.choice(sorted(given))] = chance.choice([None, "", 0, 17, 3.5, True])
        log.event(name, **given)
        fields = {key: shown(str(text)) for key, text in given.items() if text not in (None, "")}
        wanted.append((int(clock[0] * 1000), {**fields, "event": name, "log_level": EVENTS[name][0]}))
    found = list(reading.events((tmp_path / FILE).read_bytes(), PROPS))
    assert len(found) == COUNT
    for event, (ms, fields) in zip(found, wanted):
        assert event.fields == fields, event.raw
        assert round(event.time * 1000) == ms


@pytest.mark.parametrize("name", sorted(EVENTS))
@pytest.mark.parametrize("character", ["x", "🛡", "\\", "\x00", "\ud800"], ids=ascii)
def test_the_longest_line_is_read_to_its_end(tmp_path, name, character):
    """Splunk cuts a line at TRUNCATE bytes and looks for fields in 10240 characters: every value as long as it can be fits in."""
    fields = EVENTS[name][3].split()
    given = {field: "x" * 20 if field in SHORT_FIELDS else character * 1000 for field in fields}
    Log(str(tmp_path), level="DEBUG").event(name, **given)
    (event,) = reading.events((tmp_path / FILE).read_bytes(), PROPS)
    assert set(event.fields) == {*given, "event", "log_level"}
    assert len(event.raw.encode("utf-8")) < int(PROPS.get("TRUNCATE", "10000"))


def alert(chance):
    """An alert whose every text comes from outside."""
    texts = {name: value(chance) for name in ("search_name", "sid", "app", "user", "server_host", "rid", "tenant")}
    row = {"orig_sid": value(chance), "orig_rid": [value(chance), "second"]}
    plain = dict.fromkeys(Alert._fields, "")
    return Alert(**{**plain, **texts, "row": row, "action_mode": chance.choice(["saved", "adhoc"]), "send": "first"})


def test_ten_thousand_lines_of_the_modalert_log_come_back_whole(tmp_path):
    """What is changed on purpose is the only difference; a line keeps its fields, and gets none from a value."""
    chance = varied(5)
    log, wanted = Log(str(tmp_path)), []
    for number in range(COUNT // 2):
        one, failure = alert(chance), chance.choice(["", value(chance)])
        log.modaction(modaction.settled(one, "0123456789abcdef0123", [(one.row, failure)], duration_ms=number))
        for signature, status in (
            (modaction.INVOKED, ""),
            (f"Not delivered: {failure}", "failure") if failure else (f"Delivered to tenant {one.tenant}", "success"),
        ):
            wanted.append(modalert_fields(one, signature, status, str(number)))
    found = list(reading.events((tmp_path / logs.MODACTION_FILE).read_bytes(), MODALERT))
    assert len(found) == COUNT
    for event, fields in zip(found, wanted):
        assert event.fields == {key: told(text) for key, text in fields.items() if told(text)}, event.raw


def modalert_fields(one, signature, status, duration):
    """The fields of one line of the modalert log."""
    return {
        "worker": one.server_host,
        "signature": signature,
        "action_name": "parapet_security",
        "search_name": one.search_name,
        "sid": one.sid,
        "orig_sid": one.row["orig_sid"],
        "rid": one.rid,
        "orig_rid": one.row["orig_rid"][0],
        "app": one.app,
        "user": one.user,
        "digest_mode": one.digest_mode,
        "action_mode": one.action_mode,
        "action_status": status,
        "duration": duration,
        "id": "0123456789abcdef0123",
        "tenant": one.tenant,
    }


@pytest.mark.parametrize("character", ["x", "🛡", "\\", '"'], ids=ascii)
def test_the_longest_line_of_the_modalert_log_is_read_to_its_end(tmp_path, character):
    """A firing whose every text is as long as it can be still has its status and its duration."""
    one = alert(varied(6))
    names = ("search_name", "sid", "app", "user", "rid", "server_host", "tenant")
    one = one._replace(
        **dict.fromkeys(names, character * 1000), row=dict.fromkeys(("orig_sid", "orig_rid"), character * 1000)
    )
    log = Log(str(tmp_path))
    log.modaction(modaction.settled(one, "0" * 20, [(one.row, character * 1000)], duration_ms=1))
    for event in reading.events((tmp_path / logs.MODACTION_FILE).read_bytes(), MODALERT):
        assert {"duration", "id", "tenant", "action_mode"} <= set(event.fields), event.raw[:200]


def test_a_line_with_a_field_that_is_not_declared_is_found(tmp_path):
    """Every process test ends with a look at what its processes wrote (tests/conftest.py)."""
    log = Log(str(tmp_path))
    log.event("alert.kept", id="0a", reason='x" search_id="y')
    assert undeclared(tmp_path) == []
    log.event("alert.kept", search_id="0a")
    (tmp_path / (FILE + ".1")).write_text(
        "2026-01-28T15:30:00.123Z WARN event=alert.unheard_of id=1\n", encoding="utf-8"
    )
    assert [text.split(" of: ")[0] for text in undeclared(tmp_path)] == ["search_id", "id"]
