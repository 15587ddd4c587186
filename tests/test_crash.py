"""Durability with real processes: action, forwarder and both are killed at random moments, over a disk that fails now and then.

Must not know what they were at. `build.py test --crash N` kills N; `--seed` repeats the draws of a run.
"""

from __future__ import annotations

import os
import re

import pytest
from parapet.holder import Holder
from parapet.listing import Listing
from parapet.outbox import Outbox

from tests.crash import ROUNDS, chance
from tests.crash.mayhem import Mayhem
from tests.crash.scenario import ShimmedScene
from tests.scene import wait_until
from tests.standins.tenant import Answer, Mode

KILLS = ROUNDS or 50
# What the shim makes the disk say.
FAULTS = re.compile("No space left on device|Read-only file system")

pytestmark = pytest.mark.timeout(300 + 2 * KILLS)


@pytest.fixture
def scene(tmp_path, app_tree, certs):
    """A scene with small bodies and short waits, so that a few rows are several batches and everything happens often."""
    shim = {"SHIM_FAULT": str(tmp_path / "fault")}
    with ShimmedScene(tmp_path / "splunk", app_tree, certs, shim) as found:
        yield found


def test_nothing_is_lost_or_torn_whatever_is_killed(scene, tmp_path):
    """What was accepted, or stood in the outbox, reaches the tenant: whole, under one id, with one body for each id."""
    tenant = scene.tenant
    mayhem = Mayhem(scene, chance(), KILLS, tmp_path / "fault")
    tenant.when(lambda record: mayhem.draw() < 0.04, Answer(503))
    tenant.when(lambda record: mayhem.draw() < 0.04, Answer(mode=Mode.RESET))
    tenant.when(lambda record: mayhem.draw() < 0.2, Answer(delay=0.05))
    scene.make_forwarder()
    mayhem.run()
    _restart(scene)  # what a bad disk had put off is tried at once
    scene.wait_until_empty(60)
    left = _litter(scene)
    for path in left:
        os.utime(str(path), (0, 0))
    _restart(scene)  # what a killed one left is put in order at the next start, when it is an hour old
    wait_until(lambda: not _litter(scene), "nothing in the making", scene=scene)
    assert scene.forwarder.stop().exit_code == 0
    failed = scene.events("outbox.unavailable") + scene.events("outbox.failed") + scene.events("outbox.lock_failed")
    print(mayhem.kills, len(mayhem.fired), "fired,", len(failed), "faults,", len(left), "swept")  # noqa: T201  for the docs

    delivered = {firing.id: firing for firing in tenant.firings()}  # and no batch is missing or overlaps another
    sids = {firing.head["search"]["sid"] for firing in delivered.values()}
    accepted = {sid for sid, code in mayhem.fired.items() if code == 0}
    assert accepted, "no action was left alone"
    assert accepted - sids == set(), "an action said 0, and the tenant has nothing"
    assert mayhem.stored - set(delivered) == set(), "an entry was there, and the tenant has nothing"
    assert set(mayhem.fired.values()) <= {0, -9}
    tenant.assert_no_id_with_two_bodies()
    tenant.assert_no_alert_under_two_ids(lambda body: body["search"]["sid"])
    assert tenant.refusals == []
    assert failed, "the disk never failed"
    assert [line for _, line in failed if not FAULTS.search(line)] == []
    assert scene.events("outbox.swept") + scene.events("process.bug") + scene.events("alert.lost") == []
    assert list(Listing(Holder(Outbox(str(scene.outbox))), None, 0).entries()) == []
    assert list((scene.outbox / "pending").iterdir()) == []


def _litter(scene):
    return list(scene.outbox.rglob(".*"))


def _restart(scene):
    scene.forwarder.kill()
    before = len(scene.events("forwarder.started"))
    scene.forwarder.start()
    wait_until(lambda: len(scene.events("forwarder.started")) > before, "the forwarder is back", scene=scene)
