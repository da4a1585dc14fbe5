"""The header ``Retry-After``: seconds, or a date."""

from email.utils import parsedate_to_datetime
from typing import Final

RETRY_AFTER_S_MAX: Final = 86_400.0  # chosen: whoever says more than a day does not mean it


def retry_after_s(text: str, now_s: float) -> float | None:
    """Read when to come again, in seconds from now; None where the header says nothing we know.

    >>> retry_after_s("120", 0.0), retry_after_s("Thu, 01 Jan 1970 00:01:00 GMT", 30.0)
    (120.0, 30.0)
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), RETRY_AFTER_S_MAX)
    try:
        wait_s = parsedate_to_datetime(text).timestamp() - now_s
    except (ValueError, OverflowError, OSError):
        return None
    return min(max(wait_s, 0.0), RETRY_AFTER_S_MAX)
