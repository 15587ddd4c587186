"""What Kibana's API promises of an answer, and the one Failure for what is otherwise. Must not ask Kibana for anything.

A shape is a type, None, `[shape]` for a list of such, a tuple of shapes of which one fits, or a dictionary of the keys that are looked
at; a key that is missing is None. Only what is taken apart is in one: Kibana may add what it likes.
"""

from __future__ import annotations

from typing import Any, Final

from parapet_elastic.errors import Exit, Failure

_FREQUENCY: Final = {"notifyWhen": (str, None), "throttle": (str, None)}
_FILTER: Final = {"query": ({"kql": (str, None), "filters": (list, None)}, None)}
_ACTION: Final = {"id": str, "params": (dict, None), "frequency": (_FREQUENCY, None), "alerts_filter": (_FILTER, None)}
RULE: Final = {"id": str, "tags": ([str], None), "actions": ([_ACTION], None)}
RULES: Final = {"data": [RULE], "total": int}
CONNECTOR: Final = {"config": ({"url": (str, None), "headers": (dict, None)}, None)}
CONNECTORS: Final = [{"id": str, "referenced_by_count": (int, None)}]
CONNECTOR_TYPES: Final = [{"id": str}]
HITS: Final = {"hits": {"hits": [{"_id": str, "_source": dict}]}}
ERROR_LOG: Final = {"errors": [{"timestamp": str}], "totalErrors": int}
BULK: Final = {
    "attributes": {
        "results": {"updated": ([{"id": str}], None)},
        "errors": ([{"status_code": (int, None), "rules": ([{"id": str}], None)}], None),
    }
}


def checked(answer: Any, shape: Any, where: str) -> Any:
    """Return the answer.

    Raises:
        Failure: It does not have the shape (exit code UNREACHABLE).
    """
    if not _fits(answer, shape):
        raise Failure(
            f"Kibana's answer to {where} is not what its API promises",
            exit=Exit.UNREACHABLE,
            todo="Look whether something between here and Kibana changes its answers.",
        )
    return answer


def _fits(value: Any, shape: Any) -> bool:
    if isinstance(shape, tuple):
        return any(_fits(value, each) for each in shape)
    if isinstance(shape, list):
        return isinstance(value, list) and all(_fits(each, shape[0]) for each in value)
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(_fits(value.get(key), each) for key, each in shape.items())
    return value is None if shape is None else isinstance(value, shape)
