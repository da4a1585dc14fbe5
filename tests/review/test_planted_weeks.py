"""The review of planted weeks, as the jobs, the command, the routes and the schedule give it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from graphmind.jobs.review import KIND, kept_review, review_due, review_week
from graphmind.jobs.stores import Stores
from graphmind.review.markdown import markdown
from graphmind.review.model import Review
from graphmind.review.page import content_policy, page
from graphmind.settings import Settings
from graphmind.simulation.incidents import Planted
from graphmind.wiring import open_stores
from tests.api.conftest import client_of
from tests.cli.running import graphmind
from tests.review.weeks import OVER_MS, WEEKS, plant

pytestmark = pytest.mark.slow
FIRST, SECOND, THIRD = (week.name for week in WEEKS)


@dataclass(frozen=True)
class Weeks:
    folder: Path
    causes: Mapping[str, Planted]


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Weeks:
    folder = tmp_path_factory.mktemp("weeks") / "store"
    return Weeks(folder, plant(folder, tmp_path_factory.mktemp("spans")))


@pytest.fixture(scope="module")
def settings(weeks: Weeks) -> Settings:
    return Settings(data_dir=weeks.folder)


@pytest.fixture
def stores(settings: Settings) -> Iterator[Stores]:
    with open_stores(settings) as opened:
        yield opened


@pytest.fixture
def review(stores: Stores, settings: Settings) -> Review:
    return review_week(stores, settings, week=THIRD, now_ms=OVER_MS)


@pytest.fixture
def client(stores: Stores, settings: Settings, review: Review) -> Iterator[httpx.Client]:
    with client_of(stores, settings) as opened:
        yield opened


def named(weeks: Weeks, standing: str) -> str:
    """Return a planted cause as the review names it."""
    ((kind, name),) = weeks.causes[standing].all_of
    return f"{kind} {name}"


def test_each_planted_cause_is_where_it_belongs(weeks, review):
    assert [each.cause for each in review.new] == [named(weeks, "new")]
    assert [each.cause for each in review.recurring] == [named(weeks, "recurring")]
    assert [each.cause for each in review.resolved] == [named(weeks, "fixed")]
    assert review.new[0].weeks == (THIRD,)
    assert review.recurring[0].weeks == (SECOND, THIRD)
    assert review.resolved[0].weeks == (FIRST, SECOND)
    assert review.resolved[0].exposed


def test_the_review_is_the_golden_one(review, assert_golden: Callable[[str, str], None]):
    assert_golden("review.md", markdown(review))


def test_the_week_before_saw_them_otherwise(weeks, stores, settings):
    review = review_week(stores, settings, week=SECOND, now_ms=OVER_MS)

    assert [each.cause for each in review.new] == [named(weeks, "recurring")]
    assert [each.cause for each in review.recurring] == [named(weeks, "fixed")]
    assert review.resolved == ()


def test_a_week_is_reviewed_once_and_anew_when_it_was_not_over(stores, settings):
    inside_ms = WEEKS[-1].since_ms + 1
    early = review_week(stores, settings, week=THIRD, now_ms=inside_ms)

    assert not early.complete
    assert review_due(stores, settings, now_ms=OVER_MS) == THIRD
    assert kept_review(stores.archive, THIRD).complete
    assert review_due(stores, settings, now_ms=OVER_MS) is None
    assert review_due(stores, settings, now_ms=OVER_MS + WEEKS[-1].until_ms) is None


def test_written_again_it_is_the_same(stores, settings, review):
    pages = {path: path.read_bytes() for path in (settings.data_dir / "reviews").glob(f"{THIRD}.*")}
    kept = stores.archive.document(KIND, THIRD)
    again = review_week(stores, settings, week="", now_ms=OVER_MS)

    assert again == review
    assert stores.archive.document(KIND, THIRD) == kept
    assert {path.suffix for path in pages} == {".html", ".md"}
    assert {path: path.read_bytes() for path in pages} == pages


def test_the_command_writes_both_pages_and_names_them(weeks):
    said = graphmind("review", "--week", THIRD, "--data-dir", weeks.folder)
    told = graphmind("review", "--week", THIRD, "--data-dir", weeks.folder, "--json").json

    assert said.code == 0, said.err
    for standing, group in (("new", "new"), ("recurring", "recurring"), ("resolved", "fixed")):
        assert f"{standing}  {named(weeks, group)}:" in said.out
        assert [each["cause"] for each in told[standing]] == [named(weeks, group)]
    for suffix in ("html", "md"):
        path = weeks.folder / "reviews" / f"{THIRD}.{suffix}"
        assert str(path) in said.out
        assert path.is_file()


def test_the_command_refuses_what_is_no_week(weeks):
    answer = graphmind("review", "--week", "2026-W99", "--data-dir", weeks.folder)

    assert answer.code == 2
    assert "expected an ISO week" in answer.err


def test_the_routes_give_the_review_its_archive_and_its_page(client, review):
    latest = client.get("/api/v1/review").json()
    kept = client.get("/api/v1/review/weeks").json()["items"]
    shown = client.get(f"/api/v1/review/{THIRD}.html")

    assert latest == client.get("/api/v1/review", params={"week": THIRD}).json()
    assert (latest["week"], latest["headline"]) == (THIRD, review.headline)
    assert kept[0]["week"] == THIRD
    assert shown.text == page(review)
    assert shown.headers["content-security-policy"] == content_policy()
    assert shown.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("review?week=2020-W01", 404),
        ("review?week=..", 422),
        ("review/2020-W01.html", 404),
        ("review/2026-W99.html", 422),
    ],
)
def test_the_routes_refuse_weeks_that_are_not_kept_or_none(client, path, status):
    assert client.get(f"/api/v1/{path}").status_code == status


def test_every_link_of_a_question_leads_somewhere(client, review):
    for question in review.questions:
        for evidence in question.evidence:
            assert client.get(evidence.api).status_code == 200, evidence.api
