import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmind.alerts.outcome import (
    JITTER,
    RETRIES_MS,
    RETRY_AFTER_MS_MAX,
    outcome_of,
    retry_ms,
    unreachable,
)

NOW_MS = 1_700_000_000_000


def after(text):
    response = httpx.Response(503, headers={"retry-after": text.encode()})
    return outcome_of(response, NOW_MS).retry_after_ms


@pytest.mark.parametrize(
    ("text", "wait_ms"),
    [
        ("7", 7_000),
        ("0", 0),
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30_000),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0),
        ("99999999999999999999", RETRY_AFTER_MS_MAX),
        ("-3", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date(text, wait_ms):
    assert after(text) == wait_ms


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_any_retry_after_is_a_bounded_pause_or_none(text):
    wait_ms = after(text)

    assert wait_ms is None or 0 <= wait_ms <= RETRY_AFTER_MS_MAX


@pytest.mark.parametrize(
    ("status", "delivered", "gone"),
    [(200, True, False), (204, True, False), (302, False, False), (410, False, True)],
)
def test_only_a_status_2xx_is_a_delivery(status, delivered, gone):
    outcome = outcome_of(httpx.Response(status), NOW_MS)

    assert (outcome.delivered, outcome.gone) == (delivered, gone)


@given(st.integers(1, len(RETRIES_MS)), st.floats(0, 1, exclude_max=True))
def test_pauses_grow_within_their_jitter_and_end(attempts, chance):
    pause_ms = retry_ms(attempts, chance)

    assert pause_ms is not None
    assert RETRIES_MS[attempts - 1] <= pause_ms <= RETRIES_MS[attempts - 1] * (1 + JITTER)
    assert retry_ms(len(RETRIES_MS) + 1, chance) is None


def test_what_failed_is_named_without_the_address():
    error = httpx.ConnectError("refused by http://user:secret@host/")

    assert unreachable(error).error == "no answer: ConnectError"
