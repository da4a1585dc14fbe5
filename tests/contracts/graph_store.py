"""What every GraphStore must do.

A test class inherits it; its module has a fixture ``opened``, one store for all tests.
"""

import threading

import pytest

from graphmind.errors import QueryRefused, StoreError, UnknownName
from graphmind.graph.port import Counters, GraphRows
from graphmind.graph.questions import list_questions, question
from graphmind.graph.store import CypherStore
from tests.graph.answered import ANSWERED
from tests.graph.planted import planted

DUMP = "MATCH (n) RETURN labels(n) AS labels, properties(n) AS props"
LINKS = (
    "MATCH (a)-[e]->(b) RETURN properties(a) AS a, type(e) AS type, properties(b) AS b, "
    "properties(e) AS props"
)
EVERY_TRACE = "MATCH (t:Trace) RETURN t.traceId AS id ORDER BY id"


def rows_of(store: CypherStore, text: str) -> list[dict[str, object]]:
    return store._engine.query(text, {})


def explored(store: CypherStore, text: str, **params: object) -> list[dict[str, object]]:
    return store.explore(text, params, row_limit=1_000, timeout_s=20)


def content(store: CypherStore) -> list[str]:
    """Return all nodes and relationships, in an order of their own."""
    return sorted(repr(_sorted(row)) for text in (DUMP, LINKS) for row in rows_of(store, text))


def _sorted(value: object) -> object:
    if isinstance(value, dict):
        return [(key, _sorted(inner)) for key, inner in sorted(value.items())]
    return value


class EmptyGraph:
    """Gives each test the store with nothing but the schema in it."""

    @pytest.fixture
    def store(self, opened: CypherStore) -> CypherStore:
        opened._engine.write("MATCH (n) DETACH DELETE n", {})
        opened.ensure_schema()
        return opened


