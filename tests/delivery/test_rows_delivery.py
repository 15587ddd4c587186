"""Every row of an alert: batches, what is too large, and a delivery that ends in the middle."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pytest

from tests.delivery import answers
from tests.delivery.answers import fire, is_alert, lines, wait_for_line
from tests.scene import decode, failed_logins, wait_until
from tests.standins.tenant import Answer

SMALLEST = 16384


def rows(count, width=1000):
    """Rows with a multivalue field, each of about `width` bytes."""
    return [
        {"_time": "1769613900", "n": str(number), "user": ["guest", f"user{number}"], "text": "x" * width}
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def shared(tmp_path_factory, app_tree, certs):
    """One scene for the tests that leave nothing behind."""
    folder = tmp_path_factory.mktemp("shared") / "splunk"
    with answers.running(folder, app_tree, certs, max_body_bytes=str(SMALLEST)) as scene:
        yield scene


def deliver(scene, name, **search):
    """Fire an alert for all rows and wait for its end; returns its Firing as the tenant put it together."""
    fire(scene, name, params={"send": "all"}, **search)
    wait_for_line(scene, "delivery.delivered", name)
    scene.tenant.assert_no_id_with_two_bodies()
    assert scene.tenant.refusals == []
    return next(firing for firing in scene.tenant.firings() if firing.head["search_name"] == name)


def test_every_row_arrives_in_order_and_in_bodies_of_the_size_that_is_set(shared):
    """Values are what Splunk had, multivalue fields are lists, no body is larger than max_body_bytes."""
    firing = deliver(shared, "many", rows=rows(100))
    assert [row["n"] for row in firing.rows] == [str(number) for number in range(100)]
    assert firing.rows[7]["user"] == ["guest", "user7"]
    assert firing.rows[7]["_time"] == "2026-01-28T15:25:00Z"
    assert (firing.complete, firing.truncated, firing.head["result_count"]) == (True, False, 100)
    bodies = answers.sent(shared.tenant, "many")
    assert len(bodies) >= 7
    assert all(len(record.body) <= SMALLEST for record in bodies)
    assert all(len(record.body) > SMALLEST - 3000 for record in bodies[:-1])


def test_no_row_at_all_is_an_empty_last_batch(shared):
    """The alert fired all the same."""
    firing = deliver(shared, "none", rows=[])
    assert (firing.rows, firing.complete, firing.truncated) == ([], True, False)


@pytest.mark.parametrize(
    ("name", "search", "expected", "truncated"),
    [
        ("absent", {"no_file": True}, 1, True),
        ("capped", {"result_count": 900}, 5, True),
        ("one row", {"rows": rows(1)}, 1, False),
    ],
)
def test_rows_that_are_missing_are_called_truncated(shared, name, search, expected, truncated):
    """Splunk's file is not there, or holds fewer rows than the search had."""
    firing = deliver(shared, name, **{"rows": rows(5), **search})
    assert (len(firing.rows), firing.truncated) == (expected, truncated)


@pytest.mark.parametrize("keep", [0.5, 0.0, -1.0], ids=["cut", "empty", "not gzip"])
def test_results_file_that_breaks_is_used_up_to_the_break(shared, keep):
    """A break in the middle leaves the rows before it; what cannot be read at all leaves the payload's row."""
    name = f"broken {keep}"
    search = broken(shared, name, keep)
    session = shared.splunkd.session("admin")
    shared.splunk.write_files = lambda *_args: None
    try:
        assert shared.splunk.fire(search, session).exit_code == 0
    finally:
        del shared.splunk.write_files
    wait_for_line(shared, "delivery.delivered", name)
    firing = next(firing for firing in shared.tenant.firings() if firing.head["search_name"] == name)
    assert firing.truncated
    assert [row["n"] for row in firing.rows] == [str(number) for number in range(len(firing.rows))]
    if keep > 0:
        assert 1 < len(firing.rows) < 400
        assert lines(shared, "results.broken", "")
    else:
        assert len(firing.rows) == 1
        assert lines(shared, "results.unreadable", "")
    assert shared.tenant.refusals == []


def broken(scene, name, keep):
    """A search whose results file is cut after a part of it (0: at once), or is no gzip (-1)."""
    search = failed_logins(name=name, rows=rows(400), params={"send": "all"})
    scene.splunk.write_files(search)
    path = search.results_file(scene.home, None)
    data = path.read_bytes()
    path.write_bytes(b"this is no gzip\n" if keep < 0 else data[: int(len(data) * keep)])
    return search


def test_each_result_of_a_per_result_alert_is_an_alert_of_its_own(scene):
    """One row each; none is called truncated, as the other rows of the search come by themselves."""
    scene.start_forwarder()
    search = failed_logins(name="each", rows=rows(3), digest=False, params={"send": "all"})
    fired = scene.splunk.fire_each(search, scene.splunkd.session("admin"))
    assert [one.exit_code for one in fired] == [0, 0, 0]
    scene.wait_until_empty()
    bodies = [decode(record) for record in scene.tenant.accepted]
    assert sorted(row["n"] for body in bodies for row in body["results"]) == ["0", "1", "2"]
    assert len({body["id"] for body in bodies}) == 3
    for body in bodies:
        assert body["batch"] == {"index": 0, "offset": 0, "rows": 1, "last": True}
    assert scene.tenant.refusals == []


