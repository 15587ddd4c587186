"""The client of Kibana's API: what it sends, what it tries again, and what it says when something goes wrong."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import email.utils
import gc
import json

import pytest
from parapet_elastic import version, waits
from parapet_elastic.access import Access
from parapet_elastic.errors import Exit, Failure
from parapet_elastic.kibana import Kibana, Refused, Unclear
from parapet_elastic.secret import Secret

from tests.elastic.standins.kibana import Kibana as StandIn
from tests.standins.http_request import read_body, read_head
from tests.standins.listener import Listener
from tests.standins.proxy import Proxy

PASSWORD = "canary-password-7c1e"
CONNECTOR = {
    "name": "x",
    "connector_type_id": ".webhook",
    "config": {"url": "http://localhost/webhook/x", "hasAuth": False},
    "secrets": {},
}


class Answers:
    """A server that answers each request with the next of these bytes, and the last one for ever; None cuts it off."""

    def __init__(self, *answers, closes=False):
        """Listen at once; with `closes` each connection ends behind its first answer."""
        self._closes = closes
        self.heads = []
        self._answers = list(answers)
        self._listener = Listener(self._handle)
        self.url = f"http://localhost:{self._listener.port}"

    def __enter__(self):
        """The server, listening."""
        return self

    def __exit__(self, *_exc):
        """Close."""
        self._listener.close()

    def _handle(self, connection):
        connection.plain()
        while connection.reader.peek(1):
            head = read_head(connection.reader)
            read_body(connection.reader, head.length() or 0)
            self.heads.append(head)
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
            if answer is None:
                connection.reset()
                return
            connection.send(answer)
            if self._closes:
                return


def answer(status, body=b"{}", **headers):
    """The bytes of an answer."""
    lines = [f"HTTP/1.1 {status} Some Words", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


OPEN = contextlib.ExitStack()


@pytest.fixture(autouse=True)
def all_closed():
    """No connection outlives its test."""
    with OPEN:
        yield


def client(url, **access):
    """A client that notes its waits instead of waiting."""
    slept = []
    found = OPEN.enter_context(Kibana(Access(url, **access), sleep=slept.append))
    return found, slept


def of(kibana, **access):
    """A client of a stand-in."""
    return client(kibana.url, api_key=Secret(kibana.api_key), ca_file=kibana.ca_file, **access)


def test_every_request_says_who_asks_and_what_kibana_wants_to_know(kibana):
    """kbn-xsrf on all of them, the key, no cookie; Elastic's own header on internal routes only."""
    found, _ = of(kibana)
    found.get("/api/actions/connectors")
    headers = kibana.requests[-1].headers
    assert headers["kbn-xsrf"] == "true"
    assert headers["authorization"] == "ApiKey " + kibana.api_key
    assert headers["user-agent"].startswith("parapet-elastic/")
    assert "x-elastic-internal-origin" not in headers
    with pytest.raises(Refused):
        found.get("/internal/nothing", internal=True)
    assert kibana.requests[-1].headers["x-elastic-internal-origin"] == "Kibana"


def test_user_and_password_are_sent_as_basic_authentication_in_utf8():
    """A name or a password need not be ASCII."""
    with Answers(answer(200)) as server:
        client(server.url, username="jörg", password=Secret("pässword"))[0].get("/x")
    sent = server.heads[0].headers["authorization"]
    assert base64.b64decode(sent.partition(" ")[2]).decode() == "jörg:pässword"


def test_the_space_is_in_the_path_of_every_request():
    """And a base path stays in front of it."""
    with StandIn(spaces=("default", "soc")) as kibana:
        of(kibana, space="soc")[0].get("/api/actions/connectors")
        assert kibana.requests[-1].path == "/s/soc/api/actions/connectors"
    with Answers(answer(200)) as server:
        client(server.url + "/base", space="soc")[0].get("/x", {"a": "b c"})
    assert server.heads[0].target == "/base/s/soc/x?a=b+c"


