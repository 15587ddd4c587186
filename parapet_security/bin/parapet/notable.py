"""The `enterprise_security` object of a body (wire.md), from a first row and a saved search. Must not ask Splunk, nor raise, whatever they hold.

There is one only where Enterprise Security (ES) is at work; a field of its that another search has too makes none:
    row             an ES id (`<GUID>@@notable@@<hash>`) as event_id, finding_id or rule_id; or orig_sid with rule_title, rule_name,
                    security_domain or index=notable; or risk_score with risk_object or risk_message (the data model Risk.All_Risk)
    saved search    action.correlationsearch.enabled, action.notable or action.risk is on
The row's own value wins. What comes from a row is there only if its field travels in `results` too (`fields`, `exclude_fields`). A search's
texts hold `$field$`, which ES fills from the row; a name that the row lacks stays as it is, so that the reader sees that something stood there.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Iterator, Mapping

    from .rows import Row, Selector

SEVERITY = "action.notable.param.severity"
_MARKS = ("action.correlationsearch.enabled", "action.notable", "action.risk")
_PARAM = "action.notable.param."
_LABEL = "action.correlationsearch.label"
_ANNOTATIONS = "action.correlationsearch.annotations"
_RISK = "action.risk.param._risk"
# Of a saved search, no more than this is kept.
ATTRIBUTES = (
    *_MARKS,
    SEVERITY,
    *(_PARAM + name for name in ("rule_title", "rule_description", "security_domain", "drilldown_search")),
    *(_PARAM + "drilldown_searches", _LABEL, _ANNOTATIONS),
    *(_RISK + name for name in ("", "_score", "_object", "_object_type")),
)

_TRUE = ("1", "true", "t", "yes", "y")
_IDS = ("event_id", "finding_id", "rule_id")
_RULE = ("rule_title", "rule_name", "security_domain")
_KEYS = (
    *("event_id", "rule_title", "rule_description", "security_domain", "urgency"),
    *("risk_score", "risk_object", "risk_object_type", "drilldown_search", "orig_sid", "orig_rid"),
)
_MODEL = "All_Risk."

# What a hostile row can make of the head, which every batch carries, and what it can cost: there is one interpreter for all alerts.
_TEXT_MOST = 10000
_FILLED_MOST = 1000
_JOINED_MOST = 100
_JSON_MOST = 200000
_VALUES_MOST = 200
_VALUE_MOST = 200
_DEPTH_MOST = 8
_VISITED_MOST = 10000

_TOKEN = re.compile(r"\$(?:result\.)?([\w.:{}-]{1,100})\$")
# An analyst may run the drill-down: there, no value of an event may be more than one word of SPL.
_WORD = re.compile(r"[\w.:@/-]+\Z")

_MITRE = "mitre_attack"
_MITRE_NAME = re.compile(r"mitre(?:[_ ]att[a&]ck)?(?:_(?:sub)?techniques?|_tactics?)?(?:_ids?)?\Z", re.IGNORECASE)
_MITRE_ID = re.compile(r"(?<![\w.])(?:TA[0-9]{4}|T[0-9]{4}(?:\.[0-9]{3})?)(?!\w|\.[0-9])", re.IGNORECASE)
# Below mitre_attack, names that end so hold techniques or tactics; descriptions and addresses mention others as well.
_MITRE_FIELD = re.compile(r".*(?:\b|_)(?:ids?|tactics?|(?:sub)?techniques?)\Z", re.IGNORECASE | re.DOTALL)


def attributes(content: Mapping[str, str]) -> dict[str, str]:
    """What is used of a saved search: its ATTRIBUTES that are set; {} where it is no correlation search."""
    if not any(content.get(name, "").strip().lower() in _TRUE for name in _MARKS):
        return {}
    return {name: content[name] for name in ATTRIBUTES if content.get(name)}


def describe(row: Row, search: Mapping[str, str], select: Selector) -> dict[str, object]:
    """The `enterprise_security` object; {} where Enterprise Security is not at work, or nothing is known.

    Args:
        row: the first row, {} where there is none.
        search: `attributes` of its saved search.
        select: which fields of a row travel.
    """
    if not search and not _is_notable(_plain(row)):
        return {}
    seen = _plain({name: value for name, value in row.items() if select[name]})
    own = {name: _first(seen.get(name)) for name in _KEYS}
    own["event_id"] = _event_id(seen)
    own["drilldown_search"] = own["drilldown_search"] or _first_drilldown(_first(seen.get("drilldown_searches")))
    found = {**_of_search(search), **_risk(search, seen, own["risk_object"])}
    if not select["risk_object"]:
        # The search says in which other field it is; that is no way around it.
        found.pop("risk_object", None)
    found.update({name: value for name, value in own.items() if value})
    found.setdefault("rule_title", _first(seen.get("rule_name")))
    for name in ("rule_title", "rule_description", "drilldown_search"):
        found[name] = _fill(found.get(name, ""), seen, in_spl=name == "drilldown_search")
    known: dict[str, object] = {name: found[name][:_TEXT_MOST] for name in _KEYS if found.get(name)}
    annotations = {**_annotations({"annotations": search.get(_ANNOTATIONS, "")}), **_annotations(seen)}
    return {**known, "annotations": annotations} if annotations else known


def _is_notable(row: Row) -> bool:
    if any(_is_es_id(_first(row.get(name))) for name in _IDS):
        return True
    if row.get("orig_sid") and (row.get("index") == "notable" or any(row.get(name) for name in _RULE)):
        return True
    return bool(row.get("risk_score") and (row.get("risk_object") or row.get("risk_message")))


def _plain(row: Row) -> Row:
    """The row with the field names of the risk data model as ES has them elsewhere."""
    return {**{name[len(_MODEL) :]: value for name, value in row.items() if name.startswith(_MODEL)}, **row}


def _is_es_id(text: str) -> bool:
    return text.count("@@") > 1


def _event_id(row: Row) -> str:
    """An id of ES's form; in a notable its event_id whatever its form (in other rows that may be a number of Windows)."""
    ids = [_first(row.get(name)) for name in _IDS]
    return next((text for text in ids if _is_es_id(text)), ids[0] if _is_notable(row) else "")


