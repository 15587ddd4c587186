r"""How Splunk reads a log file by a stanza of props.conf: lines, times and fields. Must not know the app, nor forgive a line too long.

What is done here, and where it is said:
- A file is cut into events where LINE_BREAKER matches: its first group is thrown away. Without line merging each of them is an event.
  Of an event TRUNCATE bytes stay, 10000 where nothing is set (props.conf.spec, "Line breaking").
- The time is looked for after what TIME_PREFIX matches, in MAX_TIMESTAMP_LOOKAHEAD characters, by TIME_FORMAT (the same, "Timestamp
  extraction configuration"). An event without one has the time of the one before it.
- EXTRACT-<class> comes before the automatic extraction (Knowledge Manager Manual, "The sequence of search-time operations"), which
  looks at 10240 characters (limits.conf, [kv] maxchars) and adds what is not there yet; of a name that comes twice the first counts.
- KV_MODE = auto takes key=value pairs; a value in quotes ends at the next quote. auto_escaped honours \" and \\ inside of the quotes, and
  nothing else (props.conf.spec). Which characters end a value without quotes is not documented; here all those do that Splunk breaks a
  line into terms at (segmenters.conf, MAJOR), so that a writer who relies on one of them is found out.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Dict, Iterator, Mapping, NamedTuple

Fields = Dict[str, str]

_KV_CHARS = 10240
_TRUNCATE = "10000"
_KEY = r'(?:(?<=[\s,;|&()\[\]{}<>!?"])|(?<=^))([A-Za-z_][\w.:-]*)='
_BARE = r'([^\s,;|&()\[\]{}<>!?"\'=\\]+)'
_PAIR = {
    "auto": re.compile(_KEY + r'(?:"([^"]*)"|' + _BARE + ")"),
    "auto_escaped": re.compile(_KEY + r'(?:"((?:[^"\\]|\\.)*)"|' + _BARE + ")"),
}
_ESCAPE = re.compile(r'\\(["\\])')
_GROUP = re.compile(r"\(\?<(?=[A-Za-z_])")
# strptime as Splunk has it → as Python has it.
_FORMATS = {"%3N": "%f", "%z": "%z"}


class Event(NamedTuple):
    """One event: its time in epoch seconds, its text, and the fields found in it."""

    time: float
    raw: str
    fields: Fields


def events(data: bytes, props: Mapping[str, str]) -> Iterator[Event]:
    """Read a file's bytes by one stanza."""
    text = data.decode("utf-8", "replace")
    time = 0.0
    for raw in _lines(text, props):
        found = _time(raw, props)
        time = time if found is None else found
        yield Event(time, raw, fields(raw, props))


def fields(raw: str, props: Mapping[str, str]) -> Fields:
    """The fields of one event."""
    found: Fields = {}
    for key, pattern in props.items():
        if key.startswith("EXTRACT-"):
            match = re.search(_GROUP.sub("(?P<", pattern), raw)
            found.update({name: value for name, value in match.groupdict().items() if value} if match else {})
    mode = props.get("KV_MODE", "auto")
    if mode == "none":
        return found
    for key, quoted, bare in _PAIR[mode].findall(raw[:_KV_CHARS]):
        value = bare or (_ESCAPE.sub(r"\1", quoted) if mode == "auto_escaped" else quoted)
        if value:
            # Names keep letters, digits and underscores (transforms.conf.spec, CLEAN_KEYS).
            found.setdefault(re.sub(r"\W", "_", key), value)
    return found


def _lines(text: str, props: Mapping[str, str]) -> Iterator[str]:
    most = int(props.get("TRUNCATE", _TRUNCATE))
    start = 0
    for found in re.finditer(props.get("LINE_BREAKER", r"([\r\n]+)"), text):
        yield from _cut(text[start : found.start(1)], most)
        start = found.end(1)
    yield from _cut(text[start:], most)


def _cut(line: str, most: int) -> Iterator[str]:
    if line.strip():
        yield line.encode("utf-8")[: most or None].decode("utf-8", "ignore")


def _time(raw: str, props: Mapping[str, str]) -> float | None:
    prefix = re.search(props.get("TIME_PREFIX", "^"), raw)
    if prefix is None:
        return None
    # Without TIME_FORMAT Splunk recognises what is common; this is what our log has.
    form = props.get("TIME_FORMAT", "%Y-%m-%dT%H:%M:%S.%3NZ")
    for ours, theirs in _FORMATS.items():
        form = form.replace(ours, theirs)
    text = raw[prefix.end() :][: int(props.get("MAX_TIMESTAMP_LOOKAHEAD", "128"))]
    # strptime wants all of the text; Splunk's takes the beginning that fits.
    for end in range(len(text), 0, -1):
        try:
            moment = datetime.strptime(text[:end], form)  # noqa: DTZ007  its zone is UTC, below
        except ValueError:
            continue
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
    return None
