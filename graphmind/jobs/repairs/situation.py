"""What is known of an incident when a repair of it is considered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.archive.port import Archive, Selection
from graphmind.errors import SettingsError
from graphmind.incidents.incident import Incident
from graphmind.jobs.classify import classify
from graphmind.jobs.window import read_window
from graphmind.repair.alternatives import Alternatives, alternatives_to
from graphmind.repair.trigger import Signs, signs_of
from graphmind.settings import Settings
from graphmind.telemetry.facts import Facts
from graphmind.verification.history import nearest_rank

MS_NS: Final = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Situation:
    """An incident, what it shows, and what could stand in for its cause."""

    incident: Mapping[str, Any]
    """Its document."""
    signs: Signs
    alternatives: Alternatives
    fingerprint: str
    """Hash by which the case library knows it; empty where it does not."""
    facts: Facts
    """Of the window."""
    from_ms: int
    until_ms: int
    """The window that the alternatives were seen in, and that impact is asked of."""

    @property
    def confidence(self) -> float:
        """Of the first cause; 0 without one."""
        causes = self.incident["causes"]
        return float(causes[0]["confidence"]) if causes else 0.0


def situation_of(
    archive: Archive, settings: Settings, incident: Mapping[str, Any], *, now_ms: int
) -> Situation:
    """Read what the archive knows of an incident, in the live window that ends with it."""
    causes = incident["causes"]
    last_ms = max([incident["onset_ms"], *(cause["until_ms"] for cause in causes)])
    # A window of recent traffic where the incident goes on, else of its own time.
    long_ms = round(settings.live_window_s * 1000)
    until_ms = now_ms if now_ms - last_ms < long_ms else last_ms + 1
    from_ms = min(until_ms - long_ms, incident["onset_ms"] - long_ms // 2)
    selection = Selection(from_ns=from_ms * MS_NS, until_ns=until_ms * MS_NS)
    facts = read_window(archive, selection, settings.live_traces)
    return Situation(
        incident=incident,
        signs=signs_of(
            incident,
            metrics=_metrics(incident, facts),
            cause_class=_cause_class(archive, settings, incident),
        ),
        alternatives=alternatives_to(msgspec.convert(dict(incident), Incident), facts),
        fingerprint=fingerprint_of(incident),
        facts=facts,
        from_ms=from_ms,
        until_ms=until_ms,
    )


def fingerprint_of(incident: Mapping[str, Any]) -> str:
    """Return the hash of an incident's structure; empty where none was taken."""
    seen = incident.get("seen") or {}
    return str(seen.get("fingerprint", {}).get("hash", ""))


def root_cause_of(incident: Mapping[str, Any]) -> str:
    """Return ``kind:name`` of the first cause, items joined by `` + ``; empty without one."""
    causes = incident["causes"]
    items = causes[0]["all_of"] if causes else ()
    return " + ".join(f"{item['kind']}:{item['name']}" for item in items)


def _metrics(incident: Mapping[str, Any], facts: Facts) -> dict[str, float]:
    """Return what conditions may measure: ``latency`` (ms) and ``failure_rate`` of the exposed."""
    own = pc.is_in(facts.traces["trace_id"], pa.array(incident["trace_ids"], pa.string()))
    durations = [ns / MS_NS for ns in facts.traces["duration_ns"].filter(own).to_pylist() if ns]
    latency = nearest_rank(durations, 0.95)
    found = {} if latency is None else {"latency": latency}
    if incident["causes"]:
        cause = incident["causes"][0]
        touched = cause["failed_with"] + cause["passed_with"]
        if touched:
            found["failure_rate"] = cause["failed_with"] / touched
    return found


def _cause_class(archive: Archive, settings: Settings, incident: Mapping[str, Any]) -> str:
    """Return the classifier's verdict; empty where it has none, or its rules cannot be read."""
    try:
        verdict = classify(archive, settings, incident["incident_id"]).verdict
    except SettingsError:
        return ""
    return verdict.root_cause if verdict else ""
