"""Splunk's side of the forwarder: scheme and start of a modular input, through splunklib. Must not deliver."""

from __future__ import annotations

import os
import sys

from splunklib.modularinput import Argument, Scheme, Script

from . import app
from .secret import Secret
from .service import Service


class Forwarder(Script):  # type: ignore[misc]  # splunklib has no types
    """The modular input `parapet_forwarder`."""

    def get_scheme(self) -> Scheme:
        """Describe the input to Splunk."""
        scheme = Scheme("Parapet Security forwarder")
        scheme.description = "Delivers the alerts in this host's outbox to Parapet Security. One runs on every host; it needs no settings."
        scheme.use_external_validation = False
        scheme.use_single_instance = False
        scheme.streaming_mode = Scheme.streaming_mode_xml
        for name, description in (
            ("run_only_one", "Must stay false: every member of a cluster has an outbox of its own."),
            ("note", "A note for administrators; nothing reads it."),
        ):
            scheme.add_argument(
                Argument(name, description=description, data_type=Argument.data_type_string, required_on_create=False)
            )
        return scheme

    def stream_events(self, inputs: object, ew: object) -> None:  # noqa: ARG002  the name is splunklib's
        """Run until Splunk wants the process to end; the exit code is this process's own."""
        metadata = inputs.metadata  # type: ignore[attr-defined]
        uri, key = str(metadata.get("server_uri", "")), Secret(str(metadata.get("session_key", "")))
        app.end(app.run(lambda: Service(uri, key, sys.stderr, os.environ).run()))
