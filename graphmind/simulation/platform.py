"""The platform that is simulated: who runs where, and which kind of task uses what.

Task kinds differ in their agents, tools, models, keys, tenants and regions, so every resource is
confounded with the kinds of task that use it, as in a real platform.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Final

REGIONS: Final = (
    *("eu-west-1", "us-east-1", "ap-south-1"),
    *("eu-north-1", "us-west-2", "sa-east-1"),
)
DOMAINS: Final = ("billing", "claims", "compliance", "logistics", "research", "support")
VERBS: Final = ("answer", "audit", "classify", "draft", "extract", "forecast", "reconcile", "route")
SERVICES: Final = (
    "gateway",
    "vector-store",
    "agent-runtime",
    "inference",
    "tool-server",
    "callback",
)
FAMILIES: Final = ("atlas-large", "atlas-mini", "corvid-pro", "juniper-chat", "sable-reason")
TENANTS: Final = (
    *("acorn", "basalt", "cobalt", "dorado", "ember", "fathom"),
    *("garnet", "harbor", "indigo", "jasper", "kestrel", "lumen"),
)
TOOLS: Final = (
    *("web_search", "sql_query", "crm_lookup", "ledger_read", "ledger_post", "ticket_create"),
    *("ticket_update", "calendar_book", "email_draft", "pdf_extract", "ocr_scan", "geo_code"),
    *("route_plan", "stock_level", "fx_rate", "policy_search", "sanctions_check", "chart_render"),
    *("code_run", "translate", "doc_store_get", "address_verify"),
)
AGENTS: Final = {
    "router": ("front-router", "batch-router", "partner-router"),
    "preprocessor": ("intake", "normalizer", "redactor", "splitter"),
    "vectorizer": ("embedder", "embedder-multilingual"),
    "executor": (
        *("billing-analyst", "claims-adjuster", "compliance-officer", "logistics-planner"),
        *("researcher", "support-agent", "generalist", "report-writer"),
    ),
    "specialist": ("fact-checker", "negotiator", "translator", "data-miner", "summarizer"),
    "keeper": ("memory-keeper", "profile-keeper", "catalog-keeper", "policy-keeper"),
    "sender": ("notifier", "webhook-dispatcher"),
}
"""28 agents by role."""
CHRONIC: Final = 15.0
"""How much frailer a chronic agent is: it about doubles the failures of its runs (chosen)."""


@dataclass(frozen=True, kw_only=True)
class Mix:
    """Names with how often each is used."""

    names: tuple[str, ...]
    cumulative: tuple[float, ...]

    def draw(self, random: Random) -> str:
        """Return one name."""
        return random.choices(self.names, cum_weights=self.cumulative)[0]


@dataclass(frozen=True, kw_only=True)
class TaskKind:
    """What one kind of task uses, and how it behaves when all is well."""

    name: str
    router: Mix
    preprocessor: Mix
    vectorizer: Mix
    executor: Mix
    specialist: Mix
    keeper: Mix
    sender: Mix
    tools: Mix
    tool_calls: float
    """Mean number of tool calls of a run."""
    models: Mix
    """Model families; the version that answers is the platform's choice."""
    prompts: Mix
    keys: Mix
    """Shared keys of the domain it reads and writes, besides those of the tenant."""
    regions: Mix
    tenants: Mix
    handoff: float
    """Share of runs in which the executor hands part of the work to a specialist."""
    pace: float
    """Factor on every duration."""
    frailty: float
    """Factor on the base rate of failures."""
    quality: float
    """Median score of its results."""


@dataclass(frozen=True, kw_only=True)
class Platform:
    """Everything that stays as it is while the window runs."""

    regions: tuple[str, ...]
    task_kinds: tuple[TaskKind, ...]
    traffic: Mix
    """Names of task kinds by share of jobs."""
    model_versions: dict[str, Mix]
    """Dated builds by family."""
    prompt_versions: dict[str, Mix]
    """Versions by prompt."""
    instances: dict[tuple[str, str], Mix]
    """Processes by service and region."""
    endpoints: dict[str, Mix]
    """Webhook addresses by tenant."""
    frailty: dict[str, float]
    """Factor on the base rate of failures by agent; some are chronically worse."""


