"""Splunk's side of the search commands: options in, rows out in the chunked protocol, through splunklib. Must not do their work."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from splunklib.searchcommands import Configuration, GeneratingCommand, Option

from . import app, commands
from .errors import Exit, ParapetError, UsageError
from .secret import Secret, mask

if TYPE_CHECKING:
    from typing import Iterator

_YES = ("true", "t", "1", "yes", "y")
_NO = ("false", "f", "0", "no", "n")


class _Command(GeneratingCommand):  # type: ignore[misc]  # splunklib has no types
    # Options that splunklib gives every command, and that are not for ours: `record` would write the session key into a
    # file, and `logging_configuration` runs what a file says.
    record = show_configuration = False
    logging_configuration = logging_level = None

    def rows(self, session: commands.Session) -> Iterator[commands.Row]:
        """What the command finds out."""
        raise NotImplementedError

    def generate(self) -> Iterator[commands.Row]:
        """The rows, or one sentence in the place where Splunk shows errors."""
        asked = self.metadata.searchinfo
        try:
            if self.fieldnames:
                raise UsageError(f"{mask(self.fieldnames[0])!r} is no option: there is {' and '.join(self.options)}")
            yield from self.rows(commands.Session(str(asked.splunkd_uri), Secret(str(asked.session_key))))
        except ParapetError as error:
            # splunklib takes the text for a format.
            self.error_exit(error, str(error).replace("{", "{{").replace("}", "}}"))

    def _protocol_v2_option_parser(self, arg: str) -> list[str]:
        # What splunklib refuses by itself, it refuses before the search begins, and Splunk does not show the reason.
        name, equals, value = arg.partition("=")
        return [name, value] if equals and name in self.options else [arg]

    def _report_unexpected_error(self) -> None:
        # splunklib's own would show the text of the error, which may hold anything.
        error = sys.exc_info()[1]
        if error is not None:
            app.tell_bug(error)
        self.write_error("a fault of this app: report the line event=process.bug in parapet_security.log")


@Configuration(type="reporting")
class Test(_Command):
    """`| parapettest [tenant=<name>]`."""

    tenant = Option(default="")

    def rows(self, session: commands.Session) -> Iterator[commands.Row]:
        """One for each tenant."""
        return commands.test(session, self.tenant, sys.stderr, os.environ)


@Configuration(type="reporting")
class Outbox(_Command):
    """`| parapetoutbox [summary=<bool>]`."""

    summary = Option(default="false")

    def rows(self, session: commands.Session) -> Iterator[commands.Row]:
        """One for each entry; one in all for a summary."""
        if self.summary.lower() not in _YES + _NO:
            raise UsageError("summary must be true or false")
        find = commands.summary if self.summary.lower() in _YES else commands.entries
        return find(session, sys.stderr, os.environ)


@Configuration(type="reporting")
class OutboxEdit(_Command):
    """`| parapetoutboxedit action=retry|drop id=<id>|all`."""

    action = Option(default="")
    id = Option(default="")

    def rows(self, session: commands.Session) -> Iterator[commands.Row]:
        """One for each entry that was asked for."""
        return commands.edit(session, self.action, self.id, sys.stderr, os.environ)


def main(command: type[_Command]) -> int:
    """Answer Splunk on stdin and stdout; returns an exit code, where splunklib does not exit with its own."""
    # A search that is cancelled must not leave behind what relies on this process.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    return app.run(lambda: command().process(sys.argv, sys.stdin, sys.stdout) or Exit.OK)
