"""Looks for secrets in bytes, in every form in which they are still readable. Must not decide where a secret may be.

A form is the text itself, Base64 (both alphabets, at each of its three alignments, with and without padding), URL-encoded,
hexadecimal, or escaped as JSON and Python's repr do it. The first or the last three quarters of a secret are as bad as all of it.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote, quote_plus

PROXY_PASSWORD = "canary-of-the-proxy"
# The configuration is read, and then something breaks that holds all that was read, and the session.
CRASH = """
_really_load = load
def load(splunkd, **how):
    found = _really_load(splunkd, **how)
    secrets = [secret.reveal() for secret in found.secrets]
    raise RuntimeError(f"{secrets} {splunkd._context.token}") from ValueError(secrets)
"""
# Of a Base64 text that begins so many bytes before the secret, so many characters at its start depend on those.
_FOREIGN = {0: 0, 1: 2, 2: 3}


def forms(secret):
    """Every form of most of a secret, as bytes."""
    least = len(secret) * 3 // 4
    return {form for part in (secret[:least], secret[-least:]) for form in _forms(part)}


def _forms(part):
    data = part.encode("utf-8")
    texts = [
        part,
        quote(part, safe=""),
        quote_plus(part),
        quote(part, safe="").lower(),
        data.hex(),
        data.hex().upper(),
        json.dumps(part)[1:-1],
        json.dumps(part, ensure_ascii=False)[1:-1],
        repr(part)[1:-1],
        ascii(part)[1:-1],
    ]
    return {text.encode("utf-8") for text in texts} | {
        encode(data, before) for encode in (_base64, _url_base64) for before in _FOREIGN
    }


def _base64(data, before):
    """What of the secret's Base64 is the same whatever stands around it."""
    whole = base64.b64encode(bytes(before) + data)
    certain = (before + len(data)) * 8 // 6
    return whole[_FOREIGN[before] : certain]


def _url_base64(data, before):
    return _base64(data, before).replace(b"+", b"-").replace(b"/", b"_")


def find(secrets, data):
    """The first form of a secret that is in these bytes, or None."""
    return next((form for secret in secrets for form in forms(secret) if form in data), None)


class Canaries:
    """Knows every secret of a scene from now on, and where each may be found.

    Attributes:
        sessions: the session keys.
        sent_to_splunkd: what the app sent there, as (method, path, headers, body).
    """

    def __init__(self, scene, proxy_password):
        """Note every session key that is given out from now on, and all that the app sends to splunkd."""
        self.scene, self.proxy_password = scene, proxy_password
        self.sessions, self.sent_to_splunkd = [], []
        really_open, really_answer = scene.splunkd.access.open, scene.splunkd._answer

        def open_and_note(user):
            self.sessions.append(really_open(user))
            return self.sessions[-1]

        def note_and_answer(http, body, user):
            # The other clients are the administrators of the tests, who do send secrets.
            if http.headers.get("User-Agent", "").startswith("splunk-sdk-python"):
                self.sent_to_splunkd.append((http.command, http.path, dict(http.headers), body))
            return really_answer(http, body, user)

        scene.splunkd.access.open = open_and_note
        scene.splunkd._answer = note_and_answer

    @property
    def secrets(self):
        """All of them."""
        return [self.scene.tenant.token, self.proxy_password, *self.sessions]

    def assert_not_in(self, data, where):
        """None of them is in these bytes, in no form."""
        assert find(self.secrets, data) is None, f"a secret in {where}: {find(self.secrets, data)!r}"

    def assert_nowhere(self, *said):
        """None is in a file of the home, on the bulletin board, in what processes said, or in a request where it does not belong."""
        for path, data in self.scene.everything_written().items():
            self.assert_not_in(data, path)
        self.assert_not_in(repr(self.scene.splunkd.messages).encode(), "the bulletin board")
        self.assert_not_in(repr(self.scene.splunkd.search_logs).encode(), "a search.log")
        for text in said:
            self.assert_not_in(text.encode("utf-8", "surrogateescape"), "what a process said")
        self._assert_only_the_token_goes_out()
        self._assert_splunkd_gets_its_own()

    def assert_not_shown_by(self, pid):
        """None is in a process's command line or environment, which others on the host can read."""
        for name in ("cmdline", "environ"):
            self.assert_not_in(Path(f"/proc/{pid}/{name}").read_bytes(), f"/proc/…/{name}")

    def _assert_only_the_token_goes_out(self):
        for record in self.scene.tenant.requests:
            headers = dict(record.headers)
            assert headers.pop("authorization") == f"Bearer {self.scene.tenant.token}"
            self.assert_not_in(repr(headers).encode() + record.body, "a request")

    def _assert_splunkd_gets_its_own(self):
        for method, path, headers, body in self.sent_to_splunkd:
            scheme, _, key = headers.pop("Authorization").partition(" ")
            assert scheme == "Splunk"
            assert key in self.sessions
            self.assert_not_in(f"{method} {path} {headers} {body}".encode(), "a request to splunkd")


def bug_with_a_secret_in_its_text(scene):
    """An attempt breaks, and the error quotes the token."""
    scene.append(
        "webhook",
        "def _post(self, url, token, *_, **__):\n    raise ValueError(token.reveal())\nWebhook.post = _post",
    )


def bug_with_every_secret_in_its_text(scene):
    """Whoever reads the configuration breaks, and the error quotes all of it."""
    scene.append("configuration", CRASH)
