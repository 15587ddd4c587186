"""An entry whose deliverer is killed between any two of its steps. Must not need a process: each step is a call."""

from __future__ import annotations

import contextlib
import gzip

import pytest
from parapet.deliver import Means, Result, deliver
from parapet.message import Facts
from parapet.verdict import Answer

from tests.outbox.conftest import make_alert

ROWS = 40


class Killed(BaseException):
    """The process ends here."""


class Tenant:
    """Accepts bodies of so many bytes, and remembers each; ends its sender before one of its steps."""

    def __init__(self, holder, name, log, most_bytes):
        """Accept everything."""
        self.holder, self.name, self.log, self.most = holder, name, log, most_bytes
        self.bodies, self.accepted, self.steps_left = {}, [], 10**9

    def step(self):
        """One more step of the sender."""
        self.steps_left -= 1
        if self.steps_left < 0:
            raise Killed

    def post(self, body, key):
        """Take a body."""
        assert self.bodies.setdefault(key, body) == body, f"{key} has two bodies"
        answer = Answer(status=413 if len(body) > self.most else 200)
        if answer.status == 200 and key not in self.accepted:
            self.accepted.append(key)
        self.step()
        return answer

    def save(self, state, **how):
        """Note a state."""
        self.step()
        self.holder.save(self.name, state, **how)

    def means(self, entry):
        """What a delivery works with."""
        return Means(
            post=self.post,
            save=self.save,
            rows=lambda: self.holder.rows(entry),
            bury_row=lambda *row: self.step(),
            facts=Facts,
            stopped=lambda: False,
            log=self.log,
            limit=4000,
        )


@pytest.mark.parametrize("most_bytes", [10**6, 2500, 1100], ids=["all fit", "413 splits", "the last row is too large"])
def test_entry_goes_on_where_it_was_whatever_step_was_the_last(outbox, holder, log, tmp_path, most_bytes):
    """Every row once, one id never with two bodies, and no batch after the one that says it is the last."""
    results = tmp_path / "results.csv.gz"
    rows = "".join(f"10.0.0.{n},{'x' * 100}\n" for n in range(ROWS - 1)) + f"10.0.0.99,{'x' * 1500}\n"
    results.write_bytes(gzip.compress(("src_ip,note\n" + rows).encode()))
    for steps in range(200):
        alert = make_alert(steps, send="all", result_count=str(ROWS))
        name = outbox.put(alert, results_path=str(results), captured_ms=1)
        tenant = Tenant(holder, name, log, most_bytes)
        tenant.steps_left = steps
        with contextlib.suppress(Killed):
            deliver(holder.read(name), tenant.means(holder.read(name)))
        ended_at_once = tenant.steps_left >= 0
        tenant.steps_left = 10**9
        # Killed after its last step too, before the entry was removed: then everything is done once more.
        for _ in range(2):
            entry = holder.read(name)
            assert deliver(entry, tenant.means(entry)).result is Result.DELIVERED
        assert_batches_join(tenant.accepted, ROWS if most_bytes > 2000 else ROWS - 1)
        holder.remove(name)
        if ended_at_once:
            return
    raise AssertionError("more steps than were tried")


def assert_batches_join(keys, rows):
    """The accepted batches, as their ids tell, lie side by side, and nothing follows the last."""
    places = [tuple(map(int, key.split(".")[1:])) for key in keys]
    assert sum(count for _, count in places) == rows, places
    assert [offset for offset, _ in places] == sorted({offset for offset, _ in places}), places
    assert [place for place in places[:-1] if not place[1]] == [], places
    if rows == ROWS:
        assert places[-1][1], places
