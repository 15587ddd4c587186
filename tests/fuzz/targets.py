"""Every target by name, with the inputs to begin with. Must not run one."""

from __future__ import annotations

import json
from pathlib import Path

from tests.core.make import CONTRACT, payload
from tests.fuzz import alerts, answers, host

CORPUS = Path(__file__).resolve().parent / "corpus"
TARGETS = {**alerts.TARGETS, **answers.TARGETS, **host.TARGETS}


def corpus(name):
    """The inputs that were kept for a target: what was found once, by file name."""
    folder = CORPUS / name
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())} if folder.is_dir() else {}


def seeds(name):
    """The inputs to begin with: samples of the contract, what the modules give, and the corpus."""
    found = list(corpus(name).values())
    for module in (alerts, answers, host):
        found += module.seeds().get(name, [])
    if name == "stdin":
        found += [json.dumps(payload({"send": "all", "severity": "high"})).encode(), json.dumps(payload()).encode()]
    if name in ("stdin", "security", "splunkd_json", "guides_form"):
        found += [path.read_bytes() for path in sorted((CONTRACT / "samples").glob("*.json"))]
    return found
