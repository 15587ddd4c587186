"""Shows the Kibana side from nothing: parapet-elastic sets up a stand-in for Kibana with 300 rules, and alerts arrive.

It must not be kinder than Kibana or the tenant: the tests' stand-ins play them, and each promise is looked at again.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from build_tools import environment
from build_tools.demo_promises import BrokenPromise, promise
from build_tools.demo_screen import Screen
from build_tools.project import ROOT, child_environment
from tests.elastic.standins.kibana import Kibana
from tests.elastic.standins.tenant import ElasticTenant
from tests.standins.certs import Certs

if TYPE_CHECKING:
    from collections.abc import Sequence

_RULES = 300
_EVENTS = [
    {
        "host": {"name": f"workstation-4{number}", "os": {"name": "Windows"}, "ip": ["192.168.1.50", "fe80::1"]},
        "user": {"name": "jsmith", "domain": "CORP"},
        "process": {"name": "powershell.exe", "pid": 4711, "command_line": 'powershell.exe -enc "SQBFAFgA"'},
        "source": {"ip": "192.168.1.50", "port": 49833},
        "agent": {"id": "a1", "type": "endpoint", "version": "9.2.0"},
    }
    for number in range(3)
]
# What somebody else has put on a rule, and wants back as it was; in the order in which Kibana keeps it.
_OTHER = {
    "id": "on-call",
    "action_type_id": ".webhook",
    "group": "default",
    "params": {"body": '{"name": "{{rule.name}}"}'},
    "uuid": "6f1c2d3e-0000-4000-8000-00000000000a",
    "frequency": {"summary": True, "notifyWhen": "onActiveAlert", "throttle": None},
}
_ITS_CONNECTOR = {"name": "On call", "actionTypeId": ".webhook", "config": {"url": "https://localhost/"}, "secrets": {}}
_EACH, _NOISY, _HOURLY = "Suspicious PowerShell Execution", "Unusual Logon", "Port Scan"
_TAGS = {_EACH: (), _NOISY: ("noisy",), _HOURLY: ("hourly",)}


class _Tool:
    """parapet-elastic as a process of its own, as an administrator starts it."""

    def __init__(self, screen: Screen, folder: Path, kibana: Any, tenant: Any) -> None:
        self._screen = screen
        self._python = environment.for_elastic()
        self._environment = child_environment(
            PYTHONPATH=str(ROOT / "elastic"),
            KIBANA_URL=kibana.url,
            KIBANA_USERNAME=kibana.username,
            KIBANA_PASSWORD=kibana.password,
            KIBANA_CA_FILE=str(kibana.ca_file),
            PARAPET_TOKEN=tenant.token,
            PARAPET_ELASTIC_STATE=str(folder / "state"),
        )
        self.said = ""

    def run(self, *arguments: str, lines: int = 8) -> str:
        """Runs one command to its end, shows the first and last lines of what it prints, and returns all of it."""
        began = time.monotonic()
        done = subprocess.run(
            [str(self._python), "-m", "parapet_elastic", *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,  # as at a terminal: the question stands below its plan
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        self.said += done.stdout
        self._screen.line()
        self._screen.line(f"  $ parapet-elastic {' '.join(arguments)}", "bold")
        for line in _shortened(done.stdout.splitlines(), lines):
            self._screen.line("    " + line)
        self._screen.note("", f"exit code {done.returncode}, {time.monotonic() - began:.1f} s", "dim")
        promise(done.returncode == 0, f"parapet-elastic {arguments[0]} should have ended with 0")
        return done.stdout


def main() -> int:
    """Plays the demo and returns the exit code: 0 as promised, 1 not so, 130 interrupted."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    screen = Screen(sys.stdout)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            certs = Certs(folder)
            known = {"on-call": _ITS_CONNECTOR}
            with ElasticTenant(certs) as tenant, Kibana("9.2.0", certs=certs, preconfigured=known) as kibana:
                screen.hide(tenant.token)
                screen.hide(kibana.password)
                _play(screen, folder, kibana, tenant)
    except BrokenPromise as exc:
        screen.line()
        screen.line(f"Not as promised: {exc}", "bad")
        return 1
    except KeyboardInterrupt:
        screen.line("\ninterrupted")
        return 130
    return 0


