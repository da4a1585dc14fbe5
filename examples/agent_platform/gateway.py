"""The model gateway: InferenceRPC. Serves several versions of each model.

Which version answers follows the registry's alias, looked at every second; traffic shares set at
``PUT /v1/routes/{model}`` hold until the alias moves: whoever decided last is obeyed.
"""

import asyncio
import logging
import math
import os
from pathlib import Path
from random import Random
from typing import Final

import graphmind_capture
import httpx
import orjson
from opentelemetry import trace
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.trace import SpanKind
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.agent_platform.agents.worker import failed, json_response, span_id
from examples.agent_platform.conditions import Rule
from examples.agent_platform.layout import Layout, trace_environment
from examples.agent_platform.registry import Registry
from examples.agent_platform.serving import serve
from examples.agent_platform.topology import GOOD, MODELS, NEW

POLL_S: Final = 1.0
"""Pause between two looks at the alias (chosen)."""
MEDIAN_S, SPREAD = 0.5, 0.45
"""Of the log-normal time a healthy model takes: P95 1.05 s, 1.4 s for the whole task (S22)."""
FAILING: Final = 0.004
"""Share of calls that fail when all is well; with late callbacks 0.8 % of tasks (S22)."""
VERSIONS: Final = frozenset(str(number) for number in range(1, NEW + 1))
_LOG = logging.getLogger(__name__)


class Gateway:
    """Routes and models."""

    def __init__(self, layout: Layout) -> None:
        self._registry = Registry(layout.mlflow)
        self._conditions = layout.conditions
        self._random = Random(f"{layout.seed}/gateway")  # noqa: S311 - reproducible, no secret
        self._aliases = dict.fromkeys(MODELS, "")
        self._shares = {model: {str(GOOD): 1.0} for model in MODELS}
        self._tracer = trace.get_tracer("model-gateway")

    def app(self) -> Starlette:
        """Return what it answers to."""
        return Starlette(
            routes=[
                Route("/healthz", self._health),
                Route("/v1/infer", self._infer, methods=["POST"]),
                Route("/v1/routes/{model}", self._routes, methods=["GET", "PUT"]),
            ]
        )

    async def follow_aliases(self) -> None:
        """Obey the registry; keep what was last known while it does not answer."""
        while True:
            for model in MODELS:
                try:
                    with suppress_instrumentation():
                        version = await self._registry.version(model)
                except (httpx.HTTPError, KeyError) as error:
                    _LOG.warning("the registry did not say which %s to serve: %r", model, error)
                    continue
                if version != self._aliases[model]:
                    self._aliases[model] = version
                    self._shares[model] = {version: 1.0}
            await asyncio.sleep(POLL_S)

    async def _health(self, _request: Request) -> Response:
        return json_response({"aliases": self._aliases})

    async def _routes(self, request: Request) -> Response:
        model = request.path_params["model"]
        if model not in self._shares:
            said = f"expected one of {', '.join(MODELS)}, got {model}"
            return json_response({"error": said}, 404)
        if request.method == "PUT":
            wrong = wrong_shares(await request.body(), model)
            if isinstance(wrong, str):
                return json_response({"error": wrong}, 400)
            self._shares[model] = wrong
        return json_response({"model": model, "shares": self._shares[model]})

    async def _infer(self, request: Request) -> Response:
        asked = orjson.loads(await request.body())
        model = asked["model"]
        if model not in self._shares:
            return json_response({"error": f"no model {model}", "code": "NoModel"}, 404)
        version = asked.get("version") or self._drawn(model)
        said = {
            "graphmind.module": "InferenceRPC",
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": model,
            "gen_ai.response.model": model,
            "gen_ai.response.model.version": version,
        }
        with self._tracer.start_as_current_span(
            "InferenceRPC", kind=SpanKind.INTERNAL, attributes=said
        ) as span:
            spans = {"InferenceRPC": span_id(span)}
            answer = asked["factor"] * sum(asked["vector"])
            named = f"{model}@{version}"
            rule = self._conditions.at("model", version=named, region=asked["region"])
            rule = rule or self._conditions.at("model", version=named)
            await asyncio.sleep(self._random.lognormvariate(math.log(MEDIAN_S), SPREAD))
            failure = None
            if rule and self._random.random() < rule["share"]:
                failure, answer = await self._misbehave(rule, answer)
            elif self._random.random() < FAILING:
                failure = "Overloaded"
            if failure:
                failed(span, failure, f"{named}: {failure}")
                said = {"error": f"{named}: {failure}", "code": failure, "spans": spans}
                return json_response(said, 504 if failure == "InferenceTimeout" else 503)
        return json_response({"answer": answer, "model": model, "version": version, "spans": spans})

    async def _misbehave(self, rule: Rule, answer: float) -> tuple[str | None, float]:
        """Do what a bad build does: hang, fail, or answer wrongly without a sign."""
        if rule["effect"] == "hang":
            # Half of the hanging calls come back late, half reach the deadline.
            late = self._random.random() < 0.5
            await asyncio.sleep(self._random.uniform(7.2, 8.6) if late else 8.8)
            return (None if late else "InferenceTimeout"), answer
        if rule["effect"] == "fail":
            return "KernelMismatch", answer
        return None, answer * self._random.choice((0.55, 1.6)) + 3.0

    def _drawn(self, model: str) -> str:
        shares = self._shares[model]
        return self._random.choices(list(shares), list(shares.values()))[0]


def wrong_shares(body: bytes, model: str) -> dict[str, float] | str:
    """Return the shares that a body sets, or what is wrong with it."""
    try:
        document = orjson.loads(body)
        shares = {str(version): float(share) for version, share in document["shares"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return f'expected {{"model", "shares": {{version: share}}}}, got {error!r}'
    if document.get("model", model) != model:
        return f"expected the model of the address, {model}, got {document['model']}"
    unknown = sorted(set(shares) - VERSIONS)
    if unknown:
        return f"expected versions of {', '.join(sorted(VERSIONS))}, got {', '.join(unknown)}"
    if any(share < 0 for share in shares.values()) or abs(sum(shares.values()) - 1) > 1e-6:
        return f"expected shares from 0 that sum up to 1, got {shares}"
    return shares


def main(folder: str, parent: str) -> None:
    """Serve the gateway of the platform in a folder."""
    layout = Layout.load(Path(folder))
    trace_environment("model-gateway")
    os.environ["OTEL_PYTHON_EXCLUDED_URLS"] += ",/v1/routes"
    capture = None
    if layout.otlp:
        capture = graphmind_capture.setup("model-gateway", endpoint=layout.otlp)
    port = int(layout.gateway.rpartition(":")[2])
    gateway = Gateway(layout)
    asyncio.run(
        serve(gateway.app(), port=port, parent=int(parent), beside=(gateway.follow_aliases(),))
    )
    if capture:
        capture.shutdown(2.0)
