"""The faults, each with its ground truth. A seed chooses what they hit.

A fault is rules for the world (``conditions.py``), moves of registry aliases, and tasks that bring
it about. Nothing of it reaches telemetry but through what it does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from examples.agent_platform.conditions import Rule
from examples.agent_platform.topology import (
    AGENTS,
    DOMAINS,
    GOOD,
    KINDS,
    MODELS,
    NEW,
    REGIONS,
    RULE_ENGINE,
    TENANTS,
)


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What is really to blame, and what really heals it."""

    causes: tuple[tuple[str, ...], ...]
    """Each cause: the items that must come together, ``kind:name`` as graphmind resolves them.
    Several stand for several faults. Empty: nothing is to be blamed."""
    also: tuple[str, ...] = ()
    """Items that blame the same thing: who wrote the poisoned key, besides the key."""
    level: str = ""
    """At which to repair; empty where nothing is to be repaired."""
    actions: tuple[str, ...] = ()
    """``action:argument`` of S39; all of them heal it. Empty: no strategy may run by itself."""
    harms: bool = False
    """What would heal it makes it worse: it is to be undone."""
    symptom: str = ""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What a fault is made of."""

    truth: Truth
    rules: tuple[Rule, ...] = ()
    moves: Mapping[str, int] = field(default_factory=dict)
    """Versions that aliases are moved to, by model."""
    refresh: tuple[str, ...] = ()
    """Keys of which a refresh is sent to ``refresh_by``."""
    refresh_by: str = ""


@dataclass(frozen=True, kw_only=True)
class World:
    """What faults must know of the platform that runs."""

    hooks: str
    """``HOST:PORT`` of the customers' webhooks."""
    generations: Mapping[str, int]
    """Starts of each agent so far, by name."""


Maker = Callable[[int, World], Fault]


def make(name: str, seed: int, world: World) -> Fault:
    """Return a fault. Raises KeyError for a name that is none of FAULTS."""
    return FAULTS[name](seed, world)


def _hanging_model(seed: int, _world: World) -> Fault:
    """A new version of a model hangs: late answers, time-outs, callbacks that never come (S22)."""
    model = MODELS[seed % len(MODELS)]
    return _bad_version(model, {"effect": "hang", "share": 0.95}, symptom="slow")


def _wrong_answers(seed: int, _world: World) -> Fault:
    """A new version answers wrongly, and nothing fails."""
    model = MODELS[(seed + 1) % len(MODELS)]
    return _bad_version(model, {"effect": "wrong", "share": 0.6}, symptom="wrong")


def _bad_version(model: str, rule: Rule, symptom: str) -> Fault:
    version = f"{model}@{NEW}"
    return Fault(
        rules=({"at": "model", "where": {"version": version}, **rule},),
        moves={model: NEW},
        truth=Truth(
            causes=((f"model_version:{version}",),),
            level="model",
            actions=(f"switch_model_version:{model}@{GOOD}",),
            symptom=symptom,
        ),
    )


def _poisoned_key(seed: int, _world: World) -> Fault:
    """One agent writes a value that others read and fail of."""
    key = f"policy:{DOMAINS[seed % len(DOMAINS)]}"
    writer = f"keeper-{REGIONS[seed % len(REGIONS)]}"
    return Fault(
        rules=({"at": "keeper", "where": {"agent": writer, "key": key}},),
        refresh=(key,),
        refresh_by=writer,
        truth=Truth(
            causes=((f"kv_key:{key}",),),
            also=(f"written_by_agent:{writer}", "written_by_trace", f"agent:{writer}"),
            level="key",
            actions=(f"quarantine_key:{key}",),
            symptom="error",
        ),
    )


def _bad_version_in_region(seed: int, _world: World) -> Fault:
    """A new version is well in one region, and fails on what the other one runs it on."""
    model, region = MODELS[seed % len(MODELS)], REGIONS[(seed + 1) % len(REGIONS)]
    version = f"{model}@{NEW}"
    where = {"version": version, "region": region}
    return Fault(
        rules=({"at": "model", "where": where, "effect": "fail", "share": 0.9},),
        moves={model: NEW},
        truth=Truth(
            causes=((f"model_version:{version}", f"region:{region}"),),
            level="model",
            actions=(f"switch_model_version:{model}@{GOOD}",),
            symptom="error",
        ),
    )


def _region_loss(seed: int, _world: World) -> Fault:
    """What goes out of a region is lost on the way."""
    region = REGIONS[(seed + 1) % len(REGIONS)]
    return Fault(
        rules=({"at": "network", "where": {"region": region}, "share": 0.7},),
        truth=Truth(
            causes=((f"region:{region}",),),
            level="region",
            actions=(f"drain:{region}",),
            symptom="error",
        ),
    )


