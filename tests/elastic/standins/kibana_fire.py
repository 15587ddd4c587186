"""Runs a detection rule of the Kibana stand-in: alerts, and what its actions send. Must not decide what Kibana would not.

contract/kibana.md sections 1 (task layer) and 3. The rendering is the product's own, which agrees with the recorded
outputs of Kibana's renderer; the variables are the stand-in's.
"""

from __future__ import annotations

import copy
import datetime as dt
import uuid
import zoneinfo

from parapet_elastic.rendering.renderer import render

from tests.elastic.standins import kibana_variables, kibana_webhook
from tests.elastic.standins.kibana_answers import Refusal, platform
from tests.elastic.standins.kibana_connectors import executed
from tests.elastic.standins.kibana_documents import built, flat
from tests.elastic.standins.kibana_kql import compile_kql
from tests.elastic.standins.kibana_rule_actions import seconds
from tests.elastic.standins.kibana_world import stamp

# Summaries before 8.18, and what an alerts_filter looks at, hold no more documents (elastic/kibana#209025).
_CAP = 100
# xpack.alerting.rules.run.alerts.max, which stands over a rule's max_signals.
_MAX_ALERTS = 1000
# The first wait, and the longest that the second can be (task_manager/server/lib/get_retry_at.ts@50d695cd).
_WAITS_S = (30, 300)


class Attempt:
    """One try to send.

    Attributes:
        rule_id, connector_id: Whose.
        alert_ids: Of the alerts that are in it.
        body: The rendered body.
        number: From 1.
        result: As `_execute` words it.
    """

    def __init__(self, task, result):
        """Note what came of the task."""
        self.rule_id, self.connector_id = task.rule["id"], task.connector_id
        self.alert_ids, self.body = task.alert_ids, task.body
        self.number, self.result = task.attempt, result


class _Task:
    def __init__(self, space, rule, action, run_id, *, alert_ids, body):
        self.space, self.rule, self.run_id = space, rule, run_id
        self.connector_id, self.alert_ids, self.body = action["id"], alert_ids, body
        self.attempt = 0
        self.due = None


