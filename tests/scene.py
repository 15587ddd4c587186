"""A whole installation for a test or the demo: Splunk home with the app, splunkd, a tenant, and what fires alerts.

Must not be lenient: every part is a stand-in as strict as the real one.
"""

from __future__ import annotations

import contextlib
import json
import re
import ssl
import sys
import threading
import time
import warnings
from pathlib import Path
from urllib.parse import quote

import requests
import urllib3
from requests.adapters import HTTPAdapter

from tests.standins import cim
from tests.standins.splunk import ModularInput, Search, Splunk, SplunkHome
from tests.standins.splunkd import Splunkd
from tests.standins.tenant import Tenant

CONF = "/servicesNS/nobody/parapet_security/configs/conf-parapet_security"
PASSWORDS = "/servicesNS/nobody/parapet_security/storage/passwords"
# The guide's own example.
FAILED_LOGINS = {
    "name": "Failed SSH Logins",
    "spl": "source=/var/log/auth.log failed password | stats count by src_ip",
    "earliest": "2026-01-28T14:30:00.000+00:00",
    "latest": "2026-01-28T15:30:00.000+00:00",
    "trigger_time": 1769614200,
    "severity": 4,
    "rows": [
        {"_time": "1769613900", "src_ip": "45.227.253.98", "count": "47", "user": "root", "host": "web-server-01"},
        {
            "_time": "1769613960.250",
            "src_ip": "198.51.100.7",
            "count": "12",
            "user": ["guest", "admin"],
            "host": "web-server-01",
        },
    ],
}


def failed_logins(**changes):
    """A firing of the guide's example; each call is a firing of its own."""
    return Search(**{**FAILED_LOGINS, **changes})


