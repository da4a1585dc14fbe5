"""Which version of a model to go back to (S37)."""

import re
from dataclasses import dataclass
from typing import Any, Final

from graphmind.analysis.evidence import wilson_interval
from graphmind.archive.port import Archive
from graphmind.archive.tallies import Stretch
from graphmind.errors import UnknownName

TRACES_MIN: Final = 100
"""Traces of a version on which its failing share counts as measured (chosen)."""
FAILING_MAX: Final = 0.05
"""Failing share up to which a version is healthy, by the upper end of its interval (chosen)."""
VERSIONS_MAX: Final = 10_000
HOUR_MS: Final = 3_600_000
BACK_MS: Final = 14 * 24 * HOUR_MS
"""How long before a version's last trace its share is measured (chosen)."""
MS_NS: Final = 1_000_000
KIND: Final = "model_version"
_NUMBERS: Final = re.compile(r"v?(\d+(?:\.\d+)*)")
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class _Version:
    """A version with its traces; the interval of its failing share is at 95 %, of those kept."""

    name: str
    kept: int
    share: float
    first_ns: int

    @property
    def model(self) -> str:
        return self.name.rpartition("@")[0] or self.name

    @property
    def interval(self) -> tuple[float, float]:
        """Return Wilson's interval."""
        return wilson_interval(self.share * self.kept, self.kept)

    def told(self) -> str:
        """Return its share in words."""
        low, high = self.interval
        return (
            f"{self.name} failed in {self.share:.1%} of {self.kept} traces "
            f"(95 % interval {low:.1%} to {high:.1%})"
        )


def rollback_advice(archive: Archive, model: str, *, until_ms: int | None = None) -> Row:
    """Return ``model``, ``from``, ``to`` and ``why`` for a model, or one version (`model@version`).

    ``from`` is the newest version that is sure to fail more often than a healthy one may, None
    where none is; ``to`` the newest earlier version that is sure to be healthy, None where none
    is. Only traces before ``until_ms`` count. Raises UnknownName.
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
    versions = [
        _Version(
            name=row["name"],
            kept=row["kept"],
            share=row["failing"] / row["traces"],
            first_ns=touched.get((KIND, row["name"]), 0),
        )
        for row in found
    ]
    return sorted(versions, key=_age)


def _age(version: _Version) -> tuple[str, tuple[int, ...], int, str]:
    """Order by the numbers of a version; those without by when they were first used."""
    number = _NUMBERS.fullmatch(version.name.rpartition("@")[2])
    parts = tuple(int(part) for part in number[1].split(".")) if number else ()
    return version.model, parts, version.first_ns, version.name


def _advice(model: str, versions: list[_Version], asked: list[_Version]) -> Row:
    """Return the advice for the newest failing version of those asked for; oldest first, both."""
    failing = [each for each in asked if _fails(each)]
    if not failing:
        worst = max(asked, key=lambda each: each.interval[0])
        why = f"no version is sure to fail more than {FAILING_MAX:.0%}: {worst.told()}"
        return {"model": model, "from": None, "to": None, "why": why}
    left = failing[-1]
    earlier = versions[: versions.index(left)]
    healthy = [each for each in earlier if _is_healthy(each)]
    if healthy:
        to = healthy[-1]
        why = f"{left.told()}; {to.told()}: the newest earlier version that is healthy"
        passed = [each.told() for each in earlier[earlier.index(to) + 1 :]]
        why += f", unlike {'; '.join(passed)}" if passed else ""
        return {"model": model, "from": left.name, "to": to.name, "why": why}
    others = "; ".join(each.told() for each in earlier) or "there is none in the archive"
    why = (
        f"{left.told()}; no earlier version is healthy (at most {FAILING_MAX:.0%}) on at least "
        f"{TRACES_MIN} traces: {others}"
    )
    return {"model": model, "from": left.name, "to": None, "why": why}


def _fails(version: _Version) -> bool:
    return version.interval[0] > FAILING_MAX


def _is_healthy(version: _Version) -> bool:
    return version.kept >= TRACES_MIN and version.interval[1] <= FAILING_MAX
