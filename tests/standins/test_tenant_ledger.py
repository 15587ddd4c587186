"""The tenant's checks over several requests fail where a promise is broken, and only there.

It must not open a socket: records are made by hand.
"""

from __future__ import annotations

import json

import pytest

from tests.standins import tenant_ledger
from tests.standins.test_tenant_contract import sample

FIRING = "2f6c1b0e9d4a7f13c5b8"


class Came:
    """A record as the ledger sees it."""

    def __init__(self, body):
        """A request with a whole JSON body."""
        self.body = json.dumps(body).encode()
        self.json = body
        self.headers = {"idempotency-key": body["id"]}


def batch(index, offset, rows, *, last=False, truncated=False, firing=FIRING, count=6):
    """A batch of `rows` rows that are told apart by their place."""
    body = sample("every-row.json")
    body["id"] = f"{firing}.{offset}.{rows}"
    body["result_count"] = count
    body["results"] = [{"n": str(offset + place)} for place in range(rows)]
    body["batch"] = {"index": index, "offset": offset, "rows": rows, "last": last}
    if truncated:
        body["batch"]["truncated"] = True
    return Came(body)


WHOLE = [batch(0, 0, 3), batch(1, 3, 2), batch(2, 5, 1, last=True)]


def numbers(records, kept_back=()):
    """The places of the rows of the only firing."""
    (firing,) = tenant_ledger.firings(records, kept_back)
    return [int(row["n"]) for row in firing.rows]


def test_batches_are_put_together_in_order():
    """One firing, complete, all rows."""
    assert numbers(WHOLE) == [0, 1, 2, 3, 4, 5]
    (firing,) = tenant_ledger.firings(WHOLE)
    assert (firing.id, firing.complete, firing.truncated) == (FIRING, True, False)
    assert firing.head["search_name"] == "Failed SSH Logins"


def test_a_firing_without_its_last_batch_is_not_complete():
    """So far it fits."""
    (firing,) = tenant_ledger.firings(WHOLE[:2])
    assert not firing.complete


def test_a_batch_that_came_again_counts_once():
    """Delivery is at least once, under one id."""
    assert numbers([WHOLE[0], WHOLE[0], *WHOLE[1:], WHOLE[2]]) == [0, 1, 2, 3, 4, 5]


def test_firings_may_be_interleaved():
    """Several workers deliver several alerts."""
    other = [batch(0, 0, 6, last=True, firing="0" * 20)]
    found = tenant_ledger.firings([WHOLE[0], *other, *WHOLE[1:]])
    assert [firing.id for firing in found] == [FIRING, "0" * 20]


def test_the_first_row_form_is_complete_by_itself():
    """One row, or none; a connection test is no alert."""
    body = sample("first-row.json")
    empty = dict(body, id="0" * 20, results={}, result_count=0)
    found = tenant_ledger.firings([Came(body), Came(sample("test.json")), Came(empty)])
    assert [(firing.rows, firing.complete) for firing in found] == [([body["results"]], True), ([], True)]


@pytest.mark.parametrize(
    ("records", "why"),
    [
        ([WHOLE[0], batch(1, 4, 2, last=True)], "offset 4 where 3"),
        ([WHOLE[0], batch(1, 2, 4, last=True)], "offset 2 where 3"),
        ([WHOLE[0], batch(2, 3, 3, last=True)], "index 2 where 1"),
        ([WHOLE[1]], "index 1 where 0"),
        ([WHOLE[1], WHOLE[0]], "index 1 where 0"),
        ([*WHOLE, batch(3, 6, 1, last=True)], "after the last"),
        ([WHOLE[0], batch(1, 3, 2, last=True)], "5 rows of 6"),
        ([WHOLE[0], batch(1, 3, 3, last=True, count=7)], "head changed"),
    ],
)
def test_batches_that_do_not_fit_are_found(records, why):
    """Gap, overlap, wrong index or order, one too many, too few rows, another head."""
    with pytest.raises(AssertionError, match=why):
        tenant_ledger.firings(records)


def test_rows_may_be_missing_when_the_last_batch_says_so():
    """Splunk's cap, or a broken file."""
    (firing,) = tenant_ledger.firings([WHOLE[0], batch(1, 3, 1, last=True, truncated=True)])
    assert firing.truncated


def test_a_row_that_was_kept_back_leaves_the_only_gap():
    """As after a 413 for a single row; without being told it is a gap."""
    records = [WHOLE[0], batch(1, 4, 2, last=True, truncated=True)]
    assert numbers(records, kept_back=[3]) == [0, 1, 2, 4, 5]
    with pytest.raises(AssertionError, match="offset 4 where 3"):
        tenant_ledger.firings(records)


def test_an_id_with_two_bodies_is_found():
    """The same bytes again are fine, one other byte is not."""
    tenant_ledger.assert_no_id_with_two_bodies([WHOLE[0], WHOLE[0], WHOLE[1]])
    changed = dict(WHOLE[0].json, severity="low")
    with pytest.raises(AssertionError, match="two different bodies"):
        tenant_ledger.assert_no_id_with_two_bodies([WHOLE[0], Came(changed)])


def test_an_alert_under_two_ids_is_found():
    """By its whole body, or by what the test says makes it one."""
    one, again = sample("first-row.json"), dict(sample("first-row.json"), id="0" * 20)
    tenant_ledger.assert_no_alert_under_two_ids([Came(one), Came(one), *WHOLE])
    with pytest.raises(AssertionError, match="under the ids"):
        tenant_ledger.assert_no_alert_under_two_ids([Came(one), Came(again)])
    other = dict(again, severity="low")
    tenant_ledger.assert_no_alert_under_two_ids([Came(one), Came(other)])
    with pytest.raises(AssertionError, match="under the ids"):
        tenant_ledger.assert_no_alert_under_two_ids([Came(one), Came(other)], key=lambda body: body["search"]["sid"])


def test_connection_tests_are_no_alerts_under_two_ids():
    """Each has a new id."""
    test = sample("test.json")
    tenant_ledger.assert_no_alert_under_two_ids([Came(test), Came(dict(test, id="test-another-test"))])
