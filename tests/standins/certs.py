"""The certificates of the stand-ins: a private authority, one good server certificate, and the bad ones.

It must not weaken what it issues: the good one passes Python 3.13's VERIFY_X509_STRICT, each bad one fails for one reason.
"""

from __future__ import annotations

import datetime as dt
import pathlib
import ssl
import warnings

with warnings.catch_warnings():
    # cryptography says on Python 3.7 that it will leave 3.7 behind; the tests turn every warning into an error.
    warnings.simplefilter("ignore")
    import trustme

HOSTS = ("localhost", "127.0.0.1")
LONG_AGO = dt.datetime(2001, 1, 1, tzinfo=dt.timezone.utc)


class Certificate:
    """A server's certificate with its key, in one PEM file.

    Attributes:
        pem: Path of the file, as text.
    """

    def __init__(self, path, *parts):
        """Write the PEM `parts` (bytes) to `path`, readable by its owner only."""
        path.touch(mode=0o600)
        path.write_bytes(b"".join(parts))
        self.pem = str(path)

    def context(self):
        """A new server-side SSLContext, TLS 1.2 and up, that presents this certificate."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.pem)
        return context


class Certs:
    """An authority and the certificates that the stand-ins present; the folder must exist and be empty.

    Attributes:
        ca_file: Path of the authority's PEM file, what a client must trust.
        server: Good, for localhost and 127.0.0.1.
        other_host: From the same authority, for another host name only.
        expired: From the same authority, for localhost, no longer valid.
        unknown_ca: For localhost, from an authority that is not in `ca_file`.
        self_signed: Signed by itself, as splunkd's own is by default.
    """

    def __init__(self, folder):
        """Issue everything into `folder`."""
        folder = pathlib.Path(str(folder))
        authority, stranger, alone = trustme.CA(), trustme.CA(), trustme.CA()
        self.ca_file = str(folder / "ca.pem")
        authority.cert_pem.write_to_path(self.ca_file)
        self.server = _issued(folder / "server.pem", authority, *HOSTS)
        self.other_host = _issued(folder / "other_host.pem", authority, "other.example")
        self.expired = _issued(folder / "expired.pem", authority, *HOSTS, not_after=LONG_AGO)
        self.unknown_ca = _issued(folder / "unknown_ca.pem", stranger, *HOSTS)
        self.self_signed = Certificate(
            folder / "self_signed.pem", alone.private_key_pem.bytes(), alone.cert_pem.bytes()
        )


def _issued(path, authority, *hosts, not_after=None):
    leaf = authority.issue_cert(*hosts, not_after=not_after)
    chain = [blob.bytes() for blob in leaf.cert_chain_pems]
    return Certificate(path, leaf.private_key_pem.bytes(), *chain)
