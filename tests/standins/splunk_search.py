"""A search that fires: its record, the results files that Splunk writes for it, and the tokens it fills in.

Must not start anything.
"""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import itertools
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, Optional, Union
from urllib.parse import quote_plus

if TYPE_CHECKING:
    from pathlib import Path

    from tests.standins.splunk_home import SplunkHome

Row = Dict[str, Union[str, List[str]]]

_TOKEN = re.compile(r"\$\$|\$([A-Za-z0-9_.:{}-]+)\$")
_COUNTER = itertools.count(1)


@dataclass
class Search:
    """One run of a search whose alert fires.

    Attributes:
        rows: the results; values are strings, or lists of strings for multivalue fields.
        params: `action.parapet_security.param.*` of this search (or of the `| sendalert`), without that prefix.
        digest: one run for all rows; False is one run for each row.
        sendalert: called by `| sendalert` in its SPL; other file name, otherwise as usual.
        ad_hoc: not a saved search at all: no name, another sid; implies `sendalert`.
        trigger_time: epoch seconds.
        result_count: what the job says, where that is not `len(rows)`.
        no_file: there is no results file (zero results; or the dispatch directory was reaped).
        no_result_key: with zero results the payload has no `result` at all instead of null.
        info_csv: Splunk left an info.csv too.
        job_tokens: False is the bug that `$job.…$` come empty (contract section 3.3).
        unknown_tokens: `empty` or `keep`: what an unknown `$token$` becomes is not confirmed.
    """

    name: str = "Example alert"
    app: str = "search"
    owner: str = "admin"
    rows: list[Row] = field(default_factory=list)
    params: dict[str, str] = field(default_factory=dict)
    severity: int = 3
    digest: bool = True
    sendalert: bool = False
    ad_hoc: bool = False
    spl: str = "search index=main"
    earliest: str = "2026-01-01T00:00:00.000+00:00"
    latest: str = "2026-01-01T01:00:00.000+00:00"
    description: str = ""
    cron: str = "*/5 * * * *"
    trigger_time: int = 0
    sid: str = ""
    result_count: Optional[int] = None
    no_file: bool = False
    no_result_key: bool = False
    info_csv: bool = False
    job_tokens: bool = True
    unknown_tokens: str = "empty"

    def __post_init__(self) -> None:
        """Fill in what Splunk makes up: time and sid."""
        self.trigger_time = self.trigger_time or int(time.time())
        if self.ad_hoc:
            self.name, self.sendalert = "", True
        if self.sendalert and not self.digest:
            raise ValueError("sendalert has no per-result mode")
        self.sid = self.sid or self._new_sid()

    @property
    def search_uri(self) -> str:
        """Where the saved search is; empty ad hoc."""
        if self.ad_hoc:
            return ""
        return f"/servicesNS/{self.owner}/{self.app}/saved/searches/{quote_plus(self.name)}"

    def results_file(self, home: SplunkHome, row: Optional[int]) -> Path:
        """Where Splunk writes the results for this mode (contract section 1.5); `row` in per-result mode."""
        folder = home.dispatch / self.sid
        if row is not None:
            return folder / "per_result_alert" / f"tmp_{row}.csv.gz"
        return folder / ("sendalert_temp_results.csv.gz" if self.sendalert else "results.csv.gz")

    def results_link(self, row: Optional[int]) -> str:
        """The link into Splunk Web."""
        if row is None:
            return f"http://127.0.0.1:8000/app/{self.app}/@go?sid={self.sid}"
        query = f"%7Cloadjob%20{self.sid}%20%7C%20head%20{row + 1}%20%7C%20tail%201"
        return f"http://127.0.0.1:8000/app/search/search?q={query}&earliest=0&latest=now"

    def _new_sid(self) -> str:
        number = next(_COUNTER)
        if self.ad_hoc:
            return f"{self.trigger_time}.{number}"
        digest = hashlib.sha256(f"{self.owner}/{self.app}/{self.name}".encode()).hexdigest()[:16]
        parts = _sid_part(self.owner), _sid_part(self.app), digest, self.trigger_time, number
        return "scheduler__{}__{}__RMD5{}_at_{}_{}".format(*parts)


