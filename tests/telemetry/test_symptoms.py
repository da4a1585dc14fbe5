"""Every symptom: what shows it, and what looks like it and is healthy (S02)."""

import pytest

from graphmind.settings import Settings
from tests.builders import STATUS_OK, Row, at, copies, facts, in_trace, span

MODEL = {"gen_ai.request.model": "planner", "gen_ai.response.model": "planner-v1"}


def run(*, infer_ms: float = 60, **changes: dict) -> list[Row]:
    """One run of a task: a router, an executor, its model call, a delivery."""
    end = 20 + infer_ms
    rows = [
        span("router", 0, end + 40),
        span("executor", 10, end + 10, parent="router"),
        span("infer", 20, end, parent="executor", attributes=MODEL),
        span("deliver", end + 15, end + 30, parent="router"),
    ]
    return [row | changes.get(row["span_id"], {}) for row in rows]


FAILED = {"status": 2}
CROWD = copies(30, run())


def shown(*traces: list[Row], crowd: list[Row] = CROWD, **settings) -> dict[str, str]:
    """Symptom -> span, of the traces given among a healthy crowd."""
    rows = [row for trace in traces for row in trace]
    found = facts(crowd + rows, Settings(**settings)).symptoms.to_pylist()
    assert not [row for row in found if row["trace_id"].startswith("healthy")]
    return {row["kind"]: row["span_id"] for row in found}


def outcome(rows: list[Row], crowd: list[Row] = CROWD) -> str:
    return str(facts(crowd + rows).traces.to_pylist()[-1]["outcome"])


def test_a_healthy_trace_shows_nothing():
    assert shown(in_trace("t", run(), later_ms=5)) == {}


# ------------------------------------------------------------------------------------- error


def test_an_error_is_shown_where_it_started():
    trace = run(router=FAILED, executor=FAILED, infer=FAILED)

    assert shown(trace) == {"error": "infer"}


def test_an_error_began_when_the_span_that_failed_ended():
    symptom = facts(CROWD + run(router=FAILED, infer=FAILED)).symptoms.to_pylist()[0]

    assert (symptom["began_ns"], symptom["channel"], symptom["code"]) == (at(80), "error", "_OTHER")


def test_of_several_errors_the_first_to_end_is_where():
    rows = [*run(router=FAILED, infer=FAILED), span("other", 15, 30, parent="router", failed=True)]

    assert shown(rows) == {"error": "other"}


def test_an_error_under_a_span_that_says_it_went_well_was_handled():
    assert shown(run(executor={"status": STATUS_OK}, infer=FAILED)) == {}


def again(span_id: str, start: float, end: float, **fields) -> Row:
    return span(span_id, start, end, parent="executor", **fields)


def test_an_error_whose_retry_succeeded_was_handled():
    retry = again("infer2", 82, 88, name="infer", attributes=MODEL)

    assert shown([*run(infer=FAILED), retry]) == {}


def test_an_error_whose_retry_failed_too_was_not():
    retry = again("infer2", 82, 88, name="infer", attributes=MODEL, failed=True)

    assert shown([*run(router=FAILED, infer=FAILED), retry]) == {"error": "infer"}


def test_a_success_before_the_error_does_not_handle_it():
    before = again("infer0", 11, 15, name="infer", attributes=MODEL)

    assert shown([*run(router=FAILED, infer=FAILED), before]) == {"error": "infer"}


def test_an_error_whose_fallback_to_another_model_succeeded_was_handled():
    fallback = again("rules", 82, 88, attributes={"gen_ai.request.model": "rules"})

    assert shown([*run(infer=FAILED), fallback]) == {}


def test_errors_below_a_root_that_went_well_were_handled_where_roots_do_speak():
    speaking = in_trace("speaks", run(router=FAILED, infer=FAILED))
    survived = in_trace("survives", run(deliver=FAILED))

    found = facts(CROWD + speaking + survived).symptoms.to_pylist()

    assert [row["trace_id"] for row in found] == ["speaks"]


def test_errors_below_the_root_count_where_no_root_ever_speaks():
    assert shown(run(deliver=FAILED)) == {"error": "deliver"}


# -------------------------------------------------------------------------------------- hang


def test_a_model_call_over_the_limit_that_nothing_follows_hangs():
    hung = run(infer_ms=30_000)[:3]

    assert shown(hung) == {"hang": "infer"}


def test_a_hang_began_when_the_limit_was_passed():
    symptom = facts(CROWD + run(infer_ms=30_000)[:3]).symptoms.to_pylist()[0]

    assert (symptom["began_ns"], symptom["channel"]) == (at(20 + 10_000), "latency")


