"""A bound on the size of request bodies, stated or streamed."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_BYTES_MAX: Final = 10_000_000
"""100,000 trace ids of 32 characters take 3.5 MB (chosen with room for longer ones)."""


class BodyLimit:
    """Refuses a body as soon as it is known to be too long: 413."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its body counted."""
        await self._app(scope, _counted(receive) if scope["type"] == "http" else receive, send)


def _counted(receive: Receive) -> Receive:
    taken = 0

    async def received() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > BODY_BYTES_MAX:
            raise HTTPException(413, f"A body may have at most {BODY_BYTES_MAX:,} bytes.")
        return message

    return received
