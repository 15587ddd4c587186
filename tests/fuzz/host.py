"""Targets on this host: files of the outbox, lines of the logs, and arguments of the search commands. Must not deliver anywhere."""

from __future__ import annotations

import csv
import io
import itertools
import json
import logging
import sys
import tempfile
import time

from parapet import handler, modaction, rows, search_command
from parapet import log as logs
from parapet.alert import TENANT_NAME, Alert
from parapet.chores import Chores
from parapet.clock import Clock
from parapet.entry import Header, header_line, new_state, parse_header, parse_state, state_lines
from parapet.errors import EntryBroken, EntryTooNew
from parapet.forward import Goal, Turn
from parapet.holder import Holder
from parapet.listing import Listing
from parapet.log import EVENTS, FILE, MODACTION_FILE, Log
from parapet.outbox import Outbox
from parapet.secret import Secret
from parapet.settings import Delivery, Settings, Tenant

from tests.core.make import alert
from tests.fuzz.place import joined, parts, place, promise
from tests.fuzz.promises import LINE, one_line
from tests.spl import reading
from tests.test_log_extractions import MODALERT, PROPS, shown, told

NAME = "1769614200000-0123456789abcdef0123"
KEY = "session-key-canary-7f3a"
TOKEN = "pst_" + "token-canary-51c8"
# splunklib has another limit of its own; in a search command of ours, which imports it first, this one counts.
csv.field_size_limit(rows._VALUE_MOST)

_COMMANDS = {b"edit": search_command.OutboxEdit, b"outbox": search_command.Outbox}
_STEP_S = 0.01
_NUMBERS = ("limit", "attempts", "rows", "batches", "skipped", "refusals", "refused_since_ms", "not_before_ms")


def outbox(data):
    """Files of the outbox: what is damaged lies in dead/ as it was, what is newer stays, the others are listed; none is lost."""
    entry, state, hold, usage = parts(data, 4)
    here = place()
    here.put(f"new/{NAME}.alert", entry)
    for path, content in ((f"pending/{NAME}.state", state), ("holds/main.json", hold), ("usage", usage)):
        if content:
            here.put(path, content)
    found = Outbox(str(here.outbox))
    held, most, role = found.usage()
    promise(
        isinstance(held, int) and isinstance(most, int) and isinstance(role, str), "usage is two numbers and a word"
    )
    clock = _stepping()
    settings = Settings(
        Delivery(), {"main": Tenant("main", "https://localhost/webhook/x", Secret(TOKEN), disabled=True)}
    )
    log = Log(str(here.logs), level="DEBUG")
    _is_listed(found, clock)
    turn = Turn(Holder(found), settings, clock=clock, log=log, enricher=None, user_agent="x", workers=1)
    try:
        chores = Chores(turn, Holder(found), clock, log, role="forwarder", tell=lambda matters: None)
        turn.run(Goal(turn.now() + 2 * _STEP_S, wait=False), chores)
        chores.census()
    finally:
        turn.close()
    files = here.files()
    places = [path for path in files if path.endswith(f"{NAME}.alert")]
    promise(len(places) == 1 and files[places[0]] == entry, f"the alert is not where it belongs: {sorted(files)}")
    promise(places[0].split("/")[0] == _belongs(entry, state), f"{places[0]} is the wrong place")
    _is_listed(found, clock)
    promise(b"process.bug" not in here.told(), "a fault of ours")


def _stepping():
    """A clock on which each look takes some time, so that a turn of one round waits for nothing."""
    looks = itertools.count(1)
    return Clock(time.time, lambda: next(looks) * _STEP_S, lambda: 0.5)


def _belongs(entry, state):
    """The folder in which an entry of a paused tenant ends."""
    try:
        header = parse_header(entry[: entry.find(b"\n") + 1])
        if state:
            parse_state(state)
    except EntryTooNew:
        return "new"
    except EntryBroken:
        return "dead"
    return "pending" if TENANT_NAME.match(header.alert.tenant) else "dead"


def _is_listed(found, clock):
    listing = Listing(Holder(found), None, int(clock.now() * 1000))
    listed = [*listing.entries(), listing.summary()]
    promise(len(listed) == 2, "one entry, one row")
    promise(NAME[14:] == listed[0]["id"], "an entry is listed under its id")
    json.dumps(listed).encode("utf-8")


