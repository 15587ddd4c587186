"""The scene in which secrets are looked for. Must not hold a test."""

from __future__ import annotations

import pytest

from tests.process.canaries import PROXY_PASSWORD, Canaries
from tests.scene import PASSWORDS


@pytest.fixture
def canaries(scene):
    """A scene whose token is no ordinary word, with a handler, a proxy's password, and all session keys known."""
    scene.tenant.token = "pst_" + "canary0of1the2tenant3"
    scene.set_token("main", scene.tenant.token)
    scene.call("POST", PASSWORDS, name="kim", password=PROXY_PASSWORD, realm="parapet_security_proxy")
    scene.configure({"log_level": "DEBUG"})
    found = Canaries(scene, PROXY_PASSWORD)
    scene.splunkd.restart()
    return found
