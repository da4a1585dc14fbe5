"""The kinds of incident, and how those of one window are chosen.

An incident strikes runs that meet all of its items between onset and end, with a probability of its
own for every kind of task. Targets are drawn among what enough runs meet, so that each incident
leaves failures enough to be decidable; how easily they are told apart is left to chance.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from random import Random
from typing import Final

from graphmind.errors import SettingsError
from graphmind.simulation.platform import AGENTS, TaskKind
from graphmind.simulation.scenario import Scenario

Item = tuple[str, str]
"""(kind, name), in the kinds of ``telemetry.facts.ITEM_KINDS``."""

Exposure = Mapping[tuple[Item, ...], float]
"""Share of the runs of a quiet window that meet an item, or two in one place."""

FAILURES_MIN: Final = 45
"""Failures to expect of an incident among 5,000 traces; at least 25 then come true (chosen)."""
SHARE_MAX: Final = 0.5
"""An item on more of the runs than this is not a target: nothing contrasts with it (chosen)."""
DURATION_MAX: Final = 0.6
"""Largest share of the jobs that start during an incident (chosen)."""

HIDDEN: Final = "hidden_group"
"""Kind of an incident whose cause no attribute records."""
RACKS: Final = tuple(f"rack-{number}" for number in range(8))
"""Where runs are placed; no attribute says so."""

ROLE_MODULES: Final = {
    "router": "AgentRouter",
    "preprocessor": "TaskPreprocessor",
    "vectorizer": "Vectorizer",
    "executor": "ModelExecutor",
    "specialist": "SpecialistStep",
    "keeper": "MemoryWriter",
    "sender": "CallbackSender",
}
"""The module that an agent of a role runs."""


@dataclass(frozen=True, kw_only=True)
class IncidentKind:
    """What goes wrong, and with what."""

    on: tuple[str, ...]
    """Kinds of the items that together cause it."""
    effect: str
    symptoms: tuple[str, ...]
    """One of them is drawn."""
    module: str = ""
    """Where it shows; empty if that is the item's own module, or everywhere."""
    codes: tuple[str, ...] = ("_OTHER",)
    among: tuple[str, ...] = ()
    """Only names that start with one of these; empty allows all."""
    shows: float = 1.0
    """Share of the strikes that show in how the run ends: others are mended, or nobody looks."""


INCIDENT_KINDS: Final[Mapping[str, IncidentKind]] = {
    "model_hang": IncidentKind(
        on=("model_version",),
        effect="hang",
        symptoms=("hang",),
        module="InferenceRPC",
        codes=("deadline_exceeded",),
    ),
    "model_error": IncidentKind(
        on=("model_version",),
        effect="error",
        symptoms=("error",),
        module="InferenceRPC",
        codes=("model_output_invalid", "internal", "resource_exhausted"),
        shows=0.5,
    ),
    "agent_error": IncidentKind(
        on=("agent",),
        effect="error",
        symptoms=("error",),
        codes=("KeyError", "AssertionError", "internal"),
    ),
    "tool_error": IncidentKind(
        on=("tool",),
        effect="error",
        symptoms=("error",),
        codes=("tool_unavailable", "deadline_exceeded", "permission_denied"),
    ),
    "region_down": IncidentKind(
        on=("region",),
        effect="error",
        symptoms=("error",),
        codes=("unavailable", "connection_reset"),
    ),
    "kv_key_poisoned": IncidentKind(
        on=("kv_key",),
        effect="poison",
        symptoms=("error", "wrong"),
        codes=("schema_mismatch", "KeyError"),
        among=("catalog:", "glossary:", "policy:", "profile:", "limits:"),
        shows=0.6,
    ),
    "writer_poisons": IncidentKind(
        on=("written_by_agent",),
        effect="poison",
        symptoms=("error", "wrong"),
        codes=("schema_mismatch", "ValueError"),
        among=AGENTS["keeper"],
        shows=0.6,
    ),
    "model_in_region": IncidentKind(
        on=("model_version", "region"),
        effect="error",
        symptoms=("error",),
        module="InferenceRPC",
        codes=("unavailable", "model_output_invalid"),
        shows=0.5,
    ),
    "agent_with_tool": IncidentKind(
        on=("agent", "tool"),
        effect="error",
        symptoms=("error",),
        codes=("invalid_argument", "permission_denied"),
        shows=0.9,
    ),
    "prompt_wrong": IncidentKind(
        on=("prompt_version",),
        effect="wrong",
        symptoms=("wrong",),
        module="ResultValidator",
        shows=0.8,
    ),
    "region_slow": IncidentKind(on=("region",), effect="slow", symptoms=("slow",), shows=0.8),
    "instance_slow": IncidentKind(
        on=("instance",),
        effect="slow",
        symptoms=("slow",),
        # The processes where runs spend enough time to feel it.
        among=("inference", "tool-server"),
        shows=0.5,
    ),
    "callback_storm": IncidentKind(
        on=("endpoint",),
        effect="storm",
        symptoms=("storm",),
        module="WebhookDeliver",
        codes=("503", "429"),
        among=("hooks.",),
    ),
    "double_dispatch": IncidentKind(
        on=("agent",),
        effect="fork",
        symptoms=("fork",),
        module="AgentRouter",
        among=AGENTS["router"],
    ),
    "tool_loop": IncidentKind(on=("tool",), effect="loop", symptoms=("loop",)),
}


