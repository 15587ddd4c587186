"""Makes what the tests of the core work with: payloads, alerts, results files, bodies. Must not hold a test."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import jsonschema
from parapet import alert as alerts
from parapet import message, rows

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "parapet_security" / "bin" / "parapet"
GOLDEN = ROOT / "tests" / "golden"
CONTRACT = ROOT / "tests" / "contract"
WIRE = jsonschema.Draft202012Validator(json.loads((CONTRACT / "wire.schema.json").read_text(encoding="utf-8")))
SID = "scheduler__admin__search__RMD5c0ffee_at_1769614200_42"
FIRING = "2f6c1b0e9d4a7f13c5b8"
EVERY_FIELD = rows.Selector("*", "")


def payload(configuration=None, **changes):
    """What Splunk puts on stdin for the guide's alert, as an object."""
    document = {
        "app": "search",
        "owner": "admin",
        "sid": SID,
        "search_name": "Failed SSH Logins",
        "search_uri": "/servicesNS/admin/search/saved/searches/Failed+SSH+Logins",
        "results_file": "/opt/splunk/var/run/splunk/dispatch/x/results.csv.gz",
        "results_link": "http://sh1:8000/app/search/@go?sid=" + SID,
        "server_host": "sh1",
        "server_uri": "https://127.0.0.1:8089",
        "session_key": "SESSION-KEY-CANARY",
        "result": {"src_ip": "45.227.253.98", "count": "47"},
        "configuration": configuration or {},
    }
    document.update(changes)
    return document


def alert(configuration=None, **changes):
    """The alert that such a payload becomes."""
    return alerts.from_payload(payload(configuration, **changes))[0]


def wrong(configuration):
    """The parameters of a configuration that could not be used."""
    return alerts.from_payload(payload(configuration))[1]


def results(table, *, start="", ending="\n"):
    """A results file from a list of lists, the header first."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=ending, quoting=csv.QUOTE_ALL).writerows(table)
    return gzip.compress((start + text.getvalue()).encode("utf-8", "surrogatepass"))


def read(data):
    """The rows of a results file, and why reading broke off."""
    source = rows.Rows(io.BytesIO(data))
    try:
        return list(source), source.broken
    finally:
        source.close()


def head(found, first_row=None, *, every_row=False, row_count=0, fired_ms=1769614200000, facts=None):
    """The head of an alert's body."""
    row = (found.row or {}) if first_row is None else first_row
    return message.build_head(
        found,
        row,
        every_row=every_row,
        row_count=row_count,
        fired_ms=fired_ms,
        facts=facts or message.Facts(),
    )[0]


def batches(every_row, fixed_head, limit, *, offset=0, index=0, truncated=False, firing=FIRING):
    """All batches from a place on, each acknowledged at once."""
    cutter = message.Cutter(firing, fixed_head, iter(every_row[offset:]), EVERY_FIELD, offset=offset, index=index)
    found = []
    while not found or not found[-1].last:
        found.append(cutter.batch(cutter.cut(limit), truncated=truncated))
        cutter.done(found[-1].rows, batches=1)
    return found


def decoded(batch):
    """A batch's body, which keeps the wire's schema."""
    document = json.loads(batch.body.decode("utf-8"))
    WIRE.validate(document)
    return document
