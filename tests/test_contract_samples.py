"""The copied wire contract: its samples keep its schema, and the copies are the originals.

It must not know the product.
"""

from __future__ import annotations

import json
import pathlib

import jsonschema
import pytest

COPY = pathlib.Path(__file__).parent / "contract"
ORIGINAL = pathlib.Path(__file__).parents[2] / "shared" / "contract"
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


@pytest.mark.skipif(not ORIGINAL.is_dir(), reason="a clone without the shared contract beside it")
def test_the_copies_are_the_originals_byte_for_byte():
    """Schema and samples are neither changed nor behind, and none is missing."""
    names = ["wire.schema.json", *(f"samples/{path.name}" for path in sorted((ORIGINAL / "samples").iterdir()))]
    assert sorted(names) == sorted(["wire.schema.json", *(f"samples/{path.name}" for path in SAMPLES)])
    for name in names:
        assert (COPY / name).read_bytes() == (ORIGINAL / name).read_bytes(), name
