"""The record of a run: how its steps stand, and what the controller says of it."""

from examples.agent_platform.runs import Run

TRACE = "0af7651916cd43dd8448eb211c80319c"


def run():
    task = {"task_id": "task-1", "seq_no": 2, "attempts": 3}
    return Run(
        trace_id=TRACE, task=task, region="eu", root_span_id="b7ad6b7169203331", created_ms=1
    )


def test_a_step_that_ended_knows_its_span_and_those_within_it():
    one = run()
    one.begin("ModelExecutor")
    one.end("ModelExecutor", "failed", {"ModelExecutor": "aa", "LLMAdapter": "bb"})
    steps = {step["step"]: step for step in one.document()["steps"]}

    assert steps["ModelExecutor"] == {
        "step": "ModelExecutor",
        "module": "ModelExecutor",
        "span_id": "aa",
        "state": "failed",
        "snapshot": True,
        "recovery": False,
    }
    assert (steps["LLMAdapter"]["span_id"], steps["LLMAdapter"]["snapshot"]) == ("bb", False)


def test_a_step_that_could_not_be_asked_of_anybody_has_no_snapshot():
    one = run()
    one.begin("ModelExecutor")
    one.end("ModelExecutor", "failed", {})

    assert one.document()["steps"][0]["snapshot"] is False


def test_what_begins_after_a_reset_is_a_recovery():
    one = run()
    one.begin("ModelExecutor")
    one.end("ModelExecutor", "failed", {"ModelExecutor": "aa"})
    one.steps["ModelExecutor"]["state"] = "reset"
    one.begin("ModelExecutor")
    one.end("ModelExecutor", "done", {"ModelExecutor": "cc"})
    (step,) = one.document()["steps"]

    assert (step["state"], step["span_id"], step["recovery"]) == ("done", "cc", True)


def test_a_record_is_read_as_it_was_kept():
    one = run()
    one.begin("TaskPreprocessor")
    one.outputs["TaskPreprocessor"] = {"vector": [0.5]}

    assert Run.parse(one.dump()) == one


def test_the_controllers_document_is_as_agreed():
    assert run().document() == {
        "trace_id": TRACE,
        "task_id": "task-1",
        "seq_no": 2,
        "region": "eu",
        "state": "running",
        "attempts": 3,
        "marks": [],
        "steps": [],
        "parent_trace_id": None,
        "continued_as": [],
    }
