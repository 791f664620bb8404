"""The proxy of the tests does to a connection what it says, or what is proved with it is not proved."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from .proxy import Proxy

PATIENCE = 10


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that sends back what it gets; its port."""

    def serve(each: socket.socket) -> None:
        with each, contextlib.suppress(OSError):
            while data := each.recv(1024):
                each.sendall(data)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]


@pytest.fixture
def proxy(echo: int) -> Iterator[Proxy]:
    with contextlib.closing(Proxy(echo)) as made:
        yield made


@contextlib.contextmanager
def connection(proxy: Proxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=PATIENCE) as made:
        yield made


def says(each: socket.socket, words: bytes) -> bytes:
    each.sendall(words)
    return each.recv(1024)


def is_silent(each: socket.socket) -> bool:
    each.settimeout(0.2)
    try:
        each.recv(1024)
    except TimeoutError:
        return True
    finally:
        each.settimeout(PATIENCE)
    return False


def test_bytes_pass(proxy: Proxy) -> None:
    with connection(proxy) as one:
        assert says(one, b"hello") == b"hello"


def test_what_is_held_arrives_later(proxy: Proxy) -> None:
    with connection(proxy) as one:
        assert says(one, b"first") == b"first"
        proxy.hold()
        one.sendall(b"second")
        assert is_silent(one)
        proxy.release()
        assert one.recv(1024) == b"second"


def test_what_went_half_open_stays_so_and_what_comes_later_is_well(proxy: Proxy) -> None:
    with connection(proxy) as before:
        assert says(before, b"hello") == b"hello"
        proxy.go_half_open()
        before.sendall(b"swallowed")
        assert is_silent(before)
        with connection(proxy) as during:
            during.sendall(b"swallowed")
            assert is_silent(during)
            proxy.heal()
            during.sendall(b"swallowed")
            assert is_silent(during)
        before.sendall(b"swallowed")
        assert is_silent(before)
        with connection(proxy) as after:
            assert says(after, b"hello") == b"hello"


def test_cut_is_a_reset(proxy: Proxy) -> None:
    with connection(proxy) as one:
        assert says(one, b"hello") == b"hello"
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            one.recv(1024)
    with connection(proxy) as another:
        assert says(another, b"hello") == b"hello"


def test_answer_is_dropped_only_where_the_request_begins_so(proxy: Proxy) -> None:
    with connection(proxy) as one:
        proxy.drop_answers(to=b"POST ")
        assert says(one, b"GET /") == b"GET /"
        one.sendall(b"POST /")
        with pytest.raises(ConnectionResetError):
            one.recv(1024)
    proxy.heal()
    with connection(proxy) as another:
        assert says(another, b"POST /") == b"POST /"


def test_far_side_that_refuses_is_felt_as_a_reset() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    # It may be felt while the connection is made, or only when it is read from.
    with contextlib.closing(Proxy(port)) as proxy, pytest.raises(ConnectionResetError), connection(proxy) as one:
        one.recv(1024)
