"""Targets at the action's side: stdin, results files, the guide's own form, and rows of Enterprise Security. Must not deliver anywhere."""

from __future__ import annotations

import gzip
import io
import json

from parapet import capture, guide, message, notable, severity
from parapet.alert import clean_row
from parapet.errors import Exit, ParapetError, RowsUnreadable
from parapet.holder import Holder
from parapet.lock import Lock
from parapet.log import Log
from parapet.memory import MemoryHolder
from parapet.outbox import Outbox
from parapet.rows import GivenRows, Rows, Selector, decode_multivalue, is_public

from tests.core.make import WIRE, alert
from tests.fuzz.place import joined, parts, place, promise
from tests.fuzz.promises import bodies, lines_are_whole, one_line, stays_secret

FIRING = "0123456789abcdef0123"
NAME = "1769614200000-" + FIRING
# More than a head can be made of by a row: each of its texts and annotations has a limit of its own.
_SECURITY_MOST = 1 << 20


def stdin(data):
    """The payload of Splunk: stored and of the wire's form, or refused with exit code 3 (4 for a tenant's name), in one line."""
    here, stderr = place(), io.StringIO()
    holder = Lock(str(here.outbox / "lock"))
    promise(holder.try_acquire(), "the outbox's lock is free in this process")
    try:
        code = capture.main(["parapet_security.py", "--execute"], io.BytesIO(data), stderr, here.env)
    finally:
        holder.release()
    events = lines_are_whole(stderr.getvalue())
    stored = here.files()
    _hides_what_is_secret(data, stderr.getvalue().encode("utf-8", "replace"), here.told(), *stored.values())
    if code == Exit.STDIN:
        promise(events == ["action.refused"] and not stored, "what is refused is neither kept nor told twice")
        return
    promise(code == (Exit.OK if "delivery.dead" not in events else Exit.CONFIGURATION), f"exit code {code}: {events}")
    folder = "new" if code == Exit.OK else "dead"
    (path,) = stored
    promise(path.startswith(folder), "one alert is one file")
    outbox = Holder(Outbox(str(here.outbox)))
    entry = outbox.read(path[len(folder) + 1 : -len(".alert")], folder)
    if code == Exit.OK:
        bodies(entry, lambda: outbox.rows(entry), Log(str(here.logs)))


