"""Runs one target under atheris, guided by the coverage of package parapet: `python -m tests.fuzz.coverage_guided TARGET FOLDER [options]`.

What libFuzzer takes as options (-runs, -seed) it gets; a finding is a file in FOLDER.
Must not be imported: it changes how modules load.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import atheris

# What imports the product is imported late: not before its modules are instrumented.

# One that takes longer than this, in seconds, or more than this, in MiB, is a finding.
_TIMEOUT, _RSS = 10, 1024
_ROOT = Path(__file__).resolve().parents[2]


def _closed_world():
    """No input may make the product talk to another machine."""
    real = socket.socket.connect

    def connect(self, address):
        if isinstance(address, tuple) and address[0] != "127.0.0.1":
            raise ConnectionRefusedError(f"a target connects to {address[0]}")
        return real(self, address)

    socket.socket.connect = connect


def _words(path):
    """Every string of the product that could matter to an input, as libFuzzer's dictionary."""
    from parapet.alert import Alert  # noqa: PLC0415
    from parapet.notable import ATTRIBUTES  # noqa: PLC0415
    from parapet.settings import NUMBERS, TEXTS  # noqa: PLC0415

    from tests.fuzz.pieces import PIECES  # noqa: PLC0415

    words = {
        *Alert._fields,
        *ATTRIBUTES,
        *NUMBERS,
        *TEXTS,
        *(text for text in PIECES if len(text) < 60),
        "\n----\n",
        "\n--\n",
        "Retry-After: ",
    }
    lines = []
    for word in sorted(words - {""}):
        data = word.encode("utf-8", "surrogatepass")
        lines.append(
            '"'
            + "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}" for byte in data)
            + '"'
        )
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def main(name, folder, options):
    """Fuzz until a finding, or until so many inputs were tried as the options say; ends the process."""
    with atheris.instrument_imports(include=["parapet"]):
        from tests.fuzz import place  # noqa: PLC0415
        from tests.fuzz.targets import TARGETS, seeds  # noqa: PLC0415
    _closed_world()
    # libFuzzer ends the process in its own way, and nothing that Python wants to do at the end is done.
    place.FOLDER = folder
    start = Path(folder) / "inputs"
    start.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds(name)):
        (start / f"seed-{number:04d}").write_bytes(data)
    words = Path(folder) / "words"
    _words(words)
    atheris.Setup(
        [
            "fuzz",
            str(start),
            f"-dict={words}",
            f"-artifact_prefix={folder}{os.sep}",
            f"-timeout={_TIMEOUT}",
            f"-rss_limit_mb={_RSS}",
            "-max_len=65536",
            "-print_final_stats=1",
            *options,
        ],
        TARGETS[name],
    )
    atheris.Fuzz()


if __name__ == "__main__":
    sys.path.insert(0, str(_ROOT / "parapet_security" / "bin"))
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
