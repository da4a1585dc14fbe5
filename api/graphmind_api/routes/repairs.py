"""Repairs: planned, decided on, run, undone, and watched on their way."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, HTTPException, Query, Request, Response
from fastapi.responses import StreamingResponse

from graphmind.jobs.repairs.desk import RepairDesk
from graphmind.repair import record as room
from graphmind.repair.states import State
from graphmind_api.actor import FROM_HERE, Actor, CurrentActor, may
from graphmind_api.conditions import CONDITIONAL, IfMatch, require_match, state_version
from graphmind_api.context import API, ConnectedDesk, LongCalls, OpenDesk
from graphmind_api.pages import Cursor, Limit, cursor_of, link_next, place_of
from graphmind_api.problems import UNKNOWN
from graphmind_api.repair_events import events_of
from graphmind_api.repair_models import (
    Choices,
    Decided,
    PlanRequest,
    Reasoned,
    Repair,
    RepairPage,
    RepairSummary,
    RepairSwitches,
    StopSet,
    StopSwitch,
    Suppression,
    SuppressionSet,
)

router = APIRouter(prefix=API, tags=["repairs"])

READ_MAX: Final = 10_000
"""Repairs looked through for a page beyond the first (chosen: more than a year of ten a day)."""
ASK_AGAIN_S: Final = "1"
"""How soon to look at a repair that runs (chosen)."""
CONFLICT: Final[dict[int | str, dict[str, Any]]] = {
    409: {"description": "The repair takes no such thing as it stands"}
}
ACTING: Final = [*FROM_HERE, may("responder")]
DECIDING: Final = [*FROM_HERE, may("approver")]
CHANGED = UNKNOWN | CONFLICT | CONDITIONAL
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        max_length=255,
        description="The same key of the same actor gives the repair of the first request again",
    ),
]
DryRun = Annotated[bool, Query(description="Plan only: the repair can never be run")]
States = Annotated[list[State], Query(description="Only repairs in one of these states")]


@router.get(
    "/incidents/{incident_id}/repairs/choices",
    summary="The strategies for an incident, best first",
    responses=UNKNOWN,
)
def read_choices(incident_id: str, desk: OpenDesk) -> Choices:
    """Each with why it matches and its record; the others with why they do not."""
    return Choices.of(desk.choices(incident_id))


@router.post(
    "/incidents/{incident_id}/repairs",
    summary="Plan a repair",
    status_code=201,
    dependencies=ACTING,
    responses=UNKNOWN
    | {
        200: {"model": Repair, "description": "A dry run"},
        422: {"description": "No plan can be made, or the key was used for another request"},
        502: {"description": "A control plane does not answer"},
    },
)
def plan_repair(  # noqa: PLR0917 - one parameter a part of the request
    incident_id: str,
    asked: PlanRequest,
    desk: ConnectedDesk,
    actor: CurrentActor,
    response: Response,
    key: IdempotencyKey = "",
    *,
    dry_run: DryRun = False,
) -> Repair:
    """Read the present state of each target and say what exactly would happen. Changes nothing."""
    planned = desk.plan(
        incident_id,
        who=actor.name,
        strategy=asked.strategy,
        idempotency_key=f"{actor.name}:{key}" if key else "",
        dry_run=dry_run,
    )
    _same_request(planned, incident_id, asked, dry_run=dry_run)
    if dry_run:
        response.status_code = 200
    return _located(response, planned)


@router.get("/repairs", summary="List repairs, newest first")
def read_repairs(  # noqa: PLR0917 - one parameter a filter
    request: Request,
    response: Response,
    desk: OpenDesk,
    incident_id: Annotated[str | None, Query(description="Only of this incident")] = None,
    state: States = [],  # noqa: B006 - FastAPI copies defaults
    cursor: Cursor | None = None,
    limit: Limit = 50,
) -> RepairPage:
    """Without their plans."""
    wanted = limit + 1 if cursor is None else READ_MAX
    found = desk.repairs(incident_id=incident_id, states=state, limit=wanted)
    found.sort(key=_newest_first)
    if cursor is not None:
        asked_ms, repair_id = place_of(cursor)
        found = [each for each in found if _newest_first(each) > (-asked_ms, repair_id)]
    page = found[:limit]
    last = (page[-1].requested_ms, page[-1].repair_id) if len(found) > limit else None
    next_cursor = cursor_of(last) if last else None
    link_next(request, response, next_cursor)
    return RepairPage(items=tuple(map(RepairSummary.of, page)), next_cursor=next_cursor)


@router.get("/repairs/switches", summary="What keeps repairs from running")
def read_switches(desk: OpenDesk) -> RepairSwitches:
    """The stop of all repairs, and what is suppressed, by target."""
    stop, suppressed = desk.switches()
    rules = (SuppressionSet(target=each, **suppressed[each]) for each in sorted(suppressed))
    return RepairSwitches(stop=StopSet(**stop), suppressed=tuple(rules))


@router.post(
    "/repairs/stop",
    summary="Stop all repairs, or release that stop",
    status_code=204,
    dependencies=ACTING,
)
def stop_repairs(switch: StopSwitch, desk: OpenDesk, actor: CurrentActor) -> None:
    """One that runs stops before its next step, and what it did is undone."""
    desk.stop(switch.on, who=actor.name, reason=switch.reason)


@router.post(
    "/repairs/suppress",
    summary="Allow no repair of something",
    status_code=204,
    dependencies=ACTING,
)
def suppress(asked: Suppression, desk: OpenDesk, actor: CurrentActor) -> None:
    """Of an incident, a cluster or a target, or none by a strategy."""
    desk.suppress(asked.target, who=actor.name, reason=asked.reason, until_ms=asked.until_ms)


@router.get("/repairs/{repair_id}", summary="Everything known about a repair", responses=UNKNOWN)
def read_repair(repair_id: str, desk: OpenDesk, response: Response) -> Repair:
    """Plan, approvals, steps, verdict, before and after. Its `ETag` is for `If-Match`."""
    return _answer(response, desk.get(repair_id))


@router.get(
    "/repairs/{repair_id}/events",
    summary="The states of a repair as they change",
    response_class=StreamingResponse,
    responses=UNKNOWN | {200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
def read_events(repair_id: str, desk: OpenDesk, request: Request) -> StreamingResponse:
    """Server-sent events `repair`, the first at once; the stream ends when the repair is over."""
    desk.get(repair_id)  # An unknown name is told before the stream begins.
    stream = events_of(desk, repair_id, is_closing=lambda: bool(request.app.state.closing))
    return StreamingResponse(
        stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


@router.post(
    "/repairs/{repair_id}/approve",
    summary="Approve the plan of a repair",
    dependencies=DECIDING,
    responses=CHANGED,
)
def approve(  # noqa: PLR0917 - one parameter a part of the request
    repair_id: str,
    decided: Decided,
    desk: OpenDesk,
    actor: CurrentActor,
    response: Response,
    if_match: IfMatch = None,
) -> Repair:
    """It counts for exactly the plan of that hash; model and region level take two people."""
    _expect(desk, repair_id, if_match)
    return _answer(response, desk.approve(repair_id, **_decision(decided, actor)))


@router.post(
    "/repairs/{repair_id}/reject",
    summary="Reject the plan of a repair",
    dependencies=DECIDING,
    responses=CHANGED,
)
def reject(  # noqa: PLR0917 - one parameter a part of the request
    repair_id: str,
    decided: Decided,
    desk: OpenDesk,
    actor: CurrentActor,
    response: Response,
    if_match: IfMatch = None,
) -> Repair:
    """It is over then: plan anew for another try."""
    _expect(desk, repair_id, if_match)
    return _answer(response, desk.reject(repair_id, **_decision(decided, actor)))


@router.post(
    "/repairs/{repair_id}/run",
    summary="Run an approved repair",
    status_code=202,
    dependencies=ACTING,
    responses=CHANGED,
)
def run(  # noqa: PLR0917 - one parameter a part of the request
    repair_id: str,
    desk: ConnectedDesk,
    actor: CurrentActor,
    calls: LongCalls,
    response: Response,
    if_match: IfMatch = None,
) -> Repair:
    """It goes on after the answer: follow `Location`, or its events."""
    _expect(desk, repair_id, if_match)
    ended = calls.begin(repair_id, lambda: desk.run(repair_id, who=actor.name))
    return _accepted(response, ended or desk.get(repair_id))


@router.post(
    "/repairs/{repair_id}/undo",
    summary="Undo what a repair did",
    status_code=202,
    dependencies=ACTING,
    responses=CHANGED,
)
def undo(  # noqa: PLR0917 - one parameter a part of the request
    repair_id: str,
    asked: Reasoned,
    desk: ConnectedDesk,
    actor: CurrentActor,
    calls: LongCalls,
    response: Response,
    if_match: IfMatch = None,
) -> Repair:
    """Last step first. It goes on after the answer: follow `Location`, or its events."""
    _expect(desk, repair_id, if_match)
    ended = calls.begin(
        repair_id, lambda: desk.undo(repair_id, who=actor.name, reason=asked.reason)
    )
    return _accepted(response, ended or desk.get(repair_id))


@router.post(
    "/repairs/{repair_id}/cancel",
    summary="Cancel a repair that does not run yet",
    dependencies=ACTING,
    responses=CHANGED,
)
def cancel(  # noqa: PLR0917 - one parameter a part of the request
    repair_id: str,
    asked: Reasoned,
    desk: OpenDesk,
    actor: CurrentActor,
    response: Response,
    if_match: IfMatch = None,
) -> Repair:
    """One that runs is intercepted or undone instead."""
    _expect(desk, repair_id, if_match)
    return _answer(response, desk.cancel(repair_id, who=actor.name, reason=asked.reason))


@router.post(
    "/repairs/{repair_id}/intercept",
    summary="Stop a running repair",
    status_code=202,
    dependencies=ACTING,
    responses=UNKNOWN | CONFLICT,
)
def intercept(
    repair_id: str, asked: Reasoned, desk: OpenDesk, actor: CurrentActor, response: Response
) -> Repair:
    """Before its next step; what it did is undone. Asks for no `If-Match`: each step changes it."""
    desk.intercept(repair_id, who=actor.name, reason=asked.reason)
    return _accepted(response, desk.get(repair_id))


def _same_request(
    planned: room.Repair, incident_id: str, asked: PlanRequest, *, dry_run: bool
) -> None:
    """Refuse a key that gave the repair of another request."""
    strategy = planned.strategy.partition("@")[0]
    if (
        planned.incident_id != incident_id
        or (planned.mode == "dry_run") is not dry_run
        or asked.strategy not in (None, strategy, planned.strategy)
    ):
        raise HTTPException(
            422,
            f"This Idempotency-Key was used for {strategy} on incident {planned.incident_id} "
            f"({planned.mode}): use another for another request.",
        )


def _expect(desk: RepairDesk, repair_id: str, if_match: str | None) -> None:
    require_match(desk.get(repair_id), if_match)


def _decision(decided: Decided, actor: Actor) -> dict[str, str]:
    """Return who decides what: arguments of the desk's ``approve`` and ``reject``."""
    return {
        "who": actor.name,
        "role": actor.role,
        "plan_hash": decided.plan_hash,
        "reason": decided.reason,
    }


def _answer(response: Response, repair: room.Repair) -> Repair:
    state_version(response, repair)
    return Repair.of(repair)


def _located(response: Response, repair: room.Repair) -> Repair:
    response.headers["Location"] = f"{API}/repairs/{repair.repair_id}"
    return _answer(response, repair)


def _accepted(response: Response, repair: room.Repair) -> Repair:
    response.headers["Retry-After"] = ASK_AGAIN_S
    return _located(response, repair)


def _newest_first(repair: room.Repair) -> tuple[int, str]:
    return -repair.requested_ms, repair.repair_id
