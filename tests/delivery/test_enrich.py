"""What the deliverer asks Splunk for: facts that are used where they are there, and never a reason to wait or to fail."""

from __future__ import annotations

import contextlib
import json
import selectors
import socket
import threading

import pytest
from parapet.enrich import Enricher
from parapet.errors import Forbidden, NotFound, Unauthorized, Unreachable
from parapet.log import Log
from parapet.message import Facts

from tests.core.make import alert
from tests.delivery.answers import sent, wait_for_line
from tests.process.driver import encode, payload, run_action
from tests.scene import Scene, decode, failed_logins, wait_until
from tests.standins.listener import Listener
from tests.standins.tenant import Answer

JOB = {
    "search": "search index=main failed | stats count",
    "earliestTime": "2026-01-28T14:00:00.000+00:00",
    "latestTime": "2026-01-28T15:00:00.000+00:00",
    "resultCount": 7,
}
SAVED = {"search": "index=main failed | stats count", "description": "Who fails to log in", "alert.severity": 5}
CORRELATION = {
    "search": "| tstats count from datamodel=Authentication",
    "description": "Finds guessed passwords",
    "alert.severity": 3,
    "action.correlationsearch.enabled": "1",
    "action.correlationsearch.label": "Brute Force Access Behavior Detected",
    "action.correlationsearch.annotations": json.dumps({"mitre_attack": ["T1110"], "nist": ["DE.AE"]}),
    "action.notable": True,
    "action.notable.param.rule_title": "Guessed passwords from $src_ip$",
    "action.notable.param.security_domain": "access",
    "action.notable.param.severity": "critical",
    "action.risk": "1",
    "action.risk.param._risk": '[{"risk_object_field": "user", "risk_object_type": "user", "risk_score": 64}]',
}
# What forwarders ask for the sake of facts.
PATHS = ("search/v2/jobs", "search/jobs", "saved/searches", "server/info")
# The most that a test waits where enrichment has its bound; it says that an alert comes, not how soon.
BOUND_S = 10


def silent(name):
    """A firing whose `$job.…$` tokens came empty, so that only Splunk's REST interface knows more."""
    return failed_logins(name=name, job_tokens=False, params={"search_query": "", "alert_severity": ""})


def body_of(scene, name, timeout=15):
    """The body of an alert that was delivered."""
    wait_for_line(scene, "delivery.delivered", name, timeout)
    return decode(sent(scene.tenant, name)[0])


def test_facts_of_splunk_fill_what_the_firing_did_not_say(scene):
    """SPL, times, description, severity, count, and which Splunk it was."""
    search = silent("known")
    scene.splunkd.jobs[search.sid] = JOB
    scene.splunkd.saved_searches["search", "known"] = SAVED
    scene.start_forwarder()
    scene.fire(search)
    body = body_of(scene, "known")
    assert body["search"]["query"] == SAVED["search"]
    assert body["search"]["earliest"] == "2026-01-28T14:00:00Z"
    assert body["search"]["latest"] == "2026-01-28T15:00:00Z"
    assert body["search"]["description"] == "Who fails to log in"
    assert (body["severity"], body["result_count"]) == ("critical", 7)
    assert body["splunk"]["version"] == "9.2.1"
    assert body["splunk"]["guid"]
    assert scene.tenant.refusals == []


def test_correlation_search_tells_what_it_is_about(scene):
    """To its own action, whose row is the raw result: rule, domain, risk, ATT&CK, SPL, times, description, and its severity before the alert's."""
    search = silent("Access - Brute Force - Rule")
    scene.splunkd.jobs[search.sid] = JOB
    scene.splunkd.saved_searches["search", search.name] = CORRELATION
    scene.start_forwarder()
    scene.fire(search)
    body = body_of(scene, search.name)
    assert body["enterprise_security"] == {
        "rule_title": "Guessed passwords from 45.227.253.98",
        "security_domain": "access",
        "risk_score": "64",
        "risk_object": "root",
        "risk_object_type": "user",
        "annotations": {"mitre_attack": ["T1110"], "nist": ["DE.AE"]},
    }
    assert body["severity"] == "critical"
    assert body["search"]["query"] == CORRELATION["search"]
    assert body["search"]["description"] == CORRELATION["description"]
    assert body["search"]["latest"] == "2026-01-28T15:00:00Z"
    assert scene.tenant.refusals == []


