"""The net that looks for secrets has no holes: else finding none would prove nothing."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from tests.process.canaries import find

SECRETS = ["pst_\"can'ary\\\\of%25the;tenant&=$(x)", "canary-of-the-proxy", "pst_ÿþ?>~~~~of the tenant"]
SPELLINGS = {
    "plain": str,
    "URL": quote,
    "repr": repr,
    "JSON": json.dumps,
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_secret_is_found_in_each_spelling(secret, spell):
    """The whole, its first three quarters, and its last."""
    least = len(secret) * 3 // 4
    for part in (secret, secret[:least], secret[-least:]):
        assert find([secret], f"before {spell(part)} after".encode())


@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("after", range(4))
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_secret_is_found_in_base64(before, after, encode):
    """Wherever in the encoded text it stands, with padding and without."""
    for secret in SECRETS:
        encoded = encode(b"k" * before + secret.encode() + b"k" * after)
        assert find([secret], encoded)
        assert find([secret], encoded.rstrip(b"="))


def test_other_text_is_no_secret():
    """A word that all of them share is none."""
    assert find(SECRETS, b"pst_ tenant canary-of- proxy") is None
