"""What the scripted tenant can answer, well-behaved or not.

It must not decide when: `play` sends one answer on one connection.
"""

from __future__ import annotations

import enum
import functools
import http
import zlib

DRIP_S = 0.05
HUGE = 64 * 1024 * 1024
_BLOCK = b" " * 65536
_FILLER = b'{"status":"accepted","note":"' + b"x" * 994 + b'"}'


class Mode(enum.Enum):
    """How an answer goes wrong; every one of them ends when the tenant stops."""

    PLAIN = "a whole answer"
    CLOSE_UNREAD = "closes before it reads the request"
    CLOSE_UNANSWERED = "reads the request and closes"
    RESET = "reads the request and resets the connection"
    CUT_HEAD = "half of the headers, then closes"
    CUT_BODY = "complete headers, half of the body, then closes"
    DRIP_HEAD = "headers byte by byte, `delay` seconds apart (0.05 unless told)"
    DRIP_BODY = "headers at once, the body byte by byte, `delay` seconds apart (0.05 unless told)"
    ENDLESS_BODY = "headers, then a body that never ends"
    HUGE_BODY = "headers, then a body of 64 MiB"
    GZIP_BOMB = "a body of 1 MiB that unpacks to 1 GiB"
    HALF_OPEN = "accepts the TCP connection and does nothing more, not even TLS"
    GARBAGE = "bytes that are not HTTP, then closes"
    CONTINUE = "100 Continue, unasked, then a whole answer"
    ENDLESS_CHUNK_LINE = "a chunked body whose first length line never ends"
    BROKEN_CHUNK = "a chunked body whose second chunk line is no number, then closes"


UNREAD = frozenset([Mode.CLOSE_UNREAD, Mode.HALF_OPEN])


class Answer:
    """One answer: `Answer(503, retry_after="2")`, `Answer(302, headers={"Location": url})`, `Answer(mode=Mode.RESET)`."""

    def __init__(self, status=200, *, headers=None, body=b"", retry_after=None, delay=0.0, mode=Mode.PLAIN):
        """Describe an answer.

        Args:
            status: HTTP status.
            headers: Mapping; added to Content-Type and Content-Length, or instead of them.
            body: Bytes.
            retry_after: The Retry-After header's text.
            delay: Seconds before the answer; between two bytes for the two drip modes.
            mode: How it goes wrong.
        """
        self.status = status
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["Retry-After"] = retry_after
        self.body = body
        self.delay = delay
        self.mode = mode

    def __repr__(self):
        """Status and mode, for a failed assertion."""
        return f"Answer({self.status}, mode={self.mode.name})"


ACCEPTED = Answer(body=b'{"status":"accepted"}')


def play(connection, answer, answered):
    """Send `answer` on `connection`.

    Args:
        connection: A listener's Connection.
        answer: An Answer.
        answered: Called without arguments just before the last byte of complete headers leaves.

    Returns:
        Whether the connection can carry another request.
    """
    drips = answer.mode in (Mode.DRIP_HEAD, Mode.DRIP_BODY)
    if answer.delay and not drips:
        connection.wait(answer.delay)
    return _PLAYERS[answer.mode](connection, answer, answered)


def _head(answer, **framing):
    """The headers' bytes; `framing` (with _ for -) stands where the answer's own headers say nothing."""
    headers = {"Content-Type": "application/json"}
    headers.update((name.replace("_", "-"), value) for name, value in framing.items())
    headers.update(answer.headers)
    lines = [f"HTTP/1.1 {answer.status} {_reason(answer.status)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _reason(status):
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _plain(connection, answer, answered):
    framing = {} if answer.status == http.HTTPStatus.NO_CONTENT else {"Content_Length": len(answer.body)}
    answered()
    connection.send(_head(answer, **framing) + answer.body)
    return answer.headers.get("Connection", "").lower() != "close"


def _close(_connection, _answer, _answered):
    return False


def _reset(connection, _answer, _answered):
    connection.reset()
    return False


def _cut_head(connection, answer, _answered):
    head = _head(answer, Content_Length=len(answer.body))
    connection.send(head[: len(head) // 2])
    return False


def _cut_body(connection, answer, answered):
    body = answer.body or _FILLER
    answered()
    connection.send(_head(answer, Content_Length=len(body)) + body[: len(body) // 2])
    return False


def _drip_head(connection, answer, answered):
    head = _head(answer, Content_Length=len(answer.body))
    _drip(connection, head[:-1], answer.delay)
    answered()
    connection.send(head[-1:] + answer.body)
    return True


def _drip_body(connection, answer, answered):
    body = answer.body or _FILLER
    answered()
    connection.send(_head(answer, Content_Length=len(body)))
    _drip(connection, body, answer.delay)
    return True


def _drip(connection, data, pause):
    for place in range(len(data)):
        connection.send(data[place : place + 1])
        connection.wait(pause or DRIP_S)


def _endless_body(connection, answer, answered):
    answered()
    connection.send(_head(answer, Connection="close"))
    while True:
        connection.send(_BLOCK)


def _huge_body(connection, answer, answered):
    answered()
    connection.send(_head(answer, Content_Length=HUGE))
    for _ in range(HUGE // len(_BLOCK)):
        connection.send(_BLOCK)
    return True


@functools.lru_cache(maxsize=1)
def _bomb():
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([packer.compress(bytes(16 * 1024 * 1024)), packer.flush()]) * 64


def _gzip_bomb(connection, answer, answered):
    bomb = _bomb()
    answered()
    connection.send(_head(answer, Content_Length=len(bomb), Content_Encoding="gzip") + bomb)
    return True


def _half_open(connection, _answer, _answered):
    connection.wait(None)


def _garbage(connection, _answer, _answered):
    connection.send(b"\x00\x01 this is not HTTP \xff\xfe\r\n\r\n")
    return False


def _continue(connection, answer, answered):
    connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    return _plain(connection, answer, answered)


def _endless_chunk_line(connection, answer, answered):
    answered()
    connection.send(_head(answer, Transfer_Encoding="chunked") + b"5;")
    while True:
        connection.send(_BLOCK.replace(b" ", b"x"))


def _broken_chunk(connection, answer, answered):
    answered()
    connection.send(_head(answer, Transfer_Encoding="chunked") + b"5\r\nhello\r\nnot-hex\r\nhello\r\n")
    return False


_PLAYERS = {
    Mode.PLAIN: _plain,
    Mode.CLOSE_UNREAD: _close,
    Mode.CLOSE_UNANSWERED: _close,
    Mode.RESET: _reset,
    Mode.CUT_HEAD: _cut_head,
    Mode.CUT_BODY: _cut_body,
    Mode.DRIP_HEAD: _drip_head,
    Mode.DRIP_BODY: _drip_body,
    Mode.ENDLESS_BODY: _endless_body,
    Mode.HUGE_BODY: _huge_body,
    Mode.GZIP_BOMB: _gzip_bomb,
    Mode.HALF_OPEN: _half_open,
    Mode.GARBAGE: _garbage,
    Mode.CONTINUE: _continue,
    Mode.ENDLESS_CHUNK_LINE: _endless_chunk_line,
    Mode.BROKEN_CHUNK: _broken_chunk,
}
