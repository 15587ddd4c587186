"""backfill sends what never arrived, each alert with its own id, as slowly as it has to. Must not test the ledger's file."""

import datetime as dt
import json
import signal
import threading

import pytest
from parapet_elastic import alert_search
from parapet_elastic.backfilling.backfill import Period, backfill
from parapet_elastic.backfilling.ledger import Ledger
from parapet_elastic.backfilling.sending import Verdict, verdict
from parapet_elastic.editing.rule_actions import EACH_ALERT, EACH_RUN, Frequency, Wanted
from parapet_elastic.errors import Exit, Failure
from parapet_elastic.kibana import Kibana
from parapet_elastic.rendering import templates
from parapet_elastic.state import Place, lock

from tests.elastic.changing import EVERYTHING, US, Person, until_answered
from tests.elastic.person import Person as Somebody
from tests.elastic.standins.tenant import Answer, Mode

UTC = dt.timezone.utc
T0 = dt.datetime(2026, 1, 28, 15, 0, tzinfo=UTC)
DAY = {"start": T0 - dt.timedelta(hours=1), "end": T0 + dt.timedelta(hours=23)}
BASIC = templates.load("basic").text
BULK = templates.load("bulk").text


class Sender(Person):
    """Somebody who has attached rules to a tenant, and runs backfill."""

    def __init__(self, standin, state, tenant):
        """Connect to the tenant."""
        super().__init__(standin, state)
        self.tenant = tenant
        standin.world.spaces["default"].connectors[US] = {
            "name": "Parapet Security",
            "connector_type_id": ".webhook",
            "config": {
                "url": tenant.url,
                "method": "post",
                "hasAuth": False,
                "headers": {"Content-Type": "application/json"},
            },
            "secrets": {"secretHeaders": {"Authorization": "Bearer " + tenant.token}},
        }

    def rule(self, name, body=BASIC, frequency=EACH_ALERT, kql=None, **fields):
        """Make a rule that sends."""
        rule = self.standin.add_rule(name, **fields)
        wanted = Wanted(US, body, frequency, kql).to_json()
        self.standin.set_actions(rule, [{**wanted, "action_type_id": ".webhook", "uuid": "u"}])
        return rule

    def run(self, rule, count, minutes=0, **fields):
        """Have one run of a rule find so many alerts that nobody sends; returns their ids."""
        at = T0 + dt.timedelta(minutes=minutes)
        events = [{"host": {"name": f"h{minutes}-{number}"}, **fields} for number in range(count)]
        hits = self.standin.add_alerts(rule, events, at=at)
        ids = [hit["_id"] for hit in hits]
        for hit in self.standin.world.spaces["default"].alerts:
            if hit["_id"] in ids:
                # All alerts of a run have its id.
                hit["_source"]["kibana.alert.rule.execution.uuid"] = f"{rule} {minutes}"
        return ids

    def backfill(self, rate=1000.0, *, failed_only=False, start=None, end=None, **how):
        """Run backfill over the day."""
        period = Period(start or DAY["start"], end or DAY["end"], rate, failed_only=failed_only)
        return self._run(backfill, US, EVERYTHING, period, **how)

    def arrived(self):
        """Return the ids of the alerts that the tenant has accepted, in order."""
        return [one["id"] for body in self.tenant.bodies for one in body.get("alerts") or [body["alert"]]]


@pytest.fixture
def person(kibana, tenant, tmp_path):
    """Somebody whose tenant was away."""
    return Sender(kibana, tmp_path / "state", tenant)


def test_what_never_arrived_arrives_once_oldest_first_with_its_own_id(person):
    """Each alert of the period; a second run has nothing to send."""
    a, b = person.rule("A"), person.rule("B")
    ids = [*person.run(b, 2, 1), *person.run(a, 2, 2), *person.run(b, 1, 3)]
    person.run(a, 1, minutes=24 * 60)
    person.run(a, 1, minutes=-61)

    assert person.backfill() is Exit.DONE
    assert sorted(person.arrived()[:2]) == sorted(ids[:2])
    assert sorted(person.arrived()) == sorted(ids)
    assert "5 alerts of 2 rules in 5 requests" in person.shown
    assert person.backfill() is Exit.DONE
    assert len(person.arrived()) == 5
    assert "2 sent before" in person.shown


