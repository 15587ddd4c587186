"""Shows which rules send and how, and which of their actions failed lately. Must not change anything."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from parapet_elastic import alert_search, connector_api, shapes, version
from parapet_elastic.answers import shortened
from parapet_elastic.editing import rules
from parapet_elastic.editing.rule_actions import actions_of, body_of, frequency_of, kql_of, ours
from parapet_elastic.errors import Exit
from parapet_elastic.kibana import Refused
from parapet_elastic.rendering import lint, templates
from parapet_elastic.screen import counted

if TYPE_CHECKING:
    from parapet_elastic.editing.rules import Selection
    from parapet_elastic.kibana import Kibana
    from parapet_elastic.rendering.lint_tags import Finding
    from parapet_elastic.screen import Screen

_ERRORS = 100
# What the event log says of an action: "action execution failure: .webhook:the-id: The Name"
# (x-pack/platform/plugins/shared/actions/server/lib/action_executor.ts in elastic/kibana).
_WHOSE = re.compile(r"action execution failure: \.[\w-]+:([^:]+):")
_OUR_BODY = re.compile(r'"template"\s*:\s*"(\w+)/\w+"')
# Actions of Kibana itself are no connectors that anybody could list.
_SYSTEM = "system-connector-"


@dataclass
class Picture:
    """What was seen.

    Attributes:
        connector_id: Ours.
        there: Whether our connector is.
        sending: The rules with an action of ours, as JSON.
        silent: The enabled rules without one: id and name.
        disabled: How many others there are without one.
        dangling: Actions that run a connector that is gone: rule and connector.
        failures: Failed actions: rule, how many, the newest one's time and words.
        broken: Rules whose template has errors: rule, line, the first error, and how many more.
        unseen: Why failed actions could not be read; empty when they could.
    """

    connector_id: str
    there: bool
    sending: list[dict[str, Any]] = field(default_factory=list)
    silent: list[dict[str, str]] = field(default_factory=list)
    disabled: int = 0
    dangling: list[dict[str, str]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    broken: list[dict[str, Any]] = field(default_factory=list)
    unseen: str = ""

    @property
    def fine(self) -> bool:
        """Whether nothing needs a look."""
        twice = any(len(each["actions"]) > 1 for each in self.sending)
        return bool(self.there and self.sending) and not (self.dangling or self.failures or self.broken or twice)


def status(kibana: Kibana, screen: Screen, connector_id: str, selection: Selection | None, days: float) -> Exit:
    """Look at the rules and print what was seen.

    Args:
        kibana: Where.
        screen: Who is told.
        connector_id: Our connector's id.
        selection: Which rules; None for all.
        days: How far back to look for failed actions.

    Returns:
        DONE, or FOUND when something needs a look: no connector, no rule that sends, a rule that sends twice, an action
        without its connector, a template with errors, failed actions.
    """
    version.read(kibana)
    found = rules.select(kibana, selection) if selection else rules.listing(kibana)
    picture = Picture(connector_id, connector_api.read(kibana, connector_id) is not None)
    known = {each["id"] for each in connector_api.everything(kibana)}
    shipped = {templates.load(name).text: name for name in templates.NAMES}
    for rule in found:
        _add(picture, rule, known, shipped)
    _check_templates(picture, found)
    _read_failures(kibana, screen, picture, days)
    _show(screen, picture, days)
    screen.result({**vars(picture), "fine": picture.fine})
    return Exit.DONE if picture.fine else Exit.FOUND


def _add(picture: Picture, rule: dict[str, Any], known: set[str], shipped: dict[str, str]) -> None:
    named = {"id": rule["id"], "name": str(rule.get("name", ""))}
    actions = [
        {
            "frequency": frequency_of(action).words(),
            "filter": kql_of(action),
            "template": template_of(body_of(action), shipped),
        }
        for action in ours(rule, picture.connector_id)
    ]
    if actions:
        picture.sending.append({**named, "enabled": bool(rule.get("enabled")), "actions": actions})
    elif rule.get("enabled"):
        picture.silent.append(named)
    else:
        picture.disabled += 1
    for action in actions_of(rule):
        if action["id"] not in known and not action["id"].startswith(_SYSTEM):
            picture.dangling.append({**named, "connector": action["id"]})


def _check_templates(picture: Picture, found: list[dict[str, Any]]) -> None:
    errors: dict[str, list[Finding]] = {}  # rules share templates, and looking at one takes time
    for rule in found:
        for body in {body_of(action) for action in ours(rule, picture.connector_id)}:
            if body not in errors:
                errors[body] = [finding for finding in lint.lint(body) if finding.level == "error"]
            if errors[body]:
                first = errors[body][0]
                broken = {"line": first.line, "error": first.text, "more": len(errors[body]) - 1}
                picture.broken.append({"id": rule["id"], "name": str(rule.get("name", "")), **broken})


def template_of(body: str, shipped: dict[str, str]) -> str:
    """Return what a template is: the name of one of ours, that of an older one of ours, or "own"."""
    if body in shipped:
        return shipped[body]
    older = _OUR_BODY.search(body)
    return f"{older[1]} (changed, or of another version)" if older else "own"


def _read_failures(kibana: Kibana, screen: Screen, picture: Picture, days: float) -> None:
    until = datetime.now(timezone.utc)
    period = (until - timedelta(days=days), until)
    with screen.progress(len(picture.sending), "failed actions") as bar:
        for rule in picture.sending:
            try:
                answer = alert_search.error_log(kibana, rule["id"], period, 1, _ERRORS)
                shapes.checked(answer, shapes.ERROR_LOG, "GET _action_error_log")
            except Refused as refused:
                picture.unseen = str(refused)
                return
            _note_failures(picture, rule, answer)
            bar.advance()


def _note_failures(picture: Picture, rule: dict[str, Any], answer: dict[str, Any]) -> None:
    whose = [(error, _WHOSE.search(str(error.get("message")))) for error in answer["errors"]]
    mine = [error for error, found in whose if found is None or found[1] == picture.connector_id]
    if mine:
        newest = max(mine, key=lambda error: str(error.get("timestamp")))
        picture.failures.append(
            {
                "id": rule["id"],
                "name": rule["name"],
                "count": len(mine),
                "more": answer["totalErrors"] > _ERRORS,
                "newest": str(newest.get("timestamp")),
                "message": shortened(str(newest.get("message"))),
            }
        )


def _show(screen: Screen, picture: Picture, days: float) -> None:
    if not picture.there:
        screen.line(f"There is no connector {picture.connector_id}: `parapet-elastic connect` creates it.")
    _show_sending(screen, picture)
    if picture.silent:
        screen.line(f"Enabled, and not sending: {counted(len(picture.silent), 'rule')}:")
        screen.table(("rule", "id"), [(each["name"], each["id"]) for each in picture.silent])
    if picture.disabled:
        screen.line(f"Disabled, and not sending: {counted(picture.disabled, 'rule')}.")
    if picture.dangling:
        screen.line(f"Without its connector: {counted(len(picture.dangling), 'action')}:")
        rows = [(each["name"], each["id"], each["connector"]) for each in picture.dangling]
        screen.table(("rule", "id", "connector"), rows)
    if picture.broken:
        screen.line("With errors in the template (`lint` on its file shows all, `update --template` replaces it):")
        wrong = [(each["name"], each["id"], each["line"], each["error"]) for each in picture.broken]
        screen.table(("rule", "id", "line", "first error"), wrong)
    if picture.unseen:
        screen.line(f"Failed actions could not be read: {picture.unseen}")
    elif picture.failures:
        screen.line(f"Actions that failed in the last {_days(days)}:")
        failed = [
            (each["name"], f"{each['count']}{'+' if each['more'] else ''}", each["newest"], each["message"])
            for each in picture.failures
        ]
        screen.table(("rule", "times", "newest", "message"), failed)
        screen.line("-> `parapet-elastic test` shows what is wrong, `backfill` sends what was lost.")
    elif picture.sending:
        screen.line(f"No action failed in the last {_days(days)}.")


def _days(days: float) -> str:
    return f"{days:g} day" + ("" if days == 1 else "s")


def _show_sending(screen: Screen, picture: Picture) -> None:
    screen.line(
        f"Sending to Parapet Security: {counted(len(picture.sending), 'rule')}" + (":" if picture.sending else ".")
    )
    if picture.there and not picture.sending:
        screen.line("-> `parapet-elastic attach` has rules send.")
    rows = [
        (each["name"], each["id"], "yes" if each["enabled"] else "no", *(action[key] or "" for key in _COLUMNS))
        for each in picture.sending
        for action in each["actions"]
    ]
    if rows:
        screen.table(("rule", "id", "enabled", "each", "template", "filter"), rows)
    twice = [each["name"] for each in picture.sending if len(each["actions"]) > 1]
    if twice:
        screen.line(f"Sending more than once (`update` leaves one): {', '.join(twice)}")
    templates_seen = Counter(action["template"] for each in picture.sending for action in each["actions"])
    if any("changed" in name for name in templates_seen):
        screen.line("Templates of another version: `parapet-elastic update --all` brings them up to date.")


_COLUMNS = ("frequency", "template", "filter")
