"""How gateways state and set which version of a model gets how much traffic: one class a style."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Protocol

import msgspec

from graphmind.repair.connector import ConnectorError, OutcomeUnknown
from graphmind.repair.connectors.calls import one_of
from graphmind.repair.connectors.json_api import JsonApi, segment

CLOSE: Final = 1e-9
"""Shares that differ by less are the same (chosen: far above what adding floats costs)."""
FULL: Final = 1000
"""Weights of a model in LiteLLM add up to about this: they are whole numbers (chosen)."""
SHUFFLE: Final = "simple-shuffle"
"""The only routing strategy of LiteLLM that looks at weights."""
_NOT_FOUND: Final = 404


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What serves a version of a model."""

    version: str
    weight: float | None
    """Its share of the traffic, beside the others'."""
    blocked: bool = False

    def same(self, other: "Deployment | None") -> bool:
        """Whether another is the same but for the last digits of its weight."""
        return (
            other is not None
            and (self.version, self.blocked) == (other.version, other.blocked)
            and (
                self.weight == other.weight
                if self.weight is None or other.weight is None
                else math.isclose(self.weight, other.weight, abs_tol=CLOSE)
            )
        )


Deployments = Mapping[str, Deployment]
"""By id."""


class Style(Protocol):
    """How one kind of gateway is spoken to. Raises ConnectorError."""

    blocks: bool
    """It can block a version."""

    def read(self, model: str) -> Deployments:
        """Return what serves a model."""

    def check(self, model: str, deployments: Deployments) -> None:
        """Refuse to set shares that would have no effect."""

    def weighed(self, deployments: Deployments, shares: Mapping[str, float]) -> Deployments:
        """Return what the gateway would hold with these shares by version."""

    def write(self, model: str, wanted: Deployments, now: Deployments) -> str:
        """Set what differs, all or none; returns what the gateway said."""


class _Shares(msgspec.Struct, frozen=True):
    shares: dict[str, float]


class Routes:
    """``GET`` and ``PUT /v1/routes/{model}``: ``{"model", "shares": {version: share}}``."""

    blocks = False

    def __init__(self, api: JsonApi) -> None:
        self._api = api

    def read(self, model: str) -> Deployments:
        """Ask for the shares; a version is its own id."""
        reply = self._api.get(f"v1/routes/{segment(model)}", tolerated=[_NOT_FOUND])
        if reply.status == _NOT_FOUND:
            raise ConnectorError(f"{reply.where}: no model {model!r}: {reply.text()}")
        shares = reply.read_as(_Shares).shares
        return {name: Deployment(version=name, weight=share) for name, share in shares.items()}

    def check(self, model: str, deployments: Deployments) -> None:
        """Nothing stands against it."""

    def weighed(self, deployments: Deployments, shares: Mapping[str, float]) -> Deployments:
        """Return the shares as they are, 0 for what gets none any more."""
        return {
            name: Deployment(version=name, weight=shares.get(name, 0.0))
            for name in {**deployments, **shares}
        }

    def write(self, model: str, wanted: Deployments, now: Deployments) -> str:
        """Put all shares at once."""
        _ = now
        shares = {name: one.weight for name, one in wanted.items()}
        body = {"model": model, "shares": shares}
        return self._api.change("PUT", f"v1/routes/{segment(model)}", body).text()


class _Info(msgspec.Struct, frozen=True):
    model_name: str
    litellm_params: dict[str, Any]
    model_info: dict[str, Any]


class _Listed(msgspec.Struct, frozen=True):
    data: tuple[_Info, ...]


class _Settings(msgspec.Struct, frozen=True):
    current_values: dict[str, Any]


