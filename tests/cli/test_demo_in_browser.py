"""The demo as a newcomer takes it: what it prints is opened."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

COMMAND = (sys.executable, "-m", "graphmind", "--data-dir")


@pytest.mark.slow
def test_the_address_that_the_demo_prints_leads_to_its_incidents(tmp_path: Path):
    command = [*COMMAND, str(tmp_path), "demo", "--serve"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as demo:
        page, listed = _followed(demo)
        demo.send_signal(signal.SIGINT)

    assert page.headers["content-type"].startswith("text/html")
    assert len(listed.raise_for_status().json()["items"]) == 3
    assert demo.returncode == os.EX_OK


def _followed(demo: "subprocess.Popen[str]") -> tuple[httpx.Response, httpx.Response]:
    """Open the address printed, then ask for the incidents as the page does."""
    assert demo.stdout
    address = next(line for line in demo.stdout if line.startswith("console: ")).split()[1]
    with httpx.Client(follow_redirects=True, timeout=60) as client:
        page = client.get(address)
        return page, client.get(page.url.copy_with(path="/api/v1/incidents", query=None))


@pytest.mark.slow
def test_the_demo_ends_by_itself_where_nobody_looks_on(tmp_path: Path):
    command = [*COMMAND, str(tmp_path), "demo"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)

    assert "console: " not in done.stdout
    assert "demo --serve" in done.stderr
