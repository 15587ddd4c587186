"""Static files as Splunk Web serves them: an app's `appserver/static`, and a few of its own.

Must not serve anything else of an app, whatever the path says.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Sequence

from tests.standins.splunk_web_http import Reply, html

if TYPE_CHECKING:
    from tests.standins.splunk_web import SplunkWeb
    from tests.standins.splunk_web_http import Call

BUILD = "0123456789ab"
OWN = Path(__file__).resolve().parent / "splunk_web_files"
_BUILD = re.compile(r"@[\w.:]+")
_TYPES = {
    ".css": "text/css",
    ".html": "text/html; charset=utf-8",
    ".js": "application/javascript",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}


def serve(web: SplunkWeb, call: Call) -> Reply:
    """A file below /static, with or without the build in its path; the build is what makes it cacheable."""
    parts = call.path[1:]
    built = bool(parts) and bool(_BUILD.fullmatch(parts[0]))
    parts = parts[1:] if built else parts
    place = OWN
    if parts[:1] == ("app",) and len(parts) > 2 and parts[1] in web.home.conf.apps():
        place, parts = web.home.etc / "apps" / parts[1] / "appserver" / "static", parts[2:]
    found = _inside(place, parts)
    if call.method not in ("GET", "HEAD"):
        return html("405 Method Not Allowed", 405)
    if found is None:
        return html("404 Not Found", 404)
    cache = "max-age=31536000, public" if built else "max-age=0, must-revalidate"
    kind = _TYPES.get(found.suffix, "application/octet-stream")
    return Reply(200, found.read_bytes(), kind, (("Cache-Control", cache),))


def _inside(folder: Path, names: Sequence[str]) -> Path | None:
    """The file, where it is one and lies in the folder: neither dots nor a link lead out of it."""
    if any("\0" in name for name in names):
        return None
    place = folder.resolve()
    file = place.joinpath(*names).resolve()
    return file if file.is_file() and place in file.parents else None