def _of_search(search: Mapping[str, str]) -> dict[str, str]:
    found = {
        "rule_title": search.get(_PARAM + "rule_title") or search.get(_LABEL, ""),
        "rule_description": search.get(_PARAM + "rule_description", ""),
        "security_domain": search.get(_PARAM + "security_domain", ""),
        "drilldown_search": search.get(_PARAM + "drilldown_search")
        or _first_drilldown(search.get(_PARAM + "drilldown_searches", "")),
    }
    return {name: value for name, value in found.items() if value}


def _risk(search: Mapping[str, str], row: Row, own_object: str) -> dict[str, str]:
    """The first risk that the search assigns to an object of the row. It names the field, not the object (splunk/contentctl, risk objects)."""
    alone = {key: search.get(_RISK + key[4:], "") for key in ("risk_score", "risk_object_type")}
    single: dict[str, object] = {"risk_object_field": search.get(_RISK + "_object"), **alone}
    for entry in [*_objects(search.get(_RISK, "")), single]:
        field = entry.get("risk_object_field")
        value = _first(row.get(field)) if isinstance(field, str) else ""
        if value and own_object in ("", value):
            texts = {key: _scalar(entry.get(key)) for key in alone}
            return {"risk_object": value, **{key: text for key, text in texts.items() if text}}
    return {"risk_score": alone["risk_score"]} if alone["risk_score"] not in ("", "0") else {}


def _first_drilldown(text: str) -> str:
    listed = _objects(text)
    return _scalar(listed[0].get("search")) if listed else ""


