"""A stand-in for HAProxy: weights by round robin, and the admin socket's commands for servers."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Final

from examples.agent_platform.layout import Layout
from examples.agent_platform.topology import AGENTS

BACKEND: Final = "regions"
READY: Final = 0
STATES: Final = {"ready": READY, "drain": 8, "maint": 1}
"""``srv_admin_state`` of HAProxy."""
_COLUMNS: Final = (
    "be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight"
)


@dataclass(kw_only=True)
class Server:
    """One region."""

    name: str
    port: int
    weight: int = 100
    admin: int = READY
    current: float = 0.0
    """Of the smooth weighted round robin."""


class Balancer:
    """Chooses servers, and obeys the admin socket."""

    def __init__(self, servers: list[Server]) -> None:
        self.servers = {server.name: server for server in servers}

    def choose(self) -> Server | None:
        """Return whose turn it is; None where no server takes anything."""
        able = [each for each in self.servers.values() if each.admin == READY and each.weight]
        if not able:
            return None
        for each in able:
            each.current += each.weight
        best = max(able, key=lambda each: each.current)
        best.current -= sum(each.weight for each in able)
        return best

    def obey(self, line: str) -> str:
        """Run the commands of a line, separated by ``;``; return what they answer."""
        return "\n".join(
            self._one(command.split()) for command in line.split(";") if command.strip()
        )

    def _one(self, words: list[str]) -> str:
        match words:
            case ["show", "servers", "state", *_]:
                return self._state()
            case ["show", "info", *_]:
                return "Name: HAProxy\nVersion: 2.6.0-stand-in\n"
            case ["set", "server", place, what, value]:
                server = self._server(place)
                return _set(server, what, value) if server else "No such server.\n"
            case ["get", "weight", place]:
                server = self._server(place)
                return f"{server.weight} (initial 100)\n" if server else "No such server.\n"
        return _unknown(words)

    def _server(self, place: str) -> Server | None:
        backend, _, name = place.partition("/")
        return self.servers.get(name) if backend == BACKEND else None

    def _state(self) -> str:
        rows = [
            f"3 {BACKEND} {number} {each.name} 127.0.0.1 2 {each.admin} {each.weight} 100"
            for number, each in enumerate(self.servers.values(), 1)
        ]
        return "\n".join(["1", f"# {_COLUMNS}", *rows, ""])


def _set(server: Server, what: str, value: str) -> str:
    """Change a server; return the complaint, empty where there is none."""
    if what == "state" and value in STATES:
        server.admin = STATES[value]
        return ""
    if what != "weight":
        return _unknown(["set", "server", what, value])
    share = value.endswith("%")
    text = value.removesuffix("%")
    if not text.isdigit() or int(text) > (100 if share else 256):
        return "Invalid weight.\n"
    server.weight = int(text)
    return ""


def _unknown(words: list[str]) -> str:
    return f"Unknown command: '{' '.join(words)}', this is a stand-in.\n"


async def serve(layout: Layout) -> None:
    """Serve until cancelled. A connection stays with the server it was given."""
    routers = [agent for agent in AGENTS if agent.kind == "router"]
    balancer = Balancer(
        [Server(name=agent.region, port=layout.agent_ports[agent.name]) for agent in routers]
    )

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while head := await _head(reader):
                await _pass_on(balancer, head, reader, writer)
        writer.close()

    async def admin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = (await reader.readline()).decode("latin-1")
        writer.write(f"{balancer.obey(line)}\n".encode("latin-1"))
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    async with (
        await asyncio.start_server(talk, "127.0.0.1", layout.balancer_port) as tasks,
        await asyncio.start_unix_server(admin, layout.balancer_socket) as commands,
    ):
        await asyncio.gather(tasks.serve_forever(), commands.serve_forever())


async def _head(reader: asyncio.StreamReader) -> bytes:
    """Return the head of the next message, empty at the end."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


async def _pass_on(
    balancer: Balancer, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Pass one request on, and its answer back, on a connection of their own."""
    body = await reader.readexactly(_length(head))
    server = balancer.choose()
    if server is None:
        writer.write(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n")
        return
    try:
        onward, back = await asyncio.open_connection("127.0.0.1", server.port)
        back.write(head + body)
        answer = await _head(onward)
        answer += await onward.readexactly(_length(answer))
    except (OSError, asyncio.IncompleteReadError):
        answer = b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n"
    else:
        back.close()
    writer.write(answer)
    await writer.drain()


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0
