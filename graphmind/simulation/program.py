"""What the platform does with a task: the modules of the reference platform (S01), as a program.

Each module is a function that moves a run's clock and opens spans. A function that reads or writes
the shared store is a generator: it yields the moment of each access, so that the accesses of
concurrent runs take place in the order of time.
"""

from collections.abc import Iterator
from typing import Final

from graphmind.simulation.incidents import ROLE_MODULES, Planted
from graphmind.simulation.platform import TOOLS
from graphmind.simulation.run import MS, AttributeValue, Failed, Hung, Process, Run, Value
from graphmind.telemetry.spans import KIND_CLIENT, KIND_SERVER, STATUS_OK

Steps = Iterator[int]
"""Moments (ns) at which a run touches the shared store."""

REDIS_SCOPE: Final = "opentelemetry.instrumentation.redis"
FALLBACK: Final = 0.5
"""Share of failed model calls that are repeated with another model (chosen)."""
MODEL_PACE: Final = {"atlas-large": 1.3, "atlas-mini": 0.5, "sable-reason": 1.6}
DELIVERY_ATTEMPTS: Final = 4
REPORTER: Final = "incident-reporter"
FALLBACK_TOOL: Final = "cached_answer"
NEW_KEY: Final = "flags:release-7"
"""A key that a harmless deploy begins to read."""


def serve_task(run: Run) -> Steps:
    """Run one task to its end, good or bad."""
    job = run.job
    router = job.task.router.draw(run.random)
    attributes: dict[str, AttributeValue] = {
        "gen_ai.agent.name": router,
        "gen_ai.operation.name": "invoke_workflow",
        "gen_ai.workflow.name": job.task.name,
        "gen_ai.conversation.id": f"conversation-{job.job_id}",
        "graphmind.task.id": job.job_id,
        "relay.tenant": job.tenant,
    }
    if job.attempt:
        attributes["graphmind.retry.count"] = job.attempt
    gateway = run.process("gateway")
    try:
        with run.span("AgentRouter", gateway, attributes, kind=KIND_SERVER) as root:
            root.links = job.follows
            run.work("AgentRouter", gateway)
            yield from _route(run, router, gateway)
            root.status = STATUS_OK
    except Failed as failure:
        run.failed = True
        if failure.fault:
            run.struck.add(failure.fault.index)
    except Hung:
        run.failed = True
    run.conclude()
    yield run.now


def _route(run: Run, router: str, gateway: Process) -> Steps:
    """Prepare, execute, remember, answer; after a failure, clear up first."""
    try:
        dispatch = _engage(run, router)
        yield from _preprocess(run)
        if dispatch is not None:
            run.struck.add(dispatch.index)
            finished = _dispatch_again(run)
            yield from _execute(run, remembers=True)
            run.now = max(run.now, finished)
        else:
            yield from _execute_with_patience(run)
        yield from _remember(run)
        _validate(run)
        _answer(run)
    except Failed:
        yield from _clear_up(run, gateway)
        raise


def _engage(run: Run, agent: str) -> Planted | None:
    """Let an agent take over; it may fail of its own accord."""
    fault = run.face(("agent", agent))
    # A twentieth of the base rate, for each of the six or so agents of a run (chosen).
    if run.random.random() < run.world.base_rate * run.world.platform.frailty[agent] / 20:
        raise Failed("AssertionError", None)
    return fault


def _agent_attributes(run: Run, agent: str) -> dict[str, AttributeValue]:
    return {
        "gen_ai.agent.name": agent,
        "gen_ai.operation.name": "invoke_agent",
        "graphmind.task.id": run.job.job_id,
    }


def _preprocess(run: Run) -> Steps:
    agent = run.job.task.preprocessor.draw(run.random)
    process = run.process("gateway")
    with run.span(ROLE_MODULES["preprocessor"], process, _agent_attributes(run, agent)):
        _engage(run, agent)
        run.work("TaskPreprocessor", process)
        if run.random.random() < 0.6:
            yield from _read(run, process, f"profile:{run.job.tenant}")
        if run.random.random() < 0.3:
            yield from _read(run, process, f"limits:{run.job.tenant}")
        if run.now >= run.world.deployed_ns:
            yield from _read(run, process, NEW_KEY)
        if run.random.random() < 0.8:
            _vectorize(run)
        yield from _write(run, process, f"session:{run.job.job_id}", agent)


