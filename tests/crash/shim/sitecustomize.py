"""Python imports this at its start: puts the shim that the environment asks for under the product. Must not change what a call does otherwise."""

from __future__ import annotations

import os

if os.environ.get("SHIM_RECORD"):
    import recorder

    recorder.Recorder(os.environ["SHIM_ROOT"], os.environ["SHIM_RECORD"]).install()
if os.environ.get("SHIM_FAULT"):
    import faults

    faults.Faults(os.environ["SHIM_ROOT"], os.environ["SHIM_FAULT"]).install()
