"""splunkd's bulletin board, server information, search jobs, and who a session is.

Must not know HTTP.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tests.standins.splunkd_access import need
from tests.standins.splunkd_answers import Entry, Refused, feed, lone
from tests.standins.splunkd_call import not_allowed, not_found

if TYPE_CHECKING:
    from tests.standins.splunkd_access import Access
    from tests.standins.splunkd_answers import Answer
    from tests.standins.splunkd_call import Call

_SEVERITIES = ("info", "warn", "error")


class Messages:
    """The bulletin board.

    Attributes:
        board: name → (value, severity).
        times: name → when it was put up, in epoch seconds; where a test says none, now.
    """

    def __init__(self, server: str) -> None:
        """Start with an empty board of a server."""
        self._server = server
        self.board: dict[str, tuple[str, str]] = {}
        self.times: dict[str, int] = {}

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
        severity = args.get("severity", "warn")
        if severity not in _SEVERITIES:
            raise Refused(400, f"Invalid severity: {severity}. Must be one of: info, warn, error.")
        self.board[args["name"]], self.times[args["name"]] = (args["value"], severity), int(time.time())
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
        # Keys and default severity as in answers of 9.1.2 and 9.3 that were published (cURL examples, a command line's help).
        value, severity = self.board[name]
        at = self.times.get(name, int(time.time()))
        content = {
            name: value,
            "capabilities": [],
            "help": "",
            "message": value,
            "message_alternate": "",
            "server": self._server,
            "severity": severity,
            "timeCreated_epochSecs": at,
            "timeCreated_iso": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(at)),
        }
        return Entry("messages", name, content)


class Jobs:
    """Search jobs, as tests set them.

    Attributes:
        jobs: sid → the content of the job; take it out, and it has expired.
    """

    def __init__(self) -> None:
        """Start with none."""
        self.jobs: dict[str, dict[str, Any]] = {}

    def serve(self, call: Call) -> Answer:
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


class CurrentContext:
    """Who asks: `authentication/current-context`."""

    def __init__(self, access: Access) -> None:
        """Know these users."""
        self._access = access

    def serve(self, call: Call) -> Answer:
        """The session's user: its own roles, and every capability that they and the imported ones give."""
        if call.method != "GET":
            raise not_allowed()
        if len(call.resource) > 2:
            raise Refused(404, "Not Found")
        content: dict[str, Any] = {"username": call.session.user}
        if call.session.is_system:
            every = (capability for role in self._access.roles.values() for capability in role.capabilities)
            content.update(realname="", roles=["splunk-system-role"], capabilities=sorted(set(every)))
        else:
            user = self._access.users[call.session.user]
            content.update(realname=user.realname, roles=sorted(user.roles))
            content["capabilities"] = sorted(call.session.capabilities)
        return feed([Entry("/".join(call.resource), "context", content)], call.as_json)


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


def _job(path: str, sid: str, content: dict[str, Any]) -> Entry:
    state = {"sid": sid, "isDone": True, "dispatchState": "DONE"}
    return Entry(path, sid, {**state, **content}, "search", "admin")