def test_neither_netrc_nor_proxy_variables_are_looked_at(kibana, monkeypatch, tmp_path):
    """What is configured is what happens."""
    (tmp_path / ".netrc").write_text("machine localhost login somebody password else\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HTTP_PROXY", "http://localhost:9")
    monkeypatch.setenv("http_proxy", "http://localhost:9")
    assert of(kibana)[0].get("/api/actions/connectors") == []
    assert kibana.requests[-1].headers["authorization"] == "ApiKey " + kibana.api_key


@pytest.mark.parametrize("fault", ["status:429", "status:502", "status:503", "status:504", "cut-before", "cut-after"])
def test_a_read_is_tried_again(kibana, fault):
    """Whatever passes by itself is waited for, and said."""
    kibana.script(fault, count=2)
    found, slept = of(kibana)
    told = []
    found.on_wait = lambda seconds, why: told.append((seconds, why))
    assert found.get("/api/actions/connectors") == []
    assert len(slept) == 2
    assert [seconds for seconds, _ in told] == slept
    assert all(why for _, why in told)


@pytest.mark.parametrize("fault", ["status:429", "status:503", "cut-before"])
def test_after_five_attempts_it_gives_up(kibana, fault):
    """With the exit code of a Kibana that does not answer."""
    kibana.script(fault, count=9)
    found, slept = of(kibana)
    with pytest.raises(Failure) as failure:
        found.get("/api/actions/connectors")
    assert failure.value.exit is Exit.UNREACHABLE
    assert not isinstance(failure.value, Unclear)
    assert failure.value.todo
    assert len(kibana.requests) == 5
    assert len(slept) == 4


def test_one_500_to_a_question_is_asked_again(kibana):
    """Once: a change is not, and neither is one that stays."""
    kibana.script("status:500")
    found, slept = of(kibana)
    assert found.get("/api/actions/connectors") == []
    assert len(slept) == 1
    kibana.script("status:500", count=2)
    with pytest.raises(Refused, match="500"):
        found.get("/api/actions/connectors")
    kibana.script("status:500")
    with pytest.raises(Refused, match="500"):
        found.put("/api/actions/connector/x", {})
    assert len(slept) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409])
def test_an_error_is_not_tried_again_and_keeps_kibanas_words(kibana, status):
    """What Kibana says goes to the person, on one line, and the whole answer to the caller."""
    kibana.script(f"status:{status}")
    found, slept = of(kibana)
    with pytest.raises(Refused) as refused:
        found.get("/api/actions/connectors")
    assert slept == []
    assert refused.value.status == status
    assert refused.value.message in str(refused.value)
    assert refused.value.body["message"] == refused.value.message
    assert refused.value.exit is Exit.REFUSED


def test_kibanas_words_are_put_on_one_line():
    """Validation errors come on several."""
    with (
        Answers(answer(400, json.dumps({"message": "[a]:\n  - no\n  - no"}).encode())) as server,
        pytest.raises(Refused, match=r"400 to GET /x: \[a\]: - no - no$"),
    ):
        client(server.url)[0].get("/x")


@pytest.mark.parametrize("fault", ["cut-before", "cut-after", "status:502", "status:503", "status-after:504"])
def test_a_change_whose_answer_is_lost_is_unclear_and_sent_once(kibana, fault):
    """Nobody but the caller can find out whether it was made."""
    kibana.script(fault)
    found, slept = of(kibana)
    with pytest.raises(Unclear):
        found.post("/api/actions/connector/x", CONNECTOR)
    assert len(kibana.requests) == 1
    assert slept == []
    assert ("x" in kibana.connectors()) is ("after" in fault)


def test_a_change_that_certainly_was_not_made_is_tried_again(kibana):
    """429: Kibana has refused to look at it."""
    kibana.script("status:429", count=2)
    found, slept = of(kibana)
    found.post("/api/actions/connector/x", CONNECTOR)
    assert list(kibana.connectors()) == ["x"]
    assert len(slept) == 2


