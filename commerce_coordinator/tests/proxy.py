"""A TCP proxy on 127.0.0.1 between a process and what it depends on, to be cut, frozen or silenced on order."""

import contextlib
import socket
import struct
import threading
import time

#: How long a connection that cannot be opened yet is kept waiting, in seconds, as a network in between would.
_CONNECT_PATIENCE = 3


class Proxy:
    """Passes bytes on in both directions, unless it is told otherwise.

    hold / release             bytes wait, none is lost: the far side hangs
    go_half_open / heal        bytes are swallowed; connections of that time stay open and silent for good
    drop_answers / heal        requests go through, then the connection is cut before the answer
    cut                        every connection of now ends with a reset

    latency: seconds that each piece of an answer takes.
    """

    def __init__(self, port: int, host: str = "127.0.0.1", *, latency: float = 0.0) -> None:
        self.target = (host, port)
        self._latency = latency
        self._flowing = threading.Event()
        self._flowing.set()
        self._half_open = False
        self._dropping: bytes | None = None
        self._lock = threading.Lock()
        self._connections: set[_Connection] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    # --- Orders ---

    def hold(self) -> None:
        self._flowing.clear()

    def release(self) -> None:
        self._flowing.set()

    def go_half_open(self) -> None:
        with self._lock:
            self._half_open = True
            for each in self._connections:
                each.silent = True

    def drop_answers(self, to: bytes) -> None:
        """Of requests that begin with these bytes."""
        self._dropping = to

    def heal(self) -> None:
        """From now on bytes flow; what went half-open stays so, as nobody told its ends."""
        self._half_open, self._dropping = False, None
        self._flowing.set()

    def cut(self) -> None:
        with self._lock:
            cut = list(self._connections)
        for each in cut:
            each.reset()

    def close(self) -> None:
        self.heal()
        self._listener.close()
        self.cut()

    # --- Passing on ---

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        far = self._reach()
        if far is None:
            _reset(near)
            return
        connection = _Connection(near, far)
        with self._lock:
            connection.silent = self._half_open
            self._connections.add(connection)
        back = threading.Thread(target=self._pass_on, args=(connection, far, near), daemon=True)
        back.start()
        self._pass_on(connection, near, far)
        back.join()
        connection.close()
        with self._lock:
            self._connections.discard(connection)

    def _reach(self) -> socket.socket | None:
        """A far side that refuses is told at once; one whose queue is full is waited for."""
        try:
            far = socket.create_connection(self.target, timeout=_CONNECT_PATIENCE)
        except OSError:
            return None
        far.settimeout(None)
        return far

    def _pass_on(self, connection: "_Connection", source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._flowing.wait()
                if source is connection.far and self._latency:
                    time.sleep(self._latency)
                if connection.silent:
                    continue
                if source is connection.near:
                    if self._dropping is not None and data.startswith(self._dropping):
                        connection.answer_is_dropped = True
                elif connection.answer_is_dropped:
                    connection.reset()
                    return
                sink.sendall(data)
        connection.shut()


class _Connection:
    """Both ends of one connection."""

    def __init__(self, near: socket.socket, far: socket.socket) -> None:
        self.near, self.far = near, far
        self.silent = False
        self.answer_is_dropped = False
        self._is_reset = False

    def shut(self) -> None:
        """One side has ended it: tell the other, and wake what reads from either."""
        if not self._is_reset:
            self._shut(socket.SHUT_RDWR)

    def reset(self) -> None:
        """Wake what reads from either end; both are then closed by RST instead of FIN."""
        self._is_reset = True
        for each in (self.near, self.far):
            with contextlib.suppress(OSError):
                _linger_not(each)
        self._shut(socket.SHUT_RD)  # nothing is sent by this one

    def _shut(self, how: int) -> None:
        for each in (self.near, self.far):
            with contextlib.suppress(OSError):
                each.shutdown(how)

    def close(self) -> None:
        for each in (self.near, self.far):
            each.close()


def _linger_not(each: socket.socket) -> None:
    """What is closed from now on is closed by RST instead of FIN."""
    each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _reset(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        _linger_not(each)
    each.close()
