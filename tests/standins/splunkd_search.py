"""splunkd's `search/jobs`: one search, answered at once, by real processes of search commands and a little SPL.

Must not run what the user may not: a command or a macro that an access list hides is as unknown as one that is not there.
"""

from __future__ import annotations

import fnmatch
import itertools
import shutil
import threading
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Callable, Mapping, NamedTuple, Optional, Sequence
from urllib.parse import quote

from tests.standins.splunk_conf import is_true
from tests.standins.splunkd_access import need
from tests.standins.splunkd_answers import Refused, json_answer
from tests.standins.splunkd_call import not_allowed
from tests.standins.splunkd_chunked import ChunkedCommand, CommandFailed, program
from tests.standins.splunkd_events import AppLog
from tests.standins.splunkd_pipeline import COMMANDS, matches, moment, run, terms, unknown
from tests.standins.splunkd_spl import fatal, parse

if TYPE_CHECKING:
    from tests.standins.splunk_conf import Stanza
    from tests.standins.splunk_home import SplunkHome
    from tests.standins.splunkd_answers import Answer
    from tests.standins.splunkd_call import Call
    from tests.standins.splunkd_chunked import Row
    from tests.standins.splunkd_pipeline import Table, Term
    from tests.standins.splunkd_resources import ServerInfo
    from tests.standins.splunkd_spl import Step

_OPTIONAL = ("earliest_time", "latest_time", "count", "offset", "adhoc_search_level", "preview")
# The REST reference's default for the `count` of a oneshot search; 0 is all.
_COUNT = 100
_MAX_ROWS = 50000
_TIMES = ("earliest", "latest")
_COUNTER = itertools.count(1)


class Job(NamedTuple):
    """One search, parsed, while it runs."""

    sid: str
    call: Call
    app: str
    search: str
    earliest: str
    latest: str
    steps: list[Step]
    messages: list[tuple[str, str]]


