"""What the tests of the Elastic side share: a Kibana, and a tenant that it sends to. Must not hold a test."""

from __future__ import annotations

import pytest

from tests.elastic.standins.kibana import Kibana


@pytest.fixture
def kibana():
    """A Kibana 9.2 with a gold licence, over plain http on loopback."""
    with Kibana() as found:
        yield found
