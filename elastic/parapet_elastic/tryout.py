"""Sends one rendered body through the connector, and explains the answer. Must not send what is no JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parapet_elastic import answers, connector, connector_api, preview, version
from parapet_elastic.errors import Exit
from parapet_elastic.kibana import Refused, Unclear
from parapet_elastic.rendering.javascript import is_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parapet_elastic.kibana import Kibana
    from parapet_elastic.preview import Source
    from parapet_elastic.screen import Screen


def tryout(kibana: Kibana, screen: Screen, connector_id: str, template: str, source: Source) -> Exit:
    """Render as `preview` does, have the connector send it, and say what came of it.

    Returns:
        DONE when it was accepted, else FOUND.

    Raises:
        Unclear: Kibana may have sent it, or not.
        Failure: There is no connector, or Kibana refuses.
    """
    version.read(kibana)
    body = preview.render(kibana, template, source)
    if not is_json(body):
        screen.line("Nothing was sent: the template gives no valid JSON.")
        screen.line("-> `parapet-elastic lint` says where, `parapet-elastic preview` shows it.")
        screen.result({"sent": False, "problem": "no valid JSON"})
        return Exit.FOUND
    answer = _execute(kibana, connector_id, body)
    if answer.get("status") == "ok":
        screen.line(f"Parapet accepted it ({len(body.encode('utf-8', 'replace'))} bytes). It appears there soon.")
        screen.result({"sent": True, "status": "ok"})
        return Exit.DONE
    words = answers.words_of(answer)
    problem, todo = answers.explain(words)
    words = answers.shortened(words)
    screen.line(f"It was not accepted: {problem}.")
    screen.line(f"-> {todo}")
    screen.line(f"Kibana's own words: {words}")
    screen.result({"sent": True, "status": "error", "problem": problem, "todo": todo, "kibana": words})
    return Exit.FOUND


def _execute(kibana: Kibana, connector_id: str, body: str) -> Mapping[str, Any]:
    try:
        # Not tried again by itself: the alert would arrive twice.
        answer = kibana.post(connector.path(connector_id, "/_execute"), {"params": {"body": body}})
    except Unclear as unclear:
        unclear.todo = "Kibana may have sent it: look in Parapet before you run this again."
        raise
    except Refused as refused:
        if refused.status == 404:
            raise connector_api.missing(kibana, connector_id) from None
        raise
    outcome = answers.outcome(answer)
    if outcome is None:
        raise Unclear(
            "Kibana's answer to the test is not what its API promises",
            exit=Exit.UNREACHABLE,
            todo="It may have sent it: look in Parapet before you run this again.",
        )
    return outcome
