"""Renders a webhook's body as Kibana does. Must not read or send anything, nor guess where it cannot know.

Written after what Kibana does (x-pack/platform/plugins/shared/actions/server/lib/mustache_renderer.ts), not from it:
the variables are read back from their JSON, names with a dot are made objects, an object's text is its JSON, an array
has `asJSON`, and `{{name}}` is escaped for the inside of a JSON string.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parapet_elastic.rendering import javascript as js
from parapet_elastic.rendering.lambdas import LAMBDAS
from parapet_elastic.rendering.mustache import Context, render_tokens
from parapet_elastic.rendering.mustache_parser import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parapet_elastic.rendering.mustache_parser import Token


def render(template: str, variables: Mapping[str, Any]) -> str:
    """Return the body that Kibana's webhook connector sends for a template and its variables.

    A template that mustache.js cannot render gives the text that Kibana then sends instead of a body.

    Raises:
        Unsupported: It has something in it that cannot be had here, such as EvalMath.
    """
    try:
        body = "".join([text for _, text in pieces(template, variables)])
    except js.Thrown as exc:
        body = f'error rendering mustache template "{template}": {exc}'
    return js.joined(body)


def pieces(
    template: str, variables: Mapping[str, Any], lambdas: Mapping[str, Any] = LAMBDAS
) -> list[tuple[Token, str]]:
    """Return what each of a template's outer tokens is rendered to, for who asks where a text comes from.

    Args:
        template: As for `render`.
        variables: As for `render`.
        lambdas: Others than Kibana's, for who only looks whether the rest is well.

    Raises:
        Thrown: mustache.js throws.
        Unsupported: As for `render`.
    """
    augmented = js.parsed(variables)
    _expand(augmented)
    _bare(augmented)
    # Kibana puts the lambdas into the same object, under the variables; `{{.}}` still shows the variables only.
    context = Context(augmented, Context(lambdas))
    return [(token, render_tokens([token], context, template, _escape)) for token in parse(template)]


def _escape(value: Any) -> str:
    return js.quote(js.text(value))[1:-1]


def _expand(value: Any) -> None:
    """Give each object what its dotted names say: {"a.b": 1} becomes {"a.b": 1, "a": {"b": 1}}."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        if isinstance(key, str) and "." in key:
            js.merge(value, js.nested(key, value[key]))
        if isinstance(value[key], (dict, list)):
            _expand(value[key])
    # A list's own properties come after its elements, and none of their names has a dot.
    for item in value.named.values() if isinstance(value, js.JsArray) else ():
        if isinstance(item, (dict, list)):
            _expand(item)


def _bare(value: Any) -> None:
    """Take from an array's named properties what Kibana does not give to them: it walks the elements only."""
    if isinstance(value, js.JsArray):
        value.named = js.bared(value.named)
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, (dict, list)):
            _bare(item)
