"""The HTTP side of the Kibana stand-in: requests, routes, answers, faults. Must not know what a route does."""

from __future__ import annotations

import collections
import http
import json
import re
import threading
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.elastic.standins.kibana_answers import Refusal, no_constant, platform
from tests.elastic.standins.kibana_auth import authenticated
from tests.standins.http_request import Malformed, read_body, read_head

# server.maxPayload, Kibana's default.
MAX_PAYLOAD = 1048576
NOT_READY = b"Kibana server is not ready yet"


class Record:
    """One request that was read.

    Attributes:
        method: As sent.
        path: Without the query string.
        query: Name to value.
        headers: Lower-case name to value.
        body: Bytes.
        status: What was answered, None where the connection was cut instead.
    """

    def __init__(self, head, body):
        """Take a head and a body apart."""
        parts = urlsplit(head.target)
        self.method = head.method
        self.path = unquote(parts.path)
        self.query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.headers = {name.lower(): value for name, value in head.headers.items()}
        self.body = body
        self.status = None

    def __repr__(self):
        """Without headers and body: credentials belong into no test report."""
        return f"<{self.method} {self.path} {len(self.body)} bytes: {self.status}>"

    @property
    def json(self):
        """The body parsed, None when it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Call:
    """A request that has passed the gate, as a handler sees it.

    Attributes:
        world: The World.
        space: The Space it goes to.
        caller: Who sent it, None where the route needs nobody.
        query: Name to value.
        body: Parsed JSON, None without a body.
        args: The variable parts of the path.
    """

    def __init__(self, world, space, caller, record, args):
        """Put the parts together."""
        self.world = world
        self.space = space
        self.caller = caller
        self.query = record.query
        self.body = _json(record) if record.body else None
        self.args = args

    def demand(self, right, message):
        """Refuse with 403 and `message` unless the caller has `right`."""
        if right not in self.caller.user.rights:
            raise platform(403, message)


def _json(record):
    if record.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise platform(415, "Unsupported Media Type")
    try:
        return json.loads(record.body, parse_constant=no_constant)
    except ValueError as exc:
        raise platform(400, f"Invalid request payload JSON format: {exc}") from exc


class Route:
    """One path.

    Attributes:
        method: HTTP method.
        pattern: Compiled, of the path without the space.
        handle: Called with a Call; returns (status, JSON value).
        anonymous: Whether it answers without credentials.
        most: How many calls of it may run at a time, None for any number.
        locked: Whether nothing else may happen meanwhile.
    """

    def __init__(self, method, path, handle, *, anonymous=False, most=None, locked=True):
        """Take a path in which `{name}` stands for one part."""
        self.method = method
        self.pattern = re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)))
        self.handle = handle
        self.anonymous = anonymous
        self.internal = path.startswith("/internal/")
        self.most = most
        self.locked = locked
        self.running = 0


class Fault:
    """What goes wrong, how many times, and with which requests."""

    def __init__(self, what, count, when, seconds, headers):
        """Keep all of it; see `Kibana.script`."""
        self.what, _, status = what.partition(":")
        self.status = int(status) if status else None
        self.count = count
        self.when = when
        self.seconds = seconds
        self.headers = headers


class Server:
    """Reads requests, keeps them, and answers each through its route."""

    def __init__(self, world, accounts, routes):
        """Serve these routes."""
        self._world = world
        self._accounts = accounts
        self._routes = routes
        self._lock = threading.Lock()
        self.records = []
        self.faults = collections.deque()

    def serve(self, connection):
        """Answer the requests of one connection until it ends."""
        while connection.reader.peek(1):
            if not self._exchange(connection):
                return

    def _exchange(self, connection):
        try:
            head = read_head(connection.reader)
            body = read_body(connection.reader, head.length() or 0)
        except Malformed as exc:
            _send(connection, 400, {"statusCode": 400, "error": "Bad Request", "message": str(exc)})
            return False
        record = Record(head, body)
        with self._lock:
            self.records.append(record)
            fault = self._fault(record)
        delay = 0
        if fault is not None and fault.what == "latency":
            delay, fault = fault.seconds, None
        if fault is not None and fault.what == "cut-before":
            connection.reset()
            return False
        if fault is not None and fault.what == "status":
            return self._answer(connection, record, fault.status, _fault_body(fault.status), fault.headers)
        status, answer = self._act(record, lambda: connection.wait(delay))
        if fault is not None and fault.what == "cut-after":
            connection.reset()
            return False
        if fault is not None:
            return self._answer(connection, record, fault.status, _fault_body(fault.status), fault.headers)
        return self._answer(connection, record, status, answer, {})

    def _answer(self, connection, record, status, body, headers):
        record.status = status
        _send(connection, status, body, headers)
        return record.headers.get("connection", "").lower() != "close"

    def _fault(self, record):
        for fault in self.faults:
            if fault.when(record):
                fault.count -= 1
                if not fault.count:
                    self.faults.remove(fault)
                return fault
        return None

    def _act(self, record, wait):
        try:
            return self._dispatch(record, wait)
        except Refusal as refusal:
            return refusal.status, refusal.body

    def _dispatch(self, record, wait):
        space, path = self._split(record.path)
        route, args = self._find(record.method, path)
        caller = self._accounts.caller(record.headers.get("authorization"))
        if not route.anonymous:
            authenticated(caller)
        self._gate(record, route, space)
        with _Slot(self._lock, route):
            call = Call(self._world, self._world.spaces[space], caller, record, args)
            wait()
            if not route.locked:
                return route.handle(call)
            with self._world.lock:
                return route.handle(call)

    def _split(self, path):
        match = re.fullmatch(r"/s/([^/]+)(/.*)", path)
        return match.groups() if match else ("default", path)

    def _find(self, method, path):
        for route in self._routes:
            match = route.pattern.fullmatch(path)
            if match and route.method == method:
                return route, match.groupdict()
        raise platform(404, "Not Found")

    def _gate(self, record, route, space):
        if space not in self._world.spaces:
            raise platform(404, f"Saved object [space/{space}] not found")
        # core/packages/http/core-http-server-internal, lifecycle_handlers: xsrf, restrict_internal_routes
        if record.method not in ("GET", "HEAD") and "kbn-xsrf" not in record.headers:
            raise platform(400, "Request must contain a kbn-xsrf header.")
        guarded = route.internal and self._world.version.guards_internal_routes
        if guarded and "x-elastic-internal-origin" not in record.headers:
            raise platform(
                400,
                f"uri [{record.path}] with method [{record.method.lower()}] exists but is not available with the "
                "current configuration",
            )
        if len(record.body) > MAX_PAYLOAD:
            raise platform(413, f"Payload content length greater than maximum allowed: {MAX_PAYLOAD}")


class _Slot:
    """One of the places of a route of which only so many may run at a time."""

    def __init__(self, lock, route):
        self._lock = lock
        self._route = route

    def __enter__(self):
        with self._lock:
            if self._route.most is not None and self._route.running >= self._route.most:
                raise platform(429, "Too Many Requests")
            self._route.running += 1

    def __exit__(self, *_exc):
        with self._lock:
            self._route.running -= 1


def _fault_body(status):
    if status == 503:
        return NOT_READY
    return platform(status, http.HTTPStatus(status).phrase).body


def _send(connection, status, body, headers=None):
    plain = isinstance(body, bytes)
    raw = body if plain else b"" if body is None else json.dumps(body).encode()
    kind = "text/plain" if plain else "application/json; charset=utf-8"
    lines = [f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}", "kbn-name: stand-in"]
    if status != http.HTTPStatus.NO_CONTENT:
        lines += [f"content-length: {len(raw)}", f"content-type: {kind}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    connection.send(("\r\n".join(lines) + "\r\n\r\n").encode() + raw)
