"""A collector, and capture set up to send to it; switched off again after the test."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from graphmind_capture import Capture, setup
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from tests.capture.collecting import Collector, collecting


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as result:
        yield result


@pytest.fixture
def capturing(collector: Collector) -> Iterator[Callable[..., Capture]]:
    made = []

    def make(service: str = "planner", **options: Any) -> Capture:
        provider = TracerProvider(
            resource=Resource({"service.name": service}), shutdown_on_exit=False
        )
        given: dict[str, Any] = {"endpoint": collector.endpoint, "tracer_provider": provider}
        made.append(setup(service, **(given | options)))
        return made[-1]

    yield make
    for capture in made:
        capture.shutdown()
