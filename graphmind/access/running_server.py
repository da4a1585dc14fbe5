"""Where the server that owns a data folder is, and the token that opens it: two files in there."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from graphmind.access.private_file import write_private

SERVER_FILE: Final = "server.json"
TOKEN_FILE: Final = "token"  # noqa: S105 - the name of a file
TOKEN_BYTES: Final = 32


class RunningServer(msgspec.Struct, frozen=True, kw_only=True):
    """A server as its data folder tells of it."""

    url: str
    """Without a slash at the end."""
    pid: int


def new_token() -> str:
    """Return a local token: whoever can read it may do everything."""
    return secrets.token_urlsafe(TOKEN_BYTES)


@contextmanager
def announced(folder: Path, server: RunningServer, token: str) -> Iterator[None]:
    """Tell in a data folder where its server is while it runs. Raises StoreError."""
    told = folder / SERVER_FILE
    secret = folder / TOKEN_FILE
    try:
        write_private(secret, token.encode())
        write_private(told, msgspec.json.encode(server))
        yield
    finally:
        told.unlink(missing_ok=True)
        secret.unlink(missing_ok=True)


def find_server(folder: Path) -> tuple[RunningServer, str] | None:
    """Return what a data folder tells of its server, and the token; None where it tells nothing.

    Whether it still runs is for the caller to see: one that was killed leaves its files behind.
    """
    try:
        server = msgspec.json.decode((folder / SERVER_FILE).read_bytes(), type=RunningServer)
        return server, (folder / TOKEN_FILE).read_text("ascii")
    except (OSError, ValueError):
        return None
