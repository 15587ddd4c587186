"""Finds detection rules: by id, name, tag, query, or all of them. Must not change any.

_find gives pages; a rule that is made or removed while they are read moves the others, so what comes is counted against Kibana's own
total, and read again where something is missing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from parapet_elastic import shapes
from parapet_elastic.answers import shortened
from parapet_elastic.errors import Exit, Failure
from parapet_elastic.kibana import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from parapet_elastic.kibana import Kibana

    Rule = dict[str, Any]

RULES = "/api/detection_engine/rules"
_FIND = RULES + "/_find"
_PAGE = 100
# Elasticsearch's limit for paging (index.max_result_window).
_MOST = 10_000
_PASSES = 3
# As Kibana checks an `id`; it answers 400 to any other.
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# So many single reads cost less than a listing of everything.
_FEW = 20


@dataclass(frozen=True)
class Selection:
    """Which rules are meant: within one attribute any may match, and every attribute that is given must match.

    Attributes:
        ids: The rules' own ids (as in a rule's address in Kibana), or their rule_ids.
        names: Patterns of the name with * and ? (a bracket is a bracket), upper and lower case alike.
        tags: Tags, exactly.
        kql: A query as the rules page takes it, as in `alert.attributes.enabled: true`.
        everything: All rules; nothing else needs to be given.
    """

    ids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    kql: str | None = None
    everything: bool = False

    def __post_init__(self) -> None:
        """Refuse a selection of nothing: it must not mean everything by accident.

        Raises:
            Failure: Nothing is selected.
        """
        if not (self.ids or self.names or self.tags or self.kql or self.everything):
            raise Failure("no rules are named", todo="Say which: --rule-id, --name, --tag, --kql, or --all.")

    def matches(self, rule: Rule) -> bool:
        """Whether the rule is meant, as far as can be seen here; the query is Kibana's business."""
        name = str(rule.get("name", "")).casefold()
        return (
            (not self.ids or not {rule["id"], rule.get("rule_id")}.isdisjoint(self.ids))
            and (not self.names or any(fnmatchcase(name, _pattern(one)) for one in self.names))
            and (not self.tags or not set(self.tags).isdisjoint(rule.get("tags") or ()))
        )


def _pattern(text: str) -> str:
    return text.casefold().replace("[", "[[]")


def select(kibana: Kibana, selection: Selection) -> list[Rule]:
    """Return the rules that are meant, sorted by name.

    Raises:
        Failure: An id that no rule has, no rule at all, or Kibana's own failures.
    """
    if selection.ids and not selection.kql:
        found = [_must(kibana, rule_id) for rule_id in dict.fromkeys(selection.ids)]
    else:
        found = listing(kibana, selection.kql)
    chosen = [rule for rule in found if selection.matches(rule)]
    if not chosen:
        raise Failure("no rule matches", todo="Look at the rules' names and tags in Kibana: Security > Rules.")
    return by_name(chosen)


def by_name(found: Iterable[Rule]) -> list[Rule]:
    """Return rules in the order in which plans show them."""
    return sorted(found, key=lambda rule: (str(rule.get("name", "")).casefold(), rule["id"]))


def read(kibana: Kibana, ids: Iterable[str]) -> dict[str, Rule]:
    """Return these rules as they are now, by id; one that is gone is left out."""
    wanted = list(dict.fromkeys(ids))
    if len(wanted) > _FEW:
        now = {rule["id"]: rule for rule in listing(kibana)}
        return {rule_id: now[rule_id] for rule_id in wanted if rule_id in now}
    found = ((rule_id, get(kibana, rule_id)) for rule_id in wanted)
    return {rule_id: rule for rule_id, rule in found if rule is not None}


def get(kibana: Kibana, rule_id: str, *, by: str = "id") -> Rule | None:
    """Return the rule as it is now, None where there is none (any more); `by` is "id" or "rule_id"."""
    try:
        rule: Rule = shapes.checked(kibana.get(RULES, {by: rule_id}), shapes.RULE, f"GET {RULES}")
    except Refused as refused:
        if refused.status == 404:
            return None
        raise
    return rule


def _must(kibana: Kibana, rule_id: str) -> Rule:
    rule = get(kibana, rule_id) if _UUID.fullmatch(rule_id) else None
    rule = rule or get(kibana, rule_id, by="rule_id")
    if rule is None:
        raise Failure(
            f"no rule has the id {rule_id} in the space {kibana.access.space}",
            todo="Take the id from the rule's address in Kibana: .../rules/id/<id>.",
        )
    return rule


def listing(kibana: Kibana, kql: str | None = None) -> list[Rule]:
    """Return all rules of the space, or those that match the query.

    Raises:
        Failure: The list keeps changing while it is read, or Kibana's own failures.
    """
    found: dict[str, Rule] = {}
    for _ in range(_PASSES):
        totals = _pass(kibana, kql, found)
        if len(totals) > 1:
            # Whatever moved between two pages may be missing, and what is gone may be in.
            found.clear()
        elif len(found) >= max(totals):
            return list(found.values())
    raise Failure("the list of rules changes while it is read", exit=Exit.INCOMPLETE, todo="Run it again.")


def _pass(kibana: Kibana, kql: str | None, found: dict[str, Rule]) -> set[int]:
    """Read all pages once into `found`; return the totals that Kibana named."""
    query: dict[str, Any] = {"per_page": _PAGE, "sort_field": "created_at", "sort_order": "asc"}
    if kql:
        query["filter"] = kql
    page = 1
    totals: set[int] = set()
    seen: set[str] = set()
    while True:
        answer = _page(kibana, {**query, "page": page})
        before = len(seen)
        seen.update(rule["id"] for rule in answer["data"])
        found.update((rule["id"], rule) for rule in answer["data"])
        totals.add(answer["total"])
        # A page that brings nothing new is the last one, whatever the total is.
        if len(seen) == before or page * _PAGE >= answer["total"]:
            return totals
        page += 1


def _page(kibana: Kibana, query: dict[str, Any]) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = shapes.checked(kibana.get(_FIND, query), shapes.RULES, f"GET {_FIND}")
    except Refused as refused:
        if refused.status != 400 or "filter" not in query:
            raise
        raise Failure(
            f"--kql: Kibana does not take this query: {shortened(refused.message)}",
            todo="Try it on Kibana's page of rules: Security > Rules.",
        ) from None
    if answer["total"] > _MOST:
        raise Failure(
            f"{answer['total']} rules match, and Kibana lists no more than {_MOST}",
            todo="Name fewer at a time with --kql, as in --kql 'alert.attributes.name: A*'.",
        )
    return answer
