"""Small material of a review."""

from typing import Any

from graphmind.review.material import Cluster, Counted, Hour, KeyUse, Material, Traffic
from graphmind.review.week import DAY_MS, Week

WEEK = Week.parse("2026-W12")
HOSTILE = "</style><script>alert(1)</script>|`x`"


def incident(name: str, *, item: tuple[str, str], at_ms: int, **changed: Any) -> dict[str, Any]:
    """Return an incident of one cause that failed for an hour."""
    kind, thing = item
    until_ms = at_ms + 3_600_000
    cause = {
        "kind": kind,
        "label": f"{kind} {thing}",
        "all_of": [{"kind": kind, "name": thing}],
        "tied": [],
        "onset_ms": at_ms,
        "until_ms": until_ms,
    }
    return {
        "incident_id": name,
        "symptom": "error",
        "root_module": "InferenceRPC",
        "state": "closed",
        "confidence": 0.97,
        "onset_ms": at_ms,
        "last_failing_ms": until_ms,
        "causes": [cause],
        **changed,
    }


def drifting(agent: str, score: float) -> dict[str, Any]:
    """Return the drift of an agent, half as slow again, or of one that is as it was."""
    return {
        "group": agent,
        "response_shift": 0.405 if score else 0.01,
        "branch_shift": 0.02,
        "mean_ms": 1500.0,
        "was_mean_ms": 1000.0,
        "since_ms": WEEK.since_ms + DAY_MS if score else None,
        "score": score,
        "q_value": 0.001 if score else 0.9,
    }


def material(**changed: Any) -> Material:
    """Return a week with one new, one recurring and one fixed cause."""
    this, last = WEEK.since_ms + DAY_MS, WEEK.before.since_ms + DAY_MS
    incidents = [
        incident("i-new", item=("tool", HOSTILE), at_ms=this),
        incident("i-again", item=("model_version", "atlas@3.1.8"), at_ms=this),
        incident("i-then", item=("model_version", "atlas@3.1.7"), at_ms=last),
        incident("i-fixed", item=("region", "eu-1"), at_ms=last),
        incident("i-later", item=("agent", "late"), at_ms=WEEK.until_ms),
    ]
    seen = {each["incident_id"]: {each["onset_ms"]: 10} for each in incidents}
    counted = [
        Counted(kind="model_version", name="atlas@3.1.8", traces=500, failing=50, kept=500),
        Counted(kind="service", name="router", traces=1000, failing=60, kept=1000),
        Counted(kind="region", name="us-1", traces=1000, failing=20, kept=1000),
    ]
    before = [Counted(kind="model_version", name="atlas@3.1.8", traces=500, failing=5, kept=500)]
    given: dict[str, Any] = {
        "week": WEEK,
        "complete": True,
        "incidents": incidents,
        "seen": seen,
        "exposed": {"i-fixed": 80.0},
        "repairs": [],
        "traffic": Traffic(
            hours=[Hour(at_ms=this, traces=1000, failing=60)],
            counted=counted,
            faults={(f"a > {HOSTILE}", "failed"): 60.0},
            paths=[{"path": ["a", HOSTILE], "failing": 60.0, "passed": 140.0, "lift": 5.0}],
        ),
        "before": Traffic(counted=before),
        "clusters": [
            Cluster(weights={"tool x": 9, f"agent {HOSTILE}": 7, "region us-1": 5}, failing=9)
        ],
        "groups_before": (),
        "keys": [KeyUse(key=HOSTILE, writers=4, readers=5)],
        "drifts": [drifting("slow one", 0.25), drifting("steady", 0.0)],
        "advices": [
            {"model": "atlas", "from": "atlas@3.1.8", "to": "atlas@3.1.6", "why": HOSTILE},
        ],
    }
    return Material(**given | changed)