def formats(data):
    """The formats of the outbox: a value that is read is written and read again as the same, and has no number without a limit."""
    line, state = parts(data, 2)
    try:
        header = parse_header(line + b"\n")
        promise(parse_header(header_line(header)) == header, "a header does not come back")
    except (EntryBroken, EntryTooNew) as error:
        one_line(str(error))
    try:
        found = parse_state(state)
    except EntryTooNew as error:
        one_line(str(error))
        return
    if found is not None:
        promise(all(0 <= getattr(found, name) <= 10**14 for name in _NUMBERS), "a number without a limit")
        promise(parse_state(b"".join(state_lines(found))) == found, "a state does not come back")


def log(data):
    """A value in the log: one line, from which Splunk's extractions take it as it was, and nothing else."""
    name = sorted(EVENTS)[data[0] % len(EVENTS)] if data else "alert.lost"
    values = [
        text.decode("utf-8", "surrogatepass" if _is_whole(text) else "replace") for text in data[1:].split(b"\n--\n")
    ]
    given = dict(zip(EVENTS[name][3].split(), values))
    here, stderr = place(), io.StringIO()
    Log(str(here.logs), stderr, level="DEBUG", stderr_level="DEBUG").event(name, **given)
    found = list(reading.events((here.logs / FILE).read_bytes(), PROPS))
    secretless = {key: shown(logs.mask(text)) for key, text in given.items() if text}
    promise(len(found) == 1, f"{len(found)} events of one")
    wanted = {**{key: text for key, text in secretless.items() if text}, "event": name, "log_level": EVENTS[name][0]}
    promise(found[0].fields == wanted, f"{found[0].fields} instead of {wanted}")
    promise(stderr.getvalue().count("\n") == 1, "more than one line on stderr")
    if name == "delivery.dead":
        promise(LINE.match(stderr.getvalue()[:-1]), stderr.getvalue())
    _modaction(here, values)


def _is_whole(text):
    try:
        text.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _modaction(here, values):
    names = ("search_name", "sid", "app", "user", "server_host", "rid", "tenant")
    texts = dict(zip(names, values + [""] * len(names)))
    one = Alert(**{**dict.fromkeys(Alert._fields, ""), **texts, "row": {"orig_sid": values[0]}, "action_mode": "saved"})
    Log(str(here.logs)).modaction(
        modaction.stored(one, NAME[14:]) + modaction.settled(one, NAME[14:], [({}, values[-1])], duration_ms=1)
    )
    found = list(reading.events((here.logs / MODACTION_FILE).read_bytes(), MODALERT))
    promise(len(found) == 3, f"{len(found)} events of three")
    for event in found:
        promise(event.fields["action_name"] == "parapet_security", "another action's name")
        promise(event.fields["id"] == NAME[14:], "another id")
        promise(
            event.fields.get("search_name", "") == logs.mask(told(one.search_name)) or not one.search_name, event.raw
        )
    promise(found[0].fields.get("action_status") == "pending", "another status")


