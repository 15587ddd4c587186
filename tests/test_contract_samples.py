"""The copied wire contract: its samples keep its schema, and the copies are the originals.

It must not know the product.
"""

from __future__ import annotations

import hashlib
import json
import pathlib

import jsonschema
import pytest

COPY = pathlib.Path(__file__).parent / "contract"
ORIGINAL = pathlib.Path(__file__).parents[2] / "shared" / "contract"
AGREED = "b8e40cf62b68f07ba49e598d64bcb578cf82cbc7caff38532082e6dfc14727bd"
SAMPLES = sorted((COPY / "samples").iterdir())
SCHEMA = json.loads((COPY / "wire.schema.json").read_text(encoding="utf-8"))


def test_the_schema_is_a_schema():
    """wire.schema.json is valid JSON Schema, draft 2020-12."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_there_is_a_sample_of_each_form():
    """First row, every row, and the connection test."""
    assert [sample.name for sample in SAMPLES] == ["every-row.json", "first-row.json", "test.json"]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_keeps_the_schema(sample):
    """Each sample validates."""
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(sample.read_text(encoding="utf-8")))


def test_the_copies_are_what_was_agreed_on():
    """Byte for byte, none missing, none more: who changes the contract changes it for everybody, and the digest too."""
    for folder in filter(pathlib.Path.is_dir, (COPY, ORIGINAL)):  # the original is beside the developers' own tree only
        files = [folder / "wire.schema.json", *sorted((folder / "samples").iterdir())]
        parts = [f"{path.name}:{hashlib.sha256(path.read_bytes()).hexdigest()}" for path in files]
        assert hashlib.sha256("\n".join(parts).encode()).hexdigest() == AGREED, parts
