"""Neo4j by its official driver: one driver a process, the database always named."""

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, Final

import neo4j
from neo4j.exceptions import (
    AuthError,
    ConstraintError,
    CypherSyntaxError,
    DriverError,
    Neo4jError,
    ServiceUnavailable,
)

from graphmind.errors import QueryRefused, StoreError
from graphmind.graph.port import Counters, GraphRows, Row, Run, T
from graphmind.graph.store import CypherStore

ATTEMPTS_MAX: Final = 5
"""For a concurrent MERGE of one new key (chosen); transient errors are retried by the driver."""
RETRY_S: Final = 15.0
"""How long the driver goes on retrying a transient error (chosen)."""
FORBIDDEN_OPERATORS: Final = ("LoadCSV", "ProcedureCall")


def open_neo4j(*, uri: str, user: str, password: str, database: str) -> CypherStore:
    """Connect to a Neo4j. Raises StoreError with what to do where that fails."""
    return CypherStore(Neo4jEngine(uri=uri, user=user, password=password, database=database))


class Neo4jEngine:
    """A Neo4j database over Bolt."""

    def __init__(self, *, uri: str, user: str, password: str, database: str) -> None:
        self._database = database
        self._driver = _driver(uri, user, password)
        try:
            with self._driver.session(database=database) as session:
                session.run("RETURN 1").consume()
        except (Neo4jError, DriverError) as error:
            self._driver.close()
            raise _unreachable(uri, user, database, error) from error

    def define(self, texts: Iterable[str]) -> None:
        """Run constraint and index statements, each in its own transaction."""
        for text in texts:
            self.write(text, {})

    def write(self, text: str, params: Mapping[str, Any]) -> list[Row]:
        """Run one statement in one durable transaction; a conflict is retried."""
        return self.transact(lambda run: run(text, params))

    def transact(self, work: Callable[[Run], T]) -> T:
        """Run the statements of ``work`` in one durable transaction; a conflict is retried."""

        def within(transaction: neo4j.ManagedTransaction) -> T:
            return work(lambda text, params: _rows(transaction, text, params))

        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                with self._driver.session(database=self._database) as session:
                    return session.execute_write(within)
            except ConstraintError as error:
                if attempt == ATTEMPTS_MAX:
                    raise StoreError(f"Neo4j refused a write {attempt} times: {error}") from error
            except (Neo4jError, DriverError) as error:
                raise StoreError(f"Neo4j did not write: {error}") from error
        raise AssertionError("the last attempt returns or raises")

    def query(self, text: str, params: Mapping[str, Any]) -> list[Row]:
        """Run one statement in a read transaction."""
        try:
            with self._driver.session(database=self._database) as session:
                return session.execute_read(_rows, text, params)
        except (Neo4jError, DriverError) as error:
            raise StoreError(f"Neo4j did not answer: {error}") from error

    def explore(
        self, text: str, params: Mapping[str, Any], *, row_limit: int, timeout_s: float
    ) -> list[Row]:
        """Run a stranger's statement in read mode, after its plan was looked at."""
        limited = neo4j.Query(text, timeout=timeout_s)
        try:
            with self._driver.session(
                database=self._database, default_access_mode=neo4j.READ_ACCESS
            ) as session:
                _refuse_plan(session.run(f"EXPLAIN {text}", dict(params)).consume())
                found = session.run(limited, dict(params))
                return [record.data() for record in islice(found, row_limit)]
        except (ServiceUnavailable, DriverError) as error:
            raise StoreError(f"Neo4j did not answer: {error}") from error
        except CypherSyntaxError as error:
            raise QueryRefused(f"The statement is not valid Cypher: {error.message}") from error
        except Neo4jError as error:
            raise QueryRefused(f"The statement was refused or cut off: {error.message}") from error

    def load_empty(self, rows: GraphRows) -> Counters | None:  # noqa: ARG002 - the port's signature
        """Return None: over Bolt nothing is faster than MERGE."""
        return None

    def size(self) -> tuple[int, int]:
        """Return the numbers of nodes and of relationships, from the server's own counts."""
        nodes = self.query("MATCH (n) RETURN count(n) AS count", {})
        relationships = self.query("MATCH ()-[e]->() RETURN count(e) AS count", {})
        return nodes[0]["count"], relationships[0]["count"]

    def close(self) -> None:
        """Close the connections."""
        self._driver.close()


def _driver(uri: str, user: str, password: str) -> neo4j.Driver:
    try:
        return neo4j.GraphDatabase.driver(
            uri,
            auth=(user, password) if password else None,
            notifications_min_severity="OFF",
            max_transaction_retry_time=RETRY_S,
        )
    except (ValueError, neo4j.exceptions.ConfigurationError) as error:
        raise StoreError(
            f"GRAPHMIND_NEO4J_URI should be like bolt://host:7687 or neo4j://host, got {uri!r}: "
            f"{error}"
        ) from error


def _rows(transaction: neo4j.ManagedTransaction, text: str, params: Mapping[str, Any]) -> list[Row]:
    found = transaction.run(text, dict(params))
    return [record.data() for record in found]


def _refuse_plan(summary: neo4j.ResultSummary) -> None:
    if summary.query_type != "r":
        raise QueryRefused("The statement is not read-only: only statements that read are allowed.")
    plans = [summary.plan] if summary.plan else []
    while plans:
        plan = plans.pop()
        if plan["operatorType"].startswith(FORBIDDEN_OPERATORS):
            raise QueryRefused(f"The plan holds {plan['operatorType']}, which is refused.")
        plans += plan.get("children", [])


def _unreachable(uri: str, user: str, database: str, error: Exception) -> StoreError:
    if isinstance(error, AuthError):
        return StoreError(
            f"Neo4j at {uri} refused user {user!r}: set GRAPHMIND_NEO4J_USER and "
            f"GRAPHMIND_NEO4J_PASSWORD to an account it knows."
        )
    if isinstance(error, Neo4jError):
        return StoreError(
            f"Neo4j at {uri} cannot use database {database!r}: set GRAPHMIND_NEO4J_DATABASE to one "
            f"that exists ({error.message})."
        )
    return StoreError(
        f"No Neo4j answers at {uri}: start it, mend GRAPHMIND_NEO4J_URI, or leave that empty to "
        f"use the embedded graph ({error})."
    )
