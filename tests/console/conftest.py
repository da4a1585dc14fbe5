"""A server of its own over planted incidents, and a browser that asks it."""

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from benchmarks.live.server import Server
from graphmind.jobs.review import review_week
from graphmind.review.week import WEEK_MS
from graphmind.settings import Settings
from graphmind.simulation.files import write
from graphmind.simulation.scenario import START_NS, Scenario
from graphmind.simulation.simulate import simulate
from graphmind.wiring import open_stores
from tests.api.conftest import fill
from tests.repair.connectors.http_serving import Asked, serving

CHROMIUM = shutil.which("chromium")
SCENARIO = Scenario(seed=7, traces=600, incidents=2)
REVIEWED_MS = START_NS // 10**6 + WEEK_MS
"""When the planted week is over."""
SCRIPT = "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"
"""The name of a span of one trace, and the value of an attribute of it."""
SECRET = "whsec_" + "c29tZSBzZWNyZXQgb2YgYSB0ZXN0" * 2
"""Signs commands; of this test alone."""
QUIET = (
    *(
        "--no-sandbox",
        "--disable-gpu",
        "--enable-unsafe-swiftshader",
        "--disable-quic",
        "--no-first-run",
    ),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
READY_S = 300
"""Processors are shared with other tests (chosen)."""
DRAWN_MS = 60_000
"""A screen is drawn by then, with other tests on the same processors (chosen)."""


@dataclass(frozen=True, kw_only=True)
class Served:
    """A running server and what is planted in it."""

    address: str
    token: str
    log: str
    incidents: tuple[str, ...]
    """Newest first."""
    span_with_script: str
    """Where the console shows it."""
    commanded: list[Asked]
    """What the control plane was told to do."""
    answering: threading.Event
    """Cleared: the control plane keeps who commands it waiting."""

    def login_link(self) -> str:
        """Return the address that the server printed; it opens once."""
        line = next(each for each in self.log.splitlines() if each.startswith("console: "))
        return line.removeprefix("console: ")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder, spans = tmp_path_factory.mktemp("console"), tmp_path_factory.mktemp("planted")
    write(simulate(SCENARIO), spans)
    planted = plant_script(spans / "spans.jsonl")
    settings = Settings(data_dir=folder / "stores")
    with open_stores(settings) as stores:
        fill(stores, settings, spans)
        review_week(stores, settings, week="", now_ms=REVIEWED_MS)
    commanded: list[Asked] = []
    answering = threading.Event()
    answering.set()
    with control_plane(folder, commanded, answering) as connectors:
        # Nothing is pruned: the planted incidents are of a fixed day.
        server = Server(folder, retention_days=0, connectors=connectors)
        yield from running(server, planted, commanded, answering)


def running(
    server: Server, planted: str, commanded: list[Asked], answering: threading.Event
) -> Iterator[Served]:
    """Run the server as long as somebody uses it."""
    try:
        server.start(ready_s=READY_S)
        yield Served(
            address=server.api,
            token=(server.folder / "stores" / "token").read_text().strip(),
            log=server.log,
            incidents=tuple(each["incident_id"] for each in server.incidents()),
            span_with_script=planted,
            commanded=commanded,
            answering=answering,
        )
    finally:
        server.stop()


@contextmanager
def control_plane(
    folder: Path, commanded: list[Asked], answering: threading.Event
) -> Iterator[Path]:
    """Serve a receiver of commands that does them all at once; give the file that names it."""

    def take(asked: Asked) -> tuple[int, object]:
        if asked.method == "GET":
            own, ids = asked.parts[-1], {each.document["id"] for each in commanded}
            state = "undone" if f"{own}:undo" in ids else "done"
            return (200, {"state": state}) if own in ids else (404, {})
        commanded.append(asked)
        answering.wait(READY_S)
        return 200, {}

    with serving(take) as port:
        file = folder / "connectors.yaml"
        hook = {"kind": "webhook", "live": True, "undoes": True, "secret": SECRET}
        at = f"http://127.0.0.1:{port}"
        told = {"connectors": {"hook": hook | {"url": at, "status_url": f"{at}/status/{{key}}"}}}
        file.write_text(json.dumps(told), "utf-8")  # JSON is YAML
        yield file


def plant_script(spans: Path) -> str:
    """Give one span a script as its name and as an attribute; return its address."""
    first, _, rest = spans.read_text("utf-8").partition("\n")
    batch = json.loads(first)
    span = batch["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    span["name"] = SCRIPT
    span.setdefault("attributes", []).append({"key": "note", "value": {"stringValue": SCRIPT}})
    spans.write_text(f"{json.dumps(batch)}\n{rest}", "utf-8")
    return f"/traces/{span['traceId']}?span={span['spanId']}"


@pytest.fixture(scope="module")
def driver() -> Iterator[Playwright]:
    """Drive browsers for a module: an event loop runs until the end, which others cannot share."""
    with sync_playwright() as started:
        yield started


@contextmanager
def launched(driver: Playwright, *more: str) -> Iterator[Browser]:
    """Start Debian's Chromium; the test is skipped where it is not installed."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    browser = driver.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *more])
    try:
        yield browser
    finally:
        browser.close()


@pytest.fixture(scope="module")
def browser(driver: Playwright) -> Iterator[Browser]:
    with launched(driver) as started:
        yield started


OpenPage = Callable[..., AbstractContextManager[Page]]


@contextmanager
def logged_in(browser: Browser, served: Served, **context: object) -> Iterator[Page]:
    """Open a page of someone who may do everything, at the size of a small laptop."""
    opened = browser.new_context(viewport={"width": 1280, "height": 800}, **context)  # type: ignore[arg-type]  # playwright's own options
    page = opened.new_page()
    assert page.request.post(f"{served.address}/login", data={"token": served.token}).ok
    try:
        yield page
    finally:
        opened.close()


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    with logged_in(browser, served) as opened:
        yield opened


def show(page: Page, served: Served, path: str) -> None:
    """Go to a screen and wait until all of it is drawn."""
    page.goto(f"{served.address}{path}")
    drawn(page)


def drawn(page: Page) -> None:
    """Wait until the screen is drawn whole."""
    page.wait_for_selector("[data-drawn]", timeout=DRAWN_MS)
