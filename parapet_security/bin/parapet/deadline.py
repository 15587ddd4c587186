"""A deadline over a whole attempt, kept by closing its socket from outside. Must not know HTTP, nor what the attempt is for."""

from __future__ import annotations

import socket
import threading
import time

_NEVER_S = 3600.0
# How soon a deadline that was shortened is noticed, without a wake-up for each attempt.
_LOOK_S = 1.0


class Deadlines:
    """Ends attempts that go on for too long, from one thread that starts with the first of them."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self._running: set[Attempt] = set()
        self._wake = threading.Condition()
        self._next = 0.0
        self._thread: threading.Thread | None = None
        self._closed = False

    def over(self, seconds: float) -> Attempt:
        """A context for one attempt of the calling thread that must be over in so many seconds."""
        return Attempt(self, time.monotonic() + seconds)

    def add(self, attempt: Attempt) -> None:
        """Watch an attempt."""
        with self._wake:
            self._running.add(attempt)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="deadlines", daemon=True)
                self._thread.start()
            elif attempt.until < self._next:
                self._wake.notify()

    def remove(self, attempt: Attempt) -> None:
        """The attempt is over."""
        with self._wake:
            self._running.discard(attempt)

    def close(self) -> None:
        """End the thread, as soon as nothing runs."""
        with self._wake:
            self._closed = True
            self._wake.notify()

    def _watch(self) -> None:
        with self._wake:
            while self._running or not self._closed:
                now = time.monotonic()
                for attempt in [attempt for attempt in self._running if attempt.until <= now]:
                    attempt.expire()
                # An attempt that just expired is looked at again soon: its socket may have been on its way to be made.
                soonest = min([max(attempt.until, now + 0.1) for attempt in self._running], default=now + _NEVER_S)
                self._next = min(soonest, now + _LOOK_S) if self._running else soonest
                self._wake.wait(self._next - now)
            self._thread = None


class Attempt:
    """One attempt and the connection that it uses.

    Attributes:
        until: when it must be over, on the monotonic clock.
        expired: whether it was ended from outside.
    """

    def __init__(self, deadlines: Deadlines, until: float) -> None:
        """Made by `Deadlines.over`."""
        self._deadlines, self.until = deadlines, until
        self.expired = False
        self.connection: object = None

    def __enter__(self) -> Attempt:  # noqa: PYI034  Self came with 3.11
        """From now on the calling thread's connections belong to this attempt."""
        _current.attempt = self
        self._deadlines.add(self)
        return self

    def __exit__(self, *error: object) -> None:
        """The attempt is over."""
        self._deadlines.remove(self)
        _current.attempt = None

    def shorten(self, seconds: float) -> None:
        """What is left of it must not take longer than this; kept to a second."""
        self.until = min(self.until, time.monotonic() + seconds)

    def expire(self) -> None:
        """End it: every read and write on its socket fails from now on."""
        self.expired = True
        found = getattr(self.connection, "sock", None)
        if found is not None:
            try:
                # Not the method of SSLSocket: that one forgets its TLS state under the thread that is reading.
                socket.socket.shutdown(found, socket.SHUT_RDWR)
            except OSError:
                pass


def note_connection(connection: object) -> None:
    """Tell the calling thread's attempt, if there is one, which connection it uses: an object with a `sock`."""
    attempt = getattr(_current, "attempt", None)
    if attempt is not None:
        attempt.connection = connection


_current = threading.local()
