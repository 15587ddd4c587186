"""What a command is about to do to which rule, and what came of it. Must not talk to Kibana, nor show what is in an action."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from parapet_elastic.editing.rule_actions import actions_of
from parapet_elastic.screen import counted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from parapet_elastic.screen import Screen


@dataclass(frozen=True)
class Step:
    """One rule that is to change.

    Attributes:
        id, name: The rule.
        change: What changes, in words.
        before: Its actions when the plan was made.
        after: What they are to be; None where only Kibana can make it so (a new action gets its uuid there).
        immutable: Whether it is a prebuilt rule.
    """

    id: str
    name: str
    change: str
    before: list[dict[str, Any]]
    after: list[dict[str, Any]] | None = None
    immutable: bool = False

    @classmethod
    def of(cls, rule: Mapping[str, Any], change: str, after: list[dict[str, Any]] | None = None) -> Step:
        """Return the step for a rule as Kibana gave it."""
        before = actions_of(rule)
        return cls(rule["id"], str(rule.get("name", "")), change, before, after, bool(rule.get("immutable")))


@dataclass(frozen=True)
class Skip:
    """One rule that stays as it is.

    Attributes:
        id, name: The rule.
        why: In words.
        fine: Whether it is as it should be; otherwise somebody has to look at it.
    """

    id: str
    name: str
    why: str
    fine: bool = True


@dataclass
class Plan:
    """The rules of one command, sorted by name; `also` is what happens after them, in words."""

    command: str
    steps: list[Step] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)
    also: str = ""

    def skip(self, rule: Mapping[str, Any], why: str, *, fine: bool = True) -> None:
        """Leave a rule out."""
        self.skips.append(Skip(rule["id"], str(rule.get("name", "")), why, fine))

    def show(self, screen: Screen) -> None:
        """Print it rule by rule, those that change first."""
        rows = [(step.name, step.id, step.change) for step in self.steps]
        rows += [(skip.name, skip.id, f"stays: {skip.why}") for skip in self.skips]
        if rows:
            screen.table(("rule", "id", self.command), rows)
        stay = "1 rule stays as it is" if len(self.skips) == 1 else f"{len(self.skips)} rules stay as they are"
        screen.line(f"{counted(len(self.steps), 'change')}, {stay}." + (f" Then: {self.also}." if self.also else ""))

    def to_json(self) -> list[dict[str, Any]]:
        """Return the steps for a script."""
        return [{"id": step.id, "name": step.name, "change": step.change} for step in self.steps]


class Report:
    """What came of a plan; a step is undecided until it is done, skipped or failed."""

    def __init__(self, plan: Plan) -> None:
        """Begin with nothing done."""
        self.plan = plan
        self._outcomes: dict[str, tuple[str, str]] = {}

    def done(self, rule_id: str) -> None:
        """Note that the rule is as it should be."""
        self._outcomes[rule_id] = ("done", "")

    def skipped(self, rule_id: str, why: str) -> None:
        """Note that the rule was left as it is, and has to be looked at."""
        self._outcomes[rule_id] = ("skipped", why)

    def failed(self, rule_id: str, why: str) -> None:
        """Note that Kibana refuses."""
        self._outcomes[rule_id] = ("failed", why)

    def undecided(self) -> list[Step]:
        """Return the steps without an answer."""
        return [step for step in self.plan.steps if step.id not in self._outcomes]

    def count(self, outcome: str) -> int:
        """Return how many steps are "done", "skipped" or "failed"."""
        return sum(1 for what, _ in self._outcomes.values() if what == outcome)

    @property
    def complete(self) -> bool:
        """Whether every rule of the plan is as it should be."""
        return self.count("done") == len(self.plan.steps) and all(skip.fine for skip in self.plan.skips)

    def show(self, screen: Screen, snapshot: Path) -> None:
        """Print the numbers, and every rule that is not done."""
        rows = [
            (step.name, step.id, f"{self._outcomes[step.id][0]}: {self._outcomes[step.id][1]}")
            for step in self.plan.steps
            if self._outcomes.get(step.id, ("done", ""))[0] != "done"
        ]
        rows += [(step.name, step.id, "not done") for step in self.undecided()]
        if rows:
            screen.table(("rule", "id", "result"), rows)
        screen.line(
            f"{self.count('done')} done, {self.count('skipped')} skipped, {self.count('failed')} failed,"
            f" {len(self.undecided())} not done."
        )
        if snapshot.exists():
            screen.line(f"As it was before: {snapshot}")

    def to_json(self) -> dict[str, Any]:
        """Return the outcomes for a script."""
        return {
            "done": self._named("done"),
            "skipped": [{"id": one.id, "name": one.name, "why": one.why} for one in self.plan.skips]
            + self._named("skipped"),
            "failed": self._named("failed"),
            "left": [{"id": step.id, "name": step.name} for step in self.undecided()],
        }

    def _named(self, outcome: str) -> list[dict[str, str]]:
        found = []
        for step in self.plan.steps:
            what, why = self._outcomes.get(step.id, ("", ""))
            if what == outcome:
                found.append({"id": step.id, "name": step.name, **({"why": why} if why else {})})
        return found