def build_platform(random: Random, *, regions: int, task_kinds: int, chronic: int = 0) -> Platform:
    """Draw a platform; some ``chronic`` agents are much worse than all others."""
    places = REGIONS[:regions]
    names = random.sample([f"{domain}.{verb}" for domain in DOMAINS for verb in VERBS], task_kinds)
    prompts = [f"{domain}-{step}" for domain in DOMAINS for step in ("plan", "reply")]
    agents = [agent for role in AGENTS.values() for agent in role]
    worse = set(random.sample(agents, chronic)) if chronic else set()
    return Platform(
        regions=places,
        task_kinds=tuple(_task_kind(random, name, places) for name in sorted(names)),
        traffic=_mix(random, sorted(names)),
        model_versions={family: _builds(random, family) for family in FAMILIES},
        prompt_versions={prompt: _prompt_versions(random, prompt) for prompt in prompts},
        instances={
            (service, region): _instances(random, service, region)
            for service in SERVICES
            for region in places
        },
        endpoints={tenant: _endpoints(random, tenant) for tenant in TENANTS},
        # Chosen: most agents within a factor of two of each other.
        frailty={
            agent: random.lognormvariate(0.0, 0.35) * (CHRONIC if agent in worse else 1.0)
            for agent in agents
        },
    )


def _task_kind(random: Random, name: str, regions: Sequence[str]) -> TaskKind:
    """Draw one kind of task. All ranges are chosen."""
    domain = name.partition(".")[0]
    return TaskKind(
        name=name,
        router=_mix(random, _some(random, AGENTS["router"], 2)),
        preprocessor=_mix(random, _some(random, AGENTS["preprocessor"], 2)),
        vectorizer=_mix(random, AGENTS["vectorizer"]),
        executor=_mix(random, _some(random, AGENTS["executor"], 3)),
        specialist=_mix(random, _some(random, AGENTS["specialist"], 3)),
        keeper=_mix(random, _some(random, AGENTS["keeper"], 2)),
        sender=_mix(random, AGENTS["sender"]),
        tools=_mix(random, _some(random, TOOLS, random.randint(3, 7))),
        tool_calls=random.uniform(1.0, 3.0),
        models=_mix(random, _some(random, FAMILIES, 3)),
        prompts=_mix(random, [f"{domain}-plan", f"{domain}-reply"]),
        keys=_mix(random, [f"{part}:{domain}" for part in ("catalog", "glossary", "policy")]),
        regions=_mix(random, regions),
        tenants=_mix(random, _some(random, TENANTS, 8)),
        handoff=random.uniform(0.05, 0.5),
        pace=random.lognormvariate(0.0, 0.25),
        frailty=random.lognormvariate(0.0, 0.5),
        quality=random.uniform(0.78, 0.93),
    )


def _some(random: Random, names: Sequence[str], count: int) -> list[str]:
    return random.sample(list(names), count)


def _mix(random: Random, names: Sequence[str]) -> Mix:
    """Weigh the names log-normally: a few are used much, many little."""
    return _weighed(names, [random.lognormvariate(0.0, 0.8) for _ in names])


def _weighed(names: Sequence[str], weights: Sequence[float]) -> Mix:
    return Mix(names=tuple(names), cumulative=tuple(accumulate(weights)))


def _builds(random: Random, family: str) -> Mix:
    """Two dated builds of a model family."""
    builds = [f"{family}-2026-{month:02}-{random.randint(1, 28):02}" for month in (1, 2)]
    share = random.uniform(0.3, 0.7)
    return _weighed(builds, [1.0 - share, share])


def _prompt_versions(random: Random, prompt: str) -> Mix:
    version = random.randint(3, 20)
    share = random.uniform(0.3, 0.7)
    return _weighed([f"{prompt}@v{version}", f"{prompt}@v{version + 1}"], [1.0 - share, share])


def _instances(random: Random, service: str, region: str) -> Mix:
    """Two or three processes, evenly loaded."""
    names = [
        f"{service}-{region}-{random.getrandbits(20):05x}" for _ in range(random.randint(2, 3))
    ]
    return _weighed(names, [1.0] * len(names))


def _endpoints(random: Random, tenant: str) -> Mix:
    paths = ("tasks/done", "v2/agent-callback")[: random.randint(1, 2)]
    return _mix(random, [f"hooks.{tenant}.example/{path}" for path in paths])
