"""Hand-offs that no attribute states: an agent's span under, or linked to, another agent's."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.telemetry.numbering import joined, numbered_texts
from graphmind.telemetry.tree import Bools, Ints


def handed_from(spans: pa.Table, agent: pa.ChunkedArray, named: Bools, parent: Ints) -> Ints:
    """Return, for the first span of an agent, a row of the agent it took over from, else -1.

    That is the parent's agent, or else that of a linked span; ``agent`` is inherited already.
    """
    code = np.where(named, numbered_texts(agent), -1)
    giver = np.where(parent >= 0, parent, -1)
    rows, linked = _links(spans)
    giver[rows] = np.where(_differ(code, rows, giver[rows]), giver[rows], linked)
    return np.where(_differ(code, np.arange(len(code)), giver), giver, -1)


def _differ(code: Ints, rows: Ints, givers: Ints) -> Bools:
    """Whether two spans have two agents, both of them named."""
    named: Bools = (givers >= 0) & (code[rows] >= 0) & (code[givers] >= 0)
    different: Bools = code[rows] != code[givers]
    return named & different


def _links(spans: pa.Table) -> tuple[Ints, Ints]:
    """Return rows with a link and the row of the last span each links to, where it is here."""
    links = joined(spans["links"])
    lengths = pc.fill_null(pc.list_value_length(links), 0).to_numpy()
    rows, flat = np.repeat(np.arange(len(links)), lengths), links.flatten()
    here = pc.is_in(joined(spans["span_id"]), value_set=flat.field("span_id"))
    at = np.flatnonzero(here.to_numpy(zero_copy_only=False))
    ids = spans.select(["trace_id", "span_id"]).take(pa.array(at)).to_pylist()
    row_of = {(span["trace_id"], span["span_id"]): row for span, row in zip(ids, at, strict=True)}
    found = [row_of.get((link["trace_id"], link["span_id"]), -1) for link in flat.to_pylist()]
    linked = np.array(found, np.int64)
    return rows[linked >= 0], linked[linked >= 0]