def test_it_is_the_body_that_kibana_would_have_sent(person, kibana, tenant):
    """But for the time at which it is sent."""
    each = person.rule("Each")
    run = person.rule("Run", BULK, EACH_RUN)
    for rule in (each, run):
        kibana.fire(rule, [{"host": {"name": "h"}, "user": {"name": 'q"\u2028'}}])
    before = tenant.bodies
    now = kibana.clock.now()

    person.backfill(start=now - dt.timedelta(hours=1), end=now + dt.timedelta(hours=1))

    after = tenant.bodies[len(before) :]
    assert len(after) == len(before) == 2
    plain = [{name: value for name, value in body.items() if name != "timestamp"} for body in before + after]
    assert sorted(map(str, plain[:2])) == sorted(map(str, plain[2:]))


def test_the_command_line_runs_it(person, kibana, tmp_path):
    """With a period, a rate and a selection; one JSON document."""
    ids = person.run(person.rule("A"), 2, 1)
    person.rule("B")
    somebody = Somebody(kibana)
    words = ["backfill", "--from", "2026-01-28T14:00:00Z", "--to", "2026-01-29T14:00:00+01:00", "--name", "A"]

    result = somebody(*words, "--rate", "50", "--yes", "--json", "--state-dir", str(tmp_path))

    assert result.code == Exit.DONE
    assert result.json["sent"] == 2
    assert result.json["plan"][0]["name"] == "A"
    assert sorted(person.arrived()) == sorted(ids)
    assert person.tenant.token not in repr(result)
    assert kibana.api_key not in repr(result)


def test_a_summary_is_one_request_for_each_run(person, tenant):
    """No more than 100 alerts in one."""
    rule = person.rule("A", BULK, EACH_RUN, max_signals=1000)
    ids = [*person.run(rule, 3, 1), *person.run(rule, 120, 2)]

    assert person.backfill() is Exit.DONE

    assert [len(body["alerts"]) for body in tenant.bodies] == [3, 100, 20]
    assert sorted(person.arrived()) == sorted(ids)


def test_every_page_of_the_search_is_read(person, monkeypatch):
    """Also when more alerts than a page holds have one time."""
    monkeypatch.setattr(alert_search, "_PAGE", 7)
    rule = person.rule("A")
    ids = [*person.run(rule, 3, 1), *person.run(rule, 30, 2), *person.run(rule, 5, 3)]

    found = list(alert_search.alerts(person.kibana, [rule], DAY["start"], DAY["end"]))

    assert sorted(one.id for one in found) == sorted(ids)
    assert [one.at for one in found] == sorted(one.at for one in found)


def test_a_search_that_brings_the_same_again_ends(person, monkeypatch):
    """Where Kibana does not leave out what is known."""
    monkeypatch.setattr(alert_search, "_PAGE", 3)
    rule = person.rule("A")
    ids = person.run(rule, 3, 1)
    search = alert_search._search
    same = []

    def again(*words, **how):
        same.append(same[0] if same else search(*words, **how))
        assert len(same) < 9
        return same[0]

    monkeypatch.setattr(alert_search, "_search", again)

    found = list(alert_search.alerts(person.kibana, [rule], DAY["start"], DAY["end"]))

    assert sorted(one.id for one in found) == sorted(ids)


def test_a_log_of_errors_that_says_too_many_ends(person, monkeypatch):
    """At the first page that is empty."""
    pages = []
    answer = {"errors": [], "totalErrors": 10**12}
    monkeypatch.setattr(alert_search, "error_log", lambda *_: (pages.append(1), answer)[1])

    assert alert_search.failures(person.kibana, "r", DAY["start"], DAY["end"]) == []
    assert len(pages) == 1


def test_a_throttle_of_ages_does_not_overflow(person):
    """Nor a period that ends with the last year."""
    rule = person.rule("A", BULK, Frequency(True, "onThrottleInterval", "9999999999d"))
    person.run(rule, 2, 1)
    end = dt.datetime(9999, 12, 31, 23, tzinfo=UTC)

    assert person.backfill(failed_only=True, end=end) is Exit.DONE