def _vectorize(run: Run) -> None:
    agent = run.job.task.vectorizer.draw(run.random)
    process = run.process("vector-store")
    attributes = _agent_attributes(run, agent) | {"gen_ai.request.model": "granite-embed"}
    with run.span(ROLE_MODULES["vectorizer"], process, attributes):
        _engage(run, agent)
        run.work("Vectorizer", process)


def _execute_with_patience(run: Run) -> Steps:
    """Execute; sometimes a router hands a failed execution to another executor."""
    try:
        yield from _execute(run, remembers=True)
    except Failed:
        if run.random.random() > 0.1:
            raise
        yield from _execute(run, remembers=True)


def _dispatch_again(run: Run) -> int:
    """Run a second branch beside the one to come, without its context; return when it ends."""
    began = run.now
    run.now += int(run.random.uniform(1.0, 40.0) * MS)
    try:
        for _ in _execute(run, remembers=False):
            pass
    except Failed:
        pass
    finished, run.now = run.now, began
    return finished


def _execute(run: Run, *, remembers: bool) -> Steps:
    """Plan with a model, use tools, hand over a part, conclude with a model."""
    task = run.job.task
    agent = task.executor.draw(run.random)
    process = run.process("agent-runtime")
    with run.span(ROLE_MODULES["executor"], process, _agent_attributes(run, agent)):
        _engage(run, agent)
        run.face(("rack", run.rack))
        run.work("ModelExecutor", process)
        if remembers:
            yield from _read(run, process, f"session:{run.job.job_id}")
            yield from _read(run, process, task.keys.draw(run.random))
        _ask_model(run, process)
        calls = int(run.random.expovariate(1.0 / task.tool_calls) + 0.5)
        for _ in range(min(calls, 6)):
            _use_tool(run, agent)
        if run.random.random() < task.handoff:
            _hand_over(run, agent)
        if remembers and run.random.random() < 0.4:
            yield from _read(run, process, task.keys.draw(run.random))
        if run.random.random() < 0.5:
            _ask_model(run, process)


def _hand_over(run: Run, giver: str) -> None:
    taker = run.job.task.specialist.draw(run.random)
    process = run.process("agent-runtime")
    attributes = _agent_attributes(run, taker) | {
        "gen_ai.handoff.from_agent": giver,
        "gen_ai.handoff.to_agent": taker,
    }
    with run.span(ROLE_MODULES["specialist"], process, attributes):
        _engage(run, taker)
        run.work("SpecialistStep", process)
        if run.random.random() < 0.5:
            _use_tool(run, taker)
        _ask_model(run, process)


def _ask_model(run: Run, process: Process) -> None:
    """Call a model with a prompt; after a failure, often another model instead."""
    task = run.job.task
    prompt = task.prompts.draw(run.random)
    versions = run.world.platform.prompt_versions[prompt]
    version = run.served("prompt_version", versions.names, versions.draw(run.random))
    family = task.models.draw(run.random)
    attributes: dict[str, AttributeValue] = {
        "gen_ai.prompt.name": prompt,
        "gen_ai.prompt.version": version.partition("@")[2],
        "gen_ai.request.model": family,
    }
    with run.span("LLMAdapter", process, attributes):
        run.face(("prompt_version", version))
        run.work("LLMAdapter", process)
        try:
            _infer(run, family)
        except Failed:
            if run.random.random() > FALLBACK:
                raise
            others = [name for name in task.models.names if name != family]
            _infer(run, run.random.choice(others), fallback=True)


