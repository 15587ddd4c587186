"""The command line: reads the arguments, runs one command, and turns what goes wrong into one line. Must not do any of the work itself."""

from __future__ import annotations

import io
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from parapet_elastic import cli_commands
from parapet_elastic.cli_parser import parser
from parapet_elastic.errors import Exit, Failure
from parapet_elastic.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = "parapet-elastic"
# Options that people expect, and that would show the secret to every user of the machine.
_SECRET_OPTIONS = ("--api-key", "--apikey", "--password", "--token", "--secret")


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the arguments, do what they ask for, and return the exit code (see `Exit`)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name that the terminal cannot show is no reason to stop in the middle of a change.
            stream.reconfigure(errors="backslashreplace")
    screen = Screen(json="--json" in words, yes="--yes" in words)
    try:
        _no_secret(words)
        options = parser(PROGRAM).parse_args(words)
        code = Exit(cli_commands.COMMANDS[options.command](options, screen))
        screen.finish({"exit": int(code)})
    except Failure as exc:
        code = exc.exit
        screen.note(f"{PROGRAM}: {exc}{_sentence_end(str(exc))}{' ' if exc.todo else ''}{exc.todo}")
        screen.finish({"exit": int(code), "error": str(exc), "todo": exc.todo})
    except KeyboardInterrupt:
        code = Exit.INTERRUPTED
        screen.note(f"{PROGRAM}: interrupted; run the same command again to go on.")
        screen.finish({"exit": int(code), "error": "interrupted"})
    except Exception as exc:  # noqa: BLE001 - whatever it is, it must not print what it knows
        code = Exit.BUG
        text = f"a mistake of this program: {type(exc).__name__} {_place(exc)}"
        screen.note(f"{PROGRAM}: {text}. Please report this line.")
        screen.finish({"exit": int(code), "error": text})
    except SystemExit as exc:  # --help and --version
        return int(exc.code or 0)
    return int(code)


def _no_secret(words: Sequence[str]) -> None:
    """Refuse a secret in an argument: it is in the shell's history and in the list of processes.

    Raises:
        Failure: There is one; its sentence does not repeat it.
    """
    todo = "Take it out of the shell's history, and set KIBANA_API_KEY, KIBANA_PASSWORD or PARAPET_TOKEN, or use --credentials FILE."
    for word in words:
        if "pst_" in word:
            raise Failure("a service token (pst_…) is never an argument", todo=todo)
        if word.partition("=")[0] in _SECRET_OPTIONS:
            raise Failure(f"there is no option {word.partition('=')[0]}: a secret is never an argument", todo=todo)


def _sentence_end(text: str) -> str:
    return "" if text.endswith((".", "?", "!")) else "."


def _place(exc: BaseException) -> str:
    """Return the innermost place of ours, never a value: an exception's text may hold anything."""
    here = Path(__file__).parent
    frames = [frame for frame in traceback.extract_tb(exc.__traceback__) if here in Path(frame.filename).parents]
    return f"in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else "outside of it"
