"""ISO weeks in UTC."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Self

from graphmind.errors import SettingsError

DAY_MS: Final = 86_400_000
WEEK_MS: Final = 7 * DAY_MS
WEEK_HOURS: Final = 7 * 24
_NAME: Final = re.compile(r"(\d{4})-W(\d{2})", re.ASCII)

_FIRST_YEAR: Final = 1970


@dataclass(frozen=True, kw_only=True)
class Week:
    """A week of ISO 8601: from Monday 00:00 UTC until the next."""

    name: str
    """As ``2026-W47``."""
    since_ms: int

    @classmethod
    def parse(cls, name: str) -> Self:
        """Read a name. Raises SettingsError for what names no week from 1970 on."""
        found = _NAME.fullmatch(name)
        monday = _monday(int(found[1]), int(found[2])) if found else None
        if monday is None or monday.year < _FIRST_YEAR:
            raise SettingsError(
                f"expected an ISO week such as 2026-W47, got {name!r}. A year has 52 or 53 of them"
            )
        return cls(name=name, since_ms=_ms(monday))

    @classmethod
    def of(cls, at_ms: int) -> Self:
        """Return the week in which a moment lies."""
        day = datetime.fromtimestamp(at_ms // 1000, UTC).date()
        year, number, weekday = day.isocalendar()
        monday = day - timedelta(days=weekday - 1)
        return cls(name=f"{year:04}-W{number:02}", since_ms=_ms(monday))

    @property
    def until_ms(self) -> int:
        """When the next one begins."""
        return self.since_ms + WEEK_MS

    @property
    def before(self) -> "Week":
        """The week before it."""
        return Week.of(self.since_ms - 1)

    @property
    def days_ms(self) -> tuple[int, ...]:
        """When each of its seven days begins."""
        return tuple(self.since_ms + number * DAY_MS for number in range(7))

    def holds(self, at_ms: int) -> bool:
        """Whether a moment lies in it."""
        return self.since_ms <= at_ms < self.until_ms


def _monday(year: int, number: int) -> date | None:
    try:
        return date.fromisocalendar(year, number, 1)
    except ValueError:
        return None


def _ms(day: date) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
