"""From what Splunk says of an alert's severity to one of four words. Must not log: it returns what could not be used."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Mapping

LEVELS = ("low", "medium", "high", "critical")
FALLBACK = "medium"

# The guide's own map, then words that Splunk and Enterprise Security use. `param.severity_map` in alert_actions.conf shows the same text.
DEFAULT_MAP = (
    "info=low, low=low, medium=medium, high=high, critical=critical, informational=low, unknown=low, debug=low, "
    "warn=medium, warning=medium, error=high, severe=critical, fatal=critical"
)

# `alert.severity` of savedsearches.conf: 1 debug, 2 info, 3 warn, 4 error, 5 severe, 6 fatal.
_ALERT_NUMBERS = {"1": "low", "2": "low", "3": "medium", "4": "high", "5": "critical", "6": "critical"}


def parse_map(text: str) -> tuple[dict[str, str], list[str]]:
    """Read `from=to` pairs, comma separated.

    Returns:
        The pairs that can be used, with `from` in lower case, and the texts of those that cannot.
    """
    pairs: dict[str, str] = {}
    wrong: list[str] = []
    for item in text.split(","):
        if not item.strip():
            continue
        source, _, target = item.rpartition("=")
        source, target = source.strip().lower(), target.strip().lower()
        if source and target in LEVELS:
            pairs[source] = target
        else:
            wrong.append(item.strip())
    return pairs, wrong


def resolve(
    setting: str,
    fields: str,
    own_map: str,
    row: Mapping[str, object],
    alert_severity: str,
    *,
    notable_severity: str = "",
) -> tuple[str, str]:
    """Find the severity that the tenant gets.

    Args:
        setting: `auto`, or one of LEVELS, which wins.
        fields: names of fields of the first row, comma separated, looked at in this order.
        own_map: this alert's `severity_map`; it adds to DEFAULT_MAP and overrides it pair by pair.
        row: the first row; the value of a field is a string or a list of strings.
        alert_severity: the alert's own severity: a number from 1 to 6, or a word.
        notable_severity: what a correlation search gives its notables, a word; it counts more than `alert_severity`.

    Returns:
        One of LEVELS, and what no map knows ("" where everything was known).
    """
    if setting in LEVELS:
        return setting, ""
    known = parse_map(DEFAULT_MAP)[0]
    known.update(parse_map(own_map)[0])
    unknown = ""
    for name in (name.strip() for name in fields.split(",")):
        value = row.get(name, "")
        words = [str(item).strip().lower() for item in (value if isinstance(value, list) else [value])]
        # A number counts only when the map names it: 1 is the worst in syslog and the least in Splunk.
        levels = [known[word] for word in words if word in known]
        if levels:
            return max(levels, key=LEVELS.index), ""
        unknown = unknown or (name if any(words) else "")
    word = notable_severity.strip().lower()
    if word in known:
        return known[word], ""
    unknown = unknown or ("notable_severity" if word else "")
    word = alert_severity.strip().lower()
    level = _ALERT_NUMBERS.get(word) or known.get(word)
    if level:
        return level, ""
    return FALLBACK, unknown or ("alert_severity" if word else "")
