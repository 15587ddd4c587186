"""Starts the action by hand, for what no stand-in would ever send, and runs searches. Must not decide what is right."""

from __future__ import annotations

import json
import re
import subprocess
from typing import NamedTuple

import requests

_LINE = re.compile(r"(DEBUG|INFO|WARN|ERROR|FATAL) event=([a-z_.]+)( [a-z_]+=(\S+|\"(\\.|[^\"])*\"))*\Z")


class Ended(NamedTuple):
    """One run of the action."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def lines(self):
        """What it said, as [(level, event)]; a line of another form (a traceback) fails the test."""
        found = [(line, _LINE.match(line)) for line in self.stderr.splitlines()]
        strange = [line for line, match in found if match is None]
        assert not strange, "\n".join(strange)
        return [match.group(1, 2) for _, match in found]


def run_action(scene, stdin, *, arguments=("--execute",), env=None, before=None, timeout=120):
    """Run the action with these bytes on stdin; `before` runs in the child before Python starts."""
    done = subprocess.run(
        [scene.python, str(scene.home.app / "bin/parapet_security.py"), *arguments],
        input=stdin,
        capture_output=True,
        env=scene.home.env(env),
        cwd="/",
        timeout=timeout,
        check=False,
        preexec_fn=before,
    )
    return Ended(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))


def payload(scene, search, user="admin", **changes):
    """What Splunk sends for a search, as a dict, with its results file written; `changes` replace whole keys."""
    search.owner = user
    scene.splunk.write_files(search)
    return {**scene.splunk.payload(search, scene.splunkd.session(user)), **changes}


def encode(document):
    """A payload as it goes to stdin."""
    return json.dumps(document).encode("utf-8")


def ended(fired):
    """A `Fired` of the stand-in as an `Ended`."""
    return Ended(fired.exit_code, fired.stdout, fired.stderr)


def search(scene, query, user="admin"):
    """What a search gives: its rows and its messages."""
    found = scene.call("POST", "/services/search/jobs", user=user, exec_mode="oneshot", search=query)
    return found["results"], [message["text"] for message in found["messages"]]


def rows(scene, query):
    """The rows of a search that says nothing else."""
    found, messages = search(scene, query)
    assert messages == []
    return found


def refusal(scene, query, user="admin"):
    """What is said instead of rows, whether splunkd refuses the search or the command says it itself."""
    try:
        found, messages = search(scene, query, user)
    except requests.HTTPError as error:
        return error.response.json()["messages"][0]["text"]
    assert found == []
    return messages[0]
