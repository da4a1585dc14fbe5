"""A gateway before the models: how much traffic each version of one gets, and which is blocked.

Gateways compare nothing and remember no key of ours: what is there is read before each change, and
somebody who changes it in between is not kept out.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Literal

from pydantic import Field, SecretStr

from graphmind.repair.connector import (
    Action,
    Applied,
    ConnectorError,
    Description,
    Effect,
    Planned,
    Seen,
    StateChanged,
)
from graphmind.repair.connectors.calls import Calls, one_of, params_schema
from graphmind.repair.connectors.config import HttpOptions, Section, Token
from graphmind.repair.connectors.gateway_styles import (
    CLOSE,
    Deployment,
    Deployments,
    LiteLlm,
    Routes,
    Style,
    plain,
)
from graphmind.repair.connectors.json_api import Bearer, JsonApi
from graphmind.repair.model import Call, Json

RESTORE: Final = "restore_routes"
"""Brings deployments back; it undoes the others."""
_SUM_CLOSE: Final = 1e-6
"""Shares add up to 1 but for this (chosen: what people round away)."""

_TEXT: Final[Json] = {"type": "string", "minLength": 1}
_SHARE: Final[Json] = {"type": "number", "minimum": 0, "maximum": 1}
_DEPLOYMENTS: Final[Json] = {
    "type": "object",
    "additionalProperties": params_schema(
        ["version", "weight", "blocked"],
        version=_TEXT,
        weight={"type": ["number", "null"], "minimum": 0},
        blocked={"type": "boolean"},
    ),
}
SHARES: Final[Mapping[str, Json]] = {
    "set_traffic_share": {
        **params_schema(
            shares={"type": "object", "additionalProperties": _SHARE, "minProperties": 1},
            version=_TEXT,
            share=_SHARE,
        ),
        "oneOf": [{"required": ["shares"]}, {"required": ["version", "share"]}],
    },
    RESTORE: params_schema(["routes", "made"], routes=_DEPLOYMENTS, made=_DEPLOYMENTS),
}
"""``set_traffic_share`` sets all shares, or one and keeps the others as they are to each other."""
BLOCKS: Final[Mapping[str, Json]] = {
    "block": params_schema(version=_TEXT),
    "unblock": params_schema(version=_TEXT),
}
"""Of a model all deployments, or those of a version."""


class GatewayOptions(HttpOptions):
    """What a section of kind ``gateway`` holds."""

    style: Literal["routes", "litellm"] = "routes"
    token: Token = SecretStr("")
    models: Mapping[str, str] = Field(default_factory=dict)
    """The gateway's name of a model by its name in telemetry, where that is another."""
    version_key: str = Field(default="version", min_length=1)
    """Of a deployment's ``model_info`` in LiteLLM: its version in telemetry."""


