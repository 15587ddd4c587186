"""The variables of an alert, built-in or real, and the body that Kibana would send for them. Must not add anything to that body."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parapet_elastic import alert_search, files
from parapet_elastic.editing import rules
from parapet_elastic.errors import Exit, Failure
from parapet_elastic.rendering import renderer, samples, templates, variables
from parapet_elastic.rendering.javascript import is_json
from parapet_elastic.times import stamp

if TYPE_CHECKING:
    from parapet_elastic.kibana import Kibana
    from parapet_elastic.screen import Screen

_LARGEST = 64 * 2**20
# What the command line calls the situations of `samples`.
_SAMPLES = {
    "per-alert": "one alert",
    "sparse": "an alert without event fields",
    "arrays": "an alert with lists",
    "summary": "a summary of 3 alerts",
    "summary-of-1": "a summary of 1 alert",
    "summary-of-0": "a summary of 0 alerts",
    "no-base-url": "one alert without server.publicBaseUrl",
    "summary-no-base-url": "a summary without server.publicBaseUrl",
}


@dataclass(frozen=True)
class Source:
    """Where the variables come from; a built-in alert where nothing is said.

    Attributes:
        context: A file with the variables as a JSON object.
        sample: The name of a built-in alert.
        real: Whether it is the newest alert in Kibana.
        rule_id: With `real`: only an alert of this rule.
    """

    context: str | None = None
    sample: str | None = None
    real: bool = False
    rule_id: str | None = None


def preview(kibana: Kibana | None, screen: Screen, template: str, source: Source) -> Exit:
    """Print exactly the body that Kibana would send, and no line end behind it.

    Args:
        kibana: Where real alerts are; None when none is asked for.
        screen: Where it is printed; with --json as `body` of the document.
        template: A shipped one's name, or a file.
        source: Where the variables come from.
    """
    body = render(kibana, template, source)
    screen.result({"body": body})
    if not is_json(body):
        screen.note("This body is no valid JSON; `parapet-elastic lint` says where.")
    if not screen.json:
        # A lone surrogate cannot be sent either: Node writes U+FFFD for it.
        screen.raw(body.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode())
    return Exit.DONE


def names(screen: Screen) -> Exit:
    """Print the names of the built-in alerts."""
    screen.result({"samples": list(_SAMPLES)})
    screen.table(("name", "what it is"), list(_SAMPLES.items()))
    return Exit.DONE


def render(kibana: Kibana | None, template: str, source: Source) -> str:
    """Return the body for a template and variables.

    Raises:
        Failure: There is no such template, file, sample or alert.
    """
    found = templates.load(template)
    if found.name in templates.SUMMARIES and not (source.context or source.sample or source.real):
        source = Source(sample="summary")
    return renderer.render(found.text, context(kibana, source))


def context(kibana: Kibana | None, source: Source) -> dict[str, Any]:
    """Return the variables. Raises as `render`."""
    if source.context is not None:
        return _read(Path(source.context))
    if source.real and kibana is not None:
        return _newest(kibana, source.rule_id)
    name = source.sample or "per-alert"
    if name not in _SAMPLES:
        raise Failure(f"there is no built-in alert {name}", todo=f"There are: {', '.join(_SAMPLES)}.")
    return samples.contexts()[_SAMPLES[name]]


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(files.read(path, _LARGEST))
    except OSError as exc:
        raise Failure(f"{path} cannot be read: {exc.strerror}") from None
    except (ValueError, RecursionError) as exc:
        where = f":{exc.lineno}:{exc.colno}: {exc.msg}" if isinstance(exc, json.JSONDecodeError) else ""
        raise Failure(f"{path} is no JSON{where}") from None
    if not isinstance(found, dict):
        raise Failure(
            f"{path} is no JSON object",
            todo='It has to hold the variables by name, as in {"rule": {…}, "context": {…}}.',
        )
    return found


def _newest(kibana: Kibana, rule_id: str | None) -> dict[str, Any]:
    space = kibana.access.space
    alert = alert_search.newest(kibana, rule_id)
    if alert is None:
        of = f" of the rule {rule_id}" if rule_id else ""
        raise Failure(
            f"there is no alert{of} in the space {space}", todo="Leave out --real: there are built-in alerts."
        )
    rule = rules.get(kibana, variables.field(alert["_source"], alert_search.RULE))
    if rule is None:
        raise Failure("the rule of the newest alert is gone", todo="Choose another one with --rule-id.")
    place = variables.Place(space, variables.base_url(alert["_source"], space), stamp(datetime.now(timezone.utc)))
    return variables.per_alert(rule, alert, place)
