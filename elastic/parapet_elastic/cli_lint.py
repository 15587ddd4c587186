"""Prints what is wrong with templates. Must not find it: that is `lint`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parapet_elastic.errors import Exit, Failure
from parapet_elastic.rendering import lint, templates
from parapet_elastic.screen import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parapet_elastic.screen import Screen


def require_sound(template: templates.Template, name: str, *, force: bool) -> None:
    """See that a template has no errors: rules that send it would send nothing that can be read.

    Raises:
        Failure: It has, the first one is named; with `force` only for a token in it, which snapshots would keep.
    """
    if lint.holds_token(template.text):
        raise Failure(f"a service token (pst_…) is written into the template {name}", todo="Take it out.")
    errors = [finding for finding in lint.lint(template.text) if finding.level == "error" and not force]
    if errors:
        more = f" (and {counted(len(errors) - 1, 'more error')})" if len(errors) > 1 else ""
        raise Failure(
            f"the template {name} has an error in line {errors[0].line}: {errors[0].text}{more}",
            todo=f"`parapet-elastic lint {name}` shows all; --force puts it on the rules all the same.",
        )


def lint_all(screen: Screen, names: Sequence[str], kibana: tuple[int, int] | None) -> Exit:
    """Print the findings of each template, as file:line.

    Args:
        screen: Where.
        names: Shipped templates' names, and files.
        kibana: The oldest Kibana that they must work on; None for the oldest that each of them says.

    Returns:
        FOUND when there is an error, DONE with warnings only.
    """
    found = []
    for name in names:
        for finding in lint.lint(templates.load(name).text, kibana):
            found.append({"template": name, **vars(finding)})
            screen.line(f"{name}:{finding.line}: {finding.level}: {finding.text}")
    errors = sum(each["level"] == "error" for each in found)
    warnings = len(found) - errors
    screen.line(f"{counted(errors, 'error')}, {counted(warnings, 'warning')} in {counted(len(names), 'template')}.")
    screen.result({"findings": found})
    return Exit.FOUND if errors else Exit.DONE
