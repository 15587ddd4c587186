"""Whatever interrupts attach, it can be run again and each rule ends with exactly one action of ours. Must not test anything else."""

import json
import signal
import threading
from pathlib import Path

import pytest
from parapet_elastic.errors import Exit, Failure

from tests.elastic.changing import Person, action, until_answered
from tests.elastic.standins.kibana import Kibana

RULES = 120
FAULTS = ["cut-before", "cut-after", "status:429", "status:500", "status:503", "status-after:500", "status-after:504"]


@pytest.fixture
def person(kibana, tmp_path):
    """Somebody with three batches of rules, each with an action of somebody else."""
    found = Person(kibana, tmp_path)
    found.connector()
    found.connector("slack")
    for number in range(RULES):
        kibana.set_actions(kibana.add_rule(f"Rule {number:03}"), [action("slack", f"slack-{number}")])
    return found


def _requests_of_a_run(tmp_path):
    """Return how many requests an undisturbed attach sends."""
    with Kibana() as kibana:
        person = Person(kibana, tmp_path / "count")
        person.connector()
        for number in range(RULES):
            kibana.add_rule(f"Rule {number}")
        before = len(kibana.requests)
        person.attach()
        return len(kibana.requests) - before


def _as_wanted(person, before):
    """Whether each rule has one of ours, and the others' actions as they were."""
    rules = person.standin.rules()
    others = {rule["id"]: json.dumps(rule["actions"][:1]) for rule in rules}
    return others == before and person.ours() == [1] * RULES and all(len(rule["actions"]) == 2 for rule in rules)


def _put_back(person, before):
    for rule, actions in before.items():
        person.standin.set_actions(rule, json.loads(actions))


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("times", [1, 7])
def test_a_fault_at_any_request_leaves_one_action_on_each_rule(kibana, person, tmp_path, fault, times):
    """One fault is got over in the same run; many at one place at the latest by running it again; then all goes back."""
    before = person.all_actions()
    for place in range(_requests_of_a_run(tmp_path)):
        start = len(kibana.requests)
        kibana.script(fault, count=times, when=lambda one, at=start + place: kibana.requests.index(one) >= at)

        code = _attach(person)
        kibana._server.faults.clear()
        if code is not Exit.DONE:
            # A 500 while the plan is made ends it: nothing is changed yet.
            assert times > 1 or (fault.endswith(":500") and sum(person.ours()) == 0)
            assert person.attach() is Exit.DONE

        assert _as_wanted(person, before), f"{fault} at request {place}"
        _put_back(person, before)
    assert person.attach() is Exit.DONE
    assert person.rollback() is Exit.DONE
    assert person.all_actions() == before


def _attach(person):
    """Attach; a failure before anything is done comes out as an exception."""
    try:
        return person.attach()
    except Failure as failure:
        return failure.exit


@pytest.mark.parametrize("acted", [False, True])
def test_ctrl_c_at_any_request_says_what_is_done_and_can_be_gone_on_with(kibana, person, tmp_path, acted):
    """Before or after Kibana has acted; exit code 130, and the snapshot is kept."""
    before = person.all_actions()
    send = person.kibana._send
    for place in range(_requests_of_a_run(tmp_path)):
        left = [place]

        def interrupted(*arguments, left=left, **how):
            left[0] -= 1
            if left[0] == -1 and not acted:
                raise KeyboardInterrupt
            answer = send(*arguments, **how)
            if left[0] == -1:
                raise KeyboardInterrupt
            return answer

        person.kibana._send = interrupted
        try:
            code = person.attach(json_only=True)
        except KeyboardInterrupt:
            code = None  # before the work began: the command line says it
            assert sum(person.ours()) == 0
        person.kibana._send = send

        if code is not None:
            assert code is Exit.INTERRUPTED
            assert len(person.document["done"]) == sum(person.ours())
            assert len(person.document["done"]) + len(person.document["left"]) == RULES
            assert Path(person.document["snapshot"]).exists()
        assert person.attach() is Exit.DONE
        assert _as_wanted(person, before), f"request {place}"
        _put_back(person, before)


