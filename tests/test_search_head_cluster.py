"""A search head cluster of three members: three Splunk homes that do not know each other, and one tenant. Must not share an outbox."""

from __future__ import annotations

import contextlib

import pytest

from tests.scene import Scene, failed_logins, wait_until
from tests.standins.splunk import Splunk
from tests.standins.splunkd import Splunkd
from tests.standins.tenant import Answer, Tenant

ALERTS = 9


@pytest.fixture
def tenant(certs):
    """The one tenant of all members."""
    with Tenant(certs) as found:
        yield found


@pytest.fixture
def members(tmp_path, app_tree, certs, tenant):
    """Three members with the same configuration, as the cluster replicates it, each with its forwarder."""
    with contextlib.ExitStack() as stack:
        found = [
            stack.enter_context(Scene(tmp_path / f"member{number}", app_tree, certs, tenant=False))
            for number in range(3)
        ]
        for member in found:
            member.configure({"ca_file": certs.ca_file, "retry_first": "0.1", "retry_max": "0.2", "hold_retry": "1"})
            member.add_tenant("main", tenant.url, tenant.token)
            member.start_forwarder()
        yield found


def kill(member):
    """The machine of a member is gone: splunkd and what it had started."""
    member.forwarder.kill()
    member.splunkd.close()


def bring_back(member):
    """The same home, started again: splunkd at another address, and with it the forwarder."""
    member.splunkd = member.enter_context(Splunkd(member.home, python=member.python))
    member.splunk = Splunk(member.home, server_uri=member.splunkd.uri, python=member.python)
    member.start_forwarder()


def sids(requests):
    """The searches that these requests are of, in order."""
    return [record.json["search"]["sid"] for record in requests]


def fire(members, count):
    """So many alerts, spread over the members as the captain does; returns their sids by member."""
    found = [[] for _ in members]
    for number in range(count):
        search = failed_logins()
        place = number % len(members)
        assert members[place].fire(search).exit_code == 0
        found[place].append(search.sid)
    return found


def test_what_a_dead_member_holds_arrives_when_it_comes_back_and_the_others_do_not_wait(members, tenant):
    """Its outbox is its own; the captain gives later alerts to the members that are left. Nothing is lost, nothing comes twice."""
    tenant.always(Answer(503))
    before = fire(members, ALERTS)
    for member in members:
        wait_until(lambda member=member: member.entries("pending"), "a first attempt", scene=member)
    gone, left = members[2], members[:2]
    kill(gone)
    tenant.always(Answer())
    after = fire(left, ALERTS)
    for member in left:
        member.wait_until_empty()
    arrived = sids(tenant.accepted)
    assert sorted(arrived) == sorted(before[0] + before[1] + after[0] + after[1])
    assert len(gone.entries("new") + gone.entries("pending")) == len(before[2])
    bring_back(gone)
    gone.wait_until_empty()
    assert sorted(sids(tenant.accepted)[len(arrived) :]) == sorted(before[2])
    tenant.assert_no_id_with_two_bodies()
    tenant.assert_no_alert_under_two_ids(lambda body: body["search"]["sid"])
