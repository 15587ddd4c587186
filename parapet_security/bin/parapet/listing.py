"""What an outbox holds, for an administrator to read. Must not change anything, nor give a result row or a secret away.

It reads beside whoever holds the lock, so what it says of an entry may have changed when it is read.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from .alert import TENANT_NAME
from .custody import AHEAD_MOST_MS
from .errors import EntryBroken, EntryGone, EntryTooNew, ParapetError
from .secret import mask
from .utc import iso

if TYPE_CHECKING:
    from typing import Iterator

    from .holder import Entry, Holder
    from .settings import Settings

# How many entries are read for a summary: the oldest that wait, the newest that died.
_READ_MOST = 500
_REASONS_MOST = 5


class Listing:
    """The entries of an outbox and why they are there."""

    def __init__(self, holder: Holder, settings: Settings | None, now_ms: int) -> None:
        """Read nothing yet.

        Args:
            holder: the outbox.
            settings: what is configured; None where that could not be read: then nothing is said about pauses and faults.
            now_ms: the wall clock.
        """
        self._holder, self._settings, self._now_ms = holder, settings, now_ms
        self._why: dict[str, tuple[str, str, str, int]] = {}

    def entries(self) -> Iterator[dict[str, object]]:
        """Every entry, those that wait first, the oldest first."""
        for folder in ("", "dead"):
            for name in self._names(folder):
                try:
                    yield self._row(self._holder.read(name, folder), folder)
                except EntryGone:
                    continue  # it was delivered meanwhile
                except (EntryBroken, EntryTooNew, OSError) as error:
                    yield self._unreadable(name, str(error))

    def summary(self) -> dict[str, object]:
        """Counts and reasons, without reading every entry."""
        waiting, dead = self._names(""), self._names("dead")
        oldest_ms = min((int(name[:13]) for name in waiting if int(name[:13])), default=0)
        return {
            "waiting": len(waiting),
            "dead": len(dead),
            "oldest_s": max(self._now_ms - oldest_ms, 0) // 1000 if oldest_ms else "",
            "held": self._reasons_to_wait(waiting),
            "dead_reasons": self._reasons_to_die(dead),
        }

    def _names(self, folder: str) -> list[str]:
        # Between two looks an entry can move from new/ to pending/: it is listed once.
        return sorted(
            {name for place in ([folder] if folder else ["new", "pending"]) for name in self._holder.names(place)}
        )

    def _row(self, entry: Entry, folder: str) -> dict[str, object]:
        alert, state = entry.header.alert, entry.state
        kind, why, todo, until_ms = ("dead", "", "", 0) if folder else self._tenant(alert.tenant)
        error = _why_dead(entry) if folder else (state.error if state else "") or why
        not_before_ms = max(until_ms, state.not_before_ms if state else 0)
        next_ms = 0 if folder or kind == "paused" else min(not_before_ms, self._now_ms + AHEAD_MOST_MS)
        return {
            "_time": f"{entry.fired_ms / 1000:.3f}",
            "fired": _iso(entry.fired_ms),
            "id": entry.id,
            "state": kind,
            "tenant": _clean(alert.tenant),
            "search": _clean(alert.search_name),
            "rows": alert.send,
            "rows_sent": state.rows if state and alert.send == "all" else "",
            "attempts": state.attempts if state else 0,
            "age_s": max(self._now_ms - entry.fired_ms, 0) // 1000,
            "next_try": _iso(next_ms) if next_ms > self._now_ms else "",
            "error": _clean(error),
            "todo": _clean(todo),
        }

    def _unreadable(self, name: str, reason: str) -> dict[str, object]:
        fired_ms = int(name[:13])
        return {
            "_time": f"{fired_ms / 1000:.3f}",
            "fired": _iso(fired_ms),
            "id": name[14:],
            "state": "unreadable",
            **dict.fromkeys(("tenant", "search", "rows", "rows_sent", "attempts", "next_try"), ""),
            "age_s": max(self._now_ms - fired_ms, 0) // 1000,
            "error": _clean(reason),
            "todo": "keep the file and report it",
        }

    def _tenant(self, name: str) -> tuple[str, str, str, int]:
        """Whether a tenant's alerts wait for more than their turn: state, why, what to do, until when."""
        if name not in self._why:
            self._why[name] = self._look_up(name)
        return self._why[name]

    def _look_up(self, name: str) -> tuple[str, str, str, int]:
        if not TENANT_NAME.match(name):
            return "waiting", "", "", 0
        if self._settings is not None:
            tenant = self._settings.tenants.get(name)
            if tenant is None:
                return "held", f"tenant {name} is not configured", "add it on the app's setup page", 0
            if tenant.disabled:
                return "paused", "its tenant is paused", "let it go on, on the app's setup page", 0
            if tenant.fault:
                return "held", tenant.fault, "mend it on the app's setup page", 0
        note = self._holder.hold(name)
        until_ms = note.get("until_ms")
        if not note or not isinstance(until_ms, int):
            return "waiting", "", "", 0
        why = str(note.get("detail") or note.get("reason") or "")
        return "held", why, str(note.get("todo") or ""), until_ms

    def _reasons_to_wait(self, waiting: list[str]) -> list[str]:
        tenants = set(self._holder.held()) | set(self._settings.tenants if self._settings else ())
        tenants |= {entry.header.alert.tenant for entry in self._read(waiting[:_READ_MOST], "")}
        found = {tenant: self._tenant(tenant) for tenant in sorted(tenants)}
        return [
            _clean(f"{tenant}: {why}" + (f"; {todo}" if todo else ""))
            for tenant, (kind, why, todo, _) in found.items()
            if kind != "waiting"
        ]

    def _reasons_to_die(self, dead: list[str]) -> list[str]:
        errors = Counter(_why_dead(entry) for entry in self._read(dead[-_READ_MOST:], "dead"))
        return [_clean(f"{count} × {error}") for error, count in errors.most_common(_REASONS_MOST)]

    def _read(self, names: list[str], folder: str) -> Iterator[Entry]:
        for name in names:
            try:
                yield self._holder.read(name, folder)
            except (ParapetError, OSError):
                continue  # the full list says what is wrong with it


def _why_dead(entry: Entry) -> str:
    told = (entry.state.error if entry.state else "") or entry.header.fault
    if told:
        return str(told)
    # What was never tried has no state in which a reason could be.
    tenant = entry.header.alert.tenant
    return "dropped before its first attempt" if TENANT_NAME.match(tenant) else f"{tenant[:80]!r} is no tenant's name"


def _clean(text: str) -> str:
    """As it may be shown: no token, and nothing that UTF-8 cannot write (JSON can name half a character)."""
    return mask(text.encode("utf-8", "replace").decode("utf-8"))


def _iso(ms: int) -> str:
    return iso(ms // 1000 * 1000) if ms else ""
