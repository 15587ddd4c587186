"""The events of `index=_internal` that the app's log gives, with the fields that props.conf extracts from it.

Must not know the search language.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Dict, Iterator

if TYPE_CHECKING:
    from tests.standins.splunk_conf import Settings
    from tests.standins.splunk_home import SplunkHome

Event = Dict[str, str]

_LOG = "parapet_security.log"
_PAIR = re.compile(r'([A-Za-z_][A-Za-z0-9_.]*)=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_ESCAPE = re.compile(r"\\(.)")
_GROUP = re.compile(r"\(\?<(?=[A-Za-z_])")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})Z")


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
        stamp = "0"
        for line in file.read_text(encoding="utf-8", errors="replace").split("\n"):
            if line.strip():
                stamp = _time(line) or stamp
                event = {"_time": stamp, "_raw": line, "host": host, "source": source, "sourcetype": sourcetype}
                yield {**_fields(line, props), **event, "index": "_internal"}


def _sourcetype(stanzas: dict[str, Settings], source: str) -> str:
    for name, settings in stanzas.items():
        if name.startswith("source::") and "sourcetype" in settings:
            # props.conf.spec: "..." is any path, "*" any name, the rest is a regular expression.
            pattern = name[len("source::") :].replace("...", "\0").replace("*", "[^/]*").replace("\0", ".*")
            if re.fullmatch(pattern.replace(".log", r"\.log"), source):
                return settings["sourcetype"]
    return Path(source).stem + "-too_small"


def _fields(line: str, props: Settings) -> Event:
    found: Event = {}
    mode = props.get("KV_MODE", "auto")
    for key, quoted, bare in _PAIR.findall(line) if mode in ("auto", "auto_escaped") else ():
        value = bare or (_ESCAPE.sub(r"\1", quoted) if mode == "auto_escaped" else quoted)
        if value:
            # Field names keep letters, digits and underscores; the first pair of a name counts.
            found.setdefault(re.sub(r"\W", "_", key), value)
    for key, pattern in props.items():
        if key.startswith("EXTRACT-"):
            match = re.search(_GROUP.sub("(?P<", pattern), line)
            found.update(match.groupdict() if match else {})
    return found


def _time(line: str) -> str:
    stamp = _TIME.match(line)
    if stamp is None:
        return ""
    moment = datetime.strptime(stamp.group(1), "%Y-%m-%dT%H:%M:%S.%f").replace(tzinfo=timezone.utc)
    return f"{moment.timestamp():.3f}"