def test_a_filter_of_the_rule_holds_here_too(person):
    """What cannot be applied here leaves nothing out, and is said."""
    filtered = person.rule("Filtered", kql="host.name: h1-1")
    person.run(filtered, 3, 1)

    assert person.backfill() is Exit.DONE
    assert len(person.arrived()) == 1
    assert "2 left out by a filter" in person.shown
    unknown = person.rule("Unknown", kql="message: x")
    ids = person.run(unknown, 2, 2)
    person.backfill()
    assert "its filter cannot be applied here" in person.shown
    assert sorted(person.arrived()[1:]) == sorted(ids)


@pytest.mark.parametrize("kql", ["host.ip: 10.0.0.0/8", "not source.ip: 10.0.0.1", '@timestamp >= "2026-01-28"'])
def test_an_alert_is_left_out_only_where_that_is_certain(person, kql):
    """Else it would never arrive, and the ledger would not say so."""
    ids = person.run(person.rule("A", kql=kql), 2, 1)

    assert person.backfill() is Exit.DONE

    assert sorted(person.arrived()) == sorted(ids)


def _with(person, alert, **fields):
    """Give an alert fields as they stand in its document."""
    (hit,) = [hit for hit in person.standin.world.spaces["default"].alerts if hit["_id"] == alert]
    hit["_source"].update(fields)


@pytest.mark.parametrize("how", [{}, {"body": BULK, "frequency": EACH_RUN}, {"kql": "host.name: *"}])
def test_an_alert_that_cannot_be_rendered_here_stops_no_other(person, how):
    """It is reported by its id; a field that only looks odd is none of those."""
    ids = person.run(person.rule("A", **how), 5, 1)
    _with(person, ids[1], **{"network.packet.length": 5})
    _with(person, ids[2], **{"x.__proto__.y": 5})

    assert person.backfill(json_only=True) is Exit.INCOMPLETE

    (refused,) = person.document["failed"]
    assert refused["id"] == ids[2]
    assert "__proto__" in refused["why"]
    assert sorted([*person.arrived(), ids[2]]) == sorted(ids)


def test_a_template_that_only_kibana_can_render_stops_no_other_rule(person):
    """Its alerts are reported."""
    (bad,) = person.run(person.rule("Bad", '{"a": "{{#FormatNumber}}5;;{{/FormatNumber}}"}'), 1, 1)
    (good,) = person.run(person.rule("Good"), 1, 2)

    assert person.backfill(json_only=True) is Exit.INCOMPLETE

    assert [(one["id"], one["rule"]) for one in person.document["failed"]] == [(bad, "Bad")]
    assert "FormatNumber" in person.document["failed"][0]["why"]
    assert person.arrived() == [good]


def test_a_second_backfill_at_the_same_time_sends_nothing(person):
    """Neither beside the first one, nor by a plan that is older than what the first has sent."""
    person.run(person.rule("A"), 2, 1)
    place = Place.of(person.kibana.access, US)

    with lock(person.state, place), pytest.raises(Failure, match="another parapet-elastic"):
        person.backfill()
    ledger = Ledger(person.state, place)
    read = Ledger.read
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ledger, "read", lambda one: (read(one), _note(ledger))[0])
        with pytest.raises(Failure, match="another backfill"):
            person.backfill()

    assert person.arrived() == []


def _note(ledger):
    with ledger:
        ledger.note("sent by another")


def test_parts_of_a_sequence_are_not_sent(person, kibana):
    """Kibana sends the sequence that an EQL rule found; a rule that makes building blocks sends those."""
    rule = person.rule("A", type="eql")
    parts, (whole,) = person.run(rule, 2, 1), person.run(rule, 1, 2)
    blocks = person.run(person.rule("B", type="eql"), 1, 3)
    next(one for one in kibana.world.spaces["default"].rules.values() if one["name"] == "B")["building_block_type"] = (
        "default"
    )
    for hit in kibana.world.spaces["default"].alerts:
        if hit["_id"] in (*parts, *blocks):
            hit["_source"]["kibana.alert.building_block_type"] = "default"

    person.backfill()

    assert person.arrived() == [whole, *blocks]


