"""Deployments of a Kubernetes cluster: which images ran since when, as changes; and their agents.

Each rollout of a deployment leaves a replica set: its creation is the time of the change. A
rollback takes up an old replica set again, which says no time: it is dated when it is noticed.

A deployment is the service that OpenTelemetry would call it by: the annotation
``resource.opentelemetry.io/service.name``, the label ``app.kubernetes.io/instance`` or
``app.kubernetes.io/name``, else its own name. With a label or annotation ``graphmind.io/agent`` it
is that agent instead.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

import msgspec

from graphmind.errors import SourceError
from graphmind.graph.schema import Node
from graphmind.graph.schema.nodes import Agent, Change, Service
from graphmind.sources import PullSource, PullWindow, SourceConfig
from graphmind.telemetry.rejections import Rejections
from graphmind_loaders.pull.client import Client
from graphmind_loaders.pull.options import HttpOptions, read_options
from graphmind_loaders.pull.remembered import Remembered
from graphmind_loaders.records import MISSHAPEN, read_as
from graphmind_loaders.values import iso_ns

AGENT: Final = "graphmind.io/agent"
VERSION: Final = "app.kubernetes.io/version"
SERVICE_ANNOTATION: Final = "resource.opentelemetry.io/service.name"
SERVICE_LABELS: Final = ("app.kubernetes.io/instance", "app.kubernetes.io/name")
REVISION: Final = "deployment.kubernetes.io/revision"
GONE: Final = 410
"""The list that a page belongs to has expired: it is to be read from its start."""
RESTARTS_MAX: Final = 3
"""Times that a list is begun anew in one pull (chosen)."""
PAGES_MAX: Final = 1_000
MS_NS: Final = 1_000_000

T = TypeVar("T")


class KubernetesOptions(HttpOptions, frozen=True, kw_only=True):
    """Options of kind kubernetes."""

    namespaces: tuple[str, ...] = ()
    """Only these; empty: all, which takes the right to list them in the whole cluster."""
    selector: str = ""
    """Only deployments with these labels, as ``kubectl --selector`` takes them."""
    page: Annotated[int, msgspec.Meta(ge=1, le=5000)] = 500
    """Objects asked for at a time."""


class _Owner(msgspec.Struct, frozen=True):
    kind: str
    name: str


class _Metadata(msgspec.Struct, frozen=True):
    name: str
    namespace: str = "default"
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    creationTimestamp: str = ""  # noqa: N815 - as it is written
    ownerReferences: list[_Owner] = []  # noqa: N815


class _Container(msgspec.Struct, frozen=True):
    name: str = ""
    image: str = ""


class _PodSpec(msgspec.Struct, frozen=True):
    containers: list[_Container] = []


class _PodMetadata(msgspec.Struct, frozen=True):
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class _Template(msgspec.Struct, frozen=True):
    metadata: _PodMetadata = _PodMetadata()
    spec: _PodSpec = _PodSpec()


class _Spec(msgspec.Struct, frozen=True):
    template: _Template = _Template()


class _Workload(msgspec.Struct, frozen=True):
    """What is read of a deployment or a replica set; environments and secrets are not."""

    metadata: _Metadata
    spec: _Spec = _Spec()

    @property
    def place(self) -> tuple[str, str]:
        return self.metadata.namespace, self.metadata.name

    @property
    def owner(self) -> tuple[str, str] | None:
        """Namespace and name of the deployment that it belongs to."""
        owners = self.metadata.ownerReferences
        name = next((owner.name for owner in owners if owner.kind == "Deployment"), None)
        return None if name is None else (self.metadata.namespace, name)

    @property
    def images(self) -> dict[str, str]:
        """Image of each container."""
        return {one.name: one.image for one in self.spec.template.spec.containers}

    def says(self, name: str) -> str | None:
        """Return a label or annotation, of its own or of its pods."""
        pods = self.spec.template.metadata
        places = (self.metadata.labels, self.metadata.annotations, pods.labels, pods.annotations)
        return next((place[name] for place in places if place.get(name)), None)


class _ListMetadata(msgspec.Struct, frozen=True, rename={"onward": "continue"}):
    onward: str = ""


class _List(msgspec.Struct, frozen=True):
    """A page of a list; Go writes an empty one as null."""

    items: list[Any] | None
    metadata: _ListMetadata = _ListMetadata()


@dataclass(frozen=True, kw_only=True)
class _Rollout:
    """A replica set of a deployment."""

    name: str
    revision: int
    created_ms: int
    images: Mapping[str, str]


class Kubernetes:
    """One cluster, and what it said last."""

    def __init__(self, config: SourceConfig) -> None:
        """Raise SettingsError for a URL or options that cannot be used."""
        self.config = config
        self._options = read_options(config, KubernetesOptions)
        self._client = Client(config, self._options)
        self._remembered = Remembered()
        self._current: dict[tuple[str, str], _Rollout] = {}

    def pull(self, window: PullWindow, rejected: Rejections) -> Iterator[Node]:
        """Yield what is new or changed; what says no time is dated at the window's end."""
        deployments = self._list("deployments", self._options.selector, rejected)
        sets = self._list("replicasets", "", rejected)
        rollouts = _rollouts(sets, rejected)
        nodes: list[Node] = []
        for deployment in sorted(deployments, key=lambda one: one.place):
            nodes += self._nodes(deployment, rollouts.get(deployment.place, []))
        now_ms = window.until_ns // MS_NS
        self._remembered.notice(self._rollbacks(deployments, rollouts, now_ms))
        yield from self._remembered.fresh(nodes, window.until_ns)

    def close(self) -> None:
        """Release connections."""
        self._client.close()

    def _nodes(self, deployment: _Workload, rollouts: Sequence[_Rollout]) -> Iterator[Node]:
        agent = deployment.says(AGENT)
        if agent is None:
            yield Service(name=_service(deployment))
        else:
            yield Agent(key=agent, name=agent.rpartition("/")[2], version=_version(deployment))
        for new in rollouts:
            old = _before(new, rollouts)
            yield self._change(deployment, old, new, at_ms=new.created_ms, key=new.name)

    def _rollbacks(
        self,
        deployments: Sequence[_Workload],
        rollouts: Mapping[tuple[str, str], Sequence[_Rollout]],
        now_ms: int,
    ) -> Iterator[Change]:
        """Yield a change for each deployment that took up an older replica set since last time."""
        before = self._current
        self._current = {
            one.place: rollouts[one.place][-1] for one in deployments if one.place in rollouts
        }
        for deployment in deployments:
            old, new = before.get(deployment.place), self._current.get(deployment.place)
            if old and new and new.name != old.name and new.created_ms < old.created_ms:
                key = f"{new.name} again {new.revision}"
                yield self._change(deployment, old, new, at_ms=now_ms, key=key)

    def _change(
        self, deployment: _Workload, old: _Rollout | None, new: _Rollout, *, at_ms: int, key: str
    ) -> Change:
        """Return what a rollout changed: images, or else what surrounds them."""
        agent = deployment.says(AGENT)
        same = old is not None and old.images == new.images
        return Change(
            key=f"{self.config.name} {deployment.metadata.namespace}/{key}",
            kind="config" if same else "deploy",
            target=_service(deployment) if agent is None else agent,
            target_label="Service" if agent is None else "Agent",
            at_ms=at_ms,
            from_=_said(old, unlike=new) if old else None,
            to=_said(new, unlike=old),
        )

    def _list(self, what: str, selector: str, rejected: Rejections) -> list[_Workload]:
        """Read a list of each namespace wanted."""
        found = []
        for namespace in self._options.namespaces or ("",):
            within = f"namespaces/{namespace}/" if namespace else ""
            values = self._values(f"apis/apps/v1/{within}{what}", selector)
            found += [read_as(value, _Workload, rejected) for value in values]
        return [one for one in found if one is not None]

    def _values(self, path: str, selector: str) -> list[Any]:
        """Read a list page by page, anew where it expired meanwhile."""
        for _ in range(RESTARTS_MAX):
            values = self._pages(path, selector)
            if values is not None:
                return values
        raise SourceError(
            f"{self._client.where}: expected {path} page by page, but it expired "
            f"{RESTARTS_MAX} times before its end; raise `page`"
        )

    def _pages(self, path: str, selector: str) -> list[Any] | None:
        """Return all of a list; None where it expired before its end."""
        values: list[Any] = []
        onward = ""
        for _ in range(PAGES_MAX):
            asked: dict[str, str | int] = {"limit": self._options.page}
            asked |= {"labelSelector": selector} if selector else {}
            asked |= {"continue": onward} if onward else {}
            reply = self._client.get(path, asked, tolerated={GONE} if onward else ())
            if reply.status == GONE:
                return None
            page = reply.read_as(_List)
            values += page.items or []
            onward = page.metadata.onward
            if not onward:
                return values
        raise SourceError(f"{self._client.where}: {path} goes on and on; raise `page`")


