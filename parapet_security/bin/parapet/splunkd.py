"""splunkd's REST interface: the only importer of splunklib.binding. Must not interpret what it reads, nor show a session key.

The session key goes to the `server_uri` that splunkd itself gave, and nowhere else. That one certificate is not verified: Splunk's own is
self-signed, and the address is the loopback's. Everything of ours is read in the namespace nobody/parapet_security.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import socket
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from splunklib import binding

from .errors import Forbidden, NotFound, Unauthorized, Unreachable

if TYPE_CHECKING:
    from .errors import SplunkdError
    from .secret import Secret

_SEARCH_URI = re.compile(r"/servicesNS/[^/?#\s]+/[^/?#\s]+/saved/searches/[^/?#\s]+\Z")
# What a URI holds as it is; splunkd has escaped the rest, unless something else made this one.
_URI = "/%:@!$&'()*,;="
_APP = "/servicesNS/nobody/parapet_security"
# The longest answer that is read: configurations of some thousand tenants. What is longer is nothing that this app asks for, and the forwarder's
# threads together would fill the host's memory with it.
_ANSWER_MOST = 4 << 20
_PIECE = 65536
# Connections that are kept for the next question.
_IDLE_MOST = 2
_CONFS = ("parapet_security.conf", "passwords.conf", "alert_actions.conf")


class Splunkd:
    """One session with one splunkd.

    Attributes:
        session_ended: whether it has answered 401: this session key is worth nothing any more.
    """

    def __init__(self, server_uri: str, session_key: Secret, *, timeout_s: float = 10.0) -> None:
        """Open nothing yet.

        Args:
            server_uri: as splunkd wrote it.
            session_key: of the alert's owner, or of the system.
            timeout_s: for connecting, and for each read.

        Raises:
            Unreachable: the URI is not one.
        """
        try:
            parts = urlsplit(server_uri)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or not port or parts.scheme not in ("http", "https"):
            raise Unreachable("server_uri is not the address of a splunkd")
        self.session_ended = False
        self._context = binding.Context(
            handler=_Connections(parts.scheme, host, port, timeout_s),
            scheme=parts.scheme,
            host=host,
            port=port,
            token=session_key.reveal(),
            autologin=False,
        )

    def conf(self, name: str) -> dict[str, dict[str, str]]:
        """Every stanza of a conf file as this app sees it, each with `eai:acl.app`. Raises SplunkdError."""
        found = self._json("get", f"{_APP}/configs/conf-{name}", count=0)
        return {str(entry.get("name", "")): _content(entry) for entry in found}

    def stanza(self, conf: str, name: str) -> dict[str, str]:
        """One stanza of a conf file, with `eai:acl.app`. Raises SplunkdError, NotFound where there is none."""
        found = self._json("get", f"{_APP}/configs/conf-{conf}/{_quoted(name)}")
        return _content(found[0]) if found else {}

    def password(self, realm: str, name: str) -> str:
        """A secret of storage/passwords. Raises SplunkdError: Forbidden without list_storage_passwords, NotFound where there is none."""
        found = self._json("get", f"{_APP}/storage/passwords/{_quoted(f'{realm}:{name}:')}")
        return _content(found[0]).get("clear_password", "") if found else ""

    def server_info(self) -> dict[str, str]:
        """What splunkd says of itself: `guid`, `version`, `serverName`. Raises SplunkdError."""
        found = self._json("get", "/services/server/info")
        return _content(found[0]) if found else {}

    def job(self, sid: str, *, v2: bool = True) -> dict[str, str]:
        """A search job: `search`, `earliestTime`, `latestTime`, `resultCount`. Raises SplunkdError, NotFound when it has expired.

        Without `v2` it asks where Splunk had its jobs before 9.0.1.
        """
        found = self._json("get", f"/services/search/{'v2/' if v2 else ''}jobs/{_quoted(sid)}")
        return _content(found[0]) if found else {}

    def saved_search(self, search_uri: str) -> dict[str, str]:
        """A saved search by the `search_uri` of an alert. Raises SplunkdError."""
        if not _SEARCH_URI.match(search_uri) or "/.." in search_uri:
            raise NotFound("search_uri is not the address of a saved search")
        found = self._json("get", _quoted(search_uri.replace("+", "%20"), safe=_URI))
        return _content(found[0]) if found else {}

    def messages(self) -> dict[str, dict[str, str]]:
        """All messages on the bulletin board by name: `message`, `severity`, `timeCreated_epochSecs`. Raises SplunkdError."""
        found = self._json("get", "/services/messages", count=0)
        return {str(entry.get("name", "")): _content(entry) for entry in found}

    def set_message(self, name: str, text: str, severity: str) -> None:
        """Put a message on the bulletin board; one of the same name is replaced. `severity` is info, warn or error. Raises SplunkdError."""
        self._call("post", "/services/messages", name=name, value=text, severity=severity)

    def delete_message(self, name: str) -> None:
        """Take a message off the bulletin board, if it is there. Raises SplunkdError."""
        try:
            self._call("delete", f"/services/messages/{_quoted(name)}")
        except NotFound:
            pass

    def ask_to_deliver(self) -> dict[str, Any]:
        """Call the deliver handler, which takes no input. Raises SplunkdError; its counts otherwise."""
        try:
            document = json.loads(self._call("post", "/services/parapet_security/deliver"))
        except (ValueError, RecursionError):
            document = None
        return document if isinstance(document, dict) else {}

    def _json(self, method: str, path: str, **query: object) -> list[dict[str, Any]]:
        try:
            document = json.loads(self._call(method, path, output_mode="json", **query))
            return [entry for entry in document["entry"] if isinstance(entry, dict)]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Unreachable(f"splunkd's answer to {path} is not what its REST interface gives") from error

    def _call(self, method: str, path: str, **query: object) -> bytes:
        try:
            answer = getattr(self._context, method)(binding.UrlEncoded(path, skip_encode=True), **query)
            body = bytes(answer.body.read())
        except binding.AuthenticationError as error:
            self.session_ended = True
            raise Unauthorized("the session has ended") from error
        except binding.HTTPError as error:
            raise _of_status(error.status, path) from error
        except (OSError, http.client.HTTPException) as error:
            failure = Unreachable(f"splunkd does not answer {path}: {error}")
            failure.timed_out = isinstance(error, socket.timeout)
            raise failure from error
        except Exception as error:  # the library does not say what it raises, and nothing of it may cost an alert
            # Not its text: http.client shows a header that it refuses, and one of them is the session key.
            raise Unreachable(f"splunkd cannot be asked for {path}: {type(error).__name__}") from error
        if len(body) > _ANSWER_MOST:
            raise Unreachable(f"splunkd's answer to {path} is longer than {_ANSWER_MOST} bytes")
        return body


class _Connections:
    """How the library asks: over connections that are kept, for a TLS handshake takes longer than most answers.

    Its own way makes one for each question; and it reads as long as bytes come, and an error as XML in whatever encoding that names.
    """

    def __init__(self, scheme: str, host: str, port: int, timeout_s: float) -> None:
        self._idle: list[http.client.HTTPConnection] = []
        self._where, self._timeout_s = (host, port), timeout_s
        self._context = _trusting() if scheme == "https" else None

    def __call__(self, url: str, message: dict[str, Any], **_options: object) -> dict[str, Any]:
        connection = self._connection()
        is_used = connection.sock is not None
        is_reusable = False
        try:
            try:
                answer, body = _ask(connection, url, message)
            except (ConnectionError, ssl.SSLError, http.client.HTTPException):
                if not is_used:
                    raise
                # splunkd has closed it meanwhile. Whatever this app asks may be asked twice.
                connection.close()
                answer, body = _ask(connection, url, message)
            is_reusable = answer.isclosed()
        finally:
            if is_reusable and len(self._idle) < _IDLE_MOST:
                self._idle.append(connection)
            else:
                connection.close()
        return {
            "status": answer.status,
            "reason": answer.reason,
            "headers": answer.getheaders(),
            "body": io.BytesIO(body),
        }

    def __del__(self) -> None:
        for connection in self._idle:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        try:
            return self._idle.pop()
        except IndexError:
            pass
        if self._context is None:
            return http.client.HTTPConnection(*self._where, timeout=self._timeout_s)
        return http.client.HTTPSConnection(*self._where, timeout=self._timeout_s, context=self._context)


def _trusting() -> ssl.SSLContext:
    """For splunkd's own certificate, which is not verified: no store is loaded."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _ask(
    connection: http.client.HTTPConnection, url: str, message: dict[str, Any]
) -> tuple[http.client.HTTPResponse, bytes]:
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    headers = {"User-Agent": f"splunk-sdk-python/{binding.__version__}", "Accept": "*/*", **dict(message["headers"])}
    connection.request(message.get("method", "GET"), target, message.get("body"), headers)
    answer = connection.getresponse()
    # Of an error, the status is all that counts.
    return answer, _read(answer) if answer.status < 400 else b""


