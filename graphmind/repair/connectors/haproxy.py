"""HAProxy by its admin socket: servers of a region are drained, weighed and brought back.

Changes by the socket last until HAProxy reloads its configuration: then the file counts again.
"""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from graphmind.repair.connector import Applied, Connector, ConnectorError, OutcomeUnknown
from graphmind.repair.connectors.config import Options, Section
from graphmind.repair.connectors.regional import (
    Layout,
    Member,
    Members,
    Mode,
    Reading,
    RegionConnector,
    Regions,
    members_of,
)

LAG: Final = "requests under way end where they are; a reload of HAProxy undoes all of it"
_COLUMNS: Final = (
    "be_name",
    "srv_name",
    "srv_op_state",
    "srv_admin_state",
    "srv_uweight",
)
_MAINT: Final = 0x01 | 0x02 | 0x04 | 0x20 | 0x40
"""Bits of srv_admin_state: in maintenance by the socket, by another server, by the file, by DNS."""
_DRAIN: Final = 0x08 | 0x10
_RUNNING: Final = frozenset({1, 2})
"""srv_op_state: starting, running."""
_SERVER: Final = re.compile(r"[A-Za-z0-9_.:-]+/[A-Za-z0-9_.:-]+")
"""What HAProxy lets a backend and a server be called: nothing that ends a command."""
_REPLY_BYTES_MAX: Final = 16 * 2**20  # chosen: some 100,000 servers
_TEXT_CHARS_MAX: Final = 200  # chosen: HAProxy's own words, in a line of log


class HaproxyOptions(Options):
    """Options of kind haproxy."""

    socket: str = Field(pattern=r"^(unix:/.+|tcp:[^\s/]+:[0-9]{1,5})$")
    """``unix:/run/haproxy/admin.sock`` or ``tcp:HOST:PORT``, of level admin."""
    regions: Annotated[Regions, Field(min_length=1)]
    """Servers of each region, as ``backend/server``."""
    full: int = Field(default=100, ge=1, le=256)
    """Weight of a server that takes its whole share."""


@dataclass(frozen=True, kw_only=True)
class AdminSocket:
    """Speaks to a socket declared ``stats socket ... level admin``."""

    address: str
    """``unix:/path`` or ``tcp:host:port``."""
    timeout_s: float

    def ask(self, *commands: str, changes: bool = False) -> str:
        """Send commands in one line, return all that comes.

        Raises ConnectorError where it cannot be reached, and for commands that ``changes``
        something OutcomeUnknown where the connection breaks after they were sent.
        """
        unknown = OutcomeUnknown if changes else ConnectorError
        with self._connected() as connection:
            try:
                connection.sendall(f"{';'.join(commands)}\n".encode())
                answer = b"".join(_chunks(connection)).decode("utf-8", "replace")
            except OSError as error:
                raise unknown(
                    f"HAProxy at {self.address}: breaks off or does not answer within "
                    f"{self.timeout_s:g} s: {error}"
                ) from error
        # Each command is answered by at least an empty line.
        if answer.count("\n") < len(commands) or not answer.endswith("\n"):
            raise unknown(f"HAProxy at {self.address}: breaks off in its answer; ask again")
        return answer

    @contextmanager
    def _connected(self) -> Iterator[socket.socket]:
        try:
            connection = self._connect()
        except OSError as error:
            raise ConnectorError(
                f"HAProxy at {self.address}: does not answer: {error}; does it run, with a "
                "`stats socket` there that this process may use?"
            ) from error
        with connection:
            yield connection

    def _connect(self) -> socket.socket:
        scheme, _, place = self.address.partition(":")
        if scheme == "tcp":
            host, _, port = place.rpartition(":")
            return socket.create_connection((host.strip("[]"), int(port)), self.timeout_s)
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(self.timeout_s)
            connection.connect(place)
        except OSError:
            connection.close()
            raise
        return connection


