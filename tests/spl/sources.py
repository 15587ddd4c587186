"""What there is to search: the events of each log and their fields, the tables of commands and data models. Must not hold an event.

Of our own logs and commands it is what the code says; of others' it is a short table, each with its source.
"""

from __future__ import annotations

import ast
import csv
import inspect
import textwrap

from parapet import commands, connection_test, log
from parapet.listing import Listing

from tests.conf import APP, CONFS
from tests.spl.world import Kind, World


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


INTERNAL = "/opt/splunk/var/log/splunk/"
LOG = {
    "index": ("_internal",),
    "sourcetype": ("parapet_security:log",),
    "source": (INTERNAL + log.FILE,),
}
MODALERT = {
    # In _internal without the CIM app, which sends it to an index of its own.
    "index": ("_internal", "cim_modactions"),
    "sourcetype": ("modular_alerts:parapet_security",),
    "source": (INTERNAL + "parapet_security_modalert.log",),
}
# contract/splunk.md 4.3, and what this app adds.
MODALERT_FIELDS = _names(
    "worker signature action_name search_name sid orig_sid rid orig_rid app user digest_mode action_mode action_status "
    "duration id tenant"
)
# splunkd.log: contract/splunk.md 2.3. scheduler.log: contract/splunk.md and the vendor guide, "Webhook Not Firing".
SPLUNKD = _names("component log_level event_message")
SENDMODALERT = SPLUNKD | _names("action search sid app owner type duration exit")
SCHEDULER = SPLUNKD | _names(
    "savedsearch_name savedsearch_id status result_count alert_actions run_time scheduled_time dispatch_time sid user app "
    "suppressed thread_id digest_mode"
)
# The vendor guide's own example; a notable: contract/splunk.md 4.5.
AUTH = frozenset(["src_ip", "user"])
NOTABLE = _names(
    "event_id rule_id event_hash rule_name rule_title rule_description search_name savedsearch_description security_domain "
    "severity urgency priority status status_label status_group owner orig_sid orig_rid orig_time risk_score risk_object "
    "risk_object_type risk_message annotations annotations.mitre_attack src dest user drilldown_search drilldown_name"
)
# The same, and the risk incident rules of Splunk's own security content, which read these names with All_Risk before them.
RISK = _names(
    "_time source src dest user risk_message risk_score calculated_risk_score risk_object risk_object_type threat_object "
    "threat_object_type annotations annotations.mitre_attack annotations.mitre_attack.mitre_tactic_id "
    "annotations.mitre_attack.mitre_tactic annotations.mitre_attack.mitre_technique_id "
    "annotations.mitre_attack.mitre_technique"
)
# Macros of other apps: of Enterprise Security.
MACROS = {"notable": "index=notable"}
# A state line leaves these out where no tenant is held, paused or blocked: then the latest value of them is of an older line.
OPTIONAL = {"outbox.state": frozenset(["held", "paused", "blocked"])}
ROLES = frozenset(["action", "command", "forwarder", "handler"])


def macros(name: str) -> str | None:
    """A macro's definition."""
    return CONFS["macros.conf"].get(name, {}).get("definition") or MACROS.get(name)


def kinds(catalogue: dict[str, tuple[str, str, str, str]]) -> tuple[Kind, ...]:
    """Every sort of events, with our own log's as a catalogue says."""
    ours = [
        Kind({**LOG, "event": (name,), "log_level": (level,)}, frozenset(fields.split()))
        for name, (level, _, _, fields) in catalogue.items()
    ]
    splunkd = {"index": ("_internal",), "sourcetype": ("splunkd",), "source": (INTERNAL + "splunkd.log",)}
    scheduler = {"index": ("_internal",), "sourcetype": ("scheduler",), "source": (INTERNAL + "scheduler.log",)}
    return (
        *ours,
        Kind(MODALERT, MODALERT_FIELDS),
        Kind({**splunkd, "component": ("sendmodalert",)}, SENDMODALERT),
        Kind(splunkd, SPLUNKD),
        Kind(scheduler, SCHEDULER),
        Kind({"index": ("main",), "source": ("/var/log/auth.log",), "sourcetype": ("linux_secure",)}, AUTH),
        Kind({"index": ("main",), "source": ("/var/log/messages",), "sourcetype": ("syslog",)}, frozenset()),
        Kind({"index": ("notable",)}, NOTABLE),
    )


def tables() -> dict[str, frozenset[str]]:
    """The columns of what commands give."""
    listing = Listing(None, None, 0)  # type: ignore[arg-type]  # neither is looked at
    found = [name for name in connection_test.Finding._fields if name != "ok"]
    return {
        "makeresults": frozenset(["_time"]),
        "parapetoutbox": frozenset([*listing._unreadable("0" * 13 + "-id", ""), "host"]),
        "parapetoutbox summary=true": frozenset(_keys(commands.summary) | _keys(Listing.summary)),
        "parapetoutboxedit": frozenset(_keys(commands.edit)),
        "parapettest": frozenset([*_keys(commands._tested), *_keys(commands.test), *found]),
        "datamodel:Risk.All_Risk": RISK | {"_indextime"},
        # Every endpoint of configurations names its stanza so (REST API reference).
        "rest /servicesNS/nobody/parapet_security/configs/conf-parapet_security": frozenset(
            ["title", "webhook_url", "disabled"]
        ),
    }


def lookups() -> dict[str, list[dict[str, str]]]:
    """The tables that the app brings, by the names that transforms.conf gives them."""
    return {
        name: list(csv.DictReader((APP / "lookups" / settings["filename"]).read_text(encoding="utf-8").splitlines()))
        for name, settings in CONFS["transforms.conf"].items()
        if "filename" in settings
    }


def world(catalogue: dict[str, tuple[str, str, str, str]] = log.EVENTS, **more: object) -> World:
    """What a search meets, with a catalogue of events."""
    values = {
        "event": frozenset(catalogue),
        "log_level": frozenset([*log.LEVELS]),
        "role": ROLES,
        "action_mode": frozenset(["adhoc", "saved"]),
        "action_status": frozenset(["failure", "pending", "success"]),
    }
    return World(  # type: ignore[arg-type]
        macros, kinds(catalogue), OPTIONAL, values, tables(), lookups=lookups(), **more
    )


def _keys(function: object) -> set[str]:
    """The names that stand as keys of dictionaries in a function."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))  # type: ignore[arg-type]
    return {
        ast.literal_eval(key)
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if key is not None and not isinstance(key, (ast.Name, ast.Attribute))
    }
