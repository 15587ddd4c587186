"""Tests of the app's log: its lines, its catalogue, its file. They must not need a process."""

from __future__ import annotations

import io
import os
import re
import stat
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parapet import log as logs
from parapet.log import EVENTS, FILE, LEVELS, MODACTION_FILE, Log
from parapet.modaction import ACTION, INVOKED

from tests.core.log_calls import calls, modules

TOKEN = "pst_CANARY0123"
PAIR = re.compile(r'(?:^| )([a-z_]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s",=\\;&]+))(?= |$)')
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


def line(name="delivery.delivered", hide=(), **fields):
    """One event as it stands on stderr."""
    stderr = io.StringIO()
    log = Log("", stderr, stderr_level="DEBUG")
    log.hide(list(hide))
    log.event(name, **fields)
    return stderr.getvalue()


def pairs(text):
    """A line's pairs, as KV_MODE = auto_escaped has them; AssertionError where anything else is on it."""
    level, _, rest = text.rstrip("\n").partition(" ")
    assert level in LEVELS
    found = list(PAIR.finditer(rest))
    assert "".join(match.group() for match in found) == rest
    return {match.group(1): unescape(match.group(2)) if match.group(3) is None else match.group(3) for match in found}


def unescape(text):
    """A quoted value as it was before."""

    def character(match):
        code = match.group(1) or match.group(2)
        return chr(int(code, 16)) if code else ESCAPES[match.group(3)]

    return re.sub(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|(.))", character, text)


def written(folder):
    """The lines of the file."""
    return (folder / FILE).read_bytes().decode("utf-8").split("\n")[:-1]


@given(st.text(min_size=1, max_size=200))
def test_any_value_survives(value):
    """On one line, whatever counts as a line's end."""
    text = line(reason=value, rows=3)
    assert text.splitlines(keepends=True) == [text]
    assert pairs(text) == {"event": "delivery.delivered", "reason": value, "rows": "3"}


@pytest.mark.parametrize(
    "value",
    [
        "a\rb\nc",
        "\r\nFATAL event=alert.lost",
        "a\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029b",
        "\x1b[31mred\x1b[0m \x9b31m",
        "\0",
        'say "a" \\ b\\',
        "\\n",
        "x event=alert.lost",
        "a=b,c;d&e|f",
        "\ud800\udfff",
        "🛡",
        "{'a': [1]}",
    ],
    ids=ascii,
)
def test_nobody_writes_a_line_of_his_own(value):
    """Text from a search's results is in names and reasons; it stays within its value, without control characters."""
    text = line(search=value)
    assert pairs(text) == {"event": "delivery.delivered", "search": value}
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", text)
    assert text.count("\n") == 1


def test_a_plain_value_stands_as_it_is():
    """Ids, numbers, words and URLs need no quotes."""
    assert line(id="0a1b", rows=0, ok=False, url="https://h:1/webhook/x", at="2026-01-28T15:30:00Z") == (
        "INFO event=delivery.delivered id=0a1b rows=0 ok=False url=https://h:1/webhook/x at=2026-01-28T15:30:00Z\n"
    )


def test_what_is_not_known_is_left_out():
    """None and the empty string; not zero."""
    assert line(a=None, b="", c=0) == "INFO event=delivery.delivered c=0\n"


def test_a_long_value_is_cut():
    """And says so."""
    found = pairs(line(reason="x" * 100000))["reason"]
    assert found == "x" * 600 + "…"


@pytest.mark.parametrize(
    "value",
    [
        TOKEN,
        f"a {TOKEN} b {TOKEN}",
        "x" * 590 + TOKEN,
        "x" * 595 + TOKEN + "y" * 100,
        "\n" * 300 + TOKEN,
        {"token": TOKEN},
        ValueError(TOKEN),
    ],
)
def test_a_secret_is_shown_as_stars(value):
    """Also where the limit of a value's length would cut it in two."""
    text = line(hide=[TOKEN], reason=value)
    assert not [end for end in range(5, len(TOKEN) + 1) if TOKEN[:end] in text]
    assert "*" in text or "…" in text


