"""The diagnosis of a task or a trace (S19)."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.exceptions import RequestValidationError

from graphmind.jobs.diagnose import diagnose
from graphmind_api.context import API, CurrentSettings, OpenStores
from graphmind_api.diagnosis_models import Diagnosis
from graphmind_api.models import TraceId
from graphmind_api.problems import UNKNOWN

router = APIRouter(prefix=API, tags=["diagnosis"])
TaskQuery = Annotated[TraceId | None, Query(description="Id of a task: its newest failing trace")]
TraceQuery = Annotated[TraceId | None, Query(description="Id of a trace")]


@router.get("/diagnosis", summary="Spans, logs and metrics side by side", responses=UNKNOWN)
def read_diagnosis(
    stores: OpenStores,
    settings: CurrentSettings,
    task: TaskQuery = None,
    trace: TraceQuery = None,
) -> Diagnosis:
    """Give exactly one of `task` and `trace`. What was not found is said in `not_found`."""
    if (task is None) == (trace is None):
        raise RequestValidationError([_one_of_both()])
    return Diagnosis.model_validate(diagnose(stores, settings, task_id=task, trace_id=trace))


def _one_of_both() -> dict[str, Any]:
    return {"loc": ("query",), "msg": "expected exactly one of `task` and `trace`"}
