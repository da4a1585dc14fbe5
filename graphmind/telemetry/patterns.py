"""Log lines become patterns: what varies is masked, and Drain finds what they have in common."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from drain3.drain import Drain, LogCluster, Node

from graphmind.telemetry.logs import LINES, SEVERITY_WARN

CLUSTERS_MAX: Final = 1_000
"""Patterns kept; the one not seen for longest makes room (chosen)."""
LINES_PER_S_MAX: Final = 5_000
"""Lines mined a second (chosen). Masking takes 8 us a line, and mining 16 us a masked text that no
other line of the batch has (measured): an eighth of a core at most."""
CHARS_MAX: Final = 300
"""A text is mined up to here (chosen): a pattern names a message, it does not hold a stack."""
VERSION: Final = 1

_MASKS: Final = (
    (r"(?s)\n.*", ""),  # the first line names the message
    (r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b", "<ID>"),
    (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?", "<TIME>"),
    (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", "<IP>"),
    (r"\b[A-Za-z]+(?:_\d+|-\d{3,})\b", "<ID>"),
    (r"\bv?\d+(?:[.,]\d+)*(?:e[+-]?\d+)?(?:ns|us|ms|s|m|h|%|[KMGT]i?B|B)?\b", "<NUM>"),
    (r"\b(?:0x[0-9a-fA-F]+|[0-9a-fA-F]{8,})\b", "<HEX>"),
)
_ANY: Final = "<*>"


class Patterns:
    """Mines one stream of lines; its state can be written down and taken up again."""

    def __init__(self, clusters_max: int = CLUSTERS_MAX) -> None:
        """Start knowing nothing."""
        self._clusters_max = clusters_max
        # Four tokens in ten alike make one pattern, three levels of tree: Drain's own defaults.
        self._drain = Drain(max_clusters=clusters_max, param_str=_ANY)
        self._used: dict[int, None] = {}
        """Ids of patterns, the one not seen for longest first: what the cache does not tell."""
        self._room = float(LINES_PER_S_MAX)
        self._now_ns: int | None = None
        self.changed = False
        """Whether ``document`` says something new; set back by whoever has kept it."""

    @classmethod
    def of(cls, document: Mapping[str, Any] | None, clusters_max: int = CLUSTERS_MAX) -> "Patterns":
        """Take up the state of ``document``; one of another version is as good as none."""
        patterns = cls(clusters_max)
        if document is None or document.get("version") != VERSION:
            return patterns
        drain = patterns._drain
        for number, size, tokens in document["patterns"]:
            cluster = LogCluster(tokens, number)
            cluster.size = size
            drain.id_to_cluster[number] = cluster
            patterns._used[number] = None
        drain.clusters_counter = document["counter"]
        drain.root_node = _node(document["tree"])
        return patterns

    def document(self) -> dict[str, Any]:
        """Return the state as JSON-ready names and values."""
        clusters = self._drain.id_to_cluster
        return {
            "version": VERSION,
            "counter": self._drain.clusters_counter,
            "patterns": [
                [number, clusters.get(number).size, list(clusters.get(number).log_template_tokens)]
                for number in self._used
            ],
            "tree": _written(self._drain.root_node, frozenset(self._used)),
        }

    def mine(self, lines: pa.RecordBatch, now_ns: int) -> pa.RecordBatch:
        """Return LINES with the patterns of those worth one: of a trace, and not plainly well.

        Lines beyond what is mined in a second have none. A pattern is as general as the lines
        seen so far: what comes later may widen it for the lines that follow.
        """
        severity = lines.column("severity")
        bad = pc.or_(pc.greater_equal(severity, SEVERITY_WARN), pc.equal(severity, 0))
        worth = pc.and_(pc.fill_null(bad, True), pc.is_valid(lines.column("trace_id")))
        rows = pc.indices_nonzero(worth)
        rows = rows[: self._granted(len(rows), now_ns)]
        encoded = masked(lines.column("body").take(rows)).dictionary_encode()
        # All of them first: what the last ones widen is said of the first ones too.
        clusters = [self._cluster(text) for text in encoded.dictionary.to_pylist()]
        found = [None if cluster is None else cluster.get_template() for cluster in clusters]
        mined = pa.array(found, pa.string()).take(encoded.indices)
        column = pc.replace_with_mask(lines.column("pattern"), _mask(rows, len(worth)), mined)
        at = lines.schema.get_field_index("pattern")
        return lines.set_column(at, LINES.field(at), column)

    def _granted(self, asked: int, now_ns: int) -> int:
        """Return how many of some lines there is time for."""
        if self._now_ns is not None:
            passed_s = max(0, now_ns - self._now_ns) / 1e9
            self._room = min(LINES_PER_S_MAX, self._room + passed_s * LINES_PER_S_MAX)
        self._now_ns = now_ns
        granted = min(asked, int(self._room))
        self._room -= granted
        return granted

    def _cluster(self, text: str | None) -> LogCluster | None:
        if not text or not text.strip():
            return None
        cluster, change = self._drain.add_log_message(text)
        self.changed |= change != "none"
        self._used.pop(cluster.cluster_id, None)
        self._used[cluster.cluster_id] = None
        if len(self._used) > self._clusters_max:
            del self._used[next(iter(self._used))]
        return cluster


def _mask(rows: pa.Array, count: int) -> pa.Array:
    mask = np.zeros(count, bool)
    mask[rows.to_numpy()] = True
    return pa.array(mask)


def masked(texts: pa.Array) -> pa.Array:
    """Replace ids, times, addresses, hexadecimal and plain numbers by what they are."""
    texts = pc.utf8_slice_codeunits(texts, 0, CHARS_MAX)
    for pattern, word in _MASKS:
        texts = pc.replace_substring_regex(texts, pattern, word)
    return texts


def _written(node: Node, alive: frozenset[int]) -> dict[str, Any]:
    """Write a node of Drain's tree, without the patterns that have made room."""
    return {
        "in": {token: _written(child, alive) for token, child in node.key_to_child_node.items()},
        "of": [number for number in node.cluster_ids if number in alive],
    }


def _node(written: Mapping[str, Any]) -> Node:
    node = Node()
    node.key_to_child_node = {token: _node(child) for token, child in written["in"].items()}
    node.cluster_ids = list(written["of"])
    return node
