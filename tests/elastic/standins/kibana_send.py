"""Sends what a webhook connector sends, with axios's habits, and words the result. Must not know who asked.

Result wording: stack_connectors/server/connector_types/webhook/index.ts@027ff216; axios: contract/kibana.md section 1.
"""

from __future__ import annotations

import base64
import datetime as dt
import http.client
import json
import re
import socket
import ssl
from urllib.parse import urljoin, urlsplit

from tests.elastic.standins.kibana_answers import no_constant
from tests.elastic.standins.kibana_webhook import host_allowed
from tests.elastic.standins.kibana_world import stamp

AGENT = "axios/1.12.2"
_FORM = "application/x-www-form-urlencoded"
# What xpack.actions.maxResponseContentLength is by default (1mb).
_MAX_RESPONSE = 1048576
_MAX_REDIRECTS = 5
_BEYOND = ("certType", "ca", "verificationMode", "accessTokenUrl")


class _Failed(Exception):
    """No answer; the text is axios's code and message."""


def send(world, config, secrets, body):
    """POST (or PUT …) `body` and return the result without its connector_id."""
    headers = _headers(config, secrets)
    raw = _transformed(body, headers)
    try:
        status, reply, answer = _request(world, config["method"].upper(), config["url"], headers, raw)
    except _Failed as failed:
        return _error("request failed", str(failed), None)
    return _result(world, status, reply, answer, body)


def _headers(config, secrets):
    beyond = [name for name in _BEYOND if config.get(name)]
    if beyond or config.get("authType") not in (None, "webhook-authentication-basic"):
        raise NotImplementedError(f"the stand-in keeps authType, {', '.join(_BEYOND)}, and cannot send with them")
    headers = {"Accept": "application/json, text/plain, */*", "User-Agent": AGENT}
    given = dict(config.get("headers") or {})
    given.update(secrets.get("secretHeaders") or {})
    if config["hasAuth"] and secrets.get("user"):
        pair = f"{secrets['user']}:{secrets['password']}".encode()
        given = {name: value for name, value in given.items() if name.lower() != "authorization"}
        given["Authorization"] = "Basic " + base64.b64encode(pair).decode()
    headers.update(given)
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = _FORM
    return headers


def _transformed(body, headers):
    """What axios makes of a string: under application/json valid JSON is trimmed, and all else becomes a JSON string."""
    kind = next(value for name, value in headers.items() if name.lower() == "content-type")
    if "application/json" not in kind:
        return body.encode("utf-8", "replace")
    try:
        json.loads(body, parse_constant=no_constant)
    except ValueError:
        return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    return body.strip(" \t\r\n").encode("utf-8", "replace")


def _request(world, method, url, headers, raw):
    for _ in range(_MAX_REDIRECTS + 1):
        reply, answer = _once(world, method, url, headers, raw)
        place = reply.getheader("Location")
        if not (300 <= reply.status < 400 and place):
            return reply.status, reply, answer
        target = urljoin(url, place)
        if not host_allowed(world, target):
            raise _Failed(
                f'[ERR_FR_REDIRECTION_FAILURE] Redirected request failed: target url "{target}" is not added to the '
                "Kibana config xpack.actions.allowedHosts"
            )
        if urlsplit(target).netloc != urlsplit(url).netloc:
            headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
        if reply.status in (301, 302, 303):
            method, raw = "GET", b""
        url = target
    raise _Failed("[ERR_FR_TOO_MANY_REDIRECTS] Maximum number of redirects exceeded")


def _once(world, method, url, headers, raw):
    parts = urlsplit(url)
    connection = _connection(world, parts)
    path = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    try:
        connection.request(method, path, raw if method != "GET" else None, headers)
        reply = connection.getresponse()
        answer = reply.read(_MAX_RESPONSE + 1)
    except ssl.SSLCertVerificationError as exc:
        raise _Failed(f"[UNABLE_TO_VERIFY_LEAF_SIGNATURE] {exc.verify_message}") from exc
    except ConnectionRefusedError as exc:
        raise _Failed(f"[ECONNREFUSED] connect ECONNREFUSED {parts.hostname}:{parts.port}") from exc
    except socket.gaierror as exc:
        raise _Failed(f"[ENOTFOUND] getaddrinfo ENOTFOUND {parts.hostname}") from exc
    except socket.timeout as exc:
        raise _Failed(f"[ECONNABORTED] timeout of {int(world.response_timeout * 1000)}ms exceeded") from exc
    except (OSError, http.client.HTTPException) as exc:
        raise _Failed("[ECONNRESET] socket hang up") from exc
    finally:
        connection.close()
    if len(answer) > _MAX_RESPONSE:
        raise _Failed(f"[ERR_BAD_RESPONSE] maxContentLength size of {_MAX_RESPONSE} exceeded")
    return reply, answer


def _connection(world, parts):
    if parts.scheme == "http":
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=world.response_timeout)
    context = ssl.create_default_context(cafile=world.trust)
    return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=world.response_timeout, context=context)


def _result(world, status, reply, answer, body):
    if 200 <= status < 300:
        return {"status": "ok", "data": body}
    try:
        data = json.loads(answer)
    except ValueError:
        data = answer.decode("utf-8", "replace")
    if data is None:
        # The handler takes `message` out of response.data, and a literal null has none to give.
        result = _error("", "Cannot destructure property 'message' of 'error.response.data' as it is null.", True)
        return {**result, "message": "an error occurred while running the action"}
    said = data.get("message") if isinstance(data, dict) else None
    service = f"[{status}] {reply.reason}" + (f": {said}" if said else "")
    if status == 429:
        return _too_many(world, reply.getheader("Retry-After"), service)
    if status >= 500:
        return _error("retry later", service, True)
    return _error("invalid response", service, None)


def _too_many(world, after, service):
    # parseInt: leading digits count, an HTTP date gives NaN, and then the default back-off holds.
    seconds = re.match(r"\s*([0-9]+)", after or "")
    if not seconds:
        return _error("retry later", service, True)
    moment = stamp(world.clock.now() + dt.timedelta(seconds=int(seconds.group(1))))
    return _error(f"retry at {moment}", service, moment)


def _error(what, service, retry):
    result = {"status": "error", "message": f"error calling webhook, {what}", "service_message": service}
    return result if retry is None else {**result, "retry": retry}