@pytest.mark.parametrize(
    "answers",
    [
        [Answer(429, retry_after="7"), Answer(429)],
        [Answer(500), Answer(503), Answer(502)],
        [Answer(mode=Mode.RESET), Answer(408)],
    ],
)
def test_what_passes_is_waited_for_and_nothing_is_left_out(person, tenant, answers):
    """The same alert again, then the others, in order."""
    ids = person.run(person.rule("A"), 3, 1)
    tenant.script(Answer(200), *answers)

    assert person.backfill() is Exit.DONE

    assert sorted(person.arrived()) == sorted(ids)
    assert len(person.arrived()) == 3
    waits = [seconds for seconds in person.waits if seconds > 0.5]
    assert len(waits) == len(answers)
    if answers[0].status == 429:
        assert waits[0] > 5


def test_a_receiver_that_stays_away_ends_it_and_nothing_is_lost(person, tenant):
    """The next run goes on where it stopped."""
    ids = person.run(person.rule("A"), 3, 1)
    tenant.script(Answer(200))
    tenant.always(Answer(503))

    with pytest.raises(Failure) as caught:
        person.backfill()
    assert caught.value.exit is Exit.INCOMPLETE
    assert "Nothing is lost" in caught.value.todo
    assert "1 alert sent" in person.shown
    tenant.always(Answer(200))
    assert person.backfill() is Exit.DONE
    assert sorted(person.arrived()) == sorted(ids)
    assert len(person.arrived()) == 3


@pytest.mark.parametrize("status", [400, 413, 422])
def test_an_alert_that_is_refused_is_reported_and_the_others_go_on(person, tenant, status):
    """It is tried again by the next run."""
    ids = person.run(person.rule("A"), 3, 1)
    tenant.script(Answer(200), Answer(status, body=b'{"message": "no such thing"}'))

    assert person.backfill(json_only=True) is Exit.INCOMPLETE

    (refused,) = person.document["failed"]
    assert refused["rule"] == "A"
    assert str(status) in refused["why"]
    assert {*person.arrived(), refused["id"]} == set(ids)
    assert person.backfill() is Exit.DONE
    assert sorted(person.arrived()) == sorted(ids)


def test_a_summary_that_is_too_large_is_sent_in_halves(person, tenant):
    """As long as there is more than one alert in it."""
    ids = person.run(person.rule("A", BULK, EACH_RUN), 8, 1)
    tenant.when(lambda record: len(record.json["alerts"]) > 2, Answer(413))

    assert person.backfill() is Exit.DONE

    assert [len(body["alerts"]) for body in tenant.bodies] == [2, 2, 2, 2]
    assert sorted(person.arrived()) == sorted(ids)


def test_what_has_arrived_in_halves_is_not_sent_again(person, tenant):
    """Only the alert that was too large is tried, as long as it is."""
    ids = person.run(person.rule("A", BULK, EACH_RUN), 4, 1)
    large = [True]
    tenant.when(lambda record: large and any(one["id"] == ids[3] for one in record.json["alerts"]), Answer(413))

    assert person.backfill() is Exit.INCOMPLETE
    assert sorted(person.arrived()) == sorted(ids[:3])
    large.clear()
    assert person.backfill() is Exit.DONE
    assert sorted(person.arrived()) == sorted(ids)


def test_a_second_action_does_not_send_again_what_the_first_has_sent(person, kibana):
    """The ledger goes by the alert and the connector."""
    rule = person.rule("A")
    person.run(rule, 3, 1)
    person.backfill()
    (first,) = kibana.rule(rule)["actions"]
    second = {**first, "uuid": "u2", "alerts_filter": {"query": {"kql": "host.name: h1-1", "filters": []}}}
    kibana.set_actions(rule, [first, second])

    assert person.backfill() is Exit.DONE

    assert len(person.arrived()) == 3


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_wrong_token_or_url_stops_at_once(person, tenant, status):
    """With what to do; the others would fare no better."""
    person.run(person.rule("A"), 3, 1)
    tenant.always(Answer(status))

    with pytest.raises(Failure) as caught:
        person.backfill()

    assert caught.value.exit is Exit.REFUSED
    assert "connect" in caught.value.todo
    assert len(tenant.requests) == 1
    assert tenant.token not in person.shown + str(caught.value) + caught.value.todo


