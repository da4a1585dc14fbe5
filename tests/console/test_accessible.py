"""axe-core finds nothing serious on any screen, in light and in dark."""

import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.console.conftest import Served, logged_in, show
from tests.console.test_in_browser import screens

pytestmark = [pytest.mark.live, pytest.mark.slow]

AXE = "4.14.1"
FOLDER = Path.home() / ".cache" / "graphmind" / f"axe-core-{AXE}"
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def axe() -> str:
    script = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("npm is not installed: axe-core comes by it")
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / "package.json").write_text("{}")
        line = [npm, "install", "--silent", "--no-audit", "--no-fund", f"axe-core@{AXE}"]
        if subprocess.run(line, cwd=FOLDER, check=False, timeout=300).returncode:
            pytest.skip(f"npm could not install axe-core {AXE}")
    return script.read_text("utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_screen_has_a_serious_finding(browser: Browser, served: Served, axe: str, scheme: str):
    found = []
    with logged_in(browser, served, color_scheme=scheme) as page:
        for path in screens(served):
            show(page, served, path)
            page.evaluate(axe)
            answer = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
            found += [
                (
                    path,
                    each["id"],
                    each["nodes"][0]["html"][:200],
                    each["nodes"][0]["failureSummary"],
                )
                for each in answer["violations"]
                if each["impact"] in SERIOUS
            ]

    assert found == []
