"""Strategies: their revisions, and people's approval of them."""

from fastapi import APIRouter

from graphmind_api.actor import FROM_HERE, CurrentActor, may
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
    # A standing approval lets repairs run by themselves: it weighs as much as one of a plan.
    dependencies=[*FROM_HERE, may("approver")],
    responses=UNKNOWN
    | {403: {"description": "Who proposed it, or may not approve, cannot approve it"}},
)
def approve_strategy(key: str, desk: OpenDesk, actor: CurrentActor) -> StrategyRevision:
    """Of a strategy the revision approved last is used."""
    return StrategyRevision.of(desk.approve_strategy(key, who=actor.name))
