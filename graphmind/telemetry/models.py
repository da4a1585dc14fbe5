"""Which model and version a call went to, where the span itself does not say both."""

import re
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.telemetry.numbering import numbered_texts
from graphmind.telemetry.spans import STATUS_ERROR
from graphmind.telemetry.tree import Ints

NEIGHBOURS: Final = 10
"""Answered calls before and after a silent one that must agree on the version (chosen): of a
version that a quarter of the calls get, all twenty miss in one case of 300."""

# What follows a model's name where only the build differs: a date, a number, a channel.
_BUILD: Final = re.compile(r"([-@:_. ]v?[\d.]+|[-@:](latest|preview|stable))+$")


def family(model: str) -> str:
    """Return a model's name without its provider and its build."""
    return _BUILD.sub("", model.lower().rpartition("/")[2])


def answering_models(spans: pa.Table) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Return the model requested and the version of each span.

    A failed call carries the model requested but none that answered. Blaming the requested name
    would make an item that only failures have, so the version is that of the calls answered at the
    time, if they agree; else it stays unknown. A name that nothing answers to is a version itself.
    """
    requested, version = spans.column("model_requested"), spans.column("model_version")
    silent = pc.and_(pc.is_null(version), pc.is_valid(requested))
    if not pc.any(silent).as_py():
        return requested, version
    answered = pc.is_in(requested, value_set=pc.unique(requested.filter(pc.is_valid(version))))
    failed = pc.equal(spans.column("status"), STATUS_ERROR)
    bare = _bare_names(requested, version, pc.and_(silent, pc.invert(answered)), failed)
    itself = pc.and_(
        silent,
        pc.invert(pc.or_(answered, pc.is_in(requested, value_set=pa.array(bare, pa.string())))),
    )
    version = pc.if_else(itself, requested, version)
    requested = _with_families(requested, version, bare)
    return requested, pc.coalesce(version, _version_at_the_time(spans, requested, version))


def _bare_names(
    requested: pa.ChunkedArray,
    version: pa.ChunkedArray,
    unanswered: pa.ChunkedArray,
    failed: pa.ChunkedArray,
) -> list[str]:
    """Names that only failed calls carry, while builds of that name answer.

    Some instrumentations put the requested name where the answering model goes once it is known.
    """
    sound = pc.and_(unanswered, pc.invert(failed))
    well = pc.unique(requested.filter(sound)).to_pylist()
    builds = {name for name in well + pc.unique(version).to_pylist() if name}
    names = set(pc.unique(requested.filter(unanswered)).to_pylist()) - set(well)
    return sorted(name for name in names if any(_is_build(build, name) for build in builds))


def _is_build(build: str, name: str) -> bool:
    return build.startswith(name) and bool(_BUILD.fullmatch(build[len(name) :]))


def _with_families(
    requested: pa.ChunkedArray, version: pa.ChunkedArray, bare: list[str]
) -> pa.ChunkedArray:
    """Fill the bare name in where a build of it answers, so that all its calls carry it."""
    if not bare:
        return requested
    of_build = {
        build: max((name for name in bare if _is_build(build, name)), key=len, default=None)
        for build in pc.unique(version.drop_null()).to_pylist()
    }
    at = pc.index_in(version, value_set=pa.array(list(of_build), pa.string()))
    return pc.coalesce(pa.array(list(of_build.values()), pa.string()).take(at), requested)


def _version_at_the_time(
    spans: pa.Table, requested: pa.ChunkedArray, version: pa.ChunkedArray
) -> pa.Array:
    """Return, for calls without an answer, the version that answered the calls around them."""
    asked, got = numbered_texts(requested), numbered_texts(version)
    names = pc.unique(version.drop_null())
    start = pc.fill_null(spans.column("start_ns"), 0).to_numpy()
    order = np.lexsort((got, start, asked))
    answered, silent = order[got[order] >= 0], order[(got[order] < 0) & (asked[order] >= 0)]
    place = _rank(asked, start, answered, silent)
    found = np.full(len(asked), -1)
    first = np.searchsorted(asked[answered], asked[silent], side="left")
    end = np.searchsorted(asked[answered], asked[silent], side="right")
    low = np.maximum(place - NEIGHBOURS, first)
    high = np.minimum(np.minimum(place + NEIGHBOURS, end), len(answered))
    changes = np.cumsum(np.append(0, np.diff(got[answered]) != 0))
    some = high > low
    agree = changes[low[some]] == changes[high[some] - 1]
    found[silent[some][agree]] = got[answered[low[some][agree]]]
    return names.take(pa.array(found, mask=found < 0))


def _rank(asked: Ints, start: Ints, answered: Ints, silent: Ints) -> Ints:
    """Return how many of the answered rows precede each silent row; both by name, then start."""
    keys = np.concatenate([np.stack([asked[rows], start[rows]]) for rows in (answered, silent)], 1)
    late = np.repeat([0, 1], [len(answered), len(silent)])
    order = np.lexsort((late, keys[1], keys[0]))
    before = np.cumsum(late[order] == 0)
    rank = np.empty(len(order), np.int64)
    rank[order] = before
    return rank[len(answered) :]
