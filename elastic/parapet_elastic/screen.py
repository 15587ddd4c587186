"""Everything that is printed and asked. Must not show a secret that it was told of, nor let a name from elsewhere steer the terminal."""

from __future__ import annotations

import getpass
import json
import os
import re
import sys
import unicodedata
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO
from urllib.parse import quote

from tqdm import tqdm

from parapet_elastic.errors import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# A shorter secret is found inside ordinary words: hiding it there would show what it is.
_SHORTEST_TO_HIDE = 4
# A service token, whoever it is of and wherever it comes from; our own placeholder is none.
_TOKEN = re.compile(r"pst_(?!YOUR_TOKEN_HERE)[\w.~+/=%-]+", re.ASCII)
# Control characters, those that turn the direction of what follows or have no width, surrogates, line separators.
_UNPRINTABLE = ("Cc", "Cf", "Cs", "Zl", "Zp")


def plain(text: object) -> str:
    r"""Return `text` as one line, with `\n`, `\x1b` and the like spelt out, so that it can only be read."""
    return "".join(map(_spelt, str(text)))


def _spelt(character: str) -> str:
    if unicodedata.category(character) not in _UNPRINTABLE:
        return character
    # repr() keeps some of them as they are.
    return character.encode("unicode_escape").decode("ascii")


def counted(number: int, word: str) -> str:
    """Return "1 rule" and "2 rules"."""
    return f"{number} {word}" + ("" if number == 1 else "s")


class Screen:
    """The person, or the script, in front of the program.

    Attributes:
        json: Whether standard output holds one JSON document and nothing else.
    """

    def __init__(
        self,
        *,
        json: bool = False,
        yes: bool = False,
        out: TextIO | None = None,
        err: TextIO | None = None,
        answers: TextIO | None = None,
    ) -> None:
        """Take the streams as they are now.

        Args:
            json: One JSON document on standard output, everything else on standard error.
            yes: Answer the questions with yes.
            out: Another stream than the process's standard output.
            err: Another one than its standard error.
            answers: Another one than its standard input.
        """
        self.json = json
        self._yes = yes
        self._out: TextIO | None = out or sys.stdout
        self._err: TextIO | None = err or sys.stderr
        self._answers = answers or sys.stdin
        self._hidden: list[str] = []
        self._document: dict[str, Any] = {}

    def hide(self, secret: str) -> None:
        """Show `***` wherever `secret` would be printed; the second net, not the first."""
        if len(secret) < _SHORTEST_TO_HIDE:
            return
        spellings = {secret, json.dumps(secret)[1:-1], quote(secret, safe=""), plain(secret)}
        # The longest first: it may hold another one.
        self._hidden = sorted({*self._hidden, *spellings}, key=len, reverse=True)

    def line(self, text: str = "") -> None:
        """Print one line of the result; nothing with `json`."""
        if not self.json:
            self._print("_out", plain(text))

    def note(self, text: str) -> None:
        """Print one line about the work itself, on standard error."""
        self._print("_err", plain(text))

    def warn(self, text: str) -> None:
        """Print one line that should not be overlooked, on standard error."""
        self._print("_err", "Warning: " + plain(text))

    def table(self, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print rows in columns below their heads; nothing with `json`."""
        if self.json:
            return
        cells = [[plain(cell) for cell in row] for row in (head, *rows)]
        widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
        for row in cells:
            text = "  ".join(cell.ljust(width) for cell, width in zip(row, widths))
            self._print("_out", text.rstrip())

    def raw(self, body: bytes) -> None:
        """Write bytes to standard output as they are, without a line end."""
        if self._out is None:
            return
        try:
            self._out.flush()
            self._out.buffer.write(body)
            self._out.flush()
        except OSError as exc:
            self._forsake("_out", self._out, exc)

    def result(self, document: Mapping[str, Any]) -> None:
        """Add to the JSON document; a command that is made of others has one document all the same."""
        self._document.update(document)

    def finish(self, document: Mapping[str, Any]) -> None:
        """Print the JSON document with these last words in it; nothing without `json`."""
        if self.json:
            # ASCII only: no character of a name can reach the terminal.
            self._print("_out", json.dumps({**self._document, **document}, indent=2))

    def ask(self, question: str, *, yes_counts: bool = True) -> bool:
        """Ask for a yes.

        Args:
            question: Without the "[y/N]".
            yes_counts: Whether `--yes` answers this one, too.

        Returns:
            Whether the answer is yes. Without a terminal it is no.
        """
        if self._yes and yes_counts:
            self.note(f"{question} yes (--yes)")
            return True
        if not self._answers.isatty():
            self.note(f"{question} There is no terminal to ask at" + ("; give --yes to go on." if yes_counts else "."))
            return False
        while True:
            self._print("_err", plain(f"{question} [y/N] "), end="")
            answer = self._answers.readline()
            if answer.strip().lower() in {"y", "yes"}:
                return True
            if answer.strip().lower() in {"", "n", "no"}:
                self.note("Nothing was changed.")
                return False
            self.note("Say y or n.")

    def ask_secret(self, what: str) -> str | None:
        """Ask for something that is not shown while it is typed; None without a terminal or an answer."""
        if not self._answers.isatty():
            return None
        try:
            answer = getpass.getpass(plain(f"{what}: "), stream=self._err)
        except EOFError:
            return None
        return answer or None

    @contextmanager
    def progress(self, total: int, what: str) -> Iterator[Progress]:
        """Show a bar on standard error while something long goes on; nothing where that is no terminal."""
        # `disable=None` is tqdm's word for "where there is no terminal".
        with tqdm(total=total, desc=plain(what), file=self._err, disable=None, leave=False, dynamic_ncols=True) as bar:
            yield Progress(bar)

    def _print(self, name: str, text: str, end: str = "\n") -> None:
        stream = getattr(self, name)
        if stream is None:
            return
        for secret in self._hidden:
            text = text.replace(secret, "***")
        text = _TOKEN.sub("***", text)
        try:
            # Takes a bar away while the line is written, and puts it back below.
            with tqdm.external_write_mode(file=stream):
                stream.write(text + end)
                stream.flush()
        except OSError as exc:
            self._forsake(name, stream, exc)

    def _forsake(self, name: str, stream: TextIO, why: OSError) -> None:
        """Print no more on a stream that takes nothing; without this Python complains when it flushes it at the end.

        Raises:
            Failure: A result is lost for another reason than that its reader has gone (`| head`): a full disk. Words
                about the work are not worth stopping it for.
        """
        setattr(self, name, None)
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)
        if name == "_out" and not isinstance(why, BrokenPipeError):
            raise Failure(f"standard output cannot be written: {why.strerror}") from None


class Progress:
    """A bar that is shown."""

    def __init__(self, bar: Any) -> None:
        """Keep the bar."""
        self._bar = bar

    def advance(self, n: int = 1) -> None:
        """Say that `n` more are done."""
        self._bar.update(n)
