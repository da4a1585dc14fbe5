"""Who runs where, and which kind of task uses what; the same for every seed."""

from dataclasses import dataclass
from random import Random
from typing import Final

REGIONS: Final = ("eu", "us")

STEPS: Final = ("TaskPreprocessor", "ModelExecutor", "CallbackSender")
"""What a run does in turn: each is dispatched, reset and skipped as one."""
WITHIN: Final = {
    "Vectorizer": "TaskPreprocessor",
    "LLMAdapter": "ModelExecutor",
    "InferenceRPC": "ModelExecutor",
    "WebhookDeliver": "CallbackSender",
    "StateKeeper": "ModelExecutor",
}
"""Modules that run as a part of a step."""


@dataclass(frozen=True, kw_only=True)
class Agent:
    """One agent; each is a process of its own."""

    name: str
    kind: str
    """Its class: what it can do."""
    region: str
    hot_restart: bool
    """Whether it holds nothing that a restart would lose."""


def _agents() -> tuple[Agent, ...]:
    everywhere = ("router", "intake", "embedder", "writer", "reviewer", "keeper", "sender")
    found = [
        Agent(
            name=f"{kind}-{region}",
            kind=kind,
            region=region,
            hot_restart=kind not in ("writer", "reviewer", "keeper"),
        )
        for region in REGIONS
        for kind in everywhere
    ]
    analysts = (("analyst-eu-1", "eu"), ("analyst-eu-2", "eu"), ("analyst-us-1", "us"))
    found += [
        Agent(name=name, kind="analyst", region=region, hot_restart=False)
        for name, region in analysts
    ]
    return tuple(sorted(found, key=lambda agent: (agent.region, agent.name)))


AGENTS: Final = _agents()
"""17 agents: two routers, intakes, embedders, writers, reviewers, keepers, senders, 3 analysts."""

MODELS: Final = ("planner", "drafter", "critic")
GOOD, NEW = 2, 3
"""Versions of each model: 2 is what the alias names when all is well, 3 is newer, 1 is retired."""
ALIAS: Final = "champion"
RULE_ENGINE: Final = "rule_engine_v2"
"""What answers without a model."""

_USES: Final = {
    "analyst": (("planner", 0.7), ("critic", 0.3)),
    "writer": (("drafter", 0.6), ("planner", 0.4)),
    "reviewer": (("critic", 0.6), ("drafter", 0.4)),
}
"""Models by class of executor, so that no model is one class's alone (chosen)."""
_SERVES: Final = {
    "answer": (("analyst", 0.7), ("writer", 0.3)),
    "audit": (("reviewer", 0.6), ("analyst", 0.4)),
    "draft": (("writer", 0.7), ("reviewer", 0.3)),
}
DOMAINS: Final = ("billing", "claims", "support")
KINDS: Final = tuple(f"{domain}.{verb}" for domain in DOMAINS for verb in _SERVES)
REFRESH: Final = "catalog.refresh"
"""The kind of task by which keepers write what others read."""
TENANTS: Final = ("acorn", "basalt", "cobalt", "dorado", "ember", "fathom")


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What one task uses, drawn before it is sent: so it can be sent again as it was."""

    executor: str
    model: str
    reads: tuple[str, ...]


def needs_of(kind: str, tenant: str, random: Random) -> Needs:
    """Draw what a task of a kind uses."""
    domain, _, verb = kind.partition(".")
    executor = _drawn(_SERVES[verb], random)
    # Shares chosen: many tasks of a kind do without a key, and show that the kind is not to blame.
    reads = (
        (f"policy:{domain}", 0.5),
        (f"catalog:{domain}", 0.4),
        (f"profile:{tenant}", 0.4),
        ("glossary:common", 0.3),
    )
    return Needs(
        executor=executor,
        model=_drawn(_USES[executor], random),
        reads=tuple(key for key, share in reads if random.random() < share),
    )


def _drawn(weighed: tuple[tuple[str, float], ...], random: Random) -> str:
    names = [name for name, _ in weighed]
    return random.choices(names, [weight for _, weight in weighed])[0]


def shared_keys() -> dict[str, dict[str, object]]:
    """Return the keys that tasks read, with their values when all is well."""
    keys: dict[str, dict[str, object]] = {"glossary:common": {"factor": 1, "terms": 40}}
    for domain in DOMAINS:
        keys[f"policy:{domain}"] = {"factor": 1, "limit": 1_000_000}
        keys[f"catalog:{domain}"] = {"factor": 1, "items": 120}
    for tenant in TENANTS:
        keys[f"profile:{tenant}"] = {"factor": 1, "language": "en"}
    return keys
