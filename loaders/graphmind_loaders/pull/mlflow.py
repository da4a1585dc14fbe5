"""The registry of an MLflow: models, prompts, their versions, and which of them is in use.

MLflow says where an alias points, not since when: a move is a change at the time it is noticed. So
what is pulled first is taken as it is, and a move while nobody pulls is seen as made at the next
pull of the same process. The text of prompts is not read.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, Final, TypeVar

import msgspec

from graphmind.errors import SourceError
from graphmind.graph.schema import Node
from graphmind.graph.schema.nodes import Change, Model, ModelVersion, PromptVersion
from graphmind.sources import PullSource, PullWindow, SourceConfig
from graphmind.telemetry.rejections import Rejections
from graphmind_loaders.pull.client import Client
from graphmind_loaders.pull.options import Count, HttpOptions, read_options
from graphmind_loaders.pull.remembered import Remembered
from graphmind_loaders.records import read_as
from graphmind_loaders.values import Nanoseconds

API: Final = "api/2.0/mlflow"
PAGES_MAX: Final = 1_000
"""Pages of one list (chosen): a server that goes on is not believed."""
PROMPTS: Final = "tags.`mlflow.prompt.is_prompt` = 'true'"
"""Prompts are kept as models with this tag; lists without the filter leave them out."""
STAGES: Final = {"Production": "production", "Staging": "canary", "Archived": "retired"}
"""MLflow's own stages, in the words of the graph."""
ALIASES: Final = {
    "champion": "production",
    "production": "production",
    "challenger": "canary",
    "canary": "canary",
    "shadow": "shadow",
}
"""Stages by usual names of aliases (chosen): the first is MLflow's own example."""
BY_TRAFFIC: Final = ("retired", "shadow", "canary", "production")
MS_NS: Final = 1_000_000

T = TypeVar("T")


class MlflowOptions(HttpOptions, frozen=True, kw_only=True):
    """Options of kind mlflow."""

    page: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 200
    """Records asked for at a time."""
    records_max: Count = 50_000  # chosen: a registry of that size is some 20 MB
    """Models, and versions, read at most; the rest is counted as rejected."""
    aliases: dict[str, str] = msgspec.field(default_factory=lambda: dict(ALIASES))
    """Stage of the version that an alias points to."""
    prompts: bool = True


class _Tag(msgspec.Struct, frozen=True):
    key: str
    value: str = ""


class _Alias(msgspec.Struct, frozen=True):
    alias: str
    version: str


class _Model(msgspec.Struct, frozen=True):
    """What is read of a registered model."""

    name: str
    tags: list[_Tag] = []
    aliases: list[_Alias] = []


class _Version(msgspec.Struct, frozen=True):
    """What is read of a version."""

    name: str
    version: str
    creation_timestamp: Nanoseconds
    last_updated_timestamp: Nanoseconds | None = None
    current_stage: str = "None"
    status: str = "READY"

    @property
    def key(self) -> str:
        return f"{self.name}@{self.version}"


class _Page(msgspec.Struct, frozen=True):
    """A page of either list; an empty one has no list at all."""

    registered_models: list[Any] = []
    model_versions: list[Any] = []
    next_page_token: str = ""


