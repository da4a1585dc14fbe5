import doctest
import re
from datetime import datetime, timedelta

import pytest
from graphmind_loaders import values
from graphmind_loaders.values import duration_ns, end_of, hex_of, iso_ns
from hypothesis import given
from hypothesis import strategies as st

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - hypothesis takes naive bounds


def test_the_examples_hold():
    assert doctest.testmod(values).failed == 0


@given(st.datetimes(EPOCH, EPOCH.replace(year=2262)), st.integers(0, 999))
def test_a_time_is_read_to_the_nanosecond(moment, nanoseconds):
    text = f"{moment.isoformat(timespec='microseconds')}{nanoseconds:03}Z"

    since_us = (moment - EPOCH) // timedelta(microseconds=1)
    assert iso_ns(text) == since_us * 1000 + nanoseconds


@pytest.mark.parametrize("text", ["", "noon", "1969-12-31", "2300-01-01", "9999-12-31T23:59:59Z"])
def test_another_time_is_refused(text):
    with pytest.raises(ValueError, match=re.escape(repr(text))):
        iso_ns(text)


@pytest.mark.parametrize("text", ["", "5", "5 s", "-5s", "s", "5x"])
def test_another_duration_is_refused(text):
    with pytest.raises(ValueError, match="expected a duration"):
        duration_ns(text)


def test_an_end_beyond_64_bits_is_refused():
    with pytest.raises(ValueError, match="expected an end before 2262"):
        end_of(2**63 - 1, 1)


@pytest.mark.parametrize("text", [None, "", "ab", "=", "a=", "not base64="])
def test_what_is_not_base64_stays_as_it_is(text):
    assert hex_of(text) == text
