"""How the demo looks: titles, steps with their time, what was sent, and a table; plain text where nobody watches.

It must not show a secret, whoever hands it one, but where it is asked for just that.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import TextIO

WIDTH = 84
HIDDEN = "pst_…"
_LABEL = 14
_STYLES = {"bold": "1", "dim": "2", "good": "32", "bad": "31", "name": "36"}
_JSON_NAME = re.compile(r'^(\s*)("[^"]*")(:)', re.MULTILINE)


class Screen:
    """Where the demo writes."""

    def __init__(self, stream: TextIO) -> None:
        """Look at the stream once: colours are for a terminal, and for none that says it wants none."""
        self._stream = stream
        self._colours = stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
        self._secrets: list[str] = []

    def hide(self, secret: str) -> None:
        """From now on this token is shown as HIDDEN, wherever it would appear."""
        self._secrets.append(secret)

    def line(self, text: str = "", style: str = "") -> None:
        """Write a line."""
        self._write(self._styled(text, style) + "\n")

    def title(self, text: str) -> None:
        """Begin a part."""
        self.line()
        self.line(text, "bold")
        self.line("─" * WIDTH, "dim")

    def note(self, label: str, text: str, style: str = "") -> None:
        """Write a label and what belongs to it; further lines of the text stand below its first."""
        first, *more = text.splitlines()
        self._write("  " + self._styled(label.ljust(_LABEL), "dim") + self._styled(first, style) + "\n")
        for line in more:
            self._write("  " + " " * _LABEL + self._styled(line, style) + "\n")

    def reveal(self, label: str, secret: str) -> None:
        """Write a label and a secret that is hidden everywhere else: for the one who needs it to go on by hand."""
        self._stream.write("  " + self._styled(label.ljust(_LABEL), "dim") + secret + "\n")
        self._stream.flush()

    @contextlib.contextmanager
    def step(self, label: str, text: str) -> Iterator[None]:
        """Name a step before it begins, and write how long it took when it ends."""
        self._write("  " + self._styled(label.ljust(_LABEL), "dim") + text)
        began = time.monotonic()
        try:
            yield
        except BaseException:
            self._write("\n")
            raise
        took = f"{time.monotonic() - began:.2f} s"
        room = max(WIDTH - 2 - _LABEL - len(text) - len(took), 1)
        self._write(" " * room + self._styled(took, "dim") + "\n")

    def request(self, method: str, path: str, headers: Mapping[str, str], body: object) -> None:
        """Write a request as it came, but for the token."""
        self.line()
        self.line(f"    {method} {path}", "bold")
        for name, value in headers.items():
            self._write("    " + self._styled(name.title() + ":", "name") + f" {value}\n")
        self.line()
        text = json.dumps(body, indent=2, ensure_ascii=False)
        if self._colours:
            text = _JSON_NAME.sub(lambda found: found[1] + self._styled(found[2], "name") + found[3], text)
        for line in text.splitlines():
            self._write("    " + line + "\n")
        self.line()

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """Write rows in columns; the first row names them."""
        widths = [max(map(len, column)) for column in zip(*rows)]
        for number, row in enumerate(rows):
            cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
            self.line("  " + "   ".join(cells), "" if number else "dim")

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if style and self._colours else text

    def _write(self, text: str) -> None:
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        self._stream.write(text)
        self._stream.flush()
