"""Looks whether everything is there that the tool needs, and says what to do about what is not. Must not leave anything changed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from parapet_elastic import connector, connector_api, shapes, version
from parapet_elastic.editing import edits, rules
from parapet_elastic.errors import Exit, Failure
from parapet_elastic.kibana import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from parapet_elastic.kibana import Kibana
    from parapet_elastic.screen import Screen

# What a failure before anything could be looked at is about.
_ABOUT = {Exit.REFUSED: "credentials", Exit.USAGE: "space"}
_NOBODY = "parapet-security-nobody-"


@dataclass(frozen=True)
class Finding:
    """What one look came to.

    Attributes:
        check: What was looked at.
        state: "ok", "missing", or "unknown" where it was not looked, or could not be.
        text: What was seen.
        todo: What to do about it, empty where nothing is.
    """

    check: str
    state: str
    text: str
    todo: str = ""


def doctor(kibana: Kibana, screen: Screen, connector_id: str, url: str | None) -> Exit:
    """Look at everything, print a line for each, and say what to do.

    Args:
        kibana: Where.
        screen: Who is told.
        connector_id: Our connector's id.
        url: The tenant's webhook, to see whether Kibana may send there; None to leave that out.

    Returns:
        DONE, FOUND when something is missing, UNREACHABLE, or REFUSED when the credentials are not accepted.
    """
    look = _Look(kibana, connector_id, url)
    findings = []
    for finding in look.all():
        findings.append(finding)
        screen.line(f"{finding.state:8}{finding.check:15}{finding.text}")
        if finding.todo:
            screen.line(f"{'':8}{'':15}-> {finding.todo}")
    missing = any(finding.state == "missing" for finding in findings)
    code = look.ended or (Exit.FOUND if missing else Exit.DONE)
    screen.result({"checks": [vars(finding) for finding in findings]})
    return code


def _todo(failure: Failure) -> str:
    """Return what to do; the client's word on a missing right is to run this very command."""
    forbidden = isinstance(failure, Refused) and failure.status == 403
    return connector_api.GIVE_RIGHTS if forbidden else failure.todo


