"""Finds alerts, and when actions of a rule failed. Must not send anything.

POST /api/detection_engine/signals/search takes no search_after, and one object for `sort` (query_signals_route.ts@d78d5cbc in
elastic/kibana); so each page begins at the time of the last alert of the one before, without the alerts of that time that are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from parapet_elastic import shapes
from parapet_elastic.kibana import Refused
from parapet_elastic.rendering.variables import field
from parapet_elastic.times import moment, stamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from parapet_elastic.kibana import Kibana

_SEARCH = "/api/detection_engine/signals/search"
_PAGE = 500
RULE = "kibana.alert.rule.uuid"
_RUN = "kibana.alert.rule.execution.uuid"
_PART = "kibana.alert.building_block_type"


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
    seen: set[str] = set()
    while True:
        query = {
            "bool": {
                "filter": [
                    {"terms": {RULE: list(rule_ids)}},
                    {"range": {"@timestamp": {"gte": since, "lt": stamp(end)}}},
                ],
                "must_not": [{"ids": {"values": known}}],
            }
        }
        hits = _search(kibana, query, _PAGE, ["@timestamp", RULE, _RUN, _PART])
        new = [hit for hit in hits if hit["_id"] not in seen]
        for hit in new:
            seen.add(hit["_id"])
            source = hit["_source"]
            at = str(field(source, "@timestamp"))
            known = [*known, hit["_id"]] if at == since else [hit["_id"]]
            since = at
            rule = str(field(source, RULE))
            yield Found(hit["_id"], rule, str(field(source, _RUN) or at), at, bool(field(source, _PART)))
        # A page with nothing new would come for ever.
        if len(hits) < _PAGE or not new:
            return


def documents(kibana: Kibana, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return these alerts as Elasticsearch has them, by id; one that is gone is left out."""
    return {hit["_id"]: hit for hit in _search(kibana, {"ids": {"values": list(ids)}}, len(ids))}


def _search(
    kibana: Kibana, query: dict[str, Any], size: int, source: list[str] | None = None, *, order: str = "asc"
) -> list[dict[str, Any]]:
    body = {"size": size, "query": query, "sort": {"@timestamp": {"order": order}}, "_source": source or True}
    # It only reads.
    answer = shapes.checked(kibana.post(_SEARCH, body, again=True), shapes.HITS, f"POST {_SEARCH}")
    hits: list[dict[str, Any]] = answer["hits"]["hits"]
    return hits


def newest(kibana: Kibana, rule_id: str | None) -> dict[str, Any] | None:
    """Return the newest alert, of this rule where one is given, as Elasticsearch has it; None where there is none."""
    query = {"term": {RULE: rule_id}} if rule_id else {"match_all": {}}
    return next(iter(_search(kibana, query, 1, order="desc")), None)


def error_log(kibana: Kibana, rule_id: str, period: tuple[datetime, datetime], page: int, size: int) -> dict[str, Any]:
    """Return a page of Kibana's log of the rule's failed actions. It is no public interface: it may be closed, or go away."""
    start, end = (stamp(when) for when in period)
    query = {"date_start": start, "date_end": end, "per_page": size, "page": page}
    path = f"/internal/alerting/rule/{quote(rule_id, safe='')}/_action_error_log"
    found: dict[str, Any] = kibana.get(path, query, internal=True)
    return found


def failures(kibana: Kibana, rule_id: str, start: datetime, end: datetime) -> list[datetime] | None:
    """Return when actions of the rule failed; None where that cannot be read."""
    found: list[datetime] = []
    page = 1
    while True:
        try:
            answer = error_log(kibana, rule_id, (start, end), page, _PAGE)
            found += [moment(error["timestamp"]) for error in answer["errors"]]
            if not answer["errors"] or page * _PAGE >= answer["totalErrors"]:
                return found
        except (Refused, KeyError, TypeError, ValueError):
            return None
        page += 1
