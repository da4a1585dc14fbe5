"""An analyst's own Cypher, read-only."""

from fastapi import APIRouter

from graphmind.jobs.reading.asked import browser_url
from graphmind.jobs.reading.explore import explore
from graphmind_api.context import API, CurrentSettings, OpenStores
from graphmind_api.problems import REFUSED
from graphmind_api.reading_models import CypherQuery, CypherRows

router = APIRouter(prefix=API, tags=["questions"])


@router.post("/cypher", summary="Run Cypher that only reads", responses=REFUSED)
def run_cypher(asked: CypherQuery, stores: OpenStores, settings: CurrentSettings) -> CypherRows:
    """Writes, procedures and LOAD CSV are refused; what takes longer than 5 s is ended."""
    found = explore(stores.graph, asked.query, asked.parameters, limit=asked.limit)
    link = browser_url(settings, asked.query, asked.parameters)
    return CypherRows.model_validate({**vars(found), "browser_url": link})
