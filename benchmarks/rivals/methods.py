"""All rivals by name, and why some cannot run here."""

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import neo4j
from neo4j.exceptions import DriverError, Neo4jError

from benchmarks.rivals import macrobase, spectra
from benchmarks.rivals.clustering import (
    leiden,
    louvain_bipartite,
    louvain_similarity,
    significant_touches,
    touches,
)
from benchmarks.rivals.gds import HAS_LOUVAIN, gds_louvain
from benchmarks.rivals.microrank import microrank
from benchmarks.rivals.ranking import Ranker, Rival, at_once, by_score, peeled, with_count
from graphmind.settings import Settings

RANKERS: dict[str, Ranker] = {
    "failure-rate ratio": by_score(spectra.failure_ratio, spectra.RATIO_MIN),
    "Ochiai": by_score(spectra.ochiai),
    "Tarantula": by_score(spectra.tarantula),
    "DStar": by_score(spectra.dstar),
    "significant terms (JLH)": by_score(spectra.significant_terms),
    "share difference (Tempo)": by_score(spectra.share_difference),
    "PageRank + Ochiai (MicroRank)": by_score(microrank),
    "MacroBase by risk ratio": macrobase.by_risk_ratio,
    "MacroBase by support": macrobase.by_support,
}
UNCUT = "Ochiai, peeled"
"""The rival that is also shown what traces touched after they failed."""
COUNT = 10
"""Reports of a ranking that is not told how many: Elasticsearch's default size."""
UNTOLD = {
    f"Ochiai, peeled, {COUNT} reports": with_count(peeled(RANKERS["Ochiai"]), COUNT),
    f"significant terms (JLH), {COUNT} reports": with_count(
        at_once(RANKERS["significant terms (JLH)"]), COUNT
    ),
}


def installed_rivals() -> dict[str, Rival]:
    """Return the rivals that run on this interpreter."""
    rivals: dict[str, Rival] = {
        "Louvain on similarity (python-louvain)": louvain_similarity,
        "Louvain on trace-item graph (networkx)": louvain_bipartite,
    }
    if find_spec("igraph"):
        igraph = import_module("igraph")
        rivals["Leiden on trace-item graph (igraph)"] = leiden(igraph, touches)
        rivals["Leiden, significant edges (igraph)"] = leiden(igraph, significant_touches)
    for name, rank in RANKERS.items():
        rivals[name] = at_once(rank)
        rivals[f"{name}, peeled"] = peeled(rank)
    return rivals | UNTOLD


def missing_rivals() -> dict[str, str]:
    """Return the rivals that cannot run on this interpreter, and why."""
    reason = "igraph is not installed: `pip install --group benchmarks`"
    return {} if find_spec("igraph") else {"Leiden (igraph)": reason}


def gds_rival(settings: Settings) -> tuple[dict[str, Rival], dict[str, str]]:
    """Return ``gds.louvain`` where the Neo4j of the settings has it, else why not."""
    name = "Louvain on trace-item graph (gds.louvain)"
    if not settings.neo4j_uri:
        return {}, {name: "GRAPHMIND_NEO4J_URI names no server"}
    auth = (settings.neo4j_user, settings.neo4j_password) if settings.neo4j_password else None
    driver = neo4j.GraphDatabase.driver(settings.neo4j_uri, auth=auth)
    query = partial(_run, driver, settings.neo4j_database)
    try:
        if query(HAS_LOUVAIN, {}):
            return {name: gds_louvain(query)}, {}
    except (Neo4jError, DriverError) as error:
        return {}, {name: f"the server does not answer: {type(error).__name__}"}
    return {}, {name: "the server lacks the Graph Data Science library"}


def _run(
    driver: neo4j.Driver, database: str, statement: str, parameters: Mapping[str, Any]
) -> list[dict[str, Any]]:
    with driver.session(database=database) as session:
        return session.run(statement, dict(parameters)).data()
