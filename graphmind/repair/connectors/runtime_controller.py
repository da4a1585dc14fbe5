"""The platform's own Runtime Controller over HTTP: actions on agents, models and traces.

Each agent or trace is acted on by a command of its own, whose id follows from the step's key: the
controller does what it knows only once. A command that failed did nothing; it is tried again under
the next id. The controller compares nothing: between our reading and its doing, others may act.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NoReturn, TypeVar

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
from graphmind.repair.connectors.calls import Calls, one_of
from graphmind.repair.connectors.config import HttpOptions, Section, Token
from graphmind.repair.connectors.json_api import Bearer, JsonApi, segment
from graphmind.repair.connectors.runtime_actions import (
    RESTORE,
    UNSKIP,
    WAYS,
    Agent,
    Read,
    Trace,
    Way,
    status_of,
    step_of,
    wanted_status,
)
from graphmind.repair.connectors.runtime_standing import (
    Command,
    Given,
    Standing,
    agents_in_words,
    enough,
    in_words,
    judged,
    of_many,
    surprise,
)
from graphmind.repair.model import Call, Json

TRIES_MAX: Final = 9
"""Commands given for one key, each after the last failed (chosen: the runner gives up before)."""
IN_WORK_S: Final = 1.0
"""When to ask again for a command that is in work (chosen)."""
AT_ONCE: Final = 8
"""Requests about many traces at a time (chosen: a controller has more to do)."""
_CLASS: Final = "class:"
_NOT_FOUND, _CONFLICT = 404, 409

Names = Mapping[str, Read]
T = TypeVar("T")


class RuntimeControllerOptions(HttpOptions):
    """What a section of kind ``runtime_controller`` holds."""

    timeout_s: float = Field(default=30.0, gt=0, le=300)
    """A restart answers when the agent works again."""
    token: Token = SecretStr("")
    within: Mapping[str, str] = Field(default_factory=dict)
    """Step by module, where telemetry names modules that run as a part of a step."""


class RuntimeController:
    """Speaks the port of a connector."""

    def __init__(self, section: Section) -> None:
        """Raise SettingsError for a section that does not fit."""
        self._options = section.read_as(RuntimeControllerOptions)
        token = self._options.token.get_secret_value()
        self._api = JsonApi(
            section, self._options, auth=Bearer(token) if token else None, secrets=[token]
        )
        self._calls = Calls(
            section,
            [
                Action(name=name, level=way.level, params_schema=way.params, undoable=way.exact)
                for name, way in WAYS.items()
            ],
        )

    def describe(self) -> Description:
        """Say what it is; asks nothing of the controller."""
        return self._calls.describe(self._options.url)

    def plan(self, call: Call) -> Planned:
        """Read the agents or traces that the call is about."""
        way = self._way(call)
        params = self._params(call)
        if way.about == "agent":
            agents = self._agents(call)
            before = {agent.name: way.reads(agent, params) for agent in agents}
            _wait_for_restarts(agents)
            summary, preconditions = agents_in_words(call, agents)
        elif way.about == "trace":
            before, summary = self._plan_traces(call, way)
            preconditions = ()
        else:
            self._api.get("v1/agents").read_as(list[Agent])  # nothing to read, but is it there?
            before, preconditions = {call.target: {}}, ()
            summary = in_words(call)
        return Planned(
            before=before,
            undo=self._inverse(call, before),
            summary=f"{summary} by {self._options.url}",
            preconditions=preconditions,
            undoes_with=way.leaves,
        )

    def apply(self, call: Call, *, before: Json, key: str) -> Applied:
        """Give a command for each agent or trace that is not yet as the call wants it."""
        self._calls.refuse_unless_live()
        way = self._way(call)
        standing = self._standing(call, way, _names(before), key)
        other = [one for one in standing if one.effect is Effect.OTHER]
        if other:
            raise StateChanged(
                f"{call.action} {other[0].name}: expected {_names(before).get(other[0].name)}, as "
                f"planned against, but it is {other[0].now}; plan anew"
            )
        left = [one for one in standing if one.effect is Effect.NOT_APPLIED]
        if not left:
            return Applied(detail="nothing to do: it is done already", facts={"done": "0"})
        return self._act(call, way, left, _names(before), key)

    def verify(self, call: Call, *, before: Json, key: str) -> Seen:
        """Ask for the commands, and read again what they were to change."""
        way = self._way(call)
        standing = self._standing(call, way, _names(before), key)
        state = {one.name: one.now for one in standing}
        for effect in (Effect.OTHER, Effect.NOT_APPLIED):
            found = [one for one in standing if one.effect is effect]
            if effect is Effect.NOT_APPLIED and enough(call, standing):
                break
            if found:
                return Seen(effect=effect, state=state, detail=surprise(found, standing))
        return Seen(effect=Effect.APPLIED, state=state)

    def undo(self, call: Call, *, before: Json, key: str) -> Applied:
        """Bring agents back to how they worked, or a step that was skipped to be done again."""
        self._calls.refuse_unless_live()
        self._way(call)
        old = _names(before)
        inverse = call if call.action in {RESTORE, UNSKIP} else self._inverse(call, old)
        if inverse is None:
            raise ConnectorError(
                f"{call.action} {call.target} has no inverse: {WAYS[call.action].leaves}"
            )
        if inverse.action == UNSKIP:
            skipped = {name: {"state": "skipped"} for name in old}
            return self.apply(inverse, before=skipped, key=key)
        made = inverse.params.get("made") or self._now(inverse)
        return self.apply(inverse, before=_named(made), key=key)

    def close(self) -> None:
        """Release connections."""
        self._api.close()

    def _way(self, call: Call) -> Way:
        self._calls.check(call)
        return WAYS[call.action]

    def _params(self, call: Call) -> dict[str, Any]:
        """Return the parameters, a module's name replaced by that of its step."""
        params = dict(call.params)
        if "step" in params:
            params["step"] = self._options.within.get(params["step"], params["step"])
        return params

    def _agents(self, call: Call) -> Sequence[Agent]:
        """Return the agents that the call is about."""
        listed = self._api.get("v1/agents").read_as(list[Agent])
        if call.action == RESTORE:
            wanted = set(call.params["agents"])
        elif call.target.startswith(_CLASS):
            kind = call.target.removeprefix(_CLASS)
            wanted = {agent.name for agent in listed if agent.kind == kind}
        else:
            wanted = {call.target}
        found = [agent for agent in listed if agent.name in wanted]
        if not found or len(found) < len(wanted):
            classes = (f"{_CLASS}{agent.kind}" for agent in listed)
            raise ConnectorError(
                f"{self._api.where}: no agent {call.target!r}. "
                f"Known: {one_of({*classes, *(agent.name for agent in listed)}, at_most=40)}"
            )
        return sorted(found, key=lambda agent: agent.name)

    def _trace(self, trace_id: str) -> Trace | None:
        reply = self._api.get(f"v1/traces/{segment(trace_id)}", tolerated=[_NOT_FOUND])
        return None if reply.status == _NOT_FOUND else reply.read_as(Trace)

    def _plan_traces(self, call: Call, way: Way) -> tuple[dict[str, Read], str]:
        many: Sequence[str] = call.params.get("traces", ())
        read = self._read_traces(call, way, many or [call.target])
        before = {name: seen for name, seen in read.items() if seen is not None}
        if not before:
            raise ConnectorError(
                f"{self._api.where}: knows no trace {call.target!r}; it keeps them for a while "
                "only. Known are those that GET v1/traces/ID answers"
            )
        summary = in_words(call)
        if many:
            summary += f", {len(before)} traces"
        if len(before) < len(many):
            summary += f" ({len(many) - len(before)} more are not on record any more)"
        return before, summary

    def _read_traces(self, call: Call, way: Way, names: Iterable[str]) -> dict[str, Read | None]:
        """Read traces; None for one that is not on record, or lacks the step of many."""
        params = self._params(call)

        def read(name: str) -> Read | None:
            trace = self._trace(name)
            step = params.get("step")
            if trace is not None and step is not None and step_of(trace, step) is None:
                if "traces" in params:
                    return None
                known = one_of(one.step for one in trace.steps)
                raise ConnectorError(f"{call.action} {name}: no step {step!r}. Known: {known}")
            return None if trace is None else way.reads(trace, params)

        return _each(names, read)

    def _now(self, call: Call) -> dict[str, Read]:
        return {agent.name: status_of(agent) for agent in self._agents(call)}

    def _standing(self, call: Call, way: Way, before: Names, key: str) -> list[Standing]:
        """Say of each agent or trace how far it is."""
        now = self._read_again(call, way, before)
        if way.about == "agent":
            commands = dict.fromkeys(now, self._given(_id(key, call.target)))
        else:
            commands = _each(now, lambda name: self._given(_id(key, name)))
        found = [
            judged(
                name,
                way,
                params=call.params,
                before=before.get(name),
                now=now[name],
                given=commands[name],
            )
            for name in now
        ]
        return of_many(found) if "traces" in call.params else found

    def _read_again(self, call: Call, way: Way, before: Names) -> dict[str, Read | None]:
        if way.about == "agent":
            params = self._params(call)
            listed = self._agents(call)
            _wait_for_restarts(listed)
            agents = {agent.name: way.reads(agent, params) for agent in listed}
            return {name: agents.get(name) for name in sorted({*agents, *before})}
        return {call.target: {}} if way.about == "none" else self._read_traces(call, way, before)

    def _given(self, first_id: str) -> Given:
        """Return the last command that was given, and under which id the next would be."""
        last = None
        for command_id in _ids(first_id):
            reply = self._api.get(f"v1/commands/{segment(command_id)}", tolerated=[_NOT_FOUND])
            if reply.status == _NOT_FOUND:
                return Given(last=last, next_id=command_id)
            last = reply.read_as(Command)
            if last.state == "running":
                raise OutcomeUnknown(f"{command_id} is in work", retry_after_s=IN_WORK_S)
            if last.state == "done":
                return Given(last=last, next_id=command_id)
        raise ConnectorError(f"{first_id} failed {TRIES_MAX} times; see the controller's log")

    def _act(
        self, call: Call, way: Way, left: Sequence[Standing], before: Names, key: str
    ) -> Applied:
        """Give the commands: agents all in one; of traces one refused does not stop the others."""
        lies = [one for one in left if one.command and one.command.state == "done"]
        if lies and (len(lies) == len(left) or "traces" not in call.params):
            raise ConnectorError(
                f"the controller says {call.action} {lies[0].name} is done, but it is "
                f"{lies[0].now} as before; see its log, or plan anew"
            )
        left = [one for one in left if one not in lies]
        if way.about == "agent":
            names = [one.name for one in left]
            came = self._give(call, names, left[0].next_id)
            if came.state != "done":
                self._take_back(call, way, before, key, came.detail)
            return Applied(detail=came.detail or "done", facts={"done": str(len(names))})
        ids = {one.name: one.next_id for one in left}
        return _of_traces(call, _each(ids, lambda name: self._give(call, [name], ids[name])))

    def _give(self, call: Call, names: Sequence[str], command_id: str) -> Command:
        """Give a command for some agents or a trace."""
        document = {
            "command_id": command_id,
            "task": None,
            "trace_id": names[0] if WAYS[call.action].about == "trace" else None,
            "actions": [self._commanded(call, name) for name in names],
        }
        reply = self._api.change("POST", "v1/commands", document, tolerated=[_CONFLICT])
        if reply.status == _CONFLICT:
            raise OutcomeUnknown(f"{command_id} is in work", retry_after_s=IN_WORK_S)
        return reply.read_as(Command)

    def _commanded(self, call: Call, name: str) -> dict[str, Any]:
        params = self._params(call)
        if WAYS[call.action].about == "trace":
            params.pop("traces", None)  # each has a command of its own
        if call.action != RESTORE:
            return {"action": call.action, "target": name, "params": params}
        wanted = params["agents"][name]
        verb = {"degraded": "degrade", "disabled": "disable"}.get(wanted["status"], "enable")
        given = {"to": wanted["to"]} if verb == "degrade" else {}
        return {"action": verb, "target": name, "params": given}

    def _take_back(self, call: Call, way: Way, before: Names, key: str, why: str) -> NoReturn:
        """Bring back the agents that were changed before one of them was refused, and say so."""
        refused = f"the controller refuses {call.action} {call.target}: {why}"
        now = self._read_again(call, way, before)
        done = [name for name, seen in now.items() if seen and not way.same(before[name], seen)]
        if not done:
            raise ConnectorError(refused)
        names = ", ".join(done)
        if not way.exact:
            raise OutcomeUnknown(f"{refused}; before that it was done for {names}")
        back = self._inverse(call, {name: before[name] for name in done})
        assert back, "what is exact has an inverse"
        given = self._given(f"{_id(key, call.target)}.back")
        if self._give(back, done, given.next_id).state != "done":
            raise OutcomeUnknown(f"{refused}; it could not be taken back for {names}")
        raise ConnectorError(f"{refused}; taken back for {names}")

    def _inverse(self, call: Call, before: Names) -> Call | None:
        """Return what undoes a call, None where nothing does."""
        if call.action == "skip_step":
            return Call(action=UNSKIP, target=call.target, params=call.params)
        if WAYS[call.action].about != "agent":
            return None
        agents = {
            name: {"status": seen["status"], "to": seen["to"]} for name, seen in before.items()
        }
        params: dict[str, Any] = {"agents": agents}
        if call.action == RESTORE:
            params["made"] = call.params["agents"]
        elif call.action != "restart":
            params["made"] = dict.fromkeys(agents, wanted_status(call.action, call.params))
        return Call(action=RESTORE, target=call.target, params=params)


