"""How the Kibana stand-in refuses: platform errors, detection engine errors, and strict objects. Must not decide when."""

from __future__ import annotations

import http

_WORDS = {str: "string", bool: "boolean", int: "number", float: "number", dict: "Object", list: "Array"}


class Refusal(Exception):
    """A request is answered with an error.

    Attributes:
        status: The HTTP status.
        body: What is sent as JSON.
    """

    def __init__(self, status, body):
        """Keep both."""
        super().__init__(f"{status} {body.get('message')}")
        self.status = status
        self.body = body


def no_constant(name):
    """Refuse NaN and Infinity, which Python's JSON takes and JavaScript's does not."""
    raise ValueError(f"{name} is not JSON")


def platform(status, message):
    """Return the Refusal that Kibana's core and its connector routes send."""
    error = http.HTTPStatus(status).phrase
    return Refusal(status, {"statusCode": status, "error": error, "message": message})


def engine(status, message):
    """Return the Refusal that the detection engine's handlers send."""
    return Refusal(status, {"message": message, "status_code": status})


def strict(value, where, need, may=None):
    """Check that `value` is an object with these keys and no others, as `schema.object` and `z.strictObject` do.

    Args:
        value: What was sent.
        where: What it is called in the error, as in "request body".
        need: Key to type, or to a tuple of types, of the keys that must be there.
        may: The same of those that may.

    Raises:
        Refusal: 400 with the key and what is wrong.
    """
    may = may or {}
    if not isinstance(value, dict):
        raise platform(400, f"[{where}]: expected a plain object value, but found [{_word(value)}] instead.")
    for name in value:
        if name not in need and name not in may:
            raise platform(400, f"[{where}.{name}]: definition for this key is missing")
    for name in need:
        if name not in value:
            raise platform(400, f"[{where}.{name}]: expected value of type [{_name(need[name])}] but got [undefined]")
    for name, types in [*need.items(), *may.items()]:
        if name in value and not is_a(value[name], types):
            raise platform(
                400, f"[{where}.{name}]: expected value of type [{_name(types)}] but got [{_word(value[name])}]"
            )


def is_a(value, types):
    """Whether `value` is of one of `types`; a boolean is no number, None stands for null."""
    types = types if isinstance(types, tuple) else (types,)
    if value is None:
        return None in types
    if isinstance(value, bool):
        return bool in types
    return isinstance(value, tuple(each for each in types if each is not None))


def _name(types):
    types = types if isinstance(types, tuple) else (types,)
    return "|".join("null" if each is None else _WORDS[each] for each in types)


def _word(value):
    return "null" if value is None else _WORDS.get(type(value), type(value).__name__)
