import csv
import io
import json

import pytest
from graphmind_loaders import inventory_sources, read_inventory
from graphmind_loaders.records import MISSHAPEN
from hypothesis import given
from hypothesis import strategies as st

from graphmind.errors import SourceError
from graphmind.graph.schema import Agent, Change, KvKey, ModelVersion, Task
from graphmind.telemetry.rejections import Rejections

YAML = """\
# What runs, and what changed.
agents:
  - key: shop/router
    version: "2.1"
    hot_restart: true
    region: eu-west-1
model_versions:
  - key: m@2
    model: m
    previous: m@1
    released: 2026-01-02T03:04:05Z
kv_keys:
  - {key: "redis:cart:*", ttl_ms: 60000}
changes:
  - {key: c1, kind: deploy, target: m@2, target_label: ModelVersion, at: 1767323045000, from: m@1}
"""

JSON = json.dumps(
    {
        "agents": [
            {"key": "shop/router", "version": "2.1", "hotRestart": True, "region": "eu-west-1"}
        ],
        "ModelVersion": {
            "key": "m@2",
            "model": "m",
            "previous": "m@1",
            "releasedMs": "1767323045000",
        },
        "kv_key": [{"key": "redis:cart:*", "ttlMs": 60000}],
        "changes": [
            {
                "key": "c1",
                "kind": "deploy",
                "target": "m@2",
                "targetLabel": "ModelVersion",
                "at_ms": "2026-01-02T03:04:05+00:00",
                "from": "m@1",
            }
        ],
    },
    indent=2,
)

LINES = "\n".join(
    json.dumps({"label": label, **record})
    for label, records in json.loads(JSON).items()
    for record in (records if isinstance(records, list) else [records])
)

CSV = """\
label,key,version,hot_restart,region,model,previous,released,ttl_ms,kind,target,target_label,at,from
Agent,shop/router,2.1,true,eu-west-1
ModelVersion,m@2,,,,m,m@1,2026-01-02T03:04:05Z
KvKey,redis:cart:*,,,,,,,60000

Change,c1,,,,,,,,deploy,m@2,ModelVersion,2026-01-02 03:04:05,m@1
"""

NODES = [
    Agent(key="shop/router", version="2.1", hot_restart=True, region="eu-west-1"),
    ModelVersion(key="m@2", model="m", previous="m@1", released_ms=1767323045000),
    KvKey(key="redis:cart:*", ttl_ms=60000),
    Change(
        key="c1",
        kind="deploy",
        target="m@2",
        target_label="ModelVersion",
        at_ms=1767323045000,
        from_="m@1",
    ),
]


def read(text: str | bytes) -> tuple[list, Rejections]:
    rejected = Rejections()
    file = text.encode() if isinstance(text, str) else text
    return list(read_inventory(["-"], rejected, stdin=io.BytesIO(file))), rejected


@pytest.mark.parametrize(
    "text", [YAML, JSON, LINES, CSV, CSV.replace(",", ";"), CSV.replace(",", "\t"), "\ufeff" + CSV]
)
def test_every_format_gives_the_same_nodes(text):
    assert read(text) == (NODES, Rejections())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (YAML, "inventory-yaml"),
        ("- label: Agent\n  key: a\n", "inventory-yaml"),
        (JSON, "inventory-json"),
        (LINES, "inventory-json"),
        (CSV, "inventory-csv"),
    ],
)
def test_each_format_is_recognised_by_one_source(text, name):
    assert [s.name for s in inventory_sources() if s.recognises(text.encode())] == [name]


@pytest.mark.parametrize("text", ['{"resourceSpans": []}', "a,b\n1,2\n", "name: x\n", "# agents"])
def test_other_files_are_refused_with_what_is_accepted(text):
    with pytest.raises(SourceError, match=r"unknown kind.*Accepted are inventory-csv"):
        read(text)


@pytest.mark.parametrize(
    "record",
    [
        {"version": "1"},
        {"key": 5, "version": []},
        {"key": "a", "colour": "red"},
        {"key": "a", "first_seen": "long ago"},
        "a",
        None,
    ],
)
def test_a_bad_record_is_counted_and_the_others_are_read(record):
    found, rejected = read(json.dumps({"agents": [record, {"key": "a"}], "tasks": [{"key": "t"}]}))

    assert found == [Agent(key="a"), Task(key="t")]
    assert rejected.counts == {MISSHAPEN: 1}


def test_the_sample_of_an_unknown_field_names_the_known_ones():
    _, rejected = read('{"tasks": [{"key": "t", "colour": 1}]}')

    [sample] = rejected.samples[MISSHAPEN]
    assert sample.startswith(
        "tasks: unknown field 'colour', expected some of "
        "first_seen_ms, key, last_seen_ms, name, seq_no"
    )


def test_an_unknown_section_is_counted():
    found, rejected = read('{"agents": [{"key": "a"}], "gadgets": [1, 2]}')

    assert found == [Agent(key="a")]
    assert rejected.counts == {"inventory record of an unknown label": 2}


def test_a_row_longer_than_its_header_is_counted():
    found, rejected = read("label,key\nAgent,a,b\nAgent,c\n")

    assert found == [Agent(key="c")]
    assert rejected.counts == {MISSHAPEN: 1}


@pytest.fixture
def csv_limit():
    """The limit of the csv module as it is at start: it is the process's, others may raise it."""
    limit = csv.field_size_limit(131_072)
    yield
    csv.field_size_limit(limit)


@pytest.mark.usefixtures("csv_limit")
def test_a_cell_longer_than_any_is_counted():
    found, rejected = read(f"label,key\nAgent,{'x' * 200_000}\nAgent,c\n")

    assert found == [Agent(key="c")]
    assert rejected.counts == {MISSHAPEN: 1}


def test_broken_yaml_is_refused_with_its_place():
    with pytest.raises(SourceError, match=r"broken YAML.*line 2"):
        read("agents:\n  - {key: a\n")


def test_json_cut_off_keeps_its_whole_records():
    found, rejected = read('{"agents": [{"key": "a"}, {"key": "b"')

    assert found == [Agent(key="a")]
    assert rejected.counts == {"broken JSON": 1}


@given(st.sampled_from([YAML, JSON, LINES, CSV]), st.data())
def test_a_damaged_file_raises_nothing_but_a_source_error(text, data):
    file = text.encode()
    at = data.draw(st.integers(0, len(file) - 1))
    damaged = file[:at] + data.draw(st.binary(max_size=2)) + file[at + 1 :]

    try:
        found, _ = read(damaged)
    except SourceError:
        found = []

    assert all(isinstance(node, Agent | ModelVersion | KvKey | Change) for node in found)