def test_correlation_search_is_known_where_the_firing_said_all_the_rest(scene):
    """The alert's own severity is in the firing; the notable's counts more. A field of the row that severity looks at counts most."""
    scene.splunkd.saved_searches["search", "all"] = CORRELATION
    scene.start_forwarder()
    scene.fire(failed_logins(name="all"))
    body = body_of(scene, "all")
    assert (body["severity"], body["search"]["query"]) == ("critical", failed_logins().spl)
    assert body["enterprise_security"]["annotations"]["mitre_attack"] == ["T1110"]
    scene.splunkd.saved_searches["search", "urgent"] = CORRELATION
    scene.fire(failed_logins(name="urgent", rows=[{"urgency": "low"}]))
    assert body_of(scene, "urgent")["severity"] == "low"


def test_excluded_field_of_a_correlation_searchs_row_stays_out(scene):
    """Nor does its title tell it."""
    scene.splunkd.saved_searches["search", "private"] = CORRELATION
    scene.start_forwarder()
    scene.fire(failed_logins(name="private", params={"exclude_fields": "src_ip, user"}))
    wait_for_line(scene, "delivery.delivered", "private")
    record = sent(scene.tenant, "private")[0]
    assert decode(record)["enterprise_security"]["rule_title"] == CORRELATION["action.notable.param.rule_title"]
    assert b"45.227.253.98" not in record.body
    assert b"root" not in record.body


def test_saved_search_may_be_private_to_its_owner(scene):
    """Its address says whose it is."""
    folder = scene.home.etc / "users/admin/search/local"
    folder.mkdir(parents=True)
    text = "[mine]\nsearch = index=main mine\naction.notable = 1\naction.notable.param.rule_title = Mine\n"
    (folder / "savedsearches.conf").write_text(text, encoding="utf-8")
    scene.start_forwarder()
    scene.fire(silent("mine"))
    body = body_of(scene, "mine")
    assert (body["search"]["query"], body["enterprise_security"]) == ("index=main mine", {"rule_title": "Mine"})


def test_saved_search_is_asked_for_once(scene):
    """Not for each of twenty alerts; nor is the server."""
    scene.splunkd.saved_searches["search", "often"] = CORRELATION
    scene.start_forwarder()
    for _ in range(20):
        scene.fire(failed_logins(name="often"))
    wait_until(lambda: len(sent(scene.tenant, "often")) == 20, "twenty alerts", 60, scene)
    assert [request.path.rpartition("/")[2] for request in questions(scene)].count("often") == 1
    assert len(questions(scene)) == 2
    assert all("enterprise_security" in decode(record) for record in sent(scene.tenant, "often"))


def test_action_without_a_forwarder_asks_once_each(scene):
    """For the server and the saved search; the firing itself said the rest."""
    scene.splunkd.saved_searches["search", "direct"] = CORRELATION
    assert scene.fire(failed_logins(name="direct")).exit_code == 0
    assert "enterprise_security" in decode(sent(scene.tenant, "direct")[0])
    assert sorted(request.path.rpartition("/")[2] for request in questions(scene)) == ["direct", "info"]


def test_action_ends_while_splunk_hangs(scene):
    """No thread that asks keeps the process alive."""
    for path in PATHS:
        scene.splunkd.fail(path, "hang")
    assert scene.fire(silent("direct")).exit_code == 0
    assert decode(sent(scene.tenant, "direct")[0])["search"]["query"] is None


@pytest.mark.parametrize("version", ["8.2.12", "9.0.0", "9.0.1", "10.0.2"])
def test_job_is_where_this_splunk_has_its_jobs(tmp_path, app_tree, certs, version):
    """Before 9.0.1 there was no second version of the endpoint."""
    search = silent("job")
    with Scene(tmp_path / "splunk", app_tree, certs, splunkd={"version": version}) as scene:
        scene.splunkd.jobs[search.sid] = JOB
        scene.start_forwarder()
        scene.fire(search)
        assert body_of(scene, "job")["result_count"] == JOB["resultCount"]


def test_expired_job_is_asked_for_once(scene):
    """Where there is a second version of the endpoint, the first one has nothing that it lacks."""
    scene.start_forwarder()
    scene.fire(silent("expired"))
    assert body_of(scene, "expired")["result_count"] == 2
    assert len([request for request in questions(scene) if "/jobs/" in request.path]) == 1


