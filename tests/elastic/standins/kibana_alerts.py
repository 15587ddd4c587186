"""The alert search of the Kibana stand-in: a part of Elasticsearch's query language. Must refuse all the rest of it.

POST /api/detection_engine/signals/search, query_signals_route of elastic/kibana: its body has no `search_after` and no
`from`, and `sort` is one object. The real route drops keys that it does not know, unseen; here they are refused, so that
nobody pages with them and reads the first page for ever.
"""

from __future__ import annotations

import copy
import datetime as dt
import fnmatch
import re

from tests.elastic.standins.kibana_answers import engine, platform, strict
from tests.elastic.standins.kibana_documents import flat
from tests.elastic.standins.kibana_http import Route
from tests.elastic.standins.kibana_world import UTC

_PATH = "/api/detection_engine/signals/search"
_WINDOW = 10000
_MATH = re.compile(r"now(?:-([0-9]+)([smhdw]))?")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_RANGE = {
    "gt": lambda found, wanted: found > wanted,
    "gte": lambda found, wanted: found >= wanted,
    "lt": lambda found, wanted: found < wanted,
    "lte": lambda found, wanted: found <= wanted,
}


def routes():
    """Return the one route."""
    return [Route("POST", _PATH, _search)]


def _search(call):
    strict(call.query, "request query", {})
    may = {"query": dict, "size": int, "track_total_hits": bool, "_source": (bool, str, list), "sort": dict}
    strict(call.body, "request body", {}, may)
    call.demand("alerts:read", f"API [POST {_PATH}] is unauthorized for user")
    size = call.body.get("size", 10)
    if size < 0:
        raise platform(400, "[request body]: size: Number must be greater than or equal to 0")
    if size > _WINDOW:
        raise engine(400, f"Result window is too large, from + size must be less than or equal to: [{_WINDOW}]")
    test = _Query(call.world.clock.now()).test(call.body.get("query", {"match_all": {}}))
    documents = [(hit, flat(hit["_source"])) for hit in call.space.alerts]
    found = [pair for pair in documents if test(*pair)]
    sort = _sort(call.body.get("sort", {}), documents)
    for field, backwards in reversed(sort):
        found.sort(key=_key(field, backwards=backwards), reverse=backwards)
    hits = [_shown(call.body, sort, *pair) for pair in found[:size]]
    answer = {"max_score": None, "hits": hits}
    if call.body.get("track_total_hits", True):
        more = "track_total_hits" not in call.body and len(found) > _WINDOW
        answer["total"] = {"value": _WINDOW if more else len(found), "relation": "gte" if more else "eq"}
    shards = {"total": 1, "successful": 1, "skipped": 0, "failed": 0}
    return 200, {"took": 1, "timed_out": False, "_shards": shards, "hits": answer}


def _key(field, *, backwards):
    """A sort key; what has no value comes last either way, as with Elasticsearch's `missing: _last`."""
    pick = max if backwards else min

    def key(pair):
        values = pair[1].get(field)
        return (bool(values) is backwards, pick(values) if values else 0)

    return key


def _sort(sort, documents):
    found = []
    for field, how in sort.items():
        order = how.get("order", "asc") if isinstance(how, dict) else how
        if order not in ("asc", "desc") or (isinstance(how, dict) and set(how) - {"order", "unmapped_type"}):
            raise engine(400, f"parsing_exception: unknown sort for [{field}]")
        if field == "_id":
            raise engine(
                400,
                "illegal_argument_exception: Fielddata access on the _id field is disallowed, you can re-enable it by "
                "updating the dynamic cluster setting: indices.id_field_data.enabled",
            )
        if (
            field != "@timestamp"
            and not field.startswith("kibana.alert.")
            and not any(field in d for _, d in documents)
        ):
            raise engine(400, f"query_shard_exception: No mapping found for [{field}] in order to sort on")
        found.append((field, order == "desc"))
    return found


