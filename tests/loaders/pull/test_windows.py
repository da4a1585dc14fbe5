import pytest
from graphmind_loaders.pull.client import ReplyTooLarge
from graphmind_loaders.pull.windows import NARROW, Page, pages
from hypothesis import given
from hypothesis import strategies as st

from graphmind.sources import PullWindow
from graphmind.telemetry.rejections import Rejections


def reading(times, limit, asked, *, too_large=False):
    """A server that gives at most so many of its records."""

    def read(part: PullWindow):
        asked.append(part)
        found = [time for time in times if part.from_ns <= time < part.until_ns]
        if too_large and len(found) > limit:
            raise ReplyTooLarge("too large")
        return Page(found=found[:limit], full=len(found) >= limit)

    return read


@given(
    st.lists(st.integers(0, 999), unique=True),
    st.integers(1, 5),
    st.sampled_from([1, 3, 10]),
    st.booleans(),
)
def test_nothing_is_lost_while_a_step_holds_less_than_the_limit(times, limit, step, too_large):
    limit = max(limit, 2 * step)  # a window below two steps is not cut
    asked: list[PullWindow] = []
    rejected = Rejections()
    read = reading(sorted(times), limit, asked, too_large=too_large)

    found = list(pages(PullWindow(from_ns=0, until_ns=1000), read, step_ns=step, rejected=rejected))

    assert [time for part in found for time in part] == sorted(times)


def test_what_cannot_be_cut_further_is_counted():
    rejected = Rejections()
    read = reading([5] * 10, 3, [])

    found = list(pages(PullWindow(from_ns=0, until_ns=16), read, step_ns=1, rejected=rejected))

    assert [time for part in found for time in part] == [5, 5, 5]
    assert rejected.counts == {NARROW: 1}


def test_a_reply_too_large_that_cannot_be_cut_is_an_error():
    read = reading([5] * 10, 3, [], too_large=True)

    with pytest.raises(ReplyTooLarge):
        list(pages(PullWindow(from_ns=0, until_ns=16), read, step_ns=1, rejected=Rejections()))
