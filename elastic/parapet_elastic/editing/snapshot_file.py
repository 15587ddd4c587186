"""One snapshot file: what rules' actions were before a command changed them. Must not talk to Kibana, nor hold a credential.

Whoever may read a rule's actions in Kibana may read no more here; still nobody else may: 0600 in a folder of 0700.

    {"format": 1, "time", "command", "version", "url", "space", "connector_id", "finished": bool, "taken_over_by": name | null,
     "rules": [{"id", "name", "actions": [... as Kibana gave them ...]}]}
`finished` is false until the command has had an answer for every rule.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parapet_elastic import __version__, files
from parapet_elastic.errors import Failure
from parapet_elastic.state import Place, private_folder

FORMAT = 1
_LARGEST = 2**30
_KEYS = {
    "command": str,
    "version": str,
    "url": str,
    "space": str,
    "connector_id": str,
    "time": str,
    "finished": bool,
    "rules": list,
}


@dataclass(frozen=True)
class Entry:
    """One rule before the change."""

    id: str
    name: str
    actions: list[dict[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """Return it as the file has it."""
        return {"id": self.id, "name": self.name, "actions": self.actions}


@dataclass(frozen=True)
class Snapshot:
    """What one file holds.

    Attributes:
        place: Where the rules are.
        command: What was about to change them.
        entries: The rules, each once.
        time: When, in UTC, as the file's name has it.
        finished: Whether the command had an answer for every rule.
        taken_over_by: The file that holds these entries now, too.
        path: The file; None before it is written.
    """

    place: Place
    command: str
    entries: tuple[Entry, ...]
    time: str = ""
    finished: bool = False
    taken_over_by: str | None = None
    path: Path | None = field(default=None, compare=False)

    def to_json(self) -> dict[str, Any]:
        """Return it as the file has it."""
        return {
            "format": FORMAT,
            "time": self.time,
            "command": self.command,
            "version": __version__,
            "url": self.place.url,
            "space": self.place.space,
            "connector_id": self.place.connector_id,
            "finished": self.finished,
            "taken_over_by": self.taken_over_by,
            "rules": [entry.to_json() for entry in self.entries],
        }


def load(path: Path) -> Snapshot:
    """Read a file.

    Raises:
        Failure: It is not there, is broken, or is of a newer version of this program.
    """
    try:
        document = json.loads(files.read(path, _LARGEST).decode("utf-8"))
    except OSError as exc:
        raise Failure(f"{path} cannot be read: {exc.strerror}") from None
    except (ValueError, RecursionError):
        raise Failure(f"{path} is broken: it is no JSON", todo="Take another snapshot of the folder.") from None
    if files.is_deep(document):
        raise Failure(f"{path} is broken: it is too deep", todo="Take another snapshot of the folder.")
    if not isinstance(document, dict) or not isinstance(document.get("format"), int):
        raise Failure(f"{path} is no snapshot of parapet-elastic")
    if document["format"] > FORMAT:
        raise Failure(
            f"{path} is of a newer parapet-elastic (format {document['format']})", todo="Update parapet-elastic."
        )
    if not all(isinstance(document.get(key), kind) for key, kind in _KEYS.items()):
        raise Failure(f"{path} is broken: a part of it is missing", todo="Take another snapshot of the folder.")
    try:
        entries = tuple(_entry(rule) for rule in document["rules"])
    except (KeyError, TypeError):
        raise Failure(f"{path} is broken: a rule in it is not complete") from None
    return Snapshot(
        place=Place(document["url"], document["space"], document["connector_id"]),
        command=document["command"],
        entries=entries,
        time=document["time"],
        finished=document["finished"],
        taken_over_by=document.get("taken_over_by"),
        path=path,
    )


def _entry(rule: Any) -> Entry:
    actions = rule["actions"]
    if not isinstance(actions, list) or not all(isinstance(action, dict) for action in actions):
        raise TypeError
    return Entry(str(rule["id"]), str(rule["name"]), actions)


def write(snapshot: Snapshot) -> None:
    """Write it whole, or not at all: a temporary file, fsync, a rename over it.

    Raises:
        OSError: It cannot be written.
    """
    if snapshot.path is None:
        raise ValueError("a snapshot without a file")
    folder = snapshot.path.parent
    private_folder(folder)
    handle, name = tempfile.mkstemp(dir=folder, prefix=".")  # 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(snapshot.to_json(), file, ensure_ascii=True, indent=1)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(snapshot.path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
