"""The outbox's file formats as values: an alert's header line and a delivery's state. Must not touch a file.

Header, version 1: the first line of a `.alert` file is a JSON object, ASCII, ending in a newline:
    v           1
    rows        true when the bytes after the line are the results file (gzip CSV), exactly as Splunk wrote it
    captured_ms the clock when the action ran, only to have a time where Splunk gave none; in no name and in no id
    fault       why the alert was put into dead/ at once, or ""
    alert       the fields of `alert.Alert`
State, version 1: a `.state` file is lines of JSON. The first is fixed for the life of the entry and on disk before the first attempt:
    v           1
    head        all of the body but `id`, `results` and `batch`
Each line after it is all of the progress made so far; the last whole one counts. A newline stands before each as well as after it, so that
a line cut off by a crash or a full disk loses one step only; empty lines mean nothing.
A reader ignores keys that it does not know; what it cannot do without them gets a new version.
"""

from __future__ import annotations

import json
from collections import namedtuple

from .alert import Alert
from .errors import EntryBroken, EntryTooNew

VERSION = 1
# A header holds one row; Splunk's own limits keep rows far below this. What has no newline by then is no header.
HEADER_MAX_BYTES = 256 * 1024 * 1024
# No number of ours is near it, and milliseconds up to it are still in a year of four digits.
_NUMBER_MOST = 10**14

Header = namedtuple("Header", ["alert", "rows", "captured_ms", "fault"])
Header.__doc__ = """An alert as it is stored: `alert` (Alert), `rows` (bool), `captured_ms` (int), `fault` (str)."""

State = namedtuple(
    "State",
    [
        "head", "limit", "attempts", "rows", "batches", "skipped",
        "refusals", "refused_since_ms", "others_went", "not_before_ms", "error",
    ],
)  # fmt: skip
State.__doc__ = """How far the delivery of one entry is.

Attributes:
    head: all of the body but `id`, `results` and `batch`; fixed before the first attempt.
    limit: the most bytes of one body; only a 413 changes it.
    attempts: how often a body of this entry was sent and not accepted.
    rows, batches: how many rows and batches the tenant has acknowledged (skipped rows count as rows).
    skipped: how many rows were set aside as dead letters of their own.
    refusals, refused_since_ms: answers that make an entry wait by itself, in a row, and when the first came.
    others_went: whether other entries of the tenant were accepted since then.
    not_before_ms: wall clock before which it is not tried.
    error: the last reason, in words for a person.
"""
_PROGRESS = State._fields[1:]


def new_state(head: dict[str, object], limit: int) -> State:
    """The state of an entry that was never tried."""
    return State(
        head,
        limit,
        attempts=0,
        rows=0,
        batches=0,
        skipped=0,
        refusals=0,
        refused_since_ms=0,
        others_went=False,
        not_before_ms=0,
        error="",
    )


def header_line(header: Header) -> bytes:
    """The first line of a `.alert` file."""
    document = {
        "v": VERSION,
        "rows": header.rows,
        "captured_ms": header.captured_ms,
        "fault": header.fault,
        "alert": header.alert._asdict(),
    }
    return json.dumps(document, separators=(",", ":")).encode("ascii") + b"\n"


def parse_header(line: bytes) -> Header:
    """Read the first line of a `.alert` file.

    Raises:
        EntryBroken: it is not in the format.
        EntryTooNew: it is in a later version of the format.
    """
    document = _object(line if line.endswith(b"\n") else b"")
    known = document.get("alert")
    if not isinstance(known, dict):
        raise EntryBroken("its header holds no alert")
    row = known.get("row")
    values = {name: known.get(name, "") for name in Alert._fields if name != "row"}
    if not (row is None or _is_row(row)) or not all(isinstance(value, str) for value in values.values()):
        raise EntryBroken("its header holds a field of a wrong type")
    return Header(
        Alert(row=row, **values),
        document.get("rows") is True,
        _int(document, "captured_ms"),
        str(document.get("fault") or ""),
    )


def state_lines(state: State) -> tuple[bytes, bytes]:
    """The fixed first line of a `.state` file, and a line of progress to append."""
    progress = {name: getattr(state, name) for name in _PROGRESS}
    return _line({"v": VERSION, "head": state.head}), b"\n" + _line(progress)


def parse_state(data: bytes) -> State | None:
    """Read a `.state` file.

    Returns:
        The state, or None where even its first line is not whole: then no attempt was made with it.

    Raises:
        EntryTooNew: it is in a later version of the format.
    """
    lines = data.split(b"\n")[:-1]
    try:
        head = _object(lines[0] if lines else b"").get("head")
    except EntryBroken:
        return None
    progress: dict[str, object] = {}
    for line in reversed(lines[1:]):
        try:
            progress = _object(line, versioned=False)
            break
        except EntryBroken:
            continue
    if not isinstance(head, dict) or _int(progress, "limit") <= 0:
        return None
    values = {name: _int(progress, name) for name in _PROGRESS if name not in ("error", "others_went")}
    return State(
        head=head, error=str(progress.get("error", "")), others_went=progress.get("others_went") is True, **values
    )


def _object(line: bytes, *, versioned: bool = True) -> dict[str, object]:
    try:
        document = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise EntryBroken("it is not a line of JSON") from error
    if not isinstance(document, dict):
        raise EntryBroken("it is not a JSON object")
    version = document.get("v", 0) if versioned else VERSION
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise EntryBroken("it carries no version")
    if version > VERSION:
        raise EntryTooNew(f"it is in format {version}, this app reads up to {VERSION}: upgrade the app on this host")
    return document


def _is_row(row: object) -> bool:
    return isinstance(row, dict) and all(
        isinstance(v, str) or (isinstance(v, list) and all(isinstance(i, str) for i in v)) for v in row.values()
    )


def _int(document: dict[str, object], name: str) -> int:
    value = document.get(name, 0)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _NUMBER_MOST else 0


def _line(document: dict[str, object]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode("ascii") + b"\n"
