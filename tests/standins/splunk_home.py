"""A throw-away Splunk home directory: the folders, the app in it, and the environment that processes get.

Must not start anything.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from pathlib import Path
from typing import Optional

from tests.standins.splunk_conf import ConfTree

APP = "parapet_security"

# The system's own defaults, contract section 1.6 and 2.1.
_ALERT_ACTIONS = """\
[default]
command = sendalert $action_name$ results_file="$results.file$" results_link="$results.url$"
forceCsvResults = auto
hostname =
maxresults = 10000
maxtime = 5m
track_alert = 0
ttl = 10p

[webhook]
is_custom = 1
label = Webhook
"""

_SYSTEM_META = """\
[]
access = read : [ * ], write : [ admin ]
export = system
"""

_SEARCH_META = """\
[]
access = read : [ * ], write : [ admin, power ]
export = system
"""


class SplunkHome:
    """`$SPLUNK_HOME` with the apps `search` and, after `install`, ours.

    Attributes:
        path: the directory itself.
        apps: `etc/apps`.
        app: `etc/apps/parapet_security`.
        dispatch: where search artifacts are.
        conf: the configuration as Splunk layers it.
    """

    def __init__(self, path: Path) -> None:
        """Create what is missing below `path`; what an earlier one left there stays."""
        self.path = Path(path)
        self.etc = self.path / "etc"
        self.apps = self.etc / "apps"
        self.app = self.apps / APP
        self.dispatch = self.path / "var/run/splunk/dispatch"
        self.log = self.path / "var/log/splunk"
        for folder in (
            "bin",
            "var/lib/splunk/modinputs",
            "var/log/splunk",
            "var/run/splunk/dispatch",
            "var/spool/splunk",
        ):
            (self.path / folder).mkdir(parents=True, exist_ok=True)
        self._write("system/default/alert_actions.conf", _ALERT_ACTIONS)
        self._write("system/metadata/default.meta", _SYSTEM_META)
        self._write("apps/search/metadata/default.meta", _SEARCH_META)
        self._write("apps/search/default/app.conf", "[ui]\nlabel = Search & Reporting\n")
        if not (self.etc / "auth/splunk.secret").exists():
            self._write("auth/splunk.secret", secrets.token_urlsafe(48))
        self.conf = ConfTree(self.etc)

    def install(self, source: Path) -> Path:
        """Put an app's folder into `etc/apps/parapet_security`; bytecode that is in it comes along, as if the app had run before.

        Raises:
            FileExistsError: the app is installed already.
        """
        vendored = str(source / "lib") + os.sep

        def put(file: str, target: str) -> None:
            # Nobody writes to such a file in its place, and a link is made quicker than a copy.
            if file.endswith(".pyc") or (file.endswith(".py") and file.startswith(vendored)):
                with contextlib.suppress(OSError):  # another file system, or one without links
                    os.link(file, target)
                    return
            shutil.copy2(file, target)

        shutil.copytree(str(source), str(self.app), copy_function=put)
        return self.app

    def env(self, extra: Optional[dict[str, str]] = None) -> dict[str, str]:
        """The whole environment of a process that Splunk starts: nothing of the caller's, no PYTHONPATH."""
        return {
            "PATH": "{}:/usr/bin:/bin".format(self.path / "bin"),
            "SPLUNK_HOME": str(self.path),
            "SPLUNK_DB": str(self.path / "var/lib/splunk"),
            "SPLUNK_ETC": str(self.etc),
            "SPLUNK_SERVER_NAME": "Splunkd",
            **(extra or {}),
        }

    def _write(self, name: str, text: str) -> None:
        file = self.etc / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
