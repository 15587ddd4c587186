"""What the tests of the splunkd stand-in share: fixtures, paths, and a caller.

Must not be used by the product's tests.
"""

from __future__ import annotations

import pytest
import requests

from tests.standins.fake_app import write_app
from tests.standins.splunk_home import SplunkHome
from tests.standins.splunkd import Splunkd

APP = "/servicesNS/nobody/parapet_security"
PASSWORDS = APP + "/storage/passwords"
MAIN = PASSWORDS + "/parapet_security%3Amain%3A"
CONF = APP + "/configs/conf-parapet_security"
DELIVER = "/services/parapet_security/deliver"
SECRET = "pst_canary"  # a canary


@pytest.fixture(name="home")
def home_fixture(tmp_path):
    """A Splunk home with the tiny app."""
    home = SplunkHome(tmp_path / "splunk")
    home.install(write_app(tmp_path / "source"))
    return home


@pytest.fixture(name="splunkd")
def splunkd_fixture(home):
    """A splunkd on that home."""
    with Splunkd(home) as splunkd:
        yield splunkd


@pytest.fixture(name="call")
def call_fixture(splunkd):
    """A caller of that splunkd."""
    with requests.Session() as http:
        http.trust_env = False
        yield Caller(splunkd, http)


class Caller:
    """Calls splunkd as a user, in JSON."""

    def __init__(self, splunkd, http):
        """Log in when first needed."""
        self.splunkd, self.http = splunkd, http
        self.keys = {}

    def __call__(self, method, path, data=None, user="admin", key=None, **params):
        """Make one request with the user's session, or with `key`."""
        if key is None:
            if user not in self.keys:
                self.keys[user] = self.splunkd.system_session() if user == "system" else self.splunkd.session(user)
            key = self.keys[user]
        return self.http.request(
            method,
            self.splunkd.uri + path,
            params={"output_mode": "json", **params},
            data=data,
            headers={"Authorization": "Splunk " + key},
            verify=False,
            timeout=10,
        )


def texts(response):
    """The messages' texts."""
    return [one["text"] for one in response.json()["messages"]]