def _infer(run: Run, family: str, *, fallback: bool = False) -> None:
    """Answer with the build of the family that is served, now and then in another region."""
    region = run.job.region
    if run.random.random() < 0.08:
        region = run.random.choice(run.world.platform.regions)
    process = run.process("inference", region)
    builds = run.world.platform.model_versions[family]
    build = run.served("model_version", builds.names, builds.draw(run.random))
    attributes: dict[str, AttributeValue] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": family.partition("-")[0],
        "gen_ai.request.model": family,
        "gen_ai.response.model": build,
        "server.address": inference_address(region),
    }
    # Not every adapter says that it fell back; then only the second call shows it.
    if fallback and run.random.random() < 0.5:
        attributes["graphmind.fallback"] = True
    with run.span("InferenceRPC", process, attributes, kind=KIND_CLIENT) as span:
        run.face(("model_version", build))
        run.face(("model_version", build), ("region", region))
        run.work("InferenceRPC", process, factor=MODEL_PACE.get(family, 1.0))
        span.attributes["gen_ai.usage.input_tokens"] = run.random.randint(200, 6_000)
        span.attributes["gen_ai.usage.output_tokens"] = run.random.randint(20, 900)


def inference_address(region: str) -> str:
    """Return where the models of a region answer."""
    return f"inference.{region}.relay.internal"


def _use_tool(run: Run, agent: str) -> None:
    """Call a tool; an agent that gets nowhere calls it again with the same arguments."""
    tool = run.job.task.tools.draw(run.random)
    arguments = f'{{"query":"{run.random.getrandbits(32):08x}"}}'
    repeats = 1 + (run.random.random() < 0.05)
    try:
        fault = _call_tool(run, agent, tool, arguments)
    except Failed:
        if not run.world.effects or run.random.random() > FALLBACK:
            raise
        _call_fallback_tool(run)
        return
    if fault is not None:
        run.struck.add(fault.index)
        repeats = run.random.randint(6, 16)
    for _ in range(repeats - 1):
        _call_tool(run, agent, tool, arguments)


def _call_tool(run: Run, agent: str, tool: str, arguments: str) -> Planted | None:
    process = run.process("tool-server")
    attributes: dict[str, AttributeValue] = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": tool,
        "gen_ai.tool.call.id": f"call_{run.random.getrandbits(48):012x}",
        "gen_ai.tool.call.arguments": arguments,
    }
    with run.span(f"execute_tool {tool}", process, attributes) as span:
        try:
            fault = run.face(("tool", tool))
            run.face(("agent", agent), ("tool", tool))
            run.work("tool", process, factor=0.4 + 0.1 * TOOLS.index(tool))
        except Failed:
            if run.world.effects:
                span.raised_ns = run.now
                _diagnose(run, process)
            raise
    return fault


def _diagnose(run: Run, process: Process) -> None:
    """Collect what a failed call left behind, before it returns."""
    with run.span("CollectDiagnostics", process, _agent_attributes(run, REPORTER)):
        run.work("ErrorHandler", process)


def _call_fallback_tool(run: Run) -> None:
    """Use a poorer tool in place of one that failed; every other time it has no answer either."""
    process = run.process("tool-server")
    attributes: dict[str, AttributeValue] = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": FALLBACK_TOOL,
    }
    with run.span(f"execute_tool {FALLBACK_TOOL}", process, attributes):
        run.work("tool", process)
        if run.random.random() < 0.5:
            raise Failed("no_answer", None)


def _remember(run: Run) -> Steps:
    """Let a keeper write what was learnt to keys that other tasks read."""
    task = run.job.task
    if run.random.random() < 0.4:
        return
    agent = task.keeper.draw(run.random)
    process = run.process("agent-runtime")
    with run.span(ROLE_MODULES["keeper"], process, _agent_attributes(run, agent)):
        _engage(run, agent)
        run.work("MemoryWriter", process)
        if run.random.random() < 0.6:
            yield from _write(run, process, task.keys.draw(run.random), agent)
        if run.random.random() < 0.5:
            topic = run.random.choice(("profile", "profile", "limits"))
            yield from _write(run, process, f"{topic}:{run.job.tenant}", agent)