def test_a_change_without_a_connection_is_tried_again_and_then_is_no_doubt():
    """Nothing has left this machine."""
    with Answers(None) as server:
        pass
    found, slept = client(server.url)
    with pytest.raises(Failure, match="no connection") as failure:
        found.post("/x", {})
    assert not isinstance(failure.value, Unclear)
    assert failure.value.exit is Exit.UNREACHABLE
    assert len(slept) == 4


def test_a_change_with_an_id_of_its_own_may_be_sent_again(kibana):
    """A second attempt finds the first: 409."""
    kibana.script("cut-after")
    with pytest.raises(Refused) as refused:
        of(kibana)[0].post("/api/actions/connector/x", CONNECTOR, again=True)
    assert refused.value.status == 409
    assert list(kibana.connectors()) == ["x"]


def test_replacing_and_removing_are_tried_again(kibana):
    """Twice is as good as once."""
    found, _ = of(kibana)
    found.post("/api/actions/connector/x", CONNECTOR)
    wanted = {key: CONNECTOR[key] for key in ("config", "secrets")}
    kibana.script("cut-after")
    found.put("/api/actions/connector/x", {**wanted, "name": "y"})
    assert kibana.connectors()["x"]["name"] == "y"
    kibana.script("cut-before")
    assert found.delete("/api/actions/connector/x") is None
    assert kibana.connectors() == {}


def test_an_answer_that_breaks_off_is_a_lost_one():
    """It has begun, so the request was read."""
    torn = answer(200, b'{"a": 1}')[:-3]
    with Answers(torn, closes=True) as server:
        with pytest.raises(Unclear, match="the connection was cut"):
            client(server.url)[0].post("/x", {})
        assert len(server.heads) == 1
        found, slept = client(server.url)
        with pytest.raises(Failure, match="the connection was cut"):
            found.get("/x")
    assert len(slept) == 4


def test_a_long_retry_after_is_heeded_up_to_a_minute():
    """Seconds or a date; more than a minute nobody waits for one request."""
    later = dt.datetime.now(dt.timezone.utc) + dt.timedelta(days=1)
    with Answers(
        answer(429, Retry_After="7"),
        answer(503, Retry_After="9999"),
        answer(429, Retry_After=email.utils.format_datetime(later, usegmt=True)),
        answer(200, b"[1]"),
    ) as server:
        found, slept = client(server.url)
        assert found.get("/x") == [1]
    assert slept == [7.0, 60.0, 60.0]


@pytest.mark.parametrize("text", [None, "", "-1", "1.5", "nan", "inf", "1e9", "soon", "²", "+3", "Thu, 99 Jan 1970"])
def test_a_retry_after_that_is_none_is_passed_over(text):
    """It must not end in a wait that never ends, or in no wait at all."""
    assert waits.asked(text) == 0
    assert 0.5 <= waits.seconds(1, text) <= 1


def test_the_waits_grow_and_stay_below_a_minute():
    """Spread over half of their length, so that many clients do not come back at once."""
    for attempt, most in ((1, 1), (2, 2), (3, 4), (4, 8), (9, 60)):
        found = {waits.seconds(attempt, None) for _ in range(50)}
        assert most / 2 <= min(found) < max(found) <= most


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status):
    """It would carry the credentials elsewhere."""
    with Answers(answer(200)) as elsewhere, Answers(answer(status, Location=elsewhere.url + "/login")) as server:
        with pytest.raises(Failure, match="redirects") as failure:
            client(server.url, api_key=Secret("a2V5"))[0].get("/x")
        assert elsewhere.heads == []
    assert failure.value.exit is Exit.UNREACHABLE
    assert "base path" in failure.value.todo


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"\xff\xfe{}", b"{"])
def test_what_answers_without_json_is_no_kibana(body):
    """A login page of a proxy, for example."""
    with Answers(answer(200, body)) as server, pytest.raises(Failure, match="is not Kibana") as failure:
        client(server.url)[0].get("/x")
    assert failure.value.exit is Exit.UNREACHABLE
    assert not isinstance(failure.value, Refused)