def _fill(text: str, row: Row, *, in_spl: bool) -> str:
    def value(match: re.Match[str]) -> str:
        found = row.get(match.group(1))
        values = found[:_JOINED_MOST] if isinstance(found, list) else [found or ""]
        filled = ", ".join(item[:_FILLED_MOST] for item in values if isinstance(item, str))[:_FILLED_MOST]
        return filled if filled and (_WORD.match(filled) or not in_spl) else match.group()

    return _TOKEN.sub(value, text[:_TEXT_MOST])


class _Found:
    """Annotations as they are found: values by framework, unique, in order of appearance, and never too many."""

    def __init__(self) -> None:
        self.values: dict[str, dict[str, None]] = {}
        self._others = 0

    def add(self, path: list[str], text: str) -> None:
        """A value, and the names that it stands below."""
        framework = path[0] if path else "_all"
        if _is_json(text):
            return  # what is JSON inside of JSON is nothing that Splunk writes
        if framework == "_all" or (_MITRE_NAME.match(framework) and (len(path) == 1 or _is_mitre_field(path[-1]))):
            self._keep(_MITRE, [found.upper() for found in _MITRE_ID.findall(text[:_TEXT_MOST])])
        elif len(path) == 1 and framework[:1] not in ("", "_") and text and self._others < _VALUES_MOST:
            self._others += 1
            self._keep(framework[:_VALUE_MOST], [text[:_VALUE_MOST]])

    def _keep(self, framework: str, values: list[str]) -> None:
        for value in values:
            known = self.values.setdefault(framework, {})
            if len(known) < _VALUES_MOST:
                known[value] = None


def _annotations(row: Mapping[str, object]) -> dict[str, list[str]]:
    """The annotations in a row: as JSON, as multivalue, as dotted fields."""
    found = _Found()
    for _, (path, text) in zip(range(_VISITED_MOST), _annotation_fields(row)):
        found.add(path, text)
    return {framework: list(values) for framework, values in found.values.items()}


def _annotation_fields(row: Mapping[str, object]) -> Iterator[tuple[list[str], str]]:
    for name, value in row.items():
        first = name.partition(".")[0]
        if first == "annotations" or _MITRE_NAME.match(first):
            for item in value if isinstance(value, list) else [value]:
                yield from _below([], name, _json(item) if _is_json(item) else item, 0)


def _below(path: list[str], name: str, value: object, depth: int) -> Iterator[tuple[list[str], str]]:
    """Whatever stands below a name, with its path. Lists, objects and what is too deep come as "": who counts all, counts the work."""
    # A dotted name is as many names.
    names = name.split(".", _DEPTH_MOST)
    yield from _visit([*path, *(each for each in names if each != "annotations")], value, depth + len(names))


def _visit(path: list[str], value: object, depth: int) -> Iterator[tuple[list[str], str]]:
    yield path, _scalar(value) if depth <= _DEPTH_MOST else ""
    if depth < _DEPTH_MOST and isinstance(value, dict):
        for name, item in value.items():
            yield from _below(path, name, item, depth)
    elif depth < _DEPTH_MOST and isinstance(value, list):
        for item in value:
            yield from _visit(path, item, depth + 1)


def _is_mitre_field(name: str) -> bool:
    return bool(_MITRE_FIELD.match(name[-_VALUE_MOST:]))


def _is_json(value: object) -> bool:
    return isinstance(value, str) and value.lstrip()[:1] in ("{", "[")


def _objects(text: str) -> list[dict[str, object]]:
    listed = _json(text)
    return [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []


def _json(text: str) -> object:
    try:
        # Whole numbers stay as they are written: to make one of many digits takes time that grows with their square.
        return json.loads(text, parse_int=str) if 0 < len(text) <= _JSON_MOST else None
    except (ValueError, RecursionError):
        return None


def _first(value: object) -> str:
    """A field's value; of a multivalue, the first that is not empty."""
    return next(
        (item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str) and item), ""
    )


def _scalar(value: object) -> str:
    """A value of JSON as Splunk shows it."""
    return value if isinstance(value, str) else json.dumps(value) if type(value) in (int, float) else ""
