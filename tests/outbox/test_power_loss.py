"""The power fails after any call of a real run: whatever the disk may hold then, the product goes on, and what it had promised holds.

Must not test the kernel or a disk: what may be there is worked out from the record (`tests/crash/disk_model`), as POSIX would allow it.
With PARAPET_CRASH from every one of these states; without it from one, which is drawn, for each call.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from pathlib import Path

import pytest
from parapet.message import Facts
from parapet.outbox import Outbox

from tests.crash import ROUNDS, chance
from tests.crash.disk_model import Disk
from tests.crash.host import LONG_S, Host, Webhook, litter, quick_folder, status, write_tree
from tests.crash.scenario import LARGE_ROW, LIMIT, Run, answer
from tests.outbox.conftest import put
from tests.standins import tenant_ledger

SAMPLES = 10 if ROUNDS else 1

# After the power cut it takes what it took before, or larger bodies too: what was cut in two must stay so. Where names are lost out of
# order a state can go before its alert, and then everything is made anew: it is the same where the tenant and splunkd say the same.
TENANTS = (
    lambda body, _url: status(answer(body)),
    lambda body, _url: status(answer(body) if answer(body) != 413 else 200),
)

pytestmark = pytest.mark.timeout(3600 if ROUNDS else 300)


class World:
    """What had happened outside of the disk, up to a moment."""

    def __init__(self):
        """Nothing yet."""
        self.reported, self.let_go, self.sent, self.accepted = set(), set(), {}, []

    def see(self, record):
        """One more record."""
        what = record["what"]
        if what == "reported":
            self.reported.add(record["sid"])
        elif what == "let_go":
            self.let_go.add(record["sid"])
        elif what == "sent":
            self.sent[record["key"]] = record["body"].encode()
        elif what == "accepted":
            self.accepted.append(record["key"])

    def copy(self):
        """The world as it is now."""
        found = World()
        found.reported, found.let_go = set(self.reported), set(self.let_go)
        found.sent, found.accepted = dict(self.sent), list(self.accepted)
        return found

    @property
    def key(self):
        """Tells one world from another."""
        return len(self.reported), len(self.let_go), len(self.sent), len(self.accepted)


def cuts(run, draw):
    """Every state in which the disk may be found, once: (number of the cut, world, state, whether a journal allows it)."""
    disk, world, known = Disk(run.root), World(), set()
    for number, record in enumerate(run.records):
        if record["what"] in ("reported", "let_go", "sent", "accepted"):
            world.see(record)
        else:
            disk.do(record)
        for tree, is_ordered in disk.states(draw, SAMPLES):
            identity = hash((world.key, is_ordered, tuple(tree.items())))
            if identity not in known:
                known.add(identity)
                yield number, world.copy(), tree, is_ordered


@pytest.fixture(scope="module")
def run(tmp_path_factory, app_tree, certs):
    """One recorded run for all tests."""
    return Run(tmp_path_factory.mktemp("power"), app_tree, certs)


def test_record_holds_everything_that_the_outbox_is_for(run):
    """A simulation of half a run would prove half of it."""
    places = {
        (record["what"], Path(path).parent.name)
        for record in run.records
        for path in record.get("paths", [record.get("path") or record.get("folder", "").rstrip("/") + "/x"])
    }
    for folder in ("new", "pending", "dead", "holds"):
        assert ("fsync", folder) in places
        assert ("unlink", folder) in places
    assert {("replace", folder) for folder in ("new", "pending", "dead", "holds", "requests", "outbox")} <= places


def test_whatever_a_power_cut_leaves_the_product_keeps_its_promises(run, monkeypatch):
    """Reported alerts are there or delivered, repeats have their first bytes, and no state of the disk stops anybody."""
    draw = chance()
    found = list(cuts(run, draw))
    chosen = (
        found if ROUNDS else [draw.choice(list(same)) for _, same in itertools.groupby(found, lambda item: item[0])]
    )
    for number, world, tree, is_ordered in chosen:
        with quick_folder() as root, _told(run, number, tree):
            write_tree(root, tree)
            webhook = Webhook(draw.choice(TENANTS) if is_ordered else TENANTS[0])
            facts = None if is_ordered else _facts(run)
            _start_again(root / "parapet_security" / "outbox", world, webhook, facts, monkeypatch)
    print(len(run.records), "records,", len(found), "states,", len(chosen), "started from")  # noqa: T201  for the docs
    assert len({number for number, *_ in found}) > len(run.records) // 2


def _facts(run):
    """What splunkd said in the run."""
    bodies = (json.loads(record["body"]) for record in run.records if record["what"] == "sent")
    splunk = next(bodies)["splunk"]
    return Facts(server_guid=splunk["guid"], server_version=splunk["version"])


def _start_again(root, world, webhook, facts, monkeypatch):
    webhook.sent.update(world.sent)
    # The next alert that fires is the first to see what is left.
    name = put(Outbox(str(root)), search_name="Next")
    host = Host(root, webhook, monkeypatch, facts=facts, max_body_bytes=LIMIT)
    assert [row for row in host.listed() if row["state"] == "unreadable"] == []
    host.settle()
    host.clock.turn(LONG_S)
    host.close()
    after = Host(root, webhook, monkeypatch, clock=host.clock, facts=facts, max_body_bytes=LIMIT)
    after.run()
    after.close()
    assert after.waiting() == []
    assert litter(root) == []
    assert [row for row in after.listed() if row["state"] == "unreadable"] == []
    for text in (host.log_text, after.log_text):
        for event in ("process.bug", "outbox.failed", "outbox.swept", "outbox.too_new"):
            assert f"event={event} " not in text
    assert name[14:] in webhook.accepted
    _check_promises(after, webhook, world)


def _check_promises(host, webhook, world):
    accepted = [json.loads(webhook.sent[key].decode()) for key in world.accepted + webhook.accepted]
    dead = host.dead()
    dead_sids = {alert.sid for alert in dead.values()}
    for sid in world.reported - world.let_go:
        bodies = [body for body in accepted if body["search"]["sid"] == sid]
        firings = tenant_ledger.firings([_Accepted(body) for body in bodies], {LARGE_ROW} if _is_cut(bodies) else ())
        assert sid in dead_sids or (firings and firings[0].complete), f"{sid} is lost"
        if _is_cut(bodies) and "row" not in world.let_go:
            assert any(alert.sid == sid and alert.row["src_ip"] == f"10.0.0.{LARGE_ROW}" for alert in dead.values())


class _Accepted:
    def __init__(self, body):
        self.json = body


def _is_cut(bodies):
    return any(body.get("batch", {}).get("truncated") for body in bodies)


@contextlib.contextmanager
def _told(run, number, tree):
    """A failure says where the power failed, and what was on the disk."""
    try:
        yield
    except BaseException as error:
        before = "\n".join(_short(record) for record in run.records[max(number - 14, 0) : number + 1])
        held = "\n".join(f"  {path} {'/' if data is None else len(data)}" for path, data in sorted(tree.items()))
        raise AssertionError(f"{error!r}\nafter record {number}, the last of\n{before}\nwith\n{held}") from error


def _short(record):
    return " ".join(f"{name}={str(value)[-150:]}" for name, value in record.items() if name not in ("data", "body"))
