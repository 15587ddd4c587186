"""What the tenant demands of a request from Elastic. Must not be kinder than contract/wire.md and elastic.schema.json.

Kibana shows of an error's body only `message` (contract/kibana.md section 1), so that is where the reason stands.
"""

from __future__ import annotations

import json
import pathlib

import jsonschema

from tests.standins import tenant_contract
from tests.standins.tenant_contract import Refused, parse

_SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "contract" / "elastic.schema.json"
_VALIDATOR = jsonschema.Draft202012Validator(json.loads(_SCHEMA.read_text(encoding="utf-8")))
TEST = {"source": "elastic", "test": True}
BROKEN = "the payload is one JSON string, because what Kibana rendered is no JSON: your template is broken"

# Method, path, token, Content-Type and Content-Length are those of every tenant.
check_head = tenant_contract.check_head


def refusal_body(refused):
    """Return the JSON that a Refused is answered with."""
    return {"message": str(refused)}


def check_body(_head, raw, *, max_bytes, schema=True):
    """Check the body.

    Raises:
        Refused: 413 or 400.
    """
    if len(raw) > max_bytes:
        raise Refused(413, f"{len(raw)} bytes, at most {max_bytes} are taken")
    body = parse(raw)
    if isinstance(body, str):
        raise Refused(400, BROKEN)
    if not isinstance(body, dict) or body.get("source") != "elastic":
        raise Refused(400, 'the payload must be an object with "source": "elastic"')
    if body != TEST and schema:
        check_schema(body)


def check_schema(body):
    """Raise Refused, 400, where elastic.schema.json does not take a body."""
    error = jsonschema.exceptions.best_match(_VALIDATOR.iter_errors(body))
    if error is not None:
        raise Refused(400, f"at {error.json_path}: {error.message}")
