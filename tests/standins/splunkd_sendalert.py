"""`| sendalert` in a search: the action's real process, with every row that came in.

Must not take an argument that the command does not document, nor run for a user without its capability.
"""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from tests.standins.splunk import Refusal, Splunk
from tests.standins.splunk_home import APP
from tests.standins.splunk_search import Search
from tests.standins.splunkd_pipeline import moment
from tests.standins.splunkd_spl import fatal

if TYPE_CHECKING:
    from tests.standins.splunk import Fired
    from tests.standins.splunk_home import SplunkHome
    from tests.standins.splunkd_pipeline import Table
    from tests.standins.splunkd_search import Job
    from tests.standins.splunkd_spl import Step

_PARAM = "param."
# Search Reference 9.4, sendalert; `results_file` stands in the system's own default command.
_OPTIONS = ("results_file", "results_link", "results_path")


class SendAlert:
    """The command of one splunkd.

    Attributes:
        fired: every run of the action, oldest first.
        unknown_tokens: what a `$token$` without a value becomes in an ad-hoc run: `empty`, or `keep` (not confirmed, contract 2.4).
    """

    def __init__(self, home: SplunkHome, python: str) -> None:
        """Run nothing yet; `uri` is set when splunkd listens."""
        self._home, self._python = home, python
        self.uri = ""
        self.fired: list[Fired] = []
        self.unknown_tokens = "empty"

    def __call__(self, job: Job, step: Step, table: Table) -> Table:
        """Run the action over the rows, and pass them on.

        Raises:
            Refused: 400 for a user without the right, unknown arguments, or an action that failed.
        """
        if not job.call.session.may("run_sendalert"):
            # authorize.conf.spec 9.2 has the capability; its words are not known.
            raise fatal("Error in 'sendalert' command: You have insufficient privileges to run this command.")
        search = Search(
            app=job.app,
            owner=job.call.session.user,
            rows=table[0],
            params=_params(step),
            ad_hoc=True,
            sid=job.sid,
            spl=job.search,
            earliest=iso(job.earliest or "0"),
            latest=iso(job.latest or "now"),
            trigger_time=int(time.time()),
            unknown_tokens=self.unknown_tokens,
        )
        try:
            fired = Splunk(self._home, server_uri=self.uri, python=self._python).fire(search, job.call.key)
        except Refusal as refusal:
            raise fatal(f"Error in 'sendalert' command: {refusal}.") from refusal
        self.fired.append(fired)
        if fired.exit_code:
            raise fatal(f"Error in 'sendalert' command: Alert script returned error code {fired.exit_code}.")
        return table


def iso(time_modifier: str) -> str:
    """A time modifier as a job's `earliestTime` and `latestTime` are written."""
    return datetime.fromtimestamp(moment(time_modifier), timezone.utc).isoformat(timespec="milliseconds")


def _params(step: Step) -> dict[str, str]:
    if step.args[:1] != [APP]:
        raise fatal(f"Error in 'sendalert' command: Alert action \"{' '.join(step.args[:1])}\" not found.")
    found = {}
    for arg in step.args[1:]:
        name, equals, value = arg.partition("=")
        if equals and name.startswith(_PARAM):
            found[name[len(_PARAM) :]] = value
        elif not equals or name not in _OPTIONS:
            raise fatal(f"Error in 'sendalert' command: the stand-in does not know the argument '{name}'.")
    return found
