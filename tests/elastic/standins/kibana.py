"""A Kibana on 127.0.0.1 that tests can talk to, as strict as contract/kibana.md. Must not be kinder than the real one.

What is known about Kibana beyond the contract is cited where it is used. Nothing of it has been run on a live Kibana.
"""

from __future__ import annotations

import copy

from tests.elastic.standins import (
    kibana_alerts,
    kibana_bulk,
    kibana_connectors,
    kibana_errors,
    kibana_rules,
    kibana_spaces,
)
from tests.elastic.standins.kibana_answers import strict
from tests.elastic.standins.kibana_auth import Accounts
from tests.elastic.standins.kibana_fire import Runner
from tests.elastic.standins.kibana_http import Fault, Route, Server
from tests.elastic.standins.kibana_versions import Version
from tests.elastic.standins.kibana_world import Clock, World
from tests.standins.listener import Listener, Listening


class Kibana(Listening):
    """One Kibana.

    Attributes:
        url: Its address.
        ca_file: What a client must trust, None over plain http.
        username, password: Of a user with all rights.
        api_key: Encoded, of the same user.
        rights: That user's rights, a set: "connectors:read", "connectors:write", "rules:read", "rules:write",
            "alerts:read"; may be changed at any time.
        users: All users, name to User; `accounts` adds more.
        accounts: Users and API keys.
        connections: How many connections it has accepted.
        world: What it stores and how it is set up; may be changed at any time.
        clock: Its time.
    """

    def __init__(
        self,
        version="9.2.0",
        license="gold",  # noqa: A002 - Kibana's word
        certs=None,
        *,
        allowed_hosts=("*",),
        public_base_url="https://kb.example.com",
        spaces=("default",),
        serverless=False,
        **settings,
    ):
        """Listen at once.

        Args:
            version: As in "8.19.4".
            license: "basic", "standard", "gold", "platinum", "enterprise" or "trial".
            certs: Certs, whose `server` certificate it presents; None for plain http on loopback.
            allowed_hosts: xpack.actions.allowedHosts.
            public_base_url: server.publicBaseUrl, or None.
            spaces: Ids of all spaces.
            serverless: Whether it is Elastic's serverless Kibana.
            **settings: `preconfigured` (id to name, actionTypeId, config, secrets), `enabled_types`
                (xpack.actions.enabledActionTypes), `trust` (a PEM file that outgoing requests trust; that of `certs`
                unless given), `response_timeout` (seconds), `max_attempts` (of an action; 3), `clock` (a Clock).
        """
        known = Version(version, serverless=serverless)
        self.clock = settings.pop("clock", None) or Clock()
        self.world = World(known, license=license, spaces=spaces, clock=self.clock)
        self.world.allowed_hosts = tuple(allowed_hosts)
        self.world.public_base_url = public_base_url
        self.world.trust = settings.pop("trust", certs.ca_file if certs else None)
        for name in ("preconfigured", "enabled_types", "response_timeout", "max_attempts"):
            if name in settings:
                setattr(self.world, name, settings.pop(name))
        if settings:
            raise TypeError(f"the stand-in has no setting {sorted(settings)}")
        self.accounts = Accounts()
        self.users = self.accounts.users
        user = self.accounts.add_user("elastic", "stand-in-password")
        self.username, self.password, self.rights = user.name, user.password, user.rights
        self.api_key = self.accounts.add_key(user)
        routes = [
            Route("GET", "/api/status", _status, anonymous=True),
            *kibana_connectors.routes(),
            *kibana_bulk.routes(),
            *kibana_rules.routes(),
            *kibana_spaces.routes(),
            *kibana_alerts.routes(),
            *kibana_errors.routes(),
        ]
        self.connections = 0
        self._server = Server(self.world, self.accounts, routes)
        self._runner = Runner(self.world, self.accounts)
        self._context = certs.server.context() if certs else None
        self.ca_file = certs.ca_file if certs else None
        self._listener = Listener(self._serve)
        self.url = f"{'https' if certs else 'http'}://localhost:{self._listener.port}"

    def _serve(self, connection):
        self.connections = connection.number
        if self._context is None:
            connection.plain()
        else:
            connection.secure(self._context)
        self._server.serve(connection)

    @property
    def requests(self):
        """All Records in the order in which they were read."""
        return list(self._server.records)

    def script(self, fault, count=1, when=lambda _record: True, *, seconds=0.0, headers=None):
        """Let the next `count` requests for which `when(record)` is true go wrong.

        Args:
            fault: "status:429" (or another: nothing is done, this is the answer), "status-after:504" (done, and then
                this is the answer), "cut-before" (cut, nothing is done), "cut-after" (done, then cut), "latency"
                (all goes well, `seconds` later).
            count: How often.
            when: Which requests.
            seconds: For "latency".
            headers: More headers for the two kinds of status.
        """
        if fault.partition(":")[0] not in ("status", "status-after", "cut-before", "cut-after", "latency"):
            raise ValueError(f"the stand-in has no fault {fault}")
        self._server.faults.append(Fault(fault, count, when, seconds, dict(headers or {})))

    def add_rule(self, name, tags=(), immutable=False, enabled=True, space="default", **fields):
        """Store a detection rule and return its id; `fields` are more fields as the API names them."""
        with self.world.lock:
            rule = kibana_rules.new_rule(
                self.world, name, tags=tags, immutable=immutable, enabled=enabled, fields=fields
            )
            self.world.spaces[space].rules[rule["id"]] = rule
            return rule["id"]

    def remove_rule(self, rule_id, space="default"):
        """Delete a rule, as its owner might meanwhile."""
        with self.world.lock:
            del self.world.spaces[space].rules[rule_id]

    def rules(self, space="default"):
        """Return all rules as the API shows them, oldest first."""
        with self.world.lock:
            return copy.deepcopy(list(self.world.spaces[space].rules.values()))

    def rule(self, rule_id, space="default"):
        """Return one rule."""
        with self.world.lock:
            return copy.deepcopy(self.world.spaces[space].rules[rule_id])

    def set_actions(self, rule_id, actions, space="default"):
        """Set a rule's actions just so, as if somebody had done it in Kibana's own pages."""
        with self.world.lock:
            rule = self.world.spaces[space].rules[rule_id]
            rule["actions"] = copy.deepcopy(list(actions))
            rule["revision"] += 1
            rule["updated_at"] = self.world.stamp()

    def add_alerts(self, rule_id, sources, at=None, space="default"):
        """Store alerts that a rule has made of these events, at a time (an aware datetime); no action runs.

        Returns:
            The new alerts as Elasticsearch hits.
        """
        return self._runner.store(self.world.spaces[space], rule_id, sources, at)

    def fire(self, rule_id, sources, space="default"):
        """Run a rule that finds these events: alerts are stored, and its actions run as Kibana runs them.

        Returns:
            The new alerts as Elasticsearch hits; none of a rule that is disabled, or whose API key is gone.
        """
        return self._runner.run(self.world.spaces[space], rule_id, sources)

    def execute_retries(self):
        """Let time pass until every failed delivery has gone through or is dropped; returns how many attempts it took."""
        return self._runner.retry()

    @property
    def attempts(self):
        """Every Attempt of an action of a rule, in order."""
        return list(self._runner.attempts)

    @property
    def waiting(self):
        """How many deliveries wait for their next attempt."""
        return self._runner.waiting

    def alerts(self, space="default"):
        """Return the stored alerts as Elasticsearch hits, oldest first."""
        with self.world.lock:
            return copy.deepcopy(self.world.spaces[space].alerts)

    def connectors(self, space="default"):
        """Return id to name, connector_type_id, config and secrets of the stored connectors."""
        with self.world.lock:
            return copy.deepcopy(self.world.spaces[space].connectors)

    def api_key_owner(self, rule_id):
        """Return whose identity a rule runs with: "api_key:<id>", "user:<name>", None where nobody has edited it."""
        return self.world.owners.get(rule_id)

    def fail_rule(self, rule_id, message, err_code=None):
        """Let edits of this rule fail; with an `err_code` a dry run says so too."""
        self.world.failing[rule_id] = (message, err_code)

    def heal_rule(self, rule_id):
        """Let edits of this rule succeed again."""
        del self.world.failing[rule_id]


def _status(call):
    strict(call.query, "request query", {}, {"v7format": str, "v8format": str})
    overall = {"overall": {"level": "available", "summary": "All services and plugins are available"}}
    if call.caller is None:
        # Without credentials only this much is told (core_status_redactedResponse in Kibana's API description).
        return 200, {"status": {"overall": {"level": "available"}}}
    version = call.world.version
    number = {
        "number": version.text,
        "build_hash": "0" * 40,
        "build_number": 1,
        "build_snapshot": False,
        "build_flavor": "serverless" if version.serverless else "traditional",
        "build_date": "2026-01-01T00:00:00.000Z",
    }
    return 200, {"name": "kibana", "uuid": "0" * 32, "version": number, "status": overall}