@pytest.mark.parametrize("secret", ['pa"ss\\word', "pass'word\\", "p\u00e4sswort", "pass\nword", "a\\\\bcdef"])
def test_a_secret_with_characters_that_are_escaped_is_hidden_too(secret):
    """As it is, and as a message shows it."""
    for value in (secret, repr(secret), f"wrong password {secret!r}", [secret]):
        text = pairs(line(hide=[secret], reason=value))["reason"]
        assert secret not in text
        assert repr(secret)[1:-1] not in text
        assert "***" in text


def test_a_secret_that_is_a_common_word_leaves_the_modalert_log_its_form(tmp_path):
    """Keys and our own words stay, or the data model would find nothing; a value from outside loses it before it is cut."""
    log = Log(str(tmp_path))
    log.hide(["action", "modular", 'pa"ss-word', "success"])
    told = {"signature": INVOKED, "action_name": ACTION, "action_status": "success"}
    log.modaction([{**told, "search_name": 'the action pa"ss-word', "user": "x" * 590 + 'pa"ss-word'}])
    text = (tmp_path / MODACTION_FILE).read_text(encoding="utf-8")
    assert 'signature="Invoking modular action" action_name="parapet_security" action_status="success"' in text
    assert 'search_name="the *** ***" user="' + "x" * 590 + '***"' in text


def test_a_line_that_a_full_disk_cut_off_takes_no_other_along(tmp_path, monkeypatch):
    """The next one, of this process or another, begins on a line of its own."""
    real = os.write
    for cut in (lambda fd, data: real(fd, data[:40]), real, real):
        monkeypatch.setattr(os, "write", cut)
        Log(str(tmp_path)).event("alert.lost", id="abc", reason="full")
    first, second, third = written(tmp_path)
    assert len(first) == 40
    assert second.endswith("FATAL event=alert.lost id=abc reason=full")
    assert third.endswith("FATAL event=alert.lost id=abc reason=full")


def test_of_two_secrets_the_longer_is_hidden_whole():
    """Where one begins with the other."""
    assert pairs(line(hide=[TOKEN[:8], TOKEN], reason=TOKEN))["reason"] == "***"


def test_secrets_add_up_and_nothing_is_no_secret():
    """A token that was replaced may still be in an old error; an empty one is in every text."""
    stderr = io.StringIO()
    log = Log("", stderr)
    log.hide(["old-secret"])
    log.hide(["new-secret", ""])
    log.event("alert.kept", reason="old-secret new-secret")
    assert stderr.getvalue() == 'WARN event=alert.kept reason="*** ***"\n'


def test_the_catalogue_is_closed():
    """Every event that the code writes is in it, and every event in it is written somewhere; its fields: test_log_fields."""
    assert {name for call in calls(modules()) for name in call.events} == set(EVENTS)


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_an_event_has_a_name_a_level_and_a_meaning(name):
    """`noun.verb`; one that somebody must act on says how."""
    level, meaning, todo, _ = EVENTS[name]
    assert re.match(r"[a-z]+\.[a-z_]+\Z", name)
    assert level in LEVELS
    assert meaning
    assert todo or level in ("DEBUG", "INFO") or name in ("results.broken", "results.unreadable", "request.unknown")


def test_an_event_outside_the_catalogue_is_a_fault():
    """A test finds it, not a customer."""
    with pytest.raises(KeyError):
        line("alert.unheard_of")


@pytest.mark.parametrize("least", LEVELS[:4])
def test_levels_are_of_the_file_and_of_stderr_apart(tmp_path, least):
    """What is below is not written, but for the one line that an action has."""
    stderr = io.StringIO()
    log = Log(str(tmp_path), stderr, level=least)
    for name in ("enrichment.failed", "settings.loaded", "alert.kept", "action.refused", "alert.lost"):
        log.event(name)
    log.event("alert.queued", tell=True)
    found = [text.split()[1] for text in written(tmp_path)]
    assert found == [level for level in [*LEVELS, "INFO"] if LEVELS.index(level) >= LEVELS.index(least)]
    assert [text.split()[0] for text in stderr.getvalue().splitlines()] == ["WARN", "ERROR", "FATAL", "INFO"]


