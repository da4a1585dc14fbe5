"""The audit trail: read, proven, exported. Nothing here writes it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from graphmind.repair.journal import FOREVER_MS
from graphmind_api.context import API, OpenDesk
from graphmind_api.models import Int64
from graphmind_api.pages import Cursor, Limit, cursor_of, link_next, place_of
from graphmind_api.problems import UNKNOWN
from graphmind_api.repair_models import AuditEntry, AuditPackage, AuditPage, AuditProof

router = APIRouter(prefix=f"{API}/audit", tags=["audit"])
Moment = Annotated[Int64, Query(description="Epoch ms")]


@router.get("", summary="Entries in order")
def read_audit(  # noqa: PLR0917 - one parameter a filter
    request: Request,
    response: Response,
    desk: OpenDesk,
    repair: Annotated[str | None, Query(description="Only entries of this repair")] = None,
    trace: Annotated[str, Query(description="Only repairs that name this trace")] = "",
    task: Annotated[str, Query(description="Only repairs that name this task")] = "",
    strategy: Annotated[
        str, Query(description="Only repairs by this strategy, of any revision or of one")
    ] = "",
    since_ms: Moment = 0,
    until_ms: Moment = FOREVER_MS,
    cursor: Cursor | None = None,
    limit: Limit = 100,
) -> AuditPage:
    """`since_ms` is the first time wanted, `until_ms` the first no longer wanted."""
    found = desk.entries(
        repair_id=repair,
        trace_id=trace,
        task_id=task,
        strategy=strategy,
        from_ms=since_ms,
        until_ms=until_ms,
        from_seq=place_of(cursor)[0] + 1 if cursor is not None else 0,
        limit=limit + 1,
    )
    page = found[:limit]
    next_cursor = cursor_of((page[-1].seq, "")) if len(found) > limit else None
    link_next(request, response, next_cursor)
    return AuditPage(items=tuple(map(AuditEntry.of, page)), next_cursor=next_cursor)


@router.get("/verify", summary="Whether the trail is what was written")
def verify_audit(desk: OpenDesk) -> AuditProof:
    """Read the whole trail, and name each place where it was changed, cut or written anew."""
    return AuditProof.of(desk.verify_audit())


@router.get("/package/{repair_id}", summary="All that is known of a repair", responses=UNKNOWN)
def read_package(repair_id: str, desk: OpenDesk) -> AuditPackage:
    """Incident, evidence, plan, approvals, steps, verdict, structure, audit entries."""
    package: dict[str, Any] = desk.package(repair_id)
    return AuditPackage.model_validate(package)
