"""A deadline over a whole attempt, with real sockets. Must not measure how long anything took."""

from __future__ import annotations

import socket
import threading

import pytest
from parapet.deadline import Deadlines, note_connection


class Connection:
    """What an HTTP connection is to a deadline: something with a `sock`."""

    def __init__(self, sock):
        """Keep the socket."""
        self.sock = sock


@pytest.fixture
def pair():
    """Two ends of one connection."""
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.settimeout(10)
    with ours, theirs:
        yield ours, theirs


def test_read_that_takes_too_long_is_ended_from_outside(pair):
    """A tenant that sends a byte now and then never runs into a socket's own time-out."""
    with Deadlines().over(0.05) as attempt:
        note_connection(Connection(pair[0]))
        assert pair[0].recv(1) == b""
    assert attempt.expired


def test_attempt_that_ends_in_time_keeps_its_connection(pair):
    """It goes back into the pool."""
    deadlines = Deadlines()
    with deadlines.over(0.05) as attempt:
        note_connection(Connection(pair[0]))
    later, theirs = socket.socketpair()
    with later, theirs, deadlines.over(0.2):
        note_connection(Connection(later))
        assert later.recv(1) == b""
    pair[1].sendall(b"x")
    assert pair[0].recv(1) == b"x"
    assert not attempt.expired


def test_shorter_deadline_behind_a_longer_one_is_kept(pair):
    """The watching thread is woken for it."""
    deadlines = Deadlines()
    with deadlines.over(3600) as long, deadlines.over(0.05) as short:
        note_connection(Connection(pair[0]))
        assert pair[0].recv(1) == b""
    assert (long.expired, short.expired) == (False, True)


def test_socket_that_is_made_after_the_deadline_is_ended_too(pair):
    """Resolving a name and connecting took all the time: there was nothing to close when the time was up."""
    connection = Connection(None)
    with Deadlines().over(0.01) as attempt:
        note_connection(connection)
        threading.Event().wait(0.05)
        connection.sock = pair[0]
        assert pair[0].recv(1) == b""
    assert attempt.expired


def test_attempts_of_two_threads_do_not_meet(pair):
    """Each thread's connections belong to its own attempt."""
    deadlines, started, seen = Deadlines(), threading.Event(), []

    def other():
        with deadlines.over(0.05):
            note_connection(Connection(None))
            started.set()
            threading.Event().wait(0.2)

    with deadlines.over(3600):
        note_connection(Connection(pair[0]))
        thread = threading.Thread(target=other)
        thread.start()
        assert started.wait(10)
        thread.join()
        pair[1].sendall(b"x")
        seen.append(pair[0].recv(1))
    assert seen == [b"x"]


def test_connection_outside_of_any_attempt_is_nobodys(pair):
    """The connection test of a command has no deadline of this kind."""
    note_connection(Connection(pair[0]))
    with Deadlines().over(0.01):
        threading.Event().wait(0.05)
    pair[1].sendall(b"x")
    assert pair[0].recv(1) == b"x"
