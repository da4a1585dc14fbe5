"""The guides that Neo4j Browser plays: open to all, for they hold no data."""

from fastapi import APIRouter
from starlette.responses import FileResponse

from graphmind.graph.browser import guide_file

GUIDES = "/browser/guides"

router = APIRouter(prefix=GUIDES, include_in_schema=False)  # For the Browser, not programs.


@router.get("/{name}")
def read_guide(name: str) -> FileResponse:
    """Return a guide, such as `triage.html`, or `triage.adoc` for the newer Browser."""
    path = guide_file(name)
    kind = "text/html" if path.suffix == ".html" else "text/asciidoc"
    return FileResponse(path, media_type=kind, headers={"Cache-Control": "no-cache"})
