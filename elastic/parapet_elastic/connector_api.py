"""Reads connectors in Kibana, and says why one cannot be had. Must not change any, nor print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parapet_elastic import connector, shapes
from parapet_elastic.errors import Exit, Failure
from parapet_elastic.kibana import Refused

if TYPE_CHECKING:
    from parapet_elastic.kibana import Kibana

GIVE_RIGHTS = 'Give its role "All" on Management > Actions and Connectors, in this space.'
_ALL = "/api/actions/connectors"
_TYPES = "/api/actions/connector_types"
_ALLOWED_HOSTS = "xpack.actions.allowedHosts"


def read(kibana: Kibana, connector_id: str) -> dict[str, Any] | None:
    """Return the connector as Kibana shows it, None where there is none."""
    try:
        path = connector.path(connector_id)
        found: dict[str, Any] = shapes.checked(kibana.get(path), shapes.CONNECTOR, f"GET {path}")
    except Refused as refused:
        if refused.status == 404:
            return None
        raise
    return found


def everything(kibana: Kibana) -> list[dict[str, Any]]:
    """Return the connectors of the space, with how often each is used."""
    found: list[dict[str, Any]] = shapes.checked(kibana.get(_ALL), shapes.CONNECTORS, f"GET {_ALL}")
    return found


def require(kibana: Kibana, connector_id: str) -> None:
    """See that the connector is there: Kibana would take actions that lead nowhere.

    Raises:
        Failure: It is not, or is no webhook.
    """
    found = read(kibana, connector_id)
    if found is None:
        raise missing(kibana, connector_id)
    if not connector.is_webhook(found):
        raise Failure(f"the connector {connector_id} is no webhook", todo="Give another --connector-id.")


def missing(kibana: Kibana, connector_id: str) -> Failure:
    """Return the Failure of a connector that is not there."""
    return Failure(
        f"there is no connector {connector_id} in the space {kibana.access.space}",
        todo="Run `parapet-elastic connect` first, or give --connector-id.",
    )


def licence_problem(kibana: Kibana) -> tuple[str, str] | None:
    """Return what keeps webhook connectors from being used, and what to do about it; None when nothing does."""
    types = shapes.checked(kibana.get(_TYPES), shapes.CONNECTOR_TYPES, f"GET {_TYPES}")
    found = next((each for each in types if each["id"] == connector.TYPE), None)
    if found is None:
        return "this Kibana has no webhook connectors", "Look at its plugins: stack_connectors is missing."
    if not found.get("enabled_in_config"):
        return (
            "webhook connectors are not enabled in kibana.yml",
            "Add .webhook to xpack.actions.enabledActionTypes in kibana.yml, and restart Kibana.",
        )
    if not found.get("enabled_in_license") or not found.get("enabled"):
        least = found.get("minimum_license_required", "gold")
        return (
            f"the licence does not allow webhook connectors: they need {least}",
            "Upgrade the licence, or start a trial.",
        )
    return None


def explained(refused: Refused, url: str) -> Failure:
    """Return the Failure that says why a connector was not stored, as far as Kibana's answer tells."""
    if refused.status == 400 and _ALLOWED_HOSTS in refused.message:
        return Failure(
            f"Kibana may not send to the host of {url}",
            exit=Exit.REFUSED,
            todo=f"Add that host to {_ALLOWED_HOSTS} in kibana.yml (on Elastic Cloud: in the user settings), and restart Kibana.",
        )
    if refused.status == 403:
        return Failure(
            "the user or API key may not write connectors",
            exit=Exit.REFUSED,
            todo=GIVE_RIGHTS,
        )
    return refused