def _read(answer: http.client.HTTPResponse) -> bytes:
    """The body, or so much of it that it is too long. In pieces: up to Python 3.9 http.client makes room for all that may come, in milliseconds."""
    body = piece = answer.read(_PIECE)
    while piece and len(body) <= _ANSWER_MOST:
        piece = answer.read(_PIECE)
        body += piece
    return body


def _quoted(text: str, *, safe: str = "") -> str:
    # Half a character is quoted as it is: any replacement could be the name of something else.
    return quote(text, safe=safe, errors="surrogatepass")


def _of_status(status: int, path: str) -> SplunkdError:
    kind = {401: Unauthorized, 403: Forbidden, 404: NotFound}.get(status, Unreachable)
    return kind(f"splunkd answered {status} to {path}")


def _content(entry: dict[str, Any]) -> dict[str, str]:
    content = entry.get("content")
    values = {str(name): _text(value) for name, value in content.items()} if isinstance(content, dict) else {}
    acl = entry.get("acl")
    if isinstance(acl, dict):
        values["eai:acl.app"] = str(acl.get("app", ""))
    return values


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def conf_times(app_folder: str) -> tuple[float, ...]:
    """When the app's own local conf files last changed; cheap enough for once a second."""
    return tuple(_mtime(os.path.join(app_folder, "local", name)) for name in _CONFS)


def _mtime(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0
