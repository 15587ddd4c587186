"""What needs a person, in words for Splunk Web's bulletin board. Must not know the board, nor look at an entry or a clock.

The host's name is not in the texts: the board puts it before each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .secret import mask
from .utc import iso

if TYPE_CHECKING:
    from typing import Iterable, Mapping

# So much of the outbox makes it nearly full, and only less than the other ends that: a backlog at the border must not flap.
_FULL_FROM, _FULL_UNTIL = 80, 70
# So many characters of names are read on a board.
_NAMES_MOST = 200


class Matter(NamedTuple):
    """One thing that needs a person.

    Attributes:
        text: what is the matter and what to do; "" where nothing is known that was not known before.
        is_news: whether it is told where it was not told yet; if not, it only stays where it stands.
    """

    text: str
    is_news: bool = True


class Matters(NamedTuple):
    """All that needs a person now.

    Attributes:
        found: by a name that stays the same while the matter lasts.
        sure: whether all that waits was looked at: until then what is not found may be there.
        is_last: whether this process looks for the last time.
    """

    found: dict[str, Matter]
    sure: bool = True
    is_last: bool = False


# A tenant that is held because nobody answers, or was asked to wait, needs nobody. Whether what needed somebody before is mended shows
# when it answers again.
UNKNOWN = Matter("", is_news=False)


def held(tenant: str) -> str:
    """The name of the matter that a tenant's alerts wait."""
    # A token that was put where a tenant's name belongs looks like one, and the board is for everybody.
    return "held_" + mask(tenant).replace("*", "x")


def waiting(tenant: str, count: int, oldest_ms: int, why: str) -> Matter:
    """A tenant's alerts wait until somebody mends something.

    Args:
        tenant: which.
        count: how many wait.
        oldest_ms: when the oldest fired; 0 where that is not known.
        why: what is wrong, and what to do.
    """
    where = "" if "setup page" in why else " Token, URL, proxy and ca_file are on the app's setup page."
    text = (
        f"{_counted(count, 'alert')} for tenant {tenant} {_wait(count, oldest_ms)}."
        f" {why[:1].upper()}{why[1:].rstrip('.')}.{where}"
    )
    return Matter(mask(text))


def unconfigured(waiting: Mapping[str, tuple[int, int]]) -> Matter:
    """Alerts wait for tenants that nobody has configured: one message for all of them, since a result row may choose a tenant's name.

    Args:
        waiting: for each tenant how many wait (0: it is not named), and when the oldest fired (0 where that is not known).
    """
    count = sum(number for number, _ in waiting.values())
    oldest_ms = min((ms for _, ms in waiting.values() if ms), default=0)
    names = [tenant for tenant, (number, _) in waiting.items() if number]
    which = "a tenant that is" if len(names) == 1 else f"{len(names)} tenants that are"
    return Matter(
        f"{_counted(count, 'alert')} {_wait(count, oldest_ms)}{',' if oldest_ms else ''} for {which} not configured:"
        f" {listed(names, _NAMES_MOST, ', ')}. Add what is missing on the app's setup page, or name another tenant in the alert."
    )


def dead(count: int, kept_days: int) -> Matter:
    """There are dead letters."""
    return Matter(
        f"{_counted(count, 'dead letter')}: alerts that a tenant refused for good, or that were dropped. Run | parapetoutbox on this host"
        f" to see why; | parapetoutboxedit retries them. They are kept {_counted(kept_days, 'day')}."
    )


def nearly_full(held_bytes: int, most_bytes: int) -> Matter | None:
    """The outbox fills up; None where there is room enough."""
    percent = held_bytes * 100 // most_bytes
    if percent < _FULL_UNTIL:
        return None
    return Matter(
        f"the outbox is {percent} % full. Run | parapetoutbox on this host to see why alerts wait, and mend that, or raise outbox_max_bytes:"
        " when it is full, alerts are delivered without being stored first.",
        is_news=percent >= _FULL_FROM,
    )


def listed(names: Iterable[str], most: int, between: str = ",") -> str:
    """Names in their order, cut at a whole one where they are longer than `most`: then how many more there are is said."""
    ordered, shown, size = sorted(names), [], 0
    for name in ordered:
        # Each by itself: what looks like a token would take along what stands behind it.
        shown.append(mask(name))
        size += len(shown[-1]) + len(between)
        if size > most and len(shown) > 1:
            shown.pop()
            break
    rest = len(ordered) - len(shown)
    return between.join(shown) + (f" ({rest} more)" if rest else "")


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _wait(count: int, oldest_ms: int) -> str:
    since = f", the oldest since {_minute(oldest_ms)}" if oldest_ms else ""
    return ("waits" if count == 1 else "wait") + since


def _minute(ms: int) -> str:
    return iso(ms)[:16].replace("T", " ") + " UTC"