def test_a_template_that_gives_no_json_is_not_sent(person, tenant):
    """Kibana would send it as a JSON string; the rule and its alert are named."""
    (bad,) = person.run(person.rule("Bad", '{"a": {{alert.id}}}'), 1, 1)
    (good,) = person.run(person.rule("Good"), 1, 2)

    assert person.backfill(json_only=True) is Exit.INCOMPLETE

    assert person.document["failed"][0]["id"] == bad
    assert "lint" in person.document["failed"][0]["why"]
    assert person.arrived() == [good]
    assert len(tenant.requests) == 1


@pytest.mark.parametrize("fault", ["cut-before", "cut-after", "status:429", "status:500", "status:503"])
def test_a_kibana_that_falters_costs_no_alert(person, kibana, fault):
    """An alert may come twice then, under one id."""
    ids = person.run(person.rule("A"), 3, 1)
    kibana.script(fault, count=2, when=lambda one: one.path.endswith("_execute"))

    assert person.backfill() is Exit.DONE

    assert set(person.arrived()) == set(ids)
    assert person.waits


@pytest.mark.parametrize("place", range(4))
def test_ctrl_c_leaves_a_ledger_to_go_on_with(person, monkeypatch, place):
    """Between any two requests; only what was sent is in it."""
    ids = person.run(person.rule("A"), 3, 1)
    post = Kibana.post
    calls = []

    def interrupted(self, path, body, query=None, *, again=False):
        if path.endswith("_execute"):
            calls.append(path)
            if len(calls) == place:
                raise KeyboardInterrupt
        return post(self, path, body, query, again=again)

    monkeypatch.setattr(Kibana, "post", interrupted)

    assert person.backfill(json_only=True) is (Exit.INTERRUPTED if place else Exit.DONE)
    assert person.document["sent"] == len(person.arrived())
    assert person.document["sent"] + person.document["left"] == 3
    person.backfill()
    assert sorted(person.arrived()) == sorted(ids)
    assert len(person.arrived()) == 3


