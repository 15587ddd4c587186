"""The fault table, run: nothing is lost, the log says what to do, and the administrator sees what the table says."""

from __future__ import annotations

import pytest

from tests.faults import clocks, worlds
from tests.faults.table import HOSTS, TENANTS, TIMES

CASES = [case for fault in TENANTS for case in fault.each()]


@pytest.mark.parametrize("half", [0, 1])
def test_faults_of_tenants(scene, half):
    """All at once, each at a tenant of its own: through the forwarder, and for actions that deliver by themselves."""
    assert worlds.run(scene, CASES[half::2]) == []


@pytest.mark.parametrize("fault", HOSTS, ids=lambda fault: fault.fault)
def test_fault_of_the_host(scene, fault):
    """Proxy, trust and splunkd concern every tenant, so each has a host of its own."""
    assert worlds.run(scene, [fault]) == []


@pytest.mark.parametrize("fault", TIMES, ids=lambda fault: fault.fault)
def test_fault_of_the_clock(scene, fault):
    """A day passes, or a year, either way."""
    assert clocks.with_a_clock(scene, fault) == []