class _ToSplunkd(HTTPAdapter):
    """Connections that trust nobody by name. Without a context of their own they load the platform's CAs first, which takes longer than the call."""

    def init_poolmanager(self, *args, **kwargs):
        """Called by the constructor."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # splunkd's certificate is self-signed
        super().init_poolmanager(*args, ssl_context=context, **kwargs)


class Scene(contextlib.ExitStack):
    """A context manager that ends everything it started.

    Args:
        folder: an empty folder of its own.
        app: the app's tree as it is packaged.
        certs: the certificates.
        python: the interpreter that Splunk runs.
        tenant: False leaves out the tenant and its configuration.
        splunkd: further arguments of the splunkd stand-in.

    Attributes:
        home, splunkd, tenant, splunk: the stand-ins.
        outbox: the outbox's folder.
    """

    def __init__(self, folder, app, certs, *, python=sys.executable, tenant=True, splunkd=None):
        """Start everything but the forwarder."""
        super().__init__()
        self.python, self.certs = python, certs
        self.home = SplunkHome(Path(str(folder)))
        self.home.install(Path(str(app)))
        self.splunkd = self.enter_context(Splunkd(self.home, python=python, **(splunkd or {})))
        self.splunk = Splunk(self.home, server_uri=self.splunkd.uri, python=python)
        self.outbox = self.home.path / "var/lib/parapet_security/outbox"
        self.forwarder = None
        self.http = self.enter_context(requests.Session())
        self.http.trust_env = False
        self.http.mount("https://", _ToSplunkd())
        if tenant:
            self.tenant = self.enter_context(Tenant(certs))
            self.configure({"ca_file": certs.ca_file, "retry_first": "0.1", "retry_max": "1", "hold_retry": "1"})
            self.add_tenant("main", self.tenant.url, self.tenant.token)

    # -- what an administrator does ---------------------------------------------------------------

    def call(self, method, path, user="admin", **form):
        """One REST call as a user; raises for an answer of 4xx and 5xx."""
        key = self.splunkd.session(user)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
            answer = self.http.request(
                method,
                self.splunkd.uri + path,
                data=form or None,
                params={"output_mode": "json"},
                headers={"Authorization": "Splunk " + key},
                verify=False,  # splunkd's certificate is self-signed
                # An ad-hoc run is answered when it has ended.
                timeout=90,
            )
        answer.raise_for_status()
        return answer.json()

    def configure(self, settings):
        """Set keys of [delivery]."""
        self.call("POST", CONF + "/delivery", **settings)

    def add_tenant(self, name, url, token, **settings):
        """Add [tenant:<name>] and store its token (None: no token)."""
        self.call("POST", CONF, name="tenant:" + name, webhook_url=url, **settings)
        if token is not None:
            self.set_token(name, token)

    def set_tenant(self, name, **settings):
        """Change keys of [tenant:<name>]."""
        self.call("POST", CONF + "/" + quote("tenant:" + name, safe=""), **settings)

    def set_token(self, name, token):
        """Store or replace a token."""
        entry = PASSWORDS + "/" + quote("parapet_security:" + name + ":", safe="")
        try:
            self.call("POST", entry, password=token)
        except requests.HTTPError as error:
            if error.response.status_code != 404:
                raise
            self.call("POST", PASSWORDS, name=name, password=token, realm="parapet_security")

    def delete_token(self, name):
        """Remove a token."""
        self.call("DELETE", PASSWORDS + "/" + quote("parapet_security:" + name + ":", safe=""))

    def append(self, module, text):
        """Add Python to a module of the installed app, for processes that start from now on: a bug, or a shorter time to wait."""
        with (self.home.app / f"bin/parapet/{module}.py").open("a", encoding="utf-8") as source:
            source.write(f"\n{text}\n")

    # -- what Splunk does --------------------------------------------------------------------------

    def fire(self, search=None, user="admin"):
        """Fire an alert to the action's end, with the session of its owner."""
        search = search or failed_logins()
        search.owner = user
        return self.splunk.fire(search, self.splunkd.session(user))

    def respond(self, search, user="admin", earliest="0", latest="", **params):
        """Run the action on what a search finds, as Enterprise Security does; returns the content of the job."""
        form = {"action.parapet_security.param." + name: value for name, value in params.items()}
        form.update(action_name="parapet_security", search=search, earliest_time=earliest, latest_time=latest)
        answer = self.call("POST", "/services/alerts/modaction_adhoc", user=user, **form)
        return self.splunkd.jobs[answer["sid"]]

    def start_forwarder(self):
        """Start the modular input and wait until it holds the outbox."""
        self.forwarder = self.enter_context(
            ModularInput(
                self.home, server_uri=self.splunkd.uri, session_key=self.splunkd.system_session, python=self.python
            )
        )
        before = len(self.events("forwarder.started"))
        self.forwarder.start(settle=0)
        wait_until(lambda: len(self.events("forwarder.started")) > before, "the forwarder holds the outbox", scene=self)
        return self.forwarder

    # -- what can be seen --------------------------------------------------------------------------

    def entries(self, folder):
        """The names of the alerts in one folder of the outbox."""
        return sorted(path.name for path in (self.outbox / folder).glob("*.alert"))

    @property
    def log_text(self):
        """The app's log."""
        path = self.home.log / "parapet_security.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def events(self, name=""):
        """The app's log as [(event, line)]."""
        found = [
            (match.group(1), match.string)
            for match in map(re.compile(r".* event=(\S+)").match, self.log_text.splitlines())
            if match
        ]
        return [item for item in found if not name or item[0] == name]

    @property
    def modalert(self):
        """The events that the CIM app finds in the app's modalert log."""
        path = self.home.log / "parapet_security_modalert.log"
        return cim.events(path) if path.exists() else []

    def wait_for_log(self, text, timeout=15):
        """Wait until the app's log holds a text."""
        wait_until(lambda: text in self.log_text, f"{text!r} in the log", timeout, self)

    def wait_for_modalert(self, count):
        """Wait until the modalert log has so many events and nothing waits in the outbox; returns them all, and there are no more."""
        wait_until(lambda: len(self.modalert) >= count, f"{count} events in the modalert log", scene=self)
        self.wait_until_empty()
        found = self.modalert
        if len(found) != count:
            raise AssertionError("\n".join([f"{len(found)} events, not {count}:", *(event["_raw"] for event in found)]))
        return found

    def wait_until_empty(self, timeout=20):
        """Wait until nothing waits in the outbox."""
        wait_until(lambda: not self.entries("new") and not self.entries("pending"), "an empty outbox", timeout, self)

    def everything_written(self):
        """Every byte below var/ and etc/ as {path: bytes}, to look for what must not be there."""
        return {path: path.read_bytes() for path in sorted(self.home.path.rglob("*")) if path.is_file()}


def wait_until(condition, what, timeout=15, scene=None):
    """Poll until `condition()` is true; AssertionError with what is known after `timeout` seconds."""
    pause = threading.Event()
    ends = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > ends:
            log = scene.log_text[-6000:] if scene else ""
            raise AssertionError(f"not within {timeout} s: {what}\n{log}")
        pause.wait(0.02)


def decode(record):
    """The JSON of one request that a tenant recorded."""
    return json.loads(record.body.decode("utf-8"))
