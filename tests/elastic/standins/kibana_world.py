"""All that the Kibana stand-in stores, and its clock. Must not know HTTP."""

from __future__ import annotations

import datetime as dt
import threading

UTC = dt.timezone.utc


class Clock:
    """The stand-in's time: starts at the real one, or at `start`, and then passes only when it is told to.

    Every look moves it by a millisecond, so that no two changes bear one time.
    """

    def __init__(self, start=None):
        """Begin at `start` (an aware datetime), or now."""
        self._now = start or dt.datetime.now(UTC)
        self._lock = threading.Lock()

    def now(self):
        """Return the time, and let a millisecond pass."""
        with self._lock:
            self._now += dt.timedelta(milliseconds=1)
            return self._now

    def advance(self, seconds):
        """Let time pass."""
        with self._lock:
            self._now += dt.timedelta(seconds=seconds)

    def advance_to(self, moment):
        """Let time pass until `moment`, if that is still to come."""
        with self._lock:
            self._now = max(self._now, moment)


def stamp(moment):
    """Return `moment` as JavaScript's toISOString does."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


class Space:
    """What one Kibana space holds.

    Attributes:
        id: Its id.
        connectors: Id to a dict with name, connector_type_id, config, secrets.
        rules: Id to the rule as the API returns it.
        alerts: Alert documents as Elasticsearch hits, oldest first.
        action_errors: Dicts with rule, id, timestamp, type, message.
    """

    def __init__(self, space_id):
        """Begin empty."""
        self.id = space_id
        self.connectors = {}
        self.rules = {}
        self.alerts = []
        self.action_errors = []


class World:
    """One Kibana: its settings and its spaces; `lock` guards all of it.

    Attributes:
        version: A Version.
        license: One of LICENCES; may be changed at any time.
        allowed_hosts: xpack.actions.allowedHosts.
        enabled_types: xpack.actions.enabledActionTypes.
        public_base_url: server.publicBaseUrl, or None.
        preconfigured: Connectors of kibana.yml: id to a dict with name, actionTypeId, config, secrets.
        trust: A PEM file of authorities that outgoing requests trust, or None for the platform's.
        response_timeout: xpack.actions.responseTimeout, seconds.
        max_attempts: xpack.actions.run.maxAttempts, which connectorTypeOverrides may set for .webhook.
        clock: A Clock.
        spaces: Id to Space.
        owners: Rule id to whose identity the rule runs with, as in "api_key:<id>" or "user:<name>".
        partial_status: The HTTP status of a bulk edit that failed for some rules: 500, or 200 with `success` false.
        failing: Rule id to (message, err_code): edits of this rule fail.
    """

    def __init__(self, version, *, license, spaces, clock):  # noqa: A002 - Kibana's word
        """Begin with empty spaces."""
        self.version = version
        self.license = license
        self.allowed_hosts = ("*",)
        self.enabled_types = ("*",)
        self.public_base_url = None
        self.preconfigured = {}
        self.trust = None
        self.response_timeout = 60
        self.max_attempts = 3
        self.clock = clock
        self.spaces = {each: Space(each) for each in spaces}
        self.owners = {}
        self.partial_status = 500
        self.failing = {}
        self.lock = threading.RLock()

    def stamp(self):
        """Return the time now as text."""
        return stamp(self.clock.now())
