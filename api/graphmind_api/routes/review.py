"""The weekly reviews that were written (S48)."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel

from graphmind.jobs.review import kept_review, reviewed_weeks
from graphmind.review.model import Review
from graphmind.review.page import content_policy, page
from graphmind_api.context import API, OpenStores
from graphmind_api.problems import UNKNOWN

router = APIRouter(prefix=API, tags=["review"])
WEEK: Final = r"^\d{4}-W\d{2}$"
WeekName = Annotated[str, Path(pattern=WEEK, description="An ISO week, as 2026-W47")]
WeekQuery = Annotated[
    str | None, Query(pattern=WEEK, description="An ISO week, as 2026-W47; null: the latest kept")
]


class ReviewedWeek(BaseModel):
    """A week of which a review is kept."""

    week: str
    complete: bool
    headline: str
    since_ms: int
    until_ms: int


class ReviewedWeeks(BaseModel):
    """All of them, newest first."""

    items: tuple[ReviewedWeek, ...]
    next_cursor: str | None = None


@router.get("/review", summary="The review of a week", responses=UNKNOWN)
def read_review(stores: OpenStores, week: WeekQuery = None) -> Review:
    """As it was written: by `serve` when the week was over, or by `graphmind review`."""
    return kept_review(stores.archive, week or "")


@router.get("/review/weeks", summary="The weeks of which a review is kept")
def list_weeks(stores: OpenStores) -> ReviewedWeeks:
    """One review a week, so the list is given whole."""
    rows = reviewed_weeks(stores.archive)
    return ReviewedWeeks(items=tuple(ReviewedWeek.model_validate(row) for row in rows))


@router.get(
    "/review/{week}.html",
    summary="The review of a week as a page",
    responses=UNKNOWN,
    response_class=Response,
)
def read_page(week: WeekName, stores: OpenStores) -> Response:
    """Return one HTML page that loads nothing."""
    text = page(kept_review(stores.archive, week))
    policy = {"Content-Security-Policy": content_policy()}
    return Response(text, media_type="text/html; charset=utf-8", headers=policy)
