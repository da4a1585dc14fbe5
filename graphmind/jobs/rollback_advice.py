"""Which version of a model to go back to (S37)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphmind.analysis.evidence import wilson_interval
from graphmind.archive.port import Archive
from graphmind.archive.tallies import Stretch
from graphmind.errors import UnknownName

TRACES_MIN: Final = 100
"""Traces on which a failing share counts as measured (chosen)."""
RATIO_MIN: Final = 1.5
"""How much more often a version fails than the traces without it, at least (chosen): a smaller
difference is no reason to move traffic, however sure it is."""
VERSIONS_MAX: Final = 10_000
HOUR_MS: Final = 3_600_000
BACK_MS: Final = 14 * 24 * HOUR_MS
"""How long before a version's last trace its share is measured (chosen)."""
MS_NS: Final = 1_000_000
KIND: Final = "model_version"
_DATED: Final = re.compile(r"([^@]+)-(\d{4}-\d{2}-\d{2}|\d{8})")
"""A model whose version is a date, as providers name them."""
_NUMBERS: Final = re.compile(r"v?(\d+(?:\.\d+)*)")
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class _Version:
    """A version with its traces, and the base rate: the failing share of those without it.

    Intervals are at 95 %, of the traces kept.
    """

    name: str
    kept: int
    share: float
    first_ns: int
    others_kept: int
    base_rate: float

    @property
    def model(self) -> str:
        """Return what it is a version of: ``atlas`` of ``atlas@3.1`` and ``atlas-2026-02-07``."""
        dated = _DATED.fullmatch(self.name)
        return dated[1] if dated else self.name.rpartition("@")[0] or self.name

    @property
    def numbers(self) -> tuple[int, ...]:
        """Return the numbers of its version, or its date; empty where it has neither."""
        if dated := _DATED.fullmatch(self.name):
            return (int(dated[2].replace("-", "")),)
        number = _NUMBERS.fullmatch(self.name.rpartition("@")[2])
        return tuple(int(part) for part in number[1].split(".")) if number else ()

    @property
    def interval(self) -> tuple[float, float]:
        """Return Wilson's interval."""
        return wilson_interval(self.share * self.kept, self.kept)

    @property
    def fails(self) -> bool:
        """Whether it is sure to fail clearly more often than the traces without it."""
        if self.others_kept < TRACES_MIN:
            return False
        _, base_high = wilson_interval(self.base_rate * self.others_kept, self.others_kept)
        return self.interval[0] > RATIO_MIN * base_high

    def is_better_than(self, other: "_Version") -> bool:
        """Whether it is sure to fail less often, and does not itself fail beyond the base rate."""
        enough = self.kept >= TRACES_MIN and not self.fails
        return enough and self.interval[1] < other.interval[0]

    def told(self) -> str:
        """Return its share in words."""
        low, high = self.interval
        return (
            f"{self.name} failed in {self.share:.1%} of {self.kept} traces "
            f"(95 % interval {low:.1%} to {high:.1%})"
        )

    def told_base(self) -> str:
        """Return the base rate in words."""
        return f"the {self.others_kept} traces without it failed in {self.base_rate:.1%}"


def rollback_advice(archive: Archive, model: str, *, until_ms: int | None = None) -> Row:
    """Return ``model``, ``from``, ``to`` and ``why`` for a model, or one version (`model@version`).

    ``from`` is the newest version that is sure to fail clearly more often than the traces without
    it, None where none is; ``to`` the newest earlier version that is sure to fail less often and
    does not itself fail beyond the base rate, None where none is. Only traces before ``until_ms``
    count. Raises UnknownName.
    """
    known = _versions(archive, until_ms)
    own = [each for each in known if model in (each.model, each.name)]
    if not own:
        raise UnknownName(
            f"no trace used model {model}. GET /api/v1/model-versions lists those that were used"
        )
    return _advice(own[0].model, [each for each in known if each.model == own[0].model], own)


def rollback_advices(archive: Archive, *, until_ms: int | None = None) -> list[Row]:
    """Return the advice for each model of which a version fails, by name."""
    models: dict[str, list[_Version]] = {}
    for each in _versions(archive, until_ms):
        models.setdefault(each.model, []).append(each)
    advices = [_advice(model, own, own) for model, own in sorted(models.items())]
    return [advice for advice in advices if advice["from"] is not None]


def _versions(archive: Archive, until_ms: int | None) -> list[_Version]:
    """Return the versions of all models, oldest first within each."""
    before = None if until_ms is None else until_ms * MS_NS
    last = archive.queries.last_start(before_ns=before)
    if last is None:
        return []
    stretch = Stretch(from_ns=last - BACK_MS * MS_NS, until_ns=last + 1)
    found = archive.tallies.groups(stretch, KIND, groups_max=VERSIONS_MAX).to_pylist()
    touched = archive.first_touches((KIND, row["name"]) for row in found)
    pace = archive.tallies.pace(stretch).to_pylist()
    total = {name: sum(row[name] for row in pace) for name in ("traces", "failing", "kept")}
    versions = [_version(row, total, touched.get((KIND, row["name"]), 0)) for row in found]
    return sorted(versions, key=_age)


def _version(row: Mapping[str, Any], total: Mapping[str, float], first_ns: int) -> _Version:
    others = {name: max(total[name] - row[name], 0) for name in total}
    return _Version(
        name=row["name"],
        kept=row["kept"],
        share=row["failing"] / row["traces"],
        first_ns=first_ns,
        others_kept=int(others["kept"]),
        base_rate=min(others["failing"] / others["traces"], 1.0) if others["traces"] else 0.0,
    )


def _age(version: _Version) -> tuple[str, tuple[int, ...], int, str]:
    """Order by the numbers of a version; those without by when they were first used."""
    return version.model, version.numbers, version.first_ns, version.name


def _advice(model: str, versions: list[_Version], asked: list[_Version]) -> Row:
    """Return the advice for the newest failing version of those asked for; oldest first, both."""
    failing = [each for each in asked if each.fails]
    if not failing:
        worst = max(asked, key=lambda each: each.interval[0])
        why = (
            f"no version is sure to fail {RATIO_MIN:g} times as often as the traces without it: "
            f"{worst.told()}, {worst.told_base()}"
        )
        return {"model": model, "from": None, "to": None, "why": why}
    left = failing[-1]
    earlier = versions[: versions.index(left)]
    better = [each for each in earlier if each.is_better_than(left)]
    told = f"{left.told()}, {left.told_base()}"
    if better:
        to = better[-1]
        why = f"{told}; {to.told()}: the newest earlier version that is sure to fail less"
        passed = [each.told() for each in earlier[earlier.index(to) + 1 :]]
        why += f", unlike {'; '.join(passed)}" if passed else ""
        return {"model": model, "from": left.name, "to": to.name, "why": why}
    others = "; ".join(each.told() for each in earlier) or "there is none in the archive"
    why = (
        f"{told}; no earlier version is sure to fail less, on at least {TRACES_MIN} traces and not "
        f"beyond its own base rate: {others}"
    )
    return {"model": model, "from": left.name, "to": None, "why": why}