def test_an_error_without_json_is_a_refusal_without_words():
    """A gateway's own page says nothing to anybody."""
    with Answers(answer(403, b"<h1>Forbidden</h1>")) as server, pytest.raises(Refused) as refused:
        client(server.url)[0].get("/x")
    assert (refused.value.status, refused.value.message, refused.value.body) == (403, "", None)
    assert str(refused.value) == "Kibana answered 403 to GET /x"


def test_a_body_without_content_is_none(kibana):
    """As DELETE answers."""
    found, _ = of(kibana)
    found.post("/api/actions/connector/x", CONNECTOR)
    assert found.delete("/api/actions/connector/x") is None


def test_https_is_trusted_by_the_given_authority_only(certs):
    """And without one by nobody who has issued this certificate."""
    with StandIn(certs=certs) as kibana:
        assert of(kibana)[0].get("/api/actions/connectors") == []
        found, slept = client(kibana.url, api_key=Secret(kibana.api_key))
        with pytest.raises(Failure, match="certificate is not trusted") as failure:
            found.post("/api/actions/connector/x", CONNECTOR)
    assert not isinstance(failure.value, Unclear)
    assert "--ca-file" in failure.value.todo
    assert slept == []


def test_a_port_that_speaks_no_tls_is_told_from_a_bad_certificate():
    """The address is wrong, not the authority."""

    def speak_plainly(connection):
        connection.plain()
        connection.reader.peek(1)
        connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    server = Listener(speak_plainly)
    try:
        with pytest.raises(Failure, match="does not speak TLS"):
            client(f"https://localhost:{server.port}")[0].get("/x")
    finally:
        server.close()


def test_plain_http_to_a_port_that_speaks_tls_is_asked_about(certs):
    """The connection is only cut there: nothing else tells."""
    with StandIn(certs=certs) as kibana, pytest.raises(Failure) as failure:
        client(kibana.url.replace("https:", "http:"))[0].get("/x")
    assert "Is it https?" in failure.value.todo


def test_a_proxy_in_front_that_says_400_to_plain_http_is_asked_about_too():
    """As nginx does: "The plain HTTP request was sent to HTTPS port"."""
    with Answers(answer(400, b"<html>", Content_Type="text/html")) as server, pytest.raises(Failure) as failure:
        version.about(client(server.url)[0])
    assert "https" in failure.value.todo


def test_a_proxy_is_used_and_its_password_is_in_no_error(certs):
    """The way to Kibana may need one, and may refuse."""
    with StandIn(certs=certs) as kibana, Proxy("me", PASSWORD) as proxy:
        url = proxy.url.replace("//", f"//me:{PASSWORD}@")
        found, _ = of(kibana, proxy=url)
        assert found.get("/api/actions/connectors") == []
        assert proxy.requests[0].method == "CONNECT"
        proxy.refuse(407)
        other, slept = of(kibana, proxy=url)
        with pytest.raises(Failure, match="proxy") as failure:
            other.post("/api/actions/connector/x", CONNECTOR)
        assert not isinstance(failure.value, Unclear)
        assert slept == []
        for text in (str(failure.value), failure.value.todo, repr(failure.value), repr(other), repr(other.access)):
            assert PASSWORD not in text
        assert failure.value.__cause__ is None
        assert failure.value.__suppress_context__