class Servers:
    """The servers of a HAProxy that belong to regions, named ``backend/server``."""

    def __init__(self, admin: AdminSocket, names: frozenset[str]) -> None:
        self._admin = admin
        self._names = names

    def read(self) -> Reading:
        """Return all configured servers that are there."""
        rows = _rows(self._admin.ask("show servers state"), self._admin.address)
        members, down = {}, set()
        for row in rows:
            name = f"{row['be_name']}/{row['srv_name']}"
            if name not in self._names:
                continue
            members[name] = Member(
                weight=int(row["srv_uweight"]), mode=_mode(int(row["srv_admin_state"]))
            )
            if int(row["srv_op_state"]) not in _RUNNING:
                down.add(name)
        return Reading(members=members, down=frozenset(down))

    def write(self, wanted: Members, now: Members) -> Applied:
        """Set servers, in one line; what HAProxy refuses is taken back."""
        refusal = self._send(wanted)
        after = {name: self.read().members.get(name) for name in wanted}
        if after == dict(wanted):
            return Applied(
                detail=f"HAProxy shows {len(wanted)} servers as asked for",
                facts={"changed": str(len(wanted)), "servers": ", ".join(sorted(wanted))},
            )
        self._send({name: now[name] for name in wanted})
        back = {name: self.read().members.get(name) for name in wanted}
        said = f"HAProxy at {self._admin.address} refuses: {refusal or 'in no words'}"
        if back == {name: now[name] for name in wanted}:
            raise ConnectorError(f"{said}; nothing is changed")
        raise OutcomeUnknown(f"{said}; a part of it took effect and could not be taken back")

    def pool(self, member: str) -> str:
        """Name the backend."""
        return member.partition("/")[0]

    def close(self) -> None:
        """Nothing is kept open."""

    def _send(self, wanted: Members) -> str:
        commands = [
            command
            for name, member in sorted(wanted.items())
            for command in (
                f"set server {name} weight {member.weight}",
                f"set server {name} state {member.mode}",
            )
        ]
        said = self._admin.ask(*commands, changes=True)
        return " ".join(said.split())[:_TEXT_CHARS_MAX]


def open_connector(section: Section) -> Connector:
    """Open a HAProxy; nothing is asked of it yet."""
    options = section.read_as(HaproxyOptions)
    names = members_of(section, options.regions, like=_SERVER)
    admin = AdminSocket(address=options.socket, timeout_s=options.timeout_s)
    layout = Layout(
        section=section,
        address=options.socket,
        regions=options.regions,
        full=options.full,
        has_drain=True,
        lag=LAG,
    )
    return RegionConnector(layout, Servers(admin, names))


def _chunks(connection: socket.socket) -> Iterator[bytes]:
    size = 0
    while chunk := connection.recv(2**16):
        size += len(chunk)
        if size > _REPLY_BYTES_MAX:
            raise OSError(f"the reply is over {_REPLY_BYTES_MAX} bytes")
        yield chunk


def _rows(text: str, address: str) -> list[dict[str, str]]:
    """Read the table that ``show servers state`` answers, by the names in its header."""
    lines = text.splitlines()
    header = next((line[2:].split() for line in lines if line.startswith("# ")), [])
    rows = [
        dict(zip(header, line.split(), strict=False))
        for line in lines
        if not line.startswith("#") and len(line.split()) >= len(header)
    ]
    numbers = [row.get(name, "") for row in rows for name in _COLUMNS[2:]]
    if not set(_COLUMNS) <= set(header) or not all(each.isdecimal() for each in numbers):
        start = " ".join(text.split())[:_TEXT_CHARS_MAX]
        raise ConnectorError(
            f"HAProxy at {address}: expected the table of `show servers state`, got {start!r}; "
            "is it the admin socket of HAProxy 1.8 or later?"
        )
    return rows


def _mode(admin_state: int) -> Mode:
    if admin_state & _MAINT:
        return "maint"
    return "drain" if admin_state & _DRAIN else "ready"