class OneShot:
    """Searches with `exec_mode=oneshot`.

    Attributes:
        logs: what search.log would hold of each command that ran, oldest first.
        app_log: the events that `index=_internal` has.
        indexes: index → its events, newest first, as an app sees them.
        generating: splunkd's own commands that begin a search and need the caller's session, by name.
        piped: those that take the rows of the command before, and the job.
    """

    def __init__(self, home: SplunkHome, info: ServerInfo, python: str) -> None:
        """Run nothing yet; `uri` is set when splunkd listens."""
        self._home, self._info, self._python = home, info, python
        self.logs: list[str] = []
        self.app_log = AppLog(home, info.name)
        self.indexes: dict[str, Callable[[str], Sequence[Mapping[str, str | list[str]]]]] = {
            "_internal": self.app_log.events
        }
        self.uri = ""
        self.generating: dict[str, Callable[[Call, Step], Table]] = {}
        self.piped: dict[str, Callable[[Job, Step, Table], Table]] = {}
        self._running: set[ChunkedCommand] = set()
        self._lock = threading.Lock()

    def close(self) -> None:
        """End the processes of every search."""
        with self._lock:
            for command in self._running:
                command.stop()

    def serve(self, call: Call) -> Answer:
        """`POST search/jobs`."""
        if call.method != "POST" or call.resource[-1] != "jobs":
            raise not_allowed()
        need(call.session, "search")
        args = call.accept(("search",), ("exec_mode", *_OPTIONAL))
        app = call.namespace[1]
        if not self._home.conf.has_app(app):
            raise Refused(404, f"Application does not exist: {app}")
        if args.get("exec_mode") != "oneshot" or not call.as_json:
            raise Refused(400, "The stand-in runs searches with exec_mode=oneshot and output_mode=json only.", "FATAL")
        job = self.parsed(call, args["search"], args.get("earliest_time", ""), args.get("latest_time", ""))
        try:
            rows, fields = self.run(job)
        finally:
            # A oneshot search leaves nothing behind.
            shutil.rmtree(str(self._home.dispatch / job.sid), ignore_errors=True)
        offset, count = int(args.get("offset", 0)), int(args.get("count", _COUNT))
        page = rows[offset : offset + count if count > 0 else None]
        return json_answer(
            {
                "preview": False,
                "init_offset": offset,
                "messages": [{"type": level, "text": text} for level, text in job.messages],
                "fields": [{"name": name} for name in fields],
                "results": [_shown(row) for row in page],
            }
        )

    def parsed(self, call: Call, search: str, earliest: str, latest: str) -> Job:
        """A search in the namespace of a call, ready to run.

        Raises:
            Refused: 400 for what is no search, or names a command that the user does not have.
        """
        sid = f"{time.time():.0f}.{next(_COUNTER)}"
        job = Job(sid, call, call.namespace[1], search, earliest, latest, [], [])
        job.steps.extend(parse(search, lambda name: self._macro(job, name)))
        for step in job.steps:
            # splunkd looks at the whole search before it starts any of it.
            own = any(step.name in names for names in (COMMANDS, self.generating, self.piped))
            if not own and self._command(job, step.name) is None:
                raise unknown(step.name)
        return job

    def run(self, job: Job) -> tuple[list[Row], list[str]]:
        """Run it to its end: the rows, and the order of their fields.

        Raises:
            Refused: 400 where a command failed.
        """
        table = self._first(job, job.steps[0])
        for step in job.steps[1:]:
            if step.name in self.piped:
                table = self.piped[step.name](job, step, table)
            elif step.name in COMMANDS:
                table = run(step, table)
            else:
                raise fatal(f"Error in '{step.name}' command: This command must be the first command of a search.")
        rows, fields = table
        if fields is None:
            fields = list(dict.fromkeys(name for row in rows for name in row))
        return rows, fields

    def _first(self, job: Job, step: Step) -> Table:
        if step.name == "search":
            return self._events(job, terms(step)), None
        if step.name in COMMANDS:
            return run(step, ([], None))
        if step.name in self.generating:
            return self.generating[step.name](job.call, step)
        if step.name in self.piped:
            return self.piped[step.name](job, step, ([], None))
        stanza = self._command(job, step.name)
        if stanza is None:
            raise unknown(step.name)
        return self._start(job, step, stanza)

    def _macro(self, job: Job, name: str) -> Optional[str]:
        stanza = self._visible(job, "macros", name)
        if stanza is None or is_true(stanza.settings.get("iseval", "0")):
            return None
        return stanza.settings.get("definition")

    def _command(self, job: Job, name: str) -> Optional[Stanza]:
        return self._visible(job, "commands", name)

    def _visible(self, job: Job, conf: str, name: str) -> Optional[Stanza]:
        stanza = self._home.conf.stanzas(conf, job.app, job.call.session.user).get(name)
        if stanza is None or name == "default" or is_true(stanza.settings.get("disabled", "0")):
            return None
        acl = self._home.conf.acl(stanza.app, conf, name)
        return stanza if job.call.session.is_in(acl.read) else None

    def _events(self, job: Job, wanted: list[Term]) -> list[Row]:
        given = {"earliest": job.earliest, "latest": job.latest}
        given.update((field, value) for field, value in wanted if field in _TIMES)
        earliest = moment(given["earliest"] or "0")
        latest = moment(given["latest"] or "now")
        rest = [(field, value) for field, value in wanted if field not in _TIMES]
        found: list[Row] = []
        # Without index= only a role's default indexes are searched (authorize.conf, srchIndexesDefault): main.
        asked = [value for field, value in rest if field == "index"]
        for index, events in self.indexes.items():
            if asked and all(_names_index(value, index) for value in asked) and job.call.session.may_search(index):
                for event in events(job.app):
                    row: Row = {**event}
                    if earliest <= float(str(row["_time"])) <= latest and all(matches(row, term) for term in rest):
                        found.append(row)
        return found

    def _start(self, job: Job, step: Step, stanza: Stanza) -> Table:
        argv = program(self._home, stanza.app, step.name, stanza.settings, self._python)
        if argv is None:
            raise fatal(f"Error in '{step.name}' command: Cannot find program '{step.name}' or script '{step.name}'.")
        folder = self._home.dispatch / job.sid
        folder.mkdir()
        command = ChunkedCommand(self._home, argv, step.name)
        with self._lock:
            self._running.add(command)
        try:
            said = command.run(self._searchinfo(job, step, str(folder)))
        except CommandFailed as failed:
            raise fatal(str(failed)) from failed
        finally:
            with self._lock:
                self._running.discard(command)
            self.logs.append(command.log)
        job.messages.extend(said.messages)
        return said.rows, said.fields

    def _searchinfo(self, job: Job, step: Step, folder: str) -> dict[str, Any]:
        """What splunkd 8.2.1 was seen to send with getinfo; times are `0` where the search has none."""
        user = job.call.session.user
        return {
            "args": step.args,
            "raw_args": step.raw_args,
            "dispatch_dir": folder,
            "sid": job.sid,
            "app": job.app,
            "owner": user if job.call.owner in (None, "-") else job.call.owner,
            "username": user,
            "session_key": job.call.key,
            "splunkd_uri": self.uri,
            "splunk_version": self._info.version,
            "search": quote(job.search, safe=""),
            "command": step.name,
            "maxresultrows": _MAX_ROWS,
            "earliest_time": f"{moment(job.earliest):.3f}" if job.earliest else "0",
            "latest_time": f"{moment(job.latest):.3f}" if job.latest else "0",
        }


def _names_index(value: str, index: str) -> bool:
    """Whether `index=<value>` is about an index; `*` alone is no internal one."""
    return index.startswith("_") == value.startswith("_") and fnmatch.fnmatchcase(index, value.lower())


def _shown(row: Row) -> Row:
    """A row as it stands in JSON: `_time` is a date with its zone there."""
    stamp = row.get("_time")
    if not isinstance(stamp, str):
        return row
    try:
        date = datetime.fromtimestamp(float(stamp), timezone.utc)
    except ValueError:
        return row
    return {**row, "_time": date.isoformat(timespec="milliseconds")}
