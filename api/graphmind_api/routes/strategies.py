"""Strategies: their revisions, and people's approval of them."""

from fastapi import APIRouter

from graphmind.repair.policy import MAY_APPROVE
from graphmind.repair.strategies.revisions import ApprovalRefused
from graphmind_api.actor import FROM_HERE, CurrentActor
from graphmind_api.context import API, OpenDesk
from graphmind_api.problems import UNKNOWN
from graphmind_api.repair_models import StrategyRevision, StrategyRevisions

router = APIRouter(prefix=f"{API}/strategies", tags=["strategies"])


@router.get("", summary="The revisions of all strategies")
def read_strategies(desk: OpenDesk) -> StrategyRevisions:
    """Shipped ones, those of files, and what each of them was before."""
    return StrategyRevisions(items=tuple(map(StrategyRevision.of, desk.strategies())))


@router.post(
    "/{key}/approve",
    summary="Approve a revision",
    dependencies=FROM_HERE,
    responses=UNKNOWN
    | {403: {"description": "Who proposed it, or may not approve, cannot approve it"}},
)
def approve_strategy(key: str, desk: OpenDesk, actor: CurrentActor) -> StrategyRevision:
    """Of a strategy the revision approved last is used."""
    if actor.role not in MAY_APPROVE:
        # A standing approval lets repairs run by themselves: it weighs as much as one of a plan.
        raise ApprovalRefused(
            f"{actor.name} is {actor.role}: expected one of {', '.join(sorted(MAY_APPROVE))}. "
            "Approve with the command line while no server owns the data folder"
        )
    return StrategyRevision.of(desk.approve_strategy(key, who=actor.name))