def write_results(path: Path, rows: Iterable[Row]) -> None:
    """Write rows as Splunk does: gzip, UTF-8, one header, a companion `__mv_f` for every field `f`."""
    rows = list(rows)
    fields: list[str] = list(dict.fromkeys(name for row in rows for name in row))
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(str(path), "wt", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(fields + ["__mv_" + name for name in fields])
        for row in rows:
            values = [row.get(name, "") for name in fields]
            writer.writerow([plain(value) for value in values] + [_companion(value) for value in values])


def write_info(search: Search, folder: Path) -> None:
    """Write the columns of info.csv that apps are known to read (contract section 1.8)."""
    folder.mkdir(parents=True, exist_ok=True)
    row = {
        "_sid": search.sid,
        "_search": search.spl,
        "_startTime": search.earliest,
        "_endTime": search.latest,
        "_timestamp": str(search.trigger_time),
        "label": search.name,
        "owning_server": "stand-in",
    }
    with (folder / "info.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(row.keys())
        writer.writerow(row.values())


def payload_row(row: Row) -> Row:
    """A row as it stands in the payload: a list only where there is more than one value."""
    return {name: list(v) if isinstance(v, list) and len(v) > 1 else plain(v) for name, v in row.items()}


def plain(value: str | list[str]) -> str:
    """A value in its CSV column: several values are joined by newlines."""
    return "\n".join(value) if isinstance(value, list) else str(value)


def tokens(
    search: Search, row: Optional[Row], row_number: Optional[int], home: SplunkHome, guid: str
) -> dict[str, str]:
    """Every `$token$` that Splunk knows for this run. Ad hoc only `result.*` has a value; the others are unknown there."""
    known = {"result." + name: plain(value) for name, value in (row or {}).items() if "{" not in name}
    when = time.gmtime(search.trigger_time)
    link = search.results_link(row_number)
    count = len(search.rows) if search.result_count is None else search.result_count
    others: dict[str, Any] = {
        "action_name": "parapet_security",
        "alert.expires": "24h",
        "alert.severity": search.severity,
        "app": search.app,
        "cron_schedule": search.cron,
        "description": search.description,
        "id": "https://127.0.0.1:8089" + search.search_uri,
        "name": search.name,
        "next_scheduled_time": "",
        "owner": search.owner,
        "results.file": search.results_file(home, row_number),
        "results.url": link,
        "results_file": search.results_file(home, row_number),
        "results_link": link,
        "search": search.spl,
        "server.guid": guid,
        "server.serverName": "stand-in",
        "sid": search.sid,
        "trigger_date": time.strftime("%Y-%m-%d", when),
        "trigger_time": search.trigger_time,
        "trigger_timeHMS": time.strftime("%H:%M:%S", when),
        "view_link": f"http://127.0.0.1:8000/app/{search.app}/alert?s={quote_plus(search.search_uri)}",
    }
    job = {
        "job.earliestTime": search.earliest,
        "job.latestTime": search.latest,
        "job.resultCount": count,
        "job.search": search.spl,
        "job.sid": search.sid,
    }
    others.update(job if search.job_tokens else dict.fromkeys(job, ""))
    if not search.ad_hoc:
        known.update({name: str(value) for name, value in others.items()})
    return known


def substitute(text: str, known: dict[str, str], unknown: str) -> str:
    """Replace tokens as sendalert does: `$$` is a dollar, a `$result.…$` that is not there is empty.

    A name with braces never resolves (contract section 2.4). `unknown`: `empty`, or `keep` to leave others in place.
    """

    def one(match: re.Match[str]) -> str:
        name = match.group(1)
        if name is None:
            return "$"
        if name in known:
            return known[name]
        return match.group(0) if unknown == "keep" and not name.startswith("result.") else ""

    return _TOKEN.sub(one, text)


def _companion(value: str | list[str]) -> str:
    if not isinstance(value, list) or len(value) < 2:
        return ""
    return ";".join("${}$".format(one.replace("$", "$$")) for one in value)


def _sid_part(text: str) -> str:
    if re.match(r"[A-Za-z0-9]+$", text):
        return text
    return base64.urlsafe_b64encode(text.encode("utf-8")).decode("ascii").rstrip("=")
