"""The README of pull sources is what the code takes."""

import re
from importlib.metadata import entry_points
from pathlib import Path

import msgspec
import pytest
from graphmind_loaders.pull.config import read_sources
from graphmind_loaders.pull.options import HttpOptions, Options

README = (Path(__file__).parents[3] / "loaders/graphmind_loaders/pull/README.md").read_text()
KINDS = sorted(entry_points(group="graphmind.pull_sources"))


def test_the_example_is_read(tmp_path):
    [example] = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    path = tmp_path / "sources.yaml"
    path.write_text(example)

    sources = read_sources(path, {"JAEGER_TOKEN": "t"})

    assert [source.name for source in sources] == ["traces", "logs"]
    opened = [entry_points(group="graphmind.pull_sources")[source.kind] for source in sources]
    for entry, source in zip(opened, sources, strict=True):
        entry.load()(source).close()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_option_is_named_in_the_row_of_its_kind(kind):
    [row] = re.findall(rf"^\| `{kind.name}` \|.*$", README, re.MULTILINE)
    module = __import__(kind.module, fromlist=["*"])
    [options] = [
        each
        for name, each in vars(module).items()
        if name.endswith("Options") and each not in (Options, HttpOptions)
    ]
    shared = {field.name for field in msgspec.structs.fields(HttpOptions)}
    taken = {field.name for field in msgspec.structs.fields(options)}

    assert {name for name in taken - shared if f"`{name}`" not in row} == set()
