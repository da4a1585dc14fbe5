"""Lets Neo4j Browser, a page of another origin, fetch the guides, and nothing else."""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from graphmind_api.routes.guides import GUIDES


class GuideOrigins:
    """Answers any origin for the guides, whatever other routes allow.

    The Browser asks for them with headers of its own, so it asks beforehand whether it may.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._for_all = CORSMiddleware(
            app, allow_origins=["*"], allow_methods=["GET"], allow_headers=["*"]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        is_guide = scope["type"] == "http" and scope["path"].startswith(f"{GUIDES}/")
        await (self._for_all if is_guide else self._app)(scope, receive, send)
