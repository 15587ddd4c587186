"""splunkd's `search/jobs`: one search, answered at once, by real processes of search commands and a little SPL.

Must not run what the user may not: a command or a macro that an access list hides is as unknown as one that is not there.
"""

from __future__ import annotations

import itertools
import shutil
import threading
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional
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


class _Job(NamedTuple):
    """One search while it runs."""

    call: Call
    app: str
    search: str
    earliest: str
    latest: str
    messages: list[tuple[str, str]]


class OneShot:
    """Searches with `exec_mode=oneshot`.

    Attributes:
        logs: what search.log would hold of each command that ran, oldest first.
        app_log: the events that `index=_internal` has.
        generating: splunkd's own commands that begin a search and need the caller's session, by name.
    """

    def __init__(self, home: SplunkHome, info: ServerInfo, python: str) -> None:
        """Run nothing yet; `uri` is set when splunkd listens."""
        self._home, self._info, self._python = home, info, python
        self.logs: list[str] = []
        self.app_log = AppLog(home, info.name)
        self.uri = ""
        self.generating: dict[str, Callable[[Call, Step], Table]] = {}
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
        job = _Job(call, app, args["search"], args.get("earliest_time", ""), args.get("latest_time", ""), [])
        rows, fields = self._run(job)
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

    def _run(self, job: _Job) -> tuple[list[Row], list[str]]:
        steps = parse(job.search, lambda name: self._macro(job, name))
        for step in steps:
            # splunkd looks at the whole search before it starts any of it.
            own = step.name in COMMANDS or step.name in self.generating
            if not own and self._command(job, step.name) is None:
                raise unknown(step.name)
        table = self._first(job, steps[0])
        for step in steps[1:]:
            if step.name not in COMMANDS:
                raise fatal(f"Error in '{step.name}' command: This command must be the first command of a search.")
            table = run(step, table)
        rows, fields = table
        if fields is None:
            fields = list(dict.fromkeys(name for row in rows for name in row))
        return rows, fields

    def _first(self, job: _Job, step: Step) -> Table:
        if step.name == "search":
            return self._events(job, terms(step)), None
        if step.name in COMMANDS:
            return run(step, ([], None))
        if step.name in self.generating:
            return self.generating[step.name](job.call, step)
        stanza = self._command(job, step.name)
        if stanza is None:
            raise unknown(step.name)
        return self._start(job, step, stanza)

    def _macro(self, job: _Job, name: str) -> Optional[str]:
        stanza = self._visible(job, "macros", name)
        if stanza is None or is_true(stanza.settings.get("iseval", "0")):
            return None
        return stanza.settings.get("definition")

    def _command(self, job: _Job, name: str) -> Optional[Stanza]:
        return self._visible(job, "commands", name)

    def _visible(self, job: _Job, conf: str, name: str) -> Optional[Stanza]:
        stanza = self._home.conf.stanzas(conf, job.app, job.call.session.user).get(name)
        if stanza is None or name == "default" or is_true(stanza.settings.get("disabled", "0")):
            return None
        acl = self._home.conf.acl(stanza.app, conf, name)
        return stanza if job.call.session.is_in(acl.read) else None

    def _events(self, job: _Job, wanted: list[Term]) -> list[Row]:
        given = {"earliest": job.earliest, "latest": job.latest}
        given.update((field, value) for field, value in wanted if field in _TIMES)
        earliest = moment(given["earliest"] or "0")
        latest = moment(given["latest"] or "now")
        rest = [(field, value) for field, value in wanted if field not in _TIMES]
        # Without index= only a role's default indexes are searched (authorize.conf, srchIndexesDefault): main.
        if not any(field == "index" for field, _ in rest) or not job.call.session.may_search("_internal"):
            return []
        if any(field == "index" and value == "*" for field, value in rest):
            return []
        found: list[Row] = []
        for event in self.app_log.events(job.app):
            row: Row = {**event}
            if earliest <= float(event["_time"]) <= latest and all(matches(row, term) for term in rest):
                found.append(row)
        return found

    def _start(self, job: _Job, step: Step, stanza: Stanza) -> Table:
        argv = program(self._home, stanza.app, step.name, stanza.settings, self._python)
        if argv is None:
            raise fatal(f"Error in '{step.name}' command: Cannot find program '{step.name}' or script '{step.name}'.")
        sid = f"{time.time():.0f}.{next(_COUNTER)}"
        folder = self._home.dispatch / sid
        folder.mkdir()
        command = ChunkedCommand(self._home, argv, step.name)
        with self._lock:
            self._running.add(command)
        try:
            said = command.run(self._searchinfo(job, step, sid, str(folder)))
        except CommandFailed as failed:
            raise fatal(str(failed)) from failed
        finally:
            with self._lock:
                self._running.discard(command)
            self.logs.append(command.log)
            # A oneshot search leaves nothing behind.
            shutil.rmtree(str(folder))
        job.messages.extend(said.messages)
        return said.rows, said.fields

    def _searchinfo(self, job: _Job, step: Step, sid: str, folder: str) -> dict[str, Any]:
        """What splunkd 8.2.1 was seen to send with getinfo; times are `0` where the search has none."""
        user = job.call.session.user
        return {
            "args": step.args,
            "raw_args": step.raw_args,
            "dispatch_dir": folder,
            "sid": sid,
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