class ModelGateway:
    """Speaks the port of a connector."""

    def __init__(self, section: Section) -> None:
        """Raise SettingsError for a section that does not fit."""
        self._options = section.read_as(GatewayOptions)
        token = self._options.token.get_secret_value()
        self._api = JsonApi(
            section, self._options, auth=Bearer(token) if token else None, secrets=[token]
        )
        litellm = self._options.style == "litellm"
        self._style: Style = (
            LiteLlm(self._api, self._options.version_key) if litellm else Routes(self._api)
        )
        schemas = {**SHARES, **(BLOCKS if self._style.blocks else {})}
        self._calls = Calls(
            section,
            [
                Action(name=name, level="model", params_schema=schema, undoable=True)
                for name, schema in schemas.items()
            ],
        )

    def describe(self) -> Description:
        """Say what it is; asks nothing of the gateway."""
        return self._calls.describe(self._options.url)

    def plan(self, call: Call) -> Planned:
        """Read what serves the model, and say what the call makes of it."""
        self._calls.check(call)
        model = self._model(call)
        now = self._style.read(model)
        if call.action == "set_traffic_share":
            self._style.check(model, now)
        wanted = self._wanted(call, now)
        if call.action != RESTORE:
            self._refuse_silence(call, wanted)
        moved = [
            f"{name}: {_in_words(now.get(name))} -> {_in_words(one)}"
            for name, one in sorted(wanted.items())
            if not one.same(now.get(name))
        ]
        return Planned(
            before=plain(now),
            undo=Call(
                action=RESTORE,
                target=call.target,
                params={"routes": plain(now), "made": plain(wanted)},
            ),
            summary=f"{call.action} {call.target} at {self._options.url}: "
            + ("; ".join(moved) or "nothing to change"),
        )

    def apply(self, call: Call, *, before: Json, key: str) -> Applied:
        """Set what is not yet as the call wants it."""
        _ = key  # what is wanted is a state: to ask twice for it changes nothing more
        self._calls.refuse_unless_live()
        self._calls.check(call)
        old = _deployments(before)
        return self._move(self._model(call), old=old, wanted=self._wanted(call, old))

    def verify(self, call: Call, *, before: Json, key: str) -> Seen:
        """Read what serves the model again."""
        _ = key
        self._calls.check(call)
        old = _deployments(before)
        wanted = self._wanted(call, old)
        now = self._style.read(self._model(call))
        if not self._differing(now, wanted):
            return Seen(effect=Effect.APPLIED, state=plain(now))
        surprise = self._surprise(now, old, wanted)
        if surprise:
            return Seen(effect=Effect.OTHER, state=plain(now), detail=surprise)
        done = len(self._differing(old, wanted)) - len(self._differing(now, wanted))
        detail = f"half done: {done} deployments; to apply again ends it" if done else ""
        return Seen(effect=Effect.NOT_APPLIED, state=plain(now), detail=detail)

    def undo(self, call: Call, *, before: Json, key: str) -> Applied:
        """Bring back what was, if it is as the step left it."""
        _ = key
        self._calls.refuse_unless_live()
        self._calls.check(call)
        old = _deployments(before)
        restoring = call.action == RESTORE
        made = _deployments(call.params["made"]) if restoring else self._wanted(call, old)
        return self._move(self._model(call), old=made, wanted=old)

    def close(self) -> None:
        """Release connections."""
        self._api.close()

    def _model(self, call: Call) -> str:
        named = self._parts(call)[0]
        return self._options.models.get(named, named)

    def _parts(self, call: Call) -> tuple[str, str]:
        """Return model and version of a target such as ``planner`` or ``planner@3``."""
        if call.target in self._options.models or "@" not in call.target:
            return call.target, ""
        model, _, version = call.target.rpartition("@")
        return model, version

    def _wanted(self, call: Call, now: Deployments) -> Deployments:
        """Return what a call makes of the deployments of a model."""
        if call.action == RESTORE:
            return _deployments(call.params["routes"])
        if call.action == "set_traffic_share":
            return self._style.weighed(now, _shares(call, now))
        version = call.params.get("version") or self._parts(call)[1]
        meant = {name for name, one in now.items() if version in {"", one.version}}
        if not meant:
            raise ConnectorError(
                f"{self._api.where}: no deployment of version {version!r}. "
                f"Known: {one_of({one.version for one in now.values()})}"
            )
        blocked = call.action == "block"
        return {
            name: replace(one, blocked=blocked) if name in meant else one
            for name, one in now.items()
        }

    def _refuse_silence(self, call: Call, wanted: Deployments) -> None:
        """Refuse to leave nothing that answers; weights that were never set count as any."""
        if all(one.blocked or one.weight == 0 for one in wanted.values()):
            raise ConnectorError(
                f"{self._api.where}: {call.action} {call.target} would leave no version that "
                "answers; give another one traffic first"
            )

    def _move(self, model: str, *, old: Deployments, wanted: Deployments) -> Applied:
        now = self._style.read(model)
        surprise = self._surprise(now, old, wanted)
        if surprise:
            raise StateChanged(f"{self._api.where}: {surprise}; plan anew")
        changed = self._differing(now, wanted)
        if not changed:
            return Applied(detail="nothing to change: it is so already")
        said = self._style.write(model, wanted, now)
        return Applied(detail=said, facts={"changed": ", ".join(changed)})

    def _differing(self, now: Deployments, wanted: Deployments) -> list[str]:
        return [name for name in sorted({*now, *wanted}) if not self._alike(now, wanted, name)]

    def _alike(self, one: Deployments, other: Deployments, name: str) -> bool:
        """Whether a deployment is the same in both; a share of 0 is as good as none."""
        here, there = one.get(name), other.get(name)
        if not self._style.blocks:
            return abs(_weight(here) - _weight(there)) < CLOSE
        return here is not None and here.same(there)

    def _surprise(self, now: Deployments, old: Deployments, wanted: Deployments) -> str:
        """Say which deployment is neither as it was nor as it should become; empty: none."""
        for name in sorted({*now, *old, *wanted}):
            if not self._alike(now, old, name) and not self._alike(now, wanted, name):
                return (
                    f"expected {name} to be {_in_words(old.get(name))}, as planned against, but "
                    f"it is {_in_words(now.get(name))}"
                )
        return ""


def open_connector(section: Section) -> ModelGateway:
    """Open a gateway; nothing is asked of it yet."""
    return ModelGateway(section)


def _shares(call: Call, now: Deployments) -> dict[str, float]:
    """Return the shares by version that a call sets."""
    given = call.params
    if "shares" in given:
        shares: dict[str, float] = dict(given["shares"])
        if abs(sum(shares.values()) - 1) > _SUM_CLOSE:
            raise ConnectorError(f"expected shares that add up to 1, got {sum(shares.values()):g}")
        return shares
    rest = {
        one.version: sum(_weight(each) for each in now.values() if each.version == one.version)
        for one in now.values()
        if one.version != given["version"]
    }
    left, total = 1 - given["share"], sum(rest.values())
    if left > CLOSE and not total:
        raise ConnectorError(
            f"{call.action} {call.target}: no other version has traffic to take the rest; "
            "give all of `shares`"
        )
    return {version: left * weight / (total or 1) for version, weight in rest.items()} | {
        given["version"]: float(given["share"])
    }


def _weight(one: Deployment | None) -> float:
    return (one.weight or 0.0) if one else 0.0


def _deployments(state: Json) -> dict[str, Deployment]:
    """Read what ``plain`` wrote. Raises StateChanged for anything else."""
    try:
        return {name: _deployment(one) for name, one in state.items()}
    except (KeyError, TypeError, ValueError):
        raise StateChanged("expected the state as `plan` gave it; plan anew") from None


def _deployment(one: Mapping[str, Any]) -> Deployment:
    weight = one["weight"]
    return Deployment(
        version=str(one["version"]),
        weight=None if weight is None else float(weight),
        blocked=bool(one["blocked"]),
    )


def _in_words(one: Deployment | None) -> str:
    if one is None:
        return "none"
    weight = "no weight" if one.weight is None else f"{one.weight:g}"
    return f"{weight}, blocked" if one.blocked else weight
