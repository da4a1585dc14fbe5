"""The same telemetry gives the same incidents: in another order, split, with other ids."""

from collections.abc import Sequence
from io import BytesIO
from itertools import pairwise
from random import Random
from typing import Any

import orjson
import pytest
from graphmind_loaders import otlp_json

from graphmind.archive.duck import DuckArchive
from graphmind.archive.port import Selection
from graphmind.jobs.analyze import examine
from graphmind.jobs.load import load
from graphmind.jobs.settle import settle
from graphmind.jobs.window import read_window
from graphmind.settings import Settings
from graphmind.simulation.files import SPANS_FILE, write
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.simulate import simulate
from graphmind.telemetry.rejections import Rejections
from graphmind.telemetry.resolver_table import default_table

SCENARIO = Scenario(seed=5, traces=1500, incidents=3)
LATER_NS = 10**19 // 2
ID_FIELDS = ("traceId", "spanId", "parentSpanId")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lines(tmp_path_factory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("simulated")
    write(simulate(SCENARIO), folder)
    text: bytes = (folder / SPANS_FILE).read_bytes()
    return text.splitlines(keepends=True)


@pytest.fixture(scope="module")
def plain(lines) -> list[dict[str, Any]]:
    return incidents_of([lines])


def incidents_of(files: Sequence[Sequence[bytes]]) -> list[dict[str, Any]]:
    """Load files one after the other as the product does, and examine all of it."""
    settings, rejected = Settings(), Rejections()
    with DuckArchive(None) as archive:
        for file in files:
            load(
                otlp_json.read(BytesIO(b"".join(file)), rejected),
                archive,
                settings,
                table=default_table(),
                rejected=rejected,
                now_ns=LATER_NS,
            )
            settle(archive, settings, rejected)
        assert rejected.rows() == []
        return examine(read_window(archive, Selection(), settings.window_traces), settings)[1]


def test_the_window_holds_incidents(plain):
    assert len(plain) >= 3


def test_lines_in_another_order_give_the_same_incidents(lines, plain):
    assert incidents_of([Random(1).sample(lines, len(lines))]) == plain


def test_lines_split_into_several_loads_give_the_same_incidents(lines, plain):
    mixed = Random(2).sample(lines, len(lines))
    cuts = (0, len(lines) // 5, len(lines) // 2, len(lines))
    parts = [mixed[a:b] for a, b in pairwise(cuts)]

    assert incidents_of(parts) == plain


def test_other_ids_give_the_same_incidents_under_the_other_ids(lines, plain):
    names: dict[str, str] = {}
    renamed = incidents_of(
        [[orjson.dumps(other_ids(orjson.loads(line), names)) + b"\n" for line in lines]]
    )
    back = {new: old for old, new in names.items()}

    assert [essence(incident) for incident in with_names(renamed, back)] == [
        essence(incident) for incident in plain
    ]


def essence(incident: dict[str, Any]) -> dict[str, Any]:
    """What does not depend on the order of ids: examples of equal rank are taken by id."""
    chosen = ("examples", "survivors", "root_span")
    kept = {name: value for name, value in incident.items() if name not in chosen}
    scope = sorted(incident["command"]["trace_scope"])
    return kept | {
        "trace_ids": sorted(incident["trace_ids"]),
        "command": incident["command"] | {"trace_scope": scope},
    }


def other_ids(node: Any, names: dict[str, str]) -> Any:
    """Rename trace and span ids, each to one that sorts elsewhere."""
    if isinstance(node, dict):
        return {
            key: names.setdefault(value, value[::-1])
            if key in ID_FIELDS and value
            else other_ids(value, names)
            for key, value in node.items()
        }
    return [other_ids(part, names) for part in node] if isinstance(node, list) else node


def with_names(documents: Any, names: dict[str, str]) -> Any:
    if isinstance(documents, dict):
        return {key: with_names(value, names) for key, value in documents.items()}
    if isinstance(documents, list | tuple):
        return type(documents)(with_names(part, names) for part in documents)
    return names.get(documents, documents)
