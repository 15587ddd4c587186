"""Takes our action off all rules of the space, then removes the connector. Must not remove one that something else still uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parapet_elastic import connector, connector_api, version
from parapet_elastic.editing import apply, rules
from parapet_elastic.editing.rule_actions import ours
from parapet_elastic.errors import Exit, Failure
from parapet_elastic.kibana import Refused

if TYPE_CHECKING:
    from parapet_elastic.kibana import Kibana
    from parapet_elastic.screen import Screen


def uninstall(kibana: Kibana, screen: Screen, connector_id: str, options: apply.Options, *, keep: bool) -> Exit:
    """Detach, then remove the connector; run again, nothing is left to do.

    Args:
        kibana: Where.
        screen: Who is shown the plan, and asked.
        connector_id: Our connector's id.
        options: Whether it is only a plan, and where the snapshot goes.
        keep: Whether the connector stays.

    Returns:
        DONE, DECLINED, or what detaching came to where that is not all done.

    Raises:
        Failure: The connector is of another kind.
    """
    version.read(kibana)
    found = None if keep else connector_api.read(kibana, connector_id)
    removable = found is not None and not connector.is_preconfigured(found)
    sending = rules.by_name(rule for rule in rules.listing(kibana) if ours(rule, connector_id))
    if found is not None and removable:
        if not _may_remove(screen, connector_id, found, options):
            return Exit.DECLINED
        screen.line(f"The connector {connector_id} will be removed" + (", after the rules below." if sending else "."))
    code = _detach(kibana, screen, connector_id, options, sending, asks=removable)
    if code is not Exit.DONE:
        return code
    if options.dry_run:
        screen.result({"connector": "would be removed" if removable else "stays"})
        return Exit.DONE
    if found is not None and connector.is_preconfigured(found):
        screen.line(
            f"The connector is set in kibana.yml: remove {connector_id} from xpack.actions.preconfigured there."
        )
    elif removable:
        return _remove(kibana, screen, connector_id)
    elif not sending:
        screen.line("Nothing is left to do.")
    screen.result({"connector": "stays" if found or keep else "none"})
    return Exit.DONE


def _may_remove(screen: Screen, connector_id: str, found: dict[str, Any], options: apply.Options) -> bool:
    """Whether it is ours, or is to be removed all the same: its secrets cannot be had back."""
    if not connector.is_webhook(found):
        raise Failure(
            f"the connector {connector_id} is no webhook, so it is not ours",
            todo="Give another --connector-id, or --keep-connector.",
        )
    if connector.is_parapets(found):
        return True
    where = connector.host(found) or "an address that cannot be seen"
    screen.line(f'The connector {connector_id} ("{found.get("name")}") sends to {where}, which is not Parapet.')
    return options.dry_run or screen.ask(f"Remove {connector_id} all the same?")


def _detach(
    kibana: Kibana,
    screen: Screen,
    connector_id: str,
    options: apply.Options,
    sending: list[dict[str, Any]],
    *,
    asks: bool,
) -> Exit:
    if sending:
        also = f"delete the connector {connector_id}" if asks else ""
        return apply.detach_from(kibana, screen, sending, connector_id, options=options, also=also)
    screen.line("No rule sends.")
    if asks and not options.dry_run and not screen.ask("Remove the connector?"):
        return Exit.DECLINED
    return Exit.DONE


def _remove(kibana: Kibana, screen: Screen, connector_id: str) -> Exit:
    uses = next(
        (each.get("referenced_by_count", 0) for each in connector_api.everything(kibana) if each["id"] == connector_id),
        0,
    )
    if uses:
        screen.warn(
            f"the connector {connector_id} stays: something that is no detection rule of this space uses it ({uses}). "
            "Take it off there in Kibana (Stack Management > Rules), and run this again."
        )
        screen.result({"connector": "stays", "used_by": uses})
        return Exit.INCOMPLETE
    try:
        kibana.delete(connector.path(connector_id))
    except Refused as refused:
        if refused.status != 404:
            raise
    screen.line(f"The connector {connector_id} is removed. Revoke its token in Parapet.")
    screen.result({"connector": "removed"})
    return Exit.DONE