class GraphStoreContract(EmptyGraph):
    """Rows in, answers out, on any engine."""

    def test_the_schema_may_be_ensured_twice(self, store: CypherStore):
        store.ensure_schema()

        assert content(store) == []

    def test_writing_the_same_rows_twice_changes_nothing(self, store: CypherStore):
        first = store.upsert(planted())
        before = content(store)

        assert first == Counters(nodes_created=29, relationships_created=54)
        assert store.upsert(planted()) == Counters()
        assert content(store) == before

    def test_rows_into_an_empty_graph_make_what_rows_into_a_filled_one_make(
        self, store: CypherStore
    ):
        store.upsert(planted())
        at_once = content(store)
        store.prune(1_000_000)
        store.upsert(planted())

        assert content(store) == at_once

    def test_an_edge_whose_end_is_missing_is_counted(self, store: CypherStore):
        rows = GraphRows(
            nodes={"Trace": [{"traceId": "t1"}], "Tool": [{"name": "search"}]},
            edges={
                ("Trace", "CALLED", "Tool"): [
                    {"from": "t1", "to": "search"},
                    {"from": "t1", "to": "absent"},
                    {"from": "absent", "to": "search"},
                ]
            },
        )

        assert store.upsert(rows) == Counters(
            nodes_created=2, relationships_created=1, missing_ends=2
        )
        assert store.upsert(rows) == Counters(missing_ends=2)

    @pytest.mark.parametrize("key", [None, "", 7])
    def test_a_row_without_a_key_is_refused(self, store: CypherStore, key):
        with pytest.raises(StoreError, match=r"Tool\.name should be text"):
            store.upsert(GraphRows(nodes={"Tool": [{"name": key}]}))

        assert content(store) == []

    def test_times_seen_only_widen(self, store: CypherStore):
        store.upsert(planted())
        for first, last in ((700, 800), (100, 9_000), (300, 400)):
            seen = {"name": "eu", "firstSeenMs": first, "lastSeenMs": last}
            store.upsert(GraphRows(nodes={"Region": [seen]}))

        assert rows_of(
            store,
            "MATCH (r:Region {name: 'eu'}) RETURN r.firstSeenMs AS first, r.lastSeenMs AS last",
        ) == [{"first": 100, "last": 9_000}]

    def test_properties_that_a_row_does_not_hold_stay(self, store: CypherStore):
        store.upsert(GraphRows(nodes={"Agent": [{"key": "a", "status": "active"}]}))
        store.upsert(GraphRows(nodes={"Agent": [{"key": "a", "version": "2", "status": None}]}))

        assert rows_of(store, "MATCH (a:Agent) RETURN a.status AS status, a.version AS v") == [
            {"status": "active", "v": "2"}
        ]

    def test_values_come_back_as_they_were_written(self, store: CypherStore):
        trace = {
            "traceId": "é\n'\"`$x",
            "startMs": 1_763_850_000_123,
            "durationMs": 0.5,
            "complete": False,
            "symptoms": ["slow", "error"],
            "outcome": "slow",
        }
        store.upsert(GraphRows(nodes={"Trace": [trace]}))

        assert rows_of(store, "MATCH (t:Trace) RETURN properties(t) AS props") == [{"props": trace}]

    def test_threads_that_write_one_new_key_make_one_node(self, store: CypherStore):
        rows = GraphRows(nodes={"Tool": [{"name": f"tool {n}"} for n in range(50)]})
        store.upsert(GraphRows(nodes={"Task": [{"key": "first"}]}))
        threads = [threading.Thread(target=store.upsert, args=(rows,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert rows_of(store, "MATCH (t:Tool) RETURN count(*) AS tools") == [{"tools": 50}]

    def test_statements_of_one_transaction_see_each_other(self, store: CypherStore):
        def work(run):
            run("CREATE (:Tool {name: 'a'})", {})
            return run("MATCH (t:Tool) RETURN t.name AS name", {})

        assert store.transact(work) == [{"name": "a"}]
        assert store.ask("MATCH (t:Tool) RETURN count(*) AS n", {}) == [{"n": 1}]

    def test_a_transaction_that_raises_leaves_no_part_of_it(self, store: CypherStore):
        def work(run):
            run("CREATE (:Tool {name: 'a'})", {})
            run("CREATE (:Tool {name: 'b'})", {})
            raise RuntimeError

        with pytest.raises(RuntimeError):
            store.transact(work)
        assert content(store) == []

    def test_what_an_earlier_run_found_is_replaced(self, store: CypherStore):
        store.upsert(planted())
        later = GraphRows(
            nodes={"Incident": [{"incidentId": "i2", "runId": "r2"}]},
            edges={("Trace", "PART_OF", "Incident"): [{"from": "t1", "to": "i2", "runId": "r2"}]},
        )

        assert store.replace_derived(later, "r2") == Counters(
            nodes_created=1, relationships_created=1, nodes_deleted=4, relationships_deleted=8
        )
        assert rows_of(
            store, "MATCH (i:Incident)<-[:PART_OF]-(t) RETURN i.incidentId AS i, t.traceId AS t"
        ) == [{"i": "i2", "t": "t1"}]

    def test_what_a_run_finds_again_stays(self, store: CypherStore):
        store.upsert(planted())
        found = planted()
        derived = ("Incident", "Cause")
        again = GraphRows(
            nodes={name: _marked(found.nodes[name], "r2") for name in derived},
            edges={
                ends: _marked(rows, "r2")
                for ends, rows in found.edges.items()
                if ends[1] == "CONTAMINATED_BY" or ends[0] in derived or ends[2] in derived
            },
        )

        assert store.replace_derived(again, "r2") == Counters()

    def test_pruning_removes_old_traces_and_their_spans_alone(self, store: CypherStore):
        store.upsert(planted())

        pruned = store.prune(2_000)

        assert (pruned.nodes_deleted, pruned.relationships_deleted) == (4, 20)
        assert rows_of(store, EVERY_TRACE) == [{"id": "t2"}, {"id": "t3"}, {"id": "t4"}]
        assert len(store.read("incident_causes")) == 2

    @pytest.mark.parametrize("name", sorted(ANSWERED))
    def test_a_question_answers_on_the_planted_graph(self, store: CypherStore, name):
        graph, params, rows = ANSWERED[name]
        columns = [column for column, _ in question(name).columns]
        store.upsert(graph)

        assert store.read(name, **params) == [dict(zip(columns, row, strict=True)) for row in rows]

    @pytest.mark.parametrize("asked", list_questions(), ids=lambda q: q.name)
    def test_a_question_answers_on_an_empty_graph(self, store: CypherStore, asked):
        needed = {p.name: "1" for p in asked.parameters if p.default is None}

        assert store.read(asked.name, **needed) == []

    def test_a_question_that_does_not_exist_is_refused(self, store: CypherStore):
        with pytest.raises(UnknownName, match=r"No question 'nope'\. Known: agent_loops"):
            store.read("nope")


class ExploringContract(EmptyGraph):
    """What a stranger's own Cypher may do."""

    @pytest.mark.parametrize(
        "text",
        [
            "CREATE (n:Trace {traceId: 'x'}) RETURN n.traceId AS id",
            "MATCH (n) DETACH DELETE n",
            "MATCH (n) SET n.outcome = 'ok'",
            "MERGE (n:Trace {traceId: 'x'})",
            "MATCH (n) REMOVE n.outcome",
            "CREATE CONSTRAINT x IF NOT EXISTS FOR (n:X) REQUIRE n.k IS UNIQUE",
            "DROP CONSTRAINT trace_key IF EXISTS",
            "CREATE INDEX x IF NOT EXISTS FOR (n:X) ON (n.k)",
            "LOAD CSV FROM 'file:///etc/hostname' AS line RETURN line",
            "load /* a comment */ csv FROM 'file:///etc/hostname' AS line RETURN line",
            "CALL db.labels()",
            "MATCH (n) CALL db.labels() YIELD label RETURN label",
            "CALL `db`.`labels`()",
            "MATCH (n) CALL { WITH n DETACH DELETE n } IN TRANSACTIONS",
            "MATCH (n) CALL (n) { SET n.outcome = 'ok' } RETURN count(*) AS n",
            r"\u004cOAD CSV FROM 'file:///etc/hostname' AS line RETURN line",
            "SHOW CONSTRAINTS",
            "EXPLAIN MATCH (n) RETURN n.key AS key",
            "MATCH (n) RETRUN n",
            "MATCH (n) RETURN m",
        ],
    )
    def test_an_analyst_may_only_read(self, store: CypherStore, text):
        store.upsert(planted())
        before = content(store)

        with pytest.raises(QueryRefused):
            explored(store, text)

        assert content(store) == before

    def test_words_inside_quotes_and_comments_are_not_taken_for_clauses(self, store: CypherStore):
        store.upsert(planted())

        assert (
            explored(store, "// LOAD CSV\nMATCH (t:Tool) RETURN 'CALL db.labels()' AS `load csv`")
            == []
        )

    def test_an_analyst_may_use_subqueries_and_parameters(self, store: CypherStore):
        store.upsert(planted())
        text = "CALL { MATCH (t:Trace) RETURN count(*) AS n } RETURN n + $one AS n"

        assert explored(store, text, one=1) == [{"n": 6}]

    def test_rows_beyond_the_limit_are_not_returned(self, store: CypherStore):
        store.upsert(planted())

        assert store.explore(EVERY_TRACE, {}, row_limit=2, timeout_s=20) == [
            {"id": "t1"},
            {"id": "t2"},
        ]

    def test_a_statement_that_runs_too_long_is_cut_off(self, store: CypherStore):
        endless = "UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b RETURN sum(a * b) AS s"

        with pytest.raises(QueryRefused, match="cut off"):
            store.explore(endless, {}, row_limit=1, timeout_s=0.5)

    def test_writes_are_not_limited_after_a_statement_was_cut_off(self, store: CypherStore):
        endless = "UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b RETURN sum(a * b) AS s"
        with pytest.raises(QueryRefused, match="cut off"):
            store.explore(endless, {}, row_limit=1, timeout_s=0.01)

        rows = GraphRows(nodes={"Tool": [{"name": f"{n}"} for n in range(2_000)]})
        assert store.upsert(rows).nodes_created == 2_000


def _marked(rows, run_id):
    return [{**row, "runId": run_id} for row in rows]