def command(data):
    """Arguments of a search command: rows or one sentence in the protocol's own form, and nothing else on stdout or stderr."""
    which, *arguments = data.split(b"\n")
    here, before = place(), tempfile.tempdir
    here.put(f"dead/{NAME}.alert", _header())
    made = _COMMANDS.get(which, search_command.Test)()
    info = {
        "args": [text.decode("utf-8", "replace") for text in arguments],
        "raw_args": [],
        "dispatch_dir": str(here.home),
        "sid": "1.2",
        "app": "search",
        "owner": "admin",
        "username": "admin",
        "session_key": KEY,
        "splunkd_uri": "http://127.0.0.1:1",
        "splunk_version": "9.0",
        "search": "%7C",
        "command": "x",
        "maxresultrows": 50000,
        "earliest_time": "0",
        "latest_time": "0",
    }
    metadata = json.dumps({"action": "getinfo", "preview": False, "searchinfo": info}).encode()
    execute = json.dumps({"action": "execute", "preview": False, "finished": True}).encode()
    chunks = b"".join(b"chunked 1.0,%d,0\n%s" % (len(text), text) for text in (metadata, execute))
    streams, stdout = (sys.stderr, search_command.os.environ), _Binary()
    sys.stderr, search_command.os.environ = io.StringIO(), here.env
    logging.disable(logging.CRITICAL)  # splunklib's own, about each command that says no
    try:
        made.process(["parapet"], _Binary(chunks), stdout)
        code = 0
    except SystemExit as ended:
        code = ended.code or 0
    finally:
        said = sys.stderr.getvalue()
        sys.stderr, search_command.os.environ = streams
        logging.disable(logging.NOTSET)
        tempfile.tempdir = before
    promise(code in (0, 1), f"exit code {code}")
    for line in said.split("\n")[:-1]:
        promise(LINE.match(line) and "process.bug" not in line, line)
    _is_protocol(stdout.buffer.getvalue())
    promise(b"a fault of this app" not in stdout.buffer.getvalue(), "a fault of this app")
    promise(KEY.encode() not in stdout.buffer.getvalue() + here.told(), "the session key is shown")


class _Binary(io.TextIOWrapper):
    """A text stream over bytes, as stdin and stdout are."""

    def __init__(self, data=b""):
        """Over these bytes."""
        super().__init__(io.BytesIO(data), encoding="utf-8")


def _is_protocol(data):
    """Chunks of the protocol's second version, from the first byte to the last."""
    promise(data.startswith(b"chunked 1.0,"), f"no chunk: {data[:200]!r}")
    while data:
        head, _, rest = data.partition(b"\n")
        name, metadata, body = head.split(b",")
        promise(name == b"chunked 1.0", f"no chunk: {head[:200]!r}")
        json.loads(rest[: int(metadata)].decode("utf-8"))
        data = rest[int(metadata) + int(body) :]


def deliver_call(data):
    """A call of the deliver handler: a status and an object, whatever the call holds."""
    here = place()
    try:
        request = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        request = {}
    if not isinstance(request, dict):
        return  # splunkd's interface gives an object
    if isinstance(request.get("server"), dict) and request["server"].get("rest_uri"):
        request["server"]["rest_uri"] = "http://127.0.0.1:1"  # nobody else is called
    status, payload = handler.answer(request, here.env)
    promise(status in (200, 405, 500, 503), f"status {status}")
    json.dumps(payload)


def _header():
    return header_line(Header(alert(), rows=False, captured_ms=1769614200000, fault=""))


def seeds():
    """Inputs to begin with."""
    state = b"".join(state_lines(new_state({"timestamp": "2026-01-28T15:30:00Z"}, 1048576)))
    hold = json.dumps(
        {"v": 1, "kind": "wait", "until_ms": int(time.time()) * 1000, "since_ms": 1, "attempts": 2, "reason": "x"}
    ).encode()
    usage = b'{"v": 1, "bytes": 10, "max": 1073741824, "role": "forwarder"}'
    newer = _header().replace(b'"v":1', b'"v":9')
    return {
        "outbox": [
            joined(_header(), state, hold, usage),
            joined(newer, b"", hold, usage),
            joined(_header()[:50], state),
        ],
        "formats": [joined(_header()[:-1], state), joined(b"", state + b'\n{"rows": 5')],
        "log": [b"\x00" + b"\n--\n".join((b"a", b'b"c', b"d=e f", b"\\", b"\xed\xa0\x80", b"pst_0123456789"))],
        "command": [
            b"edit\naction=retry\nid=" + NAME[14:].encode(),
            b"edit\naction=drop\nid=all",
            b"outbox\nsummary=true",
            b"outbox",
            b"test\ntenant=main",
            b"edit\nid=a,b\nlogging_level=DEBUG\nrecord=t",
        ],
        "deliver_call": [
            json.dumps(
                {"method": "POST", "system_authtoken": KEY, "server": {"rest_uri": "https://127.0.0.1:8089"}}
            ).encode(),
            b'{"method": "GET"}',
        ],
    }


TARGETS = {"outbox": outbox, "formats": formats, "log": log, "command": command, "deliver_call": deliver_call}