def _hides_what_is_secret(data, *told):
    try:
        document = json.loads(data.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        return
    given = document.get("configuration") if isinstance(document, dict) else None
    if isinstance(given, dict):
        for secret in (document.get("session_key"), given.get("token"), given.get("webhook_url")):
            stays_secret(secret, data, *told)


def results(data):
    """A results file: the first byte says how it is stored. Rows before a break go, and every body is of the wire's form."""
    file = _stored(data)
    try:
        rows = Rows(io.BytesIO(file))
    except RowsUnreadable as error:
        one_line(" ".join(str(error).split()))
        return
    found = list(rows)
    rows.close()
    for row in found:
        for name, value in row.items():
            promise(is_public(name), f"{name!r} is one of Splunk's own")
            several = isinstance(value, list) and len(value) > 1 and all(value)
            promise(several or (isinstance(value, str) and value), f"{value!r} is no value")
    holder = MemoryHolder(NAME, alert({"send": "all", "result_count": str(len(found))}), captured_ms=1)
    sent = bodies(holder.read(NAME), lambda: Rows(io.BytesIO(file)), Log(), limit=16384)
    promise(sum(len(body["results"]) for body in sent) == len(found), "every row goes once")
    promise([body["batch"]["last"] for body in sent] == [False] * (len(sent) - 1) + [True], "one last batch")
    promise(not rows.broken or sent[-1]["batch"].get("truncated"), "what is broken is said to be truncated")


def _stored(data):
    kind, text = data[:1], data[1:]
    if kind == b"z":
        return text
    packed = gzip.compress(text, 1)
    if kind == b"c":
        return packed[: len(packed) - 1 - len(text) % 16]
    if kind == b"f":
        place_of_fault = sum(text) % len(packed)
        return packed[:place_of_fault] + bytes([packed[place_of_fault] ^ 0x10]) + packed[place_of_fault + 1 :]
    return packed


def multivalue(data):
    """A value of a `__mv_` column: what is encoded comes back, and what is not in the format is none."""
    text = data.decode("utf-8", "replace")
    values = [value for value in text.split("\n") if value]
    encoded = ";".join("${}$".format(value.replace("$", "$$")) for value in values)
    wanted = values if len(values) > 1 else "".join(values)
    promise(decode_multivalue(encoded) == wanted, "what is encoded does not come back")
    found = decode_multivalue(text)
    several = isinstance(found, list) and len(found) > 1 and all(found)
    promise(several or isinstance(found, str), "neither a value nor several")
    wanted_names, unwanted_names, name = (parts(data, 3)[index].decode("utf-8", "replace") for index in range(3))
    select = Selector(wanted_names, unwanted_names)
    promise(not select[name] or is_public(name), "Splunk's own fields never travel")
    promise(select["a"] in (True, False), "a field travels or not")


def guides_form(data):
    """The guide's form: a settings file, and a payload on stdin. The token is in no problem."""
    settings_file, payload = parts(data, 2)
    here = place()
    path = here.home / "settings"
    path.write_bytes(settings_file)
    try:
        values = guide._read(str(path))
        found, rows = guide._alert(values, payload)
    except ParapetError as error:
        promise(error.exit_code in (Exit.USAGE, Exit.STDIN), f"exit code {error.exit_code}")
        one_line(" ".join(str(error).split()))
        return
    settings = guide._settings(values)
    stays_secret(
        values.get("param.token"), settings_file, *(text.encode("utf-8", "replace") for text in settings.problems)
    )
    for problem in settings.problems:
        one_line(problem)
    promise(settings.problems or settings.tenants["main"].token, "without a problem there is a token")
    holder = MemoryHolder(NAME, found, captured_ms=1, rows=rows)
    bodies(holder.read(NAME), lambda: holder.rows(holder.read(NAME)), Log())


def security(data):
    """A row of Enterprise Security and its saved search: an object of the wire's form, the same each time, and not without end."""
    row, search = (_object(text) for text in parts(data, 2))
    row = clean_row(row)
    content = {name: value for name, value in search.items() if isinstance(value, str)}
    known = notable.attributes(content)
    first = notable.describe(row, known, Selector("*", ""))
    promise(first == notable.describe(row, known, Selector("*", "")), "another each time")
    promise(len(json.dumps(first)) < _SECURITY_MOST, "a row makes the head too large")
    promise(notable.describe(row, {}, Selector("", "*")) == {}, "what does not travel is used")
    level, _ = severity.resolve(
        "auto", "urgency, severity", content.get("map", ""), row, content.get("alert.severity", "")
    )
    promise(level in severity.LEVELS, level)
    facts = message.Facts(correlation=known, **_facts(content))
    holder = MemoryHolder(NAME, alert()._replace(row=row), captured_ms=1)
    sent = bodies(holder.read(NAME), lambda: GivenRows([]), Log(), facts=facts)
    if first:
        WIRE.validate(sent[0])
        promise("enterprise_security" in sent[0], "what is known goes")


def _facts(content):
    return {
        name: content.get(name, "")
        for name in (
            "search_query",
            "earliest",
            "latest",
            "description",
            "alert_severity",
            "server_guid",
            "server_version",
        )
    }


def _object(text):
    try:
        document = json.loads(text.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def seeds():
    """Inputs to begin with that no sample holds."""
    table = "host,count,__mv_user,user,_time,_raw,_cd\nweb,47,$a$;$b$$c$,a,1769614200.5,x,1\n"
    notable_row = {
        "orig_sid": "s",
        "rule_name": "r",
        "risk_score": "8",
        "risk_object": "h",
        "annotations.mitre_attack": ["T1110"],
    }
    return {
        "security": [joined(json.dumps(notable_row).encode(), found) for found in (b"{}", b'{"action.notable": "1"}')],
        "results": [kind + table.encode() for kind in (b"t", b"c", b"f")] + [b"z" + gzip.compress(table.encode())],
        "multivalue": [b"a\nb$c\nd", joined(b"*, src*", b"_*", b"src_ip"), b"$a$;$b$$c$"],
        "guides_form": [
            joined(
                b"param.webhook_url=https://webhook-us.example/webhook/acme\nparam.token=pst_0123456789abcdef\nsearch_name=s\n"
                b"search_earliest_time=1769614200\nresult_count=2\n",
                payload,
            )
            for payload in (b'{"result": {"a": "1"}}', b'{"results": [{"a": "1"}, {"b": ["x", "y"]}]}')
        ],
    }


TARGETS = {
    "stdin": stdin,
    "results": results,
    "multivalue": multivalue,
    "guides_form": guides_form,
    "security": security,
}