def _webhook_storm(seed: int, world: World) -> Fault:
    """A customer's webhook is out of service: every delivery is tried three times."""
    tenant = TENANTS[seed % len(TENANTS)]
    return Fault(
        rules=({"at": "webhook", "where": {"tenant": tenant}, "share": 0.97},),
        truth=Truth(
            causes=((f"endpoint:{world.hooks}/hooks/{tenant}",),),
            level="agent",
            actions=(f"degrade:class:sender:{RULE_ENGINE}",),
            symptom="storm",
        ),
    )


def _drifting_agents(seed: int, world: World) -> Fault:
    """The agents of a class get slower and worse with each task, until they are restarted."""
    kind = ("writer", "reviewer", "analyst")[seed % 3]
    names = [agent.name for agent in AGENTS if agent.kind == kind]
    return Fault(
        rules=tuple(
            {
                "at": "memory",
                "where": {"agent": name, "generation": world.generations.get(name, 1)},
                "tasks": 60,
                "seconds": 3.0,
                "failing": 0.3,
            }
            for name in names
        ),
        truth=Truth(
            causes=((f"service:{kind}",),),
            also=tuple(f"agent:{name}" for name in names),
            level="agent",
            actions=(f"restart:class:{kind}",),
            symptom="slow",
        ),
    )


def _dead_collector(seed: int, _world: World) -> Fault:
    """The collector beside one agent takes spans and loses them; no task is the worse for it."""
    agent = f"intake-{REGIONS[(seed + 1) % len(REGIONS)]}"
    return Fault(
        rules=({"at": "collector", "where": {"agent": agent}},),
        truth=Truth(causes=(), symptom="missing"),
    )


def _two_faults(seed: int, world: World) -> Fault:
    """A hanging model version and a poisoned key, at once."""
    hanging, poisoned = _hanging_model(seed, world), _poisoned_key(seed + 1, world)
    return Fault(
        rules=hanging.rules + poisoned.rules,
        moves=hanging.moves,
        refresh=poisoned.refresh,
        refresh_by=poisoned.refresh_by,
        truth=Truth(
            causes=hanging.truth.causes + poisoned.truth.causes,
            also=poisoned.truth.also,
            level="model",
            actions=hanging.truth.actions + poisoned.truth.actions,
            symptom="slow",
        ),
    )


def _decoy(seed: int, _world: World) -> Fault:
    """A new version of a model that is as good as the old one."""
    model = MODELS[(seed + 2) % len(MODELS)]
    return Fault(moves={model: NEW}, truth=Truth(causes=()))


def _decoy_with_fault(seed: int, world: World) -> Fault:
    """The harmless new version, at the same moment as a poisoned key."""
    poisoned = _poisoned_key(seed, world)
    return Fault(
        rules=poisoned.rules,
        moves=_decoy(seed, world).moves,
        refresh=poisoned.refresh,
        refresh_by=poisoned.refresh_by,
        truth=poisoned.truth,
    )


def _worse_cure(seed: int, _world: World) -> Fault:
    """A new version of a model fails now and then; the old one, meanwhile, fails far more often."""
    model = MODELS[seed % len(MODELS)]
    bad = _bad_version(model, {"effect": "fail", "share": 0.4}, symptom="error")
    where = {"version": f"{model}@{GOOD}"}
    worse: Rule = {"at": "model", "where": where, "effect": "fail", "share": 0.95}
    truth = replace(bad.truth, harms=True)
    return replace(bad, rules=(*bad.rules, worse), truth=truth)


def _unknown(seed: int, _world: World) -> Fault:
    """Tasks of one kind come in broken from outside: no lever of the platform mends that."""
    kind = KINDS[seed % len(KINDS)]
    return Fault(
        rules=({"at": "input", "where": {"task": kind}},),
        truth=Truth(causes=((f"task:{kind}",),), symptom="error"),
    )


FAULTS: Final[dict[str, Maker]] = {
    "hanging-model": _hanging_model,
    "wrong-answers": _wrong_answers,
    "poisoned-key": _poisoned_key,
    "bad-version-in-region": _bad_version_in_region,
    "region-loss": _region_loss,
    "webhook-storm": _webhook_storm,
    "drifting-agents": _drifting_agents,
    "dead-collector": _dead_collector,
    "two-faults": _two_faults,
    "decoy": _decoy,
    "decoy-with-fault": _decoy_with_fault,
    "worse-cure": _worse_cure,
    "unknown": _unknown,
}
"""Makers by name. A rule's ``where`` holds what must hold at the place; see ``conditions.py``."""


def described() -> dict[str, str]:
    """Return what each fault is, in a sentence."""
    return {name: str(maker.__doc__).split("\n")[0] for name, maker in FAULTS.items()}


def truth_document(fault: Fault) -> dict[str, Any]:
    """Return the ground truth as JSON."""
    truth = fault.truth
    return {
        "causes": [list(cause) for cause in truth.causes],
        "also": list(truth.also),
        "level": truth.level,
        "actions": list(truth.actions),
        "harms": truth.harms,
        "symptom": truth.symptom,
    }
