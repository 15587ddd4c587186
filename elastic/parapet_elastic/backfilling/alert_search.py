"""Finds the alerts of rules in a period, and when actions of a rule failed. Must not send anything.

POST /api/detection_engine/signals/search takes no search_after, and one object for `sort` (query_signals_route.ts@d78d5cbc in
elastic/kibana); so each page begins at the time of the last alert of the one before, without the alerts of that time that are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from parapet_elastic.errors import Exit, Failure
from parapet_elastic.kibana import Refused
from parapet_elastic.rendering.variables import field

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from parapet_elastic.kibana import Kibana

SEARCH = "/api/detection_engine/signals/search"
_PAGE = 500
_RULE = "kibana.alert.rule.uuid"
_RUN = "kibana.alert.rule.execution.uuid"
_PART = "kibana.alert.building_block_type"
# An action is tried again for about six minutes: 30 s, then up to 5 min. The last failure may be so long after the alert.
LATE = timedelta(minutes=15)


@dataclass(frozen=True)
class Found:
    """An alert, as far as a plan needs it.

    Attributes:
        id: The document's `_id`.
        rule: The rule's id.
        run: The id of the run that made it; its time where a run has no id.
        at: When it was made.
        part: Whether it is only a part of another alert (a building block).
    """

    id: str
    rule: str
    run: str
    at: str
    part: bool


def alerts(kibana: Kibana, rule_ids: Sequence[str], start: datetime, end: datetime) -> Iterator[Found]:
    """Return the alerts of these rules from `start` to before `end`, the oldest first."""
    since = stamp(start)
    known: list[str] = []
    while True:
        query = {
            "bool": {
                "filter": [
                    {"terms": {_RULE: list(rule_ids)}},
                    {"range": {"@timestamp": {"gte": since, "lt": stamp(end)}}},
                ],
                "must_not": [{"ids": {"values": known}}],
            }
        }
        hits = _search(kibana, query, _PAGE, ["@timestamp", _RULE, _RUN, _PART])
        for hit in hits:
            source = hit["_source"]
            at = str(field(source, "@timestamp"))
            known = [*known, hit["_id"]] if at == since else [hit["_id"]]
            since = at
            rule = str(field(source, _RULE))
            yield Found(hit["_id"], rule, str(field(source, _RUN) or at), at, bool(field(source, _PART)))
        if len(hits) < _PAGE:
            return


def documents(kibana: Kibana, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return these alerts as Elasticsearch has them, by id; one that is gone is left out."""
    return {hit["_id"]: hit for hit in _search(kibana, {"ids": {"values": list(ids)}}, len(ids))}


def _search(kibana: Kibana, query: dict[str, Any], size: int, source: list[str] | None = None) -> list[dict[str, Any]]:
    body = {"size": size, "query": query, "sort": {"@timestamp": {"order": "asc"}}, "_source": source or True}
    try:
        # It only reads.
        answer = kibana.post(SEARCH, body, again=True)
        hits: list[dict[str, Any]] = answer["hits"]["hits"]
    except (KeyError, TypeError):
        raise Failure(f"Kibana's answer to POST {SEARCH} is not the one of a search", exit=Exit.UNREACHABLE) from None
    return hits


def failures(kibana: Kibana, rule_id: str, start: datetime, end: datetime) -> list[datetime] | None:
    """Return when actions of the rule failed; None where that cannot be read."""
    found: list[datetime] = []
    page = 1
    while True:
        query = {"date_start": stamp(start), "date_end": stamp(end), "per_page": _PAGE, "page": page}
        try:
            answer = kibana.get(f"/internal/alerting/rule/{rule_id}/_action_error_log", query, internal=True)
            found += [moment(error["timestamp"]) for error in answer["errors"]]
        except (Refused, KeyError, TypeError, ValueError):
            return None
        if page * _PAGE >= answer["totalErrors"]:
            return found
        page += 1


def stamp(when: datetime) -> str:
    """Return a time as Elasticsearch takes it, to the millisecond."""
    return when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03}Z"


def moment(text: str) -> datetime:
    """Read a time as Elasticsearch gives it.

    Raises:
        ValueError: It is none.
    """
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc)
