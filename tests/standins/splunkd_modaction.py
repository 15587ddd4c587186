"""The endpoint through which Enterprise Security runs an action on a notable: `alerts/modaction_adhoc` of the CIM app.

Must not run an action that does not support it, nor hand over a parameter that alert_actions.conf does not have.

Facts: contract section 1.10, and Splunk_SA_CIM's own bin/modaction_adhoc_rest_handler.py for the order of things and the words.
"""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

from tests.standins.enterprise_security import CIM
from tests.standins.splunk_conf import is_true
from tests.standins.splunkd_access import need
from tests.standins.splunkd_answers import Answer, Refused, json_answer
from tests.standins.splunkd_sendalert import iso

if TYPE_CHECKING:
    from tests.standins.splunk_conf import Settings
    from tests.standins.splunk_home import SplunkHome
    from tests.standins.splunkd_call import Call
    from tests.standins.splunkd_search import Job, OneShot

# These go with the name before them; the quotation marks, too.
_RESULTS = re.compile(r"""'?[\w.-]+'?\s*=\s*"?\$(?:results\.file|results\.url|name)(?:\{[^}]*\})?\$"?""")
_EMPTY = re.compile(r"\$name(?:_hash)?\$")
_CLAUSE = re.compile(r"(sendalert\s+[\w-]+)\s*([^|]*)")


class _Refusal(Exception):
    """The handler's ModularActionAdhocException: 400."""


class ModactionAdhoc:
    """The endpoint.

    Args:
        home: whose alert_actions.conf.
        searches: what runs the search.
        jobs: sid → content, where the job can be seen.
    """

    def __init__(self, home: SplunkHome, searches: OneShot, jobs: dict[str, dict[str, Any]]) -> None:
        """Run nothing yet."""
        self._home, self._searches, self._jobs = home, searches, jobs

    def serve(self, call: Call) -> Answer:
        """`POST alerts/modaction_adhoc`. The real one answers at once; here the search has ended by then.

        Raises:
            Refused: 404 without the CIM app.
        """
        if not self._home.conf.has_app(CIM):
            raise Refused(404, "Not Found")
        if call.method != "POST":
            return _text(405, "Invalid method for this endpoint")
        try:
            return self._dispatched(call, dict(call.form))
        except _Refusal as refusal:
            return _text(400, f"ModularActionException: {refusal}")
        except Refused as refused:
            text = f"RESTexception: [HTTP {refused.status}] [{{'type': '{refused.kind}', 'text': '{refused.text}'}}]"
            return _text(500, text)

    def _dispatched(self, call: Call, form: dict[str, str]) -> Answer:
        search, earliest, latest = (form.pop(name, "") for name in ("search", "earliest_time", "latest_time"))
        name = form.get("action_name", "")
        if not name or not search:
            raise _Refusal("Missing parameters for adhoc modular action.")
        command = _command(name, self._stanza(call, name), form)
        if not search.lstrip().startswith(("|", "search")):
            search = "search " + search.lstrip()
        search = f"{search.strip()} | {command}"
        need(call.session, "search")
        job = self._searches.parsed(call, search, earliest, latest)
        self._run(job)
        return json_answer({"command": search, "sid": job.sid}, 201)

    def _stanza(self, call: Call, name: str) -> Settings:
        # The handler asks without a namespace, as the user.
        stanza = self._home.conf.stanzas("alert_actions", "search", call.session.user).get(name)
        if stanza is None or not call.session.is_in(self._home.conf.acl(stanza.app, "alert_actions", name).read):
            raise _Refusal("Alert action could not be read.")
        try:
            cam = json.loads(stanza.settings.get("param._cam", "{}"))
        except ValueError as error:
            raise _Refusal(f"param._cam is no JSON: {error}") from error
        if not is_true(str(cam.get("supports_adhoc", False))):
            raise _Refusal("Alert action does not support adhoc invocation.")
        return stanza.settings

    def _run(self, job: Job) -> None:
        content = self._jobs[job.sid] = {
            "search": job.search,
            "earliestTime": iso(job.earliest or "0"),
            "latestTime": iso(job.latest or "now"),
            "isDone": False,
            "isFailed": False,
            "dispatchState": "RUNNING",
            "resultCount": 0,
            "messages": [],
        }
        try:
            rows, _ = self._searches.run(job)
        except Refused as refused:
            content.update(isFailed=True, dispatchState="FAILED")
            content["messages"] = [{"type": "fatal", "text": refused.text}]
        else:
            # Of the whole search: behind `| stats count` that is one.
            content.update(dispatchState="DONE", resultCount=len(rows))
        content["isDone"] = True


def _command(name: str, stanza: Settings, form: dict[str, str]) -> str:
    """The action's `command`, its tokens replaced, with the user's parameters in its sendalert."""
    prefix = f"action.{name}."
    given = {}
    for key, value in form.items():
        setting = key[len(prefix) :] if key.startswith(prefix) else ""
        if key != "action_name" and not (setting.startswith("param.") and setting in stanza):
            raise _Refusal("Invalid parameter for adhoc modular action.")
        given[setting or key] = value
    command = _EMPTY.sub("", _RESULTS.sub("", stanza["command"]))
    command = command.replace("$trigger_time$", f"{time.time():.0f}").replace("$action_name$", name)
    clause = _CLAUSE.search(command)
    if clause is None:
        raise _Refusal("Mismatch between modular action name and sendalert clause.")
    # `action_name` counts as one of them, unless the command has it already, as in `param.action_name=$action_name$`.
    added = [key for key in sorted(given) if not re.search(re.escape(key) + r"\s*=", clause.group(2))]
    text = " ".join(f"{key}={_quoted(given[key])}" for key in added)
    parts = (command[: clause.end(1)].strip(), text, command[clause.end(1) :].strip())
    return " ".join(part for part in parts if part)


def _quoted(value: str) -> str:
    """In quotation marks. Only those inside are escaped: a backslash at the end breaks the search, as it does there."""
    return '"{}"'.format(value.strip('"').replace('"', '\\"'))


def _text(status: int, text: str) -> Answer:
    return Answer(status, text.encode("utf-8"), "text/plain; charset=UTF-8")
