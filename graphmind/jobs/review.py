"""The weekly review (S48): gathered from the stores, kept by week, written as pages."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from graphmind.archive.port import Archive, Selection
from graphmind.archive.queries import Time
from graphmind.archive.tallies import Stretch
from graphmind.errors import StoreError, UnknownName
from graphmind.jobs.communities import communities_of
from graphmind.jobs.drift import drift
from graphmind.jobs.paths import frequent_failing_paths
from graphmind.jobs.reading.repairs import newest_live
from graphmind.jobs.rollback_advice import rollback_advices
from graphmind.jobs.stores import Stores
from graphmind.jobs.window import read_window
from graphmind.repair.track_record import verdict_of
from graphmind.review.assemble import HOUR_MS, assemble
from graphmind.review.causes import weeks_of
from graphmind.review.markdown import markdown
from graphmind.review.material import (
    Cluster,
    Counted,
    Hour,
    KeyUse,
    Material,
    Repairs,
    Traffic,
)
from graphmind.review.model import Group, Review
from graphmind.review.page import page
from graphmind.review.topology import match
from graphmind.review.week import DAY_MS, WEEK_HOURS, Week
from graphmind.settings import Settings
from graphmind.telemetry.facts import Facts

KIND: Final = "review"
"""The kind under which the archive keeps reviews, each by the name of its week."""
FOLDER: Final = "reviews"
MS_NS: Final = 1_000_000
COUNTED: Final = ("agent", "model_version", "region", "service", "tool")
GROUPS_MAX: Final = 200
"""Things of a kind that are counted (chosen)."""
FAULTS_MAX: Final = 200
PATHS_MAX: Final = 200
"""Paths read, more than are shown: those of the week before are found among them (chosen)."""
EXPOSED_MAX: Final = 50
"""Incidents that are gone of which it is asked who touches their cause now (chosen)."""


def review_week(stores: Stores, settings: Settings, *, week: str, now_ms: int) -> Review:
    """Assemble the review of a week, keep it, and write its pages to the data folder.

    ``week`` empty is the one of the last trace. Again, it replaces what is kept. Raises
    SettingsError for a name that is no week, UnknownName where the archive has no trace at all.
    """
    chosen = Week.parse(week) if week else _last(stores.archive)
    review = assemble(gather(stores, settings, chosen, now_ms=now_ms))
    write_pages(review, settings.data_dir / FOLDER)
    document = msgspec.to_builtins(review)
    stores.archive.replace_documents(KIND, {chosen.name: document})
    return review


def review_due(stores: Stores, settings: Settings, *, now_ms: int) -> str | None:
    """Write the review of the last week that is over, unless that was done; return its name.

    None where nothing was due: it is done, or no trace began in that week.
    """
    week = Week.of(now_ms).before
    kept = stores.archive.document(KIND, week.name)
    if kept is not None and kept["complete"]:
        return None
    last_ns = stores.archive.queries.last_start(before_ns=week.until_ms * MS_NS)
    if last_ns is None or last_ns < week.since_ms * MS_NS:
        return None
    return review_week(stores, settings, week=week.name, now_ms=now_ms).week


def kept_review(archive: Archive, week: str = "") -> Review:
    """Return a review that was written, the latest where no week is named. Raises UnknownName."""
    if week:
        Week.parse(week)
    name = week or max(archive.documents(KIND), default="")
    found = archive.document(KIND, name) if name else None
    if found is None:
        raise UnknownName(
            f"no review of {name or 'any week'} is kept. `graphmind review"
            f"{f' --week {name}' if name else ''}` writes it"
        )
    return msgspec.convert(found, Review)


def reviewed_weeks(archive: Archive) -> list[dict[str, Any]]:
    """Return the weeks of which a review is kept, newest first, with their headlines."""
    found = archive.documents(KIND)
    names = ("week", "complete", "headline", "since_ms", "until_ms")
    return [{name: found[week][name] for name in names} for week in sorted(found, reverse=True)]


def write_pages(review: Review, folder: Path) -> None:
    """Write the page and the Markdown, each replaced whole. Raises StoreError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for suffix, text in (("html", page(review)), ("md", markdown(review))):
            path = folder / f"{review.week}.{suffix}"
            partial = path.with_suffix(f".{suffix}.partial")
            partial.write_text(text, encoding="utf-8", newline="\n")
            partial.replace(path)
    except OSError as error:
        raise StoreError(
            f"{folder} cannot be written: {error.strerror}. Check the rights of the data folder"
        ) from error


def gather(stores: Stores, settings: Settings, week: Week, *, now_ms: int) -> Material:
    """Gather what the review of a week is made of."""
    archive = stores.archive
    incidents = archive.incidents()
    seen = _seen(archive, incidents)
    facts = _facts(archive, settings, week)
    return Material(
        week=week,
        complete=now_ms >= week.until_ms,
        incidents=incidents,
        seen=seen,
        exposed=_exposed(archive, incidents, seen, week),
        repairs=_repairs(stores),
        traffic=_traffic(archive, week),
        before=_traffic(archive, week.before),
        clusters=_clusters(facts),
        groups_before=_groups(archive, settings, week.before),
        keys=_keys(facts),
        drifts=drift(archive, until_ms=week.until_ms, hours=WEEK_HOURS),
        advices=rollback_advices(archive, until_ms=week.until_ms),
    )


