"""What keeps a browser from being turned against its user: names, and headers of answers."""

from ipaddress import ip_address
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graphmind_api.problems import answer

LOOPBACK: Final = frozenset({"localhost"})
HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With `no-referrer`, browsers send the login form with `Origin: null`, which is refused.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
PAGE_POLICY: Final = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
"""Of pages; a route that needs another states its own."""
OTHER_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"


class Surroundings:
    """Answers by known names only, and tells browsers what an answer may be used for.

    A page elsewhere can have its own name lead to this server (DNS rebinding) and is then of the
    same origin; only the name that it asks by gives it away. An address cannot be rebound.
    """

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts | LOOPBACK

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = _protected(send)
        host = Headers(scope=scope).get("host", "")
        if self._is_ours(host):
            await self._app(scope, receive, send)
            return
        detail = (
            f"This server does not answer as {host[:100]!r}. Ask it by its address, or add the "
            "name to GRAPHMIND_HOSTS."
        )
        await answer(Request(scope), status=421, detail=detail)(scope, receive, send)

    def _is_ours(self, host: str) -> bool:
        name = host_name(host)
        return name in self._hosts or _is_address(name)


def host_name(host: str) -> str:
    """Return the name in a ``Host`` header, in lower case, without its port."""
    name = host.lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0].rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _protected(send: Send) -> Send:
    async def protected(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            is_page = headers.get("content-type", "").startswith("text/html")
            policy = PAGE_POLICY if is_page else OTHER_POLICY
            headers.setdefault("Content-Security-Policy", policy)
        await send(message)

    return protected