def test_every_chunk_of_an_ad_hoc_sendalert_arrives(shared):
    """`| sendalert` runs the action once for each chunk, under one sid and one file name."""
    search = failed_logins(ad_hoc=True, params={"send": "all"})
    for chunk in range(3):
        search.rows = [{"chunk": str(chunk), "n": str(number)} for number in range(10)]
        assert shared.fire(search).exit_code == 0
    wanted = {(str(chunk), str(number)) for chunk in range(3) for number in range(10)}

    def got():
        firings = [firing for firing in shared.tenant.firings() if firing.head["search_name"] == "Unknown"]
        return {(row["chunk"], row["n"]) for firing in firings for row in firing.rows}

    wait_until(lambda: got() == wanted, "all thirty rows", 15, shared)
    assert not any(f.truncated for f in shared.tenant.firings() if f.head["search_name"] == "Unknown")


def test_413_halves_until_it_fits(shared):
    """The tenant takes less than is configured: every row arrives, and no id has two bodies."""
    shared.tenant.max_bytes = 4096
    try:
        fire(shared, "halved", rows=rows(40), params={"send": "all"})
        wait_for_line(shared, "delivery.delivered", "halved")
    finally:
        shared.tenant.max_bytes = 1048576
    firing = next(firing for firing in shared.tenant.firings() if firing.head["search_name"] == "halved")
    assert [row["n"] for row in firing.rows] == [str(number) for number in range(40)]
    assert (firing.complete, firing.truncated) == (True, False)
    shared.tenant.assert_no_id_with_two_bodies()
    refused = [record for record in answers.sent(shared.tenant, "halved") if record.status == 413]
    assert 2 <= len(refused) <= 4


def test_row_that_is_too_large_is_a_dead_letter_of_its_own(scene):
    """The other rows go, the last batch says truncated, and the row can be retried by itself later."""
    scene.tenant.max_bytes = 8192
    scene.start_forwarder()
    found = rows(12, 300)
    found[5]["text"] = found[11]["text"] = "y" * 20000
    fire(scene, "with giants", rows=found, params={"send": "all"})
    wait_for_line(scene, "delivery.delivered", "with giants")
    (firing,) = scene.tenant.firings(kept_back=(5, 11))
    assert [row["n"] for row in firing.rows] == [str(number) for number in range(12) if number not in (5, 11)]
    assert (firing.complete, firing.truncated, firing.head["result_count"]) == (True, True, 12)
    scene.tenant.assert_no_id_with_two_bodies()
    assert len(scene.entries("dead")) == len(lines(scene, "delivery.row_dead", "with giants")) == 2
    scene.tenant.max_bytes = 1048576
    for entry in scene.entries("dead"):
        (scene.outbox / "requests" / (entry[14:34] + ".retry")).touch()
    wait_until(lambda: not scene.entries("dead"), "no dead letters", 15, scene)
    scene.wait_until_empty()
    alone = [decode(record)["results"] for record in scene.tenant.accepted if b"yyyy" in record.body]
    assert sorted(row["n"] for row in alone) == ["11", "5"]
    assert all(record.refusal is None or record.refusal.endswith("are taken") for record in scene.tenant.requests)


def test_delivery_that_was_killed_in_the_middle_goes_on_where_it_was(scene):
    """What was acknowledged is not sent again; the batch without an answer goes again under its own id."""
    scene.configure({"max_body_bytes": str(SMALLEST)})
    scene.start_forwarder()
    scene.tenant.script(Answer(), Answer(), Answer(delay=60))
    fire(scene, "killed", rows=rows(60), params={"send": "all"})
    scene.tenant.wait_for(3)
    scene.forwarder.kill()
    scene.start_forwarder()
    wait_for_line(scene, "delivery.delivered", "killed")
    (firing,) = scene.tenant.firings()
    assert [row["n"] for row in firing.rows] == [str(number) for number in range(60)]
    keys = [record.headers["idempotency-key"] for record in scene.tenant.requests]
    assert keys.count(keys[0]) == keys.count(keys[1]) == 1
    assert keys[3] == keys[2]
    scene.tenant.assert_no_id_with_two_bodies()


def test_memory_does_not_follow_the_number_of_rows(scene):
    """Twenty times the rows, the same forwarder."""
    scene.configure({"max_body_bytes": "65536"})
    pid = scene.start_forwarder().process.pid
    scene.tenant._strict = False  # the schema takes longer than the delivery
    peaks = []
    for count in (10000, 200000):
        search = big(scene, count)
        scene.splunk.write_files = lambda *_args: None
        try:
            assert scene.splunk.fire(search, scene.splunkd.session("admin")).exit_code == 0
        finally:
            del scene.splunk.write_files
        wait_for_line(scene, "delivery.delivered", search.name, 120)
        peaks.append(peak_kib(pid))
    assert peaks[1] - peaks[0] < 4096, peaks
    sizes = [decode(record)["batch"]["rows"] for record in scene.tenant.accepted if is_alert(record)]
    assert sum(sizes) == 210000


def big(scene, count):
    """A search with so many rows, whose results file is written without holding them."""
    search = failed_logins(name=f"{count} rows", rows=rows(1, 10), result_count=count, params={"send": "all"})
    path = search.results_file(scene.home, None)
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(str(path), "wb", 1) as packed, io.TextIOWrapper(packed, "utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["n", "host", "__mv_host"])
        writer.writerows((number, "a\nb", "$a$;$b$") for number in range(count))
    return search


def peak_kib(pid):
    """The most memory that a process has had, in KiB; skips where /proc does not tell."""
    try:
        with Path(f"/proc/{pid}/status").open(encoding="ascii") as stream:
            return next(int(line.split()[1]) for line in stream if line.startswith("VmHWM"))
    except OSError:
        pytest.skip("no /proc here")