@dataclass(frozen=True, kw_only=True)
class Planted:
    """One incident of a window: the truth."""

    index: int
    kind: str
    all_of: tuple[Item, ...]
    effect: str
    symptom: str
    root_module: str
    """Empty where the incident has no one module."""
    code: str
    onset_ns: int
    until_ns: int
    strength: Mapping[str, float]
    """Probability to strike a run that meets the items, by kind of task."""
    factor: float
    """How much longer things take, where the symptom is slowness."""
    rolled_out: bool
    """The item appears at onset and is gone after the end."""


def plant(
    scenario: Scenario,
    task_kinds: Sequence[TaskKind],
    exposure: Exposure,
    starts: Sequence[int],
    random: Random,
) -> tuple[Planted, ...]:
    """Choose the incidents of a window whose jobs start at ``starts``, ascending.

    Raises SettingsError if a kind is unknown, or none of the kinds asked for finds an item that
    enough runs meet.
    """
    planted: list[Planted] = []
    for kinds in islice(_kinds_in_turn(scenario, random), scenario.planted):
        strength = random.uniform(0.5, 0.95)
        taken = frozenset(item for incident in planted for item in incident.all_of)
        kind, all_of, share = _target(
            kinds, scenario, exposure, random, taken=taken, strength=strength
        )
        onset_ns, until_ns = _interval(starts, share, random)
        planted.append(
            Planted(
                index=len(planted),
                kind=kind,
                all_of=all_of,
                effect=INCIDENT_KINDS[kind].effect,
                symptom=random.choice(INCIDENT_KINDS[kind].symptoms),
                root_module=INCIDENT_KINDS[kind].module or _own_module(all_of),
                code=random.choice(INCIDENT_KINDS[kind].codes),
                onset_ns=onset_ns,
                until_ns=until_ns,
                strength=_strengths(scenario, strength, task_kinds, random),
                factor=random.uniform(3.0, 8.0),
                rolled_out=_is_version(all_of[0]) and random.random() < 0.5,
            )
        )
    for rack in random.sample(RACKS, scenario.hidden):
        strength = random.uniform(0.5, 0.95)
        share = FAILURES_MIN * len(RACKS) / (scenario.traces * strength)
        onset_ns, until_ns = _interval(starts, min(share, DURATION_MAX), random)
        planted.append(
            Planted(
                index=len(planted),
                kind=HIDDEN,
                all_of=(("rack", rack),),
                effect="error",
                symptom="error",
                root_module=ROLE_MODULES["executor"],
                code="unavailable",
                onset_ns=onset_ns,
                until_ns=until_ns,
                strength=_strengths(scenario, strength, task_kinds, random),
                factor=1.0,
                rolled_out=False,
            )
        )
    return tuple(planted)