def _shown(body, sort, hit, document):
    shown = {"_index": hit["_index"], "_id": hit["_id"], "_score": None}
    wanted = body.get("_source", True)
    if wanted is not False:
        source = copy.deepcopy(hit["_source"])
        patterns = ["*"] if wanted is True else [wanted] if isinstance(wanted, str) else wanted
        shown["_source"] = _only(source, patterns, "")
    if sort:
        shown["sort"] = [(document.get(field) or [None])[0] for field, _ in sort]
    return shown


def _only(source, patterns, head):
    found = {}
    for name, value in source.items():
        path = head + name
        if any(fnmatch.fnmatchcase(path, each) or path.startswith(each + ".") for each in patterns):
            found[name] = value
        elif isinstance(value, dict):
            inner = _only(value, patterns, path + ".")
            if inner:
                found[name] = inner
    return found


class _Query:
    """Makes tests of queries; a test takes a hit and its flat document."""

    def __init__(self, now):
        self._now = now
        self._kinds = {
            "match_all": self._match_all,
            "term": self._term,
            "terms": self._terms,
            "range": self._range,
            "exists": self._exists,
            "ids": self._ids,
            "bool": self._bool,
        }

    def test(self, query):
        if not isinstance(query, dict) or len(query) != 1:
            raise engine(400, "parsing_exception: [_na] query malformed, must hold exactly one clause")
        ((kind, inner),) = query.items()
        if kind not in self._kinds:
            raise engine(400, f"parsing_exception: unknown query [{kind}]")
        return self._kinds[kind](inner)

    @staticmethod
    def _match_all(_inner):
        return lambda _hit, _document: True

    def _term(self, inner):
        ((field, value),) = inner.items()
        value = value["value"] if isinstance(value, dict) else value
        return self._any(field, [value])

    def _terms(self, inner):
        ((field, values),) = inner.items()
        if not isinstance(values, list):
            raise engine(400, "parsing_exception: [terms] query does not support a single value")
        return self._any(field, values)

    @staticmethod
    def _any(field, values):
        wanted = {str(each) for each in values}
        if field == "_id":
            return lambda hit, _document: hit["_id"] in wanted
        return lambda _hit, document: any(str(each) in wanted for each in document.get(field, ()))

    @staticmethod
    def _exists(inner):
        return lambda _hit, document: inner["field"] in document

    @staticmethod
    def _ids(inner):
        return lambda hit, _document: hit["_id"] in inner["values"]

    def _range(self, inner):
        ((field, limits),) = inner.items()
        unknown = set(limits) - set(_RANGE) - {"format"}
        if unknown:
            raise engine(400, f"parsing_exception: [range] query does not support {sorted(unknown)}")
        tests = [(_RANGE[name], self._point(value)) for name, value in limits.items() if name in _RANGE]

        def test(_hit, document):
            points = [self._point(each) for each in document.get(field, ())]
            return any(
                all(type(point) is type(limit) and fits(point, limit) for fits, limit in tests) for point in points
            )

        return test

    def _point(self, value):
        if isinstance(value, (int, float)):
            return float(value)
        math = _MATH.fullmatch(value)
        if math:
            return self._now - dt.timedelta(**({_UNITS[math.group(2)]: int(math.group(1))} if math.group(1) else {}))
        try:
            moment = dt.datetime.fromisoformat(re.sub(r"Z$", "+00:00", value))
        except ValueError as exc:
            raise engine(400, f"parse_exception: failed to parse date field [{value}]") from exc
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def _bool(self, inner):
        unknown = set(inner) - {"filter", "must", "must_not", "should", "minimum_should_match"}
        if unknown:
            raise engine(400, f"parsing_exception: [bool] query does not support {sorted(unknown)}")
        needed = self._tests(inner, "filter") + self._tests(inner, "must")
        banned, wanted = self._tests(inner, "must_not"), self._tests(inner, "should")
        least = inner.get("minimum_should_match", 0 if needed else 1) if wanted else 0

        def test(hit, document):
            return (
                all(each(hit, document) for each in needed)
                and not any(each(hit, document) for each in banned)
                and sum(each(hit, document) for each in wanted) >= least
            )

        return test

    def _tests(self, inner, name):
        clauses = inner.get(name, [])
        return [self.test(each) for each in (clauses if isinstance(clauses, list) else [clauses])]
