"""The examples of the loaders' README are read as it says."""

import io
import re
from pathlib import Path

import pytest
from graphmind_loaders import inventory_sources, read_inventory, sources

from graphmind.graph.schema import label
from graphmind.telemetry.rejections import Rejections

README = (Path(__file__).parents[2] / "loaders" / "README.md").read_text()


@pytest.mark.parametrize(
    ("language", "labels"),
    [
        ("yaml", ["Agent", "ModelVersion", "KvKey", "Change"]),
        ("json", ["Agent", "ModelVersion"]),
        ("csv", ["ModelVersion", "Change"]),
    ],
)
def test_each_example_of_an_inventory_is_read_whole(language, labels):
    [example] = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    rejected = Rejections()

    found = list(read_inventory(["-"], rejected, stdin=io.BytesIO(example.encode())))

    assert [label(type(node)) for node in found] == labels
    assert rejected.counts == {}


def test_every_source_is_described():
    described = set(re.findall(r"`((?:inventory-|otlp-|jaeger-|otel-)?\w+)`", README))

    assert {source.name for source in (*sources(), *inventory_sources())} <= described
