"""Imports requests without what guesses the encoding of a text. Must not be needed by anybody who reads the text of an answer.

requests imports charset_normalizer whether it is used or not, which takes ten milliseconds and two megabytes of every process. It gets a
stand-in of our own, whose answer is the library's own where it cannot tell. Whoever imports one of the libraries later gets the real one.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

_GUESSERS = ("chardet", "charset_normalizer")


def _stand_in() -> ModuleType:
    found: Any = ModuleType("chardet")
    found.__version__ = "5.2.0"  # requests looks whether it knows this version
    found.detect = lambda _text: {"encoding": None, "confidence": 0.0, "language": ""}
    return found  # type: ignore[no-any-return]


_known = {name: sys.modules[name] for name in _GUESSERS if name in sys.modules}
sys.modules.update({"chardet": _stand_in(), "charset_normalizer": None})  # type: ignore[dict-item]  # None: it cannot be imported
try:
    import requests  # noqa: F401
finally:
    for _name in _GUESSERS:
        del sys.modules[_name]
    sys.modules.update(_known)
