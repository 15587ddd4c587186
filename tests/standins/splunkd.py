"""A splunkd over TLS on a throw-away Splunk home: the REST endpoints that the app uses, and its REST handlers.

Must not be friendlier than splunkd: no session, no right, no such entity or method means an error in splunkd's words.
Its certificate is self-made, so a client that verifies it fails. Nothing of a request's header or body is kept.
"""

from __future__ import annotations

import sys
import threading
import traceback
import uuid
from typing import TYPE_CHECKING, Callable, NamedTuple, Optional
from urllib.parse import parse_qsl

from tests.standins.enterprise_security import Notables
from tests.standins.splunkd_access import SYSTEM_USER, Access, Session
from tests.standins.splunkd_answers import Refused, json_answer, message, xml_answer
from tests.standins.splunkd_apps import Apps
from tests.standins.splunkd_call import Call, not_allowed, take_apart
from tests.standins.splunkd_confs import Confs
from tests.standins.splunkd_faults import Faults
from tests.standins.splunkd_handlers import Handlers
from tests.standins.splunkd_modaction import ModactionAdhoc
from tests.standins.splunkd_passwords import Passwords
from tests.standins.splunkd_resources import CurrentContext, Jobs, Messages, ServerInfo
from tests.standins.splunkd_rest import RestCommand
from tests.standins.splunkd_saved import SavedSearches
from tests.standins.splunkd_search import OneShot
from tests.standins.splunkd_sendalert import SendAlert
from tests.standins.splunkd_server import TlsServer
from tests.standins.splunkd_validation import Validation

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from tests.standins.splunk_home import SplunkHome
    from tests.standins.splunkd_answers import Answer

_NOBODY = Session("", frozenset(), frozenset())


class Request(NamedTuple):
    """One request as `Splunkd.requests` keeps it; `status` is None where a fault left it unanswered."""

    method: str
    path: str
    user: Optional[str]
    status: Optional[int]


