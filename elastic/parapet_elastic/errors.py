"""The exit codes, and the failures that end a command with one clear line. Must not import anything of this package."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What a command came to."""

    DONE = 0
    """Done, or nothing was left to do."""
    FOUND = 1
    """It ran, and found something wrong: lint, doctor, status, or a test that was not accepted."""
    USAGE = 2
    """The arguments, the credentials or a file of yours cannot be used as they are."""
    UNREACHABLE = 3
    """Kibana does not answer, or what answers is no Kibana."""
    REFUSED = 4
    """Kibana refuses: credentials, rights, licence, allowed hosts, or a version that is too old."""
    INCOMPLETE = 5
    """Some of it is done and some is not; run it again."""
    DECLINED = 6
    """You said no, or could not be asked; nothing was changed."""
    BUG = 70
    """A mistake of this program."""
    INTERRUPTED = 130
    """Ctrl-C; run it again."""


class Failure(Exception):
    """An expected failure: one sentence that says what and where, and one that says what to do.

    Attributes:
        exit: The command's exit code.
        todo: What to do about it; empty where the sentence says it.
    """

    def __init__(self, text: str, *, exit: Exit = Exit.USAGE, todo: str = "") -> None:  # noqa: A002 - it is the word
        """Keep the three parts."""
        super().__init__(text)
        self.exit = exit
        self.todo = todo