def open_connector(section: Section) -> RuntimeController:
    """Open a Runtime Controller; nothing is asked of it yet."""
    return RuntimeController(section)


def _wait_for_restarts(agents: Sequence[Agent]) -> None:
    """Raise OutcomeUnknown while one restarts: it may be by our own command."""
    for agent in agents:
        if agent.status == "restarting":
            raise OutcomeUnknown(
                f"{agent.name} is restarting: ask again when it is up", retry_after_s=IN_WORK_S
            )


def _id(key: str, name: str) -> str:
    return f"{key}:{name}"


def _ids(first_id: str) -> list[str]:
    return [first_id, *(f"{first_id}.{number}" for number in range(2, TRIES_MAX + 1))]


def _each(names: Iterable[str], ask: Callable[[str], T]) -> dict[str, T]:
    """Ask for each name, some at a time; all are asked, though one raises."""
    listed = list(names)
    if len(listed) < 2:
        return {name: ask(name) for name in listed}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(listed, pool.map(ask, listed), strict=True))


def _of_traces(call: Call, came_of: Mapping[str, Command]) -> Applied:
    """Return what came of a command for each trace. Raises ConnectorError if all were refused."""
    refused = {name: came for name, came in came_of.items() if came.state != "done"}
    if len(refused) == len(came_of):
        name, came = next(iter(refused.items()))
        raise ConnectorError(f"the controller refuses {call.action} {name}: {came.detail}")
    facts = {"done": str(len(came_of) - len(refused)), "refused": str(len(refused))}
    details = [came.detail for came in (*refused.values(), *came_of.values()) if came.detail]
    return Applied(detail="; ".join([*dict.fromkeys(details)][:3]) or "done", facts=facts)


def _names(before: Json) -> Names:
    """Check that what was planned against is what ``plan`` gave."""
    if not before or not all(isinstance(seen, Mapping) for seen in before.values()):
        raise StateChanged("expected the state as `plan` gave it, by name; plan anew")
    return before


def _named(states: Names) -> dict[str, Read]:
    """Return states as ``restore_agents`` reads them."""
    return {name: {"name": name, **seen} for name, seen in states.items()}
