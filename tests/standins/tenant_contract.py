"""What the tenant demands of a request: the wire contract, checked in full.

It must not be kinder than the contract, nor invent a demand that it does not hold.
"""

from __future__ import annotations

import datetime as dt
import json
import pathlib
import re

import jsonschema

CONTRACT = pathlib.Path(__file__).resolve().parent.parent / "contract"
AGENT = re.compile(
    r"parapet-security-splunk/(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}"
    r"(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?"
)
# The guide's own connection test, which people type into curl.
CURL_TEST = {"source": "splunk", "test": True}
ENTERPRISE_SECURITY = {
    "event_id",
    "rule_title",
    "rule_description",
    "security_domain",
    "urgency",
    "risk_score",
    "risk_object",
    "risk_object_type",
    "annotations",
    "drilldown_search",
    "orig_sid",
    "orig_rid",
}
_VALIDATOR = jsonschema.Draft202012Validator(json.loads((CONTRACT / "wire.schema.json").read_text(encoding="utf-8")))


class Refused(Exception):
    """The request breaks the contract.

    Attributes:
        status: The HTTP status that says so.
    """

    def __init__(self, status, why):
        """Keep the status and the sentence."""
        super().__init__(why)
        self.status = status


def refusal_body(refused):
    """The JSON that a Refused is answered with."""
    return {"error": str(refused)}


def check_head(head, *, path, token):
    """Check everything that stands before the body.

    Raises:
        Refused: 405, 404, 401, 415 or 411.
        Malformed: A header came twice, or Content-Length is no number.
    """
    if head.method != "POST":
        raise Refused(405, "POST only")
    if head.target != path:
        raise Refused(404, "no such webhook")
    if head.one("Authorization") != f"Bearer {token}":
        raise Refused(401, "the token is not valid")
    if head.one("Content-Type") != "application/json" or head.one("Content-Encoding") is not None:
        raise Refused(415, "Content-Type must be application/json, and nothing packed")
    if head.one("Transfer-Encoding") is not None or head.length() is None:
        raise Refused(411, "Content-Length is needed")


def check_body(head, raw, *, max_bytes, schema=True):
    """Check the body, and the headers that belong to it.

    Args:
        head: The request's head.
        raw: Its body, bytes.
        max_bytes: The most that this tenant takes.
        schema: Whether to hold the body against the JSON Schema too.

    Raises:
        Refused: 413 or 400.
        Malformed: A header came twice.
    """
    if len(raw) > max_bytes:
        raise Refused(413, f"{len(raw)} bytes, at most {max_bytes} are taken")
    body = parse(raw)
    if schema:
        check_schema(body)
    if body == CURL_TEST and head.one("Idempotency-Key") is None:
        return
    if not AGENT.fullmatch(head.one("User-Agent") or ""):
        raise Refused(400, "User-Agent must be parapet-security-splunk/<version>")
    key = head.one("Idempotency-Key")
    if key is None or not isinstance(body, dict) or key != body.get("id"):
        raise Refused(400, "Idempotency-Key must be there and equal to the body's id")


def parse(raw):
    """The JSON value of `raw`.

    Raises:
        Refused: 400: not UTF-8, not JSON, a key twice, NaN or Infinity, half of a surrogate pair.
    """
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as exc:
        raise Refused(400, f"the body is not UTF-8 JSON: {exc}") from exc
    return value


def _unique(pairs):
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a key came twice in one object")
    return value


def _no_constant(name):
    raise ValueError(f"{name} is not JSON")


def check_schema(body):
    """Hold a parsed body against wire.schema.json and against what wire.md says beyond it.

    Raises:
        Refused: 400, with what is wrong and where.
    """
    error = jsonschema.exceptions.best_match(_VALIDATOR.iter_errors(body))
    if error is not None:
        raise Refused(400, f"at {error.json_path}: {error.message}")
    if "test" in body:
        return
    for name in ("timestamp", "earliest", "latest"):
        _check_time(name, body[name] if name == "timestamp" else body["search"][name])
    for part, values in (("links", body.get("links", {})), ("splunk", body.get("splunk", {}))):
        if "" in values.values():
            raise Refused(400, f"an empty value in {part} should be left out")
    unknown = set(body.get("enterprise_security", ())) - ENTERPRISE_SECURITY
    if unknown:
        raise Refused(400, f"enterprise_security knows no {sorted(unknown)}")
    if isinstance(body["results"], list):
        _check_batch(body)


def _check_time(name, text):
    # The schema's pattern takes the 31st of February, digits of other scripts and a newline at the end.
    pattern = "%Y-%m-%dT%H:%M:%S.%fZ" if text and "." in text else "%Y-%m-%dT%H:%M:%SZ"
    try:
        if text is not None:
            text.encode("ascii")
            dt.datetime.strptime(text, pattern)  # noqa: DTZ007 - the pattern holds the Z
    except ValueError as exc:
        raise Refused(400, f"{name} is not a time: {exc}") from exc


def _check_batch(body):
    batch = body["batch"]
    if body["search_name"] != body["search"]["name"]:
        raise Refused(400, "search_name and search.name differ")
    if batch["rows"] != len(body["results"]):
        raise Refused(400, f"batch.rows is {batch['rows']} for {len(body['results'])} rows")
    if not body["id"].endswith(".{offset}.{rows}".format(**batch)):
        raise Refused(400, "the id of a batch is <firing>.<offset>.<rows>")
    if "truncated" in batch and not batch["last"]:
        raise Refused(400, "truncated belongs to the last batch")
    if batch["rows"] == 0 and not batch["last"]:
        raise Refused(400, "a batch without rows is the last")
