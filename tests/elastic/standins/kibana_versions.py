"""What a version of Kibana can and cannot do, from contract/kibana.md. Must not know a request."""

from __future__ import annotations

LICENCES = ("basic", "standard", "gold", "platinum", "enterprise", "trial")


class Version:
    """A version of Kibana, as in "9.2.0".

    Attributes:
        text: As given.
        pair: (major, minor).
        serverless: Whether it is Elastic's serverless Kibana, which counts as the newest.
    """

    def __init__(self, text, *, serverless=False):
        """Read the version's text."""
        self.text = text
        self.pair = tuple(int(part) for part in text.split(".")[:2])
        self.serverless = serverless

    def from_on(self, major, minor):
        """Whether this is `major.minor` or newer."""
        return self.serverless or self.pair >= (major, minor)

    @property
    def own_ids(self):
        """Connectors can be created with an id of one's own (elastic/kibana#155392)."""
        return self.from_on(8, 8)

    @property
    def tls_options(self):
        """Whether .webhook knows authType, certificates and verificationMode.

        They are documented for 8.14; the first version is not confirmed, so the stand-in has them late.
        """
        return self.from_on(8, 14)

    @property
    def secret_headers(self):
        """Whether .webhook has encrypted headers, and OAuth2 (elastic/kibana#230042, #238367)."""
        return self.from_on(9, 2)

    @property
    def all_methods(self):
        """Whether .webhook may get, patch and delete (elastic/kibana#238072)."""
        return self.from_on(9, 3)

    @property
    def prebuilt_can_be_patched(self):
        """Whether PATCH takes a prebuilt rule; before customisation came (8.18) that is not confirmed, so refused."""
        return self.from_on(8, 18)

    @property
    def whole_summaries(self):
        """Whether a summary holds all alerts of the run and not only the first hundred (elastic/kibana#209025)."""
        return self.from_on(8, 18)

    @property
    def guards_internal_routes(self):
        """Whether routes under /internal want Elastic's own header (server.restrictInternalApis, 9.0)."""
        return self.from_on(9, 0)
