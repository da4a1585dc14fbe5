"""Model gateways over real HTTP: the reference platform's routes, and a LiteLLM proxy's shapes.

The LiteLLM proxy writes to a database that cannot run here; its answers are as its source
(1.110.2, ``proxy/management_endpoints``) and its openapi.json have them.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from tests.repair.connectors.http_serving import Answer, Asked

TOKEN = "sk-the-master-key-of-the-gateway"


@dataclass
class RoutesServer:
    shares: dict[str, dict[str, float]] = field(
        default_factory=lambda: {"planner": {"2": 0.75, "1": 0.25}, "critic": {"2": 1.0}}
    )

    def state(self) -> object:
        return deepcopy(self.shares)

    def answer(self, asked: Asked) -> Answer:
        _, _, model = asked.parts
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, {"error": f"expected another token: {asked.headers}"}
        if model not in self.shares:
            return 404, {"error": f"expected one of {', '.join(self.shares)}, got {model}"}
        if asked.method == "PUT":
            wanted = asked.document["shares"]
            unknown = set(wanted) - {"1", "2", "3"}
            if unknown or abs(sum(wanted.values()) - 1) > 1e-6:
                return 400, {"error": f"expected shares of 1, 2, 3 that sum up to 1, got {wanted}"}
            self.shares[model] = wanted
        return 200, {"model": model, "shares": self.shares[model]}


def deployment(model: str, model_id: str, version: str, weight: int | None) -> dict[str, Any]:
    params: dict[str, Any] = {"model": f"openai/{model}", "api_base": "http://inference"}
    if weight is not None:
        params["weight"] = weight
    return {
        "model_name": model,
        "litellm_params": params,
        "model_info": {"id": model_id, "db_model": True, "blocked": False, "version": version},
    }


@dataclass
class LiteLlmServer:
    deployments: list[dict[str, Any]] = field(
        default_factory=lambda: [
            deployment("planner", "d1", "3.1.6", 500),
            deployment("planner", "d2", "3.1.6", 300),
            deployment("planner", "d3", "3.1.7", 200),
            deployment("critic", "d4", "1", None),
            deployment("critic", "d5", "2", None),
        ]
    )
    strategy: str = "simple-shuffle"
    refuses: str = ""
    """A deployment that it does not change."""

    def state(self) -> object:
        return deepcopy(self.deployments)

    def by_id(self, model_id: str) -> dict[str, Any] | None:
        return next((d for d in self.deployments if d["model_info"]["id"] == model_id), None)

    def answer(self, asked: Asked) -> Answer:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            said = f"Authentication Error, Invalid proxy server token: {asked.headers}"
            return 401, {"error": {"message": said, "type": "auth_error", "code": "401"}}
        match asked.method, asked.parts:
            case "GET", ("model", "info"):
                return 200, {"data": self.deployments}
            case "GET", ("router", "settings"):
                return 200, {"fields": [], "current_values": {"routing_strategy": self.strategy}}
            case "PATCH", ("model", model_id, "update"):
                return self._changed(model_id, asked.document)
            case "POST", ("model", "block" | "unblock" as verb):
                return self._changed(asked.document["model_id"], {"blocked": verb == "block"})
        return 404, {"detail": "Not Found"}

    def _changed(self, model_id: str, patch: Mapping[str, Any]) -> Answer:
        found = self.by_id(model_id)
        if found is None or model_id == self.refuses:
            said = f"Model {model_id} not found on proxy."
            return 404, {"error": {"message": said, "type": "not_found_error", "code": "404"}}
        found["litellm_params"].update(patch.get("litellm_params", {}))
        for name in patch.get("litellm_params_to_remove", ()):
            found["litellm_params"].pop(name, None)
        if "blocked" in patch:
            found["model_info"]["blocked"] = patch["blocked"]
        return 200, {"model_id": model_id, "model_name": found["model_name"]}
