"""Whatever splunkd answers, and whatever it is asked for: an answer or a SplunkdError, never another error, nor memory without a bound."""

from __future__ import annotations

import contextlib
import json
import tracemalloc

import pytest
from parapet.errors import Forbidden, NotFound, Unauthorized, Unreachable
from parapet.secret import Secret
from parapet.splunkd import Splunkd

from tests.raw_splunkd import ENDLESS, RawSplunkd
from tests.standins.listener import Listener

UNKNOWN_ENCODING = b'<?xml version="1.0" encoding="foo"?><response><messages><msg>no</msg></messages></response>'
CANARY = "session-key-" + "canary"


def session(raw, key=CANARY):
    """A session with this splunkd."""
    return Splunkd(raw.uri, Secret(key))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("500 x", Unreachable),
        ("403 x", Forbidden),
        ("404 x", NotFound),
        ("401 x", Unauthorized),
        ("302 x", Unreachable),
    ],
)
@pytest.mark.parametrize(
    "body", [UNKNOWN_ENCODING, b"<a>&b;</a>", b"\0\xff", b""], ids=["encoding", "entity", "bytes", "none"]
)
def test_an_error_is_known_by_its_status(status, kind, body):
    """Its body says nothing that counts, and need not be XML that anybody can read."""
    with RawSplunkd(status, body) as raw:
        splunkd = session(raw)
        with pytest.raises(kind):
            splunkd.conf("parapet_security")
        assert splunkd.session_ended is (kind is Unauthorized)


def test_an_answer_is_read_to_a_bound():
    """Of splunkd's configuration and of its facts alike; then it is no answer."""
    with RawSplunkd("200 OK", ENDLESS) as raw, pytest.raises(Unreachable, match="longer than 4194304 bytes"):
        session(raw).conf("parapet_security")
    # What is on its way in the sockets' buffers is out of anybody's hands.
    assert raw.sent < ENDLESS // 2


def test_the_longest_answer_is_one():
    """A blank more, and it is none."""
    answer = json.dumps({"entry": [{"name": "x", "content": {}}]}).encode()
    for blanks, is_read in ((4194304 - len(answer), True), (4194305 - len(answer), False)):
        with RawSplunkd("200 OK", answer + b" " * blanks) as raw:
            try:
                assert session(raw).conf("parapet_security") == {"x": {}}
            except Unreachable:
                assert not is_read
            else:
                assert is_read


def test_a_short_answer_takes_little_memory():
    """The bound is how much may come: memory is taken for what does come (`http.client` up to Python 3.9 would take it all at once)."""
    answer = json.dumps({"entry": [{"name": "x", "content": {}}]}).encode()
    with RawSplunkd("200 OK", answer) as raw:
        splunkd = session(raw)
        tracemalloc.start()
        try:
            assert splunkd.conf("parapet_security") == {"x": {}}
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 1 << 20


def test_the_body_of_an_error_is_not_read():
    """However much of it there is."""
    with RawSplunkd("503 x", ENDLESS) as raw, pytest.raises(Unreachable, match="answered 503"):
        session(raw).server_info()
    assert raw.sent < ENDLESS // 2


@pytest.mark.parametrize(
    ("ask", "path"),
    [
        (lambda splunkd: splunkd.job("a/b \ud800 ü"), "/services/search/v2/jobs/a%2Fb%20%ED%A0%80%20%C3%BC"),
        (
            lambda splunkd: splunkd.saved_search("/servicesNS/nobody/search/saved/searches/a%2Fb+\ud800\x01ü(1)"),
            "/servicesNS/nobody/search/saved/searches/a%2Fb%20%ED%A0%80%01%C3%BC(1)",
        ),
        (
            lambda splunkd: splunkd.password("parapet_security", "\udfff"),
            "/servicesNS/nobody/parapet_security/storage/passwords/parapet_security%3A%ED%BF%BF%3A",
        ),
        (
            lambda splunkd: splunkd.stanza("alert_actions", "\ud800"),
            "/servicesNS/nobody/parapet_security/configs/conf-alert_actions/%ED%A0%80",
        ),
    ],
    ids=["job", "saved_search", "password", "stanza"],
)
def test_any_name_can_be_asked_for(ask, path):
    """Half a character too, which no text of Splunk's holds; splunkd says that there is no such thing."""
    with RawSplunkd("404 x", b"") as raw, pytest.raises(NotFound):
        ask(session(raw))
    assert [line.split()[1].partition("?")[0] for line in raw.asked] == [path]


@pytest.mark.parametrize(
    ("key", "text"), [(CANARY + "\nx", ""), (CANARY + "\ud800", ""), (CANARY + "\u20ac", ""), (CANARY, "\ud800")]
)
def test_what_the_library_raises_is_splunkds_failure(key, text):
    """A session key that cannot be a header is one way to get there, half a character in a message another; no key is shown."""
    with RawSplunkd("200 OK", b"") as raw, pytest.raises(Unreachable) as raised:
        session(raw, key).set_message("name", text, "warn")
    assert CANARY not in str(raised.value)
    assert raw.asked == []


def test_what_comes_in_place_of_a_status_line_is_not_shown():
    """It can be the end of another answer, with a password in it."""
    line = f'{{"clear_password":"{CANARY}"}}\r\n'.encode()
    with contextlib.closing(Listener(lambda connection: connection.send(line))) as listener:
        splunkd = Splunkd(f"http://127.0.0.1:{listener.port}", Secret("key"))
        with pytest.raises(Unreachable) as raised:
            splunkd.server_info()
    assert CANARY not in str(raised.value)