# Python 3.9 leaves the socket of an answer that did not come to the garbage collector, which warns of it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("secure", [False, True])
def test_a_change_that_is_cut_behind_a_proxy_is_unclear(certs, secure):
    """The proxy had let it through: Kibana may have acted."""
    with StandIn(certs=certs if secure else None) as kibana, Proxy() as proxy:
        kibana.script("cut-after")
        found, slept = of(kibana, proxy=proxy.url)
        with pytest.raises(Unclear, match="the connection was cut"):
            found.post("/api/actions/connector/x", CONNECTOR)
        assert len(kibana.requests) == 1
        assert slept == []
        kibana.script("cut-before", count=2)
        assert [each["id"] for each in found.get("/api/actions/connectors")] == ["x"]
        assert len(slept) == 2
    gc.collect()


def test_a_change_without_a_proxy_is_no_doubt():
    """Nobody listens where the proxy should be."""
    with Answers(None) as gone:
        pass
    found, slept = client("https://localhost:9", proxy=gone.url)
    with pytest.raises(Failure, match="the proxy does not let us through") as failure:
        found.post("/x", {})
    assert not isinstance(failure.value, Unclear)
    assert slept == []


def test_an_answer_without_end_is_read_up_to_a_limit(monkeypatch):
    """In bytes: memory ends before it does."""
    monkeypatch.setattr("parapet_elastic.wire._LARGEST", 1000)
    with Answers(answer(200, b"[" + b" " * 1000 + b"]"), answer(200, b"[" + b" " * 998 + b"]")) as server:
        found, slept = client(server.url)
        with pytest.raises(Failure, match="the answer does not end") as failure:
            found.get("/x")
        assert failure.value.exit is Exit.UNREACHABLE
        assert found.get("/x") == []
    assert slept == []


# Python 3.9 leaves the socket of an answer that did not come to the garbage collector, which warns of it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_answer_that_trickles_in_is_not_waited_for_to_its_end(monkeypatch):
    """A byte now and then is no silence, so no socket's timeout ends it."""
    monkeypatch.setattr("parapet_elastic.wire._CONNECT_S", 0.5)
    monkeypatch.setattr("parapet_elastic.wire._TIMEOUTS", 0.01)

    def trickle(connection):
        connection.plain()
        read_head(connection.reader)
        connection.send(b"HTTP/1.1 200 OK\r\nx-")
        while True:
            connection.wait(0.05)
            connection.send(b"a")

    server = Listener(trickle)
    try:
        with pytest.raises(Failure, match="the answer does not end"):
            client(f"http://localhost:{server.port}")[0].get("/x")
    finally:
        server.close()


def test_kibanas_words_are_cut_short_where_they_hold_everything():
    """Some repeat the whole request; the caller has them all."""
    words = "no " * 200
    with Answers(answer(400, json.dumps({"message": words}).encode())) as server, pytest.raises(Refused) as refused:
        client(server.url)[0].get("/x")
    assert len(str(refused.value)) < 350
    assert refused.value.message == words.strip()


def test_an_answer_that_is_too_deep_is_no_kibanas():
    """Python gives up on it with an error that is no ValueError."""
    with Answers(answer(200, b"[" * 100_000)) as server, pytest.raises(Failure, match="is not Kibana"):
        client(server.url)[0].get("/x")


# Python 3.9 leaves the socket of an answer that did not come to the garbage collector, which warns of it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_no_answer_in_time_is_unclear_for_a_change_and_tried_again_for_a_read(kibana):
    """The request has arrived."""
    kibana.script("latency", count=1, seconds=5)
    with pytest.raises(Unclear, match=r"no answer within 0\.2 s"):
        of(kibana, timeout=0.2)[0].post("/api/actions/connector/x", CONNECTOR)
    kibana.script("latency", count=1, seconds=5)
    found, slept = of(kibana, timeout=0.2)
    assert found.get("/api/actions/connector_types")
    assert len(slept) == 1
    gc.collect()


def test_no_representation_shows_a_secret():
    """Neither the client's nor the access's."""
    access = Access(
        "https://localhost", api_key=Secret("canary-key"), password=Secret("canary-pw"), proxy="http://u:canary-px@h"
    )
    assert "canary" not in repr(access) + str(access) + repr(Kibana(access))
