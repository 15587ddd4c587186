"""A run of real processes under the recorder, in which everything happens that the outbox is for. Must not judge it.

Besides what the product does to the disk, the record holds what the world saw: `reported` (an action ended with 0), `sent` (the tenant has
read a body), `accepted` (it says so), `let_go` (from here on an alert may be gone: an administrator's days for dead letters are over).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.crash.shim.recorder import Recorder
from tests.scene import Scene, failed_logins, wait_until
from tests.standins.splunk import ModularInput, Splunk
from tests.standins.tenant import Answer

SHIM = Path(__file__).parent / "shim"
LIMIT = 16384
TENANT_MOST = 12000
# Of the alert with every row: this one alone is more than the tenant takes.
LARGE_ROW = 7


class ShimmedScene(Scene):
    """A scene whose action and forwarder run over a shim; `shim` is its environment."""

    def __init__(self, folder, app, certs, shim):
        """Start everything but the forwarder."""
        super().__init__(folder, app, certs)
        self.env = {"PYTHONPATH": str(SHIM), "SHIM_ROOT": str(self.home.path / "var/lib"), **shim}
        self.splunk = Splunk(self.home, server_uri=self.splunkd.uri, python=self.python, extra_env=self.env)
        self.configure({"max_body_bytes": str(LIMIT), "read_timeout": "2"})

    def make_forwarder(self):
        """The modular input, not started yet."""
        self.forwarder = self.enter_context(
            ModularInput(
                self.home,
                server_uri=self.splunkd.uri,
                session_key=self.splunkd.system_session,
                python=self.python,
                extra_env=self.env,
            )
        )
        return self.forwarder


def answer(body):
    """What the tenant says to a body by itself: a status."""
    if len(body) > TENANT_MOST:
        return 413
    return 422 if json.loads(body.decode()).get("search", {}).get("name") == "Refused" else 200


class Run:
    """One recorded run.

    Attributes:
        root: the folder that was watched.
        outbox: the outbox in it.
        records: what happened, in order.
    """

    def __init__(self, folder, app, certs):
        """Run it."""
        path = str(folder / "record")
        with ShimmedScene(folder / "splunk", app, certs, {"SHIM_RECORD": path}) as self._scene:
            self.root, self.outbox = self._scene.env["SHIM_ROOT"], str(self._scene.outbox)
            self._recorder = Recorder(self.root, path)
            self._watch_tenant()
            self._play()
        self.records = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]

    def _watch_tenant(self):
        tenant, note = self._scene.tenant, self._recorder.note
        choose, answered = tenant._choose, tenant._answered

        def seen(record):
            if "results" in record.json:
                note("sent", key=record.json["id"], body=record.body.decode())
            return choose(record)

        def said(record, given):
            if 200 <= given.status < 300 and record.json and "results" in record.json:
                note("accepted", key=record.json["id"])
            answered(record, given)

        tenant._choose, tenant._answered = seen, said
        for status in (413, 422):
            tenant.when(lambda record, status=status: answer(record.body) == status, Answer(status))

    def _fire(self, name="Failed SSH Logins", **changes):
        search = failed_logins(name=name, **changes)
        ended = self._scene.fire(search)
        assert ended.exit_code == 0, ended.stderr
        self._recorder.note("reported", sid=search.sid)
        return search.sid

    def _play(self):
        scene, tenant = self._scene, self._scene.tenant
        self._fire()  # nobody holds the lock, and no folder is there: by the action itself
        every_row = {"send": "all"}
        self._fire(params=every_row, rows=_rows(30))
        self._start()
        self._fire()
        scene.wait_until_empty()
        tenant.script(Answer(), Answer(), Answer(503))
        self._fire(params=every_row, rows=_rows(40, large=LARGE_ROW))
        scene.wait_until_empty()
        tenant.script(Answer(429, retry_after="1"))
        self._fire()
        self._fire()
        scene.wait_until_empty()
        refused = self._fire("Refused")
        wait_until(lambda: len(scene.entries("dead")) == 2, "a dead letter", scene=scene)
        dropped = self._wait_and_drop()
        self._ask(refused, "retry")
        scene.wait_for_log("delivery.revived")
        wait_until(lambda: len(scene.entries("dead")) == 3, "it is dead again", scene=scene)
        self._expire(refused, dropped)
        tenant.script(Answer(503))
        self._fire()
        scene.wait_until_empty()
        assert scene.forwarder.stop().exit_code == 0
        self._fire(params=every_row, rows=_rows(20))

    def _start(self):
        before = len(self._scene.events("forwarder.started"))
        self._scene.make_forwarder().start()
        wait_until(lambda: len(self._scene.events("forwarder.started")) > before, "a forwarder", scene=self._scene)

    def _wait_and_drop(self):
        """Two alerts wait for a tenant that is paused; one of them is dropped."""
        scene = self._scene
        scene.set_tenant("main", disabled="1")
        wait_until(lambda: len(scene.events("settings.loaded")) > 1, "the pause", scene=scene)
        dropped = self._fire()
        self._fire()
        self._ask(dropped, "drop")
        wait_until(lambda: len(scene.entries("dead")) == 2 + 1, "it is dropped", scene=scene)
        scene.set_tenant("main", disabled="0")
        scene.wait_until_empty()
        return dropped

    def _expire(self, *sids):
        """The days of all dead letters are over when the next forwarder starts."""
        scene = self._scene
        assert scene.forwarder.stop().exit_code == 0
        for sid in sids:
            self._recorder.note("let_go", sid=sid)
        self._recorder.note("let_go", sid="row")
        for path in (scene.outbox / "dead").iterdir():
            os.utime(str(path), (0, 0))
        self._start()
        wait_until(lambda: not scene.entries("dead"), "dead letters expire", scene=scene)

    def _ask(self, sid, request):
        """As the search command does, in a process of its own."""
        folder = self._scene.outbox
        names = [path for path in folder.rglob("*.alert") if sid.encode() in path.read_bytes()]
        code = "import sys; from parapet.outbox import Outbox; Outbox(sys.argv[1]).ask(*sys.argv[2:])"
        env = {**self._scene.home.env(self._scene.env)}
        env["PYTHONPATH"] += os.pathsep + str(self._scene.home.app / "bin")
        command = [sys.executable, "-c", code, str(folder), names[0].name[14:34], request]
        subprocess.run(command, env=env, check=True, timeout=30)


def _rows(count, large=None):
    rows = [{"src_ip": f"10.0.0.{n}", "note": "x" * 900} for n in range(count)]
    if large is not None:
        rows[large]["note"] = "y" * (TENANT_MOST + 500)
    return rows