@pytest.mark.parametrize("least", LEVELS[:4])
def test_the_state_line_is_written_at_every_level(tmp_path, least):
    """A quiet log must not look like that of a host on which nobody delivers; stderr keeps to its level."""
    stderr = io.StringIO()
    Log(str(tmp_path), stderr, level=least).event("outbox.state", waiting=0)
    assert [text.split()[1:3] for text in written(tmp_path)] == [["INFO", "event=outbox.state"]]
    assert stderr.getvalue() == ""


def test_a_line_of_the_file_begins_with_the_time_in_utc(tmp_path):
    """To the millisecond, as props.conf reads it; the rest is the line of stderr."""
    stderr = io.StringIO()
    log = Log(str(tmp_path), stderr)
    log.event("alert.kept", search="Ünïcode 🛡")
    time, _, rest = written(tmp_path)[0].partition(" ")
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z", time)
    assert datetime.strptime(time, "%Y-%m-%dT%H:%M:%S.%fZ")  # noqa: DTZ007  it ends in Z
    assert rest + "\n" == stderr.getvalue()


def test_the_file_is_for_its_owner(tmp_path):
    """Search names are nobody else's business."""
    Log(str(tmp_path)).event("alert.kept")
    assert os.name != "posix" or stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_a_large_file_is_rotated_and_five_old_ones_are_kept(tmp_path, monkeypatch):
    """The newest is .1; every writer opens the file by its name each time."""
    monkeypatch.setattr(logs, "_MAX_BYTES", 10)
    log, writer = Log(str(tmp_path)), Log(str(tmp_path))
    log.rotate()
    for number in range(8):
        writer.event("alert.kept", id=number)
        log.rotate()
    assert not (tmp_path / FILE).exists()
    names = [f"{FILE}.{number}" for number in range(1, 6)]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert [re.search("id=(.)", (tmp_path / name).read_text()).group(1) for name in names] == ["7", "6", "5", "4", "3"]


def test_a_small_file_is_not_rotated(tmp_path):
    """Ten megabytes are enough for one."""
    log = Log(str(tmp_path))
    log.event("alert.kept")
    log.rotate()
    assert len(written(tmp_path)) == 1


class Closed:
    """A stderr that nobody reads any more."""

    def __init__(self, error):
        """Fail with `error`."""
        self._error = error

    def write(self, text):
        """Fail."""
        raise self._error

    def flush(self):
        """Fail."""
        raise self._error


@pytest.mark.parametrize("error", [BrokenPipeError(), OSError(28, "full"), ValueError("I/O operation on closed file")])
def test_a_log_that_cannot_be_written_never_fails_an_alert(tmp_path, error):
    """The file is a folder, its folder is not there, stderr is closed."""
    (tmp_path / FILE).mkdir()
    for place in (tmp_path, tmp_path / "nowhere"):
        log = Log(str(place), Closed(error))
        log.event("alert.lost", reason="x")
        log.rotate()


def test_a_stderr_that_cannot_show_a_character_still_gets_the_line():
    """Where the locale is C, Python replaces what ASCII does not have; half a character is escaped before."""
    raw = io.BytesIO()
    stderr = io.TextIOWrapper(raw, encoding="utf-8", errors="strict", newline="\n")
    Log("", stderr).event("alert.lost", search="\ud800")
    assert raw.getvalue() == b'FATAL event=alert.lost search="\\ud800"\n'


def test_what_looks_like_a_token_is_hidden_wherever_it_is():
    """Nobody told the log of this one: an analyst pasted it into a field of the form."""
    stream = io.StringIO()
    Log("", stream).event("alert.setting_ignored", setting="param.severity", value="pst_" + "canary0123456789")
    assert "canary" not in stream.getvalue()
    assert "value=***" in stream.getvalue()
