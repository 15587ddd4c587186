"""`/splunkd/__raw`: Splunk Web hands a request on to splunkd with the session of whoever is logged in.

Must not answer for splunkd, and not expose what Splunk Web does not: an app's own endpoints need `[expose:…]` in web.conf.
"""

from __future__ import annotations

import http.client
import re
import ssl
from typing import TYPE_CHECKING, Sequence
from urllib.parse import parse_qs, quote, urlsplit

from tests.standins.splunk_web_http import Reply, redirect
from tests.standins.splunk_web_login import FORGED
from tests.standins.splunkd_answers import Refused, message

if TYPE_CHECKING:
    from tests.standins.splunk_web import SplunkWeb
    from tests.standins.splunk_web_http import Call

# splunkd's own endpoints that setup pages of many shipped apps reach this way; that all of them are open without a
# stanza in web.conf is not confirmed by a specification.
_SYSTEM = (
    "alerts/alert_actions",
    "apps/local",
    "authentication/current-context",
    "configs",
    "data/ui",
    "messages",
    "properties",
    "saved/searches",
    "search/jobs",
    "search/v2/jobs",
    "server/info",
    "storage/passwords",
)
_METHODS = ("GET", "POST", "DELETE")
# What belongs to the connection with splunkd and not to the answer.
_HOP = ("connection", "content-length", "content-type", "date", "keep-alive", "server", "transfer-encoding")


def serve(web: SplunkWeb, call: Call) -> Reply:
    """Check what Splunk Web checks, then ask splunkd."""
    try:
        return _checked(web, call)
    except Refused as refused:
        return _refusal(call, refused)


def _checked(web: SplunkWeb, call: Call) -> Reply:
    if call.user is None:
        return _unknown(web, call)
    target = call.target[len(web.path("splunkd/__raw", call.locale)) :]
    if not _is_exposed(web, urlsplit(target).path, call.method):
        raise Refused(404, "Not Found")
    if call.method != "GET" and web.sessions.is_forged(call):
        raise FORGED
    return _ask(web, call, target)


def _unknown(web: SplunkWeb, call: Call) -> Reply:
    """Nobody is logged in.

    A request that says it is a script's gets 401, every other one the way to the login form, with a body that says so
    (metasploit-framework, modules/auxiliary/gather/splunk_raw_server_info.rb, on 6.6 to 7.0).
    """
    if call.headers.get("X-Requested-With") == "XMLHttpRequest":
        raise Refused(401, "call not properly authenticated", "WARN")
    where = web.path("account/login", call.locale) + "?return_to=" + quote(call.target, safe="")
    return _refusal(call, Refused(303, "See Other"))._replace(headers=redirect(where).headers)


def _refusal(call: Call, refused: Refused) -> Reply:
    modes = parse_qs(urlsplit(call.target).query).get("output_mode", [call.form.get("output_mode", "")])
    answer = message(refused, modes[-1] == "json")
    return Reply(answer.status, answer.body, answer.content_type, (("Cache-Control", "no-store"),))


def _is_exposed(web: SplunkWeb, path: str, method: str) -> bool:
    parts = path.strip("/").split("/")
    if parts[0] == "services":
        resource = parts[1:]
    elif parts[0] == "servicesNS" and len(parts) > 3:
        resource = parts[3:]
    else:
        return False
    if any(resource[: len(known.split("/"))] == known.split("/") for known in _SYSTEM):
        if method not in _METHODS:
            raise Refused(405, "Method Not Allowed")
        return True
    return any(
        method in [name.strip() for name in stanza.settings.get("methods", "GET").split(",")]
        and _matches(stanza.settings.get("pattern", "").split("/"), resource)
        for name, stanza in _exposed_by_apps(web)
    )


def _exposed_by_apps(web: SplunkWeb) -> Sequence:
    tree = web.home.conf
    found = [item for app in tree.apps() for item in tree.stanzas("web", app).items()]
    return [(name, stanza) for name, stanza in found if name.startswith("expose:")]


def _matches(pattern: Sequence[str], resource: Sequence[str]) -> bool:
    """web.conf.spec 9.0.3: `*` is one element, `**` any number of them, and an element may end in `*`."""
    words = {"**": ".+"}
    expression = "/".join(words.get(part, re.escape(part).replace(r"\*", "[^/]*")) for part in pattern)
    return bool(re.fullmatch(expression, "/".join(resource)))


def _ask(web: SplunkWeb, call: Call, target: str) -> Reply:
    url = urlsplit(web.splunkd.uri)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # splunkd's certificate is self-made
    port, timeout = url.port, web.splunkd_timeout
    connection = http.client.HTTPSConnection(str(url.hostname), port, timeout=timeout, context=context)
    headers = {"Authorization": "Splunk " + call.key}
    if call.headers.get("Content-Type"):
        headers["Content-Type"] = call.headers["Content-Type"]
    try:
        connection.request(call.method, target, call.body or None, headers)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        # The status and the words of splunk.appserver.mrsparkle.controllers.proxy and splunk.rest; a splunkd that is too
        # slow reads "The read operation timed out" there.
        what = f"Error connecting to {urlsplit(target).path}: {error}"
        raise Refused(500, f"Splunkd daemon is not responding: {(what,)}") from None
    finally:
        connection.close()
    kept = tuple((name, value) for name, value in response.getheaders() if name.lower() not in _HOP)
    return Reply(
        response.status, body, response.getheader("Content-Type", "text/xml"), (*kept, ("Cache-Control", "no-store"))
    )