@pytest.mark.parametrize("with_signal", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("number", [1, 3, 30])
def test_a_process_that_is_ended_is_gone_on_with(person, kibana, with_signal, number):
    """What is in the ledger is not sent again; what was on its way may be, under one id."""
    ids = person.run(person.rule("A"), 40, 1)
    arrived = threading.Event()
    seen = []

    def at(one):
        if one.path.endswith("_execute"):
            seen.append(one)
        if len(seen) == number:
            arrived.set()
            return True
        return False

    kibana.script("latency", seconds=0.5, when=at)
    words = ["--from", "2026-01-28T14:00:00Z", "--to", "2026-01-29T14:00:00Z", "--all", "--rate", "50"]
    with person.start("backfill", *words) as process:
        assert arrived.wait(60)
        process.send_signal(with_signal)
        out, err = process.communicate(timeout=120)

    assert b"Traceback" not in err
    if with_signal == signal.SIGINT:
        assert process.returncode == Exit.INTERRUPTED
        assert json.loads(out)["sent"] == number - 1
    until_answered(seen[number - 1])
    assert person.backfill() is Exit.DONE
    assert set(person.arrived()) == set(ids)
    assert len(person.arrived()) - len(ids) <= 1


def test_no_more_than_so_many_a_second(person):
    """The waits between six requests make five times the rate's, less what the requests take."""
    person.run(person.rule("A"), 6, 1)

    person.backfill(rate=0.001)

    assert len(person.waits) == 5
    assert sum(person.waits) > 5 * 1000 * 0.9


def test_a_dry_run_and_a_no_send_nothing(person, tenant):
    """The plan says how many of how many rules, and about how long."""
    person.run(person.rule("A"), 30, 1)

    assert person.backfill(rate=0.1, dry_run=True) is Exit.DONE
    assert "30 alerts of 1 rule in 30 requests, about 5 minutes" in person.shown
    assert person.backfill(yes=False) is Exit.DECLINED
    assert tenant.requests == []
    assert not person.state.exists()


def test_only_what_failed_goes_when_the_log_says_what(person, kibana, tenant):
    """An error counts for the alerts of a quarter of an hour before it; those of other rules stay."""
    lost, fine = person.rule("Lost"), person.rule("Fine")
    ids = person.run(lost, 2, 60)
    person.run(lost, 2, 0)
    person.run(fine, 2, 60)
    at = (T0 + dt.timedelta(minutes=66)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    kibana.world.spaces["default"].action_errors.append(
        {"rule": lost, "id": "1", "timestamp": at, "type": "actions", "message": "failed"}
    )

    assert person.backfill(failed_only=True) is Exit.DONE

    assert sorted(person.arrived()) == sorted(ids)


def test_without_the_log_all_alerts_go(person, kibana):
    """Rather too many than too few; it is said."""
    ids = person.run(person.rule("A"), 2, 60)
    kibana.script("status:404", count=9, when=lambda one: one.path.endswith("_action_error_log"))

    assert person.backfill(failed_only=True) is Exit.DONE

    assert "cannot be read" in person.shown
    assert sorted(person.arrived()) == sorted(ids)


def test_a_period_that_is_none_is_refused():
    """It would find nothing, and somebody would think that all has arrived."""
    with pytest.raises(Failure, match="--from is not before --to"):
        Period(T0, T0, 5)


def test_rules_that_do_not_send_have_nothing_to_send(person, kibana):
    """Nothing is searched, nothing asked."""
    kibana.add_rule("A")

    assert person.backfill(yes=False) is Exit.DONE
    assert "0 alerts of 0 rules" in person.shown


@pytest.mark.parametrize(
    ("answer", "means"),
    [
        (None, Verdict.SENT),
        ([1], Verdict.LATER),
        ({}, Verdict.LATER),
        ({"status": "ok"}, Verdict.SENT),
        ({"status": "error", "retry": True, "service_message": "[503] x"}, Verdict.LATER),
        ({"status": "error", "retry": "2026-01-28T15:00:00.000Z", "service_message": "[429] x"}, Verdict.LATER),
        ({"status": "error", "service_message": "[429] x"}, Verdict.LATER),
        ({"status": "error", "service_message": "[408] x"}, Verdict.LATER),
        ({"status": "error", "service_message": "[ECONNREFUSED] x"}, Verdict.LATER),
        ({"status": "error", "service_message": "[413] x"}, Verdict.TOO_LARGE),
        ({"status": "error", "service_message": "[400] x"}, Verdict.REFUSED),
        ({"status": "error", "service_message": "[409] x"}, Verdict.REFUSED),
        ({"status": "error", "service_message": "[401] x"}, Verdict.STOP),
        ({"status": "error", "service_message": "[302] x"}, Verdict.STOP),
        ({"status": "error", "message": 'target url "x" is not added to xpack.actions.allowedHosts'}, Verdict.STOP),
    ],
)
def test_what_an_answer_means(answer, means):
    """The table of answers."""
    assert verdict(answer) is means


def test_without_a_selection_all_rules_that_send_are_meant_and_nothing_is_promised(person, kibana):
    """As the pages show it; what Parapet does with what it has already is not known here."""
    sends = person.rule("Sends")
    silent = kibana.add_rule("Silent")
    person.run(sends, 1)
    person.run(silent, 1)
    period = ("--from", DAY["start"].isoformat(), "--to", DAY["end"].isoformat())

    found = Somebody(kibana, PARAPET_ELASTIC_STATE=str(person.state))("backfill", *period, "--dry-run")

    assert found.code == 0, found
    assert "1 alert of 1 rule in 1 request" in found.out
    assert "whether Parapet drops those that it has already is not known here" in found.out
    assert "--failed-only" in found.out
