import numpy as np
import pyarrow as pa

from graphmind.analysis.origin import Origin, find_origin
from graphmind.telemetry.facts import TRACES


def traces(*rows):
    """Traces given as (fault module, fault path, weight), starting one after the other."""
    return pa.Table.from_pylist(
        [
            dict.fromkeys(TRACES.names)
            | {
                "trace_id": f"t{place}",
                "start_ns": place,
                "fault_module": module,
                "fault_path": path,
                "fault_span_id": f"s{place}",
                "weight": weight,
            }
            for place, (module, path, weight) in enumerate(rows)
        ],
        schema=TRACES,
    )


def origin(*rows):
    return find_origin(traces(*rows), np.arange(len(rows)))


def test_the_root_module_is_the_one_with_most_weight():
    found = origin(("db", "root > db", 1.0), ("llm", "root > llm", 3.0), ("db", "root > db", 1.0))

    assert found == Origin(module="llm", share=0.6, path="root > llm", trace_id="t1", span_id="s1")


def test_the_root_span_is_that_of_the_first_trace_on_the_most_frequent_path():
    found = origin(("db", "a > db", 1.0), ("db", "b > db", 1.0), ("db", "b > db", 1.0))

    assert found
    assert (found.path, found.trace_id, found.span_id) == ("b > db", "t1", "s1")


def test_traces_that_do_not_say_where_count_in_the_share():
    found = origin((None, None, 1.0), ("db", None, 1.0))

    assert found == Origin(module="db", share=0.5, path="", trace_id="t1", span_id="s1")


def test_ties_go_to_the_first_name():
    found = origin(("z", "p", 1.0), ("a", "p", 1.0))

    assert found
    assert found.module == "a"


def test_only_the_rows_asked_for_are_read():
    table = traces(("db", "p", 1.0), ("llm", "p", 9.0))

    found = find_origin(table, np.array([0]))

    assert found
    assert found.module == "db"


def test_there_is_no_origin_where_no_trace_says_where_it_went_wrong():
    assert origin((None, None, 1.0)) is None
