"""Hostile results files and a damaged outbox under the real action: its exit code, its lines, and what the tenant gets."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.fuzz import place
from tests.process.driver import encode, payload, run_action
from tests.scene import decode, failed_logins

TABLE = b"host,__mv_user,user\nweb,$a$;$b$$c$,a\ndb,,x\n"
# What the action may take: some hundred MiB of it are address space that threads reserve.
PROCESS_BYTES = 1536 << 20


def limited():
    """In the child: no more memory than this, so that a file without an end would end the process."""
    place.resource.setrlimit(place.resource.RLIMIT_AS, (PROCESS_BYTES, PROCESS_BYTES))


@pytest.mark.parametrize(
    ("file", "rows", "truncated"),
    [
        (gzip.compress(TABLE), 2, False),
        (gzip.compress(TABLE)[:-6], 2, True),
        (gzip.compress(TABLE) + b"no gzip", 2, True),
        (gzip.compress(TABLE) + gzip.compress(b"a" * (64 << 20), 1) * 32, 2, True),
        (gzip.compress(TABLE + b"one,two,three,four,five\n\0\0\nweb"), 4, False),
        (gzip.compress("\ufeffhost\nwéb\n".encode("latin-1", "replace")), 1, False),
        (gzip.compress(b"host"), 0, False),
        (b"", 1, False),
        (b"\x1f\x8b\x08", 1, False),
    ],
    ids=["whole", "cut", "more behind it", "bomb", "ragged", "latin-1", "no rows", "empty", "only the start"],
)
def test_a_hostile_results_file_costs_no_alert(scene, file, rows, truncated):
    """Every row before a break goes; of a file that cannot be read the first row of the payload."""
    search = failed_logins(params={"send": "all"})
    document = payload(scene, search, result_count=str(rows))
    document["configuration"].pop("result_count", None)
    Path(document["results_file"]).write_bytes(file)
    ended = run_action(scene, encode(document), before=limited if place.resource else None)
    assert ended.exit_code == 0, ended.stderr
    assert all(event != "process.bug" for _, event in ended.lines)
    assert scene.tenant.refusals == []
    (body,) = [decode(record) for record in scene.tenant.accepted]
    assert len(body["results"]) == rows
    assert body["batch"].get("truncated", False) is truncated


def test_a_damaged_outbox_keeps_no_alert_from_going(scene):
    """What cannot be read is a dead letter, and the alert that was put beside it is delivered."""
    scene.outbox.mkdir(parents=True)
    for folder in ("new", "pending", "dead", "holds", "requests"):
        (scene.outbox / folder).mkdir()
    for number, data in enumerate((b"", b"{}\n", b"\xff" * 9, b'{"v":1,"alert":{"row":[]}}\n', b"[" * 9999 + b"\n")):
        (scene.outbox / "new" / f"{1769614200000 + number}-0123456789abcdef0123.alert").write_bytes(data)
    (scene.outbox / "holds" / "main.json").write_bytes(b'{"v": 1, "kind": [], "until_ms": "x", "attempts": -1}')
    (scene.outbox / "usage").write_bytes(b'{"bytes": [], "max": {}}')
    ended = run_action(scene, encode(payload(scene, failed_logins())))
    assert ended.exit_code == 0, ended.stderr
    assert all(event != "process.bug" for _, event in ended.lines)
    assert len(scene.tenant.accepted) == 1
    assert sorted(path.name for path in (scene.outbox / "new").iterdir()) == []
    assert len([path for path in (scene.outbox / "dead").iterdir() if path.suffix == ".alert"]) == 5
