"""From the payload on an alert action's stdin to a frozen record of what will be needed later.

Must not keep anything that is not on its list: never `session_key`, never a token, never `webhook_url`. Pure, and quick to
import: every alert pays for it (so namedtuple, where `dataclasses` or `typing` would cost more than all the work here).
"""

from __future__ import annotations

import json
import re
from collections import namedtuple

from . import digest
from .errors import StdinError
from .severity import LEVELS, parse_map

Alert = namedtuple(
    "Alert",
    # One literal list, so that type checkers know the fields; the slices below name its parts.
    [
        "tenant", "send", "severity", "severity_fields", "severity_map", "fields", "exclude_fields",
        "alert_severity", "trigger_time", "search_query", "earliest", "latest", "result_count", "description", "view_link", "server_guid",
        "app", "owner", "sid", "search_name", "search_uri", "results_link", "results_file", "result_id", "server_host",
        "user", "action_mode", "digest_mode", "rid", "orig_sid", "orig_rid", "row",
    ],
)  # fmt: skip
Alert.__doc__ = """One firing of one alert, as Splunk told it.

Every field is a string, "" where Splunk said nothing, but for:
    row: the first row as {field: string or list of strings}, or None when the search had none.
"""

USER_PARAMS = Alert._fields[:7]
# Filled in by Splunk from tokens (contract: tokens in params): left in place or empty, they mean "not known".
TOKEN_PARAMS = Alert._fields[7:16]
_PAYLOAD = Alert._fields[16:25]
DEFAULTS = {
    "tenant": "main",
    "send": "first",
    "severity": "auto",
    "severity_fields": "urgency, severity",
    "fields": "*",
}
CHOICES = {"send": ("first", "all"), "severity": ("auto", *LEVELS)}

TENANT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")
_UNRESOLVED = re.compile(r"\$[^$\s]+\$\Z")
# The last `_at_` counts: users, apps and searches, whose names may hold another, stand before it.
_SID_TIME = re.compile(r"(?:.*_at_)?([0-9]{9,10})(?:[._]|\Z)", re.DOTALL)
_EPOCH = re.compile(r"([0-9]{9,10})(?:\.([0-9]{1,9}))?\Z")


def parse(stdin: bytes) -> tuple[Alert, list[tuple[str, str, str]]]:
    """Read a payload.

    Args:
        stdin: one JSON document in UTF-8, as `payload_format = json` makes Splunk send it.

    Returns:
        The alert, and the parameters that could not be used, each as (name, value, what counts instead).

    Raises:
        StdinError: it is not JSON, or not of the shape that Splunk sends.
    """
    try:
        payload = json.loads(stdin.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        what = "is empty" if not stdin.strip() else f"is not JSON ({_short(error)})"
        raise StdinError(f"stdin {what}; check that [parapet_security] has payload_format = json") from error
    return from_payload(payload)


def from_payload(payload: object) -> tuple[Alert, list[tuple[str, str, str]]]:
    """Read a payload that is parsed already; see `parse`."""
    if not isinstance(payload, dict):
        raise StdinError(f"stdin must hold a JSON object, not {_kind(payload)}")
    configuration = payload.get("configuration")
    if not isinstance(configuration, dict):
        raise StdinError(f"`configuration` on stdin must be an object, not {_kind(configuration)}")
    row = payload.get("result")
    if row is not None and not isinstance(row, dict):
        raise StdinError(f"`result` on stdin must be an object or null, not {_kind(row)}")
    try:
        return _from_object(payload, configuration, row)
    except RecursionError as error:
        raise StdinError("stdin holds objects that are nested too deep") from error


def _from_object(
    payload: dict[str, object], configuration: dict[str, object], row: dict[str, object] | None
) -> tuple[Alert, list[tuple[str, str, str]]]:
    values = {name: _text(payload.get(name)) for name in _PAYLOAD}
    values.update({name: _token(configuration.get(name)) for name in TOKEN_PARAMS})
    params, wrong = _params(configuration)
    values.update(params)
    first = clean_row(row or {})
    sid = values["sid"]
    return (
        Alert(
            user=_text(payload.get("user")) or values["owner"],
            # As the CIM library tells them apart, so that Enterprise Security reads the same words from us.
            action_mode="saved" if "scheduler" in sid else "adhoc",
            digest_mode="0" if values["result_id"] or "per_result_alert" in values["results_file"] else "1",
            rid=values["result_id"] or "0",
            orig_sid=_first(first.get("orig_sid")),
            orig_rid=_first(first.get("orig_rid")),
            row=None if row is None else first,
            **values,
        ),
        wrong,
    )


def clean_row(row: dict[str, object]) -> dict[str, str | list[str]]:
    """A row as Splunk's JSON has it, as {field: string or list of strings}; what is empty is left out."""
    return {name: value for name, value in ((str(k), _value(v)) for k, v in row.items()) if value != ""}


def firing_id(alert: Alert, content: str) -> str:
    """The id of this firing: the same for the same firing, another for other content or other settings that change the body.

    Args:
        alert: the alert.
        content: a digest of the results file, or "" where only the first row travels.

    Returns:
        20 hexadecimal digits.
    """
    identity = [alert.sid, alert.search_name, alert.result_id, content, alert.row if not content else None]
    identity += [getattr(alert, name) for name in USER_PARAMS + TOKEN_PARAMS]
    return digest.short(json.dumps(identity, sort_keys=True))


def trigger_ms(alert: Alert) -> int:
    """When the alert fired, in milliseconds since the epoch: Splunk's own word, else the sid's; 0 where neither tells. Never the clock."""
    told = _EPOCH.match(alert.trigger_time)
    if told:
        # Digit by digit: a float would round up to a number that has no place in thirteen digits.
        return int(told.group(1) + (told.group(2) or "").ljust(3, "0")[:3])
    found = _SID_TIME.match(alert.sid)
    return int(found.group(1)) * 1000 if found else 0


def _params(configuration: dict[str, object]) -> tuple[dict[str, str], list[tuple[str, str, str]]]:
    values: dict[str, str] = {}
    wrong: list[tuple[str, str, str]] = []
    for name in USER_PARAMS:
        value = _token(configuration.get(name)).strip()
        choices = CHOICES.get(name)
        if choices:
            value = value.lower()
            if value and value not in choices:
                wrong.append((name, value, DEFAULTS[name]))
                value = ""
        values[name] = value or DEFAULTS.get(name, "")
    wrong += [("severity_map", pair, "the pair is left out") for pair in parse_map(values["severity_map"])[1]]
    return values, wrong


def _token(value: object) -> str:
    text = _text(value)
    return "" if _UNRESOLVED.match(text) else text


def _value(value: object) -> str | list[str]:
    if isinstance(value, list):
        return [text for text in map(_text, value) if text] or ""
    return _text(value)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value.replace("\0", "") if "\0" in value else value
    return "" if value is None else json.dumps(value)


def _first(value: object) -> str:
    return str(value[0]) if isinstance(value, list) else str(value or "")


def _kind(value: object) -> str:
    return {dict: "an object", list: "a list", str: "a string", type(None): "nothing"}.get(
        type(value), "a number or a truth value"
    )


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
