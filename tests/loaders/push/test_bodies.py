import gzip

import pytest
from graphmind_loaders.push.bodies import Budget, unpacked
from graphmind_loaders.push.refusals import OVERLOADED, TOO_LARGE, Refused
from hypothesis import given
from hypothesis import strategies as st

from graphmind.errors import SourceError

LIMIT = 10 * 2**20
STEP = 2**20


def unpack(body: bytes, *, bytes_max: int = LIMIT, budget_max: int = 4 * LIMIT):
    """Return what a body unpacks to, and how many bytes were held of it."""
    with Budget(budget_max).request() as held:
        return unpacked(body, bytes_max=bytes_max, held=held), held.bytes


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=4))
def test_all_members_are_unpacked_one_after_the_other(parts):
    body = b"".join(gzip.compress(part) for part in parts)

    assert unpack(body) == (b"".join(parts), len(b"".join(parts)))


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_bytes_are_unpacked_or_refused(body, more):
    for tried in (body, b"\x1f\x8b" + body, gzip.compress(body) + more):
        try:
            unpack(tried)
        except SourceError as error:
            assert "packed with gzip" in str(error)  # noqa: PT017


@given(st.binary(min_size=1, max_size=60), st.data())
def test_gzip_that_ends_too_early_is_refused(content, data):
    body = gzip.compress(content)

    with pytest.raises(SourceError, match="do not unpack"):
        unpack(body[: data.draw(st.integers(0, len(body) - 1))])


def test_a_bomb_is_never_unpacked_beyond_the_limit():
    bomb = gzip.compress(bytes(10 * LIMIT))
    budget = Budget(4 * LIMIT)

    with budget.request() as held, pytest.raises(Refused) as refused:
        unpacked(bomb, bytes_max=LIMIT, held=held)
    assert refused.value.outcome == TOO_LARGE
    assert LIMIT - STEP <= held.bytes <= LIMIT
    assert budget.held_bytes == 0


def test_what_unpacks_to_the_limit_is_taken():
    content, held = unpack(gzip.compress(bytes(LIMIT)))

    assert len(content) == held == LIMIT


def test_requests_that_hold_too_much_together_are_refused():
    with pytest.raises(Refused) as refused:
        unpack(gzip.compress(bytes(LIMIT)), budget_max=LIMIT // 2)

    assert (refused.value.outcome, refused.value.retry_seconds) == (OVERLOADED, 1)
