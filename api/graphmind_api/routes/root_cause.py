"""The cross-trace root cause (S47): trace ids in, shared causes out."""

from dataclasses import asdict

from fastapi import APIRouter

from graphmind.jobs.root_cause import root_cause
from graphmind_api.context import API, CurrentSettings, OpenStores
from graphmind_api.models import FailingTraces, RootCause

router = APIRouter(prefix=API, tags=["root cause"])


@router.post("/root-cause", summary="What these failing traces share")
def explain_traces(
    failing: FailingTraces, stores: OpenStores, settings: CurrentSettings
) -> RootCause:
    """Explain exactly these traces as failing, against the others of the same time.

    Their time is from the first to the last of them, at least an hour. Fewer than five traces
    cannot be told from chance and are answered as unexplained.
    """
    return RootCause(**asdict(root_cause(stores.archive, settings, failing.trace_ids)))
