"""Says what is wrong with a template before Kibana sends it. Must not change it, nor show a secret that is in it."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from parapet_elastic.rendering.javascript import Thrown, Unsupported, no_constant
from parapet_elastic.rendering.lambdas import WITH_STAND_INS
from parapet_elastic.rendering.lint_names import FEATURES, OLDEST, features
from parapet_elastic.rendering.lint_tags import Finding, Tags, line_of
from parapet_elastic.rendering.mustache_parser import TemplateError, parse
from parapet_elastic.rendering.renderer import pieces
from parapet_elastic.rendering.samples import contexts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from parapet_elastic.rendering.mustache_parser import Token

_TOKEN = re.compile(r"pst_[A-Za-z0-9_\-]{6,}")
_NOT_TRIED = ("EvalMath", "FormatNumber")


def lint(text: str, kibana: tuple[int, int] | None = None) -> list[Finding]:
    """Return what is wrong with a template, by line.

    Args:
        text: The template.
        kibana: The version that it is for; None for all that this package works with.
    """
    found = {replace(each, text=_TOKEN.sub("pst_***", each.text)) for each in _all(text, kibana)}
    return sorted(found, key=lambda each: (each.line, each.level, each.text))


def _all(text: str, kibana: tuple[int, int] | None) -> list[Finding]:
    found = list(_tokens_of_parapet(text))
    try:
        tokens = parse(text)
    except TemplateError as exc:
        said = (
            f"the template cannot be read ({exc}); Kibana would send an error's text instead of a body; mend this tag"
        )
        return [*found, Finding("error", line_of(text, exc.at), said)]
    except Unsupported as exc:
        return [*found, Finding("error", 1, str(exc))]
    found += _features(text, tokens, kibana)
    found += Tags(text, kibana).check(tokens)
    found += _bodies(text)
    return found


def holds_token(text: str) -> bool:
    """Whether there is something in it that looks like a service token."""
    return bool(_TOKEN.search(text))


def _tokens_of_parapet(text: str) -> Iterator[Finding]:
    for token in _TOKEN.finditer(text):
        said = (
            "a service token is written into the template, where everybody who reads rules sees it; "
            "take it out, make a new one, and give that to the connector"
        )
        yield Finding("error", line_of(text, token.start()), said)


def _features(text: str, tokens: Sequence[Token], kibana: tuple[int, int] | None) -> Iterator[Finding]:
    for name, token in features(tokens):
        first = FEATURES[name]
        line = line_of(text, token.start)
        since = "8.18.1" if first == (8, 18) else f"{first[0]}.{first[1]}"
        if kibana is not None and kibana < first:
            said = f"{name} is new in Kibana {since}, and this one is {kibana[0]}.{kibana[1]}; do without it"
            yield Finding("error", line, said)
        elif kibana is None and first > OLDEST:
            yield Finding("warning", line, f"{name} needs Kibana {since} or newer")
        if name in _NOT_TRIED:
            yield Finding(
                "warning", line, f"{name} is something that only Kibana can do; what it gives was not checked"
            )


def _bodies(text: str) -> list[Finding]:
    """Render the template in each situation, and say where that is no JSON, once for each place."""
    wrong: dict[int, tuple[str, list[str]]] = {}
    for situation, variables in contexts().items():
        found: tuple[int, str] | None
        try:
            parts = pieces(text, variables, WITH_STAND_INS)
        except Unsupported as exc:
            line = next((line_of(text, token.start) for name, token in features(parse(text)) if name in str(exc)), 1)
            return [Finding("warning", line, f"the body could not be tried: {exc}. {exc.todo}".rstrip(" ."))]
        except Thrown as exc:
            found = (1, f"Kibana sends an error's text instead of a body ({exc})")
        else:
            found = _problem(text, parts)
        if found is not None:
            wrong.setdefault(found[0], (found[1], []))[1].append(situation)
    return [Finding("error", line, _said(what, where)) for line, (what, where) in wrong.items()]


def _said(what: str, where: list[str]) -> str:
    others = f" and {len(where) - 1} more" if len(where) > 1 else ""
    return f"{what}; seen with {where[0]}{others}"


def _problem(text: str, parts: list[tuple[Token, str]]) -> tuple[int, str] | None:
    twice: list[str] = []

    def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        counts = Counter(key for key, _ in pairs)
        twice.extend(key for key, count in counts.items() if count > 1)
        return dict(pairs)

    body = "".join(part for _, part in parts)
    try:
        value = json.loads(body, object_pairs_hook=object_of, parse_constant=no_constant)
    except json.JSONDecodeError as exc:
        near = " ".join(body[max(0, exc.pos - 20) : exc.pos + 20].split())
        said = f"the body is not valid JSON ({exc.msg} near `{near}`); Parapet Security would get one text instead"
        return _template_line(text, parts, exc.pos), said
    except ValueError as exc:
        return 1, f"the body is not valid JSON ({exc})"
    except RecursionError:
        return 1, "the body is nested too deeply"
    if not isinstance(value, dict):
        return 1, "the body is not a JSON object; put all into { }"
    if twice:
        places = [found.start() for found in re.finditer(re.escape(json.dumps(twice[0])) + r"\s*:", text)]
        said = f'the key "{twice[0]}" is twice in one object, and only the last is kept; give one another name'
        return line_of(text, places[-1]) if places else 1, said
    return None


def _template_line(text: str, parts: list[tuple[Token, str]], pos: int) -> int:
    """Return the template's line that a place in the body comes from: to the line in texts, else where the tag is."""
    for token, part in parts:
        if pos <= len(part):
            inside = part.count("\n", 0, pos) if token.kind == "text" else 0
            return line_of(text, token.start) + inside
        pos -= len(part)
    return line_of(text, len(text.rstrip()))
