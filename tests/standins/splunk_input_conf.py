"""What splunkd must find in an app before it runs the modular input `parapet_forwarder`.

Must not start anything.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.standins.splunk_home import APP

if TYPE_CHECKING:
    from pathlib import Path

    from tests.standins.splunk_conf import Settings
    from tests.standins.splunk_home import SplunkHome

SCHEME = "parapet_forwarder"


class InputRefused(Exception):
    """splunkd does not run this input; the text says why."""


def script(home: SplunkHome) -> Path:
    """The scheme's script."""
    return home.app / "bin" / (SCHEME + ".py")


def input_settings(home: SplunkHome) -> Settings:
    """The stanza's settings: `[default]`, `[parapet_forwarder]`, `[parapet_forwarder://default]`, local last.

    Raises:
        InputRefused: no stanza, no spec with a parameter, no script, or no interpreter named.
    """
    stanzas = {name: stanza.settings for name, stanza in home.conf.stanzas("inputs", APP).items()}
    name = SCHEME + "://default"
    if name not in stanzas:
        raise InputRefused(f"inputs.conf has no stanza [{name}]")
    if not _introduced(home.app / "README/inputs.conf.spec"):
        raise InputRefused(f"README/inputs.conf.spec does not introduce {SCHEME}:// with a parameter")
    if not script(home).is_file():
        raise InputRefused(f"no bin/{SCHEME}.py")
    found = {**stanzas.get(SCHEME, {}), **stanzas[name]}
    for key in ("python.version", "python.required", "interval"):
        if key not in found:
            raise InputRefused(f"inputs.conf [{SCHEME}]: no {key}")
    return found


def _introduced(spec: Path) -> bool:
    """Whether the spec has a stanza of this scheme with a parameter of its own; the rest of a spec is prose."""
    text = spec.read_text(encoding="utf-8") if spec.is_file() else ""
    stanzas = re.split(r"^(?=\[)", text, flags=re.MULTILINE)
    mine = [stanza for stanza in stanzas if stanza.startswith(f"[{SCHEME}://<name>]")]
    return any(re.search(r"^[\w.]+ *=", stanza, re.MULTILINE) for stanza in mine)
