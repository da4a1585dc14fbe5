"""Entries of a library that name only what matters, and any entry at all."""

from typing import Any

from hypothesis import strategies as st

from graphmind.matching.record import Case, Entry, Fingerprint, Signature

SIGNATURE = Signature(structure_fingerprint="s", metric_signature={}, log_signature=())
FINGERPRINT = Fingerprint(
    structure={"router": 1.0, "tool (fails)": 1.7},
    error_codes={"timeout": 1.0},
    cause_class="tool search",
    failing_path="router > tool",
    signature=SIGNATURE,
)


def fingerprint(**changes: Any) -> Fingerprint:
    """Return a fingerprint with other parts; those of its signature are named as they are."""
    own = {name: value for name, value in changes.items() if name in SIGNATURE.__annotations__}
    rest = {name: value for name, value in changes.items() if name not in own}
    signature = Signature(**{**vars(SIGNATURE), **own})
    return Fingerprint(**{**vars(FINGERPRINT), "signature": signature, **rest})


def entry(incident_id: str, seen_ms: int = 0, *, case: Any = None, **changes: Any) -> Entry:
    """Return an entry seen at a time; ``case`` are other parts of the case."""
    return Entry(
        case=Case(
            **{
                "incident_id": incident_id,
                "title": f"title of {incident_id}",
                "symptom": "error",
                "root_cause": "tool search@v2",
                "root_node": "tool:search@v2",
                "command": {"action": "multi_trace_repair"},
                "seen_ms": seen_ms,
                **(case or {}),
            }
        ),
        fingerprint=fingerprint(**changes),
    )


names = st.text(min_size=1, max_size=8)
shares = st.floats(min_value=0.001, max_value=1)
signatures = st.builds(
    Signature,
    structure_fingerprint=names,
    metric_signature=st.dictionaries(names, st.integers(-5, 5), max_size=3),
    log_signature=st.lists(names, max_size=3).map(tuple),
)
fingerprints = st.builds(
    Fingerprint,
    structure=st.dictionaries(st.sampled_from("abcdefgh"), shares, max_size=6),
    error_codes=st.dictionaries(st.sampled_from("xyz"), shares, max_size=3).map(
        lambda codes: {code: share / sum(codes.values()) for code, share in sorted(codes.items())}
    ),
    cause_class=st.sampled_from([None, "agent one", "tool two"]),
    failing_path=names,
    signature=signatures,
)
cases = st.builds(
    Case,
    incident_id=names,
    title=names,
    symptom=names,
    root_cause=st.none() | names,
    root_node=st.none() | names,
    command=st.none() | st.dictionaries(names, names, max_size=2),
    seen_ms=st.integers(0, 2**40),
    traces=st.lists(names, max_size=2).map(tuple),
    recognised_as=st.none() | names,
    origin=st.sampled_from(["", "elsewhere"]),
)
entries = st.builds(Entry, case=cases, fingerprint=fingerprints)
libraries = st.lists(entries, max_size=8, unique_by=lambda own: own.case.incident_id)
