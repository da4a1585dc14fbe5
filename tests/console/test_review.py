"""The weekly review in the console, and the drift of an agent."""

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import Served, show

pytestmark = [pytest.mark.live, pytest.mark.slow]


def test_each_cause_of_the_week_leads_to_its_incident(page: Page, served: Served):
    show(page, served, "/review")
    new = page.get_by_role("region", name="New causes").get_by_role("link")

    assert sorted(new.all_inner_texts()) == sorted(served.incidents)
    expect(page.get_by_role("region", name="Recurring causes", exact=True)).to_contain_text(
        "No cause of an earlier week came again."
    )


def test_a_question_of_the_week_is_answered_by_the_graph(page: Page, served: Served):
    show(page, served, "/review")
    asked = page.get_by_role("region", name="To discuss").get_by_role("listitem").first
    asked.get_by_role("link", name="ask the graph").click()
    page.wait_for_selector('[data-screen="explore"][data-drawn]')

    expect(page.get_by_role("table", name="Causes of incidents")).to_be_visible()


def test_the_archive_and_the_page_to_share_are_one_click_away(page: Page, served: Served):
    show(page, served, "/review")
    week = page.get_by_role("list", name="Weeks").get_by_role("link")
    shared = page.get_by_role("link", name="The page to share").get_attribute("href")

    assert week.all_inner_texts() == ["2026-W10"]
    assert shared == "/api/v1/review/2026-W10.html"
    page.goto(f"{served.address}{shared}")
    expect(page.get_by_role("heading", name="Incident review, week 2026-W10")).to_be_visible()


def test_the_page_of_an_agent_tells_its_drift_and_that_of_a_region_none(page: Page, served: Served):
    show(page, served, "/health/agents/front-router")
    of_agent = page.get_by_role("region", name="Drift")

    expect(of_agent).to_contain_text("median time")
    show(page, served, "/health/regions")
    page.locator("tbody a").first.click()
    page.wait_for_selector("text=Failing share")
    assert page.get_by_role("region", name="Drift").count() == 0
