"""What the tests of the Elastic side share: a Kibana, and a tenant that it sends to. Must not hold a test."""

from __future__ import annotations

import pytest

from tests.elastic.standins.kibana import Kibana
from tests.elastic.standins.tenant import ElasticTenant


@pytest.fixture
def kibana():
    """A Kibana 9.2 with a gold licence, over plain http on loopback."""
    with Kibana() as found:
        yield found


@pytest.fixture
def impatient(monkeypatch):
    """Commands that do not wait before they ask Kibana again."""
    monkeypatch.setattr("parapet_elastic.waits.seconds", lambda attempt, retry_after: 0)


@pytest.fixture
def tenant():
    """A tenant over plain http on loopback."""
    with ElasticTenant(None, tls=False) as found:
        yield found