class Runner:
    """Runs rules.

    Attributes:
        attempts: Every Attempt, in order.
        waiting: How many deliveries wait for their next attempt.
    """

    def __init__(self, world, accounts):
        """Run the rules of `world`."""
        self._world = world
        self._accounts = accounts
        self._tasks = []
        self._last = {}
        self.attempts = []

    @property
    def waiting(self):
        """How many deliveries wait for their next attempt."""
        return len(self._tasks)

    def store(self, space, rule_id, events, at):
        """Make and keep the alerts of these events, but for those that are there; returns the new hits."""
        with self._world.lock:
            rule, known = space.rules[rule_id], {hit["_id"] for hit in space.alerts}
            hits, run = [], (at or self._world.clock.now(), str(uuid.uuid4()))
            for event in events[: min(rule["max_signals"], _MAX_ALERTS)]:
                hit = built(self._world, space, rule, event, run)
                if hit["_id"] not in known:
                    known.add(hit["_id"])
                    hits.append(hit)
            space.alerts += hits
            return copy.deepcopy(hits)

    def run(self, space, rule_id, events):
        """Run the rule; returns the hits of its new alerts. A rule that is off, or whose owner is gone, does nothing."""
        rule = copy.deepcopy(space.rules[rule_id])
        if not rule["enabled"] or not self._accounts.alive(self._world.owners.get(rule_id)):
            return []
        hits, run_id = self.store(space, rule_id, events, None), str(uuid.uuid4())
        for action in rule["actions"]:
            for alert_ids, variables in self._executions(space, rule, action, hits):
                body = action["params"].get("body", "")
                body = render(body, variables) if isinstance(body, str) else body
                self._attempt(_Task(space, rule, action, run_id, alert_ids=alert_ids, body=body))
        return hits

    def _executions(self, space, rule, action, hits):
        """Yield (alert ids, variables) for each time that the action runs now."""
        frequency, now = action["frequency"], self._world.clock.now()
        if not _in_timeframe(action, now):
            return
        place = {"space": space.id, "base_url": self._world.public_base_url, "date": stamp(now)}
        if not frequency["summary"]:
            shown = hits if "query" not in action.get("alerts_filter", {}) else _filtered(action, hits)[:_CAP]
            for hit in shown:
                yield [hit["_id"]], kibana_variables.per_alert(rule, hit, **place)
            return
        if frequency["notifyWhen"] == "onThrottleInterval":
            period = dt.timedelta(seconds=seconds(frequency["throttle"]))
            key = (rule["id"], action["uuid"])
            if key in self._last and now - self._last[key] < period:
                return
            hits = _since(space, rule["id"], now - period)
        hits = _filtered(action, hits)
        if not hits:
            return
        if frequency["notifyWhen"] == "onThrottleInterval":
            self._last[key] = now
        shown = hits if self._world.version.whole_summaries else hits[:_CAP]
        yield [hit["_id"] for hit in shown], kibana_variables.summary(rule, shown, total=len(hits), **place)

    def _attempt(self, task):
        task.attempt += 1
        result = self._result(task)
        self.attempts.append(Attempt(task, result))
        if result["status"] == "ok":
            return
        self._log(task, result)
        # `retry` that is not there counts as true in the background; after the last attempt the alert is gone.
        retry = result.get("retry", True)
        if retry is False or task.attempt >= self._world.max_attempts:
            return
        task.due = self._world.clock.now() + dt.timedelta(seconds=_WAITS_S[min(task.attempt, len(_WAITS_S)) - 1])
        if isinstance(retry, str):
            task.due = dt.datetime.fromisoformat(retry.replace("Z", "+00:00"))
        self._tasks.append(task)

    def _result(self, task):
        try:
            if task.connector_id not in {**self._world.preconfigured, **task.space.connectors}:
                raise platform(404, f"Saved object [action/{task.connector_id}] not found")
            kibana_webhook.check_enabled(self._world, kibana_webhook.TYPE)
        except Refusal as refusal:
            return {"status": "error", "message": refusal.body["message"]}
        return executed(self._world, task.space, task.connector_id, {"body": task.body})

    def retry(self):
        """Let time pass until nothing waits any more, attempting what is due; returns how many attempts that took."""
        before = len(self.attempts)
        while self._tasks:
            task = min(self._tasks, key=lambda each: each.due)
            self._tasks.remove(task)
            self._world.clock.advance_to(task.due)
            self._attempt(task)
        return len(self.attempts) - before

    def _log(self, task, result):
        # action_executor.ts words the event, format_execution_log_errors.ts puts message and error together.
        entry = self._world.preconfigured.get(task.connector_id) or task.space.connectors.get(task.connector_id)
        label = f".webhook:{task.connector_id}" + (f": {entry['name']}" if entry else "")
        why = ": ".join([result["message"], *([result["service_message"]] if result.get("service_message") else [])])
        task.space.action_errors.append(
            {
                "rule": task.rule["id"],
                "id": task.run_id,
                "timestamp": self._world.stamp(),
                "type": "actions",
                "message": f"action execution failure: {label} - {why}",
            }
        )


def _filtered(action, hits):
    query = action.get("alerts_filter", {}).get("query")
    if query is None:
        return hits
    test = compile_kql(query["kql"])
    documents = [(hit, flat(hit["_source"])) for hit in hits]
    return [hit for hit, found in documents if test(lambda name, found=found: (found.get(name, []), False))]


def _since(space, rule_id, start):
    first = stamp(start)
    alerts = [hit for hit in space.alerts if hit["_source"]["@timestamp"] >= first]
    return copy.deepcopy([hit for hit in alerts if hit["_source"]["kibana.alert.rule.uuid"] == rule_id])


def _in_timeframe(action, now):
    frame = action.get("alerts_filter", {}).get("timeframe")
    if frame is None:
        return True
    there = now.astimezone(zoneinfo.ZoneInfo(frame["timezone"]))
    hours = frame["hours"]
    return there.isoweekday() in frame["days"] and hours["start"] <= there.strftime("%H:%M") < hours["end"]
