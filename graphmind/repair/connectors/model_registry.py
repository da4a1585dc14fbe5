"""The registry of an MLflow: which version of a model is served is where an alias points.

MLflow compares nothing when an alias is moved, and remembers no key of ours: what is there is read
before and after, and whoever moves it in between is noticed, not kept out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx
import msgspec
from pydantic import Field, SecretStr

from graphmind.repair.connector import (
    Action,
    Applied,
    ConnectorError,
    Description,
    Effect,
    OutcomeUnknown,
    Planned,
    Seen,
    StateChanged,
)
from graphmind.repair.connectors.calls import Calls, one_of, params_schema
from graphmind.repair.connectors.config import HttpOptions, Section, Token
from graphmind.repair.connectors.json_api import Bearer, JsonApi
from graphmind.repair.model import Call, Json

API: Final = "api/2.0/mlflow"
SWITCH: Final = "switch_model_version"
PAGES_MAX: Final = (
    100  # chosen: 100,000 versions of one model; a server that goes on is not believed
)
_PAGE: Final = 1000
_NOT_FOUND: Final = 404

_TEXT: Final[Json] = {"type": "string", "minLength": 1}
PARAMS: Final = params_schema(["to"], to=_TEXT, by={"enum": ["label", "number"]}, **{"from": _TEXT})
"""``to`` is a version as telemetry labels it, or as MLflow numbers it; ``by`` says which where both
fit. ``from`` is the number that the alias must have, for undoing."""


class ModelRegistryOptions(HttpOptions):
    """What a section of kind ``model_registry`` holds."""

    alias: str = Field(default="champion", min_length=1)
    """What those who serve the model follow."""
    aliases: Mapping[str, str] = Field(default_factory=dict)
    """Alias by registered model, where it is another."""
    models: Mapping[str, str] = Field(default_factory=dict)
    """Registered model by its name in telemetry, where that is another."""
    version_tag: str = Field(default="version", min_length=1)
    """Tag of a version with its label in telemetry."""
    username: str = ""
    password: SecretStr = SecretStr("")
    token: Token = SecretStr("")


class _Tag(msgspec.Struct, frozen=True):
    key: str
    value: str = ""


class _Version(msgspec.Struct, frozen=True):
    version: str
    status: str = "READY"
    tags: tuple[_Tag, ...] = ()

    def label(self, tag: str) -> str:
        """Return its label in telemetry, empty where it has none."""
        return next((one.value for one in self.tags if one.key == tag), "")


class _Found(msgspec.Struct, frozen=True):
    model_version: _Version


class _Page(msgspec.Struct, frozen=True):
    model_versions: tuple[_Version, ...] = ()
    next_page_token: str = ""


class _Model(msgspec.Struct, frozen=True):
    name: str


class _Models(msgspec.Struct, frozen=True):
    registered_models: tuple[_Model, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Alias:
    """What the alias of a model is."""

    model: str
    alias: str

    def __str__(self) -> str:
        return f"{self.model}@{self.alias}"


class ModelRegistry:
    """Speaks the port of a connector."""

    def __init__(self, section: Section) -> None:
        """Raise SettingsError for a section that does not fit."""
        self._options = section.read_as(ModelRegistryOptions)
        password, token = (
            secret.get_secret_value() for secret in (self._options.password, self._options.token)
        )
        auth: httpx.Auth | None = Bearer(token) if token else None
        if self._options.username:
            auth = httpx.BasicAuth(self._options.username, password)
        self._api = JsonApi(section, self._options, auth=auth, secrets=[password, token])
        self._calls = Calls(
            section, [Action(name=SWITCH, level="model", params_schema=PARAMS, undoable=True)]
        )

    def describe(self) -> Description:
        """Say what it is; asks nothing of the registry."""
        return self._calls.describe(self._options.url)

    def plan(self, call: Call) -> Planned:
        """Read where the alias points, and find the version that is meant."""
        self._calls.check(call)
        alias = self._alias(call)
        now = self._served(alias)
        wanted = self._meant(alias, call)
        if wanted.status != "READY":
            raise ConnectorError(
                f"{SWITCH} {call.target}: expected version {wanted.version} to be READY, it is "
                f"{wanted.status}"
            )
        return Planned(
            before={
                "model": alias.model,
                "alias": alias.alias,
                "version": now.version,
                "label": now.label(self._options.version_tag),
            },
            undo=Call(
                action=SWITCH,
                target=call.target,
                params={"to": now.version, "by": "number", "from": wanted.version},
            ),
            summary=f"{SWITCH} {call.target} at {self._options.url}: {alias} from "
            f"{self._in_words(now)} to {self._in_words(wanted)}",
            preconditions=("those who serve the model follow the alias",),
        )

    def apply(self, call: Call, *, before: Json, key: str) -> Applied:
        """Move the alias, if it is where it was or where it should be."""
        _ = key  # what is wanted is a state: to ask twice for it changes nothing more
        self._calls.refuse_unless_live()
        self._calls.check(call)
        alias = self._alias(call)
        wanted = self._meant(alias, call).version
        return self._move(alias, expected=str(before.get("version", "")), wanted=wanted)

    def verify(self, call: Call, *, before: Json, key: str) -> Seen:
        """Read where the alias points now."""
        _ = key
        self._calls.check(call)
        alias = self._alias(call)
        now = self._served(alias)
        state = {"version": now.version, "label": now.label(self._options.version_tag)}
        if now.version == self._meant(alias, call).version:
            return Seen(effect=Effect.APPLIED, state=state)
        if now.version == before.get("version"):
            return Seen(effect=Effect.NOT_APPLIED, state=state)
        detail = f"{alias} is {self._in_words(now)}"
        return Seen(effect=Effect.OTHER, state=state, detail=detail)

    def undo(self, call: Call, *, before: Json, key: str) -> Applied:
        """Move the alias back, if it is where the step moved it."""
        _ = key
        self._calls.refuse_unless_live()
        self._calls.check(call)
        alias = self._alias(call)
        made = call.params.get("from") or self._meant(alias, call).version
        return self._move(alias, expected=made, wanted=str(before.get("version", "")))

    def close(self) -> None:
        """Release connections."""
        self._api.close()

    def _alias(self, call: Call) -> _Alias:
        """Return what the target stands for: a model, or a version of one (``NAME@VERSION``)."""
        named = call.target
        if named not in self._options.models and "@" in named:
            named = named.rpartition("@")[0]
        model = self._options.models.get(named, named)
        return _Alias(model=model, alias=self._options.aliases.get(model, self._options.alias))

    def _served(self, alias: _Alias) -> _Version:
        """Return the version that the alias points to."""
        params = {"name": alias.model, "alias": alias.alias}
        reply = self._api.get(f"{API}/registered-models/alias", params, tolerated=[_NOT_FOUND, 400])
        if reply.status in {_NOT_FOUND, 400}:
            known = self._api.get(f"{API}/registered-models/search", {"max_results": "100"})
            names = one_of(one.name for one in known.read_as(_Models).registered_models)
            raise ConnectorError(
                f"{self._api.where}: no alias {alias.alias!r} of a model {alias.model!r}: "
                f"{reply.text()}. Known models: {names}"
            )
        return reply.read_as(_Found).model_version

    def _meant(self, alias: _Alias, call: Call) -> _Version:
        """Return the version that a call means, by its label or else its number."""
        to, by = call.params["to"], call.params.get("by")
        tag = self._options.version_tag
        labels, numbers = [], {}
        for version in self._versions(alias):
            numbers[version.version] = version
            if by != "number" and _same_label(version.label(tag), to):
                labels.append(version)
        if len(labels) > 1:
            several = ", ".join(one.version for one in labels)
            raise ConnectorError(
                f"{self._api.where}: versions {several} of {alias.model} all have the tag "
                f"{tag}: {to}; give the number, with `by: number`"
            )
        if labels:
            return labels[0]
        if by != "label" and to in numbers:
            return numbers[to]
        known = one_of(self._in_words(one) for one in numbers.values())
        raise ConnectorError(
            f"{self._api.where}: no version {to!r} of {alias.model}. Known: {known}"
        )

    def _versions(self, alias: _Alias) -> Iterator[_Version]:
        quote = '"' if "'" in alias.model else "'"
        params = {"filter": f"name={quote}{alias.model}{quote}", "max_results": str(_PAGE)}
        for _ in range(PAGES_MAX):
            page = self._api.get(f"{API}/model-versions/search", params).read_as(_Page)
            yield from page.model_versions
            if not page.next_page_token:
                return
            params["page_token"] = page.next_page_token

    def _move(self, alias: _Alias, *, expected: str, wanted: str) -> Applied:
        now = self._served(alias).version
        if now == wanted:
            return Applied(detail=f"{alias} is version {wanted} already")
        if now != expected:
            raise StateChanged(
                f"{self._api.where}: expected {alias} to be version {expected}, as planned "
                f"against, but it is {now}; plan anew"
            )
        body: dict[str, Any] = {"name": alias.model, "alias": alias.alias, "version": wanted}
        self._api.change("POST", f"{API}/registered-models/alias", body)
        after = self._served(alias).version
        if after != wanted:
            raise OutcomeUnknown(
                f"{self._api.where}: {alias} was moved to version {wanted}, but it is {after}: "
                "somebody moved it at the same time"
            )
        facts = {"from": now, "to": wanted}
        return Applied(detail=f"{alias} moved from version {now} to {wanted}", facts=facts)

    def _in_words(self, version: _Version) -> str:
        label = version.label(self._options.version_tag)
        return f"version {version.version}" + (f" ({label})" if label else "")


def open_connector(section: Section) -> ModelRegistry:
    """Open an MLflow; nothing is asked of it yet."""
    return ModelRegistry(section)


def _same_label(label: str, wanted: str) -> bool:
    """Whether two labels mean one version: ``v3.1.7`` is ``3.1.7``."""
    return bool(label) and label.removeprefix("v") == wanted.removeprefix("v")
