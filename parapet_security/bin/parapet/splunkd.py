"""splunkd's REST interface: the only importer of splunklib.binding. Must not interpret what it reads, nor show a session key.

The session key goes to the `server_uri` that splunkd itself gave, and nowhere else. That one certificate is not verified: Splunk's own is
self-signed, and the address is the loopback's. Everything of ours is read in the namespace nobody/parapet_security.
"""

from __future__ import annotations

import io
import json
import os
import re
import socket
from typing import TYPE_CHECKING, Any, Callable
from urllib.parse import quote, urlsplit

from splunklib import binding

from .errors import Forbidden, NotFound, Unauthorized, Unreachable

if TYPE_CHECKING:
    from typing import Iterator

    from .errors import SplunkdError
    from .secret import Secret

_SEARCH_URI = re.compile(r"/servicesNS/[^/?#\s]+/[^/?#\s]+/saved/searches/[^/?#\s]+\Z")
# What a URI holds as it is; splunkd has escaped the rest, unless something else made this one.
_URI = "/%:@!$&'()*,;="
_APP = "/servicesNS/nobody/parapet_security"
# The longest answer that is read: configurations of some thousand tenants. What is longer is nothing that this app asks for, and the forwarder's
# threads together would fill the host's memory with it.
_ANSWER_MOST = 4 << 20
_PIECE_BYTES = 1 << 16
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
            handler=_bounded(binding.handler(timeout=timeout_s)),
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
        except OSError as error:
            failure = Unreachable(f"splunkd does not answer {path}: {error}")
            failure.timed_out = isinstance(error, socket.timeout)
            raise failure from error
        except Exception as error:  # the library does not say what it raises, and nothing of it may cost an alert
            # Not its text: http.client shows a header that it refuses, and one of them is the session key, or what came in place of a
            # status line, which can be a password.
            raise Unreachable(f"splunkd cannot be asked for {path}: {type(error).__name__}") from error
        if len(body) > _ANSWER_MOST:
            raise Unreachable(f"splunkd's answer to {path} is longer than {_ANSWER_MOST} bytes")
        return body


def _bounded(ask: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """The library's way to ask; it reads as long as bytes come, and an error as XML in whatever encoding that names. Here neither."""

    def bounded(url: str, message: dict[str, Any], **options: Any) -> dict[str, Any]:
        answer = ask(url, message, **options)
        with answer["body"] as body:
            # Of an error, the status is all that counts.
            answer["body"] = io.BytesIO(b"".join(_pieces(body)) if answer["status"] < 400 else b"")
        return answer

    return bounded


def _pieces(body: Any) -> Iterator[bytes]:
    """What was answered, up to the first byte too many; not at once, for up to Python 3.9 that takes memory for all that might come."""
    left = _ANSWER_MOST + 1
    while left:
        piece = body.read(min(left, _PIECE_BYTES))
        if not piece:
            return
        yield piece
        left -= len(piece)


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