@pytest.mark.parametrize("fault", [403, 404, 500, 503, "close", "hang", 5.0])
def test_alert_goes_without_facts_where_splunk_does_not_tell(scene, fault):
    """Within a bounded time, and with what the firing itself said."""
    search = silent("unknown")
    scene.start_forwarder()
    for path in PATHS:
        scene.splunkd.delay(path, fault) if isinstance(fault, float) else scene.splunkd.fail(path, fault)
    scene.fire(search)
    body = body_of(scene, "unknown", BOUND_S)
    assert body["search"]["earliest"] is None
    assert body["result_count"] == 2
    assert "version" not in body["splunk"]
    assert scene.tenant.refusals == []


def test_a_strange_sid_costs_no_other_alert_its_facts(scene):
    """Half a character in it: there is no such job, and that is all. Nothing breaks, and splunkd is asked about the next one."""
    forwarder = scene.start_forwarder()
    strange = payload(scene, silent("strange"), sid="scheduler__\ud800_at_1769614200_1")
    assert run_action(scene, encode(strange)).exit_code == 0
    assert body_of(scene, "strange")["splunk"]["version"] == "9.2.1"
    search = silent("known")
    scene.splunkd.jobs[search.sid] = JOB
    scene.fire(search)
    assert body_of(scene, "known")["result_count"] == 7
    forwarder.stop()  # Python 3.7 keeps stderr until then
    assert "Traceback" not in forwarder.stderr()


@pytest.mark.parametrize("fault", [503, "hang"])
def test_splunk_is_left_alone_after_a_failure(scene, fault):
    """The second alert does not pay for what the first one learned."""
    scene.start_forwarder()
    for path in PATHS:
        scene.splunkd.fail(path, fault)
    scene.fire(silent("first"))
    body_of(scene, "first")
    asked = len(questions(scene))
    assert asked <= 3
    for name in ("second", "third"):
        scene.fire(silent(name))
        body_of(scene, name)
    assert len(questions(scene)) == asked


def test_answer_that_there_is_none_is_no_failure(scene):
    """A job that has expired is ordinary: the next alert is asked about as usual."""
    scene.start_forwarder()
    scene.fire(silent("expired"))
    body_of(scene, "expired")
    search = silent("known")
    scene.splunkd.jobs[search.sid] = JOB
    scene.fire(search)
    assert body_of(scene, "known")["result_count"] == 7


def test_facts_are_fixed_with_the_first_attempt(scene):
    """A later attempt has the same bytes, whatever Splunk says by then."""
    search = silent("fixed")
    scene.splunkd.jobs[search.sid] = JOB
    scene.tenant.script(Answer(429, retry_after="1"))
    scene.start_forwarder()
    scene.fire(search)
    wait_until(lambda: scene.events("tenant.held"), "a first attempt", 15, scene)
    scene.splunkd.jobs[search.sid] = {**JOB, "resultCount": 99}
    body_of(scene, "fixed")
    scene.tenant.assert_no_id_with_two_bodies()
    assert len(sent(scene.tenant, "fixed")) == 2


