"""SHA-256 for short texts, from the interpreter itself. Must not be used for files: `hashlib` is several times faster there.

Loading OpenSSL, as `hashlib` does, takes an action longer than everything that it puts on disk. Ids need no more than a good hash.
"""

from __future__ import annotations

try:
    from _sha256 import sha256  # Python before 3.12
except ImportError:
    try:
        from _sha2 import sha256
    except ImportError:
        from hashlib import sha256


def short(text: str) -> str:
    """The first 20 hexadecimal digits for a text in ASCII."""
    digits: str = sha256(text.encode("ascii")).hexdigest()
    return digits[:20]
