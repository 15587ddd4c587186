"""The events of `index=_internal` that the app's log gives, with the fields that props.conf extracts from it.

Must not know the search language.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Dict, Iterator

from tests.spl import reading

if TYPE_CHECKING:
    from tests.standins.splunk_conf import Settings
    from tests.standins.splunk_home import SplunkHome

Event = Dict[str, str]

_LOG = "parapet_security.log"


class AppLog:
    """The app's log on this host, and on the hosts whose forwarders send theirs to the same indexers.

    Attributes:
        peers: host → the path of its log.
    """

    def __init__(self, home: SplunkHome, host: str) -> None:
        """Look at the logs of this home."""
        self._home, self._host = home, host
        self.peers: dict[str, Path] = {}

    def events(self, app: str) -> list[Event]:
        """Every event, newest first, with the fields that `app` sees."""
        found: list[Event] = []
        for host, path in [(self._host, self._home.log / _LOG), *self.peers.items()]:
            # props.conf of the app speaks of rotated files too: log.1, log.2.
            for file in sorted(path.parent.glob(path.name + "*")):
                if re.fullmatch(re.escape(path.name) + r"(\.\d+)?", file.name):
                    found.extend(self._read(host, file, app))
        return sorted(found, key=lambda event: float(event["_time"]), reverse=True)

    def _read(self, host: str, file: Path, app: str) -> Iterator[Event]:
        stanzas = {name: stanza.settings for name, stanza in self._home.conf.stanzas("props", app).items()}
        # Splunk reads its own log folder; the path that an indexer sees is the one on the host that wrote it.
        source = str(self._home.log / file.name)
        sourcetype = _sourcetype(stanzas, source)
        props = stanzas.get(sourcetype, {})
        for event in reading.events(file.read_bytes(), props):
            facts = {
                "_time": f"{event.time:.3f}",
                "_raw": event.raw,
                "host": host,
                "source": source,
                "sourcetype": sourcetype,
            }
            yield {**event.fields, **facts, "index": "_internal"}


def _sourcetype(stanzas: dict[str, Settings], source: str) -> str:
    for name, settings in stanzas.items():
        if name.startswith("source::") and "sourcetype" in settings:
            # props.conf.spec: "..." is any path, "*" any name, the rest is a regular expression.
            pattern = name[len("source::") :].replace("...", "\0").replace("*", "[^/]*").replace("\0", ".*")
            if re.fullmatch(pattern.replace(".log", r"\.log"), source):
                return settings["sourcetype"]
    return Path(source).stem + "-too_small"
