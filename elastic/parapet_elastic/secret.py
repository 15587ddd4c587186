"""A string that does not show itself. Must not be turned into text anywhere but in `access` and `connector`."""

from __future__ import annotations

from typing import NoReturn


class Secret:
    """Holds a token, a password or an API key; `repr`, `str` and formatting show `***` only."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Keep `value` out of sight."""
        self._value = value

    def reveal(self) -> str:
        """Return the value itself, for the one header or field that needs it."""
        return self._value

    def __repr__(self) -> str:
        """Return nothing of the value, not even its length."""
        return "***"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied to a place where it could be read."""
        raise TypeError("a Secret is not pickled")