class LiteLlm:
    """A LiteLLM proxy with a database: deployments of a model group, by weight."""

    blocks = True

    def __init__(self, api: JsonApi, version_key: str) -> None:
        self._api = api
        self._version_key = version_key

    def read(self, model: str) -> Deployments:
        """Ask for the deployments of a model group."""
        listed = self._api.get("model/info").read_as(_Listed).data
        found = {}
        for one in listed:
            if one.model_name != model:
                continue
            model_id = str(one.model_info.get("id") or "")
            if not model_id or not one.model_info.get("db_model"):
                raise ConnectorError(
                    f"{self._api.where}: expected all deployments of {model} to be kept in its "
                    f"database, but {model_id or 'one'} stands in its configuration file"
                )
            found[model_id] = self._deployment(one)
        if not found:
            known = one_of({one.model_name for one in listed})
            raise ConnectorError(f"{self._api.where}: no model {model!r}. Known: {known}")
        return found

    def check(self, model: str, deployments: Deployments) -> None:
        """Weights count only where the router shuffles by them."""
        _ = deployments
        settings = self._api.get("router/settings").read_as(_Settings)
        strategy = settings.current_values.get("routing_strategy") or SHUFFLE
        if strategy != SHUFFLE:
            raise ConnectorError(
                f"{self._api.where}: expected routing_strategy {SHUFFLE}, which weights need, got "
                f"{str(strategy)[:40]!r}; block a version of {model} instead"
            )

    def weighed(self, deployments: Deployments, shares: Mapping[str, float]) -> Deployments:
        """Return whole weights; deployments of one version share what it gets."""
        versions = [one.version for one in deployments.values()]
        unknown = sorted(set(shares) - set(versions))
        if unknown:
            raise ConnectorError(
                f"{self._api.where}: no deployment of version {unknown[0]!r}. "
                f"Known: {one_of(set(versions))}"
            )
        return {
            name: replace(
                one,
                weight=_whole(shares.get(one.version, 0.0) / versions.count(one.version)),
            )
            for name, one in deployments.items()
        }

    def write(self, model: str, wanted: Deployments, now: Deployments) -> str:
        """Set one deployment after another, those that get more first; takes back what it can."""
        _ = model
        left = [name for name, one in wanted.items() if not one.same(now.get(name))]
        left.sort(key=lambda name: (wanted[name].blocked, -(wanted[name].weight or 0)))
        done: list[str] = []
        for name in left:
            try:
                self._set(name, wanted[name], now[name])
            except OutcomeUnknown:
                raise
            except ConnectorError as error:
                self._take_back(done, wanted, now, error)
                raise
            done.append(name)
        return f"{len(done)} deployments set"

    def _set(self, name: str, wanted: Deployment, now: Deployment) -> None:
        if wanted.weight != now.weight:
            body: dict[str, Any] = {"litellm_params_to_remove": ["weight"]}
            if wanted.weight is not None:
                body = {"litellm_params": {"weight": int(wanted.weight)}}
            self._api.change("PATCH", f"model/{segment(name)}/update", body)
        if wanted.blocked != now.blocked:
            verb = "block" if wanted.blocked else "unblock"
            self._api.change("POST", f"model/{verb}", {"model_id": name})

    def _take_back(
        self, done: list[str], wanted: Deployments, now: Deployments, why: ConnectorError
    ) -> None:
        try:
            for name in done:
                self._set(name, now[name], wanted[name])
        except ConnectorError as error:
            raise OutcomeUnknown(
                f"{why}; a part took effect, and taking it back: {error}"
            ) from None

    def _deployment(self, one: _Info) -> Deployment:
        named = one.model_info.get(self._version_key) or one.litellm_params.get("model") or ""
        weight = one.litellm_params.get("weight")
        return Deployment(
            version=str(named),
            weight=float(weight) if isinstance(weight, int | float) else None,
            blocked=bool(one.model_info.get("blocked")),
        )


def plain(deployments: Deployments) -> dict[str, dict[str, Any]]:
    """Return deployments as JSON."""
    return {name: asdict(one) for name, one in sorted(deployments.items())}


def _whole(share: float) -> float:
    """Return a weight; what gets any traffic gets at least 1."""
    return float(max(round(share * FULL), 1 if share > 0 else 0))
