"""The folder for files of ours, and what these are about. Must not read or write one.

`snapshots/` in it is the business of `editing.snapshots`, `ledger/` that of `backfilling.ledger`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parapet_elastic.access import Access


@dataclass(frozen=True)
class Place:
    """Where the rules are: one connector in one space of one Kibana."""

    url: str
    space: str
    connector_id: str

    @classmethod
    def of(cls, access: Access, connector_id: str) -> Place:
        """Return the place that these credentials and this connector lead to."""
        return cls(access.url, access.space, connector_id)


def state_dir(given: str | None, environment: Mapping[str, str]) -> Path:
    """Return the folder for files of ours: the one that is given, PARAPET_ELASTIC_STATE, or ~/.parapet-elastic."""
    chosen = given or environment.get("PARAPET_ELASTIC_STATE")
    return Path(chosen) if chosen else Path.home() / ".parapet-elastic"


def private_folder(folder: Path) -> None:
    """Make the folder, and those above it, for nobody else to look into."""
    if not folder.is_dir():
        private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
