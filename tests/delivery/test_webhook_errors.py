"""Every exception of the HTTP libraries has a word: a new release with a new class fails here, not at a customer's."""

from __future__ import annotations

import inspect

import pytest
import requests.exceptions
import responses
import urllib3.exceptions
from parapet.secret import Secret
from parapet.settings import Delivery
from parapet.webhook import ERRORS, Webhook, explain

# What an exception says by itself; one with a cause (a refused connection, say) takes the cause's word.
WORDS = {
    "timeout": {
        "requests.Timeout",
        "requests.ConnectTimeout",
        "requests.ReadTimeout",
        "urllib3.TimeoutError",
        "urllib3.ReadTimeoutError",
        "urllib3.ConnectTimeoutError",
    },
    "proxy": {
        "requests.ProxyError",
        "requests.InvalidProxyURL",
        "urllib3.ProxyError",
        "urllib3.ProxySchemeUnknown",
        "urllib3.ProxySchemeUnsupported",
    },
    "tls": {"requests.SSLError", "urllib3.SSLError"},
    "reset": {
        "requests.ChunkedEncodingError",
        "urllib3.ProtocolError",
        "urllib3.IncompleteRead",
        "urllib3.InvalidChunkLength",
        "urllib3.ResponseNotChunked",
    },
    "connect": {"requests.ConnectionError", "urllib3.NewConnectionError"},
    "protocol": {"requests.ContentDecodingError", "urllib3.DecodeError"},
    "request": {
        "requests.RequestException",
        "requests.HTTPError",
        "requests.InvalidJSONError",
        "requests.JSONDecodeError",
        "requests.URLRequired",
        "requests.TooManyRedirects",
        "requests.MissingSchema",
        "requests.InvalidSchema",
        "requests.InvalidURL",
        "requests.InvalidHeader",
        "requests.RetryError",
        "requests.StreamConsumedError",
        "requests.UnrewindableBodyError",
        "urllib3.HTTPError",
        "urllib3.PoolError",
        "urllib3.RequestError",
        "urllib3.MaxRetryError",
        "urllib3.HostChangedError",
        "urllib3.TimeoutStateError",
        "urllib3.EmptyPoolError",
        "urllib3.ClosedPoolError",
        "urllib3.LocationValueError",
        "urllib3.LocationParseError",
        "urllib3.URLSchemeUnknown",
        "urllib3.ResponseError",
        "urllib3.BodyNotHttplibCompatible",
        "urllib3.InvalidHeader",
        "urllib3.HeaderParsingError",
        "urllib3.UnrewindableBodyError",
    },
}
EXPECTED = {name: word for word, names in WORDS.items() for name in names}
URL = "https://webhook-us.parapetsecurity.com/webhook/acme"


class Chunked:
    """As much of a response as the exceptions about chunks look at."""

    length_remaining = 0

    def tell(self):
        """Where it is."""
        return 0


def exceptions():
    """Every exception class of both libraries by name; their warnings are none."""
    found = {}
    for library, module in (("requests", requests.exceptions), ("urllib3", urllib3.exceptions)):
        for name, kind in vars(module).items():
            is_error = inspect.isclass(kind) and issubclass(kind, Exception) and not issubclass(kind, Warning)
            # What is imported from elsewhere, or has two names, counts once.
            if is_error and (kind.__module__, kind.__name__) == (module.__name__, name):
                found[f"{library}.{name}"] = kind
    return found


def made(kind):
    """An instance of an exception class, whatever its arguments are called."""
    for arguments in (("text",), (None, "text"), (None, "/", "text"), ("text", "text", 0), (0, 1), (Chunked(), b"x")):
        try:
            error = kind(*arguments)
            str(error)
        except (TypeError, AttributeError):
            continue
        return error
    raise AssertionError(f"{kind} takes other arguments than those tried")


def test_table_holds_every_exception_of_both_libraries():
    """A class that is not in it has not been thought about."""
    assert sorted(EXPECTED) == sorted(exceptions())
    assert set(WORDS) <= set(ERRORS)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_exception_has_a_word(name):
    """An answer without a status, with the word's own text for a person."""
    answer = explain(made(exceptions()[name]))
    assert (answer.status, answer.error) == (None, EXPECTED[name])
    assert answer.detail.startswith(ERRORS[answer.error])


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_exception_does_not_leave_the_module(name):
    """Whatever requests lets through, an attempt returns an answer."""
    webhook = Webhook(Delivery(), None, "agent")
    with responses.RequestsMock() as world:
        world.add("POST", URL, body=made(exceptions()[name]))
        answer = webhook.post(URL, Secret("pst_x"), b"{}", "key")
    webhook.close()
    assert (answer.status, answer.error) == (None, EXPECTED[name])


@pytest.mark.parametrize("error", [OSError("x"), ValueError("x"), UnicodeError("x"), TimeoutError("x"), EOFError("x")])
def test_other_failures_have_a_word_too(error):
    """What the libraries pass on from below."""
    assert explain(error).error in ERRORS