def open_source(config: SourceConfig) -> PullSource:
    """Open a cluster; nothing is asked of it yet."""
    return Kubernetes(config)


def _rollouts(
    sets: Sequence[_Workload], rejected: Rejections
) -> dict[tuple[str, str], list[_Rollout]]:
    """Return the replica sets of each deployment in the order of their revisions."""
    found: dict[tuple[str, str], list[_Rollout]] = defaultdict(list)
    for one in sets:
        if one.owner is None:
            continue
        try:
            rollout = _Rollout(
                name=one.metadata.name,
                revision=int(one.metadata.annotations.get(REVISION, "0")),
                created_ms=iso_ns(one.metadata.creationTimestamp) // MS_NS,
                images=one.images,
            )
        except ValueError as error:
            rejected.add(MISSHAPEN, f"replica set {one.metadata.name}: {error}")
            continue
        found[one.owner].append(rollout)
    for rollouts in found.values():
        rollouts.sort(key=lambda r: (r.revision, r.created_ms, r.name))
    return found


def _before(new: _Rollout, rollouts: Sequence[_Rollout]) -> _Rollout | None:
    """Return what a rollout replaced when it was created.

    An old one that was taken up again has a higher revision than what it was once replaced by.
    """
    older = [one for one in rollouts if one.created_ms < new.created_ms]
    lower = [one for one in older if one.revision < new.revision]
    return max(
        lower or older, key=lambda r: (bool(lower) and r.revision, r.created_ms), default=None
    )


def _said(rollout: _Rollout, *, unlike: _Rollout | None) -> str:
    """Name the images of a rollout that the other has not; its revision where there are none."""
    others = unlike.images if unlike else {}
    images = [image for name, image in sorted(rollout.images.items()) if others.get(name) != image]
    return ", ".join(images) or f"revision {rollout.revision}"


def _service(deployment: _Workload) -> str:
    stated = (deployment.says(name) for name in (SERVICE_ANNOTATION, *SERVICE_LABELS))
    return next(filter(None, stated), deployment.metadata.name)


def _version(deployment: _Workload) -> str | None:
    """Return the version it states, else the tag of its only image."""
    stated = deployment.says(VERSION)
    images = list(deployment.images.values())
    if stated or len(images) != 1:
        return stated
    name, _, tag = images[0].partition("@")[0].rpartition(":")
    return tag if name and "/" not in tag else None
