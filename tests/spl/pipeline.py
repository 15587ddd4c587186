"""A whole search: checked for fields that nobody gives, and run. Must not know where it was found; see `shipped`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.spl import commands_eval, commands_lookup, commands_rows, commands_start, commands_stats, syntax
from tests.spl.syntax import SplError
from tests.spl.values import many, text
from tests.spl.world import Fields

if TYPE_CHECKING:
    from tests.spl.command import Command
    from tests.spl.syntax import Step, Text
    from tests.spl.world import Table, World

COMMANDS = {
    **commands_rows.COMMANDS,
    **commands_stats.COMMANDS,
    **commands_eval.COMMANDS,
    **commands_lookup.COMMANDS,
    **commands_start.COMMANDS,
}


class Pipeline:
    """The commands of a search, in their order."""

    def __init__(self, steps: list[Step]) -> None:
        """Take each apart.

        Raises:
            SplError: a command is not known, stands in the wrong place, or is malformed.
        """
        self.commands = [_command(step, is_first=not place) for place, step in enumerate(steps)]

    def flow(self, world: World) -> Fields:
        """The fields of what comes out; SplError where a command looks at one that nobody gives."""
        have = Fields(frozenset())
        for command in self.commands:
            have = command.flow(have, world)
        return have

    def run(self, world: World) -> Table:
        """The rows that come out."""
        rows: Table = []
        for command in self.commands:
            rows = command.run(rows, world)
        return rows


def check(search: str, world: World) -> Fields:
    """The fields of what a search gives.

    Raises:
        SplError: Splunk would not run it, or it looks at a field that nobody gives.
    """
    return Pipeline(syntax.parse(search, world.macros)).flow(world)


def run(search: str, world: World) -> list[dict[str, str | list[str]]]:
    """The rows that a search gives, as Splunk shows them: texts, without what is empty.

    Raises:
        SplError: see `check`.
    """
    pipeline = Pipeline(syntax.parse(search, world.macros))
    pipeline.flow(world)
    return [
        {name: value if isinstance(value, list) else text(value) for name, value in row.items() if many(value)}
        for row in pipeline.run(world)
    ]


def _command(step: Step, *, is_first: bool) -> Command:
    kind = commands_start.Events if is_first and step.name == "search" else COMMANDS.get(step.name)
    if kind is None:
        raise SplError(f"the command '{step.name}' is not known", step.place)
    if is_first != kind.begins and step.name != "sendalert":
        where = "must" if kind.begins else "cannot"
        raise SplError(f"the command '{step.name}' {where} be the first of a search", step.place)
    return kind(step)


def _inner(text: Text) -> Pipeline:
    return Pipeline(syntax.steps(text))


commands_eval.Inner.pipeline = staticmethod(_inner)  # type: ignore[assignment]  # one way round the circle