def test_a_call_that_has_not_ended_hangs_once_the_limit_has_passed():
    waiting = run(router={"end_ns": None}, executor={"end_ns": None}, infer={"end_ns": None})[:3]
    later = in_trace("healthy-later", run(), later_ms=30_000)

    assert shown(waiting, crowd=CROWD + later) == {"hang": "infer"}


def test_a_call_that_has_just_begun_does_not_hang():
    waiting = run(router={"end_ns": None}, executor={"end_ns": None}, infer={"end_ns": None})[:3]

    assert "hang" not in shown(waiting)


def test_a_slow_model_call_that_is_followed_by_its_delivery_does_not_hang():
    assert "hang" not in shown(run(infer_ms=30_000))


def test_a_long_span_without_a_model_does_not_hang():
    rows = [span("router", 0, 30_000), span("backup", 5, 29_000, parent="router")]

    assert "hang" not in shown(rows)


def test_a_call_far_beyond_what_its_model_usually_takes_hangs_all_the_same():
    crowd = copies(30, run(infer_ms=30_000)[:3])

    assert shown(run(infer_ms=300_000)[:3], crowd=crowd)["hang"] == "infer"


def test_calls_that_all_time_out_are_not_what_the_model_usually_takes():
    timeouts = copies(30, run(infer_ms=30_000, router=FAILED, infer=FAILED)[:3], prefix="late")

    assert shown(timeouts, crowd=[])["hang"] == "infer"


def test_a_model_that_usually_takes_longer_than_the_limit_does_not_hang():
    crowd = copies(30, run(infer_ms=30_000)[:3])

    assert shown(run(infer_ms=31_000)[:3], crowd=crowd) == {}


def test_the_limit_is_a_setting():
    assert "hang" not in shown(run(infer_ms=30_000)[:3], hang_after_s=60.0)


def test_a_trace_whose_root_never_came_hangs_where_it_was_cut():
    cut = run()[1:2]
    later = in_trace("healthy-later", run(), later_ms=30_000)

    assert shown(cut, crowd=CROWD + later) == {"hang": "executor"}


def test_a_trace_whose_root_has_yet_to_come_is_only_incomplete():
    assert shown(run()[1:2]) == {"missing": "executor"}


# -------------------------------------------------------------------- slow, too short, missing


def test_a_trace_is_slow_against_what_its_steps_usually_take():
    assert shown(run(infer_ms=600)) == {"slow": "infer"}


def test_a_slow_trace_began_to_be_slow_when_the_usual_time_had_passed():
    symptom = facts(CROWD + run(infer_ms=600)).symptoms.to_pylist()[0]

    assert (symptom["began_ns"], symptom["channel"]) == (at(20 + 60), "latency")


def test_a_trace_that_takes_a_tenth_longer_is_not_slow():
    assert shown(run(infer_ms=66)) == {}


def test_too_few_traces_make_no_baseline():
    assert shown(run(infer_ms=600), crowd=copies(10, run())) == {}


def test_a_trace_with_more_of_the_usual_steps_is_not_slow():
    more = [
        *run(infer_ms=60)[:3],
        span("again", 85, 145, parent="router", name="infer", attributes=MODEL),
        span("deliver", 150, 165, parent="router"),
    ]
    more[0]["end_ns"] = at(175)

    assert "slow" not in shown(more)


def test_a_trace_that_ended_well_but_early_is_too_short():
    early = [span("router", 0, 25), span("executor", 10, 15, parent="router")]

    assert shown(early) == {"short": "executor"}


def test_a_quick_trace_with_all_its_steps_is_not_too_short():
    assert shown(run(infer_ms=5)) == {}


def test_a_trace_with_gaps_misses_spans_and_has_not_failed():
    gap = [row for row in run() if row["span_id"] != "executor"]

    assert shown(gap) == {"missing": "router"}
    assert outcome(gap) == "incomplete"


# ------------------------------------------------------------------------------ storm and loops


def deliveries(*failed: bool) -> list[Row]:
    rows = run()
    return rows[:3] + [
        span(
            f"try{n}",
            90 + 2 * n,
            91 + 2 * n,
            parent="router",
            name="deliver",
            failed=failure,
        )
        for n, failure in enumerate(failed)
    ]


def test_three_failed_deliveries_are_a_storm():
    assert shown(deliveries(True, True, True)) == {"error": "try0", "storm": "try0"}


def test_two_failed_deliveries_are_none():
    assert "storm" not in shown(deliveries(True, True))


def test_three_failed_deliveries_and_one_that_succeeds_are_none():
    assert shown(deliveries(True, True, True, False)) == {}


def test_a_delivery_that_counts_its_own_attempts_storms_alone():
    row = {"status": 2, "attributes": {"retry.count": "3"}}

    assert shown(run(deliver=row))["storm"] == "deliver"


