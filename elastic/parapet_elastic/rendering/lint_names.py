"""The names that a template may use, and what to use in the place of those that Kibana does not have. Must not render."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from parapet_elastic.rendering.variables import camel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from parapet_elastic.rendering.mustache_parser import Token

OLDEST: Final = (8, 8)
"""The oldest Kibana that this package works with."""

FEATURES: Final = {
    "asJSON": (8, 8),
    "EvalMath": (8, 8),
    "FormatDate": (8, 8),
    "ParseHjson": (8, 8),
    "FormatNumber": (8, 9),
    # 8.18.1, to be exact, and 8.17 never had it.
    "EncodeURI": (8, 18),
    "EncodeURIComponent": (8, 18),
}
"""What a template can use that not every Kibana has, and the first that has it."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TOP: Final = _words(
    "date kibanaBaseUrl context context.alerts context.results_link context.rule rule rule.id rule.name rule.type "
    "rule.spaceId rule.tags rule.url rule.params state state.signals_count alert alert.id alert.uuid "
    "alert.actionGroup alert.actionGroupName alert.flapping alert.consecutiveMatches alerts alertId alertName spaceId "
    "tags params alertInstanceId alertActionGroup alertActionGroupName"
)
_SUMMARY: Final = ("new", "ongoing", "recovered", "all")
_PARAMETERS: Final = _words(
    "alert_suppression anomaly_threshold author building_block_type concurrent_searches data_view_id description "
    "event_category_override exceptions_list false_positives filters from history_window_start id immutable index "
    "investigation_fields items_per_search language license machine_learning_job_id max_signals meta name namespace "
    "new_terms_fields note output_index query references related_integrations required_fields response_actions "
    "risk_score risk_score_mapping rule_id rule_name_override rule_source saved_id setup severity severity_mapping "
    "threat threat_filters threat_index threat_indicator_path threat_language threat_mapping threat_query threshold "
    "tiebreaker_field timeline_id timeline_title timestamp_field timestamp_override "
    "timestamp_override_fallback_disabled to type version"
)
_EVENT: Final = _words(
    "_id _index @timestamp agent as client cloud code_signature container data_stream destination device dll dns ecs "
    "elf email error event faas file geo gen_ai group hash host http interface kibana labels log macho message "
    "network observer orchestrator organization os package pe process registry related risk rule server service "
    "signal source span tags threat threshold_result tls trace transaction url user user_agent vlan volume "
    "vulnerability winlog x509"
)
_ALERT: Final = _words(
    "action_group ancestors building_block_type case_ids consecutive_matches depth duration end flapping "
    "flapping_history group host instance last_detected maintenance_window_ids new_terms original_data_stream "
    "original_event original_time previous_action_group reason risk_score rule rule_type_id rule_parameters severity "
    "severity_improving start status suppression system_status threshold_result time_range url user uuid "
    "workflow_assignee_ids workflow_reason workflow_status workflow_status_updated_at workflow_tags workflow_user"
)
_NUMBERS: Final = (
    "risk_score",
    "riskScore",
    "max_signals",
    "maxSignals",
    "signals_count",
    "count",
    "consecutiveMatches",
)
_RENAMED: Final = {
    "alert.status": "context.alerts.0.kibana.alert.workflow_status",
    "context.alerts_url": "context.alerts.0.kibana.alert.url",
    "context.signals": "context.alerts",
}
ALERTS: Final = ("context.alerts", *(f"alerts.{group}.data" for group in _SUMMARY))
"""The lists of alert documents."""

KNOWN, MAYBE, UNKNOWN = "known", "maybe", "unknown"


def plain(path: str) -> str:
    """Return a name without what only picks or counts: `context.alerts.0.tags.asJSON` is `context.alerts.tags`."""
    parts = [part for part in path.split(".") if not part.isdigit()]
    while len(parts) > 1 and parts[-1] in ("length", "asJSON", "toString"):
        parts.pop()
    return ".".join(parts)


def about(path: str) -> str:
    """Return whether Kibana has a variable: KNOWN, MAYBE (an alert may have the field), UNKNOWN.

    Args:
        path: Its name from the top, without indexes.
    """
    for alerts in ALERTS:
        if path == alerts:
            return KNOWN
        if path.startswith(alerts + "."):
            return _about_field(path[len(alerts) + 1 :])
    first, _, rest = path.partition(".")
    if path in _TOP or (first == "alerts" and _is_count(rest)):
        return KNOWN
    for prefix, names in (("rule.params.", _CAMEL), ("params.", _CAMEL), ("context.rule.", _PARAMETERS)):
        if path.startswith(prefix) and path[len(prefix) :].split(".", maxsplit=1)[0] in names:
            return KNOWN
    return UNKNOWN


def _is_count(rest: str) -> bool:
    group, _, what = rest.partition(".")
    return group in _SUMMARY and what in ("", "count")


def _about_field(field: str) -> str:
    parts = field.split(".")
    if parts[0] == "kibana":
        own = parts[1:2] == ["alert"] and (len(parts) == 2 or parts[2] in _ALERT)
        return KNOWN if own or parts[1:2] in (["version"], ["space_ids"], []) else MAYBE
    return KNOWN if parts[0] in _EVENT else MAYBE


def instead(path: str) -> str:
    """Return the name to use for one that Kibana does not have, empty where there is none."""
    first, _, rest = path.partition(".")
    if path in _RENAMED:
        return _RENAMED[path]
    if first == "rule" and rest.partition(".")[0] in _PARAMETERS:
        return f"context.rule.{rest}"
    if first == "alert" and rest.partition(".")[0] in _ALERT:
        return f"context.alerts.0.kibana.alert.{rest}"
    if first == "context" and rest.partition(".")[0] in _EVENT:
        return f"context.alerts.0.{rest}"
    if first in _EVENT and first not in ("rule", "tags"):
        return f"context.alerts.0.{path}"
    return ""


def is_number(path: str) -> bool:
    """Return whether a variable is a number that a receiver wants as one."""
    return path.rpartition(".")[2] in _NUMBERS or path == "context.alerts.length"


def is_there(path: str) -> bool:
    """Return whether a variable is a number that is never empty."""
    return path in (
        "context.alerts.length",
        "state.signals_count",
        "context.rule.risk_score",
        "context.rule.max_signals",
        "rule.params.riskScore",
        "rule.params.maxSignals",
        "alert.consecutiveMatches",
    )


def is_shadowed(name: str) -> bool:
    """Return whether a name means the rule at the top, and the event within the section of the alerts."""
    return name.partition(".")[0] in ("rule", "tags")


_CAMEL: Final = frozenset(camel(name) for name in _PARAMETERS)


def features(tokens: Sequence[Token]) -> Iterator[tuple[str, Token]]:
    """Yield each feature that tokens use, and the tag that does."""
    for token in tokens:
        if token.kind in ("#", "^", "&", "name"):
            for part in {token.value, token.value.rpartition(".")[2]} & FEATURES.keys():
                yield part, token
        yield from features(token.children)
