import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest
from graphmind_api.serve import serve

from graphmind.errors import SettingsError
from graphmind.settings import Settings
from graphmind.wiring import open_stores
from tests.api.repairing import desk_over
from tests.repair.repairs import kept_approved, repair, step


def test_an_address_in_use_is_refused_with_what_to_do(stores, settings):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(SettingsError, match=rf"127\.0\.0\.1 port {port}: .*in use.*--port"):
            serve(stores, settings, None, host="127.0.0.1", port=port)


def test_an_address_of_another_machine_is_refused(stores, settings):
    # 192.0.2.0/24 is for documentation (RFC 5737): no machine has it.
    with pytest.raises(SettingsError, match=r"cannot listen on 192\.0\.2\.1 port 0"):
        serve(stores, settings, None, host="192.0.2.1", port=0)


def answering(url, running):
    """Wait until the server answers; fail if it ends first."""
    while running.poll() is None:
        try:
            return httpx.get(url, timeout=60)
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail(running.communicate()[1])


@pytest.mark.slow
def test_a_stream_of_events_does_not_hold_up_a_stop(tmp_path):
    with open_stores(Settings(data_dir=tmp_path)) as stores:
        kept_approved(desk_over(stores, Settings(), None).journal, repair("r1", step(1, "a")))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "graphmind", "serve", "--port", str(port)]
    environment = os.environ | {"GRAPHMIND_OTLP_HTTP_PORT": "0", "GRAPHMIND_OTLP_GRPC_PORT": "0"}
    with subprocess.Popen(
        [*command, "--data-dir", str(tmp_path)], env=environment, stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            answering(f"http://127.0.0.1:{port}/healthz", running)
            events = f"http://127.0.0.1:{port}/api/v1/repairs/r1/events"
            token = (tmp_path / "token").read_text("utf-8").strip()
            login = {"authorization": f"Bearer {token}"}
            with httpx.stream("GET", events, headers=login, timeout=60) as answer:
                lines = answer.iter_lines()
                assert next(lines) == "event: repair"
                running.send_signal(signal.SIGTERM)
                list(lines)  # Cut off, this raises.
            log = running.communicate(timeout=60)[1]
        finally:
            running.kill()

    assert running.returncode == 0, log
    assert "Traceback" not in log


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_server_ends_well_and_releases_its_stores(tmp_path, stop):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "graphmind", "serve", "--port", str(port)]
    environment = os.environ | {"GRAPHMIND_OTLP_HTTP_PORT": "0", "GRAPHMIND_OTLP_GRPC_PORT": "0"}
    with subprocess.Popen(
        [*command, "--data-dir", str(tmp_path)],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            answer = answering(f"http://127.0.0.1:{port}/readyz", running)
            running.send_signal(stop)
            log = running.communicate(timeout=60)[1]
        finally:
            running.kill()

    assert answer.json()["ready"]
    assert running.returncode == 0, log
    assert "Finished server process" in log
    assert "Traceback" not in log
    with open_stores(Settings(data_dir=tmp_path)) as stores:
        assert stores.archive.counts()["spans"] == 0