def _play(screen: Screen, folder: Path, kibana: Any, tenant: Any) -> None:
    screen.title("Parapet Security for Elastic: from a bare Kibana to alerts at the tenant, and back")
    rules = {name: kibana.add_rule(name, tags=tags) for name, tags in _TAGS.items()}
    for number in range(_RULES - len(rules)):
        one = kibana.add_rule(f"Rule {number + 1:03}", immutable=number % 2 == 0)
        if number % 3 == 0:
            kibana.set_actions(one, [_OTHER])
    before = _actions(kibana)
    screen.note("Kibana", f"9.2.0 with {len(before)} rules, a stand-in, at {kibana.url}")
    screen.note("tenant", f"a stand-in, at {tenant.url}")
    tool = _Tool(screen, folder, kibana, tenant)

    screen.title("1  set up")
    tool.run("doctor", lines=14)
    tool.run("connect", "--webhook-url", tenant.url, "--yes")
    tool.run("test")
    tool.run("attach", "--all", "--yes")
    tool.run("update", "--tag", "noisy", "--template", "bulk", "--frequency", "run", "--yes")
    tool.run("update", "--tag", "hourly", "--template", "bulk", "--frequency", "1h", "--yes")
    promise(all(_ours(actions) == 1 for actions in _actions(kibana).values()), "each rule should send once")

    screen.title("2  alerts")
    for name, count, what in ((_EACH, 1, "for each alert"), (_NOISY, 3, "for each run"), (_HOURLY, 3, "once an hour")):
        screen.note("rule", f'"{name}" finds {count}, and sends {what}')
        had = len(tenant.accepted)
        kibana.fire(rules[name], _EVENTS[:count])
        _show(screen, tenant.wait_for_accepted(had + 1)[-1], count)

    screen.title("3  again, and back")
    tool.run("attach", "--all", "--yes")
    tool.run("status")
    first = min((folder / "state" / "snapshots").iterdir())
    tool.run("rollback", str(first), "--yes")
    promise(_actions(kibana) == before, "each rule should have the actions that it had before, byte for byte")
    for secret in (tenant.token, kibana.password):
        promise(secret not in tool.said, "no secret should be in what parapet-elastic prints")
        promise(not any(secret in path.read_text("utf-8") for path in folder.rglob("state/**/*.json")), "nor in a file")
    screen.line()
    screen.line(f"  {_RULES} rules sent, each alert arrived once, and every rule is as it was, byte for byte.", "good")


def _show(screen: Screen, record: Any, count: int) -> None:
    """Shows what the tenant received, and looks whether it holds so many alerts."""
    body = record.json
    whole = {"signals": [f"… {len(body['signals'])} whole alert documents"]} if "signals" in body else {}
    screen.request(record.method, record.path, record.headers, {**body, **whole})
    ids = [body["alert"]["id"]] if "alert" in body else [alert["id"] for alert in body["alerts"]]
    promise(len(set(ids)) == count, f"{count} alerts should have arrived, each under its own id")


def _actions(kibana: Any) -> dict[str, str]:
    """Returns every rule's actions, as text: equal means equal byte for byte."""
    return {rule["id"]: json.dumps(rule["actions"]) for rule in kibana.rules()}


def _ours(actions: str) -> int:
    return len(re.findall(r'"id": "parapet-security"', actions))


def _shortened(lines: Sequence[str], most: int) -> list[str]:
    if len(lines) <= most:
        return list(lines)
    tail = most // 2
    return [*lines[: most - tail], f"… {len(lines) - most} more lines …", *lines[len(lines) - tail :]]
