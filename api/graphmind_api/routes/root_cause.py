"""The cross-trace root cause (S47): traces in, by id or by filter, shared causes out."""

from dataclasses import asdict

from fastapi import APIRouter

from graphmind.jobs.reading.compare import ids_of
from graphmind.jobs.reading.traces import with_incident
from graphmind.jobs.root_cause import root_cause
from graphmind_api.context import API, CurrentSettings, OpenStores
from graphmind_api.conversions import cohort_of
from graphmind_api.models import RootCause
from graphmind_api.problems import REFUSED
from graphmind_api.reading_models import FailingTraces

router = APIRouter(prefix=API, tags=["root cause"])


@router.post("/root-cause", summary="What these failing traces share", responses=REFUSED)
def explain_traces(
    failing: FailingTraces, stores: OpenStores, settings: CurrentSettings
) -> RootCause:
    """Explain exactly these traces as failing, against the others of the same time.

    Their time is from the first to the last of them, at least an hour. Fewer than five traces
    cannot be told from chance and are answered as unexplained.
    """
    given = failing.trace_ids
    if given is None:
        wanted = with_incident(stores.archive, *cohort_of(failing))
        given = ids_of(stores.archive, wanted)
    return RootCause(**asdict(root_cause(stores.archive, settings, given)))
