"""TLS to a tenant: always verified, against one trust source, at 1.2 or later."""

from __future__ import annotations

import datetime as dt
import ipaddress
import shutil
import socket
import ssl
import warnings

import pytest

from tests.delivery.client import QUICK, client
from tests.standins.certs import Certificate
from tests.standins.tenant import Tenant

with warnings.catch_warnings():
    # cryptography says on Python 3.7 that it will leave 3.7 behind.
    warnings.simplefilter("ignore")
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import NameOID


@pytest.fixture
def tenant(certs):
    """A tenant over https."""
    with Tenant(certs) as found:
        yield found


@pytest.mark.parametrize("name", ["other_host", "expired", "unknown_ca", "self_signed"])
def test_certificate_that_does_not_verify_is_called_so(tenant, certs, name):
    """No byte of a request goes to such a server, and the words say what to do about it."""
    tenant.use(getattr(certs, name))
    with client(certs.ca_file, **QUICK) as post:
        answer = post(tenant.url)
    assert (answer.status, answer.error) == (None, "certificate")
    assert answer.detail.startswith("the certificate does not verify: ")
    assert tenant.requests == []


def test_private_authority_is_not_trusted_without_a_ca_file(tenant):
    """By default the bundle that ships with the app counts."""
    with client(**QUICK) as post:
        assert post(tenant.url).error == "certificate"


def test_certificate_is_verified_by_address_too(tenant, certs):
    """A URL with an IP address needs that address in the certificate."""
    by_address = tenant.url.replace("localhost", "127.0.0.1")
    with client(tenant.ca_file, **QUICK) as post:
        assert post(by_address).status == 200
        tenant.pause()
        tenant.use(certs.other_host)
        tenant.resume()
        assert post(by_address).error == "certificate"
    assert len(tenant.requests) == 1


def test_connection_that_was_verified_is_not_a_pass_for_the_next(tenant, certs):
    """Every new connection is verified anew, and a mended certificate is accepted at once."""
    with client(tenant.ca_file, **QUICK) as post:
        assert post(tenant.url).status == 200
        tenant.pause()
        tenant.use(certs.expired)
        tenant.resume()
        assert post(tenant.url).error == "certificate"
        tenant.use(certs.server)
        assert post(tenant.url).status == 200


@pytest.mark.parametrize("content", [None, b"", b"this is no certificate\n"])
def test_ca_file_that_cannot_be_used_is_named(tenant, tmp_path, content):
    """Absent, empty or no PEM: nothing is sent, and nothing else is trusted instead."""
    path = tmp_path / "own-ca.pem"
    if content is not None:
        path.write_bytes(content)
    with client(str(path), **QUICK) as post:
        answer = post(tenant.url)
    assert (answer.status, answer.error) == (None, "ca_file")
    assert str(path) in answer.detail
    assert tenant.connections == 0


def test_ca_file_mended_under_its_own_name_counts_at_the_next_attempt(tenant, certs, tmp_path):
    """Whoever copies the right authority over the wrong one need not restart anything."""
    path = tmp_path / "own-ca.pem"
    with client(str(path), **QUICK) as post:
        assert post(tenant.url).error == "ca_file"
        self_signed = (tmp_path / "own-ca.pem", certs.self_signed.pem)
        shutil.copy(self_signed[1], str(self_signed[0]))
        assert post(tenant.url).error == "certificate"
        shutil.copy(certs.ca_file, str(path))
        assert post(tenant.url).status == 200


def test_authority_without_key_identifiers_is_trusted(tenant, tmp_path):
    """Many private authorities lack what Python 3.13 demands by default; the same ca_file works on every Splunk."""
    ca_file, certificate = old_authority(tmp_path)
    tenant.use(certificate)
    with client(ca_file, **QUICK) as post:
        assert post(tenant.url).status == 200


def test_tls_below_1_2_is_refused(tenant, certs):
    """Even where OpenSSL itself would still speak it."""
    old = OldTLS(certs.server)
    tenant.use(old)
    peer = old.client(certs.ca_file)
    with socket.create_connection(("localhost", tenant.port), 10) as plain:
        try:
            with peer.wrap_socket(plain, server_hostname="localhost") as wrapped:
                assert wrapped.version() == "TLSv1.1"
        except ssl.SSLError:
            pytest.skip("this OpenSSL knows no TLS 1.1")
    with client(certs.ca_file, **QUICK) as post:
        answer = post(tenant.url)
    assert (answer.status, answer.error) == (None, "tls")
    assert tenant.requests == []


def test_server_without_tls_is_a_matter_of_tls(certs):
    """A port that speaks plain http."""
    with Tenant(certs, tls=False) as tenant, client(certs.ca_file, **QUICK) as post:
        assert post(tenant.url.replace("http:", "https:")).error in ("tls", "reset")


class OldTLS:
    """A certificate that is presented over TLS 1.0 and 1.1 only."""

    def __init__(self, certificate):
        """Keep the certificate."""
        self._certificate = certificate

    def context(self):
        """The server's side."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificate.pem)
        return _aged(context)

    def client(self, ca_file):
        """The side of a client that would accept it."""
        return _aged(ssl.create_default_context(cafile=ca_file))


def _aged(context):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def old_authority(folder):
    """An authority and a server certificate of it with neither key identifiers nor keyUsage: (ca_file, Certificate)."""
    authority_key, server_key = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    authority = _issue(
        "Old Authority", "Old Authority", authority_key, authority_key, x509.BasicConstraints(True, None)
    )
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    server = _issue("localhost", "Old Authority", server_key, authority_key, names)
    ca_file = folder / "old-ca.pem"
    ca_file.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    key = server_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return str(ca_file), Certificate(folder / "old-server.pem", key, server.public_bytes(serialization.Encoding.PEM))


def _issue(subject, issuer, key, signer, extension):
    now = dt.datetime(2020, 1, 1)  # noqa: DTZ001  cryptography wants UTC without saying so
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in (subject, issuer)]
    builder = x509.CertificateBuilder().subject_name(names[0]).issuer_name(names[1]).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now)
    builder = builder.not_valid_after(now.replace(year=2090)).add_extension(extension, critical=False)
    return builder.sign(signer, hashes.SHA256())