class Splunkd:
    """A context manager; while it is entered, splunkd answers at `uri`.

    Args:
        home: where it stands; tests install the app into it themselves.
        python: the interpreter of persistent REST handlers and search commands.
        version: Splunk's version.
        mask: `clear_password` is answered as stars.
        handlers_loaded: False until `restart()`, as after an app's first installation.
        handler_processes: how many processes of one handler may run at once.
        extra_env: for these processes.

    Attributes:
        uri: `https://127.0.0.1:<port>`.
        requests: what was asked, oldest first.
        access: users and roles; `access.users[name].password` logs in.
        messages: name → (value, severity), the bulletin board.
        message_times: name → when it was put up, in epoch seconds.
        saved_searches: (app, name) → content, of searches without a file.
        jobs: sid → content; delete one, and it has expired.
        search_logs: what search.log would hold of each search command that ran, oldest first.
        notables: the events of the index `notable`, oldest first.
        sendalert: the search command; `sendalert.fired` are its runs, and `sendalert.unknown_tokens` may be set.
    """

    def __init__(
        self,
        home: SplunkHome,
        *,
        python: str = sys.executable,
        version: str = "9.2.1",
        mask: bool = False,
        handlers_loaded: bool = True,
        handler_processes: int = 1,
        extra_env: Optional[dict[str, str]] = None,
    ) -> None:
        """Start nothing yet."""
        self.home = home
        self.access = Access()
        self.info = ServerInfo("stand-in", str(uuid.uuid4()).upper(), version)
        self.requests: list[Request] = []
        self._past, self._board = Jobs(), Messages(self.info.name)
        saved = SavedSearches(home, Validation(home).check)
        self.saved_searches, self.jobs, self.messages = saved.saved, self._past.jobs, self._board.board
        self.message_times = self._board.times
        self._handlers = Handlers(
            home, self.access, self.info, python=python, processes=handler_processes, env=extra_env
        )
        self._oneshot = OneShot(home, self.info, python)
        self._oneshot.generating["rest"] = RestCommand(self._routed)
        self.search_logs = self._oneshot.logs
        index, self.sendalert = Notables(), SendAlert(home, python)
        self.notables = index.events
        self._oneshot.indexes["notable"] = index.indexed
        self._oneshot.piped["sendalert"] = self.sendalert
        self._faults = Faults()
        self._errors: list[str] = []
        self._changed = threading.Condition()
        self._load_at_start = handlers_loaded
        confs, passwords = Confs(home), Passwords(home, mask)
        self._routes: dict[tuple[str, ...], Callable[[Call], Answer]] = {
            ("storage", "passwords"): passwords.serve,
            ("configs",): confs.configs,
            ("properties",): confs.properties,
            ("alerts", "modaction_adhoc"): ModactionAdhoc(home, self._oneshot, self.jobs).serve,
            ("alerts", "alert_actions"): confs.alert_actions,
            ("messages",): self._board.serve,
            ("server", "info"): self.info.serve,
            ("saved", "searches"): saved.serve,
            ("authentication", "current-context"): CurrentContext(self.access).serve,
            ("apps", "local"): Apps(home).serve,
            ("search", "jobs"): self._jobs,
        }
        if tuple(int(part) for part in version.split(".")) >= (9, 0, 1):
            self._routes["search", "v2", "jobs"] = self._jobs

    def __enter__(self) -> Splunkd:  # noqa: PYI034  # Self came with 3.11
        """Start to answer."""
        if self._load_at_start:
            self.restart()
        self._server = TlsServer(self._exchange)
        self.uri = self._oneshot.uri = self.sendalert.uri = f"https://127.0.0.1:{self._server.port}"
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close, and fail the test if the stand-in itself broke."""
        self.close()
        if self._errors:
            raise AssertionError("splunkd stand-in broke:\n" + "\n".join(self._errors))

    def close(self) -> None:
        """Be gone: every connection is cut, handlers' processes are killed, the port answers no more."""
        self._faults.release()
        self._handlers.close()
        self._oneshot.close()
        self._server.close()

    def restart(self) -> None:
        """Read restmap.conf anew; processes of handlers end. Sessions and the port stay."""
        self._handlers.restart()

    def session(self, user: str) -> str:
        """A new session key of a user (`admin`, `sc_admin`, `power`, `user`, or one that was added)."""
        return self.access.open(user)

    def system_session(self) -> str:
        """A new session key of splunkd's own user, as modular inputs and `passSystemAuth` handlers get it."""
        return self.access.open(SYSTEM_USER)

    def expire(self, key: str) -> None:
        """End a session."""
        self.access.expire(key)

    def fail(self, prefix: str, status: int | str = 503, times: Optional[int] = None) -> None:
        """Answer `status` to paths under `prefix`, or `close` the connection, or `hang` until `close()` or `heal()`.

        `prefix` is a path with or without its namespace: `/services/messages`, `storage/passwords`, or `/` for all.
        `times`: for how many requests; None is until `heal()`.
        """
        self._faults.add(prefix, status, times)

    def delay(self, prefix: str, seconds: float, times: Optional[int] = None) -> None:
        """Let paths under `prefix` wait before they are answered as usual."""
        self._faults.add(prefix, float(seconds), times)

    def heal(self) -> None:
        """Take back every fault and delay; what hangs is cut."""
        self._faults.heal()

    def handler_pids(self) -> list[int]:
        """The living processes of persistent handlers."""
        return self._handlers.pids

    def add_peer(self, host: str, log: Path) -> None:
        """Let `index=_internal` have the app's log of another host too, as the members of a cluster forward theirs."""
        self._oneshot.app_log.peers[host] = log

    def wait_for(self, method: str, prefix: str, timeout: float = 10.0) -> Request:
        """The first recorded request of this method and path prefix, waited for.

        Raises:
            TimeoutError: none came within `timeout` seconds.
        """

        def found() -> Optional[Request]:
            return next((r for r in self.requests if r.method == method and r.path.startswith(prefix)), None)

        with self._changed:
            request = self._changed.wait_for(found, timeout)
        if request is None:
            raise TimeoutError(f"no {method} {prefix} within {timeout} s")
        return request

    def _exchange(self, http: BaseHTTPRequestHandler) -> Optional[Answer]:
        """Answer one HTTP request; None cuts the connection."""
        path = http.path.partition("?")[0]
        user: list[str] = []
        fault = self._faults.strike(path)
        if fault in ("close", "hang"):
            self._record(Request(http.command, path, None, None))
            self._faults.hang(fault)
            return None
        body = http.rfile.read(int(http.headers.get("Content-Length") or 0)).decode("utf-8", "replace")
        as_json = ("output_mode", "json") in parse_qsl(http.path.partition("?")[2]) + parse_qsl(body)
        if isinstance(fault, int):
            answer = message(Refused(fault, "splunkd was told to fail"), as_json)
        else:
            answer = self._answer_or_error(http, body, user, as_json=as_json)
        self._record(Request(http.command, path, user[0] if user else None, answer.status))
        return answer

    def _answer_or_error(self, http: BaseHTTPRequestHandler, body: str, user: list[str], *, as_json: bool) -> Answer:
        try:
            return self._answer(http, body, user)
        except Refused as refused:
            return message(refused, as_json)
        except Exception:  # noqa: BLE001  # whatever it is, the test that used this splunkd fails with it
            self._errors.append(traceback.format_exc())
            return message(Refused(500, "Internal Server Error"), as_json)

    def _answer(self, http: BaseHTTPRequestHandler, body: str, user: list[str]) -> Answer:
        resource, owner, app, query = take_apart(http.path)
        if resource == ("auth", "login"):
            return self._login(Call(http.command, resource, owner, app, query, body, _NOBODY, ""))
        authorization = http.headers.get("Authorization")
        endpoint = self._handlers.find(resource)
        if endpoint is not None and not endpoint.says("requireAuthentication", "true"):
            session, key = _NOBODY, ""
        else:
            session, key = self.access.authenticate(authorization)
            user.append(session.user)
        call = Call(http.command, resource, owner, app, query, body, session, key)
        if endpoint is not None:
            return self._handlers.serve(endpoint, call, self._server.port)
        return self._routed(call)

    def _routed(self, call: Call) -> Answer:
        resource = call.resource
        for length in (3, 2, 1):
            if resource[:length] in self._routes:
                return self._routes[resource[:length]](call)
        raise Refused(404, "Not Found")

    def _jobs(self, call: Call) -> Answer:
        return self._past.serve(call) if call.method == "GET" else self._oneshot.serve(call)

    def _login(self, call: Call) -> Answer:
        if call.method != "POST":
            raise not_allowed()
        key = self.access.login(call.args.get("username", ""), call.args.get("password", ""))
        if call.as_json:
            return json_answer({"sessionKey": key, "message": "", "code": ""})
        return xml_answer(f"<response>\n  <sessionKey>{key}</sessionKey>\n</response>\n")

    def _record(self, request: Request) -> None:
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