@pytest.mark.parametrize("acted", [False, True])
def test_what_another_computer_adds_at_the_same_time_is_removed_again(kibana, person, tmp_path, acted):
    """Its lock is not ours; each rule ends with one action, whichever comes first."""
    before = person.all_actions()
    elsewhere = Person(kibana, tmp_path / "elsewhere")
    send = person.kibana._send
    seen = []

    def meanwhile(method, path, body=None, *arguments, **how):
        answer = send(method, path, body, *arguments, **how) if acted else None
        if path.endswith("_bulk_action") and not seen:
            seen.append(path)
            elsewhere.kibana.post(path, kibana.requests[-1].json) if acted else elsewhere.attach()
        return answer if acted else send(method, path, body, *arguments, **how)

    person.kibana._send = meanwhile

    assert person.attach(json_only=True) is Exit.DONE
    assert len(person.document["done"]) == RULES
    assert _as_wanted(person, before)


def test_a_second_ctrl_c_leaves_at_once(kibana, person):
    """What came of the last batch is not known then, and it says so."""
    send = person.kibana._send
    batches = []

    def interrupted(method, path, *arguments, **how):
        if batches or path.endswith("_bulk_action"):
            batches.append(path)
            raise KeyboardInterrupt
        return send(method, path, *arguments, **how)

    person.kibana._send = interrupted

    assert person.attach() is Exit.INTERRUPTED
    assert len(batches) == 2
    assert "could not be seen" in person.shown


def test_a_batch_that_kibana_carries_out_after_we_have_left_does_not_count_twice(kibana, person):
    """Kibana goes on with a batch whose sender has gone; the next run removes the copies."""
    before = person.all_actions()
    kibana.script("cut-before", when=lambda one: one.path.endswith("_bulk_action"))
    late = []

    def sleep(_seconds):
        # The lost batch takes effect only after the rules were read again, and the batch was sent a second time.
        late.append(next(one for one in kibana.requests if one.path.endswith("_bulk_action")).json)

    person.kibana.sleep = sleep
    assert person.attach() is Exit.DONE
    Person(kibana, person.state).kibana.post("/api/detection_engine/rules/_bulk_action", late[0])
    assert person.ours().count(2) == 100

    assert person.attach() is Exit.DONE
    assert person.ours() == [1] * RULES
    assert person.rollback() is Exit.DONE
    assert person.all_actions() == before


@pytest.mark.parametrize(
    ("path", "number"), [("_find", 1), ("_find", 2), ("_find", 3), ("_bulk_action", 1), ("_bulk_action", 2)]
)
def test_a_process_that_is_killed_can_be_run_again(kibana, person, path, number):
    """SIGKILL while its request is with Kibana, which acts all the same."""
    before = person.all_actions()
    arrived = threading.Event()
    seen = []

    def at(one):
        if one.path.endswith(path) and len(seen) < number:
            seen.append(one)
            if len(seen) == number:
                arrived.set()
                return True
        return False

    kibana.script("latency", seconds=0.2, when=at)
    with person.start("attach", "--all") as process:
        assert arrived.wait(60)
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    until_answered(seen[-1])

    assert person.attach() is Exit.DONE
    assert person.attach() is Exit.DONE
    assert _as_wanted(person, before)
    assert person.rollback() is Exit.DONE
    assert person.all_actions() == before


def test_ctrl_c_in_a_real_process_ends_with_130_and_one_document(kibana, person):
    """SIGINT while a batch is on its way."""
    arrived = threading.Event()

    def batch(one):
        if one.path.endswith("_bulk_action"):
            arrived.set()
            return True
        return False

    kibana.script("latency", seconds=1, when=batch)
    with person.start("attach", "--all") as process:
        assert arrived.wait(60)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)

    assert process.returncode == Exit.INTERRUPTED
    assert len(json.loads(out)["plan"]) == RULES
    assert kibana.api_key.encode() not in out + err
    assert b"Traceback" not in err
    assert person.attach() is Exit.DONE
    assert person.ours() == [1] * RULES


def test_a_rule_that_is_refused_for_good_is_not_waited_for(person, kibana):
    """No second attempt changes what the licence says."""
    kibana.fail_rule(kibana.add_rule("Bad"), "no", "MACHINE_LEARNING_AUTH")

    assert person.attach() is Exit.INCOMPLETE
    assert person.waits == []
