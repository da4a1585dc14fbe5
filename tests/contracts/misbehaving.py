"""Real servers on loopback that misbehave: silent, full of nonsense, or losing what was said."""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

_BYTES = 2**16
_LINGER_S = 2.0
"""How long a connection that was answered is read on, so that no reset eats the answer."""


def closed_port() -> int:
    """Return a port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def silent() -> Iterator[int]:
    """A server that takes what is said and never answers; gives its port."""

    def listen(client: socket.socket) -> None:
        while client.recv(_BYTES):
            pass

    with _serving(listen) as port:
        yield port


@contextmanager
def answering(answer: bytes | Callable[[bytes], bytes]) -> Iterator[int]:
    """A server that answers the first bytes of each connection, and ends it; gives its port."""

    def reply(client: socket.socket) -> None:
        asked = client.recv(_BYTES)
        client.sendall(answer if isinstance(answer, bytes) else answer(asked))
        client.shutdown(socket.SHUT_WR)
        client.settimeout(_LINGER_S)
        while client.recv(_BYTES):
            pass

    with _serving(reply) as port:
        yield port


@dataclass(frozen=True, kw_only=True)
class Losing:
    """How a proxy loses the answers to changes."""

    writes: Sequence[bytes]
    """Bytes that stand in a request to change something, and in no other."""
    delivered: bool
    """The request still reaches the server; else it is lost too."""
    cut: bool
    """The connection breaks; else nothing comes."""


@contextmanager
def losing(port: int, how: Losing) -> Iterator[int]:
    """A proxy before a real server on a port of this machine; gives its own port."""

    def relay(client: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", port)) as server:
            lost = threading.Event()
            back = threading.Thread(target=_answers, args=(server, client, lost, how), daemon=True)
            back.start()
            said = b""
            while chunk := client.recv(_BYTES):
                said += chunk
                if any(marker in said for marker in how.writes):
                    lost.set()
                if how.delivered or not lost.is_set():
                    server.sendall(chunk)
                elif how.cut:
                    client.shutdown(socket.SHUT_RDWR)
                    return
            server.shutdown(socket.SHUT_WR)
            back.join(_LINGER_S)

    with _serving(relay) as own:
        yield own


def _answers(
    server: socket.socket, client: socket.socket, lost: threading.Event, how: Losing
) -> None:
    with suppress(OSError):
        while chunk := server.recv(_BYTES):
            if not lost.is_set():
                client.sendall(chunk)
            elif how.cut:
                client.shutdown(socket.SHUT_RDWR)
                return
        if not lost.is_set():
            client.shutdown(socket.SHUT_WR)


@contextmanager
def _serving(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve each connection on a thread; all are cut when the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    clients: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def one(client: socket.socket) -> None:
        with client, suppress(OSError):
            serve(client)

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                clients.append(client)
                threads.append(threading.Thread(target=one, args=(client,), daemon=True))
                threads[-1].start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield listener.getsockname()[1]
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()
        for client in clients:
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
