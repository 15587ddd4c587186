"""A rule and alerts to try templates with where no Kibana is at hand. Must not be taken for anybody's data."""

from __future__ import annotations

from typing import Any, Final

from parapet_elastic.rendering.variables import Place, per_alert, summary

_THREAT: Final = [
    {
        "framework": "MITRE ATT&CK",
        "tactic": {
            "id": "TA0002",
            "name": "Execution",
            "reference": "https://attack.mitre.org/tactics/TA0002/",
        },
        "technique": [
            {
                "id": "T1059",
                "name": "Command and Scripting Interpreter",
                "reference": "https://attack.mitre.org/techniques/T1059/",
                "subtechnique": [
                    {
                        "id": "T1059.001",
                        "name": "PowerShell",
                        "reference": "https://attack.mitre.org/techniques/T1059/001/",
                    }
                ],
            }
        ],
    }
]

RULE: Final[dict[str, Any]] = {
    "id": "d8e8fca2-dc0f-4c4e-a9d7-3c9e7c8b4a2d",
    "rule_id": "852c1f19-68e8-43a6-9dce-340771fe1be3",
    "name": 'Suspicious PowerShell "Encoded" Execution',
    "description": "PowerShell was started with\nan encoded command.",
    "type": "query",
    "language": "kuery",
    "index": ["logs-*"],
    "query": 'process.name : "powershell.exe" and process.args : "-enc*"',
    "severity": "high",
    "severity_mapping": [],
    "risk_score": 73,
    "risk_score_mapping": [],
    "tags": ["Domain: Endpoint", "OS: Windows", 'Said: "encoded"'],
    "threat": _THREAT,
    "references": ["https://attack.mitre.org/techniques/T1059/001/"],
    "author": ["Elastic"],
    "false_positives": [],
    "from": "now-360s",
    "to": "now",
    "interval": "5m",
    "max_signals": 100,
    "output_index": "",
    "meta": {"from": "1m"},
    "exceptions_list": [],
    "immutable": True,
    "enabled": True,
    "version": 7,
    "revision": 2,
    "actions": [],
}
"""A rule as GET /api/detection_engine/rules gives it."""

_INDEX: Final = ".internal.alerts-security.alerts-default-000001"


def _hit(identity: str, source: dict[str, Any]) -> dict[str, Any]:
    base: dict[str, Any] = {
        "@timestamp": "2026-01-28T15:30:01.050Z",
        "event.kind": "signal",
        "kibana.alert.uuid": identity,
        "kibana.alert.severity": "high",
        "kibana.alert.status": "active",
        "kibana.alert.workflow_status": "open",
        "kibana.alert.original_time": "2026-01-28T15:29:40.000Z",
        "kibana.alert.rule.name": RULE["name"],
        "kibana.alert.rule.uuid": RULE["id"],
        "kibana.alert.rule.rule_id": RULE["rule_id"],
        "kibana.alert.rule.tags": RULE["tags"],
        "kibana.alert.rule.threat": _THREAT,
        "kibana.space_ids": ["default"],
        "kibana.version": "8.19.4",
    }
    return {"_id": identity, "_index": _INDEX, "_source": {**base, **source}}


FULL: Final = _hit(
    "9f0c" + "a" * 59 + "1",
    {
        "kibana.alert.risk_score": 73,
        "kibana.alert.reason": "process event with process powershell.exe, by jsmith on workstation-42 created high alert.",
        "kibana.alert.url": "https://kibana.example.com/app/security/alerts/redirect/9f0c?timestamp=2026-01-28T15:30:01.050Z",
        "event": {"category": ["process"], "action": "start"},
        "host": {
            "name": "workstation-42",
            "hostname": "workstation-42",
            "id": "0f6d51b2",
            "ip": ["192.168.1.50", "fe80::1"],
            "mac": ["00-15-5D-01-02-03"],
            "architecture": "x86_64",
            "os": {"name": "Windows 11", "family": "windows", "platform": "windows", "version": "23H2"},
        },
        "agent": {"id": "a1b2c3d4", "name": "workstation-42", "type": "endpoint", "version": "8.19.4"},
        "user": {"name": "jsmith", "domain": "CORP", "id": "S-1-5-21-1"},
        "process": {
            "name": "powershell.exe",
            "pid": 4711,
            "executable": "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe",
            "args": ["powershell.exe", "-enc", "SQBFAFgA"],
            "command_line": 'powershell.exe -enc "SQBFAFgA"\r\n\t& echo {{not.a.tag}}',
            "parent": {"name": "winword.exe", "pid": 1200},
        },
        "source": {"ip": "192.168.1.50", "port": 51234, "geo": {"country_name": "Côte d'Ivoire"}},
        "destination": {"ip": "203.0.113.7", "port": 443},
        "network": {"direction": "egress", "protocol": "tls", "transport": "tcp"},
        "file": {"path": "C:\\Users\\jsmith\\a.ps1"},
    },
)
"""An alert of Elastic Agent with all that our templates ask for."""

SPARSE: Final = _hit("9f0c" + "a" * 59 + "2", {"kibana.alert.risk_score": 0})
"""An alert with nothing of its event, and with a risk score of 0, which a section takes for nothing."""

LISTS: Final = _hit(
    "9f0c" + "a" * 59 + "3",
    {
        "kibana.alert.risk_score": 47,
        "kibana.alert.reason": "threshold",
        "host.name": ["workstation-42", "workstation-43"],
        "host.ip": "10.0.0.1",
        "user.name": ["jsmith", 'o\'brien "root"'],
        "source.ip": ["192.0.2.4", "192.0.2.5"],
        "source.port": [51234, 51235],
        "process.pid": [4711, 4712],
        "rule": {"name": "a field of the event"},
        "tags": ["of", "the event"],
    },
)
"""An alert with lists where others have one value, and the other way round, as threshold and ES|QL rules make them."""

ALERTS: Final[list[dict[str, Any]]] = [FULL, SPARSE, LISTS]
"""Alerts as Elasticsearch gives them."""

PLACE: Final = Place(space="default", base_url="https://kibana.example.com", date="2026-01-28T15:30:02.345Z")
"""The default space of a Kibana with a server.publicBaseUrl."""

_NO_URL: Final = Place(space="default", base_url=None, date=PLACE.date)


def _without_url(alert: dict[str, Any]) -> dict[str, Any]:
    source = {name: value for name, value in alert["_source"].items() if name != "kibana.alert.url"}
    return {**alert, "_source": source}


def contexts() -> dict[str, dict[str, Any]]:
    """Return the variables of each situation that a template must stand, by a name that says which."""
    return {
        "one alert": per_alert(RULE, FULL, PLACE),
        "an alert without event fields": per_alert(RULE, SPARSE, PLACE),
        "an alert with lists": per_alert(RULE, LISTS, PLACE),
        "a summary of 3 alerts": summary(RULE, ALERTS, PLACE),
        "a summary of 1 alert": summary(RULE, [FULL], PLACE),
        "a summary of 0 alerts": summary(RULE, [], PLACE),
        "one alert without server.publicBaseUrl": per_alert(RULE, _without_url(FULL), _NO_URL),
        "a summary without server.publicBaseUrl": summary(RULE, [_without_url(each) for each in ALERTS], _NO_URL),
    }
