"""The exit codes and the errors that the product raises on purpose. Must not print, log or import anything of ours.

ParapetError               abstract: never raised itself
├── UsageError             exit 2   called in a way that is not documented
├── StdinError             exit 3   stdin is not what Splunk sends
├── SplunkdError           exit 4   splunkd did not give what was asked
│   ├── Unreachable                 no answer, or an answer of 5xx
│   ├── Unauthorized                401: the session has ended
│   ├── Forbidden                   403: this session may not
│   └── NotFound                    404: no such thing
├── OutboxUnavailable      exit 6   the outbox cannot take the alert (unwritable, full, not ours)
├── LockUnavailable        exit 6   the file system cannot lock
├── EntryBroken            exit 6   an outbox file is not in the format
├── EntryTooNew            exit 6   an outbox file is in a format newer than this code
├── EntryGone              exit 6   an outbox file is not there any more
└── RowsUnreadable         exit 6   a results file that cannot be read from its start
"""

from enum import IntEnum


class Exit(IntEnum):
    """What the exit code of an action says; splunkd.log and the search owner see the number."""

    OK = 0
    USAGE = 2
    STDIN = 3
    CONFIGURATION = 4
    REFUSED = 5
    LOST = 6
    BUG = 70


class ParapetError(Exception):
    """Base of all. Its text says what was found and what to do, and never holds a secret.

    Attributes:
        code: a word for the log, from a bounded set: changing one breaks searches of customers.
        exit_code: what a process that can do nothing else about it ends with.
    """

    code = ""
    exit_code = Exit.BUG

    def __init__(self, message: str) -> None:
        """Keep `message`; an error without a code is abstract and refuses to be made."""
        if not self.code:
            raise TypeError(f"{type(self).__name__} is abstract")
        super().__init__(message)


class UsageError(ParapetError):
    """The command line is not one of the two documented forms."""

    code = "usage"
    exit_code = Exit.USAGE


class StdinError(ParapetError):
    """What came on stdin is not a payload of Splunk's."""

    code = "stdin_invalid"
    exit_code = Exit.STDIN


class SplunkdError(ParapetError):
    """splunkd did not give what was asked for."""

    exit_code = Exit.CONFIGURATION


class Unreachable(SplunkdError):
    """No answer from splunkd in time (`timed_out`), or one that is its own failure."""

    code = "splunkd_unreachable"
    timed_out = False


class Unauthorized(SplunkdError):
    """The session key has ended."""

    code = "splunkd_unauthorized"


class Forbidden(SplunkdError):
    """The session's user lacks the right."""

    code = "splunkd_forbidden"


class NotFound(SplunkdError):
    """splunkd has no such thing."""

    code = "splunkd_not_found"


class OutboxUnavailable(ParapetError):
    """The outbox cannot take an alert: deliver it from memory."""

    code = "outbox_unavailable"
    exit_code = Exit.LOST


class LockUnavailable(ParapetError):
    """The file system does not lock: nobody can hold the outbox."""

    code = "lock_unavailable"
    exit_code = Exit.LOST


class EntryBroken(ParapetError):
    """A file in the outbox is not in its format."""

    code = "entry_broken"
    exit_code = Exit.LOST


class EntryTooNew(ParapetError):
    """A file in the outbox was written by a newer version of this app."""

    code = "entry_too_new"
    exit_code = Exit.LOST


class EntryGone(ParapetError):
    """A file of the outbox is not there any more."""

    code = "entry_gone"
    exit_code = Exit.LOST


class RowsUnreadable(ParapetError):
    """The results file gives not even a header."""

    code = "rows_unreadable"
    exit_code = Exit.LOST