class Mlflow:
    """One MLflow, and what it said last."""

    def __init__(self, config: SourceConfig) -> None:
        """Raise SettingsError for a URL or options that cannot be used."""
        self.config = config
        self._options = read_options(config, MlflowOptions)
        self._client = Client(config, self._options)
        self._remembered = Remembered()
        self._aliases: dict[tuple[str, str], str] | None = None
        self._stages: dict[str, str] = {}

    def pull(self, window: PullWindow, rejected: Rejections) -> Iterator[Node]:
        """Yield what is new or changed in the registry; a move is dated at the window's end."""
        models = self._list("registered-models", "", _Model, rejected)
        versions = self._list("model-versions", "", _Version, rejected)
        prompts: list[_Model] = []
        texts: list[_Version] = []
        if self._options.prompts:
            prompts = self._list("registered-models", PROMPTS, _Model, rejected)
            texts = self._list("model-versions", PROMPTS, _Version, rejected)
        versions = [one for one in versions if one.status == "READY"]
        nodes: list[Node] = [_model(model) for model in models]
        nodes += self._versions(versions, models)
        nodes += [PromptVersion(name=text.key) for text in texts]
        nodes += _releases(texts, self.config.name)
        now_ms = window.until_ns // MS_NS
        self._remembered.notice(self._moves(models, prompts, now_ms))
        self._remembered.notice(self._staged(versions, now_ms))
        yield from self._remembered.fresh(nodes, window.until_ns)

    def close(self) -> None:
        """Release connections."""
        self._client.close()

    def _list(self, what: str, wanted: str, kind: type[T], rejected: Rejections) -> list[T]:
        """Read a list, page by page."""
        found: list[T] = []
        token, said = "", {""}
        for _ in range(PAGES_MAX):
            asked: dict[str, str | int] = {"max_results": self._options.page}
            asked |= {"filter": wanted} if wanted else {}
            asked |= {"page_token": token} if token else {}
            page = self._client.get(f"{API}/{what}/search", asked).read_as(_Page)
            values = page.registered_models or page.model_versions
            found += filter(None, (read_as(value, kind, rejected) for value in values))
            token = page.next_page_token
            if not token:
                return found
            if len(found) >= self._options.records_max:
                rejected.add(f"mlflow {what} beyond `records_max`")
                return found
            if token in said:
                break
            said.add(token)
        raise SourceError(
            f"{self._client.where}: expected the list of {what} to end, got pages on and on; "
            "raise `page` if it has that many"
        )

    def _versions(
        self, versions: Sequence[_Version], models: Sequence[_Model]
    ) -> Iterator[ModelVersion]:
        words, provider = self._options.aliases, {m.name: _provider(m) for m in models}
        stages = {
            f"{model.name}@{alias.version}": words[alias.alias]
            for model in models
            for alias in sorted(model.aliases, key=lambda a: _rank(words.get(a.alias)))
            if alias.alias in words
        }
        previous = _previous(versions)
        for version in versions:
            yield ModelVersion(
                key=version.key,
                model=version.name,
                previous=previous.get(version.key),
                provider=provider.get(version.name),
                version=version.version,
                stage=stages.get(version.key, STAGES.get(version.current_stage)),
                released_ms=version.creation_timestamp,
            )

    def _moves(
        self, models: Sequence[_Model], prompts: Sequence[_Model], now_ms: int
    ) -> Iterator[Change]:
        """Yield a change for each alias that points elsewhere than at the last pull."""
        kinds = dict.fromkeys((prompt.name for prompt in prompts), "prompt")
        now = {
            (model.name, alias.alias): alias.version
            for model in (*models, *prompts)
            for alias in model.aliases
        }
        before, self._aliases = self._aliases, now
        if before is None:
            return
        for name, alias in sorted(now.keys() | before.keys()):
            old, new = before.get((name, alias)), now.get((name, alias))
            if old == new:
                continue
            is_prompt = name in kinds
            yield Change(
                key=f"{self.config.name} alias {name} {alias} {now_ms}",
                kind="config" if is_prompt or new is None else "deploy",
                target=f"{name}@{new or old}" if is_prompt else name,
                target_label="PromptVersion" if is_prompt else "Model",
                at_ms=now_ms,
                from_=old,
                to=new,
            )

    def _staged(self, versions: Sequence[_Version], now_ms: int) -> Iterator[Change]:
        """Yield a change for each version in another stage than at the last pull."""
        before, self._stages = self._stages, {v.key: v.current_stage for v in versions}
        for version in versions:
            old = before.get(version.key)
            if old is None or old == version.current_stage:
                continue
            at_ms = version.last_updated_timestamp or now_ms
            yield Change(
                key=f"{self.config.name} stage {version.key} {at_ms}",
                kind="deploy",
                target=version.key,
                target_label="ModelVersion",
                at_ms=at_ms,
                from_=old,
                to=version.current_stage,
            )


def open_source(config: SourceConfig) -> PullSource:
    """Open an MLflow; nothing is asked of it yet."""
    return Mlflow(config)


def _model(model: _Model) -> Model:
    return Model(name=model.name, provider=_provider(model))


def _provider(model: _Model) -> str | None:
    return next((tag.value for tag in model.tags if tag.key == "provider" and tag.value), None)


def _previous(versions: Sequence[_Version]) -> Mapping[str, str]:
    """Return the version that each replaced: the one created before it."""

    def place(one: _Version) -> tuple[str, int, int, str]:
        return one.name, one.creation_timestamp, len(one.version), one.version

    pairs = pairwise(sorted(versions, key=place))
    return {new.key: old.key for old, new in pairs if old.name == new.name}


def _rank(stage: str | None) -> int:
    """Order stages so that of two aliases of a version the one with more traffic comes last."""
    return BY_TRAFFIC.index(stage) if stage in BY_TRAFFIC else -1


def _releases(texts: Sequence[_Version], source: str) -> Iterator[Change]:
    """Yield the making of each version of a prompt; model versions carry theirs themselves."""
    for text in texts:
        yield Change(
            key=f"{source} prompt {text.key}",
            kind="config",
            target=text.key,
            target_label="PromptVersion",
            at_ms=text.creation_timestamp,
            to=text.version,
        )
