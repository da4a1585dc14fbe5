"""What became of an attempt to tell somebody, and when to try again."""

from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
RETRY_AFTER_MS_MAX: Final = 24 * HOUR_MS
"""An endpoint that says more does not mean it (chosen)."""
RETRIES_MS: Final = (
    5 * SECOND_MS,
    5 * MINUTE_MS,
    30 * MINUTE_MS,
    2 * HOUR_MS,
    5 * HOUR_MS,
    10 * HOUR_MS,
    14 * HOUR_MS,
    20 * HOUR_MS,
    24 * HOUR_MS,
)
"""Pauses between the attempts to deliver an event: the example of the Standard Webhooks
specification, three days in all. After the last it is given up."""
JITTER: Final = 0.2
"""A pause is longer by up to this share, so that many do not come back at once (chosen)."""
GONE: Final = 410


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How an attempt ended."""

    delivered: bool
    error: str = ""
    """What was expected and what came; without secrets."""
    retry_after_ms: int | None = None
    """When the endpoint said it may be asked again, from now."""
    gone: bool = False
    """The endpoint said that it wants no more of these, ever."""


def retry_ms(attempts: int, chance: float) -> int | None:
    """Return the pause after so many failed attempts; None: give up. ``0 <= chance < 1``."""
    if attempts > len(RETRIES_MS):
        return None
    return round(RETRIES_MS[attempts - 1] * (1 + JITTER * chance))


def outcome_of(response: httpx.Response, now_ms: int) -> Outcome:
    """Judge an answer by its status alone; its body is not read."""
    if response.is_success:
        return Outcome(delivered=True)
    return Outcome(
        delivered=False,
        error=f"expected a status 2xx, got {response.status_code} {response.reason_phrase}".strip(),
        retry_after_ms=_retry_after_ms(response.headers.get("retry-after", ""), now_ms),
        gone=response.status_code == GONE,
    )


def unreachable(error: httpx.HTTPError | httpx.InvalidURL) -> Outcome:
    """Judge an attempt that got no answer."""
    return Outcome(delivered=False, error=f"no answer: {type(error).__name__}")


def _retry_after_ms(text: str, now_ms: int) -> int | None:
    """Read seconds or a date; None for anything else."""
    if text.isascii() and text.isdigit():
        wait_ms = int(text[:9]) * SECOND_MS
    else:
        try:
            moment = parsedate_to_datetime(text)
            zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            wait_ms = round(zoned.timestamp() * SECOND_MS) - now_ms
        except (ValueError, OverflowError, OSError):
            return None
    return min(max(wait_ms, 0), RETRY_AFTER_MS_MAX)
