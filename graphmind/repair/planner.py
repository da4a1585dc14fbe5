"""From a strategy to a plan: names put in, connectors asked, nothing changed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final

import orjson
from jsonschema import Draft202012Validator

from graphmind.errors import GraphmindError
from graphmind.repair import connector as port
from graphmind.repair.alternatives import Alternatives
from graphmind.repair.connector import Connector, ConnectorError
from graphmind.repair.impact import Intent
from graphmind.repair.model import Call, Impact, Plan, Step
from graphmind.repair.strategies.actions import LEVEL_OF, NOTHING_TO_UNDO
from graphmind.repair.strategies.strategy import Action, Strategy
from graphmind.repair.strategies.templates import (
    LISTS,
    NAMES,
    SEVERAL,
    Values,
    fill,
    names_in,
    values_of,
)

SHOWN_ALIKE: Final = 3
"""Steps of one action that ``render`` shows in full; of more the number is shown (chosen)."""
Connectors = Mapping[str, Connector]
Offer = tuple[bool, port.Action]
"""Whether a connector is live, and what it can do."""


class PlanRefused(GraphmindError):  # noqa: N818 - reads as the decision it reports
    """No plan can be made: a name has no value, or no connector does it."""


@dataclass(frozen=True, kw_only=True)
class Resolved(Intent):
    """A call with its connector, before the system is asked."""

    connector: str
    optional: bool


@dataclass(frozen=True, kw_only=True)
class Draft:
    """The calls of a strategy for an incident, in order."""

    calls: tuple[Resolved, ...]
    warnings: tuple[str, ...]


def draft(
    strategy: Strategy,
    incident: Mapping[str, Any],
    alternatives: Alternatives,
    connectors: Connectors,
) -> Draft:
    """Return the calls that a strategy means; asks no system. Raises PlanRefused."""
    values = {**values_of(incident, alternatives), "strategy": (strategy.key,)}
    calls: list[Resolved] = []
    warnings: list[str] = []
    for action in strategy.actions:
        try:
            filled = _filled(action, values, warnings)
            calls += [_resolved(call, action, connectors) for call in filled]
        except PlanRefused as refusal:
            if not action.optional:
                raise PlanRefused(f"{strategy.strategy_id}: {refusal}") from refusal
            warnings.append(f"left out: {refusal}")
    if not calls:
        raise PlanRefused(f"{strategy.strategy_id}: nothing is left to do: {'; '.join(warnings)}")
    return Draft(calls=tuple(calls), warnings=tuple(warnings))


def make_plan(
    strategy: Strategy,
    incident: Mapping[str, Any],
    alternatives: Alternatives,
    impact: Impact,
    connectors: Connectors,
    *,
    now_ms: int,
) -> Plan:
    """Read the present state of each target and return the steps against it; changes nothing.

    Raises PlanRefused, and ConnectorError where a system does not answer or does not know the
    target; a step that is optional is left out instead.
    """
    drafted = draft(strategy, incident, alternatives, connectors)
    steps: list[Step] = []
    warnings = list(drafted.warnings)
    for resolved in drafted.calls:
        try:
            steps.append(_step(len(steps) + 1, resolved, connectors[resolved.connector]))
        except ConnectorError as error:
            if not resolved.optional:
                raise
            warnings.append(f"left out: {error}")
    return Plan(
        steps=tuple(steps),
        impact=impact,
        made_ms=now_ms,
        expires_ms=now_ms + round(strategy.ttl_s * 1000),
        warnings=(*warnings, *_warnings(steps, impact, incident, connectors)),
    )


def render(plan: Plan, connectors: Connectors) -> str:
    """Say exactly what would happen, for people: what ``--dry-run`` prints."""
    lines = [f"plan {plan.plan_hash[:12]}: {len(plan.steps)} steps"]
    for (action, connector), alike in groupby(
        plan.steps, key=lambda step: (step.call.action, step.connector)
    ):
        steps = list(alike)
        shown = steps if len(steps) <= SHOWN_ALIKE + 1 else steps[:SHOWN_ALIKE]
        for step in shown:
            lines += _told(step, connectors)
        if rest := steps[len(shown) :]:
            targets = ", ".join(step.call.target for step in rest)
            lines.append(
                f"  {rest[0].number}-{rest[-1].number}. {action} by {connector}: {targets}"
            )
    lines += [f"  hits: {line}" for line in _hits(plan.impact)]
    lines += [f"  warning: {warning}" for warning in plan.warnings]
    lines.append(f"  holds for {(plan.expires_ms - plan.made_ms) / 1000:g} s")
    return "\n".join(lines)


def _filled(action: Action, values: Values, warnings: list[str]) -> list[Call]:
    """Put names in; a name with several values makes a call of each."""
    used = {name for name, _ in names_in([action.target, action.params])}
    for name, stands_in in names_in([action.target, action.params]):
        if name not in values and not stands_in:
            raise PlanRefused(
                f"{action.action} needs {{{name}}}, {NAMES[name]}, and this incident names none"
            )
    lists = {name: _capped(action, name, values[name], warnings) for name in used & {*LISTS}}
    used -= {*LISTS}
    several = sorted(name for name in used if len(values.get(name, ())) > 1)
    if len(several) > 1:
        both = " and ".join(f"{{{name}}}" for name in several)
        raise PlanRefused(f"{action.action} uses {both}, which both stand for several: use one")
    each = values[several[0]] if several else ("",)
    if several:
        each = _capped(action, several[0], each, warnings)
    single: dict[str, Any] = {name: list(found) for name, found in lists.items()}
    single |= {name: values[name][0] for name in used if name in values and name not in several}
    return [
        Call(
            action=action.action,
            target=fill(action.target, one),
            params=fill(action.params, one),
        )
        for value in each
        for one in [single | ({several[0]: value} if several else {})]
    ]


def _capped(
    action: Action, name: str, values: tuple[str, ...], warnings: list[str]
) -> tuple[str, ...]:
    most = (SEVERAL | LISTS)[name]
    if len(values) <= most:
        return values
    if name not in ("trace", "traces"):
        raise PlanRefused(
            f"{action.action} would act on {len(values)} of {{{name}}}, and at most {most} are "
            "repaired one by one: repair what they have in common"
        )
    warnings.append(f"{action.action}: the first {most} of {len(values)} traces")
    return values[:most]


def _resolved(call: Call, action: Action, connectors: Connectors) -> Resolved:
    name, offered = _connector_for(call, action.connector, connectors)
    checker = Draft202012Validator(dict(offered.params_schema))
    for error in sorted(checker.iter_errors(dict(call.params)), key=str):
        where = ".".join(map(str, error.absolute_path)) or "params"
        raise PlanRefused(f"{call.action} by {name}: {where}: {error.message}")
    if not call.target:
        raise PlanRefused(f"{call.action} by {name}: the target is empty")
    return Resolved(level=offered.level, call=call, connector=name, optional=action.optional)


def _connector_for(
    call: Call, wanted: str | None, connectors: Connectors
) -> tuple[str, port.Action]:
    """Return the connector that a step means: by name, by kind, else the one that offers it.

    Of several, the one that does it at the action's usual level (``disable``: an agent, not a
    region), and of those the only one that is live. What takes anything is told what none offers.
    """
    described = {name: connectors[name].describe() for name in sorted(connectors)}
    meant = {
        name: each
        for name, each in described.items()
        if wanted is None or wanted in (name, each.kind)
    }
    if wanted in described:
        meant = {wanted: described[wanted]}
    if not meant:
        known = ", ".join(f"{name} ({each.kind})" for name, each in described.items()) or "none"
        raise PlanRefused(f"{call.action} needs the connector {wanted}; configured: {known}")
    offers = _offers(call.action, meant) or _offers_of_any(call.action, meant)
    if not offers:
        looked = ", ".join(meant)
        raise PlanRefused(f"no connector offers {call.action}; looked at: {looked}")
    usual = {n: o for n, o in offers.items() if o[1].level == LEVEL_OF.get(call.action)} or offers
    live = {name: offer for name, offer in usual.items() if offer[0]}
    chosen = live if len(live) == 1 else usual
    if len(chosen) > 1:
        raise PlanRefused(
            f"{call.action} is offered by {', '.join(chosen)}: name one as `connector`"
        )
    name, (_, action) = next(iter(chosen.items()))
    return name, action


def _offers(action: str, meant: Mapping[str, port.Description]) -> dict[str, Offer]:
    return {
        name: (each.live, offered)
        for name, each in meant.items()
        for offered in each.actions
        if offered.name == action
    }


def _offers_of_any(action: str, meant: Mapping[str, port.Description]) -> dict[str, Offer]:
    """Return who takes anything, at the usual level of the action: approval goes by it."""
    return {
        name: (live, replace(offered, name=action, level=LEVEL_OF.get(action, offered.level)))
        for name, (live, offered) in _offers(port.ANY, meant).items()
    }


def _step(number: int, resolved: Resolved, connector: Connector) -> Step:
    try:
        planned = connector.plan(resolved.call)
    except ConnectorError as error:
        call = resolved.call
        raise ConnectorError(
            f"step {number}, {call.action} {call.target} by {resolved.connector}: {error}",
            retry_after_s=error.retry_after_s,
        ) from error
    return Step(
        number=number,
        level=resolved.level,
        connector=resolved.connector,
        call=resolved.call,
        before=planned.before,
        undo=planned.undo,
        summary=planned.summary,
        preconditions=planned.preconditions,
        undoes_with=planned.undoes_with,
        optional=resolved.optional,
    )


def _warnings(
    steps: Sequence[Step], impact: Impact, incident: Mapping[str, Any], connectors: Connectors
) -> Iterator[str]:
    for step in steps:
        if step.undo is None and step.call.action not in NOTHING_TO_UNDO:
            why = f": {step.undoes_with}" if step.undoes_with else ""
            yield f"step {step.number}, {step.call.action} {step.call.target}, has no inverse{why}"
    for name in sorted({step.connector for step in steps}):
        if not connectors[name].describe().live:
            yield f"connector {name} only plans: its live mode is switched off"
    if impact.context_lost:
        yield f"the context of running work is lost: {', '.join(impact.context_lost)}"
    if not impact.traces and incident["trace_ids"]:
        yield "no trace is known that this touches: what it hits is not known"


def _told(step: Step, connectors: Connectors) -> Iterator[str]:
    call = step.call
    address = connectors[step.connector].describe().address
    yield f"  {step.number}. [{step.level}] {step.summary}"
    yield f"     call: {call.action} {call.target} {_json(call.params)}"
    yield f"     by: {step.connector}, {address}"
    yield f"     before: {_json(step.before)}"
    if step.undo is not None:
        yield f"     undo: {step.undo.action} {step.undo.target} {_json(step.undo.params)}"
    else:
        nothing = "nothing to undo" if call.action in NOTHING_TO_UNDO else "no inverse"
        yield f"     undo: {nothing}{f': {step.undoes_with}' if step.undoes_with else ''}"
    if step.undo is not None and step.undoes_with:
        yield f"     but: {step.undoes_with}"
    for condition in step.preconditions:
        yield f"     only if: {condition}"


def _hits(impact: Impact) -> Iterator[str]:
    yield (
        f"{impact.traces} traces ({impact.share:.1%} of the traffic), {impact.unfinished} of them "
        f"under way, {impact.snapshots} with a snapshot"
    )
    for name, found in (
        ("tasks", impact.tasks),
        ("agents", impact.agents),
        ("regions", impact.regions),
    ):
        if found:
            yield f"{len(found)} {name}: {', '.join(found)}"
    if impact.hot_restart is not None:
        yield f"agents restart {'hot' if impact.hot_restart else 'cold'}"
    yield f"expected gain: {impact.expected_gain:g} failing traces an hour fewer"


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