def _validate(run: Run) -> None:
    """Score nine results in ten."""
    if run.random.random() < 0.1:
        return
    score = run.random.gauss(run.job.task.quality, 0.035)
    if run.random.random() < 0.005:  # wrong of its own accord
        score -= run.random.uniform(0.2, 0.5)
    if run.spoiled:
        score -= run.random.uniform(0.25, 0.6)
        run.struck.add(run.spoiled.index)
    process = run.process("agent-runtime")
    attributes: dict[str, AttributeValue] = {
        "gen_ai.evaluation.name": "answer_quality",
        "gen_ai.evaluation.score.value": round(min(max(score, 0.0), 1.0), 3),
    }
    with run.span("ResultValidator", process, attributes):
        run.work("ResultValidator", process)


def _answer(run: Run) -> None:
    """Deliver the result to the customer's webhook, again and again if need be."""
    agent = run.job.task.sender.draw(run.random)
    process = run.process("callback")
    endpoint = run.world.platform.endpoints[run.job.tenant].draw(run.random)
    with run.span(ROLE_MODULES["sender"], process, _agent_attributes(run, agent)):
        _engage(run, agent)
        run.work("CallbackSender", process)
        for attempt in range(DELIVERY_ATTEMPTS):
            try:
                _deliver(run, process, endpoint, attempt)
            except Failed:
                if attempt + 1 == DELIVERY_ATTEMPTS:
                    raise
                run.now += int(200 * 2**attempt * run.random.uniform(0.8, 1.2)) * MS
            else:
                return


def _deliver(run: Run, process: Process, endpoint: str, attempt: int) -> None:
    attributes: dict[str, AttributeValue] = {
        "http.request.method": "POST",
        "url.full": f"https://{endpoint}?job={run.job.job_id}",
    }
    if attempt:
        attributes["http.request.resend_count"] = attempt
    with run.span("WebhookDeliver", process, attributes, kind=KIND_CLIENT) as span:
        fault = run.face(("endpoint", endpoint))
        run.work("WebhookDeliver", process)
        if fault is not None:
            raise Failed(fault.code, fault)
        if run.random.random() < 0.015:  # the customer's server has a moment
            raise Failed("503", None)
        span.attributes["http.response.status_code"] = 200


def _clear_up(run: Run, gateway: Process) -> Steps:
    """Note most failures for later; what is touched here is an effect, not a cause."""
    if run.random.random() > 0.7:
        return
    agent = REPORTER
    domain = run.job.task.name.partition(".")[0]
    with run.span("ErrorHandler", gateway, _agent_attributes(run, agent)):
        run.work("ErrorHandler", gateway)
        yield from _write(run, gateway, f"dead-letter:{domain}", agent)
        if run.random.random() < 0.3:
            yield from _read(run, gateway, f"policy:{domain}")


def _store_attributes(process: Process, command: str, key: str) -> dict[str, AttributeValue]:
    return {
        "db.system.name": "redis",
        "db.operation.name": command,
        "graphmind.kv.key": key,
        "server.address": f"redis.{process.region}.relay.internal",
        "server.port": 6379,
    }


def _read(run: Run, process: Process, key: str) -> Steps:
    """Read what was last written to a key; a spoiled value does harm nine times in ten (chosen)."""
    attributes = _store_attributes(process, "GET", key)
    yield run.now
    value = run.world.store.get(key)
    with run.span("GET", process, attributes, kind=KIND_CLIENT, scope=REDIS_SCOPE):
        run.meet(("kv_key", key))
        run.work("GET", process)
    if value is None:
        return
    run.meet(("written_by_agent", value.agent))
    if value.poison is None or run.random.random() > 0.9:
        return
    if value.poison.symptom == "wrong":
        run.spoiled = value.poison
        return
    run.now += MS
    raise Failed(value.poison.code, value.poison)


def _write(run: Run, process: Process, key: str, agent: str) -> Steps:
    """Write a key; the value is there when the span ends."""
    attributes = _store_attributes(process, "SET", key)
    with run.span("SET", process, attributes, kind=KIND_CLIENT, scope=REDIS_SCOPE):
        run.work("SET", process)
        yield run.now
        poison = run.strike(("kv_key", key)) or run.strike(("written_by_agent", agent))
        run.world.store[key] = Value(agent, poison)
