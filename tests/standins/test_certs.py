"""The stand-ins' certificates fail or pass a real handshake for the reason they are made for.

It must not look into the certificates: a client's verdict is what counts.
"""

from __future__ import annotations

import pathlib
import socket
import ssl

import pytest

from tests.standins.tenant import Tenant


def _handshake(certs, certificate, host="localhost"):
    context = ssl.create_default_context(cafile=certs.ca_file)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with Tenant(certs) as tenant:
        tenant.use(certificate)
        client = socket.create_connection(("127.0.0.1", tenant.port), 10)
        with client, context.wrap_socket(client, server_hostname=host) as secure:
            return secure.version()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_the_good_certificate_passes_strict_verification(certs, host):
    """Python 3.13's default flags take it, for both names."""
    assert _handshake(certs, certs.server, host).startswith("TLSv1.")


@pytest.mark.parametrize(
    ("name", "code"),
    [("other_host", 62), ("expired", 10), ("unknown_ca", 20), ("self_signed", 18)],
)
def test_a_bad_certificate_fails_for_its_own_reason(certs, name, code):
    """The codes are OpenSSL's X509_V_ERR_*."""
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        _handshake(certs, getattr(certs, name))
    assert caught.value.verify_code == code


def test_the_files_with_keys_are_readable_by_their_owner_only(certs):
    """As a server's would be."""
    assert pathlib.Path(certs.server.pem).stat().st_mode & 0o777 == 0o600