def _kinds_in_turn(scenario: Scenario, random: Random) -> Iterator[tuple[str, ...]]:
    """Yield, per incident, the kinds to try in this order."""
    known = tuple(INCIDENT_KINDS)
    unknown = sorted(set(scenario.kinds or ()) - set(known))
    if unknown:
        raise SettingsError(
            f"no incident kind is called {', '.join(unknown)}. Known: {', '.join(known)}"
        )
    if scenario.kinds:
        yield from ((kind,) for kind in cycle(scenario.kinds))
    while True:
        shuffled = random.sample(known, len(known))
        yield from (tuple(shuffled[at:] + shuffled[:at]) for at in range(len(known)))


def _target(
    kinds: Sequence[str],
    scenario: Scenario,
    exposure: Exposure,
    random: Random,
    *,
    taken: frozenset[Item],
    strength: float,
) -> tuple[str, tuple[Item, ...], float]:
    """Return the first possible kind, its items, and the share of jobs its time must hold."""
    wanted = FAILURES_MIN * max(1.0, scenario.traces / 5000) ** 0.5
    for kind in kinds:
        shares = {
            all_of: wanted / (scenario.traces * strength * INCIDENT_KINDS[kind].shows * share)
            for all_of, share in exposure.items()
            if _fits(INCIDENT_KINDS[kind], all_of) and share <= SHARE_MAX
            if taken.isdisjoint(all_of) and _is_joint(all_of, exposure)
        }
        possible = sorted(all_of for all_of, share in shares.items() if share <= DURATION_MAX)
        if possible:
            all_of = random.choice(possible)
            return kind, all_of, shares[all_of]
    raise SettingsError(
        f"{scenario.traces} traces are too few for {scenario.planted} incidents of the kinds "
        f"{', '.join(kinds)}: no item left is met often enough. Ask for more traces, fewer "
        "incidents or other kinds"
    )


def _fits(kind: IncidentKind, all_of: tuple[Item, ...]) -> bool:
    if tuple(item_kind for item_kind, _ in all_of) != kind.on:
        return False
    return not kind.among or all_of[0][1].startswith(kind.among)


def _is_joint(all_of: tuple[Item, ...], exposure: Exposure) -> bool:
    """Whether two items are met apart often enough that the pair differs from each (chosen)."""
    if len(all_of) == 1:
        return True
    return all(exposure[all_of] < 0.7 * exposure[(item,)] for item in all_of)


def _interval(starts: Sequence[int], share_min: float, random: Random) -> tuple[int, int]:
    """Return onset and end so that at least this share of the jobs starts in between."""
    share = max(share_min, random.uniform(0.12, 0.45))
    onset = random.uniform(0.05, 0.97 - share)
    last = len(starts) - 1
    return starts[int(onset * last)], starts[int((onset + share) * last)]


def _strengths(
    scenario: Scenario, strength: float, task_kinds: Sequence[TaskKind], random: Random
) -> dict[str, float]:
    """Draw the strength in each kind of task."""
    spread = scenario.strength_spread
    least = 0.25 if spread <= 0.3 else 0.05
    return {
        task.name: min(max(strength * random.lognormvariate(0.0, spread), least), 0.98)
        for task in task_kinds
    }


def _own_module(all_of: tuple[Item, ...]) -> str:
    names = dict(all_of)
    if "tool" in names:
        return names["tool"]
    roles = (role for role, agents in AGENTS.items() if names.get("agent") in agents)
    return next((ROLE_MODULES[role] for role in roles), "")


def _is_version(item: Item) -> bool:
    return item[0] in ("model_version", "prompt_version")
