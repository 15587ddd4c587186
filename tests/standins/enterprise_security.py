"""What Enterprise Security brings along: its CIM app, the index of notables, and a notable as it stands there.

Must not hold a field that contract section 4.5 does not name, other than Splunk's own.
"""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING, Dict, List, Union

if TYPE_CHECKING:
    from tests.standins.splunk_home import SplunkHome

Notable = Dict[str, Union[str, List[str]]]

CIM = "Splunk_SA_CIM"
_GUID = "5B9A2E6C-7F38-4C0D-9E51-3B6D0A4E8F17"
_RULE = "Access - Excessive Failed Logins - Rule"


def install_cim(home: SplunkHome) -> None:
    """Put the app there without which splunkd has no `alerts/modaction_adhoc`."""
    files = {
        "default/app.conf": "[ui]\nlabel = Common Information Model\n",
        "metadata/default.meta": "[]\naccess = read : [ * ], write : [ admin ]\nexport = system\n",
    }
    for name, text in files.items():
        file = home.apps / CIM / name
        file.parent.mkdir(parents=True)
        file.write_text(text, encoding="utf-8")


def notable(number: int = 1, **changes: str | list[str]) -> Notable:
    """One notable; `number` tells it apart, `changes` replace fields, and a field that becomes empty is not there."""
    event_hash = hashlib.sha256(str(number).encode("ascii")).hexdigest()[:32]
    event_id = f"{_GUID}@@notable@@{event_hash}"
    fields: Notable = {
        "event_id": event_id,
        "rule_id": event_id,
        "event_hash": event_hash,
        "indexer_guid": _GUID,
        "notable_type": "notable",
        "rule_name": "Excessive Failed Logins",
        "rule_title": f"Excessive failed logins on host-{number}",
        "rule_description": f'host-{number} had more failed logins than "usual" = 6',
        "search_name": _RULE,
        "source": _RULE,
        "sourcetype": "stash",
        "host": "search-head-1",
        "security_domain": "access",
        "severity": "medium",
        "urgency": "high",
        "priority": "high",
        "status": "1",
        "status_label": "New",
        "owner": "unassigned",
        "orig_sid": f"scheduler__admin__SplunkEnterpriseSecuritySuite__RMD5a{number}_at_1769613900_{number}",
        "orig_rid": str(number - 1),
        "orig_action_name": "notable",
        "orig_time": "1769613890",
        "info_min_time": "1769610300.000000000",
        "info_max_time": "1769613900.000000000",
        "info_search_time": "1769613901.250000000",
        "drilldown_name": "View the failed logins",
        "drilldown_search": f'| from datamodel:"Authentication" | search dest="host-{number}"',
        "risk_score": "60",
        "risk_object": f"host-{number}",
        "risk_object_type": "system",
        "annotations": json.dumps({"mitre_attack": ["T1110", "T1110.003"], "cis20": ["CIS 16"]}),
        "annotations.mitre_attack": ["T1110", "T1110.003"],
        "annotations.mitre_attack.mitre_tactic": "credential-access",
        "dest": f"host-{number}",
        "src": ["198.51.100.7", "203.0.113.9"],
        "user": "root",
    }
    fields.update(changes)
    return {name: value for name, value in fields.items() if value}


class Notables:
    """The index `notable`.

    Attributes:
        events: what tests put there, oldest first.
    """

    def __init__(self) -> None:
        """Start with none."""
        self.events: list[Notable] = []

    def indexed(self, _app: str) -> list[Notable]:
        """Newest first, with the fields of every event, and the internal ones that a search's rows have."""
        now = time.time()
        return [_indexed(event, number, now) for number, event in reversed(list(enumerate(self.events)))]


def _indexed(event: Notable, number: int, now: float) -> Notable:
    stamp = f"{now - 60 + number / 1000:.3f}"
    pairs = ('{}="{}"'.format(k, v if isinstance(v, str) else ",".join(v)) for k, v in event.items())
    internal: Notable = {
        "_time": stamp,
        "_indextime": stamp.partition(".")[0],
        "_raw": stamp + ", " + ", ".join(pairs),
        "_bkt": f"notable~1~{_GUID}",
        "_cd": f"1:{number}",
        "_serial": str(number),
        "_si": ["indexer-1", "notable"],
        "_sourcetype": "stash",
        "index": "notable",
        "linecount": "1",
        "splunk_server": "indexer-1",
    }
    return {**internal, **event}
