"""A threaded server socket on loopback that can vanish and come back on its own port, for the stand-ins.

It must not know what is spoken over its connections, and no thread of it may outlive `close`.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading

JOIN_S = 10
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: close sends RST


class Connection:
    """One accepted connection; every blocking call on it ends with an OSError when the listener stops.

    Attributes:
        number: Counts from 1 over the life of the listener.
        socket: The socket, TLS after `secure`.
        reader: A buffered binary reader; set by `secure` or `plain`.
        tls: The peer's TLS version (`TLSv1.3`), or None.
    """

    def __init__(self, number, accepted, stopped):
        """Wrap the `accepted` socket; `stopped` is the event of the listener's stop."""
        self.number = number
        self.socket = accepted
        self.reader = None
        self.tls = None
        self._attached = []
        self._stopped = stopped

    def secure(self, context):
        """Do the TLS handshake with the server's `context`."""
        # First wrapped and then shaken hands, so that `stop` finds the socket that blocks.
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.wait(0)
        self.socket.do_handshake()
        self.tls = self.socket.version()
        self.plain()

    def plain(self):
        """Make the connection readable as it is."""
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.socket.makefile("rb")

    def attach(self, other):
        """Let the `other` socket, to somewhere else, be interrupted and closed with this connection."""
        self._attached.append(other)
        self.wait(0)

    def send(self, data):
        """Send all of `data` (bytes)."""
        self.socket.sendall(data)

    def wait(self, seconds):
        """Wait so many seconds, for ever with None.

        Raises:
            ConnectionAbortedError: The listener stopped meanwhile.
        """
        if self._stopped.wait(seconds):
            raise ConnectionAbortedError("the stand-in stopped")

    def reset(self):
        """Make `close` send a RST instead of an orderly end."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)

    def interrupt(self):
        """Wake, from another thread, whoever blocks on this connection."""
        for each in [self.socket, *self._attached]:
            with contextlib.suppress(OSError):
                # Not SSLSocket.shutdown: that drops the TLS state under the thread that is using it.
                socket.socket.shutdown(each, socket.SHUT_RDWR)

    def close(self):
        """Close; without `reset` in the orderly way."""
        if self.reader is not None:
            self.reader.close()
        for each in [self.socket, *self._attached]:
            each.close()


class Listener:
    """Accepts on 127.0.0.1 and runs `handle(connection)` in a thread for each connection.

    An OSError in `handle` means that the peer has gone, and is none of our business. Everything else is a bug of the
    stand-in or of the test, and `close` raises it.
    """

    def __init__(self, handle):
        """Take a free port and listen."""
        self._handle = handle
        self._failures = []
        self._count = 0
        # Bound and never listening: while `pause` lasts, nobody else can be given the port.
        self._holder = _bound(0)
        self.port = self._holder.getsockname()[1]
        self._socket = None
        self.resume()

    def resume(self):
        """Listen, again after `pause`, on the same port."""
        if self._socket is not None:
            return
        self._stopped = threading.Event()
        self._live = {}
        self._socket = _bound(self.port)
        self._socket.listen(256)
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def pause(self):
        """Refuse connections from now on and cut the open ones; returns when every thread has ended.

        Raises:
            RuntimeError: A thread did not end within ten seconds.
        """
        if self._socket is None:
            return
        self._stopped.set()
        self._socket.shutdown(socket.SHUT_RDWR)  # wakes accept, on Linux
        self._join(self._acceptor)
        self._socket.close()
        self._socket = None
        for thread, connection in list(self._live.items()):
            connection.interrupt()
            self._join(thread)

    def close(self):
        """End for good, and raise the first failure that `handle` had."""
        self.pause()
        self._holder.close()
        if self._failures:
            raise self._failures[0]

    def _accept(self):
        while True:
            try:
                accepted = self._socket.accept()[0]
            except OSError:
                return
            self._count += 1
            connection = Connection(self._count, accepted, self._stopped)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._live[thread] = connection
            thread.start()

    def _serve(self, connection):
        try:
            self._handle(connection)
        except OSError:
            pass
        except Exception as failure:  # noqa: BLE001 - kept, and raised by close()
            self._failures.append(failure)
        finally:
            connection.close()
            self._live.pop(threading.current_thread(), None)

    @staticmethod
    def _join(thread):
        thread.join(JOIN_S)
        if thread.is_alive():
            raise RuntimeError(f"a stand-in's thread did not end within {JOIN_S} s")


class Listening:
    """A stand-in that keeps its Listener in `_listener`: it serves from its making until `close`."""

    def __enter__(self):
        """Itself, listening."""
        return self

    def __exit__(self, *_exc):
        """Close."""
        self.close()

    def close(self):
        """End every connection and thread; raises what a test's predicate or the stand-in itself failed with."""
        self._listener.close()

    def pause(self):
        """An outage: open connections are cut, new ones refused, until `resume` on the same port."""
        self._listener.pause()

    def resume(self):
        """The end of the outage."""
        self._listener.resume()


def _bound(port):
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    return bound