@contextlib.contextmanager
def relay(port):
    """A way to splunkd's port that lets one byte a second back, once its event is set: as (port, event)."""
    drips = threading.Event()

    def carry(connection):
        upstream = socket.create_connection(("127.0.0.1", port))
        connection.attach(upstream)
        other = {connection.socket: upstream, upstream: connection.socket}
        with selectors.DefaultSelector() as selector:
            for each in other:
                selector.register(each, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    slow = key.fileobj is upstream and drips.is_set()
                    data = key.fileobj.recv(1 if slow else 65536)
                    if not data:
                        return
                    other[key.fileobj].sendall(data)
                    connection.wait(1 if slow else 0)

    with contextlib.closing(Listener(carry)) as listener:
        yield listener.port, drips


def test_splunk_that_drips_delays_no_alert_and_no_end(scene):
    """Every byte is in time, and the answer never is."""
    port, drips = scene.enter_context(relay(int(scene.splunkd.uri.rpartition(":")[2])))
    scene.splunkd.uri = f"https://127.0.0.1:{port}"
    scene.start_forwarder()
    drips.set()
    scene.fire(silent("first"))
    assert body_of(scene, "first", BOUND_S)["search"]["query"] is None
    scene.fire(silent("second"))
    assert body_of(scene, "second", BOUND_S)["search"]["query"] is None
    stopped = scene.forwarder.stop()
    assert (stopped.exit_code, stopped.killed) == (0, False)


def questions(scene):
    """What was asked for the sake of facts."""
    return [request for request in scene.splunkd.requests if any(path in request.path for path in PATHS)]


class Answers:
    """A splunkd in this process.

    Attributes:
        content: what it says of a saved search; an exception is raised.
        asked: which saved searches it was asked for.
        free: while it is not set, a question for a saved search stays without an answer.
    """

    def __init__(self, content=None):
        """Answer at once."""
        self.content, self.asked, self.free = content or {}, [], threading.Event()
        self.free.set()

    def server_info(self):
        """Which Splunk this is."""
        return {"guid": "G", "version": "9.2.1"}

    def saved_search(self, uri):
        """After the wait that the test wants."""
        self.asked.append(uri)
        self.free.wait(60)
        if isinstance(self.content, Exception):
            raise self.content
        return dict(self.content)

    def job(self, sid, *, v2=True):
        """There is none."""
        raise NotFound(sid)


class Clock:
    """A monotonic clock that stands still, or goes on by `step` at each look."""

    now, step = 1000.0, 0.0

    def __call__(self):
        """The time."""
        self.now += self.step
        return self.now


@pytest.fixture
def answers():
    """A splunkd that lets nobody wait when the test is over."""
    made = Answers({**CORRELATION, "action.notable": "1", "alert.severity": "3"})
    yield made
    made.free.set()


@pytest.fixture
def clock():
    """A clock."""
    return Clock()


@pytest.fixture
def enricher(answers, clock):
    """An enricher that asks it."""
    return Enricher(answers, Log(), clock)


def title(facts):
    """The rule title of these facts."""
    return facts.correlation.get("action.notable.param.rule_title", "")


def test_a_changed_search_is_seen_later(answers, clock, enricher):
    """An answer counts for five minutes."""
    assert title(enricher.facts(alert())) == "Guessed passwords from $src_ip$"
    answers.content["action.notable.param.rule_title"] = "New"
    clock.now += 299
    assert title(enricher.facts(alert())) == "Guessed passwords from $src_ip$"
    clock.now += 2
    assert title(enricher.facts(alert())) == "New"
    assert len(answers.asked) == 2


@pytest.mark.parametrize("error", [NotFound, Forbidden])
def test_that_a_search_cannot_be_seen_is_remembered_as_long(answers, clock, enricher, error):
    """And it is no failure: another one is asked for."""
    answers.content = error("no")
    for _ in range(2):
        assert enricher.facts(alert()).correlation == {}
    enricher.facts(alert(search_uri="/servicesNS/admin/search/saved/searches/other"))
    assert len(answers.asked) == 2
    answers.content = CORRELATION
    clock.now += 301
    assert enricher.facts(alert()).search_query == CORRELATION["search"]


@pytest.mark.parametrize("error", [Unreachable, Unauthorized, RecursionError])
def test_a_failure_is_forgotten_after_a_pause(answers, clock, enricher, error):
    """Of half a minute, in which nothing is asked, whatever failed; what is known already still counts."""
    enricher.facts(alert())
    other = alert(search_uri="/servicesNS/admin/search/saved/searches/other")
    answers.content = error("down")
    assert enricher.facts(other).correlation == {}
    answers.content = CORRELATION
    clock.now += 29
    assert enricher.facts(other).correlation == {}
    assert title(enricher.facts(alert()))
    assert len(answers.asked) == 2
    clock.now += 2
    assert enricher.facts(other).search_query == CORRELATION["search"]


def test_an_answer_that_came_too_late_serves_the_next_alert(answers, enricher, monkeypatch):
    """Nobody waits for it in the meantime, and nobody asks again."""
    answers.free.clear()
    late = enricher.facts(alert())
    assert (late.server_version, late.correlation) == ("9.2.1", {})
    waits = []
    with monkeypatch.context() as patched:
        patched.setattr(enricher._questions[alert().search_uri].done, "wait", waits.append)
        assert enricher.facts(alert()).correlation == {}
    assert waits == [0.0]
    enricher.facts(alert(search_uri="/servicesNS/admin/search/saved/searches/other"))
    assert len(answers.asked) == 1
    answers.free.set()
    wait_until(lambda: title(enricher.facts(alert())), "the late answer")
    assert len(answers.asked) == 1


def test_a_question_without_an_answer_is_asked_anew(answers, clock, enricher):
    """After the pause; it does not stand in the way for ever."""
    answers.free.clear()
    enricher.facts(alert())
    clock.now += 31
    answers.free.set()
    wait_until(lambda: title(enricher.facts(alert())), "an answer")
    assert len(answers.asked) == 2


def test_what_one_alert_needs_is_asked_at_the_same_time(clock):
    """Three slow answers take as long as one: here each waits for the others."""
    together = threading.Barrier(3)

    class Slow(Answers):
        def server_info(self):
            together.wait(60)
            return super().server_info()

        def saved_search(self, uri):
            together.wait(60)
            return super().saved_search(uri)

        def job(self, sid, *, v2=True):
            together.wait(60)
            return {"earliestTime": "1"}

    found = Enricher(Slow(CORRELATION), Log(), clock).facts(alert())
    assert (found.server_guid, found.earliest, found.search_query) == ("G", "1", CORRELATION["search"])


@pytest.mark.parametrize(("told", "known"), [("7", 7), ("9" * 15, int("9" * 15)), ("9" * 16, None), ("-5", None)])
def test_a_count_that_no_body_may_carry_is_none(clock, told, known):
    """The same rule as for what the firing says, which `test_message` has more of."""

    class Counted(Answers):
        def job(self, sid, *, v2=True):
            return {"resultCount": told}

    assert Enricher(Counted(), Log(), clock).facts(alert()).result_count == known


def test_alerts_at_the_same_time_share_a_question(answers, enricher):
    """Whoever comes while it is under way waits for the same answer."""
    answers.free.clear()
    found = []
    threads = [threading.Thread(target=lambda: found.append(enricher.facts(alert()))) for _ in range(8)]
    for thread in threads:
        thread.start()
    wait_until(lambda: answers.asked, "a question")
    answers.free.set()
    for thread in threads:
        thread.join(15)
    assert len(found) == 8
    assert {title(facts) for facts in found} == {"Guessed passwords from $src_ip$"}
    assert len(answers.asked) == 1


def test_threads_that_never_come_back_are_not_too_many(answers, clock, enricher):
    """A splunkd that answers nothing for hours costs some threads, and then none more."""
    answers.free.clear()
    before = threading.active_count()
    for number in range(60):
        clock.now += 31
        # So nobody waits two real seconds here.
        clock.step = 2.0
        enricher.facts(alert(search_uri=f"/servicesNS/admin/search/saved/searches/{number}"))
    assert len(answers.asked) == 48
    assert threading.active_count() - before <= 48
    answers.free.set()
    wait_until(lambda: threading.active_count() <= before, "their end")
    clock.now, clock.step = clock.now + 31, 0.0
    assert title(enricher.facts(alert(search_uri="/servicesNS/admin/search/saved/searches/new")))


def test_the_number_of_remembered_searches_is_bounded(answers, enricher):
    """The oldest goes first; jobs, which are asked for once, push out none."""
    enricher.facts(alert())
    for number in range(300):
        enricher.facts(alert(search_uri="", sid=f"scheduler__{number}"))
    enricher.facts(alert())
    assert len(answers.asked) == 1
    answers.asked.clear()
    for number in range(300):
        enricher.facts(alert(search_uri=f"/servicesNS/admin/search/saved/searches/{number}"))
    assert len(answers.asked) == 300
    enricher.facts(alert(search_uri="/servicesNS/admin/search/saved/searches/299"))
    assert len(answers.asked) == 300
    enricher.facts(alert(search_uri="/servicesNS/admin/search/saved/searches/0"))
    assert len(answers.asked) == 301


def test_a_process_without_threads_goes_without_facts(answers, enricher, monkeypatch):
    """A host at its limit must not cost an alert."""

    def refuse(thread):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        assert enricher.facts(alert()) == Facts()
    assert title(enricher.facts(alert()))


def test_without_a_splunkd_nothing_is_asked():
    """As in the guide's own calling form."""
    assert Enricher(None, Log(), Clock()).facts(alert()) == Facts()
