"""What Kibana's webhook connector makes of a body."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from parapet_elastic.rendering.renderer import render

_GOLDENS = json.loads((Path(__file__).parents[1] / "contract" / "kibana_renders.json").read_text("utf-8"))


@pytest.mark.parametrize(
    "golden", _GOLDENS["renders"], ids=[f"{each['template']}-{each['context']}" for each in _GOLDENS["renders"]]
)
def test_every_render_of_kibanas_own_renderer_is_reproduced(golden):
    """The same template and variables give the same text, to the byte."""
    body = render(_GOLDENS["templates"][golden["template"]], _GOLDENS["contexts"][golden["context"]])

    assert body == golden["mustache4"] == golden["mustache2"]
