from datetime import UTC, datetime
from email.utils import format_datetime

from graphmind_loaders.pull.retry_after import RETRY_AFTER_S_MAX, retry_after_s
from hypothesis import given
from hypothesis import strategies as st


@given(st.text(), st.floats(0, 4e9))
def test_whatever_is_said_gives_a_time_that_can_be_waited(text, now_s):
    wait_s = retry_after_s(text, now_s)

    assert wait_s is None or 0 <= wait_s <= RETRY_AFTER_S_MAX


@given(st.integers(0, 86_400))
def test_seconds_and_dates_say_the_same(seconds):
    now = datetime(2026, 11, 25, tzinfo=UTC)
    date = datetime.fromtimestamp(now.timestamp() + seconds, UTC)

    assert retry_after_s(str(seconds), now.timestamp()) == seconds
    assert retry_after_s(format_datetime(date, usegmt=True), now.timestamp()) == seconds