class _Look:
    """The looks, in an order in which each may rely on those before it."""

    def __init__(self, kibana: Kibana, connector_id: str, url: str | None) -> None:
        self._kibana = kibana
        self._connector_id = connector_id
        self._url = url
        self._version = version.OLDEST
        self._licensed = True
        self.ended: Exit | None = None

    def all(self) -> Iterator[Finding]:
        try:
            yield from self._version_of()
            if self._version < version.OLDEST:
                return
            there = yield from self._space()
        except Failure as failure:
            self.ended = failure.exit if failure.exit is not Exit.USAGE else None
            yield Finding(_ABOUT.get(failure.exit, "address"), "missing", str(failure), _todo(failure))
            return
        looks: dict[str, Callable[[], Iterator[Finding]]] = {
            "licence": self._licence,
            "connectors": self._connectors,
            "rules": self._rules,
            "connector": self._connector,
            "allowed hosts": self._allowed_hosts,
        }
        for check, look in looks.items() if there else ():
            try:
                yield from look()
            except Refused as refused:
                yield Finding(check, "unknown", str(refused), _todo(refused))
            except Failure as failure:
                self.ended = failure.exit
                yield Finding(check, "unknown", str(failure), failure.todo)
                return

    def _version_of(self) -> Iterator[Finding]:
        about = version.about(self._kibana)
        self._version = about.version
        yield Finding("address", "ok", self._kibana.access.url)
        if about.version < version.OLDEST:
            yield Finding("version", "missing", f"{about} is too old", "Update the Elastic Stack to 8.8 or newer.")
            return
        encrypts = about.version >= connector.ENCRYPTS_HEADERS
        words = "encrypts headers" if encrypts else "keeps a connector's headers in the clear; 9.2 encrypts them"
        yield Finding("version", "ok", f"{about}; {words}")

    def _space(self) -> Generator[Finding, None, bool]:
        """Look at the space; it is the first question to which Kibana wants to know who asks.

        Returns:
            Whether it is there.
        """
        space = self._kibana.access.space
        try:
            self._kibana.get(f"/api/spaces/space/{quote(space, safe='')}")
        except Refused as refused:
            if refused.status not in {403, 404}:
                raise
            yield Finding("credentials", "ok", "accepted")
            if refused.status == 404:
                yield Finding("space", "missing", f"there is no space {space}", "Its id is in its address: /s/{id}/.")
                return False
            yield Finding("space", "missing", f"no access to the space {space}", "Give the user's role rights in it.")
            return True
        yield Finding("credentials", "ok", "accepted")
        yield Finding("space", "ok", space)
        return True

    def _licence(self) -> Iterator[Finding]:
        problem = connector_api.licence_problem(self._kibana)
        self._licensed = problem is None
        if problem:
            yield Finding("licence", "missing", *problem)
        else:
            yield Finding("licence", "ok", "allows webhook connectors")

    def _connectors(self) -> Iterator[Finding]:
        try:
            self._kibana.get("/api/actions/connectors")
        except Refused as refused:
            if refused.status != 403:
                raise
            yield Finding("connectors", "missing", "the user or key may not read connectors", connector_api.GIVE_RIGHTS)
            return
        try:
            # There is none of this id: who may write is told that (404), who may not is told so (403).
            wanted = connector.payload("nobody", "https://localhost/webhook/none", None, self._version)
            self._kibana.put(connector.path(_NOBODY + uuid.uuid4().hex[:8]), wanted)
        except Refused as refused:
            if refused.status == 403:
                text = "the user or key may read connectors, not write them"
                yield Finding("connectors", "missing", text, connector_api.GIVE_RIGHTS)
                return
            if refused.status != 404:
                raise
        yield Finding("connectors", "ok", "may be read and written")

    def _rules(self) -> Iterator[Finding]:
        everything = 'Give its role "All" on Security (rules), in this space.'
        try:
            path = rules.RULES + "/_find"
            found = shapes.checked(self._kibana.get(path, {"page": 1, "per_page": 1}), shapes.RULES, f"GET {path}")
        except Refused as refused:
            if refused.status != 403:
                raise
            yield Finding("rules", "missing", "the user or key may not read detection rules", everything)
            return
        if not found["data"]:
            yield Finding("rules", "unknown", "there is no rule in this space, so nothing to try a change on")
            return
        try:
            self._dry_run(found["data"][0]["id"])
        except Refused as refused:
            if refused.status != 403:
                raise
            yield Finding("rules", "missing", "the user or key may read rules, not change them", everything)
            return
        yield Finding("rules", "ok", f"{found['total']} in this space; may be read and changed")

    def _dry_run(self, rule_id: str) -> None:
        """Try a change that Kibana does not make."""
        change = {"type": "add_rule_actions", "value": {"actions": []}}
        try:
            self._kibana.post(
                edits.BULK,
                {"action": "edit", "ids": [rule_id], "edit": [change]},
                {"dry_run": "true"},
                again=True,
            )
        except Refused as refused:
            # One rule may be one that nobody can change; the right to change rules is there then.
            if refused.status != 500 or not isinstance(refused.body, dict) or "attributes" not in refused.body:
                raise

    def _connector(self) -> Iterator[Finding]:
        found = connector_api.read(self._kibana, self._connector_id)
        if found is None:
            yield Finding(
                "connector", "ok", f"{self._connector_id} is not there yet: `parapet-elastic connect` creates it"
            )
        elif connector.is_preconfigured(found):
            yield Finding("connector", "ok", f"{self._connector_id} is set in kibana.yml; what is in it cannot be seen")
        else:
            problems = list(self._problems(found))
            yield from problems
            if not problems:
                yield Finding("connector", "ok", f"{self._connector_id} sends to {connector.host(found)}")

    def _problems(self, found: dict[str, Any]) -> Iterator[Finding]:
        again = "Run `parapet-elastic connect`."
        encrypts = self._version >= connector.ENCRYPTS_HEADERS
        if not connector.is_webhook(found):
            yield Finding(
                "connector",
                "missing",
                f"{self._connector_id} is no webhook connector",
                "Choose another --connector-id.",
            )
            return
        if found.get("is_missing_secrets"):
            yield Finding("connector", "missing", "its secrets are missing, as after an import", again)
        if self._url and not connector.sends_to(found, self._url):
            yield Finding("connector", "missing", f"it sends to {connector.host(found)}, not to Parapet", again)
        if not connector.has_json_type(found):
            yield Finding("connector", "missing", "it does not send Content-Type: application/json", again)
        if connector.has_token_in_clear(found) and encrypts:
            yield Finding(
                "connector",
                "missing",
                "its token is in the clear: everybody who may read connectors sees it",
                again + " It encrypts the token; use a new one, and revoke the old one.",
            )
        if not connector.has_token_in_clear(found) and not encrypts:
            yield Finding("connector", "missing", "it has no Authorization header", again)

    def _allowed_hosts(self) -> Iterator[Finding]:
        check = "allowed hosts"
        if self._url is None:
            yield Finding(
                check, "unknown", "not looked; with --webhook-url URL it creates a connector for a moment to see"
            )
            return
        if not self._licensed:
            # Kibana would answer 403, as it does where a right is missing.
            yield Finding(check, "unknown", "not looked: see the licence above")
            return
        probe = connector.path("parapet-security-probe-" + uuid.uuid4().hex[:8])
        wanted = connector.payload("Parapet Security: probe of doctor", self._url, None, self._version)
        try:
            try:
                self._kibana.post(probe, {**wanted, "connector_type_id": connector.TYPE}, again=True)
            finally:
                # Also when the answer was lost, and on Ctrl-C.
                gone = self._remove(probe)
        except Refused as refused:
            if refused.status != 409:  # that is the first attempt's, whose answer was lost
                failure = connector_api.explained(refused, self._url)
                yield Finding(check, "missing", str(failure), failure.todo)
                return
        host = urlsplit(self._url).hostname
        yield Finding(check, "ok", f"Kibana may send to {host}")
        if not gone:
            yield Finding(
                check,
                "missing",
                "the connector made for this look is still there",
                f"Delete {probe.rpartition('/')[2]}.",
            )

    def _remove(self, path: str) -> bool:
        try:
            self._kibana.delete(path)
        except Refused as refused:
            return refused.status == 404
        except Failure:
            return False
        return True
