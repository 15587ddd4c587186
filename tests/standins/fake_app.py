"""A tiny app in the shape of ours, for the stand-ins' own tests.

Must not be used by the product's tests: they install the real one.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Optional

if TYPE_CHECKING:
    from pathlib import Path

_FILES = {
    "default/alert_actions.conf": """\
        # a comment
        [parapet_security]
        is_custom = 1
        label = Example
        payload_format = json
        maxtime = 10s
        param.tenant =
        param.send = first
        param.search_query = $search$
        param.severity = $alert.severity$
        param._cam = {"task": ["create"], \\
          "subject": ["splunk.event"]}
        """,
    "default/inputs.conf": """\
        [parapet_forwarder]
        python.version = python3
        python.required = 3.9, 3.13
        interval = 5

        [parapet_forwarder://default]
        disabled = 0
        """,
    "default/parapet_security.conf": """\
        [default]
        color = blue
        [delivery]
        workers = 4
        equals = a=b
        [tenant:main]
        webhook_url = https://tenant.invalid/a b
        disabled = 0
        """,
    "default/restmap.conf": """\
        [script:parapet_deliver]
        match = /parapet_security/deliver
        scripttype = persist
        handler = parapet_deliver.Deliver
        passSystemAuth = true
        requireAuthentication = true
        """,
    "metadata/default.meta": """\
        []
        access = read : [ * ], write : [ admin, sc_admin ]
        [alert_actions]
        export = system
        [passwords]
        access = read : [ admin, sc_admin ], write : [ admin, sc_admin ]
        """,
    "README/inputs.conf.spec": """\
        [parapet_forwarder://<name>]
        log_level = <string>
        """,
    "bin/parapet_security.py": """\
        import json, os, sys
        given = sys.stdin.read()
        print(json.dumps({"argv": sys.argv[1:], "env": sorted(os.environ), "given": given}))
        for line in ("DEBUG quiet", "INFO done", "WARN careful", "no level"):
            print(line, file=sys.stderr)
        sys.exit(4)
        """,
    "bin/parapet_deliver.py": """\
        import json, os
        from splunk.persistconn.application import PersistentServerConnectionApplication

        class Deliver(PersistentServerConnectionApplication):
            def __init__(self, command_line, command_arg):
                PersistentServerConnectionApplication.__init__(self)
                self.calls = 0

            def handle(self, in_string):
                self.calls += 1
                request = json.loads(in_string)
                if request["method"] == "DELETE":
                    os._exit(9)
                if request["method"] != "POST":
                    return {"payload": "", "status": 405}
                request.update(pid=os.getpid(), calls=self.calls, home=os.environ["SPLUNK_HOME"])
                return {"payload": request, "status": 200}
        """,
    "bin/parapet_forwarder.py": """\
        import signal, sys
        if sys.argv[1:] == ["--scheme"]:
            print("<scheme><title>T</title><use_single_instance>false</use_single_instance>"
                  "<endpoint><args><arg name='log_level'/></args></endpoint></scheme>")
            sys.exit(0)
        given = sys.stdin.read()
        if sys.argv[1:] == ["--validate-arguments"]:
            if "LOUD" in given:
                print("<error><message>too loud</message></error>")
                sys.exit(1)
            sys.exit(0)
        if "STUBBORN" in given:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print(given, file=sys.stderr, flush=True)
        if "HASTY" in given:
            sys.exit(3)
        signal.pause()
        """,
}


def write_app(folder: Path, changes: Optional[dict[str, str]] = None) -> Path:
    """Write the app below `folder`; `changes` replaces whole files by name."""
    if changes is None:
        changes = {}
    for name, text in {**_FILES, **changes}.items():
        file = folder / "parapet_security" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf-8")
    return folder / "parapet_security"
