"""One batch of live spans into the table: repeated ones are left out before, not removed after.

A transaction that deletes rows of its own writes all of them to the log first and to the file
later. Looking before storing lets a full row group go straight into the file, which halves the cost
of a span (measured: 6.6 us of processor time, not 12.0).
"""

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.archive.columns import to_stored
from graphmind.archive.database import number, sql
from graphmind.archive.extents import Extents
from graphmind.archive.port import Appended


def add(
    cursor: duckdb.DuckDBPyConnection,
    spans: pa.RecordBatch,
    extents: Extents,
    *,
    load: int,
    at_ms: int,
) -> Appended:
    """Store a batch (schema RESOLVED) as append number ``load``, in the cursor's transaction."""
    stored = to_stored(spans)
    places = pa.array(np.arange(stored.num_rows))
    arriving = pa.table([*stored.columns, places], names=[*stored.schema.names, "place"])
    cursor.register("arriving", arriving)
    cursor.execute(sql("touch_arriving"))
    visit = extents.revisit(cursor)
    repeated = number(cursor, sql("find_arriving_repeated"), visit.times)
    if repeated:
        arriving = _without_repeated(cursor, arriving)
        cursor.execute(sql("delete_replaced"))
    if arriving.num_rows:
        cursor.execute(sql("add_spans"), {"load": load})
    cursor.execute(sql("gain_arriving"))
    traces = extents.renew(cursor, visit, load=load, at_ms=at_ms)
    return Appended(new=spans.num_rows - repeated, duplicate=repeated, traces=traces)


def _without_repeated(cursor: duckdb.DuckDBPyConnection, arriving: pa.Table) -> pa.Table:
    """Leave out the rows that lose, and let ``arriving`` name the others."""
    losing = cursor.sql(sql("repeated_arriving")).to_arrow_table()["place"]
    kept = arriving.filter(pc.invert(pc.is_in(arriving["place"], value_set=losing)))
    cursor.unregister("arriving")
    cursor.register("arriving", kept)
    return kept
