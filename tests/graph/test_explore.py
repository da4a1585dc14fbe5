import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.errors import QueryRefused
from graphmind.graph.explore import refuse_unsafe

SPACE = st.sampled_from([" ", "\n", "\t", " /* x */ ", "/* 'x */ ", " // it's\n", "\r\n "])


@given(SPACE, st.sampled_from(["LOAD", "load", "Load"]), st.sampled_from(["CSV", "csv", "Csv"]))
def test_load_csv_is_found_however_it_is_spaced(space, load, csv):
    with pytest.raises(QueryRefused, match="LOAD CSV"):
        refuse_unsafe(f"RETURN 1 AS a UNION {load}{space}{csv} FROM $url AS a RETURN a")


@given(SPACE, st.sampled_from(["db.labels()", "`db`.labels()", "`db.labels`()", "dbms.x"]))
def test_procedures_are_found_however_they_are_quoted(space, procedure):
    with pytest.raises(QueryRefused, match="Procedures"):
        refuse_unsafe(f"MATCH (n) CALL{space}{procedure}")


@pytest.mark.parametrize(
    "text",
    [
        "MATCH (a)-[:CALLS]->(b) RETURN a.call AS call, 'LOAD CSV' AS text",
        "CALL { MATCH (n) RETURN n } RETURN count(n) AS n",
        "MATCH (t) CALL (t) { MATCH (t)-->(n) RETURN n } RETURN n.key AS key",
        'RETURN "it\'s // no comment" AS text // CALL db.labels()',
        "MATCH (n) WHERE n.show = 'x' RETURN n.use AS use",
    ],
)
def test_reading_passes(text):
    refuse_unsafe(text)
