"""A string that does not show itself. Must not be turned into text anywhere but in `webhook` and `splunkd`."""

import re

# What a token looks like, for one that was put where none belongs: all that `settings.check_token` lets pass, so up to the next white space.
_TOKEN = re.compile(r"pst_\S{6,}")


def mask(text: str) -> str:
    """A text in which what looks like a token is not shown."""
    return _TOKEN.sub("***", text)


class Secret:
    """Holds a token, a password or a session key; `repr`, `str` and formatting show `***` only."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Keep `value` out of sight."""
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the one header or form field that needs it."""
        return self._value

    def __repr__(self) -> str:
        """Nothing of the value, not even its length."""
        return "***"

    def __eq__(self, other: object) -> bool:
        """Equal where the values are: settings that did not change compare equal."""
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        """Agrees with equality."""
        return hash(self._value)

    def __reduce__(self) -> str:
        """Refuse to be pickled or copied to a place where it could be read."""
        raise TypeError("a Secret is not pickled")