def _last(archive: Archive) -> Week:
    last_ns = archive.queries.last_start()
    if last_ns is None:
        raise UnknownName("no trace is archived, so there is no week to review. Load traces first")
    return Week.of(last_ns // MS_NS)


def _facts(archive: Archive, settings: Settings, week: Week) -> Facts:
    chosen = Selection(from_ns=week.since_ms * MS_NS, until_ns=week.until_ms * MS_NS)
    return read_window(archive, chosen, settings.window_traces)


def _seen(archive: Archive, incidents: Sequence[Mapping[str, Any]]) -> dict[str, dict[int, int]]:
    """Count the failing traces of each incident by the day they began."""
    ids = sorted({trace for each in incidents for trace in each["trace_ids"]})
    starts = archive.starts(Selection(trace_ids=pa.array(ids, pa.string())))
    begun = dict(zip(starts["trace_id"].to_pylist(), starts["start_ns"].to_pylist(), strict=True))
    return {
        str(each["incident_id"]): dict(
            Counter(
                start // MS_NS // DAY_MS * DAY_MS
                for trace in each["trace_ids"]
                if (start := begun.get(trace)) is not None
            )
        )
        for each in incidents
    }


def _exposed(
    archive: Archive,
    incidents: Sequence[Mapping[str, Any]],
    seen: Mapping[str, Mapping[int, int]],
    week: Week,
) -> dict[str, float]:
    """Count who touches in this week the causes that only struck in the week before."""
    time = Time(since_ns=week.since_ms * MS_NS, until_ns=week.until_ms * MS_NS)
    gone = [
        each
        for each in incidents
        if each["causes"]
        and week.before.name in (weeks := weeks_of(each, seen[str(each["incident_id"])]))
        and week.name not in weeks
    ]
    found = {}
    for each in gone[:EXPOSED_MAX]:
        items = [(item["kind"], item["name"]) for item in each["causes"][0]["all_of"]]
        found[str(each["incident_id"])] = float(
            archive.queries.exposed(items, time, names_max=1)["traces"]
        )
    return found


def _repairs(stores: Stores) -> list[Repairs]:
    return [
        Repairs(
            repair_id=each.repair_id,
            incident_id=each.incident_id,
            strategy=each.strategy,
            operator=each.operator,
            state=str(each.state),
            verdict=verdict_of(each),
            requested_ms=each.requested_ms,
            ended_ms=each.ended_ms,
        )
        for each in newest_live(stores)
    ]


def _traffic(archive: Archive, week: Week) -> Traffic:
    stretch = Stretch(
        from_ns=week.since_ms * MS_NS,
        until_ns=week.until_ms * MS_NS,
        step_ns=HOUR_MS * MS_NS,
    )
    return Traffic(
        hours=[
            Hour(at_ms=row["at_ns"] // MS_NS, traces=row["traces"], failing=row["failing"])
            for row in archive.tallies.pace(stretch).to_pylist()
        ],
        counted=[
            Counted(
                kind=kind,
                name=row["name"],
                traces=row["traces"],
                failing=row["failing"],
                kept=row["kept"],
            )
            for kind in COUNTED
            for row in archive.tallies.groups(stretch, kind, groups_max=GROUPS_MAX).to_pylist()
        ],
        faults=_faults(archive, stretch),
        paths=frequent_failing_paths(
            archive, since_ms=week.since_ms, until_ms=week.until_ms, limit=PATHS_MAX
        ),
    )


def _faults(archive: Archive, stretch: Stretch) -> dict[tuple[str, str], float]:
    sums: Counter[tuple[str, str]] = Counter()
    for row in archive.tallies.faults(stretch, rows_max=FAULTS_MAX).to_pylist():
        sums[row["path"] or row["module"] or "", row["outcome"]] += row["failing"]
    return dict(sums)


def _clusters(facts: Facts) -> list[Cluster]:
    found = communities_of(facts, {})
    sick = pc.unique(facts.symptoms.filter(pc.is_valid(facts.symptoms["channel"]))["trace_id"])
    items = facts.items.filter(pc.is_in(facts.items["trace_id"], value_set=sick))
    label = pc.binary_join_element_wise(items["kind"], items["name"], " ")
    counts = {each["values"]: each["counts"] for each in pc.value_counts(label).to_pylist()}
    return [
        Cluster(weights={member: counts[member] for member in each.members}, failing=each.failing)
        for each in found
    ]


def _groups(archive: Archive, settings: Settings, week: Week) -> tuple[Group, ...]:
    """Return the groups of a week: as its review named them, else found anew."""
    kept = archive.document(KIND, week.name)
    if kept is not None:
        return msgspec.convert(kept["topology"], tuple[Group, ...])
    return match(_clusters(_facts(archive, settings, week)), ())


def _keys(facts: Facts) -> list[KeyUse]:
    """Count the agents that write and read each key."""
    agents: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    columns = [facts.accesses[name].to_pylist() for name in ("key", "op", "agent")]
    for key, op, agent in zip(*columns, strict=True):
        if agent:
            agents[key][op].add(agent)
    return [
        KeyUse(key=key, writers=len(by["write"]), readers=len(by["read"]))
        for key, by in sorted(agents.items())
    ]
