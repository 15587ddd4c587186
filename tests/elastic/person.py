"""Somebody who runs parapet-elastic, at a terminal or in a script, within the test's own process. Must not hold a test."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from unittest import mock

from parapet_elastic.cli import main

TOKEN = "pst_" + "a-token-of-the-tests"


class Terminal(io.StringIO):
    """Standard input with somebody in front of it."""

    def isatty(self):
        """Whether somebody is there."""
        return True


class Result:
    """What a command came to.

    Attributes:
        code: The exit code.
        out, err: What it printed.
        raw: What it printed on standard output, as bytes.
    """

    def __init__(self, code, out, err):
        """Keep the three."""
        self.code = code
        self.raw = out.buffer.getvalue()
        self.out = self.raw.decode("utf-8")
        self.err = err.buffer.getvalue().decode("utf-8")

    @property
    def json(self):
        """Standard output as the one JSON document that it has to be."""
        return json.loads(self.out)

    def __repr__(self):
        """Both streams, for a test's report."""
        return f"<exit {self.code}\n{self.out}\n-- stderr\n{self.err}>"


class Person:
    """Runs commands with the same environment."""

    def __init__(self, kibana=None, **environment):
        """Take the address and the API key of `kibana`, if there is one; `environment` adds to that, None takes away."""
        given = {"KIBANA_URL": kibana.url, "KIBANA_API_KEY": kibana.api_key, "PARAPET_TOKEN": TOKEN} if kibana else {}
        if kibana and kibana.ca_file:
            given["KIBANA_CA_FILE"] = kibana.ca_file
        given.update(environment)
        self.environment = {name: value for name, value in given.items() if value is not None}

    def __call__(self, *words, types=None):
        """Run a command; `types` is what is typed at the terminal, None where there is none."""
        out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
        err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
        stdin = io.StringIO() if types is None else Terminal(types)
        with contextlib.ExitStack() as stack:
            stack.enter_context(mock.patch.dict(os.environ, self.environment))
            stack.enter_context(contextlib.redirect_stdout(out))
            stack.enter_context(contextlib.redirect_stderr(err))
            stack.enter_context(mock.patch.object(sys, "stdin", stdin))
            code = main(list(words))
        return Result(code, out, err)
