"""The console's files: one page for every screen, and what it loads."""

from typing import Final

from fastapi import APIRouter, FastAPI
from graphmind_console import STATIC
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

router = APIRouter(include_in_schema=False)

ASSETS: Final = "/assets"
SCREENS: Final = (
    *("incidents", "traces", "compare", "explore", "health", "repairs"),
    *("strategies", "audit", "review", "settings"),
)
"""First parts of the addresses that the page itself tells apart."""
CACHE: Final = {"Cache-Control": "no-cache"}
"""Kept by browsers, and asked for each time whether it is still the same: releases mix no files."""


def add_console(app: FastAPI) -> None:
    """Serve the page at ``/`` and at each screen's address, and its files below ``/assets``."""
    app.include_router(router)
    app.mount(ASSETS, _Files(directory=STATIC), name="console")


def read_page() -> Response:
    """Return the page; its script reads the address and draws that screen."""
    return FileResponse(STATIC / "index.html", media_type="text/html", headers=CACHE)


router.add_api_route("/", read_page)
for _screen in SCREENS:
    router.add_api_route(f"/{_screen}", read_page)
    router.add_api_route(f"/{_screen}/{{rest:path}}", read_page)


class _Files(StaticFiles):
    """Static files that are asked for again with their ETag."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(CACHE)
        return response
