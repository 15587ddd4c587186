"""Creates or updates the connector. Must not store the token in the clear unless it was told to, nor print it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from parapet_elastic import connector, connector_api, version
from parapet_elastic.errors import Exit, Failure
from parapet_elastic.kibana import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from parapet_elastic.kibana import Kibana
    from parapet_elastic.screen import Screen
    from parapet_elastic.secret import Secret


@dataclass(frozen=True)
class Wish:
    """The connector that is wanted.

    Attributes:
        connector_id: Its id.
        name: Its name.
        url: The tenant's webhook.
        in_clear: Whether the token may be kept in the clear where Kibana cannot encrypt it.
    """

    connector_id: str
    name: str
    url: str
    in_clear: bool = False


def connect(kibana: Kibana, screen: Screen, wish: Wish, token: Callable[[], Secret]) -> Exit:
    """Bring the connector to what is wanted; run again, it sends the token again and changes nothing else.

    Args:
        kibana: Where.
        screen: Who is asked and told.
        wish: What.
        token: Returns the service token, and may ask for it.

    Returns:
        DONE, or DECLINED.

    Raises:
        Failure: Kibana cannot or may not have it.
    """
    now = version.read(kibana)
    problem = connector_api.licence_problem(kibana)
    if problem:
        raise Failure(problem[0], exit=Exit.REFUSED, todo=problem[1])
    found = connector_api.read(kibana, wish.connector_id)
    if found is not None and connector.is_preconfigured(found):
        return _leave(screen, wish, now)
    if not _may_replace(screen, wish, found) or not _may_store(screen, wish, now):
        screen.result({"connector": wish.connector_id, "change": "none"})
        return Exit.DECLINED
    wanted = connector.payload(wish.name, wish.url, token(), now)
    if found is not None:
        wanted = connector.added_to(wanted, found)
    created = _write(kibana, wish.connector_id, wanted, there=found is not None)
    _report(screen, wish, found, wanted, created=created)
    return Exit.DONE


def _leave(screen: Screen, wish: Wish, now: tuple[int, int]) -> Exit:
    """Say what is to be done in kibana.yml: the API shows nothing of such a connector, and cannot change it."""
    screen.line(f"The connector {wish.connector_id} is set in kibana.yml: nothing was changed here.")
    screen.line(f"Kibana does not show where it sends, so {wish.url} was not compared with it.")
    screen.line("Address and token are changed there; the token may instead be in Kibana's keystore, as")
    screen.line(f"  {connector.keystore_key(wish.connector_id, now)}")
    screen.line("Restart Kibana after a change.")
    screen.line("Next: parapet-elastic test")
    screen.result({"connector": wish.connector_id, "change": "none", "preconfigured": True})
    return Exit.DONE


def _may_replace(screen: Screen, wish: Wish, found: dict[str, Any] | None) -> bool:
    if found is None:
        return True
    if not connector.is_webhook(found):
        raise Failure(
            f"the connector {wish.connector_id} is there already, and is no webhook connector",
            todo="Choose another id with --connector-id.",
        )
    if connector.sends_to(found, wish.url):
        return True
    where = connector.host(found) or "an address that cannot be seen"
    screen.line(f'The connector {wish.connector_id} ("{found.get("name")}") is there already, and sends to {where}.')
    return screen.ask(f"Is it to send to {connector.host_of(wish.url)} instead of {where}?")


def _may_store(screen: Screen, wish: Wish, now: tuple[int, int]) -> bool:
    """Whether the token may be kept the way in which this Kibana keeps it."""
    if now >= connector.ENCRYPTS_HEADERS:
        return True
    block = connector.kibana_yml(wish.connector_id, wish.name, wish.url, now)
    screen.result({"kibana_yml": "\n".join(block)})
    if screen.json:
        screen.warn(f"Kibana {now[0]}.{now[1]} keeps the token in the clear, for everybody who may read connectors.")
    for line in _in_clear(wish, now, block):
        screen.line(line)
    if wish.in_clear:
        screen.note("The token is stored in the clear, as --token-in-clear says.")
        return True
    if screen.ask("Store the token in the clear?", yes_counts=False):
        return True
    screen.note("Nothing was changed. --token-in-clear says yes to this; --yes does not.")
    return False


def _in_clear(wish: Wish, now: tuple[int, int], block: list[str]) -> list[str]:
    return [
        f"Kibana {now[0]}.{now[1]} keeps the headers of a webhook connector in the clear; 9.2 is the first that encrypts them.",
        "Everybody who may read connectors sees the token then: in Kibana's connector page and in its API,",
        "and it is in every export of saved objects or of rules with their connectors.",
        "",
        "Better, on a Kibana that you run yourself: a connector in kibana.yml, whose headers Kibana shows to nobody.",
        "Add this, and restart Kibana (Elastic Cloud Hosted does not allow it):",
        "",
        *block,
        "",
        "Or leave the line of the token out there, and put its value, Bearer and the token, into Kibana's keystore:",
        f"  bin/kibana-keystore add {connector.keystore_key(wish.connector_id, now)}",
        "",
    ]


def _write(kibana: Kibana, connector_id: str, wanted: dict[str, Any], *, there: bool) -> bool:
    """Create or update it; return whether it was created."""
    try:
        if not there and _created(kibana, connector_id, wanted):
            return True
        kibana.put(connector.path(connector_id), wanted)
    except Refused as refused:
        raise connector_api.explained(refused, wanted["config"]["url"]) from None
    return False


def _created(kibana: Kibana, connector_id: str, wanted: dict[str, Any]) -> bool:
    """Create it, unless somebody has done so meanwhile: perhaps we ourselves, and the answer was lost."""
    try:
        # Its id is ours: a second attempt cannot make a second one.
        kibana.post(connector.path(connector_id), {**wanted, "connector_type_id": connector.TYPE}, again=True)
    except Refused as refused:
        if refused.status == 409:
            return False
        raise
    return True


def _report(screen: Screen, wish: Wish, found: dict[str, Any] | None, wanted: dict[str, Any], *, created: bool) -> None:
    changes = [] if found is None else connector.differences(found, wanted)
    if created:
        screen.line(f'The connector {wish.connector_id} ("{wish.name}") was created.')
    else:
        words = ", ".join(changes) if changes else "nothing else"
        screen.line(f'The connector {wish.connector_id} ("{wish.name}") was updated: the token, and {words}.')
    encrypted = "secretHeaders" in wanted["secrets"]
    screen.line("Kibana keeps the token encrypted." if encrypted else "Kibana keeps the token in the clear.")
    if encrypted and not created:
        screen.note(
            "Secret headers of others that were added to it are gone, as Kibana shows them to nobody: add them again."
        )
    moved = encrypted and found is not None and connector.has_token_in_clear(found)
    if moved:
        screen.warn(
            "until now this connector kept its token in the clear. If this is still the same token, make a new one in Parapet, "
            "run connect with it, and revoke the old one."
        )
    screen.line("Next: parapet-elastic test")
    screen.result(
        {
            "connector": wish.connector_id,
            "change": "created" if created else "updated",
            "changed": changes,
            "token_encrypted": encrypted,
            "token_was_in_clear": moved,
        }
    )
