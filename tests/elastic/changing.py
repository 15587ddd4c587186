"""A Kibana with rules and a connector, and a person who runs the changing commands. Must not hold a test."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time

from build_tools.project import ROOT
from parapet_elastic.access import Access
from parapet_elastic.editing import apply
from parapet_elastic.editing.apply import Options
from parapet_elastic.editing.rollback import Back, rollback, snapshots
from parapet_elastic.editing.rule_actions import EACH_ALERT, Change, Wanted
from parapet_elastic.editing.rules import Selection
from parapet_elastic.kibana import Kibana
from parapet_elastic.screen import Screen
from parapet_elastic.secret import Secret

US = "parapet-security"
TOKEN = "pst_canary_of_a_body"
EVERYTHING = Selection(everything=True)
WANTED = Wanted(US, '{"source": "elastic"}', EACH_ALERT)


class Person:
    """Runs commands against a stand-in, answers yes, and keeps what was printed.

    Attributes:
        standin: The Kibana.
        state: The folder for snapshots.
        waits: The seconds of every wait that was not waited.
        shown: All that the last command printed.
        document: Its JSON.
    """

    def __init__(self, standin, state, *, space="default", key=True):
        """Know a Kibana and a folder."""
        self.standin = standin
        self.state = state
        self.waits = []
        self.shown = ""
        self.document = None
        who = (
            {"api_key": Secret(standin.api_key)}
            if key
            else {"username": standin.username, "password": Secret(standin.password)}
        )
        self.kibana = Kibana(Access(standin.url, space=space, timeout=20, **who), sleep=self.waits.append)

    def connector(self, connector_id=US):
        """Make a connector."""
        config = {"url": "https://webhook-us.parapetsecurity.com/webhook/t", "method": "post", "hasAuth": False}
        body = {"name": connector_id, "connector_type_id": ".webhook", "config": config, "secrets": {}}
        self.kibana.post(f"/api/actions/connector/{connector_id}", body)

    def actions(self, rule_id):
        """Return a rule's actions."""
        return self.standin.rule(rule_id, self.kibana.access.space)["actions"]

    def all_actions(self):
        """Return the actions of every rule, as text."""
        return {rule["id"]: json.dumps(rule["actions"]) for rule in self.standin.rules(self.kibana.access.space)}

    def ours(self):
        """Return how many actions of ours each rule has."""
        rules = self.standin.rules(self.kibana.access.space)
        return [len([one for one in rule["actions"] if one["id"] == US]) for rule in rules]

    def attach(self, wanted=WANTED, selection=EVERYTHING, **how):
        """Run attach."""
        return self._run(apply.attach, selection, wanted, **how)

    def update(self, change, selection=EVERYTHING, **how):
        """Run update; `change` are the arguments of a Change."""
        return self._run(apply.update, selection, US, Change(**change), **how)

    def detach(self, selection=EVERYTHING, **how):
        """Run detach."""
        return self._run(apply.detach, selection, US, **how)

    def rollback(self, file=None, *, overwrite=False, **how):
        """Run rollback."""
        return self._run(rollback, US, Back(str(file) if file else None, overwrite=overwrite), **how)

    def snapshots(self, **how):
        """Run rollback --list."""
        return self._run(lambda _kibana, screen, *, options: snapshots(screen, options=options), **how)

    def _run(self, command, *arguments, yes=True, dry_run=False, json_only=False):
        out, err = io.StringIO(), io.StringIO()
        options = Options(dry_run=dry_run, state_dir=str(self.state))
        try:
            screen = Screen(json=json_only, yes=yes, out=out, err=err, answers=io.StringIO("y\n"))
            code = command(self.kibana, screen, *arguments, options=options)
            screen.finish({"exit": int(code)})
            return code
        finally:
            self.shown = out.getvalue() + err.getvalue()
            self.document = json.loads(out.getvalue()) if out.getvalue() and json_only else None

    def start(self, *words):
        """Start the program itself, as a person would, with a SIGINT that is not ignored."""
        return subprocess.Popen(
            [sys.executable, "-m", "parapet_elastic", *words, "--yes", "--json"],
            env={
                "PATH": "",
                "PYTHONPATH": str(ROOT / "elastic"),
                "KIBANA_URL": self.standin.url,
                "KIBANA_API_KEY": self.standin.api_key,
                "PARAPET_ELASTIC_STATE": str(self.state),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 - one thread
        )

    def changes(self):
        """Return the requests that could have changed a rule."""
        return [
            one
            for one in self.standin.requests
            if (one.method == "PATCH" or one.path.endswith("_bulk_action")) and one.query.get("dry_run") != "true"
        ]


def until_answered(request):
    """Wait until the stand-in is through with a request: like Kibana, it goes on without the one who asked."""
    end = time.monotonic() + 60
    while request.status is None:
        assert time.monotonic() < end, request.path
        time.sleep(0.01)


def action(connector_id, uuid, body="x", **more):
    """Return an action as Kibana stores it."""
    return {
        "id": connector_id,
        "action_type_id": ".webhook",
        "group": "default",
        "params": {"body": body},
        "uuid": uuid,
        "frequency": {"summary": True, "notifyWhen": "onActiveAlert", "throttle": None},
        **more,
    }
