"""What the three search commands do, with edges of their own. Must not know Splunk's protocol for commands, nor deliver beside a holder.

They run on the search head of whoever asks, with that user's session, and read and write this host's outbox as the user who runs Splunk.
"""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING, Dict, NamedTuple

from . import configuration, connection_test, places
from .alert import TENANT_NAME
from .clock import Clock
from .errors import OutboxUnavailable, SplunkdError, Unreachable, UsageError
from .handler import deliver_all
from .holder import Holder
from .listing import Listing
from .log import Log
from .outbox import Outbox
from .secret import mask
from .splunkd import Splunkd
from .utc import iso
from .version import USER_AGENT
from .webhook import Webhook

if TYPE_CHECKING:
    from typing import Iterator, Mapping

    from .secret import Secret
    from .settings import Settings

Row = Dict[str, object]

_SPLUNKD_S = 10.0
_NUDGE_S = 1.0
_ANSWER_S = 5.0
_LOOK_S = 0.05
_LOOKS = 3
# Splunk Web waits 30 s for splunkd, and an administrator for an answer.
_TEST_S = 20.0
_ID = re.compile(r"[0-9a-f]{20}\Z")
_ROLES = {"forwarder": "running", "none": "not running"}


class Session(NamedTuple):
    """Who asks, and whom to ask.

    Attributes:
        uri: splunkd's address, as splunkd gave it.
        key: the session key of the user who runs the search.
    """

    uri: str
    key: Secret

    def splunkd(self, timeout_s: float = _SPLUNKD_S) -> Splunkd:
        """A client of its own."""
        return Splunkd(self.uri, self.key, timeout_s=timeout_s)


class _Host:
    """This host's outbox and log."""

    def __init__(self, session: Session, stderr: object, env: Mapping[str, str]) -> None:
        where = places.find(env)
        if not where.ours:
            raise OutboxUnavailable("$SPLUNK_HOME/var belongs to another user than the one who runs this search")
        self.session = session
        self.outbox = Outbox(where.outbox)
        self.log = Log(where.logs, stderr)
        self.log.hide([session.key.reveal()])

    def exists(self) -> bool:
        """Whether anything was ever stored here, or a forwarder ran."""
        return os.path.isdir(self.outbox.path("new", ""))

    def name(self) -> str:
        """As Splunk calls this host; "" where it does not say."""
        try:
            return self.session.splunkd().server_info().get("serverName", "")
        except SplunkdError:
            return ""

    def deliverer(self) -> str:
        """Who delivers here at this moment: `forwarder`, `handler`, `action`, `command`; `unknown`, or `none`."""
        if not self.exists():
            return "none"
        for _ in range(_LOOKS):
            if self.outbox.lock.is_free():
                self.pass_on("new")
                return "none"
            # It may be another look like this one, which is over at once.
            time.sleep(_LOOK_S)
        return self.outbox.usage()[2] or "unknown"

    def pass_on(self, *folders: str) -> None:
        """See to what is in these folders: whoever put an alert while this process had the lock relies on it."""
        holder = Holder(self.outbox)
        if not any(holder.names(folder) for folder in folders):
            return
        try:
            self.session.splunkd(_NUDGE_S).ask_to_deliver()
        except SplunkdError as error:
            if isinstance(error, Unreachable) and error.timed_out:
                return  # the handler is at work
            try:
                self.deliver()
            except SplunkdError as failure:
                self.log.event("settings.failed", reason=str(failure))

    def deliver(self) -> bool:
        """Deliver for a few seconds; False where another process holds the outbox. Raises SplunkdError."""
        turn = deliver_all(self.outbox, self.session.splunkd(), self.log, role="command", turn_s=_ANSWER_S)
        return not turn["held_by_other"]


def test(session: Session, tenant: str, stderr: object, env: Mapping[str, str]) -> Iterator[Row]:
    """Test one tenant, or all.

    Args:
        session: who asks.
        tenant: its name; "" for all.
        stderr: for faults.
        env: the environment.

    Raises:
        UsageError: that is no tenant's name.
        SplunkdError: the configuration cannot be read with this session.
        OutboxUnavailable, LockUnavailable: this process cannot look at the outbox.
    """
    if tenant and not TENANT_NAME.match(tenant):
        raise UsageError("tenant must be 1 to 64 of a-z, 0-9, _ and -, and start with a letter or digit")
    host = _Host(session, stderr, env)
    settings = configuration.load(session.splunkd(), only=tenant)
    host.log.hide([secret.reveal() for secret in settings.secrets])
    role = host.deliverer()
    around = {"forwarder": _ROLES.get(role, "another process delivers"), "host": host.name()}
    names = [tenant] if tenant else sorted(settings.tenants) or ["main"]
    webhook = Webhook(settings.delivery, settings.proxy_password, USER_AGENT)
    try:
        for name in names:
            yield {key: mask(str(value)) for key, value in {**_tested(name, settings, webhook), **around}.items()}
    finally:
        webhook.close()


