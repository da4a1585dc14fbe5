"""The command that stops a bad value: which keys to close, what to go back to, what that loses."""

from dataclasses import asdict
from typing import Any, Final

from graphmind.analysis.contamination.rollback import Rollback
from graphmind.analysis.contamination.trail import Ring, Trail
from graphmind.analysis.evidence import wilson_low
from graphmind.repair.command import KEYS_MAX

HARMED_MIN: Final = 3
"""Failing readers that a distance must show before its harm counts (chosen)."""
READERS_ENOUGH: Final = 20
"""Direct readers of whom a share would have failed if the value were bad (chosen)."""


def quarantine(trail: Trail, *, matched_cluster: str) -> dict[str, Any]:
    """Return the ``multi_trace_repair`` command against a bad value: proposed, never run from here.

    Keys are closed that hold what its readers fail of, and one hop beyond: as far as harm is seen.
    A key goes back to its last clean value where the history knows one.
    """
    far = harm_reach(trail)
    closed = [key for key in _by_harm(trail) if key.hops <= far]
    listed = closed[:KEYS_MAX]
    harmed = trail.traces.filter(trail.traces["harmed"])["trace_id"].to_pylist()
    return {
        "action": "multi_trace_repair",
        "state": "proposed",
        "level": "key",
        "root_node": _root(trail),
        "matched_cluster": matched_cluster,
        "trace_scope": sorted(harmed),
        "only_where": [],
        "repair_path": [
            *(f"quarantine_key:{each.key}" for each in listed),
            *(f"revert_key:{each.key}" for each in listed if each.to),
            *("redispatch:bulk", "mark_trace:fallback", "log_recovery:bulk"),
        ],
        "revert_to": [asdict(each.to) for each in listed if each.to],
        "lost": _lost([each for each in listed if each.to]),
        "reasons": _reasons(trail, far, closed),
        "touches": {
            "traces": trail.traces.num_rows,
            "tasks": [],
            "agents": sorted({agent for each in listed for agent in each.by_agent}),
            "regions": [],
            "keys": [each.key for each in listed],
        },
    }


def harm_reach(trail: Trail) -> int:
    """Return the farthest distance at which readers fail more than others.

    0 where too few have read it to tell, -1 where enough have and it did no harm.
    """
    usual = trail.others.harmed / max(trail.others.traces, 1)
    shown = [ring.hops for ring in trail.rings if _shows_harm(ring, usual)]
    if shown:
        return max(shown)
    return -1 if trail.rings and trail.rings[0].traces >= READERS_ENOUGH else 0


def _shows_harm(ring: Ring, usual: float) -> bool:
    return ring.harmed >= HARMED_MIN and wilson_low(ring.harmed, ring.traces) > usual


def _by_harm(trail: Trail) -> list[Rollback]:
    """Sort keys by the failing traces that read them, most first."""
    harmed = dict(zip(trail.keys["key"].to_pylist(), trail.keys["harmed"].to_pylist(), strict=True))
    return sorted(trail.rollbacks, key=lambda each: (-harmed[each.key], each.hops, each.key))


def _root(trail: Trail) -> str | None:
    if trail.patient_zero:
        return f"written_by_trace:{trail.patient_zero.write.trace_id}"
    keys = {write.key for write in trail.origins}
    return f"kv_key:{keys.pop()}" if len(keys) == 1 else None


def _lost(reverted: list[Rollback]) -> dict[str, Any]:
    """Sum up what goes with the values reverted."""
    writers = {writer for each in reverted for writer in each.healthy_writers}
    return {
        "writes": sum(each.writes for each in reverted),
        "healthy_writers": sorted(writers),
        "keys": [
            {
                "key": each.key,
                "writes": each.writes,
                "by_agent": each.by_agent,
                "healthy_writers": len(each.healthy_writers),
                "healthy_readers": each.healthy_readers,
            }
            for each in reverted
        ],
    }


def _reasons(trail: Trail, far: int, closed: list[Rollback]) -> list[str]:
    others = trail.others
    reasons = [
        f"{ring.harmed} of {ring.traces} traces {ring.hops} writes away fail"
        for ring in trail.rings[: max(far, 1)]
    ]
    reasons.append(f"{others.harmed} of {others.traces} traces that it did not reach fail")
    if trail.patient_zero:
        share = round(100 * trail.patient_zero.share)
        reasons.append(f"{share} % of the failing traces descend from one write")
    if far < 0:
        reasons.append("its readers fail no more than others: nothing to close")
    elif not closed:
        reasons.append("no key holds what its readers fail of any more: nothing to close")
    unknown = sum(each.to is None for each in closed)
    if unknown:
        reasons.append(f"no clean value known of {unknown} keys: closed, not reverted")
    if len(closed) > KEYS_MAX:
        reasons.append(f"{len(closed) - KEYS_MAX} more keys hold it, read by fewer failing traces")
    return reasons
