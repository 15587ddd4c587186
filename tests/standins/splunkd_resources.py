"""splunkd's bulletin board, server information, saved searches and search jobs.

Must not know HTTP.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tests.standins.splunkd_access import need
from tests.standins.splunkd_answers import Entry, Refused, feed, lone
from tests.standins.splunkd_call import not_allowed, not_found

if TYPE_CHECKING:
    from tests.standins.splunkd_answers import Answer
    from tests.standins.splunkd_call import Call

_SEVERITIES = ("info", "warn", "error")


class Messages:
    """The bulletin board: `board[name]` is (value, severity)."""

    def __init__(self) -> None:
        """Start with an empty board."""
        self.board: dict[str, tuple[str, str]] = {}

    def serve(self, call: Call) -> Answer:
        """`messages[/<name>]`; the same name replaces."""
        if call.method != "GET":
            need(call.session, "edit_messages")
        if len(call.resource) == 1:
            return self._collection(call)
        return self._one(call, call.resource[1])

    def _collection(self, call: Call) -> Answer:
        if call.method == "GET":
            return call.page([self._entry(name) for name in sorted(self.board)])
        if call.method != "POST":
            raise not_allowed()
        args = call.accept(("name", "value"), ("severity",))
        severity = args.get("severity", "info")
        if severity not in _SEVERITIES:
            raise Refused(400, f"Invalid severity: {severity}. Must be one of: info, warn, error.")
        self.board[args["name"]] = (args["value"], severity)
        return feed([self._entry(args["name"])], call.as_json, status=201)

    def _one(self, call: Call, name: str) -> Answer:
        if name not in self.board:
            raise not_found(name)
        if call.method == "GET":
            return feed([self._entry(name)], call.as_json)
        if call.method != "DELETE":
            raise not_allowed()
        del self.board[name]
        return feed([], call.as_json)

    def _entry(self, name: str) -> Entry:
        value, severity = self.board[name]
        now = int(time.time())
        content = {name: value, "message": value, "severity": severity, "timeCreated_epochSecs": now}
        return Entry("messages", name, content)


class Searches:
    """Saved searches and jobs, as tests set them.

    Attributes:
        saved: (app, name) → the content of the saved search.
        jobs: sid → the content of the job; take it out, and it has expired.
    """

    def __init__(self) -> None:
        """Start with none."""
        self.saved: dict[tuple[str, str], dict[str, Any]] = {}
        self.jobs: dict[str, dict[str, Any]] = {}

    def serve_saved(self, call: Call) -> Answer:
        """`saved/searches[/<name>]`, read only; a search of another app is not found."""
        if call.method != "GET":
            raise not_allowed()
        app = call.namespace[1]
        visible = {key: content for key, content in self.saved.items() if app in ("-", key[0])}
        if len(call.resource) == 2:
            return call.page([_saved(key, content) for key, content in visible.items()])
        found = [_saved(key, content) for key, content in visible.items() if key[1] == call.resource[2]]
        if not found:
            raise not_found(call.resource[2])
        return feed(found, call.as_json)

    def serve_jobs(self, call: Call) -> Answer:
        """`search/jobs[/<sid>]` and `search/v2/jobs[/<sid>]`, read only."""
        if call.method != "GET":
            raise not_allowed()
        at = call.resource.index("jobs")
        path, rest = "/".join(call.resource[: at + 1]), call.resource[at + 1 :]
        if not rest:
            return call.page([_job(path, sid, content) for sid, content in self.jobs.items()])
        if len(rest) > 1 or rest[0] not in self.jobs:
            raise Refused(404, "Unknown sid.", "FATAL")
        return lone(_job(path, rest[0], self.jobs[rest[0]]), call.as_json)


class ServerInfo:
    """What `server/info` tells of one splunkd."""

    def __init__(self, name: str, guid: str, version: str) -> None:
        """Say these."""
        self.name, self.guid, self.version = name, guid, version

    def serve(self, call: Call) -> Answer:
        """`server/info`."""
        if call.method != "GET":
            raise not_allowed()
        content = {
            "guid": self.guid,
            "version": self.version,
            "serverName": self.name,
            "host": self.name,
            "build": "0",
            "instance_type": "splunk",
            "product_type": "enterprise",
            "server_roles": ["search_head"],
        }
        return feed([Entry("server/info", "server-info", content)], call.as_json)


def _saved(key: tuple[str, str], content: dict[str, Any]) -> Entry:
    return Entry("saved/searches", key[1], {"disabled": False, "is_scheduled": True, **content}, key[0])


def _job(path: str, sid: str, content: dict[str, Any]) -> Entry:
    state = {"sid": sid, "isDone": True, "dispatchState": "DONE"}
    return Entry(path, sid, {**state, **content}, "search", "admin")
