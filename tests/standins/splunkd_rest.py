"""`| rest`: splunkd asks itself.

Must not be given what the user may not read: splunkd is asked with the session of whoever searches. Nor may it guess: an argument
that is not modelled here is refused.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Callable

from tests.standins.splunkd_answers import Refused
from tests.standins.splunkd_call import take_apart
from tests.standins.splunkd_spl import fatal

if TYPE_CHECKING:
    from tests.standins.splunkd_answers import Answer
    from tests.standins.splunkd_call import Call
    from tests.standins.splunkd_chunked import Row
    from tests.standins.splunkd_pipeline import Table
    from tests.standins.splunkd_spl import Step


class RestCommand:
    """`| rest <path> splunk_server=local [count=<n>]`: an entity a row, its name in `title`.

    Args:
        answer: splunkd's REST interface.
    """

    def __init__(self, answer: Callable[[Call], Answer]) -> None:
        """Ask nothing yet."""
        self._answer = answer

    def __call__(self, call: Call, step: Step) -> Table:
        """The rows; none where splunkd refuses.

        Raises:
            Refused: 400 for arguments that are not modelled.
        """
        path, options = step.args[0] if step.args else "", step.args[1:]
        given = dict(option.partition("=")[::2] for option in options)
        # Without splunk_server=local the command asks every search peer too, which takes a capability of its own.
        if not path.startswith("/services") or given.pop("splunk_server", "") != "local" or set(given) - {"count"}:
            raise fatal(f"Error in 'rest' command: the stand-in does not know these arguments: {step.text}")
        resource, owner, app, query = take_apart(path)
        query = [*query, *given.items(), ("output_mode", "json")]
        request = call._replace(method="GET", resource=resource, owner=owner, app=app, query=query, body="")
        try:
            found = json.loads(self._answer(request).body.decode("utf-8"))
        except Refused:
            return [], None
        return [_row(entry) for entry in found["entry"]], None


def _row(entry: dict) -> Row:
    row: Row = {"title": entry["name"], "splunk_server": "stand-in", "author": entry["author"], "id": entry["id"]}
    for name, value in entry["content"].items():
        if isinstance(value, (str, int, float)):
            row[name] = str(int(value)) if isinstance(value, bool) else str(value)
    return row