def test_the_attempts_of_a_storm_are_a_setting():
    assert "storm" not in shown(deliveries(True, True, True), storm_attempts=4)


def test_two_executors_under_one_router_are_a_forked_path():
    fork = [
        *run(),
        span("executor2", 12, 80, parent="router", name="executor"),
        span("infer2", 20, 70, parent="executor2", name="infer", attributes=MODEL),
    ]

    assert shown(fork)["fork"] == "executor2"


def test_two_executors_where_healthy_traces_have_two_are_not():
    twice = [
        *run(),
        span("executor2", 12, 80, parent="router", name="executor"),
        span("infer2", 20, 70, parent="executor2", name="infer", attributes=MODEL),
    ]

    assert shown(in_trace("t", twice), crowd=copies(30, twice)) == {}


def test_executors_one_after_the_other_are_steps_and_no_fork():
    steps = [
        *run(),
        span("executor2", 90, 99, parent="router", name="executor"),
        span("infer2", 91, 98, parent="executor2", name="infer", attributes=MODEL),
    ]

    assert "fork" not in shown(steps)


def test_a_second_executor_after_the_first_failed_is_no_fork():
    retried = [
        *run(executor=FAILED, infer=FAILED),
        span("executor2", 92, 99, parent="router", name="executor"),
        span("infer2", 93, 98, parent="executor2", name="infer", attributes=MODEL),
    ]

    assert "fork" not in shown(retried)


def tool_calls(count: int, arguments: str = "{0}") -> list[Row]:
    return [
        span(
            f"call{n}",
            21 + n,
            22 + n,
            parent="executor",
            name="search",
            attributes={
                "gen_ai.tool.name": "search",
                "gen_ai.tool.call.arguments": arguments.format(n),
            },
        )
        for n in range(count)
    ]


def test_the_same_call_over_and_over_goes_round_in_circles():
    crowd = copies(30, [*run(), *tool_calls(1)])

    assert shown([*run(), *tool_calls(4, "same")], crowd=crowd)["loop"] == "call2"


def test_many_calls_with_different_arguments_do_not():
    crowd = copies(30, [*run(), *tool_calls(1)])

    assert "loop" not in shown([*run(), *tool_calls(4)], crowd=crowd)


@pytest.mark.parametrize(("calls", "loops"), [(4, False), (7, True)])
def test_calls_whose_arguments_nobody_recorded_loop_when_there_are_many(calls, loops):
    crowd = copies(30, [*run(), *tool_calls(1, "")])

    assert ("loop" in shown([*run(), *tool_calls(calls, "")], crowd=crowd)) is loops


def test_two_agents_that_each_call_a_tool_do_not_go_round_in_circles():
    def by_agent(agent: str) -> list[Row]:
        return [
            call
            | {
                "span_id": f"{agent}-{call['span_id']}",
                "attributes": call["attributes"] | {"gen_ai.agent.name": agent},
            }
            for call in tool_calls(4, "")
        ]

    crowd = copies(30, [*run(), *tool_calls(1, "")])

    assert "loop" not in shown([*run(), *by_agent("planner"), *by_agent("critic")], crowd=crowd)


# ------------------------------------------------------------------------------------- results


def judged(**attributes: str) -> list[Row]:
    return run(router={"attributes": attributes})


@pytest.mark.parametrize(
    ("name", "text"), [("gen_ai.evaluation.score.label", "incorrect"), ("user.feedback", "down")]
)
def test_a_result_called_wrong_is_wrong_though_the_trace_ended_well(name, text):
    rows = judged(**{name: text})

    assert shown(rows) == {"wrong": "router"}
    assert outcome(rows) == "wrong"


def test_a_result_called_right_is_not_wrong():
    assert shown(judged(**{"user.feedback": "up"})) == {}


SCORE = "gen_ai.evaluation.score.value"


def test_a_score_far_below_those_of_its_task_is_wrong():
    crowd = copies(30, judged(**{SCORE: "0.9"}))

    assert shown(judged(**{SCORE: "0.2"}), crowd=crowd) == {"wrong": "router"}
    assert shown(judged(**{SCORE: "0.89"}), crowd=crowd) == {}


def test_a_failed_trace_is_not_wrong_besides():
    rows = run(router=FAILED | {"attributes": {"user.feedback": "down"}}, infer=FAILED)

    assert shown(rows) == {"error": "infer"}


def test_a_wrong_result_shows_when_it_was_there():
    symptom = facts(CROWD + judged(**{"user.feedback": "down"})).symptoms.to_pylist()[0]

    assert (symptom["began_ns"], symptom["channel"]) == (at(120), "quality")
