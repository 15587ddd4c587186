"""A Parapet Security tenant that receives from Elastic. Must not forgive: what breaks the contract is refused."""

from __future__ import annotations

from tests.elastic.standins import elastic_contract
from tests.standins.tenant import Answer, Mode, Tenant

__all__ = ["Answer", "ElasticTenant", "Mode"]


class ElasticTenant(Tenant):
    """As Tenant, with Elastic's contract instead of Splunk's; `firings` and `rows` know Splunk's bodies only."""

    contract = elastic_contract

    @property
    def bodies(self):
        """The parsed bodies that were accepted, in order, without connection tests."""
        return [record.json for record in self.accepted if record.json != elastic_contract.TEST]
