"""What every test shares: the app as it is packaged, certificates, a scene, and a closed world. Must not hold a test."""

from __future__ import annotations

import compileall
import os
import socket
import sys
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "parapet_security" / "bin"))
sys.path.insert(0, str(ROOT / "elastic"))

from build_tools import package as packaging  # noqa: E402  the product's own path comes first
from tests.log_lines import undeclared  # noqa: E402
from tests.scene import Scene  # noqa: E402
from tests.standins.certs import Certs  # noqa: E402

# How long an input takes says nothing here: the tests share two cores with each other.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")


# parapet-elastic is no part of the app, and needs Python 3.9.
collect_ignore = ["elastic"] if sys.version_info < (3, 9) else []


@pytest.fixture(scope="session")
def app_tree(tmp_path_factory):
    """The app unpacked from the package, as customers install it, and compiled, so that not every installation's first process does it."""
    package = os.environ.get("PARAPET_SPL")
    folder = tmp_path_factory.mktemp("app")
    if package:
        with tarfile.open(package) as archive:
            # The filter became a must in newer Pythons, and is unknown to older ones.
            safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
            archive.extractall(str(folder), **safe)  # noqa: S202  our own package
    else:
        packaging.stage(folder)
    app = folder / "parapet_security"
    assert compileall.compile_dir(str(app), quiet=2)
    return app


@pytest.fixture(scope="session")
def certs(tmp_path_factory):
    """One authority and its certificates for the whole run."""
    return Certs(tmp_path_factory.mktemp("certs"))


@pytest.fixture
def scene(tmp_path, app_tree, certs):
    """An installation with one tenant, configured by an administrator."""
    with Scene(tmp_path / "splunk", app_tree, certs) as found:
        yield found
    assert undeclared(found.home.log) == []


@pytest.fixture
def bare_scene(tmp_path, app_tree, certs):
    """An installation that nobody has configured."""
    with Scene(tmp_path / "splunk", app_tree, certs, tenant=False) as found:
        yield found
    assert undeclared(found.home.log) == []


@pytest.fixture(autouse=True)
def closed_world(monkeypatch):
    """No test of ours talks to anything but this machine, nor sees the developer's environment."""
    for name in (
        "SPLUNK_HOME",
        "PARAPET_OUTBOX",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "http_proxy",
        "https_proxy",
        "REQUESTS_CA_BUNDLE",
        "SSL_CERT_FILE",
    ):
        monkeypatch.delenv(name, raising=False)
    real = socket.socket.connect

    def connect(self, address):
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test connects to {address[0]}")
        return real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
