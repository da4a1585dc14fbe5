"""Repairs in the browser: planned, decided on, run, intercepted; suppressed, and all stopped."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.conftest import DRAWN_MS, Served, drawn, show

pytestmark = [pytest.mark.live, pytest.mark.slow]


@contextmanager
def as_approver(browser: Browser, admin: Page, served: Served, name: str) -> Iterator[Page]:
    admin.request.delete(f"{served.address}/api/v1/keys/{name}", headers={"Origin": served.address})
    made = admin.request.post(
        f"{served.address}/api/v1/keys",
        data={"name": name, "role": "approver", "expires_days": 1},
        headers={"Origin": served.address},
    ).json()
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(DRAWN_MS)
    assert page.request.post(f"{served.address}/login", data={"token": made["token"]}).ok
    try:
        yield page
    finally:
        context.close()


def plan(page: Page, served: Served, incident: str) -> dict[str, Any]:
    """Plan the best match on the incident's screen; return the repair as the API has it.

    What the service planned by itself is cancelled first: only then is another plan offered.
    """
    for own in page.request.get(asked_of(served, incident)).json()["items"]:
        if own["state"] == "awaiting_approval":
            answer = page.request.post(
                f"{where(served, own)}/cancel",
                data={"reason": "tried in a test"},
                headers={"Origin": served.address, "If-Match": f'"{own["version"]}"'},
            )
            assert answer.ok, answer.text()
    show(page, served, f"/incidents/{incident}")
    page.get_by_role("button", name="Plan a repair").click(timeout=DRAWN_MS)
    page.get_by_role("dialog").get_by_role("button", name="Plan", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0, timeout=DRAWN_MS)
    expect(page.locator("#todo")).to_contain_text("Touches", timeout=DRAWN_MS)
    found: dict[str, Any] = page.request.get(asked_of(served, incident)).json()["items"][0]
    return found


def decide(page: Page, served: Served, repair: dict[str, Any], button: str) -> None:
    show(page, served, f"/repairs/{repair['repair_id']}")
    page.get_by_role("button", name=button).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("tried in a test")
    dialog.locator("button.go").click()
    expect(dialog).to_have_count(0, timeout=DRAWN_MS)
    drawn(page)


def until(page: Page, served: Served, repair: dict[str, Any], state: str) -> dict[str, Any]:
    """Return the repair once it is in a state, and nothing of it is under way."""
    for _ in range(DRAWN_MS // 200):
        found: dict[str, Any] = page.request.get(where(served, repair)).json()
        if found["state"] == state:
            return found
        page.wait_for_timeout(200)
    raise AssertionError(f"expected {state}, it is {found['state']}: {found['reason']}")


def test_a_plan_is_made_and_rejected_with_its_reason(page: Page, served: Served, browser: Browser):
    repair = plan(page, served, served.incidents[1])
    with as_approver(browser, page, served, "rita") as rita:
        decide(rita, served, repair, "Reject")

        expect(rita.locator(".head")).to_contain_text("rejected", timeout=DRAWN_MS)
        expect(rita.locator("main")).to_contain_text("Rejected by rita")
    assert served.commanded == []


def approved(page: Page, served: Served, browser: Browser) -> dict[str, Any]:
    """Plan a repair and let two people approve it."""
    repair = plan(page, served, served.incidents[1])
    for name in ("ada", "bob"):
        if page.request.get(where(served, repair)).json()["state"] == "approved":
            break
        with as_approver(browser, page, served, name) as approver:
            decide(approver, served, repair, "Approve")
    return repair


def test_a_plan_that_two_people_approve_is_run_and_undone(
    page: Page, served: Served, browser: Browser
):
    repair = approved(page, served, browser)
    assert served.commanded == []

    decide(page, served, repair, "Run")
    ran = until(page, served, repair, "verifying")
    expect(page.locator(".head")).to_contain_text("verifying", timeout=DRAWN_MS)
    assert ran["executed_ms"] is not None
    assert {each["state"] for each in ran["steps"]} <= {"applied", "left_out"}
    commanded = len(served.commanded)
    assert commanded >= 1

    decide(page, served, repair, "Undo")
    expect(page.locator(".head")).to_contain_text("rolled back", timeout=DRAWN_MS)
    assert len(served.commanded) > commanded


def test_what_runs_is_intercepted_and_what_it_did_is_undone(
    page: Page, served: Served, browser: Browser
):
    repair = approved(page, served, browser)
    served.answering.clear()
    try:
        decide(page, served, repair, "Run")
        until(page, served, repair, "running")
        decide(page, served, repair, "Intercept")
    finally:
        served.answering.set()
    expect(page.locator(".head")).to_contain_text("rolled back", timeout=DRAWN_MS)

    undone = page.request.get(where(served, repair)).json()
    assert "applied" not in {each["state"] for each in undone["steps"]}


def test_an_incident_whose_repairs_are_suppressed_says_so_until_that_is_lifted(
    page: Page, served: Served
):
    show(page, served, f"/incidents/{served.incidents[1]}")
    told, note = page.locator("#todo"), "Repairs are suppressed by"
    ask(page, "Suppress", go="Suppress")
    expect(told).to_contain_text(note, timeout=DRAWN_MS)
    expect(page.get_by_role("button", name="Plan a repair")).to_have_count(0)
    ask(page, "Lift", go="Lift")
    expect(told).not_to_contain_text(note, timeout=DRAWN_MS)
    expect(page.get_by_role("button", name="Plan a repair")).to_have_count(1)


def test_all_repairs_are_stopped_and_released_by_name(page: Page, served: Served):
    show(page, served, "/repairs")
    ask(page, "Stop all repairs", go="Stop")
    expect(page.locator("main")).to_contain_text("All repairs are stopped by", timeout=DRAWN_MS)
    expect(page.locator("main")).to_contain_text("tried in a test")
    ask(page, "Release the stop", go="Release")
    expect(page.locator("main")).not_to_contain_text("are stopped by", timeout=DRAWN_MS)


def ask(page: Page, button: str, *, go: str) -> None:
    page.get_by_role("button", name=button, exact=True).click(timeout=DRAWN_MS)
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("tried in a test")
    dialog.get_by_role("button", name=go, exact=True).click()
    expect(dialog).to_have_count(0, timeout=DRAWN_MS)


def where(served: Served, repair: dict[str, Any]) -> str:
    return f"{served.address}/api/v1/repairs/{repair['repair_id']}"


def asked_of(served: Served, incident: str) -> str:
    return f"{served.address}/api/v1/repairs?incident_id={incident}"
