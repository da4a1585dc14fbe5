"""Counts over the traces in the archive's DuckDB file, one statement each."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final

import duckdb
import pyarrow as pa

from graphmind.archive.database import end_of, sql
from graphmind.archive.tallies import (
    CHOSEN,
    CODES,
    FAULTS,
    GROUPS,
    LABELLED,
    LABELS,
    OUTCOMES,
    PACE,
    SAMPLED,
    TOUCHED,
    Stretch,
)

_Cursor = AbstractContextManager[duckdb.DuckDBPyConnection]
_TEXTS: Final = pa.schema([pa.field("trace_id", pa.string())])


class DuckTallies:
    """Implements ``Tallies`` by the snapshots of a ``DuckArchive``."""

    def __init__(self, snapshot: Callable[[], _Cursor]) -> None:
        """Take over how the archive opens a snapshot to read."""
        self._snapshot = snapshot

    def pace(self, stretch: Stretch) -> pa.Table:
        """How traces fared by step; see the port."""
        return self._counted("tally_pace", PACE, stretch, step_ns=stretch.step_ns)

    def outcomes(self, stretch: Stretch) -> pa.Table:
        """How traces ended by step; see the port."""
        return self._counted("tally_outcomes", OUTCOMES, stretch, step_ns=stretch.step_ns)

    def modules(self, stretch: Stretch) -> pa.Table:
        """Traces by module and step; see the port."""
        return self._counted(
            "tally_modules", TOUCHED, stretch, by_end=True, step_ns=stretch.step_ns
        )

    def groups(self, stretch: Stretch, kind: str, *, groups_max: int) -> pa.Table:
        """Traces by item of a kind; see the port."""
        return self._counted(
            "tally_groups", GROUPS, stretch, by_end=True, kind=kind, groups_max=groups_max
        )

    def sampled(
        self,
        stretch: Stretch,
        kind: str,
        *,
        groups_max: int,
        traces_max: int,
        name: str | None = None,
    ) -> pa.Table:
        """Complete traces of each item of a kind; see the port."""
        terms: dict[str, Any] = {"groups_max": groups_max, "traces_max": traces_max}
        terms |= {"kind": kind, "name": name}
        return self._counted("tally_sampled", SAMPLED, stretch, **terms)

    def chosen(self, stretch: Stretch, *, traces_max: int) -> pa.Table:
        """Traces that failed and that are ok; see the port."""
        return self._counted("tally_chosen", CHOSEN, stretch, traces_max=traces_max)

    def labelled(
        self, stretch: Stretch, kind: str, labels: pa.Table, *, otherwise: str
    ) -> pa.Table:
        """Failing traces by step, item and label; see the port."""
        terms = {"kind": kind, "otherwise": otherwise, "step_ns": stretch.step_ns}
        return self._counted(
            "tally_labelled", LABELLED, stretch, by_end=True, labels=labels, **terms
        )

    def error_codes(self, stretch: Stretch) -> pa.Table:
        """Failing traces by error code; see the port."""
        return self._counted("tally_codes", CODES, stretch)

    def faults(self, stretch: Stretch, *, rows_max: int) -> pa.Table:
        """Failing traces by where they went wrong; see the port."""
        return self._counted("tally_faults", FAULTS, stretch, rows_max=rows_max)

    def causes(self) -> dict[tuple[str, str], int]:
        """Count incidents by the kind of their first cause and their state."""
        with self._snapshot() as cursor:
            rows = cursor.execute(sql("tally_causes")).fetchall()
        return {(kind, state): count for kind, state, count in rows}

    def words(self, kind: str, name: str) -> dict[str, int]:
        """Count documents by a text in them; see the port."""
        with self._snapshot() as cursor:
            terms = {"kind": kind, "path": f"$.{name}"}
            return dict(cursor.execute(sql("tally_words"), terms).fetchall())

    def _counted(
        self,
        statement: str,
        schema: pa.Schema,
        stretch: Stretch,
        *,
        labels: pa.Table | None = None,
        by_end: bool = False,
        **terms: Any,
    ) -> pa.Table:
        """Run a statement; ``by_end`` tells it when the traces had ended: items lie by time."""
        ids = stretch.trace_ids
        with self._snapshot() as cursor:
            cursor.register("wanted", _TEXTS.empty_table() if ids is None else _table(ids))
            if labels is not None:
                cursor.register("labels", labels.cast(LABELS))
            window = {"from_ns": stretch.from_ns, "until_ns": stretch.until_ns}
            params = {**window, "every": ids is None, **terms}
            if by_end:
                params["last_ns"] = end_of(cursor, stretch.from_ns, stretch.until_ns)
            return cursor.sql(sql(statement), params=params).to_arrow_table().cast(schema)


def _table(ids: pa.Array) -> pa.Table:
    return pa.table([ids], schema=_TEXTS)