def _tested(name: str, settings: Settings, webhook: Webhook) -> Row:
    tenant = settings.tenants.get(name)
    if tenant is None:
        todo = "add it on the app's setup page"
        found = connection_test.unusable(f"tenant {name} is not configured", todo)
    else:
        url, token = tenant.webhook_url, tenant.token
        found = connection_test.examine(
            tenant,
            lambda body, key: webhook.post(url, token, body, key, budget_s=_TEST_S),  # type: ignore[arg-type]  # a tenant without a fault has one
            Clock().monotonic,
        )
    outcome = "ok" if found.ok else "failed"
    return {"tenant": name, "outcome": outcome, **{key: value for key, value in found._asdict().items() if key != "ok"}}


def entries(session: Session, stderr: object, env: Mapping[str, str]) -> Iterator[Row]:
    """List the outbox, an entry a row. Raises OutboxUnavailable, LockUnavailable."""
    host = _Host(session, stderr, env)
    host.deliverer()
    name = host.name()
    if host.exists():
        for row in _listing(host).entries():
            yield {**row, "host": name}


def summary(session: Session, stderr: object, env: Mapping[str, str]) -> Iterator[Row]:
    """Tell how it stands with this host, in one row. Raises OutboxUnavailable, LockUnavailable."""
    host = _Host(session, stderr, env)
    held_bytes, most_bytes, _ = host.outbox.usage()
    last = Holder(host.outbox).usage_s()
    yield {
        "host": host.name(),
        "deliverer": host.deliverer(),
        **_listing(host).summary(),
        "bytes": held_bytes,
        "max_bytes": most_bytes,
        "last_state": iso(int(last) * 1000) if last > 0 else "",
    }


def _listing(host: _Host) -> Listing:
    settings = None
    try:
        settings = configuration.load(host.session.splunkd())
    except SplunkdError as error:
        host.log.event("settings.failed", reason=str(error))
    return Listing(Holder(host.outbox), settings, int(Clock().now() * 1000))


def edit(session: Session, request: str, which: str, stderr: object, env: Mapping[str, str]) -> Iterator[Row]:
    """Have entries tried again at once, or made dead letters, by whoever holds the outbox; by this process where nobody does.

    Args:
        session: who asks.
        request: `retry` or `drop`.
        which: an entry's id, several with commas, or `all`: to drop, all that wait; to retry, the dead letters too.
        stderr: for faults.
        env: the environment.

    Raises:
        UsageError: that is no request, or no id.
        OutboxUnavailable, LockUnavailable: this process cannot write into the outbox.
    """
    ids = [part.strip() for part in which.split(",")]
    if request not in ("retry", "drop"):
        raise UsageError("action must be retry or drop")
    if which != "all" and not all(_ID.match(part) for part in ids):
        raise UsageError("id must be all, or what | parapetoutbox shows as id (20 of 0-9 and a-f; several with commas)")
    host = _Host(session, stderr, env)
    known = _whereabouts(host)
    if which == "all":
        ids = [firing for firing, place in known.items() if place == "waiting" or request == "retry"]
    asked = [firing for firing in dict.fromkeys(ids) if firing in known]
    try:
        for firing in asked:
            host.outbox.ask(firing, request)
    except OSError as error:
        raise OutboxUnavailable(
            f"the outbox {host.outbox.root} cannot be written: {error.strerror or error}"
        ) from error
    left = _see_to(host, {(firing, request) for firing in asked})
    now = _whereabouts(host)
    for firing in dict.fromkeys(ids):
        outcome = "unknown" if firing not in known else "asked" if (firing, request) in left else "done"
        yield {"id": firing, "action": request, "outcome": outcome, "state": now.get(firing, "gone")}


def _whereabouts(host: _Host) -> dict[str, str]:
    """Every entry's id, and whether it waits or is dead."""
    if not host.exists():
        return {}
    holder = Holder(host.outbox)
    dead = {name[14:]: "dead" for name in holder.names("dead")}
    return {**dead, **{name[14:]: "waiting" for place in ("new", "pending") for name in sorted(holder.names(place))}}


def _see_to(host: _Host, asked: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Wait a little until the holder has done what was asked, or do it; returns what is left."""
    clock, holder = Clock(), Holder(host.outbox)
    ends = clock.monotonic() + _ANSWER_S
    left = asked
    try:
        while left and clock.monotonic() < ends:
            if not host.deliver():
                time.sleep(_LOOK_S)
            left = asked & set(holder.requests())
    except SplunkdError as error:
        host.log.event("settings.failed", reason=str(error))  # a later holder does it
    finally:
        if asked:
            host.pass_on("new", "pending")
    return left
