"""What the action does with a wrong command line and a wrong stdin: one clear line, and an exit code that says whose fault it is."""

from __future__ import annotations

import json

import pytest

from tests.process.driver import encode, payload, run_action
from tests.scene import decode, failed_logins

GOOD = {"sid": "1.2", "search_name": "s", "configuration": {}, "result": {"a": "1"}}


@pytest.mark.parametrize("arguments", [(), ("--foo",), ("-x",), ("--execute", "more"), ("settings", "more"), ("-",)])
def test_wrong_usage_ends_with_2(bare_scene, arguments):
    """One line names the two forms that are documented."""
    ended = run_action(bare_scene, encode(GOOD), arguments=arguments)
    assert ended.exit_code == 2
    assert ended.lines == [("ERROR", "action.refused")]
    assert "--execute" in ended.stderr
    assert not bare_scene.outbox.exists()


@pytest.mark.parametrize(
    "stdin",
    [
        b"",
        b" \n",
        b'<?xml version="1.0"?><alert><sid>1</sid></alert>',
        json.dumps(GOOD).encode()[:-9],
        b"[1, 2]",
        b'"text"',
        b"null",
        b"12",
        b"[" * 100000,
        b'{"configuration":' * 100000,
        b"\x00\xff\xfe" * 1000,
        json.dumps(GOOD).encode("utf-16"),
    ],
    ids=lambda data: repr(data[:12]),
)
def test_stdin_that_is_no_payload_ends_with_3(bare_scene, stdin):
    """One line says what is wrong with it, and nothing is kept."""
    ended = run_action(bare_scene, stdin)
    assert ended.exit_code == 3
    assert ended.lines == [("ERROR", "action.refused")]
    assert "code=stdin_invalid" in ended.stderr
    assert not bare_scene.outbox.exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("configuration", ...),
        ("configuration", None),
        ("configuration", []),
        ("configuration", "x"),
        ("configuration", 1),
        ("result", "x"),
        ("result", ["x"]),
        ("result", 3),
        ("result", True),
    ],
)
def test_payload_of_a_wrong_shape_ends_with_3(bare_scene, key, value):
    """The line names the key."""
    document = {**GOOD, key: value}
    if value is ...:
        del document[key]
    ended = run_action(bare_scene, encode(document))
    assert ended.exit_code == 3
    assert ended.lines == [("ERROR", "action.refused")]
    assert key in ended.stderr


def test_twenty_megabytes_of_garbage_end_with_3(bare_scene):
    """And what is said about them stays short."""
    ended = run_action(bare_scene, b"\x7f{garbage" * (20 * 1024 * 1024 // 9))
    assert ended.exit_code == 3
    assert ended.lines == [("ERROR", "action.refused")]
    assert len(ended.stderr) < 1000


def test_invalid_utf_8_loses_no_alert(scene):
    """Bytes that are not UTF-8 become replacement characters; the alert goes."""
    document = payload(scene, failed_logins())
    ended = run_action(scene, encode(document).replace(b"web-server-01", b"web\xff\xfeserver"))
    assert ended.exit_code == 0, ended.stderr
    (request,) = scene.tenant.accepted
    assert decode(request)["results"]["host"] == "web\ufffd\ufffdserver"


@pytest.mark.parametrize(
    "changes",
    [
        {"sid": 1769614200, "search_name": None},
        {"sid": {"a": [1]}, "app": ["x"], "owner": True},
        {"result": {"deep": [[["x"]], {"a": {"b": "c"}}], "n": 1.5, "t": True, "none": None, "": "nameless"}},
        {"result": {"lone": "\ud800", "nul": "a\0b", "lines": "a\r\nb\u2028c"}},
        {"result": {}},
        {"results_file": "/does/not/exist.csv.gz", "configuration": {"send": "all"}},
        {"results_file": "/dev", "configuration": {"send": "all"}},
        {
            "configuration": {
                "tenant": None,
                "send": 3,
                "severity": ["high"],
                "fields": {"a": "b"},
                "trigger_time": True,
            }
        },
        {"search_uri": "http://localhost/x", "server_host": 7},
    ],
    ids=",".join,
)
def test_odd_but_readable_payload_is_delivered(scene, changes):
    """An alert is never lost to a value of an unexpected type: it goes as what it says."""
    ended = run_action(scene, encode(payload(scene, failed_logins(), **changes)))
    assert ended.exit_code == 0, ended.stderr
    assert all(level in ("INFO", "WARN") for level, _ in ended.lines), ended.stderr
    assert len(scene.tenant.accepted) == 1
    assert scene.tenant.refusals == []
